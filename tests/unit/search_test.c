/* The search for hyperparameters, on data that one set of them suits best. */
#include "learn/search.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROWS = 400, COLS = 2 };

struct rows {
	float x[ROWS * COLS], lower[ROWS], upper[ROWS];
};

/* log time = 6 + sin(x): a stump cannot follow it. A third are censored. */
static struct booster_data draw_rows(struct rows *r, uint64_t seed)
{
	struct rng g = {seed};
	for (int i = 0; i < ROWS; i++) {
		double u = 6 * rng_uniform(&g);
		double t = exp(6 + sin(u) + 0.05 * rng_normal(&g));
		bool cut = i % 3 == 0;
		r->x[i * COLS] = (float)u;
		r->x[i * COLS + 1] = (float)rng_normal(&g);
		r->lower[i] = (float)(cut ? 0.7 * t : t);
		r->upper[i] = cut ? INFINITY : (float)t;
	}
	return (struct booster_data){r->x, r->lower, r->upper, ROWS, COLS};
}

static const struct booster_params POOR = {.rounds = 3,
	.patience = 3,
	.depth = 1,
	.min_rows = 1,
	.eta = 0.05,
	.scale = 1,
	.base = 400,
	.seed = 7,
	.columns = 1};

struct told {
	int calls;
	double least;
};

static void tell(void *arg, int done, int of, double error, double best)
{
	struct told *t = arg;
	t->calls++;
	assert_int_equal(done, t->calls);
	assert_int_equal(of, 6);
	t->least = done == 1 ? error : fmin(t->least, error);
	assert_true(best == t->least);
}

static void test_keeps_the_best(void **state)
{
	static struct rows a, b;
	struct booster_data train = draw_rows(&a, 1), valid = draw_rows(&b, 2);
	struct told told = {0};
	struct search s = {6, POOR, tell, &told};
	struct search_result one, six;
	s.trials = 6;
	struct booster *best = search_run(&s, &train, &valid, &six, NULL);
	assert_non_null(best);
	assert_int_equal(told.calls, 6);
	assert_true(six.fit.score == told.least);
	booster_free(best);
	s.trials = 1;
	s.progress = NULL;
	booster_free(search_run(&s, &train, &valid, &one, NULL));
	assert_int_equal(one.trial, 0);
	assert_true(one.params.depth == 1);
	/* what was drawn is better than what was handed in, which cannot learn */
	assert_true(six.trial > 0);
	assert_true(six.fit.score < one.fit.score);
	assert_true(six.params.depth >= 3 && six.params.depth <= 5);
	assert_true(six.params.rounds == POOR.rounds);
}

static void test_same_seed_same_draws(void **state)
{
	static struct rows a, b;
	struct booster_data train = draw_rows(&a, 3), valid = draw_rows(&b, 4);
	struct search s = {4, POOR, NULL, NULL};
	struct search_result r[3];
	for (int i = 0; i < 3; i++) {
		s.first.seed = i == 2 ? 8 : 7;
		booster_free(search_run(&s, &train, &valid, &r[i], NULL));
	}
	assert_true(r[0].fit.score == r[1].fit.score);
	assert_true(r[0].params.scale == r[1].params.scale);
	assert_true(r[0].params.eta != r[2].params.eta || r[0].trial == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keeps_the_best),
		cmocka_unit_test(test_same_seed_same_draws),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
