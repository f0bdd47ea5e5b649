/*
 * Thermal runaway against its closed form: on float a steady temperature exists only if
 * cT · Rth · V · Igas(Tamb) <= 1/e; at the limit the block is 1/cT = 16.7 K warmer than
 * the room.
 */
#include "battery/gassing.h"
#include "battery/series.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <setjmp.h>
#include <cmocka.h>

#include "near.h"

enum { N = 6 };
static const double ROOM_C = 40;
static struct battery_model hx12;

static int load(void **state)
{
	struct err err = {0};
	if (battery_model_named("HX12-120", &hx12, &err) < 0)
		return -1;
	/* all of the voltage on the gassing: no drop on the way */
	hx12.surface_f = 10;
	hx12.diffusion_mohm = 0;
	return 0;
}

/* The gassing of a block at which cT · Rth · V · Igas is x times 1/e. */
static double critical_wear(double float_v, double x)
{
	double one_a = battery_gassing_a(&hx12, 1, float_v, ROOM_C);
	double limit_a = exp(-1) / (hx12.gassing_ct_per_k *
					   hx12.thermal_resistance_k_per_w * float_v);
	return x * limit_a / one_a;
}

/* Equal blocks for so many days at a fixed voltage; the hottest they got. */
static double hottest(double wear, double room_c, double float_v, double days)
{
	struct battery_block b[N];
	struct battery_series s = {.model = &hx12, .blocks = b, .n = N};
	struct battery_drive d = {
		.set_v = N * float_v, .limit_a = 18, .charging = true};
	double most = 0;

	for (int i = 0; i < N; i++)
		b[i] = (struct battery_block){.nature = {.soh_new_pct = 100,
						      .r0_new_mohm = 1e-3,
						      .i0_factor = wear,
						      .r0_scatter = 1}};
	battery_series_settle(&s, d.set_v, room_c);
	for (int i = 0; i < days * 24 * 60 && most < 150; i++) {
		battery_series_step(&s, &d, room_c, 60);
		most = fmax(most, s.hottest_c);
	}
	return most;
}

static void above_the_limit(void **state)
{
	/* it passes the critical rise, and does not stop */
	double most = hottest(critical_wear(13.65, 1.05), ROOM_C, 13.65, 60);
	assert_true(most > 80);
}

static void below_the_limit(void **state)
{
	double most = hottest(critical_wear(13.65, 0.95), ROOM_C, 13.65, 60);
	assert_true(most < ROOM_C + 1 / hx12.gassing_ct_per_k);
	/* the smaller root of u e^-u = 0.95/e, u the rise in 1/cT: u = 0.7128 */
	near((most - ROOM_C) * hx12.gassing_ct_per_k, 0.7128, 0.005);
}

static void published_cases(void **state)
{
	/* a = 10, Rth 1.0 K/W: 25 degC settles, 28.3 degC; 40 degC runs away */
	double rth = hx12.thermal_resistance_k_per_w;
	hx12.thermal_resistance_k_per_w = 1;
	near(hottest(10, 25, 13.65, 60), 28.3, 0.1);
	assert_true(hottest(10, 40, 13.65, 60) > 80);
	hx12.thermal_resistance_k_per_w = rth;
}

/* The charger that lowers its voltage as the string warms keeps it from running. */
static void compensation_helps(void **state)
{
	double v = 13.65 + hx12.float_comp_v_per_k * (ROOM_C - 25);
	assert_true(hottest(critical_wear(13.65, 1.05), ROOM_C, v, 60) < 60);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(above_the_limit),
		cmocka_unit_test(below_the_limit),
		cmocka_unit_test(published_cases),
		cmocka_unit_test(compensation_helps),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
