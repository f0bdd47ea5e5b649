/* The alert engine over small fleets: ids, silence, incidents, windows, statuses. */
#include "rules/engine.h"
#include "rules/watermark.h"

#include "base/diag.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 INT64_C(1750000000000)
#define MIN(n) (T0 + (n)*MINUTE_MS)

/* What the engine said, a line each: "alert RULE SUBJECT state severity id". */
struct log {
	char line[4000][200];
	int n;
};
static struct log said;
static char incident_ids[4000][20]; /* by line */
static struct rule_set rules;
static struct engine *e;

static const char *word(int kind, int field, int value)
{
	return kind_info(kind)->fields[field].names->words[value];
}

static void hear(void *user, int kind, const void *rec)
{
	struct log *l = user;
	char *to = l->line[l->n++];
	assert_true(l->n < 4000);
	if (kind == KIND_alert) {
		const struct rec_alert *a = rec;
		snprintf(to, 200, "alert %.*s %.*s %s %s %.*s", STR_ARG(a->rule),
			STR_ARG(a->subject), word(KIND_alert, F_alert_state, a->state),
			word(KIND_alert, F_alert_severity, a->severity),
			STR_ARG(a->alert_id));
	} else if (kind == KIND_incident) {
		const struct rec_incident *n = rec;
		str_copy(incident_ids[l->n - 1], sizeof(*incident_ids), n->incident_id);
		snprintf(to, 200, "%s %.*s %.*s %s %d",
			n->parent_id.s ? "child" : "incident", STR_ARG(n->cause),
			STR_ARG(n->subject),
			word(KIND_incident, F_incident_state, n->state),
			n->alert_count);
	} else if (kind == KIND_status) {
		const struct rec_status *s = rec;
		snprintf(to, 200, "status %.*s %s %.*s", STR_ARG(s->subject),
			word(KIND_status, F_status_status, s->status),
			STR_ARG(s->reasons.n > 0 ? s->reasons.v[0] : STR_NIL));
	}
}

static void begin_run(const char *run)
{
	struct engine_options o = {.model = "HX12-120", .emit = hear};
	struct err err = {0};
	engine_free(e);
	e = engine_new(&rules, &o, &err);
	if (!e)
		fail_msg("%s", err.msg);
	said.n = 0;
	engine_begin(e, run, &said);
}

static void begin_with(const char *text)
{
	struct err err = {0};
	if (rule_set_parse(&rules, text, strlen(text), "test", &err) < 0)
		fail_msg("%s", err.msg);
	begin_run("");
}

static void begin_default(void)
{
	char path[4096];
	struct err err = {0};
	if (share_path("schemas/rules/default.ini", path, sizeof(path), &err) < 0 ||
		rule_set_load(&rules, path, &err) < 0)
		fail_msg("%s", err.msg);
	begin_run("");
}

static void feed(int kind, const void *rec)
{
	struct err err = {0};
	assert_true(engine_wants(e, kind));
	assert_true(engine_feed(e, kind, rec, &err) >= 0);
}

static const char *jar(int string, int n)
{
	static char code[CODE_MAX + 1];
	snprintf(code, sizeof(code), "DC-CNX-01-UPS-01-S%d-J%02d", string, n);
	return code;
}

static void sample_of(
	const char *code, int64_t ts, double volts, double celsius, int mode)
{
	struct rec_telemetry t;
	record_clear(kind_info(KIND_telemetry), &t);
	t.ts = ts;
	t.battery = str_of(code);
	t.voltage_v = (float)volts;
	t.temperature_c = (float)celsius;
	t.mode = mode;
	t.quality = 0;
	feed(KIND_telemetry, &t);
}

static void sample(int n, int64_t ts, double volts, double celsius)
{
	sample_of(jar(1, n), ts, volts, celsius, mode_float);
}

static void string_sample(int64_t ts, double volts, int mode)
{
	struct rec_string_telemetry t;
	record_clear(kind_info(KIND_string_telemetry), &t);
	t.ts = ts;
	t.string = str_of("DC-CNX-01-UPS-01-S1");
	t.voltage_v = (float)volts;
	t.mode = mode;
	feed(KIND_string_telemetry, &t);
}

static int count(const char *beginning)
{
	int n = 0;
	for (int i = 0; i < said.n; i++)
		n += strncmp(said.line[i], beginning, strlen(beginning)) == 0;
	return n;
}

static void expect(const char *beginning, int n)
{
	if (count(beginning) == n)
		return;
	for (int i = 0; i < said.n; i++)
		print_message("%s\n", said.line[i]);
	fail_msg("'%s': %d times, not %d", beginning, count(beginning), n);
}

static const char *last_word(const char *beginning, int nth)
{
	for (int i = 0; i < said.n; i++)
		if (strncmp(said.line[i], beginning, strlen(beginning)) == 0 &&
			nth-- == 0)
			return strrchr(said.line[i], ' ') + 1;
	return "";
}

#define HOT                                                                            \
	"[hot]\nkind = telemetry\nfield = temperature_c\ncondition = above\n"          \
	"warning = 35\ncritical = 45\nclear = 33\nfor = 2m\nkeep = 3m\nmessage = "     \
	"hot\n"

static void heat(int jar_number, int from, int to, double celsius)
{
	for (int m = from; m < to; m++)
		sample(jar_number, MIN(m), 13.6, celsius);
}

static void test_one_id_for_its_life(void **state)
{
	char first[32];
	begin_with(HOT);
	heat(1, 0, 5, 36);
	heat(1, 5, 10, 46);
	heat(1, 10, 15, 30);
	expect("alert", 3);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing warning", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	snprintf(first, sizeof(first), "%s", last_word("alert", 0));
	assert_int_equal(strlen(first), 16);
	assert_string_equal(first, last_word("alert", 1));
	assert_string_equal(first, last_word("alert", 2));
	heat(1, 20, 25, 36);
	expect("alert", 4);
	assert_string_not_equal(first, last_word("alert", 3));
	/* The same again is the same; another run is not. */
	begin_run("");
	heat(1, 0, 5, 36);
	assert_string_equal(first, last_word("alert", 0));
	begin_run("what-if");
	heat(1, 0, 5, 36);
	expect("alert", 1);
	assert_string_not_equal(first, last_word("alert", 0));
}

static void test_missing_data(void **state)
{
	begin_with(HOT);
	heat(1, 0, 5, 36);
	heat(1, 5, 60, NAN);
	expect("alert", 1);
	heat(1, 60, 70, 30);
	expect("alert", 2);
}

static void test_bad_quality_is_missing(void **state)
{
	struct rec_telemetry t;
	begin_with(HOT);
	for (int m = 0; m < 10; m++) {
		record_clear(kind_info(KIND_telemetry), &t);
		t.ts = MIN(m);
		t.battery = str_of("B1");
		t.temperature_c = 655.35F;
		t.quality = BIT(quality_temperature_range);
		feed(KIND_telemetry, &t);
	}
	expect("alert", 0);
}

/* Six jars a minute for n minutes; jar 'odd' shifted by 'ahead' ms. */
static void fleet(int from, int to, int odd, int64_t ahead)
{
	for (int m = from; m < to; m++)
		for (int j = 1; j <= 6; j++)
			sample(j, MIN(m) + (j == odd ? ahead : 0), 13.6, 25);
}

static void test_clock_a_day_ahead(void **state)
{
	for (int odd = 1; odd <= 6; odd++) {
		begin_default();
		fleet(0, 120, odd, DAY_MS);
		expect("alert", 0);
	}
}

static void test_one_falls_silent(void **state)
{
	begin_default();
	fleet(0, 10, 0, 0);
	for (int m = 10; m < 30; m++)
		for (int j = 2; j <= 6; j++)
			sample(j, MIN(m), 13.6, 25);
	expect("alert", 1);
	expect("alert jar-silent DC-CNX-01-UPS-01-S1-J01 firing warning", 1);
	fleet(30, 33, 0, 0);
	expect("alert", 2);
	expect("alert jar-silent DC-CNX-01-UPS-01-S1-J01 resolved", 1);
}

static void test_feed_resumes_after_a_gap(void **state)
{
	for (int gap = 6; gap < 5000; gap *= 3) {
		begin_default();
		fleet(0, 10, 0, 0);
		fleet(10 + gap, 20 + gap, 0, 0);
		expect("alert", 0);
	}
}

static void test_ticks_make_silence_seen(void **state)
{
	begin_default();
	fleet(0, 10, 0, 0);
	for (int m = 10; m < 25; m++) {
		struct rec_tick tick = {.source = str_of("gateway"), .ts = MIN(m)};
		feed(KIND_tick, &tick);
	}
	expect("alert jar-silent DC-CNX-01-UPS-01-S1-J0", 6 + 2);
	expect("incident jar-silent DC-CNX-01-UPS-01-S1 open 3", 1);
	/* Those that make it known fire; it speaks for the others. */
	expect("alert jar-silent DC-CNX-01-UPS-01-S1-J04 suppressed", 1);
	engine_end(e);
	expect("incident jar-silent DC-CNX-01-UPS-01-S1 open 6", 1);
	expect("incident", 2);
}

static void test_slow_sampling_is_not_silence(void **state)
{
	begin_default();
	for (int m = 0; m < 600; m += 10)
		for (int j = 1; j <= 6; j++)
			sample(j, MIN(m), 13.6, 25);
	expect("alert", 0);
}

static void test_watermark(void **state)
{
	struct watermark w;
	watermark_init(&w);
	assert_false(watermark_note(&w, 1, TIME_NIL, MIN(0)));
	assert_false(watermark_note(&w, 1, MIN(0), MIN(9)));
	assert_true(watermark_note(&w, 2, TIME_NIL, MIN(3)));
	assert_int_equal(w.now, MIN(3));
	assert_true(watermark_note(&w, 2, MIN(3), MIN(10)));
	assert_int_equal(w.now, MIN(9));
	assert_false(watermark_note(&w, 2, MIN(10), MIN(11)));
	assert_false(watermark_note(&w, 3, TIME_NIL, MIN(5000)));
	assert_false(watermark_note(&w, 3, MIN(5000), MIN(5001)));
	assert_int_equal(w.now, MIN(9));
	assert_true(watermark_note(&w, 1, MIN(9), MIN(5000)));
	assert_int_equal(w.now, MIN(5000));
	assert_false(watermark_tick(&w, MIN(4000)));
	assert_true(watermark_tick(&w, MIN(5030)));
	/* A source whose clock is ahead is not believed while others go on … */
	for (int i = 0; i < 1000; i++) {
		assert_false(watermark_tick(&w, MIN(9000)));
		if (i % 100 == 0)
			assert_true(watermark_tick(&w, MIN(5031) + i));
	}
	assert_int_equal(w.now, MIN(5031) + 900);
	/* … but when all is silent for long. */
	int n = 0;
	while (!watermark_tick(&w, MIN(9000)))
		n++;
	assert_in_range(n, 100, 300);
}

static void replace(int n, int64_t ts)
{
	struct rec_event v;
	record_clear(kind_info(KIND_event), &v);
	v.event_id = str_of("e1");
	v.ts = ts;
	v.subject = str_of(jar(1, n));
	v.type = event_type_replacement;
	v.status = event_status_completed;
	feed(KIND_event, &v);
}

static void test_replacement_resets(void **state)
{
	begin_with(HOT);
	heat(1, 0, 5, 36);
	heat(2, 0, 5, 36);
	replace(1, MIN(5));
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J02 resolved", 0);
	heat(1, 6, 10, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 2);
	assert_string_not_equal(
		last_word("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 0),
		last_word("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1));
}

static void window(const char *subject, int64_t from, int64_t until)
{
	struct rec_maintenance_window w = {.id = str_of("w"),
		.subject = str_of(subject),
		.from_ts = from,
		.until_ts = until};
	feed(KIND_maintenance_window, &w);
}

static void test_maintenance_window(void **state)
{
	begin_with(HOT);
	window("DC-CNX-01-UPS-01-S1", MIN(0), MIN(20));
	heat(1, 0, 20, 36);
	for (int m = 0; m < 5; m++)
		sample_of("DC-CNX-01-UPS-01-S10-J01", MIN(m), 13.6, 36, mode_float);
	expect("alert hot DC-CNX-01-UPS-01-S10-J01 firing", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 0);
	expect("status DC-CNX-01-UPS-01-S1-J01", 0);
	heat(1, 20, 22, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 warning", 1);
	assert_string_equal(last_word("alert hot DC-CNX-01-UPS-01-S1-J01 s", 0),
		last_word("alert hot DC-CNX-01-UPS-01-S1-J01 f", 0));
}

static void decide(const char *id, int64_t ts, int verb, int64_t until)
{
	struct rec_alert_action a;
	record_clear(kind_info(KIND_alert_action), &a);
	a.ts = ts;
	a.subject_id = str_of(id);
	a.action = verb;
	a.actor = str_of("somchai");
	a.until_ts = until;
	feed(KIND_alert_action, &a);
}

static void event_of(
	const char *subject, int64_t ts, int64_t end, int type, int progress);
static void heat_system(
	const char *system, int from, int to, int minute, double celsius);

static void test_shelved(void **state)
{
	char id[32];
	begin_with(HOT);
	heat(1, 0, 5, 36);
	heat(2, 0, 5, 36);
	snprintf(id, sizeof(id), "%s",
		last_word("alert hot DC-CNX-01-UPS-01-S1-J01", 0));
	decide(id, MIN(5), alert_verb_acknowledge, TIME_NIL);
	decide("0123456789abcdef", MIN(5), alert_verb_shelve, MIN(30));
	expect("alert", 2);
	decide(id, MIN(5), alert_verb_shelve, MIN(30));
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 unknown", 1);
	expect("alert", 3);
	heat(1, 5, 30, 46);
	expect("alert", 3);
	heat(1, 30, 32, 46);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	assert_string_equal(id, last_word("alert hot DC-CNX-01-UPS-01-S1-J01", 2));
	heat(1, 32, 40, 30);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved", 1);
}

/* The bridge tells what is in force again when the pipeline starts again. */
static void test_decisions_told_again(void **state)
{
	char id[32];
	begin_with(HOT);
	heat(1, 0, 5, 36);
	snprintf(id, sizeof(id), "%s",
		last_word("alert hot DC-CNX-01-UPS-01-S1-J01", 0));
	for (int i = 0; i < 3; i++)
		decide(id, MIN(5), alert_verb_shelve, MIN(30));
	expect("alert", 2);
	/* Its time is over. */
	heat(1, 5, 40, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 2);
	decide(id, MIN(5), alert_verb_shelve, MIN(30));
	decide(id, MIN(5), alert_verb_acknowledge, TIME_NIL);
	decide(id, MIN(5), alert_verb_assign, TIME_NIL);
	expect("alert", 3);
	decide(id, MIN(40), alert_verb_resolve, TIME_NIL);
	decide(id, MIN(40), alert_verb_resolve, TIME_NIL);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	/* A stream run again: the decision is there before the alert. */
	begin_run("");
	decide(id, MIN(5), alert_verb_shelve, MIN(30));
	heat(1, 0, 28, 36);
	expect("alert", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 1);
	heat(1, 28, 32, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	/* Without a time limit it is none. */
	struct rec_alert_action a;
	struct err err = {0};
	record_clear(kind_info(KIND_alert_action), &a);
	a.ts = MIN(33);
	a.subject_id = str_of(id);
	a.action = alert_verb_shelve;
	a.actor = str_of("somchai");
	assert_int_equal(engine_feed(e, KIND_alert_action, &a, &err), 1);
	assert_non_null(strstr(err.msg, "without a time limit"));
	expect("alert", 2);
}

/* The incident that was told of last in a line with that beginning. */
static void find_incident(const char *beginning, char id[20])
{
	id[0] = '\0';
	for (int i = 0; i < said.n; i++)
		if (strncmp(said.line[i], beginning, strlen(beginning)) == 0)
			memcpy(id, incident_ids[i], sizeof(incident_ids[i]));
}

/* Whoever shelves an incident shelves what is in it, and in what is part of it. */
static void test_an_incident_is_shelved(void **state)
{
	char id[20];
	begin_with(HOT);
	heat_system("UPS-01", 1, 2, 0, 36);
	expect("incident hot DC-CNX-01-UPS-01 open 6", 1);
	find_incident("incident hot DC-CNX-01-UPS-01 open", id);
	said.n = 0;
	decide(id, MIN(6), alert_verb_shelve, MIN(30));
	expect("alert", 6);
	expect("alert hot DC-CNX-01-UPS-01-S2-J03 suppressed", 1);
}

static void test_simulated_trouble(void **state)
{
	static const bool muted[] = {false, true};
	for (size_t i = 0; i < 2; i++) {
		struct engine_options o = {
			.model = "HX12-120", .emit = hear, .mute_scenarios = muted[i]};
		struct err err = {0};
		begin_with(HOT);
		engine_free(e);
		e = engine_new(&rules, &o, &err);
		assert_non_null(e);
		engine_begin(e, "", &said);
		event_of("DC-CNX-01", MIN(0), TIME_NIL, event_type_scenario,
			event_status_in_progress);
		heat(1, 0, 5, 36);
		expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", muted[i]);
		event_of("DC-CNX-01", MIN(0), MIN(5), event_type_scenario,
			event_status_completed);
		heat(1, 5, 7, 36);
		expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	}
}

static void test_resolved_by_hand(void **state)
{
	begin_with(HOT);
	for (int j = 1; j <= 3; j++)
		heat(j, 0, 5, 36);
	expect("incident hot DC-CNX-01-UPS-01-S1 open 3", 1);
	decide(last_word("alert hot DC-CNX-01-UPS-01-S1-J01", 0), MIN(6),
		alert_verb_resolve, TIME_NIL);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	decide(last_word("alert hot DC-CNX-01-UPS-01-S1-J02", 0), MIN(6),
		alert_verb_resolve, TIME_NIL);
	decide(last_word("alert hot DC-CNX-01-UPS-01-S1-J03", 0), MIN(6),
		alert_verb_resolve, TIME_NIL);
	expect("incident hot DC-CNX-01-UPS-01-S1 resolved 3", 1);
	/* What still holds comes back, as a new alert. */
	heat(1, 7, 12, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 3);
}

/* The bridge tells it again to a pipeline that has gone on from an older state. */
static void test_an_incident_is_resolved_as_it_was(void **state)
{
	char id[20];
	begin_with(HOT);
	for (int j = 1; j <= 3; j++)
		heat(j, 0, 5, 36);
	find_incident("incident hot DC-CNX-01-UPS-01-S1 open 3", id);
	heat(4, 5, 12, 36); /* hot before the decision, an alert after it */
	expect("incident hot DC-CNX-01-UPS-01-S1 open 4", 1);
	decide(id, MIN(6), alert_verb_resolve, TIME_NIL);
	for (int j = 1; j <= 3; j++) {
		char line[64];
		snprintf(line, sizeof(line),
			"alert hot DC-CNX-01-UPS-01-S1-J0%d resolved", j);
		expect(line, 1);
	}
	expect("alert hot DC-CNX-01-UPS-01-S1-J04 resolved", 0);
	decide(id, MIN(13), alert_verb_resolve, TIME_NIL);
	expect("alert hot DC-CNX-01-UPS-01-S1-J04 resolved", 1);
}

static void test_hold_off_after_discharge(void **state)
{
	begin_default();
	for (int m = 0; m < 10; m++)
		sample_of(jar(1, 1), MIN(m), 12.0, 25, mode_discharge);
	for (int m = 10; m < 72 * 60; m += 5)
		sample(1, MIN(m), 13.15, 25);
	expect("alert", 0);
	for (int m = 72 * 60; m < 79 * 60; m += 5)
		sample(1, MIN(m), 13.15, 25);
	expect("alert jar-float-deviation DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	/* 13.65 - 0.018 K x 20 is 13.29: at 45 degC the same voltage is right. */
	begin_default();
	for (int m = 0; m < 480; m++)
		sample(1, MIN(m), 13.15, 44);
	expect("alert jar-float-deviation", 0);
}

static void test_hold_off_after_equalize(void **state)
{
	begin_default();
	for (int m = 0; m < 300; m++) {
		sample_of(jar(1, 1), MIN(m), 14.4, 25,
			m < 10 ? mode_equalize : mode_float);
		string_sample(MIN(m), 14.4, m < 10 ? mode_equalize : mode_float);
	}
	expect("alert", 0);
}

static void test_discharge_alert_ends_with_it(void **state)
{
	begin_default();
	window("DC-CNX-01-UPS-01-S2", MIN(0), MIN(100));
	for (int m = 0; m < 20; m++)
		for (int s = 1; s <= 2; s++)
			sample_of(jar(s, 1), MIN(m), m < 5 ? 10.2 : 12.5, 25,
				m < 8 ? mode_discharge : mode_float);
	expect("alert jar-discharge-low DC-CNX-01-UPS-01-S1-J01 firing", 1);
	expect("alert jar-discharge-low DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	expect("alert jar-discharge-low DC-CNX-01-UPS-01-S2-J01 suppressed", 1);
	expect("alert jar-discharge-low DC-CNX-01-UPS-01-S2-J01 resolved", 1);
	/* Still low when the discharge ends: ended all the same. */
	begin_default();
	for (int m = 0; m < 20; m++)
		sample_of(jar(1, 1), MIN(m), 10.2, 25,
			m < 8 ? mode_discharge : mode_idle);
	expect("alert jar-discharge-low DC-CNX-01-UPS-01-S1-J01 resolved", 1);
}

static void test_urgent_is_not_suppressed(void **state)
{
	struct rec_capacity_test t;
	begin_default();
	window("DC-CNX-01-UPS-01-S1", MIN(0), MIN(100));
	record_clear(kind_info(KIND_capacity_test), &t);
	t.ts = MIN(5);
	t.subject = str_of(jar(1, 1));
	t.pct_of_rated = 70;
	feed(KIND_capacity_test, &t);
	expect("alert capacity-test-low DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
}

static void test_impossible_float(void **state)
{
	begin_default();
	for (int m = 0; m < 300; m++) {
		for (int j = 1; j <= 6; j++)
			sample(j, MIN(m), 11.4, 25);
		string_sample(MIN(m), 6 * 11.4, mode_float);
	}
	expect("alert", 1);
	expect("alert string-float-impossible DC-CNX-01-UPS-01-S1 firing critical", 1);
	expect("status DC-CNX-01-UPS-01-S1 critical string-float-impossible", 1);
	/* Without records of the string, the jars say so, as one incident. */
	begin_default();
	for (int m = 0; m < 300; m++)
		for (int j = 1; j <= 6; j++)
			sample(j, MIN(m), 11.4, 25);
	expect("alert jar-float-impossible", 6 + 2);
	expect("alert", 6 + 2);
	expect("incident jar-float-impossible DC-CNX-01-UPS-01-S1 open 6", 1);
	/* Not on float, it is a voltage like another. */
	begin_default();
	for (int m = 0; m < 300; m++) {
		sample_of(jar(1, 1), MIN(m), 11.4, 25, mode_idle);
		string_sample(MIN(m), 11.4, mode_idle);
	}
	expect("alert", 0);
}

static void test_band_of_the_string(void **state)
{
	static const struct {
		double volts, celsius;
		int alerts;
	} all[] = {{13.65, 25, 0}, {13.55, 25, 0}, {13.45, 25, 1}, {13.85, 25, 1},
		/* 13.65 V at 25 degC is 13.47 V at 35 degC. */
		{13.47, 35, 0}, {13.65, 35, 1}};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		begin_default();
		for (int m = 0; m < 60; m++) {
			sample(1, MIN(m), all[i].volts, all[i].celsius);
			string_sample(MIN(m), all[i].volts, mode_float);
		}
		expect("alert string-float-band", all[i].alerts);
	}
}

static void test_incidents(void **state)
{
	begin_with(HOT);
	heat(1, 0, 5, 36);
	heat(2, 1, 5, 36);
	expect("incident", 0);
	heat(3, 2, 6, 36);
	expect("incident hot DC-CNX-01-UPS-01-S1 open 3", 1);
	/* The first two are told again, as part of it. */
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 2);
	expect("alert hot DC-CNX-01-UPS-01-S1-J03 firing", 1);
	heat(4, 90, 95, 36);
	expect("incident hot DC-CNX-01-UPS-01-S1 open 4", 1);
	for (int j = 1; j <= 3; j++)
		heat(j, 100, 105, 30);
	expect("incident hot DC-CNX-01-UPS-01-S1 resolved", 0);
	heat(4, 100, 105, 30);
	expect("incident hot DC-CNX-01-UPS-01-S1 resolved 4", 1);
	assert_int_equal(engine_incidents(e), 1);
	/* Too far apart, or of several strings: no common cause. */
	begin_with(HOT);
	for (int j = 1; j <= 6; j++)
		heat(j, j * 10, j * 10 + 4, 36);
	expect("incident", 0);
	begin_with(HOT);
	for (int j = 1; j <= 6; j++)
		for (int m = 0; m < 4; m++)
			sample_of(jar(j, 1), MIN(m), 13.6, 36, mode_float);
	expect("incident", 0);
}

/* Jars 1 to 3 of strings from..to of a system at that temperature for some minutes. */
static void heat_system(
	const char *system, int from, int to, int minute, double celsius)
{
	for (int m = minute; m < minute + 6; m++)
		for (int s = from; s <= to; s++)
			for (int j = 1; j <= 3; j++) {
				char code[CODE_MAX];
				snprintf(code, sizeof(code), "DC-CNX-01-%s-S%d-J0%d",
					system, s, j);
				sample_of(code, MIN(m), 13.6, celsius, mode_float);
			}
}

static void test_incident_of_a_system(void **state)
{
	begin_with(HOT);
	heat_system("UPS-01", 1, 3, 0, 36);
	expect("incident hot DC-CNX-01-UPS-01-S1 open 3", 1);
	expect("incident hot DC-CNX-01-UPS-01 open 6", 1);
	expect("child hot DC-CNX-01-UPS-01-S1 open 3", 1);
	expect("child hot DC-CNX-01-UPS-01-S2 open 3", 1);
	/* The third string's are simply of it. */
	expect("alert hot DC-CNX-01-UPS-01-S3-J01 suppressed", 1);
	expect("incident hot DC-CNX-01-UPS-01 open 9", 1);
	expect("incident hot DC-CNX-01 ", 0);
	heat_system("UPS-01", 1, 2, 20, 30);
	expect("child hot DC-CNX-01-UPS-01-S1 resolved 3", 1);
	expect("incident hot DC-CNX-01-UPS-01 resolved", 0);
	heat_system("UPS-01", 3, 3, 20, 30);
	expect("incident hot DC-CNX-01-UPS-01 resolved 9", 1);
	assert_int_equal(engine_incidents(e), 3);
	/* It all can happen again. */
	said.n = 0;
	heat_system("UPS-01", 1, 2, 100, 36);
	expect("incident hot DC-CNX-01-UPS-01 open 6", 1);
}

static void test_incident_of_a_site(void **state)
{
	begin_with(HOT);
	heat_system("UPS-01", 1, 2, 0, 36);
	heat_system("REC-01", 1, 1, 1, 36);
	expect("incident hot DC-CNX-01-UPS-01 open 6", 1);
	expect("incident hot DC-CNX-01 open 9", 1);
	expect("child hot DC-CNX-01-UPS-01 open 6", 1);
	expect("child hot DC-CNX-01-REC-01-S1 open 3", 1);
	heat_system("UPS-01", 1, 2, 20, 30);
	heat_system("REC-01", 1, 1, 20, 30);
	expect("child hot DC-CNX-01-UPS-01-S1 resolved 3", 1);
	expect("child hot DC-CNX-01-UPS-01 resolved 6", 1);
	expect("incident hot DC-CNX-01 resolved 9", 1);
	/* Too far apart in time: two causes, maybe. */
	begin_with(HOT);
	heat_system("UPS-01", 1, 1, 0, 36);
	heat_system("REC-01", 1, 1, 10, 36);
	expect("incident hot DC-CNX-01 ", 0);
	expect("incident hot DC-CNX-01-UPS-01-S1 open 3", 1);
	expect("incident hot DC-CNX-01-REC-01-S1 open 3", 1);
}

static void room(int64_t ts, double celsius, int hvac);

#define COOLING                                                                        \
	"[hvac]\nkind = environment\nfield = hvac\ncondition = is\ncritical = "        \
	"fault\nkeep = 2m\naftermath = 1h\nincident = cooling failed\nmessage = "      \
	"hvac\n" HOT "effect_of = hvac\n"

static void cool(int from, int to, int hvac)
{
	for (int m = from; m < to; m++)
		room(MIN(m), 24, hvac);
}

static void test_a_cause_claims_its_effects(void **state)
{
	char id[32];
	begin_with(COOLING);
	sample(1, MIN(0), 13.6, 25);
	cool(0, 3, hvac_fault);
	expect("alert hvac DC-CNX-01-ENV01 firing critical", 1);
	expect("incident", 0);
	heat(1, 3, 8, 36);
	expect("incident hvac DC-CNX-01 open 2", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 1);
	expect("alert hvac DC-CNX-01-ENV01 firing", 2);
	/* The battery is warm all the same. */
	expect("status DC-CNX-01-UPS-01-S1-J01 warning hot", 1);
	for (int j = 2; j <= 6; j++)
		heat(j, 8, 12, 46);
	engine_end(e);
	expect("incident hvac DC-CNX-01 open 7", 1);
	expect("incident hot", 0);
	expect("alert hot DC-CNX-01-UPS-01-S1-J06 firing", 0);
	/* The cause is over, and then its effects are. */
	cool(12, 16, hvac_running);
	expect("alert hvac DC-CNX-01-ENV01 resolved", 1);
	for (int j = 1; j <= 6; j++)
		heat(j, 16, 20, 30);
	expect("incident hvac DC-CNX-01 resolved 7", 1);
	/* What follows soon is of it still, and opens it again … */
	heat(1, 30, 35, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 2);
	expect("incident hvac DC-CNX-01 open 8", 1);
	heat(1, 35, 40, 30);
	expect("incident hvac DC-CNX-01 resolved 8", 1);
	cool(40, 42, hvac_fault);
	expect("incident hvac DC-CNX-01 open 9", 1);
	snprintf(id, sizeof(id), "%s", last_word("alert hvac", 0));
	cool(42, 46, hvac_running);
	assert_int_equal(engine_incidents(e), 1);
	/* … later it is not. */
	heat(1, 200, 205, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	assert_int_equal(engine_incidents(e), 1);
	assert_int_equal(strlen(id), 16);
}

static void test_another_site_s_cause(void **state)
{
	begin_with(COOLING);
	cool(0, 3, hvac_fault);
	for (int m = 3; m < 8; m++)
		sample_of("DC-BKK-01-UPS-01-S1-J01", MIN(m), 13.6, 36, mode_float);
	expect("alert hot DC-BKK-01-UPS-01-S1-J01 firing", 1);
	expect("incident", 0);
}

/* The cause is noticed a little after what it does. */
static void test_a_late_cause(void **state)
{
	begin_with(COOLING);
	for (int j = 1; j <= 2; j++)
		heat(j, 0, 4, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	cool(4, 6, hvac_fault);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J02 suppressed", 1);
	engine_end(e);
	expect("incident hvac DC-CNX-01 open 3", 1);
	/* An incident of a string becomes part of it. */
	begin_with(COOLING);
	for (int j = 1; j <= 3; j++)
		heat(j, 0, 4, 36);
	expect("incident hot DC-CNX-01-UPS-01-S1 open 3", 1);
	cool(4, 6, hvac_fault);
	expect("child hot DC-CNX-01-UPS-01-S1 open 3", 1);
	engine_end(e);
	expect("incident hvac DC-CNX-01 open 4", 1);
	/* Too late. */
	begin_with(COOLING);
	heat(1, 0, 4, 36);
	cool(10, 12, hvac_fault);
	expect("incident", 0);
}

static void soh(int n, int64_t ts, double pct, double std)
{
	struct rec_twin_state t;
	record_clear(kind_info(KIND_twin_state), &t);
	t.ts = ts;
	t.battery = str_of(jar(1, n));
	t.unit = 0;
	t.soh_pct = (float)pct;
	t.soh_std_pct = (float)std;
	feed(KIND_twin_state, &t);
}

static void test_status(void **state)
{
	begin_default();
	sample(1, MIN(0), 13.6, 25);
	expect("status", 0);
	soh(1, MIN(1), 97, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 1);
	expect("status DC-CNX-01-UPS-01-S1 healthy", 1);
	soh(1, MIN(2), 89.9, 2);
	soh(1, MIN(3), 90.2, 2);
	soh(1, MIN(4), 89.9, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 watch soh 89.9 %", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01", 2);
	soh(1, MIN(5), 90.6, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 2);
	soh(1, MIN(6), 84, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 warning", 1);
	soh(1, MIN(7), 79, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 critical", 1);
	expect("status DC-CNX-01-UPS-01-S1 critical 1 battery critical", 1);
	/* An estimate that uncertain condemns nobody. */
	soh(2, MIN(7), 60, 20);
	expect("status DC-CNX-01-UPS-01-S1-J02 watch", 1);
	replace(1, MIN(8));
	expect("status DC-CNX-01-UPS-01-S1-J01 unknown", 1);
}

static void test_a_test_is_the_battery_s(void **state)
{
	struct rec_capacity_test t;
	begin_default();
	soh(1, MIN(1), 99, 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 1);
	record_clear(kind_info(KIND_capacity_test), &t);
	t.ts = MIN(5);
	t.subject = str_of(jar(1, 1));
	t.pct_of_rated = 70;
	feed(KIND_capacity_test, &t);
	expect("status DC-CNX-01-UPS-01-S1-J01 critical capacity-test-low", 1);
	replace(1, MIN(9));
	expect("alert capacity-test-low DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 unknown", 1);
}

static void test_impossible_data_is_not_healthy(void **state)
{
	begin_default();
	soh(1, MIN(0), 99, 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 1);
	for (int m = 0; m < 30; m++)
		string_sample(MIN(m), 11.4, mode_float);
	expect("status DC-CNX-01-UPS-01-S1-J01 unknown string-float-impossible", 1);
	soh(1, MIN(31), 99, 1);
	expect("status DC-CNX-01-UPS-01-S1-J01", 2);
	for (int m = 32; m < 90; m++)
		string_sample(MIN(m), 13.6, mode_float);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 2);
}

static void rul_between(int64_t ts, int source, double days, double upper)
{
	struct rec_rul r;
	record_clear(kind_info(KIND_rul), &r);
	r.ts = ts;
	r.battery = str_of(jar(1, 1));
	r.unit = 0;
	r.source = source;
	r.rul_days = (float)days;
	r.lower_days = (float)(days / 2);
	r.upper_days = (float)upper;
	feed(KIND_rul, &r);
}

static void rul(int64_t ts, int source, double days)
{
	rul_between(ts, source, days, 1.5 * days);
}

static void test_rul(void **state)
{
	begin_default();
	for (int d = 0; d < 5; d++) {
		rul(T0 + d * DAY_MS, rul_source_fused, 400 - d);
		rul(T0 + d * DAY_MS, rul_source_ml, 50);
	}
	expect("alert", 0);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 1);
	rul(T0 + 5 * DAY_MS, rul_source_fused, 300);
	expect("alert jar-rul-drop DC-CNX-01-UPS-01-S1-J01 firing warning", 1);
	rul(T0 + 6 * DAY_MS, rul_source_fused, 85);
	rul(T0 + 7 * DAY_MS, rul_source_fused, 84);
	expect("alert jar-rul-low", 0);
	rul(T0 + 8 * DAY_MS, rul_source_fused, 83);
	expect("alert jar-rul-low DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	/* By its number; with the alert on it; when the drop is over. */
	expect("status DC-CNX-01-UPS-01-S1-J01 critical jar-rul-drop", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 critical jar-rul-low", 2);
	/* When the better source is gone for a week, the next one counts. */
	begin_default();
	rul(T0, rul_source_fused, 400);
	for (int d = 8; d < 11; d++)
		rul(T0 + d * DAY_MS, rul_source_ml, 50);
	expect("alert jar-rul-low", 1);
}

/* The first word on a battery, or one that may as well be years, condemns nobody. */
static void test_uncertain_rul(void **state)
{
	static const double upper[] = {4000, 1e30, NAN, 60, 0};
	for (size_t i = 0; i < sizeof(upper) / sizeof(*upper); i++) {
		begin_default();
		rul_between(T0, rul_source_twin, 20, upper[i]);
		expect("alert", 0);
		expect("status DC-CNX-01-UPS-01-S1-J01 watch rul uncertain, 20 d", 1);
		expect("status DC-CNX-01-UPS-01-S1-J01", 1);
	}
	for (size_t i = 0; i < 3; i++) {
		begin_default();
		for (int d = 0; d < 10; d++)
			rul_between(T0 + d * DAY_MS, rul_source_twin, 20, upper[i]);
		expect("alert", 0);
	}
	/* What is said for days and within bounds is believed, and ends with them. */
	begin_default();
	for (int d = 0; d < 4; d++)
		rul_between(T0 + d * DAY_MS, rul_source_twin, 20, 60);
	expect("alert jar-rul-low DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 critical", 1);
	for (int d = 4; d < 8; d++)
		rul_between(T0 + d * DAY_MS, rul_source_twin, 800, 2000);
	expect("alert jar-rul-low DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 healthy", 1);
}

static void test_what_is_no_drop(void **state)
{
	/* Estimates that settle, then another source that knows better. */
	begin_default();
	rul(T0, rul_source_twin, 700);
	for (int d = 1; d < 6; d++)
		rul(T0 + d * DAY_MS, rul_source_twin, 500 - d);
	for (int d = 6; d < 9; d++)
		rul(T0 + d * DAY_MS, rul_source_fused, 300 - d);
	expect("alert", 0);
	rul(T0 + 9 * DAY_MS, rul_source_fused, 200);
	expect("alert jar-rul-drop DC-CNX-01-UPS-01-S1-J01 firing", 1);
	/* As much, of a life that nobody knows within years. */
	begin_default();
	for (int d = 0; d < 9; d++)
		rul_between(T0 + d * DAY_MS, rul_source_fused, d < 6 ? 900 : 600, 3000);
	expect("alert", 0);
}

static void test_reasons_are_told_anew(void **state)
{
	begin_default();
	soh(1, MIN(1), 84, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 warning soh 84.0 %", 1);
	for (int m = 2; m < 50; m++)
		soh(1, MIN(m), m % 2 ? 83.5 : 84.4, m % 3 ? 2 : 7.9);
	expect("status DC-CNX-01-UPS-01-S1-J01", 1);
	soh(1, MIN(50), 82.9, 2);
	expect("status DC-CNX-01-UPS-01-S1-J01 warning soh 82.9 %", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01", 2);
	for (int m = 51; m < 115; m++)
		soh(1, MIN(m), 82.9, 2);
	/* The alert on it is a reason of its own. */
	expect("status DC-CNX-01-UPS-01-S1-J01 warning jar-soh-low", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01", 3);
	/* A doubt that hovers about its limit comes once. */
	for (int m = 115; m < 160; m++)
		soh(1, MIN(m), 82.9, m % 2 ? 8.1 : 7.9);
	expect("status DC-CNX-01-UPS-01-S1-J01", 4);
	/* The new block has other reasons than the old one. */
	replace(1, MIN(160));
	expect("status DC-CNX-01-UPS-01-S1-J01 unknown", 1);
	/* Remaining life: by a tenth. */
	begin_default();
	for (int d = 0; d < 30; d++)
		rul(T0 + d * DAY_MS, rul_source_fused, 170 - d);
	expect("status DC-CNX-01-UPS-01-S1-J01 watch rul uncertain, 170 d", 1);
	expect("status DC-CNX-01-UPS-01-S1-J01 warning jar-rul-low", 2);
}

static void event_of(
	const char *subject, int64_t ts, int64_t end, int type, int progress)
{
	struct rec_event v;
	record_clear(kind_info(KIND_event), &v);
	v.event_id = str_of("e2");
	v.ts = ts;
	v.end_ts = end;
	v.subject = str_of(subject);
	v.type = type;
	v.status = progress;
	feed(KIND_event, &v);
}

/* Jar 1 of S1 and S2: discharged for 5 h, charged for 10 h, then on float; empty and
 * warm for 20 h. */
static void empty_for_20_h(int from_h)
{
	for (int m = from_h * 60; m < (from_h + 60) * 60; m += 5)
		for (int s = 1; s <= 2; s++) {
			int h = m / 60 - from_h;
			struct rec_twin_state t;
			sample_of(jar(s, 1), MIN(m), 13.6, 25,
				h < 5    ? mode_discharge
				: h < 15 ? mode_boost
					 : mode_float);
			record_clear(kind_info(KIND_twin_state), &t);
			t.ts = MIN(m);
			t.battery = str_of(jar(s, 1));
			t.unit = 0;
			t.soc_std_pct = 1;
			t.autonomy_min = h < 20 ? 2 : 40;
			feed(KIND_twin_state, &t);
		}
}

#define AUTONOMY                                                                       \
	"[autonomy]\nkind = twin_state\nfield = autonomy_min\ncondition = below\n"     \
	"critical = 15\nfor = 10m\nafter_planned = 24h\nmessage = {value}\n"

static void test_planned_work(void **state)
{
	static const struct {
		const char *subject;
		int type, progress, alerts; /* of S1; S2 always has one */
	} all[] = {
		{"DC-CNX-01-UPS-01-S1", event_type_capacity_test,
			event_status_in_progress, 0},
		{"DC-CNX-01-UPS-01-S1-J01", event_type_generator_test,
			event_status_in_progress, 0},
		{"DC-CNX-01-UPS-01-S1", event_type_equalize, event_status_completed, 0},
		{"DC-CNX-01-UPS-01-S1", event_type_capacity_test,
			event_status_scheduled, 1},
		{"DC-CNX-01-UPS-01-S1", event_type_inspection, event_status_in_progress,
			1},
		{"DC-CNX-01-UPS-01-S10", event_type_capacity_test,
			event_status_in_progress, 1},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		begin_with(AUTONOMY);
		sample_of(jar(1, 1), T0 - MINUTE_MS, 13.6, 25, mode_float);
		event_of(all[i].subject, T0, TIME_NIL, all[i].type, all[i].progress);
		empty_for_20_h(0);
		expect("alert autonomy DC-CNX-01-UPS-01-S1-J01 firing", all[i].alerts);
		expect("alert autonomy DC-CNX-01-UPS-01-S2-J01 firing", 1);
		/* The next one is not planned. */
		empty_for_20_h(100);
		expect("alert autonomy DC-CNX-01-UPS-01-S1-J01 firing",
			all[i].alerts + 1);
	}
	/* An outage during the test: in earnest. */
	begin_with(AUTONOMY);
	sample_of(jar(1, 1), T0 - MINUTE_MS, 13.6, 25, mode_float);
	event_of("DC-CNX-01-UPS-01-S1", T0, TIME_NIL, event_type_capacity_test,
		event_status_in_progress);
	event_of("DC-CNX-01", MIN(1), TIME_NIL, event_type_outage,
		event_status_in_progress);
	empty_for_20_h(0);
	expect("alert autonomy DC-CNX-01-UPS-01-S1-J01 firing", 1);
}

static void test_default_rules_know_planned_work(void **state)
{
	begin_default();
	static const char *const names[] = {"jar-autonomy-low", "jar-temperature-rise"};
	for (size_t i = 0; i < 2; i++) {
		int r = rule_find(&rules, names[i]);
		assert_true(r >= 0);
		assert_int_equal(rules.rules[r].after_planned_ms, DAY_MS);
	}
}

static void room(int64_t ts, double celsius, int hvac)
{
	struct rec_environment t;
	record_clear(kind_info(KIND_environment), &t);
	t.ts = ts;
	t.sensor = str_of("DC-CNX-01-ENV01");
	t.temperature_c = (float)celsius;
	t.hvac = hvac;
	feed(KIND_environment, &t);
}

static void test_room(void **state)
{
	begin_default();
	for (int m = 0; m < 60; m++) {
		room(MIN(m), 22, hvac_running);
		sample(1, MIN(m), 13.6, 28);
		sample(2, MIN(m), 13.6, 26);
	}
	expect("alert", 1);
	expect("alert jar-temperature-rise DC-CNX-01-UPS-01-S1-J01 firing warning", 1);
	/* The jars of a room that cools are warmer for hours: nothing is wrong. */
	begin_default();
	for (int m = 0; m < 600; m++) {
		room(MIN(m), m < 120 ? 33 : 24, hvac_running);
		sample(1, MIN(m), 13.6,
			m < 120 ? 33.5 : 24.5 + 9 * exp(-(m - 120) / 420.0));
	}
	expect("alert jar-temperature-rise", 0);
	begin_default();
	for (int m = 0; m < 60; m++)
		room(MIN(m), 22,
			m < 20   ? hvac_running
			: m < 40 ? hvac_degraded
				 : hvac_fault);
	expect("alert hvac-fault DC-CNX-01-ENV01 firing warning", 1);
	expect("alert hvac-fault DC-CNX-01-ENV01 firing critical", 1);
	for (int m = 60; m < 120; m++)
		room(MIN(m), 22, hvac_standby);
	expect("alert hvac-fault DC-CNX-01-ENV01 resolved", 1);
}

static void test_resistance_drift(void **state)
{
	struct rec_battery b;
	begin_default();
	record_clear(kind_info(KIND_battery), &b);
	b.code = str_of(jar(1, 1));
	b.model = str_of("HX12-120");
	b.initial_resistance_mohm = 4;
	feed(KIND_battery, &b);
	for (int m = 0; m < 24 * 60; m += 5) {
		struct rec_telemetry t;
		record_clear(kind_info(KIND_telemetry), &t);
		t.ts = MIN(m);
		t.battery = str_of(jar(1, 1));
		t.temperature_c = 25;
		t.resistance_mohm = 5.6F;
		feed(KIND_telemetry, &t);
	}
	expect("alert", 1);
	expect("alert jar-resistance-drift DC-CNX-01-UPS-01-S1-J01 firing warning", 1);
}

static void test_model_and_system_limits(void **state)
{
	struct rec_system y;
	begin_default();
	record_clear(kind_info(KIND_system), &y);
	y.code = str_of("DC-CNX-01-UPS-01");
	y.required_autonomy_min = 15;
	feed(KIND_system, &y);
	for (int s = 1; s <= 2; s++)
		for (int m = 0; m < 20; m++) {
			struct rec_twin_state t;
			record_clear(kind_info(KIND_twin_state), &t);
			t.ts = MIN(m);
			t.battery = str_of(jar(s, 1));
			t.unit = 0;
			t.soc_std_pct = 1;
			t.autonomy_min = s == 1 ? 14 : 16;
			feed(KIND_twin_state, &t);
		}
	expect("alert", 1);
	expect("alert jar-autonomy-low DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	/* The end of life of that cell is 70 %: a test at 75 % is a warning. */
	begin_default();
	struct rec_battery cell;
	record_clear(kind_info(KIND_battery), &cell);
	cell.code = str_of("B0005");
	cell.model = str_of("NASA-18650");
	feed(KIND_battery, &cell);
	struct rec_capacity_test t;
	record_clear(kind_info(KIND_capacity_test), &t);
	t.ts = T0;
	t.subject = str_of("B0005");
	t.pct_of_rated = 75;
	feed(KIND_capacity_test, &t);
	expect("alert capacity-test-low B0005 firing warning", 1);
	/* A lithium cell has no float voltage: nothing about it is impossible. */
	struct rec_battery b;
	begin_default();
	record_clear(kind_info(KIND_battery), &b);
	b.code = str_of("B0005");
	b.model = str_of("NASA-18650");
	feed(KIND_battery, &b);
	for (int m = 0; m < 200; m++)
		sample_of("B0005", MIN(m), 3.7, 25, mode_float);
	expect("alert", 0);
}

/* Fills the record with what a stream may bring: odd codes, missing and wild values. */
static void random_record(const struct kind_info *k, void *rec, uint64_t key)
{
	static const char *const codes[] = {"DC-CNX-01-UPS-01-S1-J01",
		"DC-CNX-01-UPS-01-S1-J02", "DC-CNX-01-UPS-01-S1-J03",
		"DC-CNX-01-UPS-01-S1-J04", "DC-CNX-01-UPS-01-S1", "DC-CNX-01-UPS-01",
		"DC-CNX-01", "DC-CNX-01-ENV01", "B", "-", "", "S1-J01", "HX12-120"};
	record_clear(k, rec);
	for (int i = 0; i < k->nfields; i++) {
		const struct field_info *f = &k->fields[i];
		void *p = (char *)rec + f->offset;
		double u = rng_uniform(key, (uint64_t)i);
		uint64_t bits = rng_bits(key, (uint64_t)i + 1000);
		if (u < 0.1 && !f->need)
			continue;
		if (f->type == T_F32)
			*(float *)p = (float)(u < 0.2 ? -1e30 : u < 0.5 ? 11 : 100 * u);
		else if (f->type == T_F64)
			*(double *)p = 100 * u;
		else if (f->type == T_INT)
			*(int32_t *)p = (int32_t)(bits % 30);
		else if (f->type == T_ENUM)
			*(int32_t *)p = (int32_t)(bits % (uint64_t)f->names->n);
		else if (f->type == T_BITS)
			*(int32_t *)p = (int32_t)(bits % (1U << f->names->n));
		else if (f->type == T_CODE)
			*(struct str *)p = str_of(codes[bits % 13]);
	}
}

/* For each rule and subject: open with one id, closed with the same, never opened
 * twice. Alerts told again for their incident or severity keep their id. */
static void check_lives(void)
{
	static char open[512][200];
	int n = 0;
	for (int i = 0; i < said.n; i++) {
		char rule[64], subject[64], state[20], severity[20], id[20], who[160];
		if (sscanf(said.line[i], "alert %63s %63s %19s %19s %19s", rule,
			    subject, state, severity, id) != 5)
			continue;
		snprintf(who, sizeof(who), "%s %s", rule, subject);
		size_t len = strlen(who);
		int at = 0;
		while (at < n && strncmp(open[at], who, len + 1) != 0)
			at++;
		bool ends = strcmp(state, "resolved") == 0;
		if (at == n) {
			assert_false(ends);
			assert_true(n < 512);
			memcpy(open[n], who, len + 1);
			memcpy(open[n++] + len + 1, id, sizeof(id));
		} else if (!open[at][len + 1]) {
			assert_false(ends);
			memcpy(open[at] + len + 1, id, sizeof(id));
		}
		assert_string_equal(open[at] + len + 1, id);
		if (ends)
			open[at][len + 1] = '\0';
	}
}

/* T0 is in June. */
static void test_elsewhere_and_in_season(void **state)
{
	begin_with("[seasons]\njune = 06-01..06-30\njuly = 07-01..07-31\n" HOT
		   "[a]\noverrides = hot\nsite = DC-BKK-01\nwarning = 40\nclear = 38\n"
		   "[b]\noverrides = hot\nsite = DC-CNX-01-UPS-01-S2\n"
		   "season = june\nwarning = 30\nclear = 29\n"
		   "[c]\noverrides = hot\nsite = DC-CNX-01-UPS-01-S2\n"
		   "season = july\nenabled = no\n");
	for (int m = 0; m < 5; m++) {
		sample_of("DC-BKK-01-UPS-01-S1-J01", MIN(m), 13.6, 36, mode_float);
		sample_of("DC-CNX-01-UPS-01-S1-J01", MIN(m), 13.6, 36, mode_float);
		sample_of("DC-CNX-01-UPS-01-S2-J01", MIN(m), 13.6, 31, mode_float);
	}
	expect("alert", 2);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	expect("alert hot DC-CNX-01-UPS-01-S2-J01 firing", 1);
	sample_of("DC-CNX-01-UPS-01-S2-J01", T0 + 30 * DAY_MS, 13.6, 31, mode_float);
	expect("alert hot DC-CNX-01-UPS-01-S2-J01 resolved", 1);
	/* The default rules of January, June. */
	begin_default();
	int64_t january = T0 + 210 * DAY_MS;
	for (int m = 0; m < 10; m++) {
		sample_of(jar(1, 1), MIN(m), 13.5, 34, mode_float);
		sample_of(jar(2, 1), january + m * MINUTE_MS, 13.5, 34, mode_float);
	}
	expect("alert jar-temperature-high DC-CNX-01-UPS-01-S1-J01", 0);
	expect("alert jar-temperature-high DC-CNX-01-UPS-01-S2-J01 firing", 1);
}

/* The engine's state through bytes into another one, under the same rules. */
static void move_over(void)
{
	struct engine_options o = {.model = "HX12-120", .emit = hear};
	struct err err = {0};
	struct buf b = {0};
	struct engine *other = engine_new(&rules, &o, &err);
	assert_non_null(other);
	engine_begin(other, "", &said);
	assert_int_equal(engine_save(e, "same", &b), 0);
	assert_int_equal(engine_load(other, "another", &b, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	engine_free(other);
	other = engine_new(&rules, &o, &err);
	engine_begin(other, "", &said);
	if (engine_load(other, "same", &b, &err) < 0)
		fail_msg("%s", err.msg);
	engine_free(e);
	e = other;
	buf_release(&b);
}

/* Records of all kinds; 'every' so many, what 'disturb' does. */
static void anything(int every, void (*disturb)(void))
{
	union rec_any *rec = malloc(sizeof(*rec));
	int64_t ts = T0;
	assert_non_null(rec);
	begin_default();
	for (uint64_t i = 0; i < 30000 && said.n < 3900; i++) {
		uint64_t key = rng_key(7, i);
		const struct kind_info *k = kind_at((int)(rng_bits(key, 1) % 30));
		if (!k || kind_is_frame(k->kind) || !engine_wants(e, k->kind))
			continue;
		random_record(k, rec, key);
		ts += (int64_t)(rng_uniform(key, 2) * 30000);
		int f = field_index(k, str_of("ts"));
		double u = rng_uniform(key, 3);
		if (f >= 0)
			*(int64_t *)(void *)((char *)rec + k->fields[f].offset) =
				u < 0.01    ? ts + DAY_MS
				: u < 0.02  ? ts - HOUR_MS
				: u < 0.021 ? TIME_MAX
				: u < 0.022 ? TIME_MIN
					    : ts;
		feed(k->kind, rec);
		if (every && i % (uint64_t)every == 0)
			disturb();
	}
	free(rec);
}

static void test_anything_may_come(void **state)
{
	anything(0, NULL);
	assert_true(count("alert") > 50);
	check_lives();
}

static struct rule_set again;

static void reload_again(void)
{
	struct err err = {0};
	assert_int_equal(
		rule_set_parse(&again, rules.text, rules.text_len, "same", &err), 0);
	assert_int_equal(engine_reload(e, &again, &err), 0);
	assert_int_equal(engine_reload(e, &rules, &err), 0);
}

static void test_a_restart_changes_nothing(void **state)
{
	struct log *first = malloc(sizeof(*first));
	assert_non_null(first);
	anything(0, NULL);
	*first = said;
	anything(97, move_over);
	assert_int_equal(said.n, first->n);
	for (int i = 0; i < said.n; i++)
		assert_string_equal(said.line[i], first->line[i]);
	anything(97, reload_again);
	assert_int_equal(said.n, first->n);
	for (int i = 0; i < said.n; i++)
		assert_string_equal(said.line[i], first->line[i]);
	free(first);
}

/* Each byte of a state changed: taken up or refused, never a crash. */
static void test_a_damaged_state(void **state)
{
	struct engine_options o = {.model = "HX12-120", .emit = hear};
	struct err err = {0};
	struct buf b = {0};
	begin_with(COOLING);
	sample(1, MIN(0), 13.6, 25);
	cool(0, 3, hvac_fault);
	heat(1, 3, 8, 36);
	assert_int_equal(engine_save(e, "", &b), 0);
	for (size_t i = 0; i < b.len; i++) {
		struct engine *other = engine_new(&rules, &o, &err);
		assert_non_null(other);
		engine_begin(other, "", &said);
		said.n = 0;
		b.data[i] ^= 0xff;
		(void)engine_load(other, "", &b, &err);
		b.data[i] ^= 0xff;
		size_t whole = b.len;
		b.len = i;
		assert_int_equal(engine_load(other, "", &b, &err), -1);
		b.len = whole;
		engine_free(other);
	}
	buf_release(&b);
}

static struct rule_set later;

static void reload(const char *text)
{
	struct err err = {0};
	/* The set in force is the one not parsed now. */
	struct rule_set *set = e && later.n ? &again : &later;
	if (rule_set_parse(set, text, strlen(text), "later", &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(engine_reload(e, set, &err), 0);
	if (set == &again)
		rule_set_release(&later);
}

static void test_other_rules(void **state)
{
	char id[32];
	begin_with(HOT);
	heat(1, 0, 5, 36);
	snprintf(id, sizeof(id), "%s", last_word("alert hot", 0));
	/* Another rule before it, another threshold: the alert goes on. */
	reload("[low]\nkind = telemetry\nfield = voltage_v\ncondition = below\n"
	       "warning = 13\nmessage = low\n"
	       "[of-string]\nkind = string_telemetry\nfield = voltage_v\n"
	       "condition = below\nwarning = 13\nmessage = low\n"
	       "[hot]\nkind = telemetry\nfield = temperature_c\ncondition = above\n"
	       "warning = 35\ncritical = 40\nkeep = 3m\nmessage = hot\n");
	expect("alert", 1);
	heat(1, 5, 7, 41);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing critical", 1);
	assert_string_equal(id, last_word("alert hot", 1));
	sample(2, MIN(7), 12, 25);
	expect("alert low DC-CNX-01-UPS-01-S1-J02 firing", 1);
	string_sample(MIN(7), 12, mode_float);
	expect("alert of-string DC-CNX-01-UPS-01-S1 firing", 1);
	/* Gone: what it raised is over. A severity gone: back to the other. */
	reload("[hot]\nkind = telemetry\nfield = temperature_c\ncondition = above\n"
	       "warning = 35\nkeep = 3m\nmessage = hot\n");
	expect("alert low DC-CNX-01-UPS-01-S1-J02 resolved", 1);
	expect("alert of-string DC-CNX-01-UPS-01-S1 resolved", 1);
	heat(1, 7, 12, 30);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved warning", 1);
	assert_string_equal(id, last_word("alert hot", 2));
	rule_set_release(&later);
	rule_set_release(&again);
	engine_free(e);
	e = NULL;
}

static void test_a_cause_that_is_no_rule_any_more(void **state)
{
	begin_with(COOLING);
	sample(1, MIN(0), 13.6, 25);
	cool(0, 3, hvac_fault);
	heat(1, 3, 8, 36);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 suppressed", 1);
	reload(HOT);
	expect("alert hvac DC-CNX-01-ENV01 resolved", 1);
	expect("incident hvac DC-CNX-01 resolved 2", 1);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 firing", 1);
	heat(1, 8, 13, 30);
	expect("alert hot DC-CNX-01-UPS-01-S1-J01 resolved", 1);
	engine_free(e);
	e = NULL;
	rule_set_release(&later);
}

static void test_unknown_model(void **state)
{
	struct engine_options o = {.model = "no-such", .emit = hear};
	struct err err = {0};
	assert_null(engine_new(&rules, &o, &err));
	assert_int_equal(err.class, ERR_USAGE);
	assert_non_null(strstr(err.msg, "no-such"));
}

static int release(void **state)
{
	engine_free(e);
	rule_set_release(&rules);
	rule_set_release(&again);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_id_for_its_life),
		cmocka_unit_test(test_missing_data),
		cmocka_unit_test(test_bad_quality_is_missing),
		cmocka_unit_test(test_clock_a_day_ahead),
		cmocka_unit_test(test_one_falls_silent),
		cmocka_unit_test(test_feed_resumes_after_a_gap),
		cmocka_unit_test(test_ticks_make_silence_seen),
		cmocka_unit_test(test_slow_sampling_is_not_silence),
		cmocka_unit_test(test_watermark),
		cmocka_unit_test(test_replacement_resets),
		cmocka_unit_test(test_maintenance_window),
		cmocka_unit_test(test_shelved),
		cmocka_unit_test(test_decisions_told_again),
		cmocka_unit_test(test_an_incident_is_shelved),
		cmocka_unit_test(test_simulated_trouble),
		cmocka_unit_test(test_resolved_by_hand),
		cmocka_unit_test(test_an_incident_is_resolved_as_it_was),
		cmocka_unit_test(test_hold_off_after_discharge),
		cmocka_unit_test(test_hold_off_after_equalize),
		cmocka_unit_test(test_discharge_alert_ends_with_it),
		cmocka_unit_test(test_urgent_is_not_suppressed),
		cmocka_unit_test(test_impossible_float),
		cmocka_unit_test(test_band_of_the_string),
		cmocka_unit_test(test_incidents),
		cmocka_unit_test(test_incident_of_a_system),
		cmocka_unit_test(test_incident_of_a_site),
		cmocka_unit_test(test_a_cause_claims_its_effects),
		cmocka_unit_test(test_another_site_s_cause),
		cmocka_unit_test(test_a_late_cause),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_a_test_is_the_battery_s),
		cmocka_unit_test(test_impossible_data_is_not_healthy),
		cmocka_unit_test(test_rul),
		cmocka_unit_test(test_uncertain_rul),
		cmocka_unit_test(test_what_is_no_drop),
		cmocka_unit_test(test_reasons_are_told_anew),
		cmocka_unit_test(test_planned_work),
		cmocka_unit_test(test_default_rules_know_planned_work),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_resistance_drift),
		cmocka_unit_test(test_model_and_system_limits),
		cmocka_unit_test(test_anything_may_come),
		cmocka_unit_test(test_elsewhere_and_in_season),
		cmocka_unit_test(test_a_restart_changes_nothing),
		cmocka_unit_test(test_a_damaged_state),
		cmocka_unit_test(test_other_rules),
		cmocka_unit_test(test_a_cause_that_is_no_rule_any_more),
		cmocka_unit_test(test_unknown_model),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
