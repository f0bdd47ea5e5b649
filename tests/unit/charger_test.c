/* The charger's modes, one after the other, on a string of real blocks. */
#include "battery/charger.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

enum { N = 24 };
static struct battery_model hx12;

struct bench {
	struct battery_block blocks[N];
	struct battery_series series;
	struct charger charger;
	int64_t now;
	int ended; /* discharges */
};

static int load(void **state)
{
	struct err err = {0};
	return battery_model_named("HX12-120", &hx12, &err);
}

static void bench_init(struct bench *b)
{
	*b = (struct bench){0};
	b->series =
		(struct battery_series){.model = &hx12, .blocks = b->blocks, .n = N};
	for (int i = 0; i < N; i++)
		b->blocks[i].nature = (struct battery_nature){.soh_new_pct = 100,
			.r0_new_mohm = hx12.r0_mohm,
			.i0_factor = 1,
			.r0_scatter = 1};
	battery_series_settle(&b->series, N * hx12.float_v, 25);
	charger_init(&b->charger, 0);
}

/* Runs until the mode changes or 'until' is reached. */
static void bench_run(struct bench *b, int64_t until)
{
	enum mode_names mode = b->charger.mode;
	while (b->now < until && b->charger.mode == mode) {
		int64_t step = charger_step_ms(&b->charger, b->now);
		if (b->charger.until != TIME_NIL && b->charger.until > b->now &&
			b->now + step > b->charger.until)
			step = b->charger.until - b->now;
		struct battery_drive d = charger_drive(&b->charger, &b->series);
		battery_series_step(&b->series, &d, 25, (double)step / 1000);
		b->now += step;
		b->ended += charger_update(&b->charger, &b->series, b->now);
	}
}

static void discharge(struct bench *b, int64_t until, double most_ah, double load_a,
	double cutoff_v, double jar_cutoff_v)
{
	struct charger_load load = {load_a, until, most_ah, cutoff_v, jar_cutoff_v};
	charger_discharge(&b->charger, b->now, &load);
}

/* 40 % of the rating is taken out, no more, and comes back. */
static void partial(void **state)
{
	struct bench b;
	bench_init(&b);
	discharge(&b, TIME_NIL, 48, 40, N * 10.5, 9);
	bench_run(&b, DAY_MS);
	assert_int_equal(b.ended, 1);
	assert_true(b.charger.out_ah >= 48 && b.charger.out_ah < 48 + 40. * 10 / 3600);
	assert_true(fabs(b.blocks[0].soc - 0.6) < 0.01);
	assert_int_equal(b.charger.mode, mode_boost);
	bench_run(&b, 2 * DAY_MS);
	assert_int_equal(b.charger.mode, mode_float);
	assert_true(b.blocks[0].soc > 0.99);
}

static void short_outage(void **state)
{
	struct bench b;
	bench_init(&b);
	discharge(&b, 30 * SECOND_MS, INFINITY, 60, 240, -INFINITY);
	bench_run(&b, HOUR_MS);
	assert_int_equal(b.ended, 1);
	assert_int_equal(b.now, 30 * SECOND_MS);
	assert_true(fabs(b.charger.out_ah - 0.5) < 1e-9);
	assert_int_equal(b.charger.mode, mode_float); /* too little for a boost */
	bench_run(&b, 5 * HOUR_MS);
	assert_true(fabs(b.series.voltage_v / N - 13.65) < 0.03);
}

static void long_outage(void **state)
{
	struct bench b;
	bench_init(&b);
	/* an hour and a half of the one-hour current: the load is dropped before */
	discharge(&b, 90 * MINUTE_MS, INFINITY, 72, N * 10.0, -INFINITY);
	bench_run(&b, DAY_MS);
	assert_int_equal(b.charger.mode, mode_idle);
	assert_true(b.now > 50 * MINUTE_MS && b.now < 80 * MINUTE_MS);
	assert_true(b.charger.out_ah > 60 && b.charger.out_ah < 90);
	double low = b.series.voltage_v;
	bench_run(&b, DAY_MS);
	assert_int_equal(b.now, 90 * MINUTE_MS); /* the mains are back */
	assert_int_equal(b.charger.mode, mode_boost);
	assert_true(b.series.voltage_v > low + 10); /* it has recovered at rest */
	assert_true(b.series.current_a == 0);
	int64_t began = b.now;
	bench_run(&b, 2 * DAY_MS);
	assert_int_equal(b.charger.mode, mode_float);
	assert_true(b.now - began > 5 * HOUR_MS && b.now - began < 20 * HOUR_MS);
	assert_true(b.blocks[0].soc > 0.99);
}

static void equalize(void **state)
{
	struct bench b;
	bench_init(&b);
	assert_true(charger_equalize(&b.charger, b.now, 8 * HOUR_MS));
	assert_false(charger_equalize(&b.charger, b.now, 8 * HOUR_MS));
	bench_run(&b, 4 * HOUR_MS);
	assert_true(
		fabs(b.series.voltage_v / N -
			battery_boost_v(&hx12, b.series.mean_temperature_c)) < 0.01);
	bench_run(&b, DAY_MS);
	assert_int_equal(b.charger.mode, mode_float);
	assert_int_equal(b.now, 8 * HOUR_MS);
}

static void weak_jar_ends_a_test(void **state)
{
	struct bench b;
	bench_init(&b);
	b.blocks[4].nature.soh_new_pct = 50;
	battery_block_refresh(&hx12, &b.blocks[4]);
	discharge(&b, TIME_NIL, INFINITY, 12, N * 10.5, 9);
	bench_run(&b, DAY_MS);
	assert_int_equal(b.ended, 1);
	assert_true(b.blocks[4].voltage_v < 9);
	assert_true(b.series.voltage_v > N * 11);
	assert_true(fabs(b.charger.out_ah - 60) < 5);
}

static void compensation(void **state)
{
	assert_true(fabs(battery_float_v(&hx12, 25) - 13.65) < 1e-9);
	assert_true(fabs(battery_float_v(&hx12, 35) - 13.47) < 1e-9);
	assert_true(fabs(battery_float_v(&hx12, 70) - 13.2) < 1e-9);
	assert_true(fabs(battery_float_v(&hx12, -10) - 14.1) < 1e-9);
	assert_true(fabs(battery_boost_v(&hx12, 35) - 14.1) < 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_outage),
		cmocka_unit_test(partial),
		cmocka_unit_test(long_outage),
		cmocka_unit_test(equalize),
		cmocka_unit_test(weak_jar_ends_a_test),
		cmocka_unit_test(compensation),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
