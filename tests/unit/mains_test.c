/*
 * Mains outages and what the batteries see of them, by region, against the published
 * figures: Bangkok 1-1.5 a year and 30-40 minutes, the provinces 2-4 and 50-100, the
 * south half as much again; 3-10 dips of less than a minute; twice as many from May to
 * October (the south: October to December) and between 14 and 19 h; log-normal lengths,
 * median 15-25 minutes, sigma 1.2. A generator takes over in 10-60 s, and does not
 * start in 1-3 % of cases.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fleet_util.h"
#include "near.h"

static const struct published {
	const char *region;
	double a_year[2], minutes[2];
	int wet_from, wet_to;
} PUBLISHED[] = {
	{"central", {1, 1.5}, {30, 40}, 5, 10},
	{"northern", {2, 4}, {50, 100}, 5, 10},
	{"northeastern", {2, 4}, {50, 100}, 5, 10},
	{"eastern", {2, 4}, {50, 100}, 5, 10},
	{"southern", {3, 6}, {75, 150}, 10, 12},
};
enum { REGIONS = sizeof(PUBLISHED) / sizeof(PUBLISHED[0]) };

static const struct region *region(const char *name)
{
	for (int i = 0; i < fleet.nregions; i++)
		if (strcmp(fleet.regions[i].name, name) == 0)
			return &fleet.regions[i];
	fail_msg("no region %s", name);
	return NULL;
}

/* Of one region: counts and sums over many years. */
struct tally {
	int outages, dips, wet, storm, started, failed;
	int carried; /* outages, by a generator */
	double minutes, ln, ln2, takeover_s;
	double years, year2; /* sums over years of the count and its square */
};

static void count(struct tally *t, const struct outage *o, const struct published *p)
{
	struct civil c;
	double s = (double)(o->end - o->start) / 1000;
	double own_s = (double)(o->battery_end - o->start) / 1000;
	time_to_civil(o->start + 7 * HOUR_MS, &c);
	t->wet += c.month >= p->wet_from && c.month <= p->wet_to;
	t->storm += c.hour >= 14 && c.hour < 19;
	if (o->generator_failed) {
		near(own_s, s, 0);
		t->failed++;
	} else if (own_s < s) {
		assert_true(own_s >= 10 && own_s <= 60);
		t->started++;
	}
	if (s < 60) {
		t->dips++;
		return;
	}
	t->carried += !o->generator_failed;
	t->takeover_s += o->generator_failed ? 0 : own_s;
	t->outages++;
	t->minutes += s / 60;
	t->ln += log(s / 60);
	t->ln2 += log(s / 60) * log(s / 60);
}

static void compare(const struct tally *t, const struct published *p, double years)
{
	double a_year = t->outages / years, minutes = t->minutes / years;
	double n = t->outages, all = n + t->dips;
	double median = exp(t->ln / n);
	double sigma = sqrt(t->ln2 / n - t->ln * t->ln / n / n);
	double wet = (p->wet_to - p->wet_from + 1) * 2.;
	double mean = t->years / years;
	double dispersion = (t->year2 / years - mean * mean) / mean;

	print_message("%s: %.2f a year, %.0f min; median %.1f min, sigma %.2f; %.1f "
		      "dips; %.1f %% of generators fail\n",
		p->region, a_year, minutes, median, sigma, t->dips / years,
		100. * t->failed / (t->failed + t->started));
	/* bands, with the error of a count */
	double error = 3 * sqrt(n) / years;
	assert_true(a_year > p->a_year[0] - error && a_year < p->a_year[1] + error);
	assert_true(minutes > p->minutes[0] * 0.95 && minutes < p->minutes[1] * 1.05);
	assert_true(t->dips / years > 3 && t->dips / years < 10);
	assert_true(median > 14.5 && median < 25);
	near(sigma, 1.2, 0.05);    /* what is below a minute is cut off */
	near(dispersion, 1, 0.15); /* Poisson */
	near(t->wet / all, wet / (wet + 12 - wet / 2), 4 * 0.5 / sqrt(all));
	near(t->storm / all, 10. / 29, 4 * 0.5 / sqrt(all));
	near(t->takeover_s / t->carried, 35, 1);
	double starts = t->failed + t->started;
	assert_true(t->failed > 0.01 * starts && t->failed < 0.03 * starts);
}

static void figures_by_region(void **state)
{
	const int years = 1500;
	for (int k = 0; k < REGIONS; k++) {
		const struct published *p = &PUBLISHED[k];
		struct tally t = {0};
		for (int y = 0; y < years; y++) {
			int before = t.outages + t.dips;
			for (int64_t d = 0; d < 365; d++) {
				struct outage o[OUTAGES_MAX];
				int64_t day = 20454 + 365 * y + d;
				int n = grid_day(region(p->region), 42 + (uint64_t)k,
					7 * HOUR_MS, day, o);
				for (int i = 0; i < n; i++)
					count(&t, &o[i], p);
			}
			double these = t.outages + t.dips - before;
			t.years += these;
			t.year2 += these * these;
		}
		compare(&t, p, years);
	}
}

/* What a battery's records tell of a region's sites. */
struct seen {
	double site_years, outages, dips, minutes, discharges, longer;
};

static bool one_a_site(const char *code, int64_t site, int64_t string, void *user)
{
	return strstr(code, "-REC-01-S1") != NULL;
}

static void look(struct plant *p, struct seen *seen)
{
	for (size_t i = 0; i < p->nhappenings; i++) {
		const struct happening *h = &p->happenings[i];
		const char *name = p->sites[h->site].plan->region->name;
		int k = 0;
		while (strcmp(PUBLISHED[k].region, name) != 0)
			k++;
		if (h->what != HAPPENS_EVENT || h->status != event_status_completed)
			continue;
		double s = (double)(h->end_ts - h->start) / 1000;
		if (h->type == event_type_outage) {
			seen[k].outages += s >= 60;
			seen[k].dips += s < 60;
			seen[k].minutes += s >= 60 ? s / 60 : 0;
		} else if (h->type == event_type_battery_discharge) {
			seen[k].discharges++;
			seen[k].longer += s > 60;
		}
	}
}

/*
 * 288 site-years of the plant, a short string a site: as many outages as published; a
 * discharge to each of them and to each dip, of at most a minute unless the generator
 * does not start.
 */
static void discharges_by_region(void **state)
{
	enum { SITES = 36, YEARS = 8 };
	struct seen seen[REGIONS] = {{0}}, all = {0};
	int jars = fleet.jars_per_string;

	fleet.jars_per_string = 2;
	struct plant *p =
		plant_of(3, SITES * fleet_jars_per_site(&fleet), one_a_site, NULL);
	assert_int_equal(p->nstrings, SITES);
	for (int i = 0; i < SITES; i++)
		for (int k = 0; k < REGIONS; k++)
			if (strcmp(p->sites[i].plan->region->name,
				    PUBLISHED[k].region) == 0)
				seen[k].site_years += YEARS;
	for (int64_t d = 1; d <= YEARS * 365; d++) {
		assert_int_equal(plant_advance(p, START + d * DAY_MS), 0);
		look(p, seen);
	}
	plant_free(p);
	fleet.jars_per_string = jars;
	for (int k = 0; k < REGIONS; k++) {
		const struct seen *s = &seen[k];
		const struct published *pub = &PUBLISHED[k];
		double error = 3 * sqrt(s->outages);
		print_message("%s: %g site-years, %g outages, %g dips, %g min; %g "
			      "discharges, %g longer than a minute\n",
			pub->region, s->site_years, s->outages, s->dips, s->minutes,
			s->discharges, s->longer);
		assert_true(s->outages > pub->a_year[0] * s->site_years - error);
		assert_true(s->outages < pub->a_year[1] * s->site_years + error);
		assert_true(s->dips > 3 * s->site_years - 3 * sqrt(s->dips));
		assert_true(s->dips < 10 * s->site_years + 3 * sqrt(s->dips));
		/* some meet another, or one that is not over */
		near(s->discharges / (s->outages + s->dips), 1, 0.02);
		all.outages += s->outages;
		all.discharges += s->discharges;
		all.longer += s->longer;
	}
	/* the mean of a log-normal length is 31 minutes; its error is large */
	near(all.longer, 0.02 * all.outages, 3 * sqrt(0.02 * all.outages));
	assert_true(all.longer < 0.03 * all.discharges); /* seconds in 97 % */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_by_region),
		cmocka_unit_test(discharges_by_region),
	};
	return cmocka_run_group_tests(tests, load_fleet, NULL);
}
