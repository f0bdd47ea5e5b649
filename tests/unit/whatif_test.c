/* The twin run forward under a load. */
#include "estimate/whatif.h"

#include "estimate/autonomy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct battery_model model;
static const struct whatif_state FULL = {1, 0.01, 120, 3, 4.5, 0.2, 25};

static int load_model(void **state)
{
	struct err err = {0};
	return battery_model_named("HX12-120", &model, &err);
}

static struct whatif under(const struct whatif_state *s, double load_a, double minutes)
{
	struct whatif out;
	const struct whatif_part part = {minutes, load_a, NAN};
	whatif_run(&model, s, &part, 1, INFINITY, NULL, NULL, &out);
	return out;
}

static void test_as_long_as_the_rate_table_says(void **state)
{
	const double loads[] = {12, 30, 60, 120};
	for (int i = 0; i < 4; i++) {
		struct autonomy a;
		struct autonomy_state s = {1, 0.01, 120, 3, 25};
		struct whatif w = under(&FULL, loads[i], 3000);
		autonomy_estimate(&model, &s, loads[i], &a);
		assert_true(fabs(w.minutes / a.minutes - 1) < 0.06);
		assert_true(w.lower_min < w.minutes && w.minutes < w.upper_min);
	}
}

static void test_worse_is_shorter(void **state)
{
	struct whatif_state worn = FULL, half = FULL, cold = FULL;
	double t = under(&FULL, 60, 3000).minutes;
	worn.capacity_ah = 90;
	half.soc = 0.5;
	cold.temperature_c = 0;
	assert_true(under(&worn, 60, 3000).minutes < 0.85 * t);
	assert_true(under(&half, 60, 3000).minutes < 0.6 * t);
	assert_true(under(&cold, 60, 3000).minutes < t);
}

static void test_a_profile_may_end_before(void **state)
{
	struct whatif w = under(&FULL, 12, 5);
	assert_true(isnan(w.minutes) && isnan(w.lower_min) && isnan(w.upper_min));
	double t = under(&FULL, 60, 3000).minutes;
	/* so near the end that it may well be over */
	w = under(&FULL, 60, t - 1);
	assert_true(isnan(w.minutes) && w.lower_min < t - 1 && isnan(w.upper_min));
}

static void test_sure_of_the_state_is_surer_of_the_time(void **state)
{
	struct whatif_state sure = FULL;
	sure.soc_std = sure.capacity_std_ah = sure.r0_std_mohm = 0;
	struct whatif a = under(&FULL, 60, 3000), b = under(&sure, 60, 3000);
	assert_float_equal(a.minutes, b.minutes, 1e-9);
	assert_true(b.upper_min - b.lower_min < a.upper_min - a.lower_min);
}

struct seen {
	size_t n;
	double soc, minute, last_c;
};

static void look(void *ctx, const struct whatif_point *p)
{
	struct seen *s = ctx;
	assert_true(s->n == 0 || p->minute > s->minute);
	assert_true(p->soc <= s->soc);
	s->soc = p->soc;
	s->minute = p->minute;
	s->last_c = p->temperature_c;
	s->n++;
}

static void test_points_in_time_and_the_room_is_felt(void **state)
{
	struct whatif out;
	struct seen s = {.soc = 1};
	const struct whatif_part parts[] = {{60, 0, 40}, {60, 5, 40}};
	whatif_run(&model, &FULL, parts, 2, 10, look, &s, &out);
	assert_int_equal(s.n, 13);
	assert_float_equal(s.minute, 120, 1e-6);
	assert_float_equal(s.soc, 1 - 5.0 / 120, 0.002);
	assert_true(s.last_c > 25.5 && s.last_c < 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_long_as_the_rate_table_says),
		cmocka_unit_test(test_worse_is_shorter),
		cmocka_unit_test(test_a_profile_may_end_before),
		cmocka_unit_test(test_sure_of_the_state_is_surer_of_the_time),
		cmocka_unit_test(test_points_in_time_and_the_room_is_felt),
	};
	return cmocka_run_group_tests(tests, load_model, NULL);
}
