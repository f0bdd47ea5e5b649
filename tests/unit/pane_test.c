/* Panes: merging is exact; means, deviations and slopes against known truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "window/pane.h"

#define HOUR0 INT32_C(496000)
#define T0 (HOUR0 * HOUR_MS)

static const struct band BAND = {13.5f, 13.8f, 120.0f};

static struct sample random_sample(gsl_rng *rng, int64_t ts)
{
	struct sample s = {
		.ts = ts,
		.mode = gsl_rng_uniform_int(rng, 4) ? mode_float : mode_discharge,
		.voltage_v = (float)(11 + 4 * gsl_rng_uniform(rng)),
		.temperature_c = (float)(20 + 25 * gsl_rng_uniform(rng)),
		.current_a = (float)(90 * (gsl_rng_uniform(rng) - 0.5)),
		.resistance_mohm = (float)(3 + gsl_rng_uniform(rng)),
	};
	switch (gsl_rng_uniform_int(rng, 8)) {
	case 0:
		s.voltage_v = NAN;
		break;
	case 1:
		s.temperature_c = s.current_a = NAN;
		break;
	case 2:
		s.resistance_mohm = NAN;
		break;
	default:
		break;
	}
	return s;
}

static void add(struct pane *p, const struct sample *s)
{
	pane_sample(p, s);
	pane_hold(p, s, 60000 - s->ts % 7, &BAND);
}

static void size(void **state)
{
	printf("a pane takes %zu bytes\n", sizeof(struct pane));
	assert_int_equal(sizeof(struct pane), 192);
	assert_int_equal(sizeof(struct sample), 24);
}

/* Any grouping into parts and any order of the samples and of the parts: same bytes. */
static void merging_is_exact(void **state)
{
	enum { N = 400, PARTS = 7, ROUNDS = 50 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct sample v[N];
	struct pane whole;
	gsl_rng_set(rng, 7);
	pane_init(&whole, HOUR0);
	for (int i = 0; i < N; i++) {
		v[i] = random_sample(rng, T0 + i * 9000);
		add(&whole, &v[i]);
	}
	for (int round = 0; round < ROUNDS; round++) {
		struct pane part[PARTS], total;
		int order[N];
		for (int i = 0; i < N; i++) {
			int j = (int)gsl_rng_uniform_int(rng, (unsigned long)i + 1);
			order[i] = order[j];
			order[j] = i;
		}
		for (int i = 0; i < PARTS; i++)
			pane_init(&part[i], HOUR0);
		for (int i = 0; i < N; i++)
			add(&part[gsl_rng_uniform_int(rng, PARTS)], &v[order[i]]);
		int shift = (int)gsl_rng_uniform_int(rng, PARTS);
		int middle = 1 + (int)gsl_rng_uniform_int(rng, PARTS - 1);
		/* (a + b …) + (c + d …), beginning anywhere */
		struct pane right;
		pane_init(&total, HOUR0);
		pane_init(&right, HOUR0);
		for (int i = 0; i < PARTS; i++)
			pane_merge(i < middle ? &total : &right,
				&part[(i + shift) % PARTS]);
		pane_merge(&total, &right);
		assert_memory_equal(&total, &whole, sizeof(whole));
	}
	gsl_rng_free(rng);
}

/* A day from its hours, in any order, equals the day filled directly. */
static void hours_make_a_day(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct pane hour[24], day, merged, backwards;
	pane_init(&day, HOUR0);
	for (int h = 0; h < 24; h++) {
		pane_init(&hour[h], HOUR0 + h);
		for (int i = 0; i < 60; i++) {
			struct sample s =
				random_sample(rng, T0 + h * HOUR_MS + i * MINUTE_MS);
			add(&hour[h], &s);
			add(&day, &s);
		}
	}
	pane_init(&merged, HOUR0);
	pane_init(&backwards, HOUR0);
	for (int h = 0; h < 24; h++) {
		pane_merge(&merged, &hour[h]);
		pane_merge(&backwards, &hour[23 - h]);
	}
	assert_memory_equal(&merged, &day, sizeof(day));
	assert_memory_equal(&backwards, &day, sizeof(day));
	gsl_rng_free(rng);
}

/* Least squares against GSL's, over a day of noisy, rising resistance. */
static void slope_as_gsl_fits_it(void **state)
{
	enum { N = 1440 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	static double x[N], y[N];
	struct pane day;
	pane_init(&day, HOUR0);
	for (int i = 0; i < N; i++) {
		x[i] = i / 1440.0;
		y[i] = round(1e3 * (4 + 0.05 * x[i] +
					   0.02 * (gsl_rng_uniform(rng) - 0.5))) /
		       1e3;
		struct sample s = {
			T0 + i * MINUTE_MS, mode_float, NAN, NAN, NAN, (float)y[i]};
		struct pane hour;
		pane_init(&hour, HOUR0 + i / 60);
		pane_sample(&hour, &s);
		pane_merge(&day, &hour);
	}
	double c0, c1, cov00, cov01, cov11, sumsq, slope, error;
	gsl_fit_linear(x, 1, y, 1, N, &c0, &c1, &cov00, &cov01, &cov11, &sumsq);
	pane_resistance_slope(&day, &slope, &error);
	assert_true(fabs(slope - c1) < 1e-9);
	assert_true(fabs(error - sqrt(cov11)) < 1e-9);
	assert_true(day.r_latest == (float)y[N - 1]);
	gsl_rng_free(rng);
}

static void too_few_for_a_slope(void **state)
{
	struct pane p;
	double slope, error;
	struct sample s = {T0, mode_float, NAN, NAN, NAN, 4.0f};
	pane_init(&p, HOUR0);
	pane_resistance_slope(&p, &slope, &error);
	assert_true(isnan(slope) && isnan(error));
	pane_sample(&p, &s);
	pane_sample(&p, &s);
	pane_resistance_slope(&p, &slope, &error);
	assert_true(isnan(slope) && isnan(error));
	s.ts += DAY_MS / 24 / 2;
	s.resistance_mohm = 4.5f;
	pane_sample(&p, &s);
	pane_resistance_slope(&p, &slope, &error);
	assert_true(fabs(slope - 24) < 1e-9); /* 0.5 mohm in half an hour */
	assert_true(fabs(error) < 1e-9);
}

/* A whole number of periods of a sine: mean, and deviation a/sqrt(2). */
static void sine(void **state)
{
	enum { N = 3600 };
	struct pane p;
	pane_init(&p, HOUR0);
	for (int i = 0; i < N; i++) {
		struct sample s = {T0 + i * 1000, mode_float,
			(float)(13.6 + 0.1 * sin(2 * M_PI * i / 900)), NAN, NAN, NAN};
		pane_sample(&p, &s);
	}
	double std = stats_std(p.v_n, p.v_sum, p.v_sq, PANE_V_UNITS);
	assert_int_equal(p.v_n, N);
	assert_true(fabs(stats_mean(p.v_n, p.v_sum, PANE_V_UNITS) - 13.6) < 1e-6);
	assert_true(fabs(std - 0.1 / sqrt(2) * sqrt(N / (N - 1.0))) < 1e-6);
	assert_true(fabs((double)p.v_max - 13.7) < 1e-5);
	assert_true(fabs((double)p.v_min - 13.5) < 1e-5);
	assert_int_equal(p.t_n, 0);
	assert_true(isnan(stats_mean(p.t_n, p.t_sum, PANE_T_UNITS)));
	assert_true(isnan(stats_std(1, 5, 25, 1)));
}

static void time_weighted(void **state)
{
	struct pane p;
	pane_init(&p, HOUR0);
	struct sample s = {T0, mode_float, 13.4f, 35.0f, -12.0f, NAN};
	pane_hold(&p, &s, 30 * MINUTE_MS, &BAND);
	s.mode = mode_boost; /* the float band is for float */
	s.current_a = 6.0f;
	s.temperature_c = 35.5f;
	pane_hold(&p, &s, 30 * MINUTE_MS, &BAND);
	assert_int_equal(p.below_float_ms, 30 * MINUTE_MS);
	assert_int_equal(p.above_float_ms, 0);
	assert_int_equal(p.covered_ms, HOUR_MS);
	assert_int_equal(p.above_30_ms, HOUR_MS);
	assert_int_equal(p.above_35_ms, 30 * MINUTE_MS);
	assert_true(fabs((double)p.charge_out / PANE_CHARGE_PER_AH - 6) < 1e-9);
	assert_true(fabs((double)p.charge_in / PANE_CHARGE_PER_AH - 3) < 1e-9);
}

/* The noise of a coarse current sensor on float is no discharge. */
static void noise_is_no_cycle(void **state)
{
	struct pane p;
	pane_init(&p, HOUR0);
	for (int i = 0; i < 3600; i++) {
		struct sample s = {T0 + i * 1000, mode_float, NAN, NAN,
			(float)(0.1 + 1.5 * sin(2 * M_PI * i / 60)), NAN};
		pane_hold(&p, &s, 1000, &BAND);
	}
	assert_int_equal(p.charge_out, 0);
	assert_true(fabs((double)p.charge_in / PANE_CHARGE_PER_AH - 0.1) < 1e-6);
}

/* 0.60 eV: 1 at 25 degC, and a life halved in between 8.3 and 10 K. */
static void arrhenius(void **state)
{
	assert_true(fabs(ageing_factor(25) - 1) < 1e-12);
	assert_true(ageing_factor(33.3) < 2);
	assert_true(ageing_factor(35) > 2);
	assert_true(fabs(ageing_factor(35) - 2.134) < 0.001);
}

/* Values that are no measurement enter nothing; square sums saturate, never wrap. */
static void absurd_values(void **state)
{
	struct pane p, q;
	pane_init(&p, HOUR0);
	pane_init(&q, HOUR0);
	struct sample s = {T0, mode_float, 1e6f, -1e5f, 1e9f, 1e8f};
	assert_false(sample_usable(&s));
	pane_sample(&p, &s);
	pane_hold(&p, &s, 1000, &BAND);
	s.resistance_mohm = 0; /* a meter that is not connected */
	pane_sample(&p, &s);
	s.resistance_mohm = -4;
	pane_sample(&p, &s);
	assert_memory_equal(&p, &q, sizeof(p));
	p.v_sq = q.v_sq = UINT64_MAX - 1;
	p.v_n = q.v_n = 1000;
	pane_merge(&p, &q);
	assert_true(isnan(stats_std(p.v_n, p.v_sum, p.v_sq, PANE_V_UNITS)));
}

/* A pane of a day with a resistance every second, as if filled sample by sample. */
static void full_day(struct pane *day, int number, double mohm)
{
	uint64_t n = 86400, y = (uint64_t)(mohm * PANE_R_UNITS);
	pane_init(day, HOUR0 + 24 * number);
	day->n = day->r_n = (uint32_t)n;
	day->r_sx = n * (n - 1) / 2;
	day->r_sxx = (n - 1) * n * (2 * n - 1) / 6;
	day->r_sy = n * y;
	day->r_sxy = day->r_sx * y;
	day->r_syy = n * y * y;
}

/* Thirty days of one resistance a second, a step of 0.1 mohm every midnight. */
static void a_month_of_seconds(void **state)
{
	struct pane month, day;
	double slope, error, x = 0, y = 0, xx = 0, xy = 0;
	pane_init(&month, HOUR0);
	for (int d = 0; d < 30; d++) {
		full_day(&day, d, 4 + 0.1 * d);
		pane_merge(&month, &day);
	}
	pane_resistance_slope(&month, &slope, &error);
	/* Two passes over all the seconds, in days and mohm. */
	const int n = 30 * 86400;
	for (int i = 0; i < n; i++) {
		x += i / 86400.0 / n;
		y += (4 + 0.1 * (i / 86400)) / n;
	}
	for (int i = 0; i < n; i++) {
		double dx = i / 86400.0 - x;
		xx += dx * dx;
		xy += dx * (4 + 0.1 * (i / 86400) - y);
	}
	assert_int_equal(month.r_n, n);
	assert_true(fabs(slope - xy / xx) < 1e-9);
	double rest = 0;
	for (int i = 0; i < n; i++) {
		double r = 4 + 0.1 * (i / 86400) - y - xy / xx * (i / 86400.0 - x);
		rest += r * r;
	}
	double want = sqrt(rest / (n - 2) / xx);
	assert_true(fabs(error - want) < 1e-6 * want);
}

/* What does not fit is missing, not wrong: ten ohm every second for a month. */
static void a_sum_too_large(void **state)
{
	struct pane month, day;
	double slope, error;
	pane_init(&month, HOUR0);
	for (int d = 0; d < 30; d++) {
		full_day(&day, d, 1e4);
		pane_merge(&month, &day);
	}
	pane_resistance_slope(&month, &slope, &error);
	assert_true(isnan(slope) && isnan(error));
	assert_true(fabs(stats_mean(month.r_n, (int64_t)month.r_sy, PANE_R_UNITS) -
			    1e4) < 1e-9);
}

/* Counts of events stop at their largest value. */
static void many_events(void **state)
{
	struct pane a, b;
	pane_init(&a, HOUR0);
	pane_init(&b, HOUR0);
	a.discharges = b.discharges = DISCHARGES_MAX - 1;
	a.surges = b.surges = SURGES_MAX - 1;
	a.gaps = b.gaps = GAPS_MAX - 1;
	pane_merge(&a, &b);
	assert_int_equal(a.discharges, DISCHARGES_MAX);
	assert_int_equal(a.surges, SURGES_MAX);
	assert_int_equal(a.gaps, GAPS_MAX);
}

static void division(void **state)
{
	assert_int_equal(floor_div(-1, 24), -1);
	assert_int_equal(floor_div(-24, 24), -1);
	assert_int_equal(floor_div(23, 24), 0);
	assert_int_equal(floor_div(24, 24), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(size),
		cmocka_unit_test(merging_is_exact),
		cmocka_unit_test(hours_make_a_day),
		cmocka_unit_test(slope_as_gsl_fits_it),
		cmocka_unit_test(too_few_for_a_slope),
		cmocka_unit_test(sine),
		cmocka_unit_test(time_weighted),
		cmocka_unit_test(noise_is_no_cycle),
		cmocka_unit_test(arrhenius),
		cmocka_unit_test(absurd_values),
		cmocka_unit_test(a_month_of_seconds),
		cmocka_unit_test(a_sum_too_large),
		cmocka_unit_test(many_events),
		cmocka_unit_test(division),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
