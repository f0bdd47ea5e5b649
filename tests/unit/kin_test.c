/*
 * lib/estimate/kin: what blocks of a string and site tell of one another, against the
 * normal equations of all of them at once.
 */
#include "base/rng.h"
#include "estimate/kin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <gsl/gsl_linalg.h>

enum { STRINGS = 5, UNITS = 6, ALL = STRINGS * UNITS };

static struct battery_model block; /* of hx12-120 */
static const struct kin_word NOTHING;

static int setup(void **state)
{
	struct err err = {0};
	return battery_model_find("hx12-120", &block, &err);
}

/* Strings 0, 1 are of one site, 2 to 4 of another. */
static int site_of(int string)
{
	return string < 2 ? 0 : 1;
}

static struct str code_of(int string, int unit, char code[64])
{
	snprintf(code, 64, "DC-BKK-%02d-UPS-01-S%d-J%02d", site_of(string) + 1, string,
		unit);
	return str_of(code);
}

/* A unit's y by what is told of others: mean and variance of the Gaussian with the
 * covariances of the model, given the others' values with their variances. */
static struct wear_rate by_all(int unit, const double value[ALL], const double var[ALL])
{
	double s2 = pow(block.rate_sigma_site, 2), t2 = pow(block.rate_sigma_string, 2),
	       b2 = pow(block.rate_sigma_block, 2);
	int of[ALL], n = 0;
	for (int i = 0; i < ALL; i++)
		if (i != unit && isfinite(var[i]))
			of[n++] = i;
	gsl_matrix *c = gsl_matrix_alloc((size_t)n, (size_t)n);
	gsl_vector *cov = gsl_vector_alloc((size_t)n), *w = gsl_vector_alloc((size_t)n);
	for (int i = 0; i < n; i++) {
		for (int j = 0; j < n; j++) {
			int si = of[i] / UNITS, sj = of[j] / UNITS;
			gsl_matrix_set(c, (size_t)i, (size_t)j,
				(site_of(si) == site_of(sj) ? s2 : 0) +
					(si == sj ? t2 : 0) +
					(i == j ? b2 + var[of[i]] : 0));
		}
		int si = of[i] / UNITS, su = unit / UNITS;
		gsl_vector_set(cov, (size_t)i,
			(site_of(si) == site_of(su) ? s2 : 0) + (si == su ? t2 : 0));
	}
	assert_int_equal(gsl_linalg_cholesky_decomp1(c), 0);
	gsl_linalg_cholesky_solve(c, cov, w);
	struct wear_rate r = {0, s2 + t2 + b2};
	for (int i = 0; i < n; i++) {
		r.mean += gsl_vector_get(w, (size_t)i) * value[of[i]];
		r.var -= gsl_vector_get(w, (size_t)i) * gsl_vector_get(cov, (size_t)i);
	}
	gsl_matrix_free(c);
	gsl_vector_free(cov);
	gsl_vector_free(w);
	return r;
}

/* What unit i measured of its y. */
static struct wear_rate learned(struct wear_rate before, double value, double var)
{
	double precision = 1 / before.var + 1 / var;
	return (struct wear_rate){
		(before.mean / before.var + value / var) / precision, 1 / precision};
}

static void tell(
	struct kin *k, int i, struct kin_word word[ALL], double value, double var)
{
	char code[64];
	uint32_t string = (uint32_t)(i / UNITS);
	struct wear_rate before = kin_rate(k, &block, 1, string, &word[i]);
	assert_int_equal(
		kin_tell(k, &block, 1, string, code_of(i / UNITS, i % UNITS, code),
			before, learned(before, value, var), &word[i]),
		0);
}

static void agrees(struct wear_rate got, struct wear_rate want)
{
	assert_true(fabs(got.mean - want.mean) < 1e-5);
	assert_true(fabs(got.var - want.var) < 1e-6);
}

/* Whatever is told, in whatever order, again and again: what follows is what all last
 * words together say. */
static void test_all_at_once(void **state)
{
	struct kin k = {0};
	struct kin_word word[ALL] = {{0}};
	double value[ALL], var[ALL];
	for (int i = 0; i < ALL; i++)
		var[i] = INFINITY;
	for (uint64_t draw = 0; draw < 400; draw++) {
		int i = (int)(rng_uniform(1, 3 * draw) * ALL);
		value[i] = 0.5 * rng_normal(2, draw);
		var[i] = pow(10, -3 * rng_uniform(3, draw));
		tell(&k, i, word, value[i], var[i]);
	}
	for (int i = 0; i < ALL; i++)
		agrees(kin_rate(&k, &block, 1, (uint32_t)(i / UNITS), &word[i]),
			by_all(i, value, var));
	kin_release(&k);
}

static void test_nobody_has_told(void **state)
{
	struct kin k = {0};
	struct kin_word word[ALL] = {{0}};
	double population = block.rate_sigma * block.rate_sigma;
	agrees(kin_rate(&k, &block, 1, 0, &NOTHING), (struct wear_rate){0, population});
	/* What says nothing tells nothing. */
	tell(&k, 0, word, 1, 1e12);
	struct wear_rate parts = kin_rate(&k, &block, 1, 0, &NOTHING);
	assert_true(fabs(parts.mean) < 1e-6);
	/* Strings of another site have not heard, nor has a block of another model. */
	tell(&k, 0, word, 0.5, 1e-3);
	agrees(kin_rate(&k, &block, 1, 4, &NOTHING), (struct wear_rate){0, population});
	agrees(kin_rate(&k, &block, 2, 0, &NOTHING), (struct wear_rate){0, population});
	assert_true(kin_rate(&k, &block, 1, 0, &NOTHING).mean > 0.05);
	kin_release(&k);
}

/* The model does not split the rate's spread: every block is alone. */
static void test_no_kin(void **state)
{
	struct battery_model lone = block;
	struct kin k = {0};
	struct kin_word word = {0};
	lone.rate_sigma_string = lone.rate_sigma_site = 0;
	struct wear_rate before = kin_rate(&k, &lone, 1, 0, &word);
	assert_int_equal(kin_tell(&k, &lone, 1, 0, str_of("B0005"), before,
				 learned(before, 1, 1e-3), &word),
		0);
	agrees(kin_rate(&k, &lone, 1, 0, &NOTHING), before);
	assert_true(word.precision == 0);
	kin_release(&k);
}

/* A unit that is replaced has told, and its successor hears it. */
static void test_successor(void **state)
{
	struct kin k = {0};
	struct kin_word word[ALL] = {{0}};
	double value[ALL] = {[3] = 0.8}, var[ALL];
	for (int i = 0; i < ALL; i++)
		var[i] = i == 3 ? 1e-3 : INFINITY;
	tell(&k, 3, word, value[3], var[3]);
	word[3] = NOTHING;
	agrees(kin_rate(&k, &block, 1, 0, &word[3]), by_all(4, value, var));
	kin_release(&k);
}

static void test_kept(void **state)
{
	struct kin k = {0}, again = {0}, broken = {0};
	struct kin_word word[ALL] = {{0}};
	struct buf kept = {0}, twice = {0};
	for (int i = 0; i < ALL; i++)
		if (i / UNITS != 1)
			tell(&k, i, word, 0.3 * rng_normal(4, (uint64_t)i), 0.01);
	struct walk out = {.out = &kept};
	kin_walk(&out, &k, STRINGS);
	struct walk in = {.in = kept.data, .left = kept.len};
	kin_walk(&in, &again, STRINGS);
	assert_false(in.failed);
	assert_int_equal(in.left, 0);
	struct walk out2 = {.out = &twice};
	kin_walk(&out2, &again, STRINGS);
	assert_int_equal(kept.len, twice.len);
	assert_memory_equal(kept.data, twice.data, kept.len);
	struct walk cut = {.in = kept.data, .left = kept.len - 1};
	kin_walk(&cut, &broken, STRINGS);
	assert_true(cut.failed);
	buf_release(&kept);
	buf_release(&twice);
	kin_release(&k);
	kin_release(&again);
	kin_release(&broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_at_once),
		cmocka_unit_test(test_nobody_has_told),
		cmocka_unit_test(test_no_kin),
		cmocka_unit_test(test_successor),
		cmocka_unit_test(test_kept),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
