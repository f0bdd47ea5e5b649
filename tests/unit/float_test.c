/* Blocks on float and in the cold, against the tables of the fact sheet. */
#include "battery/charger.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "near.h"

enum { N = 24 };
static struct battery_model hx12;

static int load(void **state)
{
	struct err err = {0};
	return battery_model_named("HX12-120", &hx12, &err);
}

static struct battery_series fresh(struct battery_block *b, int n, double room_c)
{
	struct battery_series s = {.model = &hx12, .blocks = b, .n = n};
	for (int i = 0; i < n; i++)
		b[i] = (struct battery_block){.nature = {.soh_new_pct = 100,
						      .r0_new_mohm = hx12.r0_mohm,
						      .i0_factor = 1,
						      .r0_scatter = 1}};
	battery_series_settle(&s, n * hx12.float_v, room_c);
	return s;
}

/* 120 Ah at a fixed voltage, weeks on: the table of Schiffer's law, mA. */
static void tafel_table(void **state)
{
	static const double CELSIUS[] = {20, 25, 30, 35, 40};
	static const double VOLTS[] = {13.65, 14.4};
	static const double MILLI[2][5] = {
		{15, 20, 27, 36, 48}, {58, 78, 105, 142, 192}};
	for (int v = 0; v < 2; v++)
		for (int t = 0; t < 5; t++) {
			struct battery_block b[N];
			struct battery_series s = fresh(b, N, CELSIUS[t]);
			struct battery_drive d = {
				.set_v = N * VOLTS[v], .limit_a = 18, .charging = true};
			for (int h = 0; h < 21 * 24; h++)
				battery_series_step(&s, &d, CELSIUS[t], 3600);
			/* the table is at the block's temperature: it is warmer than
			 * the room by its own heat */
			double rise_k = b[0].temperature_c - CELSIUS[t];
			near(1000 * s.current_a / exp(0.06 * rise_k) / MILLI[v][t], 1,
				0.04);
			near(rise_k, VOLTS[v] * s.current_a * 0.85, 0.02);
		}
}

/* A worn block gasses five times a new one's where it dries out [S Schiffer: a = 1 to
 * 5], and twice otherwise; half way through its life it hardly does: float current, mA.
 */
static void more_with_age(void **state)
{
	static const enum cause_names CAUSE[] = {
		cause_dry_out, cause_wear, cause_dry_out};
	static const double LIFE[] = {1, 1, 0.5}, TIMES[] = {5, 2, 1.25};
	for (int k = 0; k < 3; k++) {
		struct battery_block b[N];
		struct battery_series s = fresh(b, N, 25);
		struct battery_drive d = {
			.set_v = N * 13.65, .limit_a = 18, .charging = true};
		for (int i = 0; i < N; i++) {
			b[i].nature.cause = CAUSE[k];
			b[i].used = LIFE[k];
		}
		battery_series_settle(&s, d.set_v, 25);
		for (int h = 0; h < 21 * 24; h++)
			battery_series_step(&s, &d, 25, 3600);
		double warmer = exp(0.06 * (b[0].temperature_c - 25));
		near(1000 * s.current_a / warmer / 20.3, TIMES[k], 0.06 * TIMES[k]);
		assert_true(s.current_a < 0.15); /* never amperes */
	}
}

/* The charger's float voltage: -18 mV/K a block, clamped to 13.2-14.1 V. */
static void compensation(void **state)
{
	static const double CELSIUS[] = {-5, 10, 25, 40, 60};
	static const double VOLTS[] = {14.1, 13.92, 13.65, 13.38, 13.2};
	for (int t = 0; t < 5; t++) {
		struct battery_block b[N];
		struct battery_series s = fresh(b, N, CELSIUS[t]);
		struct charger c;
		charger_init(&c, 0);
		for (int h = 0; h < 10 * 24; h++) {
			struct battery_drive d = charger_drive(&c, &s);
			battery_series_step(&s, &d, CELSIUS[t], 3600);
		}
		near(s.voltage_v / N, VOLTS[t], 0.02);
		assert_true(s.current_a > 0 && s.current_a < 0.3); /* never amperes */
	}
}

/* C10 capacity at 40, 25 and 0 degC: 103, 100 and 86 %. */
static void cold_and_warm(void **state)
{
	static const double CELSIUS[] = {40, 25, 0};
	static const double SHARE[] = {1.03, 1, 0.86};
	double rated_ah = 0;
	for (int k = 0; k < 3; k++) {
		static const int ORDER[] = {1, 0, 2};
		int t = ORDER[k];
		struct battery_block b[1];
		struct battery_series s = fresh(b, 1, CELSIUS[t]);
		struct battery_drive d = {.constant_current = true, .current_a = -12};
		double ah = 0;
		while (s.voltage_v > hx12.cutoff_v && ah < 200) {
			battery_series_step(&s, &d, CELSIUS[t], 10);
			ah += 12. * 10 / 3600;
		}
		rated_ah = t == 1 ? ah : rated_ah;
		near(ah / rated_ah, SHARE[t], 0.025);
	}
	near(rated_ah, 120, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tafel_table),
		cmocka_unit_test(more_with_age),
		cmocka_unit_test(compensation),
		cmocka_unit_test(cold_and_warm),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
