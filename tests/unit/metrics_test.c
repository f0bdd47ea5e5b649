/* Metrics against hand-computed values and brute force. */
#include "learn/metrics.h"
#include "learn/weibull.h"

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

static void test_by_hand(void **state)
{
	/* errors: +10, -20, +30; actuals 100, 200, 300; the censored row plays no part
	 */
	const struct outcome o[] = {{110, 90, 130, 100, false, 0},
		{180, 190, 220, 200, false, 1}, {330, 310, 350, 300, false, 1},
		{999, 0, 1, 50, true, 2}};
	struct metrics m;
	assert_int_equal(metrics_compute(o, 4, &m, NULL), 0);
	assert_int_equal(m.rows, 3);
	assert_int_equal(m.batteries, 2);
	near(m.mae, 20);
	near(m.rmse, sqrt(1400.0 / 3));
	near(m.r2, 1 - 1400.0 / 20000);
	near(m.median_relative_error, 0.1);
	/* battery 0: 1 of 1 inside; battery 1: 1 of 2 */
	near(m.picp, 0.75);
	near(m.picp_error, sqrt(0.75 * 0.25 / 2));
	near(m.pinaw, (40 + 30 + 40) / 3.0 / 200);
}

static void test_nothing_seen(void **state)
{
	const struct outcome o[] = {{1, 0, 2, 1, true, 0}};
	struct metrics m;
	assert_int_equal(metrics_compute(o, 1, &m, NULL), 0);
	assert_int_equal(m.rows, 0);
	assert_true(isnan(m.mae) && isnan(m.picp));
}

static double brute_force(const struct outcome *o, size_t n)
{
	double pairs = 0, agree = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			bool shorter = o[i].actual < o[j].actual ||
				       (o[i].actual == o[j].actual && o[j].censored);
			if (i == j || o[i].censored || !shorter)
				continue;
			pairs++;
			agree += o[i].predicted < o[j].predicted    ? 1
				 : o[i].predicted == o[j].predicted ? 0.5
								    : 0;
		}
	return agree / pairs;
}

static void test_concordance_is_brute_force(void **state)
{
	struct rng r = {7};
	struct outcome o[300];
	for (int k = 0; k < 20; k++) {
		double c;
		/* Coarse values, so that there are ties of both sorts. */
		for (int i = 0; i < 300; i++) {
			o[i].actual = floor(40 * rng_uniform(&r));
			o[i].predicted = floor(o[i].actual / 4 + 5 * rng_normal(&r));
			o[i].censored = rng_uniform(&r) < 0.4;
		}
		assert_int_equal(concordance(o, 300, &c, NULL), 0);
		near(c, brute_force(o, 300));
	}
}

static void test_concordance_extremes(void **state)
{
	struct outcome o[] = {
		{1, 0, 0, 1, false, 0}, {2, 0, 0, 2, false, 1}, {3, 0, 0, 3, true, 2}};
	double c;
	assert_int_equal(concordance(o, 3, &c, NULL), 0);
	near(c, 1);
	o[0].predicted = 9;
	assert_int_equal(concordance(o, 3, &c, NULL), 0);
	near(c, 1.0 / 3);
	assert_int_equal(concordance(o + 2, 1, &c, NULL), 0);
	assert_true(isnan(c));
}

/* Draws from a known law, truncated and censored as a fleet is. */
static void test_weibull_recovers_its_law(void **state)
{
	struct rng r = {11};
	enum { N = 4000 };
	static struct lifetime l[N];
	struct weibull w;
	for (int i = 0; i < N;) {
		double t = 2400 * pow(-log(rng_uniform(&r)), 1 / 4.0);
		double entry = 2000 * rng_uniform(&r), last = entry + 900;
		if (t <= entry)
			continue; /* never seen */
		l[i++] = (struct lifetime){entry, fmin(t, last), t > last};
	}
	assert_int_equal(weibull_fit(l, N, &w, NULL), 0);
	assert_true(fabs(w.shape - 4) < 0.25);
	assert_true(fabs(w.scale_days - 2400) < 60);
}

static void test_weibull_median(void **state)
{
	const struct weibull w = {4, 2400};
	double age = 1000, t = weibull_median_residual(&w, age);
	/* S(age + t) / S(age) = 1/2 by definition */
	near(exp(pow(age / 2400, 4) - pow((age + t) / 2400, 4)), 0.5);
	/* shape 1 forgets age: always scale · ln 2 */
	const struct weibull e = {1, 100};
	near(weibull_median_residual(&e, 777), 100 * M_LN2);
}

static void test_weibull_needs_an_end(void **state)
{
	const struct lifetime l[] = {{0, 10, true}};
	struct weibull w;
	struct err err = {0};
	assert_int_equal(weibull_fit(l, 1, &w, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_hand),
		cmocka_unit_test(test_nothing_seen),
		cmocka_unit_test(test_concordance_is_brute_force),
		cmocka_unit_test(test_concordance_extremes),
		cmocka_unit_test(test_weibull_recovers_its_law),
		cmocka_unit_test(test_weibull_median),
		cmocka_unit_test(test_weibull_needs_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
