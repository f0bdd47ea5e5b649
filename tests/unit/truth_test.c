/* The remaining life the truth tells is the life got by running on. */

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fleet_util.h"

enum { SITE = 216, YEARS = 4 };

/* One life: foretold, and lived. */
struct life {
	double foretold;
	enum cause_names cause;
	int unit;
	double ended;    /* days; NaN: not seen */
	double replaced; /* days, before its end: its life is censored then */
};

static void foretell(struct plant *p, struct life *lives)
{
	for (int64_t s = 0; s < p->nstrings; s++) {
		double days[SERIES_MAX];
		enum cause_names causes[SERIES_MAX];
		assert_int_equal(plant_life(p, &p->strings[s], days, causes), 0);
		for (int i = 0; i < p->strings[s].series.n; i++)
			*lives++ = (struct life){days[i], causes[i],
				p->strings[s].jars[i].unit, NAN, NAN};
	}
}

static bool dead(const struct battery_block *b)
{
	return b->capacity_ah < model.eol_pct / 100 * model.capacity_ah || b->open ||
	       b->shorted || b->vented;
}

static void live(struct plant *p, struct life *lives, int days)
{
	for (int d = 1; d <= days; d++) {
		assert_int_equal(plant_advance(p, START + d * DAY_MS), 0);
		for (int64_t s = 0; s < p->nstrings; s++) {
			const struct plant_string *string = &p->strings[s];
			for (int i = 0; i < string->series.n; i++) {
				struct life *l = &lives[s * string->series.n + i];
				if (isnan(l->ended) && isnan(l->replaced) &&
					string->jars[i].unit != l->unit)
					l->replaced = d;
				if (isnan(l->ended) &&
					string->jars[i].unit == l->unit &&
					dead(&string->blocks[i]))
					l->ended = d;
			}
		}
	}
}

/* A site for four years: every life that ends in it, against what was told before. */
static void site_runs_on(void **state)
{
	static struct life lives[SITE];
	double worst = 0, mean = 0, bias = 0;
	int ended = 0, hard = 0, early = 0;
	struct plant *p = plant(11, SITE);

	foretell(p, lives);
	live(p, lives, YEARS * 365);
	for (int i = 0; i < SITE; i++) {
		const struct life *l = &lives[i];
		if (isnan(l->ended)) {
			/* not told to end clearly before */
			double seen = fmin(YEARS * 365, l->replaced);
			if (l->foretold < seen * 0.92)
				fail_msg("%d was to end after %g days, not beyond %g",
					i, l->foretold, seen);
			early += !isnan(l->replaced);
			continue;
		}
		if (l->foretold == 0)
			continue;
		double error = l->ended - l->foretold;
		ended++;
		hard += l->cause == cause_open_circuit ||
			l->cause == cause_internal_short;
		bias += (error - bias) / ended;
		double off = fabs(error) / fmax(100, l->foretold);
		mean += (off - mean) / ended;
		worst = fmax(worst, off);
	}
	print_message("%d lives ended, %d hard, %d censored by replacement; off by "
		      "%.1f days, %.1f %% in the mean, %.1f %% at most\n",
		ended, hard, early, bias, 100 * mean, 100 * worst);
	assert_true(ended > 60);
	/* when neighbours are replaced is known within weeks; the rest is exact */
	assert_true(fabs(bias) < 10 && mean < 0.03 && worst < 0.12);
	plant_free(p);
}

static bool only(const char *code, int64_t site, int64_t string, void *user)
{
	return strcmp(code, user) == 0;
}

/* The unit of a fleet that fails hard next is told to, and does, to the day. */
static void hard_failure(void **state)
{
	struct plant *p = plant(1, 9 * SITE);
	int64_t soonest = INT64_MAX;
	char code[PLANT_CODE_MAX] = "";
	struct life lives[SERIES_MAX];
	int jar = 0;
	for (int64_t s = 0; s < p->nstrings; s++)
		for (int i = 0; i < p->strings[s].series.n; i++)
			if (p->strings[s].jars[i].hard_failure > START + 30 * DAY_MS &&
				p->strings[s].jars[i].hard_failure < soonest) {
				soonest = p->strings[s].jars[i].hard_failure;
				memcpy(code, p->strings[s].code, sizeof(code));
				jar = i;
			}
	plant_free(p);
	p = plant_of(1, 9 * SITE, only, code);
	assert_int_equal(p->nstrings, 1);
	foretell(p, lives);
	int days = (int)((soonest - START) / DAY_MS) + 2;
	assert_true(lives[jar].cause == cause_open_circuit ||
		    lives[jar].cause == cause_internal_short);
	live(p, lives, days);
	print_message(
		"%s jar %d fails after %g days\n", code, jar + 1, lives[jar].foretold);
	assert_true(lives[jar].ended >= lives[jar].foretold &&
		    lives[jar].ended <= lives[jar].foretold + 1);
	plant_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(site_runs_on),
		cmocka_unit_test(hard_failure),
	};
	return cmocka_run_group_tests(tests, load_fleet, NULL);
}
