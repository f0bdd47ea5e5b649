/* The weight of the model beside the twin, by evidence. */
#include "learn/weights.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 3000 };

/* Life as foretold by the model with an error of 'a' of it, by the twin with one of
 * 'b'. */
static void draw(
	struct weights_case *c, double days, double a, double b, uint32_t first)
{
	struct rng r = {first + 1};
	for (uint32_t i = 0; i < N; i++) {
		double t = days * (1 + 0.1 * rng_uniform(&r));
		c[i] = (struct weights_case){t * (1 + a * rng_normal(&r)),
			t * (1 + b * rng_normal(&r)), t, first + i / 10};
	}
}

static void test_by_horizon(void **state)
{
	static struct weights_case c[3 * N];
	struct weights w;
	draw(c, 45, 0.1, 1e-9, 0);            /* the twin knows */
	draw(c + N, 200, 1e-9, 0.2, 1000);    /* the model knows */
	draw(c + 2 * N, 900, 0.1, 0.1, 2000); /* both alike, and apart */
	assert_int_equal(weights_learn(c, sizeof(c) / sizeof(*c), &w, NULL), 0);
	assert_true(w.known);
	assert_true(weights_of(&w, 45) == 0);
	assert_true(weights_of(&w, 200) == 1);
	assert_true(fabs(weights_of(&w, 900) - 0.5) < 0.051);
	assert_true(weights_of(&w, 89.9) == 0 && weights_of(&w, 90) == 1);
	for (int i = 0; i < WEIGHTS_ROWS; i++) {
		assert_true(w.row[i].fused <= w.row[i].learned);
		assert_true(w.row[i].fused <= w.row[i].twin);
		assert_int_equal(w.row[i].batteries, N / 10);
	}
	/* by the variances the error of the mean of two alike is 1/sqrt 2 of theirs */
	assert_true(fabs(w.row[2].fused / w.row[2].twin - M_SQRT1_2) < 0.05);
}

/* Too few batteries near their end: their weight is that of all. */
static void test_few(void **state)
{
	static struct weights_case c[N + 3];
	struct weights w;
	draw(c, 900, 1e-9, 0.1, 0);
	for (uint32_t i = 0; i < 3; i++)
		c[N + i] = (struct weights_case){50, 40, 40, 5000 + i};
	assert_int_equal(weights_learn(c, N + 3, &w, NULL), 0);
	assert_true(weights_of(&w, 50) == 1);
	assert_int_equal(w.row[0].batteries, 3);
	assert_true(fabs(w.row[0].learned - 10) < 1e-9);
	assert_true(isnan(w.row[1].twin));
}

static void test_nothing_known(void **state)
{
	struct weights w;
	assert_int_equal(weights_learn(NULL, 0, &w, NULL), 0);
	assert_false(w.known);
	assert_true(isnan(weights_of(&w, 100)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_horizon),
		cmocka_unit_test(test_few),
		cmocka_unit_test(test_nothing_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
