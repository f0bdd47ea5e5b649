/* The fleet in time: layout, weather, mains, lives. */

#include "battery/rate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fleet_util.h"
#include "near.h"

static void layout(void **state)
{
	char code[FLEET_NAME_MAX];
	assert_int_equal(fleet_jars_per_site(&fleet) * fleet.nsites, 1944);
	struct plant *p = plant(1, 1944);
	assert_int_equal(p->nsites, 9);
	assert_int_equal(p->nstrings, 81);
	assert_string_equal(p->strings[0].code, "DC-CNX-01-REC-01-S1");
	assert_string_equal(p->strings[80].code, "DC-HDY-01-UPS-02-S3");
	plant_free(p);
	fleet_site(&fleet, 9, code);
	assert_string_equal(code, "DC-CNX-02");
	fleet_site(&fleet, 12, code);
	assert_string_equal(code, "DC-BKK-03");
	fleet_site(&fleet, 13, code);
	assert_string_equal(code, "DC-BKK-04");
	/* no two of many clones share a code */
	for (int i = 0; i < 200; i++)
		for (int k = 0; k < i; k++) {
			char other[FLEET_NAME_MAX];
			fleet_site(&fleet, i, code);
			fleet_site(&fleet, k, other);
			assert_string_not_equal(code, other);
		}
}

/* Monthly normals come back out of the weather, and its swing and anomaly. */
static void climate_normals(void **state)
{
	struct weather w;
	const struct climate *bkk = fleet.sites[3].climate;
	double high = 0, low = 0;
	weather_init(&w, bkk, 7, 7);
	for (int year = 0; year < 30; year++) {
		for (int day = 99; day < 111; day++) { /* around mid-April */
			int64_t midnight = START +
					   (year * 365 + year / 4 + day) * DAY_MS -
					   7 * HOUR_MS;
			double most = -99, least = 99;
			for (int h = 0; h < 24; h++) {
				double t = weather_at(&w, midnight + h * HOUR_MS)
						   .temperature_c;
				most = fmax(most, t);
				least = fmin(least, t);
			}
			high += most / 360;
			low += least / 360;
		}
	}
	near(high, bkk->max_c[3], 0.5);
	near(low, bkk->min_c[3], 0.5);
}

static void air_conditioning(void **state)
{
	struct weather w;
	struct room r;
	double sum = 0, hot = 0;
	int faults = 0;
	const int days = 100 * 365;
	weather_init(&w, fleet.sites[3].climate, 7, 7);
	room_init(&r, 9, START);
	for (int i = 0; i < days * 4; i++) {
		enum hvac_names before = r.hvac;
		room_advance(&r, &w, START + (i + 1) * 6 * HOUR_MS);
		sum += r.temperature_c / days / 4;
		hot = fmax(hot, r.temperature_c);
		faults += !room_failed(before) && room_failed(r.hvac);
	}
	near(sum, 24.7, 0.7);
	/* 0.65 a year and more in the hot season; short ones hide between samples */
	assert_true(faults > 45 && faults < 90);
	assert_true(hot > 29 && hot < 45);
}

/* The first blocks are the same ones, however many there are. */
static void independent_of_count(void **state)
{
	struct plant *a = plant(1, 24), *b = plant(1, 500);
	for (int i = 1; i <= 30; i++) {
		assert_int_equal(plant_advance(a, START + i * HOUR_MS), 0);
		assert_int_equal(plant_advance(b, START + i * HOUR_MS), 0);
	}
	assert_memory_equal(a->strings[0].blocks, b->strings[0].blocks,
		24 * sizeof(struct battery_block));
	assert_string_equal(a->strings[0].jars[5].serial, b->strings[0].jars[5].serial);
	plant_free(a);
	plant_free(b);
	a = plant(1, 24);
	b = plant(2, 24);
	assert_true(a->strings[0].blocks[0].nature.soh_new_pct !=
		    b->strings[0].blocks[0].nature.soh_new_pct);
	plant_free(a);
	plant_free(b);
}

static void population(void **state)
{
	struct plant *p = plant(3, 1944);
	int worn = 0, replaced = 0, class[rate_class_count] = {0}, n = 0;
	double ss = 0, rr = 0, sr = 0, s1 = 0, r1 = 0; /* of SOH and resistance */
	for (int64_t s = 0; s < p->nstrings; s++) {
		double volts = p->strings[s].series.voltage_v / 24;
		assert_true(volts > 13.5 && volts < 13.8);
		for (int i = 0; i < 24; i++) {
			const struct battery_block *b = &p->strings[s].blocks[i];
			worn += b->capacity_ah < 96;
			if (!b->open) {
				n++;
				s1 += b->capacity_ah,
					ss += b->capacity_ah * b->capacity_ah;
				r1 += b->r0_mohm, rr += b->r0_mohm * b->r0_mohm;
				sr += b->capacity_ah * b->r0_mohm;
			}
			replaced += p->strings[s].jars[i].unit > 0;
			class[p->strings[s].jars[i].rate_class]++;
			/* a shorted cell takes 2 V of its block */
			assert_true(b->shorted ||
				    (b->voltage_v > 12.6 && b->voltage_v < 14.4));
		}
	}
	near(class[rate_class_healthy] / 1944., .85, .06);
	near(class[rate_class_failing] / 1944., .03, .025);
	/* resistance tells of capacity, but not all */
	near((sr - s1 * r1 / n) / sqrt((ss - s1 * s1 / n) * (rr - r1 * r1 / n)), -0.75,
		0.1);
	assert_true(worn > 10 && worn < 150);
	assert_true(replaced > 200 && replaced < 1200);
	plant_free(p);
}

/* What is foretold comes true: blocks reach 80 % when their life was to end. */
static void life_comes_true(void **state)
{
	struct plant *p = plant(5, 24);
	struct plant_string *s = &p->strings[0];
	double days[24];
	int64_t reached[24] = {0};
	enum cause_names causes[24];
	int unit[24], seen = 0;

	assert_int_equal(plant_life(p, s, days, causes), 0);
	for (int i = 0; i < 24; i++)
		unit[i] = s->jars[i].unit;
	for (int64_t d = 1; d <= 7 * 365; d++) {
		assert_int_equal(plant_advance(p, START + d * DAY_MS), 0);
		for (int i = 0; i < 24; i++)
			if (!reached[i] && s->jars[i].unit == unit[i] &&
				(s->blocks[i].capacity_ah < 96 || s->blocks[i].open ||
					s->blocks[i].shorted))
				reached[i] = d;
	}
	for (int i = 0; i < 24; i++) {
		if (!reached[i] || days[i] == 0)
			continue;
		seen++;
		/* later ones less well: their neighbours have been replaced */
		near((double)reached[i], days[i], 8 + 0.06 * days[i]);
	}
	for (int i = 0; i < 24; i++)
		if (!reached[i])
			assert_true(
				days[i] > 7 * 365 * 0.97 || s->jars[i].unit > unit[i]);
	if (seen < 3)
		fail_msg("only %d lives ended", seen);
	plant_free(p);
}

static void happenings(void **state)
{
	struct plant *p = plant(1, 216);
	int counts[event_type_count] = {0}, capacities = 0, jars = 0, impedances = 0;
	for (int d = 1; d <= 400; d++) {
		int64_t before = p->now;
		assert_int_equal(plant_advance(p, START + d * DAY_MS), 0);
		int64_t last = 0;
		for (size_t i = 0; i < p->nhappenings; i++) {
			const struct happening *h = &p->happenings[i];
			assert_true(
				h->ts >= last && h->ts >= before && h->ts <= p->now);
			last = h->ts;
			if (h->what == HAPPENS_EVENT &&
				h->status == event_status_completed)
				counts[h->type]++;
			impedances += h->what == HAPPENS_IMPEDANCE;
			if (h->what != HAPPENS_CAPACITY)
				continue;
			if (h->jar < 0) {
				capacities++;
				assert_true(h->value > 60 && h->value < 130);
			} else {
				jars++;
				near(h->value, h->string->blocks[h->jar].capacity_ah,
					6);
			}
		}
	}
	assert_true(capacities >= 8 && capacities <= 18);
	assert_true(jars > 0);
	assert_in_range(counts[event_type_inspection], 12, 15);
	assert_in_range(counts[event_type_impedance_test], 30, 45);
	assert_true(impedances == 24 * counts[event_type_impedance_test]);
	assert_in_range(counts[event_type_outage], 2, 25);
	assert_in_range(counts[event_type_generator_test], 9 * 11, 9 * 15);
	assert_true(counts[event_type_equalize] >= 25);
	plant_free(p);
}

/* A discharge test, from its event to its record. */
struct tested {
	int begun, done, passed, measured, outage;
	int64_t last; /* begun */
};

static void count_tests(const struct plant *p, struct tested *t)
{
	const double most_ah = fleet.discharge_test_pct / 100 * model.capacity_ah;
	for (size_t i = 0; i < p->nhappenings; i++) {
		const struct happening *h = &p->happenings[i];
		bool partial = strstr(h->note, "to 40 % of rated");
		if (h->what == HAPPENS_EVENT && h->type == event_type_capacity_test &&
			partial && h->status == event_status_in_progress) {
			/* on float and full before; at the site's own load */
			double design_a = plant_design_load_a(p, h->string->system);
			assert_true(h->value >= 0.5 * design_a &&
				    h->value <= 0.8 * design_a);
			t->begun++;
			t->last = h->ts;
		}
		t->done += h->what == HAPPENS_EVENT && partial &&
			   h->type == event_type_capacity_test &&
			   h->status == event_status_completed;
		if (h->what != HAPPENS_CAPACITY || h->test.test != TEST_PARTIAL)
			continue;
		if (h->jar >= 0 || h->test.result == test_result_fail) {
			assert_true(h->value > 0);
			t->measured++;
			continue;
		}
		t->passed++;
		assert_true(isnan(h->value) && isnan(h->test.pct));
		/* amperes and minutes are the share, to a step of the charger */
		near(h->test.rate_a * h->test.minutes / 60, most_ah, 0.2);
	}
}

/* 40 % each quarter: nine strings, three partial tests a year and one full one. */
static void partial_tests(void **state)
{
	struct tested t = {0};
	fleet.discharge_test_pct = 40;
	struct plant *p = plant(2, 216);
	for (int64_t d = 1; d <= 365; d++) {
		assert_int_equal(plant_advance(p, START + d * DAY_MS), 0);
		count_tests(p, &t);
	}
	fleet.discharge_test_pct = 0;
	print_message("%d partial tests, %d to the end; %d capacities measured\n",
		t.begun, t.passed, t.measured);
	assert_in_range(t.begun, 9 * 3 - 2, 9 * 3); /* some meet an outage */
	assert_true(t.done >= t.begun - 1 && t.passed >= t.begun - 4);
	plant_free(p);
}

/* Such a test takes the charge out of every block of the string, and brings it back. */
static void partial_test_empties(void **state)
{
	fleet.discharge_test_pct = 40;
	struct plant *p = plant(2, 24);
	struct plant_string *s = &p->strings[0];
	double full_ah[24];

	while (s->testing != TEST_PARTIAL) {
		for (int i = 0; i < 24; i++)
			full_ah[i] = s->blocks[i].soc * s->blocks[i].capacity_ah;
		assert_int_equal(plant_advance(p, p->now + MINUTE_MS), 0);
	}
	while (s->testing == TEST_PARTIAL)
		assert_int_equal(plant_advance(p, p->now + MINUTE_MS), 0);
	for (int i = 0; i < 24; i++) {
		const struct battery_block *b = &s->blocks[i];
		/* of what a block gives as warm as it is; a little stays in tails */
		double warm = battery_temperature_factor(&model, b->temperature_c);
		near((full_ah[i] - b->soc * b->capacity_ah) * warm, 48, 1);
	}
	assert_int_equal(plant_advance(p, p->now + 3 * DAY_MS), 0);
	for (int i = 0; i < 24; i++)
		assert_true(s->blocks[i].soc > 0.995);
	fleet.discharge_test_pct = 0;
	plant_free(p);
}

/* A file that is like another: all of that, but for what it says itself. */
static void like_another(void **state)
{
	struct fleet *f = malloc(sizeof(*f));
	struct err err = {0};
	char path[4096];
	assert_int_equal(
		share_path("schemas/fleet/maintained.ini", path, sizeof(path), &err),
		0);
	assert_int_equal(fleet_load(path, f, &err), 0);
	assert_int_equal(fleet_jars(f), fleet_jars(&fleet));
	assert_true(fleet.oldest_years == 10 && f->oldest_years < 10);
	assert_true(f->nages > 0 && fleet.nages == 0);
	struct plant *p =
		plant_new(f, &model, 1, fleet_jars(f), START, NULL, NULL, &err);
	assert_non_null(p);
	for (int64_t i = 0; i < p->nstrings; i++) {
		const struct plant_string *s = &p->strings[i];
		double years =
			(double)(START - s->installed) / (365.25 * (double)DAY_MS);
		double told = fleet_age_years(f, s->code);
		if (isnan(told))
			assert_true(years >= 0 && years <= f->oldest_years + 0.01);
		else
			assert_true(fabs(years - told) < 0.01);
	}
	plant_free(p);
	free(f);
}

static void bad_fleets(void **state)
{
	static const struct {
		const char *text, *says;
	} CASES[] = {
		{"[fleet]\nbattery_model = x\n", "needed"},
		{"[fleet]\ncolour = red\n", "unknown key"},
		{"[fleet]\ndischarge_test_pct = 90\n", "discharge_test_pct"},
		{"[fleet]\ndischarge_test_days = 1\n", "discharge_test_days"},
		{"[nonsense]\na = b\n", "unknown section"},
		{"[climate X]\nmax_c = 1 2 3\nmin_c = 1 2\n", "partner"},
		{"[fleet]\nsystems = A\nstrings_per_system = 3\njars_per_string = 24\n"
		 "[site DC-X-01]\nregion = none\n",
			"no such region"},
		{"[fleet]\noldest_years = 11\n", "oldest_years"},
		{"[fleet]\njars_per_string = 6\nlike = thailand.ini\n", "first key"},
		{"[fleet]\nlike = ../thailand.ini\n", "same folder"},
		{"[string DC-BKK-01-UPS-01-S1]\nage_years = -1\n", "age_years"},
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
		char path[] = "/tmp/fleet-XXXXXX";
		struct fleet *f = malloc(sizeof(*f));
		struct err err = {0};
		FILE *out = fdopen(mkstemp(path), "w");
		fputs(CASES[i].text, out);
		fclose(out);
		assert_int_equal(fleet_load(path, f, &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
		assert_non_null(strstr(err.msg, CASES[i].says));
		remove(path);
		free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),
		cmocka_unit_test(climate_normals),
		cmocka_unit_test(air_conditioning),
		cmocka_unit_test(independent_of_count),
		cmocka_unit_test(population),
		cmocka_unit_test(life_comes_true),
		cmocka_unit_test(happenings),
		cmocka_unit_test(partial_tests),
		cmocka_unit_test(partial_test_empties),
		cmocka_unit_test(like_another),
		cmocka_unit_test(bad_fleets),
	};
	return cmocka_run_group_tests(tests, load_fleet, NULL);
}
