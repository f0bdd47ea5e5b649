/* Cross-fitting: nobody is foretold by trees that have seen his group. */
#include "learn/crossfit.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 480, COLS = 2 };

struct rows {
	float x[ROWS * COLS], lower[ROWS], upper[ROWS], margin[ROWS];
	uint8_t fold[ROWS];
};

static const struct booster_params PARAMS = {.rounds = 40,
	.patience = 1,
	.depth = 3,
	.min_rows = 1,
	.eta = 0.2,
	.scale = 0.3,
	.base = 400,
	.seed = 1,
	.columns = 1};

/* log time = 6 + x; the second column is the fold, so trees could know it. */
static void draw(struct rows *r, int folds)
{
	struct rng g = {1};
	for (int i = 0; i < ROWS; i++) {
		double u = rng_uniform(&g);
		r->fold[i] = (uint8_t)(i % folds);
		r->x[i * COLS] = (float)u;
		r->x[i * COLS + 1] = (float)r->fold[i];
		r->lower[i] = r->upper[i] = (float)exp(6 + u + 0.05 * rng_normal(&g));
	}
}

static void tell(void *arg, int done, int of)
{
	int *told = arg;
	assert_int_equal(done, ++*told);
	assert_true(done <= of);
}

static void run(struct rows *r)
{
	int told = 0;
	const struct booster_data d = {r->x, r->lower, r->upper, ROWS, COLS};
	assert_int_equal(
		crossfit(&d, r->fold, &PARAMS, r->margin, tell, &told, NULL), 0);
}

static void test_own_labels_do_not_matter(void **state)
{
	static struct rows a, b;
	int others = 0;
	draw(&a, CROSSFIT_FOLDS);
	b = a;
	/* all that is known of fold 3 is changed beyond recognition */
	for (int i = 0; i < ROWS; i++)
		if (b.fold[i] == 3)
			b.lower[i] = b.upper[i] = 20;
	run(&a);
	run(&b);
	for (int i = 0; i < ROWS; i++) {
		if (a.fold[i] == 3)
			assert_true(a.margin[i] == b.margin[i]);
		else
			others += a.margin[i] != b.margin[i];
	}
	assert_true(others > ROWS / 2);
}

static void test_foretells_the_law(void **state)
{
	static struct rows r;
	double sum = 0;
	draw(&r, 3); /* some folds are empty */
	run(&r);
	for (int i = 0; i < ROWS; i++)
		sum += fabs((double)r.margin[i] - 6 - (double)r.x[i * COLS]);
	assert_true(sum / ROWS < 0.08);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_labels_do_not_matter),
		cmocka_unit_test(test_foretells_the_law),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
