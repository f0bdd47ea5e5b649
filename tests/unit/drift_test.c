/* Reference histograms, and how far a fleet has moved away from them. */
#include "learn/drift_alert.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* A model of one feature whose values were standard normal, learned of m batteries. */
static void model_of(struct model *m, size_t batteries, uint64_t seed)
{
	static float v[20000];
	struct rng r = {seed};
	size_t n = batteries < 20000 ? batteries : 20000;
	for (size_t i = 0; i < n; i++)
		v[i] = (float)rng_normal(&r);
	*m = (struct model){.id = "aft-test",
		.nfeatures = 1,
		.train_batteries = batteries,
		.train_strings = batteries};
	strcpy(m->feature[0].name, "t_mean_c");
	m->feature[0].present = 1;
	histogram_of(v, n, &m->feature[0].reference);
}

/* A row of a battery of that string. */
static int count(struct drift *d, uint32_t battery, uint32_t string, float x)
{
	char code[64];
	snprintf(code, sizeof(code), "DC-A-UPS-01-S%u-J%u", string, battery);
	return drift_count(d, battery, str_of(code), &x, NULL);
}

/* The figure of n batteries whose values are 'shift' off. */
static struct drift_figure seen(
	const struct model *m, uint32_t n, double shift, uint64_t seed)
{
	struct drift *d = drift_new(m, DAY_MS, NULL);
	struct rng r = {seed};
	struct drift_figure f;
	drift_begin(d, 0);
	for (uint32_t b = 0; b < n; b++) {
		float x = (float)(rng_normal(&r) + shift);
		assert_int_equal(count(d, b, b, x), 0);
	}
	assert_int_equal(drift_batteries(d), n);
	drift_judge(d, &f);
	drift_free(d);
	return f;
}

/* Of two normals a shift apart the symmetric divergence is the square of it; ten bins
 * see a little less. */
static void test_psi_of_a_known_shift(void **state)
{
	struct model m;
	model_of(&m, 20000, 1);
	assert_true(seen(&m, 20000, 0, 2).psi < 0.005);
	double half = seen(&m, 20000, 0.5, 3).psi, one = seen(&m, 20000, 1, 4).psi;
	assert_true(half > 0.21 && half < 0.25);
	assert_true(one > 0.8 && one < 1);
	/* a bin by hand: nothing is missing, all in the first tenth; m, n so large that
	 * the half battery added is of no account but in the empty bins */
	struct drift *d = drift_new(&m, DAY_MS, NULL);
	struct drift_figure f;
	drift_begin(d, 0);
	for (uint32_t b = 0; b < 20000; b++) {
		float x = -9;
		assert_int_equal(count(d, b, b, x), 0);
	}
	drift_judge(d, &f);
	double a = 0.5 / 20005.5, e = 2000.5 / 20005.5;
	double want = (20000.5 / 20005.5 - e) * log(20000.5 / 20005.5 / e) +
		      9 * (a - e) * log(a / e);
	assert_true(fabs(f.psi - want) < 1e-3);
	drift_free(d);
}

/* What chance gives: the limit is passed as seldom as it says, however few there are,
 * and a fleet of a dozen may look like anything. */
static void test_limit_knows_the_sample(void **state)
{
	static const uint32_t sizes[] = {12, 50, 200, 1000};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		int over = 0;
		for (uint64_t k = 0; k < 300; k++) {
			struct model m;
			model_of(&m, 1000, 1000 + k);
			struct drift_figure f = seen(&m, sizes[i], 0, 5000 + k);
			over += drifted(&f);
		}
		/* one in a thousand, of 300: three is beyond all chance */
		assert_true(over <= 2);
	}
	struct model m;
	model_of(&m, 1000, 1);
	struct drift_figure few = seen(&m, 12, 0, 2), many = seen(&m, 1000, 0, 2);
	assert_true(few.limit > 2 && many.limit == DRIFT_PSI_LEAST);
	/* and a real shift is seen */
	few = seen(&m, 200, 1, 3);
	assert_true(drifted(&few));
}

/* Twenty batteries a string that share its value are worth one; that differ among
 * themselves as much as any, twenty. */
static void test_batteries_of_a_string_are_alike(void **state)
{
	struct model m;
	struct rng r = {9};
	struct drift_figure alike, own;
	model_of(&m, 1000, 1);
	struct drift *d = drift_new(&m, DAY_MS, NULL);
	drift_begin(d, 0);
	for (uint32_t s = 0; s < 20; s++) {
		float x = (float)rng_normal(&r);
		for (uint32_t b = 0; b < 20; b++)
			assert_int_equal(count(d, 20 * s + b, s, x), 0);
	}
	drift_judge(d, &alike);
	drift_begin(d, DAY_MS);
	for (uint32_t b = 0; b < 400; b++)
		assert_int_equal(count(d, b, b / 20, (float)rng_normal(&r)), 0);
	drift_judge(d, &own);
	/* chi-square of 10 degrees at 0.001 is 29.59: times 1/20 + 1/1000, and 1/400 +
	 * 1/1000, which is under the least limit */
	assert_true(fabs(alike.limit - 29.59 * 0.051) < 0.02);
	assert_true(own.limit == DRIFT_PSI_LEAST && own.psi < 0.2);
	assert_false(drifted(&alike));
	/* one string cannot tell how strings differ */
	drift_begin(d, 2 * DAY_MS);
	for (uint32_t b = 0; b < 20; b++)
		assert_int_equal(count(d, b, 0, (float)rng_normal(&r)), 0);
	drift_judge(d, &own);
	assert_true(own.limit > 29);
	drift_free(d);
}

static void test_missing_is_a_bin(void **state)
{
	struct model m;
	float gone = NAN;
	struct drift_figure f;
	model_of(&m, 1000, 1);
	struct drift *d = drift_new(&m, DAY_MS, NULL);
	drift_begin(d, 0);
	for (uint32_t b = 0; b < 500; b++)
		assert_int_equal(count(d, b, b, gone), 0);
	drift_judge(d, &f);
	assert_true(drifted(&f));
	/* the calendar, and a model without a reference, are not judged */
	strcpy(m.feature[0].name, "season_sin");
	drift_judge(d, &f);
	assert_true(isnan(f.psi) && !drifted(&f));
	strcpy(m.feature[0].name, "t_mean_c");
	m.feature[0].reference.n = 0;
	drift_judge(d, &f);
	assert_true(isnan(f.psi));
	drift_free(d);
}

/* Rows of one battery are one battery's. */
static void test_counts_batteries_and_periods(void **state)
{
	struct model m;
	float x = 0;
	model_of(&m, 1000, 1);
	struct drift *d = drift_new(&m, 7 * DAY_MS, NULL);
	assert_false(drift_period_over(d, 0));
	drift_begin(d, 10 * DAY_MS);
	for (int i = 0; i < 50; i++)
		assert_int_equal(count(d, 1000, 0, x), 0);
	assert_int_equal(drift_batteries(d), 1);
	assert_true(drift_until(d) == 14 * DAY_MS);
	assert_false(drift_period_over(d, 14 * DAY_MS - 1));
	assert_true(drift_period_over(d, 14 * DAY_MS));
	drift_begin(d, 14 * DAY_MS);
	assert_int_equal(drift_batteries(d), 0);
	assert_int_equal(count(d, 1000, 0, x), 0);
	assert_int_equal(drift_batteries(d), 1);
	drift_free(d);
}

static void test_one_alert_for_as_long_as_it_lasts(void **state)
{
	struct model m;
	struct drift_alert a = {0};
	struct rec_alert r;
	struct drift_figure calm = {"t_mean_c", 0.1, 0.25},
			    off = {"t_mean_c", 0.6, 0.3};
	char id[CODE_MAX + 1];
	model_of(&m, 1000, 1);
	assert_false(drift_alert_next(&a, &m, &calm, 100, DAY_MS, &r));
	assert_true(drift_alert_next(&a, &m, &off, 100, 2 * DAY_MS, &r));
	assert_int_equal(r.state, alert_state_firing);
	assert_true(r.since_ts == 2 * DAY_MS && r.value == 0.6 && r.threshold == 0.3);
	assert_non_null(strstr(a.text, "t_mean_c (PSI 0.60, limit 0.30)"));
	str_copy(id, sizeof(id), r.alert_id);
	assert_true(drift_alert_next(&a, &m, &off, 100, 3 * DAY_MS, &r));
	assert_true(str_is(r.alert_id, id) && r.since_ts == 2 * DAY_MS);
	assert_true(drift_alert_next(&a, &m, &calm, 100, 4 * DAY_MS, &r));
	assert_int_equal(r.state, alert_state_resolved);
	assert_true(str_is(r.alert_id, id) && r.resolved_ts == 4 * DAY_MS);
	assert_false(drift_alert_next(&a, &m, &calm, 100, 5 * DAY_MS, &r));
	assert_false(drift_alert_withdraw(&a, &m, 5 * DAY_MS, &r));
	assert_true(drift_alert_next(&a, &m, &off, 100, 6 * DAY_MS, &r));
	assert_false(str_is(r.alert_id, id));
	assert_true(drift_alert_withdraw(&a, &m, 7 * DAY_MS, &r));
	assert_int_equal(r.state, alert_state_resolved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deciles_of_distinct_values),
		cmocka_unit_test(test_ties_share_a_bin),
		cmocka_unit_test(test_psi_of_a_known_shift),
		cmocka_unit_test(test_limit_knows_the_sample),
		cmocka_unit_test(test_batteries_of_a_string_are_alike),
		cmocka_unit_test(test_missing_is_a_bin),
		cmocka_unit_test(test_counts_batteries_and_periods),
		cmocka_unit_test(test_one_alert_for_as_long_as_it_lasts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
