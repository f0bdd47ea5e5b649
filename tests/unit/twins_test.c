/*
 * The twins of a stream: who gets which model, what quality takes away, what a state
 * that is cut short or damaged does.
 */
#include "base/timefmt.h"
#include "estimate/twins.h"
#include "record/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const int64_t T0 = INT64_C(1788000000000);
static const char *const JAR = "DC-CNX-01-UPS-01-S1-J01";

static struct twins_options options(void)
{
	return (struct twins_options){.every_ms = MINUTE_MS,
		.refresh_ms = HOUR_MS,
		.rul_every_ms = DAY_MS,
		.tuning = TWIN_TUNING};
}

static struct twins *fresh(void)
{
	struct twins_options o = options();
	struct err err = {0};
	struct twins *t = twins_new(&o, &err);
	assert_non_null(t);
	return t;
}

static struct rec_telemetry telemetry(int64_t ts, float v, float a)
{
	struct rec_telemetry t;
	record_clear(kind_info(KIND_telemetry), &t);
	t.ts = ts;
	t.battery = str_of(JAR);
	t.voltage_v = v;
	t.current_a = a;
	t.temperature_c = 25;
	t.mode = mode_float;
	return t;
}

static struct twins_news take(struct twins *t, const struct rec_telemetry *r)
{
	struct twins_news news;
	struct err err = {0};
	assert_int_equal(twins_sample(t, r, &news, &err), 0);
	return news;
}

static void learn_model(struct twins *t, const char *name, float volts, float ah)
{
	struct rec_battery b;
	struct rec_battery_model m;
	struct err err = {0};
	record_clear(kind_info(KIND_battery_model), &m);
	m.name = str_of(name);
	m.nominal_voltage_v = volts;
	m.capacity_ah = ah;
	assert_int_equal(twins_learn(t, KIND_battery_model, &m, &err), 0);
	record_clear(kind_info(KIND_battery), &b);
	b.code = str_of(JAR);
	b.model = str_of(name);
	assert_int_equal(twins_learn(t, KIND_battery, &b, &err), 0);
}

static void test_unknown_model_option(void **state)
{
	(void)state;
	struct twins_options o = options();
	struct err err = {0};
	o.model = "no-such-model";
	assert_null(twins_new(&o, &err));
	assert_int_equal(err.class, ERR_USAGE);
	assert_non_null(strstr(err.msg, "no-such-model"));
	twins_free(NULL);
}

static void test_models(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		float volts, ah, expected_ah;
		const char *warning;
	} CASES[] = {{"UB121000", 12, 77, 100, NULL}, /* its file is believed */
		{"FOREIGN", 12, 60, 60, "estimating with"},
		{"FOREIGN", NAN, NAN, 120, "estimating with"},
		{"FOREIGN", 2, 60, 0, "no stand-in"}};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct twins *t = fresh();
		learn_model(t, CASES[i].name, CASES[i].volts, CASES[i].ah);
		struct rec_telemetry r = telemetry(T0, 12.6f, 0);
		struct twins_news n = take(t, &r);
		assert_int_equal(!n.warning, !CASES[i].warning);
		if (n.warning)
			assert_non_null(strstr(n.warning, CASES[i].warning));
		assert_int_equal(n.has_state, CASES[i].expected_ah > 0);
		assert_int_equal(!n.unused, n.has_state);
		if (n.has_state) {
			assert_true(fabs(n.state.capacity_ah / CASES[i].expected_ah -
					    1) < 0.06);
			/* Said once. */
			r.ts += MINUTE_MS;
			assert_null(take(t, &r).warning);
		}
		twins_free(t);
	}
}

static void test_quality(void **state)
{
	(void)state;
	static const int NO_VOLTAGE[] = {
		quality_voltage_range, quality_sentinel, quality_stuck, quality_stale};
	struct twins *t = fresh();
	struct rec_telemetry r = telemetry(T0, 12.6f, 0);
	float soc = take(t, &r).state.soc_pct;
	for (int i = 0; i < 4; i++) {
		r = telemetry(T0 + (1 + i) * 2 * HOUR_MS, 11.0f, 0);
		r.quality = BIT(NO_VOLTAGE[i]);
		struct twins_news n = take(t, &r);
		assert_true(n.has_state && fabsf(n.state.soc_pct - soc) < 0.01f);
	}
	/* Without the flag the same voltage counts. */
	for (int i = 0; i < 60; i++) {
		r = telemetry(T0 + 9 * HOUR_MS + i * MINUTE_MS, 11.9f, 0);
		r.quality = 0;
		take(t, &r);
	}
	r.ts += 2 * HOUR_MS;
	assert_true(take(t, &r).state.soc_pct < soc - 10);
	r.ts += HOUR_MS;
	r.quality = BIT(quality_duplicate);
	assert_string_equal(take(t, &r).unused, "a duplicate");
	twins_free(t);
}

/* A jar's own capacity test moves it; the test of its string does not. */
static void test_capacity_tests(void **state)
{
	(void)state;
	struct twins *t = fresh();
	struct rec_capacity_test c;
	struct err err = {0};
	struct rec_telemetry r = telemetry(T0, 12.6f, 0);
	float before = take(t, &r).state.soh_pct;
	record_clear(kind_info(KIND_capacity_test), &c);
	c.ts = T0;
	c.measured_capacity_ah = 72;
	c.rate_a = 12;
	c.ambient_c = 25;
	c.subject = str_of("DC-CNX-01-UPS-01-S1");
	assert_int_equal(twins_learn(t, KIND_capacity_test, &c, &err), 0);
	r.ts += 2 * HOUR_MS;
	assert_true(fabsf(take(t, &r).state.soh_pct - before) < 0.1f);
	c.subject = str_of(JAR);
	assert_int_equal(twins_learn(t, KIND_capacity_test, &c, &err), 0);
	r.ts += 2 * HOUR_MS;
	float after = take(t, &r).state.soh_pct;
	assert_true(after < 70 && after > 55);
	/* At 72 A an hour is all a full block gives (rate table: 60 %). */
	c.measured_capacity_ah = 72;
	c.rate_a = 72;
	for (int i = 0; i < 50; i++)
		assert_int_equal(twins_learn(t, KIND_capacity_test, &c, &err), 0);
	r.ts += 2 * HOUR_MS;
	assert_true(fabsf(take(t, &r).state.soh_pct - 100) < 3);
	twins_free(t);
}

static void stands(struct twins *t, const char *jar, double years)
{
	struct rec_battery b;
	struct err err = {0};
	record_clear(kind_info(KIND_battery), &b);
	b.code = str_of(jar);
	b.model = str_of("HX12-120");
	b.installed = T0 - (int64_t)(years * 365 * DAY_MS);
	b.initial_capacity_ah = 120;
	assert_int_equal(twins_learn(t, KIND_battery, &b, &err), 0);
}

/* The life left of a jar at ts. */
static float left(struct twins *t, const char *jar, int64_t ts)
{
	struct rec_telemetry r = telemetry(ts, 13.65f, 0.02f);
	r.battery = str_of(jar);
	struct twins_news news = take(t, &r);
	assert_true(news.has_rul);
	return news.rul.rul_days;
}

/* Jars found worn at three years foretell a shorter life for those of their string, a
 * little less so for those of their site, and nothing for others. */
static void test_kin(void **state)
{
	(void)state;
	static const char *const of[] = {"DC-CNX-01-UPS-01-S1-J09",
		"DC-CNX-01-UPS-01-S2-J01", "DC-BKK-01-UPS-01-S1-J01"};
	struct twins *t = fresh();
	struct rec_capacity_test c;
	struct err err = {0};
	float before[3], after[3];
	for (int i = 0; i < 3; i++) {
		stands(t, of[i], 3);
		before[i] = left(t, of[i], T0);
	}
	for (int jar = 1; jar <= 8; jar++) {
		char code[64];
		snprintf(code, sizeof(code), "DC-CNX-01-UPS-01-S1-J%02d", jar);
		stands(t, code, 3);
		left(t, code, T0);
		record_clear(kind_info(KIND_capacity_test), &c);
		c.ts = T0;
		c.subject = str_of(code);
		c.measured_capacity_ah = 98;
		c.rate_a = 12;
		c.ambient_c = 25;
		assert_int_equal(twins_learn(t, KIND_capacity_test, &c, &err), 0);
		left(t, code, T0 + DAY_MS);
	}
	for (int i = 0; i < 3; i++)
		after[i] = left(t, of[i], T0 + DAY_MS);
	assert_true(after[0] < 0.9f * before[0]);
	assert_true(after[1] < 0.98f * before[1] && after[1] > after[0]);
	assert_true(fabsf(after[2] - before[2]) < 3);
	twins_free(t);
}

/* A resistance measured by hand moves a twin that has no ohmic sensor; of a battery
 * that is not known, or no number, it moves nothing. */
static void test_impedance(void **state)
{
	(void)state;
	struct twins *t = fresh();
	struct rec_battery b;
	struct rec_impedance z;
	struct err err = {0};
	record_clear(kind_info(KIND_battery), &b);
	b.code = str_of(JAR);
	b.model = str_of("HX12-120");
	b.installed = T0 - 5 * 365 * DAY_MS;
	b.initial_resistance_mohm = 4;
	assert_int_equal(twins_learn(t, KIND_battery, &b, &err), 0);
	struct rec_telemetry r = telemetry(T0, 12.6f, 0);
	float before = take(t, &r).state.soh_pct;
	record_clear(kind_info(KIND_impedance), &z);
	z.ts = T0;
	z.battery = str_of("DC-CNX-01-UPS-01-S1-J02");
	z.corrected_mohm = 8;
	assert_int_equal(twins_learn(t, KIND_impedance, &z, &err), 0);
	z.battery = str_of(JAR);
	z.corrected_mohm = NAN;
	assert_int_equal(twins_learn(t, KIND_impedance, &z, &err), 0);
	r.ts += 30 * DAY_MS;
	assert_true(fabsf(take(t, &r).state.soh_pct - before) < 2);
	z.corrected_mohm = 6.4f;
	assert_int_equal(twins_learn(t, KIND_impedance, &z, &err), 0);
	r.ts += 30 * DAY_MS;
	assert_true(take(t, &r).state.soh_pct < before - 5);
	twins_free(t);
}

static void fill(struct twins *t)
{
	struct rec_string_telemetry s;
	struct err err = {0};
	learn_model(t, "FOREIGN", 12, 60);
	record_clear(kind_info(KIND_string_telemetry), &s);
	s.ts = T0;
	s.string = str_of("DC-CNX-01-UPS-01-S1");
	s.current_a = -3;
	assert_int_equal(twins_learn(t, KIND_string_telemetry, &s, &err), 0);
	for (int i = 0; i < 5; i++) {
		struct rec_telemetry r = telemetry(T0 + i * MINUTE_MS, 12.5f, NAN);
		take(t, &r);
	}
}

static void test_state_and_back(void **state)
{
	(void)state;
	struct twins *a = fresh(), *b = fresh();
	struct buf saved = {0}, again = {0};
	struct err err = {0};
	fill(a);
	assert_int_equal(twins_save(a, "x", &saved), 0);
	assert_int_equal(twins_load(b, "x", &saved, &err), 0);
	assert_int_equal(twins_save(b, "x", &again), 0);
	assert_int_equal(saved.len, again.len);
	assert_memory_equal(saved.data, again.data, saved.len);
	struct rec_telemetry r = telemetry(T0 + 2 * HOUR_MS, 12.4f, NAN);
	struct twins_news na = take(a, &r), nb = take(b, &r);
	assert_memory_equal(
		&na.state, &nb.state, offsetof(struct rec_twin_state, battery));
	assert_true(na.state.soc_pct == nb.state.soc_pct && nb.has_state);
	/* Other options, or every shorter piece: refused, and nothing breaks. */
	struct twins *c = fresh();
	assert_int_equal(twins_load(c, "y", &saved, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	twins_free(c);
	for (size_t n = 0; n < saved.len; n++) {
		uint8_t *piece = malloc(n + 1); /* so that a read past it is caught */
		struct buf part = {.data = piece, .len = n, .cap = n + 1};
		memcpy(piece, saved.data, n);
		c = fresh();
		assert_int_equal(twins_load(c, "x", &part, &err), -1);
		twins_free(c);
		free(piece);
	}
	twins_free(a);
	twins_free(b);
	buf_release(&saved);
	buf_release(&again);
}

/* One from before the record of a test could say how deep it went: of the same size,
 * but not the same. */
static void test_older_state(void **state)
{
	(void)state;
	static const char was[] = "floatline twins 1,";
	struct twins *a = fresh(), *b = fresh();
	struct buf saved = {0};
	struct err err = {0};
	fill(a);
	assert_int_equal(twins_save(a, "x", &saved), 0);
	memcpy(saved.data, was, sizeof(was) - 1);
	assert_int_equal(twins_load(b, "x", &saved, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	twins_free(a);
	twins_free(b);
	buf_release(&saved);
}

/* Under 1 KiB a battery, as the manual page says. */
static void test_size(void **state)
{
	(void)state;
	assert_true(twins_bytes_per_battery() < 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_unknown_model_option),
		cmocka_unit_test(test_models), cmocka_unit_test(test_quality),
		cmocka_unit_test(test_capacity_tests), cmocka_unit_test(test_impedance),
		cmocka_unit_test(test_kin), cmocka_unit_test(test_state_and_back),
		cmocka_unit_test(test_older_state), cmocka_unit_test(test_size)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
