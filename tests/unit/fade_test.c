/*
 * The fade of cells whose capacity tests are wrong together: what the twin says of
 * their life against cells drawn from its own model file, whose end is known.
 */
#include "estimate/wear.h"
#include "base/rng.h"
#include "base/timefmt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "near.h"

enum { CELLS = 1000, TESTED_DAYS = 60 };
static const int64_t T0 = INT64_C(946684800000); /* 2000-01-01 */
static const double LIFE_DAYS = 130, OWN_STD = 0.002;
static struct battery_model cell_model;

static int load(void **state)
{
	struct err err = {0};
	struct battery_model *m = &cell_model;
	(void)state;
	if (battery_model_named("nasa-18650", m, &err))
		return -1;
	m->weibull_scale_years = LIFE_DAYS / 365.25 / pow(M_LN2, 1 / m->weibull_shape);
	m->rate_sigma = 0.3;
	m->exponent_sigma = 0.35;
	m->capacity_error = 0.018;
	m->capacity_error_days = 8;
	m->evidence_std_factor = 1;
	m->future_sigma = 0.01;
	return 0;
}

struct numbers {
	uint64_t key, drawn;
};

static double normal(struct numbers *g)
{
	return rng_normal(g->key, g->drawn++);
}

struct cell {
	double c0, life, exponent;
	double error; /* the part that lasts */
};

static struct cell draw(const struct battery_model *m, struct numbers *g)
{
	struct cell c;
	c.c0 = 1 + m->capacity_sigma * normal(g);
	c.life = LIFE_DAYS * exp(m->rate_sigma * normal(g));
	c.exponent = m->ageing_exponent * exp(m->exponent_sigma * normal(g));
	c.error = m->capacity_error * normal(g);
	return c;
}

/* A test a day; its error goes on from day to day. */
static void test_daily(struct cell *c, const struct battery_model *m, struct numbers *g,
	struct wear *a)
{
	double keep = exp(-1 / m->capacity_error_days);
	for (int day = 1; day <= TESTED_DAYS; day++) {
		double law = c->c0 - 0.3 * pow(day / c->life, c->exponent);
		double next = sqrt(1 - keep * keep) * m->capacity_error * normal(g);
		c->error = keep * c->error + next;
		double tested = law + c->error + OWN_STD * normal(g);
		wear_advance(a, m, T0 + day * DAY_MS, 1, 1, 1);
		wear_capacity(a, tested, OWN_STD * OWN_STD);
	}
}

/* When a test is to find less than 70 %. */
static double end_of(const struct cell *c, double error)
{
	double room = fmax(c->c0 + error - 0.7, 0) / 0.3;
	return c->life * pow(room, 1 / c->exponent);
}

/* Of cells of model m, told of by 'twin': how many have their end in the interval. */
static int held(
	const struct battery_model *m, const struct battery_model *twin, double *width)
{
	struct numbers g = {rng_key(4, 0), 0};
	int n = 0;
	*width = 0;
	for (int i = 0; i < CELLS; i++) {
		struct cell c = draw(m, &g);
		struct wear a;
		struct wear_rul r;
		wear_init(&a, twin, &(struct wear_start){0, 1, NAN, 1e-4});
		test_daily(&c, m, &g, &a);
		double left = end_of(&c, m->capacity_error * normal(&g));
		left = fmax(left - TESTED_DAYS, 0);
		wear_rul(&a, twin, T0 + TESTED_DAYS * DAY_MS, &r);
		n += r.lower_days <= left && left <= r.upper_days;
		*width += (r.upper_days - r.lower_days) / CELLS;
	}
	return n;
}

/*
 * Of a capacity that stands still: n tests a day apart, whose errors are the process
 * a = exp(-1/tau), tell of it 1'R^-1 1 = (2 + (n - 2)(1 - a)) / (1 + a) / error^2,
 * which the twin gets to within 3 % from three marks.
 */
static void test_errors_alike(void **state)
{
	(void)state;
	struct battery_model m = cell_model;
	struct wear a;
	double soh, std, keep = exp(-1 / m.capacity_error_days);
	m.weibull_scale_years = 5;
	m.exponent_sigma = 0;
	m.ageing_exponent = 2;
	wear_init(&a, &m, &(struct wear_start){0, 1, NAN, 1e-4});
	for (int n = 1; n <= TESTED_DAYS; n++) {
		wear_advance(&a, &m, T0 + n * DAY_MS, 1, 1, 1);
		wear_capacity(&a, 0.98, OWN_STD * OWN_STD);
		double tell = n < 2 ? 1 : (2 + (n - 2) * (1 - keep)) / (1 + keep);
		double of_error = tell / pow(m.capacity_error, 2);
		double want = 1 / sqrt(of_error + 1 / pow(m.capacity_sigma, 2));
		wear_soh(&a, &m, &soh, &std);
		near(std / want, 1, 0.03);
	}
}

/* 90 % of the ends lie in the intervals, within three deviations of a binomial. Of a
 * twin that takes each test for news, hardly any do. */
static void test_intervals_hold(void **state)
{
	double width, sure_width;
	(void)state;
	struct battery_model sure = cell_model;
	sure.capacity_error = 0;
	int n = held(&cell_model, &cell_model, &width);
	int of_sure = held(&cell_model, &sure, &sure_width);
	near(n, 0.9 * CELLS, 3 * sqrt(0.09 * CELLS));
	assert_true(of_sure < 0.5 * CELLS);
	assert_true(width > sure_width);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_errors_alike),
		cmocka_unit_test(test_intervals_hold)};
	return cmocka_run_group_tests(tests, load, NULL);
}
