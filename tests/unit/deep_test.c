/* What a deep discharge leaves behind, against charges counted by hand. */
#include "window/deep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#define STEP_MS (15 * MINUTE_MS)
#define OFFSET_A 0.25f

static const struct band BAND = {13.5f, 13.8f, 120};

/* A block under a sensor with an offset; missing_ah as that sensor has it. */
struct block {
	struct deep deep;
	int64_t ts;
	double missing_ah;
};

static void run(struct block *b, int steps, float true_a, float voltage_v, float mohm)
{
	enum mode_names mode = true_a < -1 ? mode_discharge : mode_float;
	for (int i = 0; i < steps; i++, b->ts += STEP_MS) {
		struct sample x = {.ts = b->ts,
			.mode = mode,
			.voltage_v = voltage_v,
			.temperature_c = 25,
			.current_a = true_a + OFFSET_A,
			.resistance_mohm = mohm};
		deep_sample(&b->deep, &x, STEP_MS, b->missing_ah, &BAND);
		b->missing_ah = mode == mode_float
					? 0
					: b->missing_ah - (double)x.current_a / 4;
	}
}

static void test_charge_is_freed_of_the_offset(void **state)
{
	struct block b = {.ts = 0};
	deep_init(&b.deep);
	run(&b, 4 * 24 * 3, 0, 13.65f, 4.2f);
	assert_true(b.deep.ts == TIME_NIL);
	run(&b, 4 * 8, -12, 11.2f, 5);
	run(&b, 1, -12, 10.9f, 5); /* the last sample of it, after 8 hours */
	assert_true(b.deep.ts == 3 * DAY_MS + 8 * HOUR_MS);
	/* the sensor itself says 8 h of 11.75 A: 94 Ah */
	assert_float_equal(b.deep.out_ah, 96, 0.1);
	assert_float_equal(b.deep.current_a, -12, 0.01);
	assert_float_equal(b.deep.voltage_v, 10.9, 1e-6);
	/* of float, not of the discharge */
	assert_float_equal(b.deep.resistance_mohm, 4.2, 1e-3);
}

static void test_a_shallow_one_does_not_take_its_place(void **state)
{
	struct block b = {.ts = 0};
	deep_init(&b.deep);
	run(&b, 4 * 24, 0, 13.65f, 4.2f);
	run(&b, 4 * 6 + 1, -12, 11.5f, 4.2f);
	struct deep before = b.deep;
	run(&b, 4 * 24, 0, 13.65f, 4.4f);
	run(&b, 4 * 3, -12, 12.1f, 4.4f); /* 36 Ah: 30 % */
	assert_true(b.deep.ts == before.ts);
	assert_float_equal(b.deep.out_ah, before.out_ah, 0);
	run(&b, 4 * 24, 0, 13.65f, 4.4f);
	run(&b, 4 * 5 + 1, -12, 11.7f, 4.4f); /* 60 Ah: the new one */
	assert_true(b.deep.ts > before.ts);
	assert_float_equal(b.deep.out_ah, 60, 0.1);
}

static void test_without_a_rating_or_a_voltage(void **state)
{
	const struct band unknown = {NAN, NAN, NAN};
	struct deep d;
	deep_init(&d);
	struct sample x = {0, mode_discharge, 11, 25, -12, 4};
	deep_sample(&d, &x, STEP_MS, 90, &unknown);
	assert_true(d.ts == TIME_NIL);
	x.voltage_v = NAN;
	deep_sample(&d, &x, STEP_MS, 90, &BAND);
	assert_true(d.ts == TIME_NIL);
	x.voltage_v = 11;
	x.resistance_mohm = NAN;
	deep_sample(&d, &x, STEP_MS, 90, &BAND);
	assert_true(d.ts == 0 && isnan(d.resistance_mohm));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charge_is_freed_of_the_offset),
		cmocka_unit_test(test_a_shallow_one_does_not_take_its_place),
		cmocka_unit_test(test_without_a_rating_or_a_voltage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
