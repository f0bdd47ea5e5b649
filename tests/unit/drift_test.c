/* Reference histograms, and how far a fleet has moved away from them. */
#include "learn/histogram.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { N = 1000 };

static void test_deciles_of_distinct_values(void **state)
{
	float v[N];
	struct histogram h;
	for (int i = 0; i < N; i++)
		v[i] = (float)((i * 7) % N);
	histogram_of(v, N, &h);
	assert_int_equal(h.n, 10);
	for (int i = 0; i < 10; i++)
		assert_true(fabs((double)h.share[i] - 0.1) < 1e-6);
	for (int i = 0; i < 9; i++)
		assert_true(h.edge[i] == (float)(100 * (i + 1)));
	assert_int_equal(histogram_bin(&h, -5), 0);
	assert_int_equal(histogram_bin(&h, 99.5f), 0);
	assert_int_equal(histogram_bin(&h, 100), 1);
	assert_int_equal(histogram_bin(&h, 1e9f), 9);
}

/* Mostly nothing, as counts of events are: equal values are not torn apart. */
static void test_ties_share_a_bin(void **state)
{
	float v[N];
	struct histogram h;
	for (int i = 0; i < N; i++)
		v[i] = i < 850 ? 0 : (float)(i - 849);
	histogram_of(v, N, &h);
	assert_int_equal(h.n, 2);
	assert_true(h.edge[0] == 51);
	assert_true(fabs((double)h.share[0] - 0.9) < 1e-6);
	for (int i = 0; i < N; i++)
		v[i] = 3;
	histogram_of(v, N, &h);
	assert_int_equal(h.n, 1);
	assert_true(h.share[0] == 1);
	histogram_of(v, 0, &h);
	assert_int_equal(h.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deciles_of_distinct_values),
		cmocka_unit_test(test_ties_share_a_bin),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
