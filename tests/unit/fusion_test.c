/* Fusion arithmetic, and factors. */
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
	struct estimate e = fusion_of(&f, &ML, &TWIN, 1, NAN, &w, &flags);
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
	struct estimate e = fusion_of(&f, &ML, &TWIN, 1.0 / 3, NAN, &w, &flags);
	near(w, 0.2);
	near(e.rul, 420);
}

static void test_variance(void **state)
{
	const struct fusion f = {FUSION_VARIANCE, 0.6};
	double w;
	int32_t flags = 0;
	/* widths 300 and 200: w = 200² / (300² + 200²) = 4/13 */
	struct estimate e = fusion_of(&f, &ML, &TWIN, 1, NAN, &w, &flags);
	near(w, 4.0 / 13);
	near(e.rul, 4.0 / 13 * 500 + 9.0 / 13 * 400);
	struct estimate open = TWIN;
	open.upper = NAN;
	fusion_of(&f, &ML, &open, 1, NAN, &w, &flags);
	near(w, 0.6);
}

static void test_adaptive(void **state)
{
	const struct fusion f = {FUSION_ADAPTIVE, 0.6};
	double w;
	int32_t flags = 0;
	/* a twin whose voltages fit, or of which nothing is known: as variance */
	fusion_of(&f, &ML, &TWIN, 1, 0.4, &w, &flags);
	near(w, 4.0 / 13);
	fusion_of(&f, &ML, &TWIN, 1, NAN, &w, &flags);
	near(w, 4.0 / 13);
	/* nine times the variance it allows for: w = 9·4 / (9 + 9·4) */
	fusion_of(&f, &ML, &TWIN, 1, 9, &w, &flags);
	near(w, 0.8);
}

static void test_no_trust_is_the_twin_alone(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.6};
	double w;
	int32_t flags = 0;
	struct estimate e = fusion_of(&f, &ML, &TWIN, 0, NAN, &w, &flags);
	near(e.rul, 400);
	near(e.upper, 500);
	near(w, 0);
	assert_int_equal(flags, BIT(rul_flags_fallback));
	/* but better a doubtful word than none */
	flags = 0;
	e = fusion_of(&f, &ML, &ESTIMATE_NONE, 0, NAN, &w, &flags);
	near(e.rul, 500);
	near(w, 1);
	assert_int_equal(flags, 0);
}

static void test_conflict(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.5};
	struct estimate far = TWIN;
	double w;
	int32_t flags = 0;
	far.rul = 349; /* 151 apart, 30.2 % of 500 */
	struct estimate e = fusion_of(&f, &ML, &far, 1, NAN, &w, &flags);
	assert_int_equal(flags, BIT(rul_flags_conflict));
	near(e.lower, 300);
	near(e.upper, 700);
	near(e.confidence, 0.35);
	far.rul = 351; /* 29.8 % */
	flags = 0;
	fusion_of(&f, &ML, &far, 1, NAN, &w, &flags);
	assert_int_equal(flags, 0);
}

static void test_one_or_none(void **state)
{
	const struct fusion f = {FUSION_FIXED, 0.6};
	double w;
	int32_t flags = 0;
	struct estimate e = fusion_of(&f, &ESTIMATE_NONE, &TWIN, 1, NAN, &w, &flags);
	near(e.rul, 400);
	near(w, 0);
	assert_int_equal(flags, BIT(rul_flags_fallback));
	flags = 0;
	e = fusion_of(&f, &ML, &ESTIMATE_NONE, 1, NAN, &w, &flags);
	near(e.rul, 500);
	near(w, 1);
	assert_int_equal(flags, 0);
	e = fusion_of(&f, &ESTIMATE_NONE, &ESTIMATE_NONE, 1, NAN, &w, &flags);
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
		struct estimate e =
			fusion_of(&f, &a, &b, i % 7 ? 1 : 0.3, NAN, &w, &flags);
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
	assert_int_equal(fusion_parse("adaptive", &f, &err), 0);
	assert_int_equal(f.rule, FUSION_ADAPTIVE);
	assert_int_equal(fusion_parse("evidence", &f, &err), 0);
	assert_int_equal(f.rule, FUSION_EVIDENCE);
	near(f.weight, 0.6); /* for a model that brings none */
	const char *bad[] = {
		"", "fixed:", "fixed:1.5", "fixed:-1", "fixed:nan", "mean"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(fusion_parse(bad[i], &f, &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
	}
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
		cmocka_unit_test(test_adaptive),
		cmocka_unit_test(test_no_trust_is_the_twin_alone),
		cmocka_unit_test(test_factors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
