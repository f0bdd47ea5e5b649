/* The twin's word: each half lasts two days, and is told as the features' names say. */
#include "learn/features.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define D(days) ((int64_t)((days) * (double)DAY_MS))

static struct rec_rul estimate(int64_t ts)
{
	struct rec_rul r;
	record_clear(kind_info(KIND_rul), &r);
	r.ts = ts;
	r.rul_days = 500;
	r.lower_days = 400;
	r.upper_days = 600;
	return r;
}

static struct rec_twin_state believed(int64_t ts)
{
	struct rec_twin_state r;
	record_clear(kind_info(KIND_twin_state), &r);
	r.ts = ts;
	r.soh_pct = 91;
	r.soh_std_pct = 2;
	r.r0_mohm = 5;
	r.r0_std_mohm = 0.25f;
	r.gassing_ma = 30;
	r.nis = 0.75f;
	r.voltage_rmse_v = 0.0625f;
	return r;
}

static void test_nothing_said(void **state)
{
	struct twin_word w = twin_word_none(), now = twin_word_at(&w, D(1));
	for (int i = 0; i < TWIN_WORDS; i++)
		assert_true(isnan(now.v[i]));
}

static void test_each_half_fades_alone(void **state)
{
	struct twin_word w = twin_word_none();
	struct rec_rul r = estimate(D(10));
	struct rec_twin_state s = believed(D(11));
	twin_word_rul(&w, &r);
	twin_word_state(&w, &s);
	struct twin_word now = twin_word_at(&w, D(12));
	for (int i = 0; i < TWIN_WORDS; i++)
		assert_false(isnan(now.v[i]));
	now = twin_word_at(&w, D(12) + 1);
	for (int i = 0; i < TWIN_WORDS; i++)
		assert_int_equal(isnan(now.v[i]), i < TWIN_OF_RUL);
	now = twin_word_at(&w, D(13) + 1);
	for (int i = 0; i < TWIN_WORDS; i++)
		assert_true(isnan(now.v[i]));
}

static void test_by_name(void **state)
{
	static const struct {
		const char *name;
		double value;
	} want[] = {{"twin_rul_days", 500}, {"twin_lower_days", 400},
		{"twin_upper_days", 600}, {"twin_soh_pct", 91}, {"twin_soh_std_pct", 2},
		{"twin_r0_mohm", 5}, {"twin_r0_std_mohm", 0.25},
		{"twin_gassing_ma", 30}, {"twin_nis", 0.75},
		{"twin_voltage_rmse_v", 0.0625}};
	enum { N = sizeof(want) / sizeof(*want) };
	struct twin_word w = twin_word_none();
	struct rec_rul r = estimate(0);
	struct rec_twin_state s = believed(0);
	struct rec_feature row;
	struct feature_set set = {0};
	float x[N];
	record_clear(kind_info(KIND_feature), &row);
	twin_word_rul(&w, &r);
	twin_word_state(&w, &s);
	assert_int_equal(N, TWIN_WORDS);
	for (int i = 0; i < N; i++) {
		assert_int_equal(feature_set_add(&set, str_of(want[i].name)), 0);
		assert_true(feature_is_twin(want[i].name));
	}
	feature_values(&set, &row, &w, x);
	for (int i = 0; i < N; i++)
		assert_true((double)x[i] == want[i].value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_said),
		cmocka_unit_test(test_each_half_fades_alone),
		cmocka_unit_test(test_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
