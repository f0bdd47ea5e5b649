/* After an outage: recharge by the charger, and the days until float is steady. */
#include "battery/charger.h"
#include "battery/gassing.h"

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

static struct battery_series fresh(
	const struct battery_model *m, struct battery_block *b, int n, double soh_pct)
{
	struct battery_series s = {.model = m, .blocks = b, .n = n};
	for (int i = 0; i < n; i++)
		b[i] = (struct battery_block){.nature = {.soh_new_pct = soh_pct,
						      .r0_new_mohm = m->r0_mohm,
						      .i0_factor = 1,
						      .r0_scatter = 1}};
	battery_series_settle(&s, n * m->float_v, 25);
	return s;
}

/* The charger and its string for so long; the current at the end. */
static double run(
	struct battery_series *s, struct charger *c, int64_t *now, double seconds)
{
	for (int64_t end = *now + (int64_t)(seconds * 1000); *now < end;) {
		int64_t step = charger_step_ms(c, *now);
		step = step < end - *now ? step : end - *now;
		struct battery_drive d = charger_drive(c, s);
		battery_series_step(s, &d, 25, (double)step / 1000);
		*now += step;
		charger_update(c, s, *now);
	}
	return s->current_a;
}

/* An outage of half an hour at 0.6 C: constant current, constant voltage, a tail, and
 * float current that is at its level after three days. */
static void after_an_outage(void **state)
{
	struct battery_block b[N];
	struct battery_series s = fresh(&hx12, b, N, 100);
	struct charger c;
	int64_t now = 0;
	charger_init(&c, now);
	double before_a = run(&s, &c, &now, 20 * 86400);
	near(before_a, 0.0207, 0.001);
	charger_discharge(&c, now,
		&(struct charger_load){.load_a = 72,
			.until = now + 1800000,
			.most_ah = INFINITY,
			.jar_cutoff_v = -INFINITY});
	run(&s, &c, &now, 1800);
	double out_ah = c.out_ah;
	near(out_ah, 36, 0.1);
	assert_int_equal(c.mode, mode_boost);
	/* constant current, at the charger's limit, below the boost voltage */
	near(run(&s, &c, &now, 600), 18, 1e-6);
	assert_true(s.voltage_v < N * 14.4);
	/* constant voltage with a current that falls */
	double last = 18;
	int cv = 0;
	while (c.mode == mode_boost) {
		double a = run(&s, &c, &now, 600);
		assert_true(a <= last + 1e-9 || c.mode != mode_boost);
		cv += a < 17.9;
		last = a;
	}
	assert_true(cv > 6);
	near(b[0].soc, 1, 0.01);
	/* on float: hours later still twice the level, after three days at it */
	run(&s, &c, &now, 6 * 3600);
	assert_int_equal(c.mode, mode_float);
	assert_true(s.current_a > 1.5 * before_a && s.current_a < 5 * before_a);
	double at_24 = run(&s, &c, &now, 18 * 3600);
	assert_true(at_24 > 1.1 * before_a);
	near(run(&s, &c, &now, 56 * 3600) / before_a, 1, 0.05);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_an_outage),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
