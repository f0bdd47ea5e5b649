/* What the checks count by: sums, correlations, findings, verdicts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "near.h"
#include "report/fleet.h"

static void sums_are_those_of_gsl(void **state)
{
	enum { N = 1000 };
	double x[N], y[N];
	struct sums s = {0};
	struct pair_sums p = {0};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	for (int i = 0; i < N; i++) {
		x[i] = 13 + gsl_rng_uniform(rng);
		y[i] = 2 * x[i] + 3 * gsl_rng_uniform(rng);
		sums_add(&s, x[i]);
		pair_add(&p, x[i], y[i]);
	}
	sums_add(&s, NAN);
	pair_add(&p, 1, NAN);
	near(sums_mean(&s), gsl_stats_mean(x, 1, N), 1e-12);
	near(sums_sd(&s), gsl_stats_sd(x, 1, N), 1e-9);
	near(pair_correlation(&p), gsl_stats_correlation(x, 1, y, 1, N), 1e-9);
	gsl_rng_free(rng);
}

static void too_little_is_no_number(void **state)
{
	struct sums s = {0};
	struct pair_sums p = {0};
	assert_true(isnan(sums_mean(&s)));
	sums_add(&s, 5);
	assert_true(isnan(sums_sd(&s)));
	for (int i = 0; i < 50; i++)
		pair_add(&p, 13.65, i);
	assert_true(isnan(pair_correlation(&p)));
}

static struct quality *new_quality(void)
{
	struct quality *q = calloc(1, sizeof(*q));
	assert_non_null(q);
	return q;
}

static void findings_are_counted_and_the_first_kept(void **state)
{
	struct quality *q = new_quality();
	for (int i = 1; i <= 100; i++)
		finding(q, CHECK_ROWS, "a.csv", i, "row %d\033[2J", i);
	const struct check *c = &q->checks[CHECK_ROWS];
	assert_int_equal(c->found, 100);
	assert_int_equal(c->noffenders, OFFENDERS_MAX);
	assert_string_equal(c->first[0].file, "a.csv");
	assert_int_equal(c->first[0].line, 1);
	assert_string_equal(c->first[4].what, "row 5?[2J");
	free(q);
}

static void shares_make_verdicts(void **state)
{
	static const struct {
		int64_t checked, found;
		enum verdict verdict;
	} cases[] = {{0, 0, VERDICT_PASS}, {1000, 0, VERDICT_PASS},
		{1000, 20, VERDICT_PASS}, {1000, 21, VERDICT_WARN},
		{1000, 100, VERDICT_WARN}, {1000, 101, VERDICT_FAIL}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct quality *q = new_quality();
		q->checks[CHECK_GAPS].checked = cases[i].checked;
		q->checks[CHECK_GAPS].found = cases[i].found;
		finding_by_share(q, CHECK_GAPS, 0.02, 0.1);
		assert_int_equal(q->checks[CHECK_GAPS].verdict, cases[i].verdict);
		assert_int_equal(quality_verdict(q), cases[i].verdict);
		free(q);
	}
}

static void what_is_open_does_not_count(void **state)
{
	struct quality *q = new_quality();
	finding_raise(q, CHECK_TESTS, VERDICT_OPEN);
	assert_int_equal(quality_verdict(q), VERDICT_PASS);
	finding_raise(q, CHECK_SOH, VERDICT_WARN);
	finding_raise(q, CHECK_SOH, VERDICT_PASS);
	assert_int_equal(quality_verdict(q), VERDICT_WARN);
	free(q);
}

/* Whatever the findings say, the report is JSON. */
static void the_report_is_json(void **state)
{
	struct quality *q = new_quality();
	struct buf out = {0};
	finding(q, CHECK_CELLS, "\"odd\\name\".csv", 3, "'\"\t\xff\\'");
	finding_raise(q, CHECK_CELLS, VERDICT_FAIL);
	finding_sum(q, CHECK_CELLS, "\"%d\"", 7);
	quality_json(q, &out);
	json_error_t why;
	json_t *j = json_loadb((const char *)out.data, out.len, 0, &why);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "verdict")), "fail");
	assert_int_equal(json_array_size(json_object_get(j, "checks")), CHECKS);
	json_decref(j);
	buf_release(&out);
	free(q);
}

static void every_check_has_a_name_of_its_own(void **state)
{
	for (enum check_id a = 0; a < CHECKS; a++) {
		assert_non_null(check_title(a));
		for (enum check_id b = 0; b < a; b++)
			assert_string_not_equal(check_name(a), check_name(b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_gsl),
		cmocka_unit_test(too_little_is_no_number),
		cmocka_unit_test(findings_are_counted_and_the_first_kept),
		cmocka_unit_test(shares_make_verdicts),
		cmocka_unit_test(what_is_open_does_not_count),
		cmocka_unit_test(the_report_is_json),
		cmocka_unit_test(every_check_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
