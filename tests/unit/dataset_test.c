/* The join of features and truth, and the bound on rows. */
#include "learn/dataset.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int feature(struct dataset *d, const char *code, int unit, int64_t ts, float v)
{
	struct rec_feature r;
	record_clear(kind_info(KIND_feature), &r);
	r.ts = ts;
	r.battery = str_of(code);
	r.unit = unit;
	r.window_h = 24;
	r.v_mean_v = v;
	r.age_days = 100;
	r.coverage = 1;
	return dataset_feature(d, &r, NULL);
}

static int truth(struct dataset *d, const char *code, int unit, int64_t ts, double rul,
	int censored)
{
	struct rec_truth r;
	record_clear(kind_info(KIND_truth), &r);
	r.ts = ts;
	r.battery = str_of(code);
	r.unit = unit;
	r.rul_days = rul;
	r.censored = censored;
	return dataset_truth(d, &r, NULL);
}

#define D(days) ((int64_t)((days) * (double)DAY_MS))

static void test_nearest_truth_before_or_after(void **state)
{
	struct dataset d;
	dataset_init(&d, 100, DAY_MS);
	/* truth half a day before and a quarter after: the quarter wins, moved to ts */
	truth(&d, "A", 0, D(9.5), 77, 1);
	feature(&d, "A", 0, D(10), 13.6f);
	truth(&d, "A", 0, D(10.25), 50, 0);
	truth(&d, "A", 0, D(10.5), 11, 1);
	assert_int_equal(dataset_finish(&d, NULL), 0);
	assert_int_equal(d.n, 1);
	assert_true(fabs(d.rows[0].rul_days - 50.25) < 1e-9);
	assert_false(d.rows[0].censored);
	dataset_release(&d);
}

static void test_truth_too_far_or_of_another_unit(void **state)
{
	struct dataset d;
	dataset_init(&d, 100, DAY_MS);
	feature(&d, "A", 0, D(10), 13.6f);
	truth(&d, "A", 0, D(11.5), 50, 0);
	feature(&d, "B", 0, D(10), 13.6f);
	truth(&d, "B", 1, D(10), 50, 0);
	feature(&d, "C", 1, D(10), 13.6f);
	truth(&d, "C", 1, D(10), NAN, 0);
	assert_int_equal(dataset_finish(&d, NULL), 0);
	assert_int_equal(d.n, 0);
	assert_int_equal(d.unlabelled, 3);
	assert_int_equal(d.batteries.n, 0);
	dataset_release(&d);
}

static void test_one_row_per_period(void **state)
{
	struct dataset d;
	dataset_init(&d, 100, DAY_MS);
	for (int h = 0; h < 72; h++) {
		feature(&d, "A", 0, h * HOUR_MS, (float)h);
		truth(&d, "A", 0, h * HOUR_MS, 1000 - h / 24.0, 0);
	}
	assert_int_equal(dataset_finish(&d, NULL), 0);
	assert_int_equal(d.n, 3);
	assert_int_equal(d.thinned, 69);
	assert_true(dataset_x(&d, 1)[0] == 24);
	dataset_release(&d);
}

static void test_rows_are_bounded(void **state)
{
	struct dataset d;
	char code[] = "A00";
	dataset_init(&d, 120, DAY_MS);
	for (int day = 0; day < 200; day++)
		for (int b = 0; b < 20; b++) {
			code[1] = (char)('0' + b / 10);
			code[2] = (char)('0' + b % 10);
			feature(&d, code, 0, D(day), (float)(day * 100 + b));
			truth(&d, code, 0, D(day), 1000 - day, 0);
			assert_true(d.n <= 120);
		}
	assert_int_equal(dataset_finish(&d, NULL), 0);
	assert_int_equal(d.batteries.n, 20);
	assert_int_equal(d.no_room, 0);
	/* Every battery has kept as much as the others, and labels moved with rows. */
	int rows[20] = {0};
	for (size_t i = 0; i < d.n; i++) {
		float v = dataset_x(&d, i)[0];
		int day = (int)v / 100, b = (int)v % 100;
		rows[d.rows[i].battery]++;
		assert_int_equal(d.rows[i].ts, D(day));
		assert_true(fabs(d.rows[i].rul_days - (1000 - day)) < 1e-9);
		assert_int_equal(
			atoi(ids_name(&d.batteries, d.rows[i].battery) + 1), b);
	}
	for (int b = 1; b < 20; b++)
		assert_true(abs(rows[b] - rows[0]) <= 1);
	assert_true(rows[0] >= 3);
	dataset_release(&d);
}

static void test_more_batteries_than_rows(void **state)
{
	struct dataset d;
	char code[] = "A00";
	dataset_init(&d, 10, DAY_MS);
	for (int b = 0; b < 30; b++) {
		code[1] = (char)('0' + b / 10);
		code[2] = (char)('0' + b % 10);
		assert_int_equal(feature(&d, code, 0, D(1), 1), 0);
	}
	assert_int_equal(d.n, 10);
	assert_int_equal(d.no_room, 20);
	dataset_release(&d);
}

static void test_replacement_starts_anew(void **state)
{
	struct dataset d;
	dataset_init(&d, 100, DAY_MS);
	feature(&d, "A", 0, D(10), 1);
	truth(&d, "A", 0, D(10), 2, 0);
	feature(&d, "A", 1, D(10.1), 2);
	truth(&d, "A", 1, D(10.1), 2000, 1);
	assert_int_equal(dataset_finish(&d, NULL), 0);
	assert_int_equal(d.n, 2);
	assert_true(d.rows[0].rul_days == 2 && !d.rows[0].censored);
	assert_true(d.rows[1].rul_days == 2000 && d.rows[1].censored);
	dataset_release(&d);
}

static void test_dead_and_empty_rows(void **state)
{
	struct dataset d;
	struct rec_feature r;
	dataset_init(&d, 100, DAY_MS);
	for (int day = 0; day < 10; day++) {
		feature(&d, "A", 0, D(day), 1);
		truth(&d, "A", 0, D(day), fmax(4.5 - day, 0), 0);
	}
	record_clear(kind_info(KIND_feature), &r);
	r.ts = D(20);
	r.battery = str_of("A");
	r.unit = 0;
	r.coverage = 0.4f;
	assert_int_equal(dataset_feature(&d, &r, NULL), 0);
	assert_int_equal(dataset_finish(&d, NULL), 0);
	assert_int_equal(d.uncovered, 1);
	assert_int_equal(d.past_end, 4);
	assert_int_equal(d.n, 6); /* five alive, the first of five dead */
	dataset_release(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest_truth_before_or_after),
		cmocka_unit_test(test_truth_too_far_or_of_another_unit),
		cmocka_unit_test(test_one_row_per_period),
		cmocka_unit_test(test_rows_are_bounded),
		cmocka_unit_test(test_more_batteries_than_rows),
		cmocka_unit_test(test_replacement_starts_anew),
		cmocka_unit_test(test_dead_and_empty_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
