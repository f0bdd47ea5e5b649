/* SHAP values against XGBoost's own, and against their definition. */
#include "learn/shap.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROWS = 600, COLS = 9 };

/* Times that hang on several columns at once, a fifth of the values missing. */
static void fill(float *x, float *t, uint64_t seed)
{
	struct rng r = {seed};
	for (int i = 0; i < ROWS; i++) {
		float *v = x + i * COLS;
		for (int c = 0; c < COLS; c++)
			v[c] = (float)rng_uniform(&r);
		double log_time = 6 - 2 * (double)v[0] + (double)(v[1] * v[2]) +
				  (v[3] > 0.5f ? (double)v[4] : 0) +
				  0.1 * rng_normal(&r);
		t[i] = (float)exp(log_time);
		for (int c = 0; c < COLS; c++)
			if (rng_uniform(&r) < 0.2)
				v[c] = NAN;
	}
}

static struct booster *trained(const float *x, const float *t, int rounds, int depth)
{
	struct booster_data d = {x, t, t, ROWS, COLS};
	struct booster_params p = {rounds, rounds, depth, 1, 0.2, 0.3, 400, 1, 0.8};
	struct booster_fit fit;
	struct err err = {0};
	struct booster *b = booster_train(&d, &d, &p, &fit, &err);
	assert_non_null(b);
	return b;
}

static void test_equal_to_xgboost(void **state)
{
	static float x[ROWS * COLS], t[ROWS], ours[ROWS * (COLS + 1)],
		theirs[ROWS * (COLS + 1)], margin[ROWS];
	for (int depth = 1; depth <= 6; depth++) {
		struct shap *s;
		fill(x, t, (uint64_t)depth);
		struct booster *b = trained(x, t, 40, depth);
		fill(x, t, (uint64_t)depth + 100);
		assert_int_equal(shap_new(b, COLS, &s, NULL), 1);
		shap_contributions(s, x, ROWS, ours);
		assert_int_equal(
			booster_contributions(b, x, ROWS, COLS, theirs, NULL), 0);
		assert_int_equal(booster_margin(b, x, ROWS, COLS, margin, NULL), 0);
		for (int i = 0; i < ROWS; i++) {
			double sum = 0;
			for (int c = 0; c <= COLS; c++) {
				int k = i * (COLS + 1) + c;
				sum += (double)ours[k];
				assert_true(fabs((double)(ours[k] - theirs[k])) < 1e-4);
			}
			assert_true(fabs(sum - (double)margin[i]) < 1e-4);
		}
		shap_free(s);
		booster_free(b);
	}
}

/* One stump: the contribution is the leaf less the mean by cover. */
static void test_one_split_by_hand(void **state)
{
	float x[ROWS], t[ROWS], phi[2 * 2], margin[2];
	const float both[] = {0, 1};
	for (int i = 0; i < ROWS; i++) {
		x[i] = i < ROWS / 4 ? 0 : 1;
		t[i] = i < ROWS / 4 ? 100 : 1000;
	}
	struct booster_data d = {x, t, t, ROWS, 1};
	struct booster_params p = {1, 1, 1, 1, 1, 1, 400, 1, 0.8};
	struct booster_fit fit;
	struct shap *s;
	struct booster *b = booster_train(&d, &d, &p, &fit, NULL);
	assert_int_equal(shap_new(b, 1, &s, NULL), 1);
	shap_contributions(s, both, 2, phi);
	assert_int_equal(booster_margin(b, both, 2, 1, margin, NULL), 0);
	/* phi_a - phi_b is the whole difference, the bias is common, and the covers
	 * (about a quarter; rows are drawn at random) say how it is shared. */
	assert_true(fabs((double)((phi[2] - phi[0]) - (margin[1] - margin[0]))) < 1e-5);
	assert_true(phi[1] == phi[3]);
	double quarter = (double)(phi[2] / (phi[2] - phi[0]));
	assert_true(quarter > 0.15 && quarter < 0.35);
	shap_free(s);
	booster_free(b);
}

/* Noise over many columns: some path asks for more of them than are tabled. */
static void test_too_deep_is_refused(void **state)
{
	enum { WIDE = 20 };
	static float x[ROWS * WIDE], t[ROWS];
	struct rng r = {1};
	struct shap *s;
	for (int i = 0; i < ROWS * WIDE; i++)
		x[i] = (float)rng_uniform(&r);
	for (int i = 0; i < ROWS; i++)
		t[i] = (float)exp(6 + 2 * rng_normal(&r));
	struct booster_data d = {x, t, t, ROWS, WIDE};
	struct booster_params p = {30, 30, 12, 1, 0.2, 0.3, 400, 1, 0.8};
	struct booster_fit fit;
	struct booster *b = booster_train(&d, &d, &p, &fit, NULL);
	assert_int_equal(shap_new(b, WIDE, &s, NULL), 0);
	assert_null(s);
	booster_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_to_xgboost),
		cmocka_unit_test(test_one_split_by_hand),
		cmocka_unit_test(test_too_deep_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
