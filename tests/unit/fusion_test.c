/* Fusion arithmetic, and the date to act. */
#include "learn/factors.h"
#include "learn/fusion.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void near(double got, double want)
{
	if (!(fabs(got - want) < 1e-9))
		fail_msg("%.12g is not %.12g", got, want);
}

static const struct estimate ML = {500, 400, 700, 0.02, 0.10, 0.8};
static const struct estimate TWIN = {400, 300, 500, 0.04, 0.20, 0.6};

static void test_fixed(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.6};
	double w;
	int32_t flags = 0;
	struct estimate e = fusion_of(&f, &ML, &TWIN, false, &w, &flags);
	near(w, 0.6);
	near(e.rul, 460);
	near(e.lower, 360);
	near(e.upper, 620);
	near(e.p_fail_30d, 0.028);
	near(e.p_fail_90d, 0.14);
	near(e.confidence, 0.72);
	assert_int_equal(flags, 0);
}

static void test_doubt_leans_on_the_twin(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.6};
	double w;
	int32_t flags = 0;
	struct estimate e = fusion_of(&f, &ML, &TWIN, true, &w, &flags);
	near(w, 0.2);
	near(e.rul, 420);
}

static void test_variance(void **state)
{
	const struct fusion f = {FUSION_VARIANCE, 0.6};
	double w;
	int32_t flags = 0;
	/* widths 300 and 200: w = 200² / (300² + 200²) = 4/13 */
	struct estimate e = fusion_of(&f, &ML, &TWIN, false, &w, &flags);
	near(w, 4.0 / 13);
	near(e.rul, 4.0 / 13 * 500 + 9.0 / 13 * 400);
	struct estimate open = TWIN;
	open.upper = NAN;
	fusion_of(&f, &ML, &open, false, &w, &flags);
	near(w, 0.6);
}

static void test_conflict(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.5};
	struct estimate far = TWIN;
	double w;
	int32_t flags = 0;
	far.rul = 349; /* 151 apart, 30.2 % of 500 */
	struct estimate e = fusion_of(&f, &ML, &far, false, &w, &flags);
	assert_int_equal(flags, BIT(rul_flags_conflict));
	near(e.lower, 300);
	near(e.upper, 700);
	near(e.confidence, 0.35);
	far.rul = 351; /* 29.8 % */
	flags = 0;
	fusion_of(&f, &ML, &far, false, &w, &flags);
	assert_int_equal(flags, 0);
}

static void test_one_or_none(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.6};
	double w;
	int32_t flags = 0;
	struct estimate e = fusion_of(&f, &ESTIMATE_NONE, &TWIN, false, &w, &flags);
	near(e.rul, 400);
	near(w, 0);
	assert_int_equal(flags, BIT(rul_flags_fallback));
	flags = 0;
	e = fusion_of(&f, &ML, &ESTIMATE_NONE, false, &w, &flags);
	near(e.rul, 500);
	near(w, 1);
	assert_int_equal(flags, 0);
	e = fusion_of(&f, &ESTIMATE_NONE, &ESTIMATE_NONE, false, &w, &flags);
	assert_true(isnan(e.rul) && isnan(w));
}

/* A bound missing on one side: the bounds still hold the fused estimate. */
static void test_bounds_hold_the_estimate(void **state)
{
	struct rng r = {3};
	for (int i = 0; i < 2000; i++) {
		struct estimate a = ML, b = TWIN;
		struct fusion f = {
			i % 2 ? FUSION_FIXED : FUSION_VARIANCE, rng_uniform(&r)};
		double w;
		int32_t flags = 0;
		a.rul = 1000 * rng_uniform(&r);
		a.lower = a.rul * rng_uniform(&r);
		a.upper = a.rul + 500 * rng_uniform(&r);
		b.rul = 1000 * rng_uniform(&r);
		b.lower = i % 3 ? NAN : b.rul / 2;
		b.upper = i % 5 ? NAN : b.rul * 2;
		struct estimate e = fusion_of(&f, &a, &b, i % 7 == 0, &w, &flags);
		assert_true(w >= 0 && w <= 1);
		assert_true(e.lower <= e.rul && e.rul <= e.upper);
	}
}

static void test_parse(void **state)
{
	struct fusion f;
	struct err err = {0};
	assert_int_equal(fusion_parse("fixed:0.25", &f, &err), 0);
	near(f.weight, 0.25);
	assert_int_equal(fusion_parse("variance", &f, &err), 0);
	assert_int_equal(f.rule, FUSION_VARIANCE);
	const char *bad[] = {
		"", "fixed:", "fixed:1.5", "fixed:-1", "fixed:nan", "mean"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(fusion_parse(bad[i], &f, &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
	}
}

static int64_t date(const char *text)
{
	int64_t t;
	assert_int_equal(time_parse_iso(str_of(text), 0, &t), 0);
	return t;
}

static void test_replace_by(void **state)
{
	int64_t now = date("2026-08-25T10:00:00Z");
	/* 2026-08-25 + 200 d = 2027-03-13: the last cool day before is 28 February */
	assert_int_equal(replace_by(now, 200), date("2027-02-28T00:00:00Z"));
	/* + 120 d = 23 December: itself */
	assert_int_equal(replace_by(now, 120), date("2026-12-23T00:00:00Z"));
	/* + 30 d = 24 September: no cool day is left before it */
	assert_int_equal(replace_by(now, 30), date("2026-09-24T00:00:00Z"));
	/* leap year: + 560 d = 2028-03-07 */
	assert_int_equal(replace_by(now, 560), date("2028-02-29T00:00:00Z"));
	/* overdue, and never before now */
	assert_int_equal(replace_by(now, 0), now);
	assert_int_equal(replace_by(now, -5), now);
	assert_true(replace_by(now, NAN) == TIME_NIL);
	assert_true(replace_by(now, 1e30) > now);
}

static void test_factors(void **state)
{
	struct feature_set s;
	float phi[FIELDS_MAX] = {0};
	struct pairs f;
	feature_set_all(&s);
	for (int i = 0; i < s.n; i++) {
		if (strcmp(s.v[i].name, "t_mean_c") == 0)
			phi[i] = -0.5f;
		if (strcmp(s.v[i].name, "hours_above_30c") == 0)
			phi[i] = -0.1f;
		if (strcmp(s.v[i].name, "r_baseline_pct") == 0)
			phi[i] = 0.3f;
		if (strcmp(s.v[i].name, "age_days") == 0)
			phi[i] = -0.1f;
		assert_true(cause_of(s.v[i].name) != GROUP_OTHER);
	}
	factors_of(&s, phi, &f);
	assert_int_equal(f.n, 3);
	assert_true(str_is(f.v[0].name, "temperature"));
	near(round((double)f.v[0].value * 1000) / 1000, -60);
	assert_true(str_is(f.v[1].name, "resistance"));
	near(round((double)f.v[1].value * 1000) / 1000, 30);
	assert_true(str_is(f.v[2].name, "age"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fixed),
		cmocka_unit_test(test_doubt_leans_on_the_twin),
		cmocka_unit_test(test_variance),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_one_or_none),
		cmocka_unit_test(test_bounds_hold_the_estimate),
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_replace_by),
		cmocka_unit_test(test_factors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
