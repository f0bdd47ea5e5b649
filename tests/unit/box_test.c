/* Box plots, and the months they are of. */
#include "base/timefmt.h"
#include "report/box.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_quartiles(void **state)
{
	const double v[] = {1, 2, 3, 4, 5};
	struct box b = box_of(v, 5);
	assert_float_equal(b.q1, 2, 1e-12);
	assert_float_equal(b.median, 3, 1e-12);
	assert_float_equal(b.q3, 4, 1e-12);
	assert_float_equal(b.low, 1, 1e-12);
	assert_float_equal(b.high, 5, 1e-12);
	assert_float_equal(b.mean, 3, 1e-12);
}

static void test_one_value_is_its_own_box(void **state)
{
	const double v[] = {7};
	struct box b = box_of(v, 1);
	assert_float_equal(b.low, 7, 0);
	assert_float_equal(b.median, 7, 0);
	assert_float_equal(b.high, 7, 0);
	assert_false(box_outlier(&b, 7));
}

static void test_outliers_lie_beyond_the_whiskers(void **state)
{
	const double v[] = {-50, 10, 11, 12, 13, 14, 15, 99};
	struct box b = box_of(v, 8);
	assert_float_equal(b.low, 10, 1e-12);
	assert_float_equal(b.high, 15, 1e-12);
	assert_true(box_outlier(&b, -50));
	assert_true(box_outlier(&b, 99));
	assert_false(box_outlier(&b, 15));
}

static int64_t at(const char *iso)
{
	int64_t t;
	assert_int_equal(time_parse_iso(str_of(iso), 0, &t), 0);
	return t;
}

static void test_months_before_and_after(void **state)
{
	int64_t t = at("2026-01-31T23:59:59Z");
	assert_int_equal(time_month(t, 0), at("2026-01-01"));
	assert_int_equal(time_month(t, 1), at("2026-02-01"));
	assert_int_equal(time_month(t, -1), at("2025-12-01"));
	assert_int_equal(time_month(t, 23), at("2027-12-01"));
	assert_int_equal(time_month(t, -13), at("2024-12-01"));
	assert_int_equal(time_month(at("1969-07-20"), 0), at("1969-07-01"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quartiles),
		cmocka_unit_test(test_one_value_is_its_own_box),
		cmocka_unit_test(test_outliers_lie_beyond_the_whiskers),
		cmocka_unit_test(test_months_before_and_after),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
