/* Blocks in series against the numbers of the fact sheet. */
#include "battery/gassing.h"
#include "battery/ocv.h"
#include "battery/series.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

/* A string of equal new blocks on float at 25 degC that do not age. */
static struct battery_series fresh(struct battery_block *b, int n)
{
	struct battery_series s = {.model = &hx12, .blocks = b, .n = n};
	for (int i = 0; i < n; i++)
		b[i] = (struct battery_block){.nature = {.soh_new_pct = 100,
						      .r0_new_mohm = hx12.r0_mohm,
						      .i0_factor = 1,
						      .r0_scatter = 1}};
	battery_series_settle(&s, n * hx12.float_v, 25);
	return s;
}

static const struct battery_drive FLOAT = {
	.set_v = N * 13.65, .limit_a = 18, .charging = true};

/* Hours a discharge takes to 10.5 V a block; the sum of the block's charge in *ah. */
static double discharge_h(struct battery_series *s, double amperes, double *ah)
{
	struct battery_drive d = {.constant_current = true, .current_a = -amperes};
	double t = 0;
	while (t < 200 * 3600) {
		double dt = t < 60 ? 1 : 10;
		battery_series_step(s, &d, 25, dt);
		t += dt;
		if (s->voltage_v < 10.5 * s->n)
			break;
	}
	*ah = amperes * t / 3600;
	return t / 3600;
}

static void capacity_by_rate(void **state)
{
	/* the table of the data sheet, 5 min to 20 h; at 3 C ohmic resistance alone
	 * takes the block to its cut-off early, by a sixth: UPS blocks have less of it
	 */
	static const double HOURS[] = {1. / 12, 1. / 6, 0.25, 0.5, 1, 3, 5, 10, 20};
	static const double FRACTION[] = {.25, .37, .44, .54, .60, .755, .86, 1, 1.035};
	static const double TOLERANCE[] = {
		.045, .025, .02, .02, .03, .03, .03, .03, .03};
	for (int i = 0; i < 9; i++) {
		struct battery_block b[1];
		struct battery_series s = fresh(b, 1);
		double ah;
		discharge_h(&s, 120 * FRACTION[i] / HOURS[i], &ah);
		near(ah / 120, FRACTION[i], TOLERANCE[i]);
	}
}

/* Of the capacity at 25 degC: 86 % at 0, 103 % at 40 degC [S Leoch, fact sheet section
 * 1].
 */
static void capacity_by_temperature(void **state)
{
	static const double CELSIUS[] = {0, 25, 40}, FRACTION[] = {.86, 1, 1.03};
	for (int i = 0; i < 3; i++) {
		struct battery_block b[1];
		struct battery_series s = fresh(b, 1);
		struct battery_drive d = {.constant_current = true, .current_a = -12};
		double hours = 0;
		battery_series_settle(&s, hx12.float_v, CELSIUS[i]);
		for (; s.voltage_v > 10.5 && hours < 20; hours += 10 / 3600.)
			battery_series_step(&s, &d, CELSIUS[i], 10);
		near(hours / 10, FRACTION[i], 0.025);
	}
}

static void discharge_curve(void **state)
{
	struct battery_block b[1];
	struct battery_series s = fresh(b, 1);
	struct battery_drive d = {.constant_current = true, .current_a = -12};
	double last = s.voltage_v;
	/* surface charge vanishes within minutes; then V falls and falls */
	for (int i = 0; i < 300; i++)
		battery_series_step(&s, &d, 25, 1);
	near(s.voltage_v, 12.6, 0.15); /* 12.646 V at 10 A of 92.3 Ah [M] */
	for (int i = 0; i < 34000; i += 10) {
		battery_series_step(&s, &d, 25, 10);
		assert_true(s.voltage_v < last + 1e-9);
		last = s.voltage_v;
		if (i == 18000 - 300)
			near(s.voltage_v, 12.0, 0.12); /* half empty: 12.02 V [M] */
	}
	near(b[0].soc, 1 - 34300 / 36000., 0.012); /* it warms: +0.2 %/K */
}

static void charge_returns(void **state)
{
	struct battery_block b[N];
	struct battery_series s = fresh(b, N);
	struct battery_drive d = {.set_v = N * 14.4, .limit_a = 36, .charging = true};
	double ah, in = 0, full_h = 0, t = 0;
	discharge_h(&s, 12, &ah);
	near(b[0].soc, 0, 0.03);
	double v0 = s.voltage_v;
	battery_series_step(&s, &d, 25, 60);
	assert_true(s.voltage_v > v0);
	near(s.current_a, 36, 1e-9); /* constant current first */
	for (; t < 24 * 3600; t += 60) {
		battery_series_step(&s, &d, 25, 60);
		in += s.current_a / 60;
		assert_true(s.voltage_v < N * 14.4 + 1e-6);
		if (!full_h && s.current_a < 0.6)
			full_h = t / 3600;
	}
	near(s.voltage_v, N * 14.4, 1e-6);
	near(b[0].soc, 1, 1e-3);
	assert_true(full_h > 4 && full_h < 14);
	near(ah / in, 0.95, 0.045); /* .90-.966 a cycle [M] */
	/* gassing, and a little that still comes back */
	double tail_a = b[0].tail_ah * 3600 / hx12.tail_tau_s;
	near(s.current_a - tail_a,
		battery_gassing_a(&hx12, 1, 14.4, b[0].temperature_c), 0.01);
}

static void float_current(void **state)
{
	struct battery_block b[N];
	struct battery_series s = fresh(b, N);
	near(s.current_a, 0.020, 0.001);
	for (int i = 0; i < 240; i++)
		battery_series_step(&s, &FLOAT, 25, 3600);
	near(s.current_a, 0.020, 0.002); /* a little more: they warm up */
	near(b[0].voltage_v, 13.65, 1e-6);
	near(b[0].temperature_c, 25.25, 0.05); /* 0.3 W over 0.85 K/W */
}

static void float_spread(void **state)
{
	/* V_j = 13.38 + 0.545 [ln(I 100/(C I0 a)) - 0.06 (T - 25)] */
	struct battery_block b[N];
	struct battery_series s = fresh(b, N);
	b[3].nature.i0_factor = 1.28; /* one sigma up: it takes less voltage */
	b[5].nature.rack_k = 3;       /* warmer by 3 K: -98 mV */
	battery_series_settle(&s, FLOAT.set_v, 25);
	for (int i = 0; i < 24 * 30; i++)
		battery_series_step(&s, &FLOAT, 25, 3600);
	near(s.voltage_v, FLOAT.set_v, 1e-6);
	near(b[3].voltage_v - b[0].voltage_v, -0.545 * log(1.28), 0.003);
	near(b[5].voltage_v - b[0].voltage_v, -0.098, 0.004);
}

/* A dried-out block takes more than its string's current: it stays at its open-circuit
 * voltage and discharges itself. The others share the rest, from the first sample on.
 */
static void leaky_block(void **state)
{
	struct battery_block b[N];
	struct battery_series s = fresh(b, N);
	b[7].nature.i0_factor = 9;
	battery_series_settle(&s, FLOAT.set_v, 25);
	double sum = 0;
	for (int i = 0; i < N; i++)
		sum += b[i].voltage_v;
	near(sum, FLOAT.set_v, 1e-6);
	near(b[7].voltage_v, 12.949, 1e-3);
	double first_v = b[0].voltage_v;
	for (int i = 0; i < 24 * 30; i++)
		battery_series_step(&s, &FLOAT, 25, 3600);
	near(b[0].voltage_v, first_v, 0.02);
	/* 9 times 5.4 mA at 12.95 V less the 21 mA of the string, and less as its own
	 * voltage falls */
	double out_ah = (1 - b[7].soc) * 120;
	assert_true(out_ah < 30 * 24 * 0.028 && out_ah > 30 * 24 * 0.014);
}

static void outage(void **state)
{
	struct battery_block b[N];
	struct battery_series s = fresh(b, N);
	struct battery_drive d = {.constant_current = true, .current_a = -60};
	double last = s.voltage_v;
	for (int i = 0; i < 30; i++) {
		battery_series_step(&s, &d, 25, 1);
		assert_true(s.voltage_v < last);
		last = s.voltage_v;
	}
	near(s.current_a, -60, 0);
	near(s.voltage_v / N, 12.3, 0.3);
}

static void self_discharge(void **state)
{
	struct battery_block b[1];
	struct battery_series s = fresh(b, 1);
	struct battery_drive rest = {.constant_current = true};
	for (int i = 0; i < 30 * 24; i++)
		battery_series_step(&s, &rest, 25, 3600);
	/* at most 3 % a month at 25 degC */
	assert_true(b[0].soc > 0.96 && b[0].soc < 0.99);
	near(b[0].voltage_v, 12.92, 0.03);
}

/* A long step and many short ones end at the same place. */
static void step_length(void **state)
{
	struct battery_block a[N], c[N];
	struct battery_series s = fresh(a, N), t = fresh(c, N);
	a[1].nature.i0_factor = c[1].nature.i0_factor = 1.5;
	for (int i = 0; i < 24 * 3600; i += 10)
		battery_series_step(&s, &FLOAT, 30, 10);
	for (int i = 0; i < 24 * 3600; i += 600)
		battery_series_step(&t, &FLOAT, 30, 600);
	near(a[1].voltage_v, c[1].voltage_v, 0.002);
	near(a[1].temperature_c, c[1].temperature_c, 0.01);
	near(s.current_a, t.current_a, 0.001);
}

static void thermal_time_constant(void **state)
{
	struct battery_block b[1];
	struct battery_series s = fresh(b, 1);
	struct battery_drive rest = {.constant_current = true};
	double tau_s = 33000 * 0.85; /* 6-9 h */
	for (int i = 0; i < tau_s; i += 10)
		battery_series_step(&s, &rest, 35, 10);
	near(b[0].temperature_c, 25 + 10 * (1 - exp(-1)), 0.1);
}

/* Q = I (V - OCV) + I T dOCV/dT, dOCV/dT = 1.2 mV/K: a slow discharge cools the block,
 * a charge warms it by more than its losses. */
static void heat_of_reaction(void **state)
{
	static const double AMPERES[] = {-1.2, -12, 12};
	for (int k = 0; k < 3; k++) {
		struct battery_block b[1];
		struct battery_series s = fresh(b, 1);
		double a = AMPERES[k], rise_k = 0, tau_s = 33000 * 0.85;
		struct battery_drive d = {
			.constant_current = true, .current_a = a, .charging = a > 0};
		b[0].soc = a > 0 ? 0.2 : 0.6;
		b[0].surface_v = battery_ocv_v(&hx12, b[0].soc, 25);
		for (int p = 0; p < SURFACE_PARTS; p++)
			b[0].charged_v[p] = 0;
		for (int t = 0; t < 4 * 3600; t += 10) {
			battery_series_step(&s, &d, 25, 10);
			double soc = b[0].soc;
			double ocv_v = 11.538 + 1.411 * soc - 0.354 * soc * (soc - 1);
			double heat_w = a * (s.voltage_v - ocv_v) + a * 298 * 0.0012;
			rise_k += 10 * (heat_w * 0.85 - rise_k) / tau_s;
		}
		assert_true(a != -1.2 || b[0].temperature_c < 25);
		near(b[0].temperature_c - 25, rise_k, 0.05 + 0.1 * fabs(rise_k));
	}
}

static void hard_failures(void **state)
{
	struct battery_block b[N];
	struct battery_series s = fresh(b, N);
	b[2].shorted = true;
	b[4].open = true;
	battery_series_settle(&s, FLOAT.set_v, 25);
	for (int i = 0; i < 48; i++)
		battery_series_step(&s, &FLOAT, 25, 3600);
	near(b[0].voltage_v - b[2].voltage_v, 2.05, 0.15);
	near(s.voltage_v, FLOAT.set_v, 1e-6);
	struct battery_drive d = {.constant_current = true, .current_a = -60};
	for (int i = 0; i < 60; i++)
		battery_series_step(&s, &d, 25, 1);
	assert_true(b[0].voltage_v - b[4].voltage_v > 10);
}

static void ageing_laws(void **state)
{
	struct battery_nature n = {.soh_new_pct = 100,
		.r0_new_mohm = 4.2,
		.i0_factor = 1,
		.r0_scatter = 1};
	/* 0.60 eV: x2.1-2.2 per 10 K from 25 degC */
	near(ageing_arrhenius(&hx12, 35) / ageing_arrhenius(&hx12, 25), 2.13, 0.05);
	near(ageing_stress(&hx12, 25, 6 * 0.07), 2, 1e-9); /* 2.33 V a cell */
	near(ageing_end(&hx12, &n), 1, 1e-12);
	near(ageing_soh_pct(&hx12, &n, 1), 80, 1e-9);
	assert_true(ageing_soh_pct(&hx12, &n, .5) > 95); /* the knee is late */
	near(ageing_r0_mohm(&hx12, &n, 1) / 4.2, 1.4, 1e-9);
	near(1 / ageing_cycle(&hx12, 1), 220, 1e-9);
	near(1 / ageing_cycle(&hx12, 0.3), 1500, 30);
	n.cause = cause_sulfation;
	near(ageing_r0_mohm(&hx12, &n, 1) / 4.2, 1.12, 1e-9);
	n.soh_new_pct = 104;
	near(ageing_soh_pct(&hx12, &n, ageing_end(&hx12, &n)), 80, 1e-9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(capacity_by_rate),
		cmocka_unit_test(capacity_by_temperature),
		cmocka_unit_test(discharge_curve),
		cmocka_unit_test(charge_returns),
		cmocka_unit_test(float_current),
		cmocka_unit_test(float_spread),
		cmocka_unit_test(leaky_block),
		cmocka_unit_test(outage),
		cmocka_unit_test(self_discharge),
		cmocka_unit_test(step_length),
		cmocka_unit_test(thermal_time_constant),
		cmocka_unit_test(heat_of_reaction),
		cmocka_unit_test(hard_failures),
		cmocka_unit_test(ageing_laws),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
