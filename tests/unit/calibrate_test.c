/* Conformal intervals: they must hold what they promise. */
#include "learn/calibrate.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct calib_spread ALIKE = {0, 0};
enum { CAL = 100, PER = 4, NEW = 200, REPEATS = 60 };

/* A battery has its own shift, its rows scatter about it: not exchangeable by row. */
static void draw(struct rng *r, struct calib_row *rows, size_t batteries)
{
	for (size_t b = 0; b < batteries; b++) {
		double shift = 0.3 * rng_normal(r), margin = 5 + 2 * rng_uniform(r);
		for (size_t i = 0; i < PER; i++)
			rows[b * PER + i] = (struct calib_row){margin,
				margin + shift + 0.1 * rng_normal(r), false,
				(uint32_t)b, NAN, CALIB_TESTED};
	}
}

static void test_coverage_of_new_batteries(void **state)
{
	struct rng r = {1};
	static struct calib_row cal[CAL * PER], fresh[NEW * PER];
	double inside = 0, below = 0, n = 0;
	for (int k = 0; k < REPEATS; k++) {
		struct calibration c;
		draw(&r, cal, CAL);
		draw(&r, fresh, NEW);
		assert_int_equal(
			calibrate(cal, CAL * PER, CALIB_ALL, 0.9, ALIKE, &c, NULL), 0);
		for (size_t i = 0; i < NEW * PER; i++, n++) {
			double lo, hi;
			calibration_interval(&c, fresh[i].margin, NAN, &lo, &hi);
			inside += fresh[i].log_time >= lo && fresh[i].log_time <= hi;
			below += fresh[i].log_time < lo;
		}
	}
	/* Both the calibration sets and the new batteries vary: with 60 × 100
	 * calibration batteries the coverage has a standard error of about sqrt(.9 · .1
	 * / 6000). */
	double error = sqrt(0.09 / (CAL * REPEATS) + 0.09 / (NEW * REPEATS));
	assert_true(inside / n > 0.9 - 3 * error);
	/* Not by being too wide: the correction costs at most 2/(K+1). */
	assert_true(inside / n < 0.9 + 2.0 / (CAL + 1) + 3 * error);
	assert_true(fabs(below / n - 0.05) < 0.02);
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* One row a battery and nothing censored is plain split conformal: order statistics. */
static void test_equals_order_statistics(void **state)
{
	struct rng r = {2};
	enum { N = 39 };
	struct calib_row rows[N];
	double e[N];
	struct calibration c;
	for (int i = 0; i < N; i++) {
		e[i] = rng_normal(&r);
		rows[i] = (struct calib_row){
			6, 6 + e[i], false, (uint32_t)i, NAN, CALIB_TESTED};
	}
	qsort(e, N, sizeof(*e), by_double);
	assert_int_equal(calibrate(rows, N, CALIB_ALL, 0.9, ALIKE, &c, NULL), 0);
	assert_int_equal(c.n, 1);
	/* ceil(.95 · 40) = 38th of 39, and by symmetry the 2nd. */
	assert_true(fabs(c.bin[0].lower - e[1]) < 1e-12);
	assert_true(fabs(c.bin[0].upper - e[37]) < 1e-12);
	assert_false(c.bin[0].extrapolated);
}

static void test_table_follows_the_margin(void **state)
{
	struct rng r = {3};
	enum { N = 1200 };
	static struct calib_row rows[N];
	struct calibration c;
	for (int i = 0; i < N; i++) {
		/* Short lives scatter four times as much. */
		double m = i % 2 ? 3 : 7, s = i % 2 ? 0.8 : 0.2;
		m += 0.01 * rng_uniform(&r);
		rows[i] = (struct calib_row){m, m + s * rng_normal(&r), false,
			(uint32_t)i, NAN, CALIB_TESTED};
	}
	assert_int_equal(calibrate(rows, N, CALIB_ALL, 0.9, ALIKE, &c, NULL), 0);
	assert_int_equal(c.n, 2); /* under 90 days, and all others */
	double lo, hi, lo2, hi2;
	calibration_interval(&c, 3.005, NAN, &lo, &hi);
	calibration_interval(&c, 7.005, NAN, &lo2, &hi2);
	assert_true(hi - lo > 2 * (hi2 - lo2));
}

/* Censoring must not make the lower bound less safe, nor the upper one lower. */
static void test_censoring_keeps_coverage(void **state)
{
	struct rng r = {4};
	enum { N = 2000 };
	static struct calib_row rows[N], plain[N];
	struct calibration c, full;
	for (int i = 0; i < N; i++) {
		double t = 6 + 0.5 * rng_normal(&r), cut = 6 + 0.8 * rng_normal(&r);
		plain[i] =
			(struct calib_row){6, t, false, (uint32_t)i, NAN, CALIB_TESTED};
		rows[i] = (struct calib_row){
			6, fmin(t, cut), t > cut, (uint32_t)i, NAN, CALIB_TESTED};
	}
	assert_int_equal(calibrate(plain, N, CALIB_ALL, 0.9, ALIKE, &full, NULL), 0);
	assert_int_equal(calibrate(rows, N, CALIB_ALL, 0.9, ALIKE, &c, NULL), 0);
	assert_true(c.bin[0].lower <= full.bin[0].lower);
	assert_true(c.bin[0].upper > 0.7 && c.bin[0].upper < 1.2);
	/* The censored likelihood finds the sigma that the naive one would miss. */
	assert_true(fabs(c.bin[0].sigma - 0.5) < 0.06);
	assert_true(fabs(full.bin[0].sigma - 0.5) < 0.06);
}

static void test_all_censored_is_extrapolated(void **state)
{
	struct calib_row rows[25];
	struct calibration c;
	for (int i = 0; i < 25; i++)
		rows[i] = (struct calib_row){
			6, 5.0 + 0.01 * i, true, (uint32_t)i, NAN, CALIB_TESTED};
	assert_int_equal(calibrate(rows, 25, CALIB_ALL, 0.9, ALIKE, &c, NULL), 0);
	assert_true(c.bin[0].extrapolated);
	assert_true(isfinite(c.bin[0].upper));
}

/* A spread that grows towards the end: its slope is found, and undone. */
static void test_slope(void **state)
{
	struct rng r = {5};
	enum { N = 1000 };
	static struct calib_row rows[N];
	struct calibration c;
	for (int i = 0; i < N; i++) {
		double m = 3 + 5 * rng_uniform(&r);
		rows[i] = (struct calib_row){m,
			m + 0.3 * exp(-0.4 * (m - log(1000))) * rng_normal(&r), false,
			(uint32_t)i, NAN, CALIB_TESTED};
	}
	struct calib_spread s = calibration_spread(rows, N);
	assert_true(fabs(s.slope + 0.4) < 0.051);
	assert_true(s.wide == 0); /* no width is known */
	assert_int_equal(calibrate(rows, N, CALIB_ALL, 0.9, s, &c, NULL), 0);
	double lo, hi;
	for (double m = 3.1; m < 8; m += 0.7) {
		calibration_interval(&c, m, NAN, &lo, &hi);
		double want = 2 * 1.645 * 0.3 * exp(-0.4 * (m - log(1000)));
		assert_true(fabs((hi - lo) / want - 1) < 0.3);
	}
	s = calibration_spread(rows, 0);
	assert_true(s.slope == 0 && s.wide == 0);
}

/* Where the twin is twice as unsure the spread is twice as wide: found, and undone. */
static void test_width(void **state)
{
	struct rng r = {7};
	enum { N = 1000 };
	static struct calib_row rows[N];
	struct calibration c;
	for (int i = 0; i < N; i++) {
		double width = 0.2 * exp(2 * rng_uniform(&r));
		rows[i] = (struct calib_row){7, 7 + width / 4 * rng_normal(&r), false,
			(uint32_t)i, width, CALIB_TESTED};
	}
	struct calib_spread s = calibration_spread(rows, N);
	assert_true(fabs(s.wide - 1) < 0.126);
	assert_int_equal(calibrate(rows, N, CALIB_ALL, 0.9, s, &c, NULL), 0);
	for (double width = 0.2; width < 1.5; width *= 1.5) {
		double lo, hi;
		calibration_interval(&c, 7, width, &lo, &hi);
		assert_true(fabs((hi - lo) / (2 * 1.645 * width / 4) - 1) < 0.25);
	}
	/* unknown is as the usual one, and no width is absurd */
	double lo, hi, lo2, hi2;
	calibration_interval(&c, 7, NAN, &lo, &hi);
	calibration_interval(&c, 7, 0.6, &lo2, &hi2);
	assert_true(lo == lo2 && hi == hi2);
	calibration_interval(&c, 7, 1e300, &lo, &hi);
	assert_true(isfinite(lo) && isfinite(hi));
}

/* Of untested batteries the estimate is three times as far out: each kind has its own
 * interval, and a kind that too few show has none. */
static void test_kinds(void **state)
{
	struct rng r = {8};
	enum { N = 600 };
	static struct calib_row rows[N];
	struct calibration c[CALIB_KINDS + 1];
	struct err err = {0};
	for (int i = 0; i < N; i++) {
		enum calib_kind kind = i < 18      ? CALIB_SILENT
				       : i < N / 2 ? CALIB_TESTED
						   : CALIB_UNTESTED;
		double sigma = kind == CALIB_UNTESTED ? 0.6 : 0.2;
		rows[i] = (struct calib_row){
			7, 7 + sigma * rng_normal(&r), false, (uint32_t)i, NAN, kind};
	}
	for (int k = 0; k <= CALIB_KINDS; k++) {
		int s = calibrate(rows, N, (enum calib_kind)k, 0.9, ALIKE, &c[k], &err);
		assert_int_equal(s, k == CALIB_SILENT ? -1 : 0);
	}
	assert_non_null(strstr(err.msg, "18 of at least 19"));
	const double want[] = {0.2, 0.6, 0, 0.45};
	for (int k = 0; k <= CALIB_KINDS; k++) {
		double lo, hi;
		if (k == CALIB_SILENT)
			continue;
		calibration_interval(&c[k], 7, NAN, &lo, &hi);
		assert_true(fabs((hi - lo) / (2 * 1.645 * want[k]) - 1) < 0.2);
	}
}

/* Half of the batteries are untested in one row of ten, and then far out: that one row
 * is a tenth of what will be foretold of them. */
static void test_short_visits(void **state)
{
	struct rng r = {9};
	enum { N = 1000, EACH = 10 };
	static struct calib_row rows[N * EACH], fresh[N * EACH];
	struct calibration c;
	double inside = 0, n = 0;
	for (int set = 0; set < 2; set++)
		for (int i = 0; i < N * EACH; i++) {
			bool brief = i / EACH % 2;
			bool untested = i % EACH < (brief ? 1 : 9);
			(set ? fresh : rows)[i] = (struct calib_row){7,
				7 + (brief ? 1 : 0.1) * rng_normal(&r), false,
				(uint32_t)(i / EACH), NAN,
				untested ? CALIB_UNTESTED : CALIB_TESTED};
		}
	assert_int_equal(
		calibrate(rows, N * EACH, CALIB_UNTESTED, 0.9, ALIKE, &c, NULL), 0);
	for (int i = 0; i < N * EACH; i++)
		if (fresh[i].kind == CALIB_UNTESTED) {
			double lo, hi;
			calibration_interval(&c, 7, NAN, &lo, &hi);
			n++;
			inside += fresh[i].log_time >= lo && fresh[i].log_time <= hi;
		}
	assert_true(fabs(inside / n - 0.9) < 0.02);
}

/* Three in a hundred die at any time before their end, the rest near it. */
static void test_sudden_deaths(void **state)
{
	struct rng r = {6};
	enum { N = 3000 };
	static struct calib_row rows[N];
	struct calibration c;
	for (int i = 0; i < N; i++) {
		bool sudden = rng_uniform(&r) < 0.03;
		double t = sudden ? 7 + log(rng_uniform(&r)) : 7 + 0.3 * rng_normal(&r);
		rows[i] =
			(struct calib_row){7, t, false, (uint32_t)i, NAN, CALIB_TESTED};
	}
	assert_int_equal(calibrate(rows, N, CALIB_ALL, 0.9, ALIKE, &c, NULL), 0);
	assert_true(fabs(c.bin[0].sigma - 0.3) < 0.03);
	assert_true(c.bin[0].sudden >= 0.01 && c.bin[0].sudden <= 0.05);
	/* 90 of 1,097 days: a twelfth of the sudden ones, and of the others none */
	assert_true(fabs(calibration_p_fail(&c, 7, NAN, 90) / (0.03 * 90 / exp(7)) -
			    1) < 0.7);
}

static void test_too_few(void **state)
{
	struct calib_row rows[18];
	struct calibration c;
	struct err err = {0};
	for (int i = 0; i < 18; i++)
		rows[i] =
			(struct calib_row){6, 6, false, (uint32_t)i, NAN, CALIB_TESTED};
	assert_int_equal(calibrate(rows, 18, CALIB_ALL, 0.9, ALIKE, &c, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
	assert_non_null(strstr(err.msg, "18 of at least 19"));
}

static void test_p_fail(void **state)
{
	struct calibration c = {.n = 1};
	c.bin[0].sigma = 0.5;
	/* Phi(0), and Phi((log 30 - log 60) / .5) = Phi(-1.38629) = 0.082828. */
	assert_true(fabs(calibration_p_fail(&c, log(30), NAN, 30) - 0.5) < 1e-12);
	assert_true(fabs(calibration_p_fail(&c, log(60), NAN, 30) - 0.0828286) < 1e-5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_coverage_of_new_batteries),
		cmocka_unit_test(test_equals_order_statistics),
		cmocka_unit_test(test_table_follows_the_margin),
		cmocka_unit_test(test_censoring_keeps_coverage),
		cmocka_unit_test(test_all_censored_is_extrapolated),
		cmocka_unit_test(test_slope),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_short_visits),
		cmocka_unit_test(test_sudden_deaths),
		cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_p_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
