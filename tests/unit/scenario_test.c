/* Scenarios: what is written is understood or refused, and what is planned happens. */
#include "site/sense.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fleet_util.h"
#include "near.h"

static int plan(struct plant *p, const char *text)
{
	struct scenario s;
	struct err err = {0};
	if (scenario_parse(text, &s, &err) < 0)
		fail_msg("%s", err.msg);
	int id = stage_add(p, &s, START, &err);
	if (id < 0)
		fail_msg("%s", err.msg);
	return id;
}

static void advance_h(struct plant *p, double hours)
{
	assert_int_equal(
		plant_advance(p, p->now + (int64_t)(hours * (double)HOUR_MS)), 0);
}

static void understood(void **state)
{
	struct scenario s;
	struct err err;
	assert_int_equal(
		scenario_parse("power_outage:DC-BKK-01,DC-CNX-01:start=2026-01-02T03:"
			       "04:05Z:duration=45m:value=0.7",
			&s, &err),
		0);
	assert_int_equal(s.kind, SCENARIO_POWER_OUTAGE);
	assert_string_equal(s.target, "DC-BKK-01,DC-CNX-01");
	assert_int_equal(s.start, START + DAY_MS + 11045 * SECOND_MS);
	assert_false(s.relative);
	assert_int_equal(s.duration_ms, 45 * MINUTE_MS);
	near(s.value, 0.7, 0);
	assert_int_equal(
		scenario_parse("sensor_fault:all:fault=stuck:start=+2h", &s, &err), 0);
	assert_int_equal(s.fault, FAULT_STUCK);
	assert_true(s.relative && s.start == 2 * HOUR_MS);
	assert_int_equal(scenario_parse("heatwave:all", &s, &err), 0);
	near(scenario_level(&s, 0, 4 * HOUR_MS), 2, 1e-9); /* half a kelvin an hour */
	near(scenario_level(&s, 0, 40 * HOUR_MS), 6, 1e-9);
	near(scenario_level(&s, 8, 3 * HOUR_MS), 6.5, 1e-9);
	near(scenario_level(&s, 8, 40 * HOUR_MS), 6, 1e-9);
	s.rate = 0;
	near(scenario_level(&s, 0, 0), 6, 0);
}

static void refused(void **state)
{
	static const char *const BAD[] = {"", ":", "heatwave",
		"heatwave:", "heatwave::", "storm:all",
		"heatwave:all:", "heatwave:all:value",
		"heatwave:all:value=", "heatwave:all:value=hot",
		"heatwave:all:value=1e9", "heatwave:all:rate=-1",
		"heatwave:all:value=nan", "heatwave:all:start=soon",
		"heatwave:all:start=+x", "heatwave:all:duration=0s",
		"heatwave:all:duration=-5m", "heatwave:all:duration=9999999d",
		"heatwave:all:colour=red", "heatwave:all:fault=gap",
		"sensor_fault:all:fault=odd", "heatwave:all:averyverylongkeyindeed=1"};
	struct scenario s;
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct err err = {0};
		if (scenario_parse(BAD[i], &s, &err) == 0)
			fail_msg("'%s' was taken", BAD[i]);
		assert_int_equal(err.class, ERR_USAGE);
	}
	struct plant *p = plant(1, 24);
	struct err err = {0};
	assert_int_equal(scenario_parse("heatwave:DC-BKK-99", &s, &err), 0);
	assert_false(stage_concerns(p, &s));
	assert_int_equal(scenario_parse("heatwave:DC-CNX-01-UPS-01", &s, &err), 0);
	assert_true(stage_concerns(p, &s)); /* its room */
	plant_free(p);
}

static int load_text(const char *text, struct scenario *s, size_t *n, struct err *err)
{
	char path[] = "/tmp/scenario-XXXXXX";
	FILE *out = fdopen(mkstemp(path), "w");
	fputs(text, out);
	fclose(out);
	*n = 0;
	int r = scenario_load(path, s, n, 2, err);
	remove(path);
	return r;
}

static void files(void **state)
{
	static const char *const BAD[] = {"[outage]\nscenario = heatwave\n",
		"[scenario a]\ntarget = all\n", "[scenario a]\nscenario = storm\n",
		"[scenario a]\nscenario = heatwave\n",
		"[scenario a]\nscenario = heatwave\ntarget = all\nvalue = much\n",
		"[scenario a]\nscenario = heatwave\ntarget = all\n"
		"[scenario b]\nscenario = heatwave\ntarget = all\n"
		"[scenario c]\nscenario = heatwave\ntarget = all\n",
		"nonsense\n"};
	struct scenario s[2];
	struct err err = {0};
	size_t n;
	assert_int_equal(load_text("[scenario a]\nscenario = heatwave\ntarget = all\n"
				   "value = 3\n[scenario b]\nscenario = power_outage\n"
				   "target = DC-BKK-01\nstart = +1d\n",
				 s, &n, &err),
		0);
	assert_int_equal(n, 2);
	near(s[0].value, 3, 0);
	assert_int_equal(s[1].start, DAY_MS);
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		if (load_text(BAD[i], s, &n, &err) == 0)
			fail_msg("file %zu was taken", i);
		assert_int_equal(err.class, ERR_USAGE);
	}
	assert_int_equal(scenario_load("/nonexistent", s, &n, 2, &err), -1);
	assert_int_equal(err.class, ERR_IO);
}

static void targets(void **state)
{
	const char *s1 = "DC-BKK-01-UPS-01-S1";
	assert_true(stage_jars("all", s1, 24) == 0xffffff);
	assert_true(stage_jars("DC-BKK-01", s1, 24) == 0xffffff);
	assert_true(stage_jars("DC-BKK-01-UPS-01", s1, 24) == 0xffffff);
	assert_true(stage_jars("DC-BKK-0", s1, 24) == 0);
	assert_true(stage_jars("DC-BKK-01-UPS-01-S1-J03, DC-BKK-01-UPS-01-S1-J24", s1,
			    24) == (1 << 2 | 1 << 23));
	assert_true(stage_jars("DC-BKK-01-UPS-01-S1-J25", s1, 24) == 0);
	assert_true(stage_jars("DC-BKK-01-UPS-01-S1-J00", s1, 24) == 0);
	assert_true(stage_jars("DC-BKK-01-UPS-01-S2", s1, 24) == 0);
	assert_true(stage_jars("all", s1, 64) == UINT64_MAX);
	assert_true(stage_site("DC-BKK-01-UPS-01-S1-J03", "DC-BKK-01"));
	assert_false(stage_site("DC-BKK-02", "DC-BKK-01"));
}

static void rooms(void **state)
{
	struct plant *p = plant(1, 3 * 216), *quiet = plant(1, 3 * 216);
	plan(p, "high_temperature:DC-NTB-01:value=8:rate=4:start=+1h:duration=10h");
	advance_h(p, 2);
	advance_h(quiet, 2);
	/* an hour of 4 K an hour, and a room that follows within half of one:
	 * 4 - 4 · 0.5 (1 - e^-2) */
	near(p->sites[2].room.temperature_c - quiet->sites[2].room.temperature_c, 2.27,
		0.4);
	advance_h(p, 6);
	advance_h(quiet, 6);
	near(p->sites[2].room.temperature_c - quiet->sites[2].room.temperature_c, 8,
		0.1);
	near(p->sites[1].room.temperature_c, quiet->sites[1].room.temperature_c, 0.01);
	advance_h(p, 12);
	advance_h(quiet, 12);
	near(p->sites[2].room.temperature_c, quiet->sites[2].room.temperature_c, 0.01);
	advance_h(p, 8); /* to a hot day: nights outdoors are as cool as the room */
	advance_h(quiet, 8);
	plan(p, "hvac_failure:DC-KKN-01:duration=8h");
	advance_h(p, 7);
	advance_h(quiet, 7);
	assert_true(p->sites[1].room.temperature_c >
		    quiet->sites[1].room.temperature_c + 2);
	assert_int_equal(p->sites[1].room.hvac, hvac_fault);
	advance_h(p, 2);
	assert_int_equal(p->sites[1].room.hvac, hvac_running);
	plant_free(p);
	plant_free(quiet);
}

/* The events of scenarios since the last step: how many begin, how many end. */
static void count(const struct plant *p, int *began, int *ended)
{
	*began = *ended = 0;
	for (size_t i = 0; i < p->nhappenings; i++) {
		const struct happening *h = &p->happenings[i];
		if (h->what != HAPPENS_EVENT || h->type != event_type_scenario)
			continue;
		*(h->status == event_status_completed ? ended : began) += 1;
	}
}

static void power(void **state)
{
	struct plant *p = plant(1, 216);
	int began, ended;
	plan(p, "power_outage:DC-CNX-01-UPS-01:start=+30m:duration=20m:value=0.5");
	advance_h(p, 0.7);
	count(p, &began, &ended);
	assert_int_equal(began, 3);
	assert_int_equal(ended, 0);
	for (int i = 0; i < 9; i++) {
		bool hit = i >= 3 && i < 6;
		assert_int_equal(
			p->strings[i].charger.mode, hit ? mode_discharge : mode_float);
		if (hit)
			near(p->strings[i].series.current_a, -0.5 * 0.6 * 120, 1e-9);
	}
	advance_h(p, 1);
	count(p, &began, &ended);
	assert_int_equal(ended, 3);
	assert_int_equal(p->strings[3].charger.mode, mode_boost);
	near(p->strings[3].charger.out_ah, 36. / 3, 0.1);
	/* cleared by hand */
	int id = plan(p, "power_outage:all:duration=9h");
	advance_h(p, 0.25);
	assert_int_equal(p->strings[0].charger.mode, mode_discharge);
	assert_true(stage_clear(p, id));
	advance_h(p, 0.25);
	assert_int_not_equal(p->strings[0].charger.mode, mode_discharge);
	assert_false(stage_clear(p, id));
	plant_free(p);
}

static void blocks(void **state)
{
	struct plant *p = plant(1, 24), *quiet = plant(1, 24);
	plan(p, "resistance_drift:DC-CNX-01-REC-01-S1-J02:value=40:rate=1");
	plan(p, "battery_degradation:DC-CNX-01-REC-01-S1-J03:value=2");
	int id = plan(p, "load:all:value=2");
	plan(p, "charger_voltage:all:value=0.1");
	advance_h(p, 60);
	advance_h(quiet, 60);
	const struct battery_block *a = p->strings[0].blocks,
				   *b = quiet->strings[0].blocks;
	near(a[1].r0_mohm / b[1].r0_mohm, 1.4, 0.002);
	near(a[0].r0_mohm / b[0].r0_mohm, 1, 0.002);
	near(a[2].used - b[2].used, 0.02 * 2.5, 0.001);
	near(p->strings[0].series.voltage_v - quiet->strings[0].series.voltage_v,
		24 * 0.1, 0.3); /* warmer: compensated a little lower */
	assert_true(stage_clear(p, id));
	plan(p, "normal_operation:all");
	advance_h(p, 1);
	near(p->strings[0].charger.offset_v, 0, 0);
	near(a[1].r0_mohm / b[1].r0_mohm, 1, 0.002);
	int began, ended;
	count(p, &began, &ended);
	assert_int_equal(ended, 5);
	plant_free(p);
	plant_free(quiet);
}

/* A value goes to where it is to be from where it is, also when the rate changes. */
static void rates(void **state)
{
	struct plant *p = plant(1, 24);
	const struct charger *c = &p->strings[0].charger;
	int load = plan(p, "load:all:value=2:rate=0.5");
	int volts = plan(p, "charger_voltage:all:value=-0.4:rate=0.1");
	int later = plan(p, "charger_voltage:DC-CNX-01-REC-01-S1-J01:start=+30d");
	advance_h(p, 1);
	advance_h(p, 1.0 / 3600); /* what is due is done when time goes on */
	near(c->load_factor, 1.5, 1e-3);
	near(c->offset_v, -0.1, 1e-3);
	near(stage_level(stage_find(p, volts), p->now), -0.1, 1e-3);
	assert_true(stage_turn(p, load, 1.5, 0.25));
	assert_true(stage_turn(p, volts, -0.1, 0));
	advance_h(p, 1);
	advance_h(p, 1.0 / 3600);
	near(c->load_factor, 1.75, 1e-3);
	near(c->offset_v, -0.4, 1e-9);
	advance_h(p, 10);
	near(c->load_factor, 2, 1e-9);
	/* one that has not begun keeps its rate for when it does */
	assert_true(stage_turn(p, later, 0, 3));
	assert_int_equal(stage_find(p, later)->from_ts, START + 30 * DAY_MS);
	assert_false(stage_turn(p, 99, 0, 1));
	assert_null(stage_find(p, 99));
	plant_free(p);
}

static void sensors_lie(void **state)
{
	struct sensors s = {.voltage_noise_v = 0.01};
	struct plant *p = plant(1, 24), *quiet = plant(1, 24);
	struct sense_hold hold = {0};
	struct rec_telemetry t;
	float first = 0;
	plan(p, "sensor_fault:DC-CNX-01-REC-01-S1-J02:value=-0.5:duration=2h");
	plan(p, "sensor_fault:DC-CNX-01-REC-01-S1-J03:fault=gap:duration=2h");
	plan(p, "sensor_fault:DC-CNX-01-REC-01-S1-J04:fault=stuck:duration=2h");
	for (int i = 0; i < 10; i++) {
		advance_h(p, 0.1);
		advance_h(quiet, 0.1);
		const struct plant_string *g = &p->strings[0];
		assert_true(sense_jar(&s, p, g, 1, 0, &hold, &t));
		near(t.voltage_v - g->blocks[1].voltage_v, -0.5, 0.05);
		assert_false(sense_jar(&s, p, g, 2, 0, &hold, &t));
		assert_true(sense_jar(&s, p, g, 3, 0, &hold, &t));
		if (i == 0)
			first = t.voltage_v;
		assert_true(t.voltage_v == first);
	}
	/* never in the state */
	for (int j = 0; j < 24; j++)
		assert_true(p->strings[0].blocks[j].voltage_v ==
			    quiet->strings[0].blocks[j].voltage_v);
	plant_free(p);
	plant_free(quiet);
}

/* The truth knows of a hot year that is planned, and forgets it when it is not. */
static void truth_knows(void **state)
{
	struct plant *p = plant(1, 24), *quiet = plant(1, 24);
	enum cause_names causes[24];
	double hot[24], cool[24], again[24];
	int id = plan(p, "high_temperature:all:value=10:rate=0:duration=365d");
	assert_int_equal(plant_life(p, &p->strings[0], hot, causes), 0);
	assert_int_equal(plant_life(quiet, &quiet->strings[0], cool, causes), 0);
	assert_true(stage_clear(p, id));
	assert_int_equal(plant_life(p, &p->strings[0], again, causes), 0);
	for (int i = 0; i < 24; i++) {
		near(again[i], cool[i], 0);
		/* within the year half is left, and a little; after it a year less */
		if (cool[i] > 0 && cool[i] < 365)
			assert_true(hot[i] < 0.6 * cool[i] && hot[i] > 0.4 * cool[i]);
		else if (cool[i] > 1000 && isfinite(cool[i]))
			near(cool[i] - hot[i], 400, 120);
	}
	plant_free(p);
	plant_free(quiet);
}

/* A short circuit inside ends the block; the string gets another one. */
static void runaway(void **state)
{
	struct plant *p = plant(1, 24);
	enum cause_names causes[24];
	double days[24];
	struct plant_string *s = &p->strings[0];
	int unit = s->jars[6].unit;
	plan(p, "thermal_runaway:DC-CNX-01-REC-01-S1-J07");
	advance_h(p, 24);
	assert_true(s->blocks[6].temperature_c > 60);
	assert_true(s->blocks[5].temperature_c < 40);
	assert_int_equal(plant_life(p, s, days, causes), 0);
	near(days[6], 0, 0);
	assert_int_equal(causes[6], cause_thermal_runaway);
	advance_h(p, 24 * 16);
	assert_int_equal(s->jars[6].unit, unit + 1);
	assert_true(s->blocks[6].temperature_c < 40);
	plant_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understood),
		cmocka_unit_test(refused),
		cmocka_unit_test(files),
		cmocka_unit_test(targets),
		cmocka_unit_test(rooms),
		cmocka_unit_test(power),
		cmocka_unit_test(blocks),
		cmocka_unit_test(rates),
		cmocka_unit_test(sensors_lie),
		cmocka_unit_test(truth_knows),
		cmocka_unit_test(runaway),
	};
	return cmocka_run_group_tests(tests, load_fleet, NULL);
}
