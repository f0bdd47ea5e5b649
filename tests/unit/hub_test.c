/*
 * The hub without sockets: rooms, order, replay, conflation, restrictions, runs; and
 * the messages clients may send.
 */
#include "web/hub.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BULK = 64, URGENT = 16, CONFLATE_MS = 1000 };

static struct world {
	struct hub *hub;
	struct schema *telemetry, *alert, *status, *action;
	struct member *member;
	struct buf text;
} w;

static void take(const char *run, struct schema *s, const void *rec)
{
	struct buf b = {0};
	struct err err = {0};
	assert_int_equal(record_encode(s, rec, &b, &err), 0);
	struct record r = {.kind = s->kind, .raw = b.data, .len = b.len, .schema = s};
	assert_int_equal(hub_take(w.hub, run, &r, &err), 0);
	buf_release(&b);
}

/* A sample of jar n of a site; its voltage is its number. */
static void sample_in(const char *run, const char *site, int jar, int number)
{
	char code[64];
	struct rec_telemetry t;
	record_clear(kind_info(KIND_telemetry), &t);
	snprintf(code, sizeof(code), "%s-UPS-01-S1-J%02d", site, jar);
	t.battery = str_of(code);
	t.ts = 1770000000000 + number;
	t.voltage_v = (float)number;
	take(run, w.telemetry, &t);
}

static void sample(int jar, int number)
{
	sample_in("", "DC-A-01", jar, number);
}

static void raise(const char *id, const char *subject, int state)
{
	struct rec_alert a;
	record_clear(kind_info(KIND_alert), &a);
	a.alert_id = str_of(id);
	a.ts = 1;
	a.subject = str_of(subject);
	a.rule = str_of("r");
	a.severity = severity_critical;
	a.state = state;
	take("", w.alert, &a);
}

static json_t *last; /* the message looked at last */

static void look(const char *text, size_t n)
{
	json_error_t e;
	json_decref(last);
	last = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
	if (!last)
		fail_msg("no JSON: %s in %.*s", e.text, (int)n, text);
}

static bool next_at(int64_t now)
{
	buf_clear(&w.text);
	if (!member_next(w.member, now, &w.text))
		return false;
	look((const char *)w.text.data, w.text.len);
	return true;
}

static bool next(void)
{
	return next_at(1);
}

static const char *text_of(const char *name)
{
	const char *s = json_string_value(json_object_get(last, name));
	return s ? s : "";
}

static int64_t number_of(const char *name)
{
	return (int64_t)json_number_value(json_object_get(last, name));
}

static void expect(const char *type, const char *name, const char *value)
{
	assert_true(next());
	assert_string_equal(text_of("type"), type);
	assert_string_equal(text_of(name), value);
}

static int enter_from(const char *message, int64_t last_seq)
{
	struct ws_message m;
	struct err err = {0};
	assert_int_equal(ws_message_read(message, strlen(message), &m, &err), 0);
	buf_clear(&w.text);
	int r = member_subscribe(w.member, &m, last_seq, &w.text, &err);
	if (r == 0)
		look((const char *)w.text.data, w.text.len);
	else
		assert_string_equal(err.msg[0] ? "said" : "", "said");
	return r;
}

static void enter(const char *message)
{
	assert_int_equal(enter_from(message, LAST_NONE), 0);
}

static size_t snapshot_size(void)
{
	return json_array_size(json_object_get(last, "snapshot"));
}

#define SITE "{\"type\":\"subscribe_location\",\"location\":\"DC-A-01\"}"
#define FLEET "{\"type\":\"subscribe_fleet\"}"
#define JAR "{\"type\":\"subscribe_battery\",\"battery\":\"DC-A-01-UPS-01-S1-J01\"}"

static int begin(void **state)
{
	const struct hub_options o = {BULK, URGENT, CONFLATE_MS};
	struct err err;
	w = (struct world){.hub = hub_new(&o),
		.telemetry = schema_native(kind_info(KIND_telemetry), &err),
		.alert = schema_native(kind_info(KIND_alert), &err),
		.status = schema_native(kind_info(KIND_status), &err),
		.action = schema_native(kind_info(KIND_alert_action), &err)};
	w.member = member_new(w.hub);
	member_set_account(w.member, &(struct account){.role = ROLE_VIEWER});
	return 0;
}

static int end(void **state)
{
	member_free(w.member);
	hub_free(w.hub);
	schema_free(w.telemetry);
	schema_free(w.alert);
	schema_free(w.status);
	schema_free(w.action);
	buf_release(&w.text);
	json_decref(last);
	last = NULL;
	return 0;
}

static void test_order(void **state)
{
	assert_false(next());
	enter(SITE);
	assert_int_equal(snapshot_size(), 0);
	sample(1, 1);
	raise("a", "DC-A-01-UPS-01-S1-J01", alert_state_firing);
	sample(2, 2);
	sample_in("", "DC-B-01", 1, 3);
	sample(1, 4);
	assert_true(member_has_news(w.member));
	for (int i = 1; i <= 5; i++) {
		if (i == 4)
			continue; /* the other site's */
		assert_true(next());
		assert_int_equal(number_of("seq"), i);
		assert_string_equal(
			text_of("type"), i == 2 ? "alert" : "telemetry_update");
	}
	assert_false(next());
	assert_false(member_has_news(w.member));
}

static void test_snapshot_and_no_repeat(void **state)
{
	sample(1, 1);
	sample(1, 2);
	sample(2, 3);
	raise("a", "DC-A-01", alert_state_firing);
	raise("b", "DC-A-01", alert_state_firing);
	raise("a", "DC-A-01", alert_state_resolved);
	enter(SITE);
	assert_int_equal(snapshot_size(), 3); /* b, and two jars */
	assert_false(next());
	sample(1, 4);
	assert_true(next());
	assert_int_equal(number_of("voltage_v"), 4);
	enter(JAR);
	assert_int_equal(snapshot_size(), 1);
	sample(1, 5);
	assert_true(next());
	assert_false(next()); /* once, although in two rooms */
}

static void test_fleet(void **state)
{
	enter(FLEET);
	sample(1, 10);
	sample(2, 20);
	hub_tick(w.hub, 1000);
	assert_true(next());
	assert_string_equal(text_of("location"), "DC-A-01");
	assert_int_equal(number_of("batteries"), 2);
	assert_int_equal(number_of("voltage_mean_v"), 15);
	sample(1, 11);
	hub_tick(w.hub, 1500); /* not yet */
	assert_false(next());
	hub_tick(w.hub, 2000);
	assert_true(next());
	hub_tick(w.hub, 4000); /* nothing new */
	assert_false(next());
	struct rec_status s;
	record_clear(kind_info(KIND_status), &s);
	s.ts = 1;
	s.subject = str_of("DC-A-01-UPS-01-S1-J01");
	s.status = health_critical;
	s.reasons.n = 1;
	s.reasons.v[0] = str_of("a \"reason\"");
	take("", w.status, &s);
	expect("battery_status_update", "status", "critical");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(last, "reasons"), 0)),
		"a \"reason\"");
	enter(FLEET);
	assert_int_equal(snapshot_size(), 2); /* the unwell one, the site */
}

static void test_action_goes_where_its_alert_is(void **state)
{
	struct rec_alert_action a;
	record_clear(kind_info(KIND_alert_action), &a);
	a.ts = 1;
	a.subject_id = str_of("a");
	a.action = alert_verb_acknowledge;
	a.actor = str_of("anna");
	member_set_account(w.member, &(struct account){.sites = "DC-A-01"});
	enter(FLEET);
	raise("a", "DC-A-01-UPS-01-S1-J01", alert_state_firing);
	raise("b", "DC-B-01-UPS-01-S1-J01", alert_state_firing);
	take("", w.action, &a);
	a.subject_id = str_of("b");
	take("", w.action, &a);
	a.subject_id = str_of("unknown");
	take("", w.action, &a);
	expect("alert", "id", "a");
	expect("action", "alert_id", "a");
	assert_false(next());
}

static void test_replay(void **state)
{
	enter(SITE);
	for (int i = 1; i <= 5; i++)
		sample(1, i);
	assert_int_equal(enter_from(SITE, 2), 0);
	assert_true(json_is_true(json_object_get(last, "replay")));
	for (int i = 3; i <= 5; i++) {
		assert_true(next());
		assert_int_equal(number_of("seq"), i);
	}
	assert_false(next());
	/* One room goes back, the other does not hear twice. */
	enter(FLEET);
	raise("a", "DC-A-01", alert_state_firing);
	assert_true(next());
	assert_int_equal(enter_from(JAR, 4), 0);
	assert_true(next());
	assert_int_equal(number_of("seq"), 5);
	assert_false(next());
	/* Too long ago, or never. */
	for (int i = 0; i < 2 * BULK; i++)
		sample(1, i);
	assert_int_equal(enter_from(JAR, 4), 0);
	assert_int_equal(snapshot_size(), 1);
	expect("missed", "type", "missed");
	assert_int_equal(number_of("from_seq"), 5);
	assert_int_equal(number_of("to_seq"), (int64_t)hub_seq(w.hub));
	assert_int_equal(enter_from(JAR, INT64_MAX), 0);
	expect("missed", "type", "missed");
}

/* The ring has turned over: of each battery the last value, each once, alerts first,
 * and how many were left out. */
static void test_conflation(void **state)
{
	enter(SITE);
	for (int i = 1; i <= 100; i++)
		for (int jar = 1; jar <= 3; jar++)
			sample(jar, i);
	raise("a", "DC-A-01-UPS-01-S1-J02", alert_state_firing);
	expect("alert", "id", "a");
	for (int jar = 1; jar <= 3; jar++) {
		assert_true(next());
		assert_int_equal(number_of("voltage_v"), 100);
		assert_int_equal(number_of("seq"), 0);
	}
	expect("conflated", "type", "conflated");
	assert_int_equal(number_of("dropped"), 297);
	assert_int_equal(number_of("seq"), 0); /* nothing is sure to be known */
	assert_false(next());
	sample(1, 7);
	assert_true(next());
	assert_int_equal(number_of("seq"), 302);
	assert_false(next());
}

/* A slow one in full flow: every battery has its turn, none goes back in time. */
static void test_conflation_is_fair(void **state)
{
	int seen[4] = {0}, times[4] = {0}, told = 0, number = 0, dropped = 0;
	enter(SITE);
	sample(1, ++number);
	member_behind(w.member, 1);
	for (int i = 0; i < 60; i++) {
		for (int jar = 1; jar <= 3; jar++)
			sample(jar, ++number);
		assert_true(next_at(3000 + i * 200));
		if (strcmp(text_of("type"), "conflated") == 0) {
			dropped += (int)number_of("dropped");
			continue;
		}
		int jar = text_of("battery")[strlen(text_of("battery")) - 1] - '0';
		assert_true(number_of("voltage_v") > seen[jar]);
		seen[jar] = (int)number_of("voltage_v");
		times[jar]++;
		told++;
	}
	assert_true(times[1] >= 18 && times[2] >= 18 && times[3] >= 18);
	assert_true(dropped > 0);
	while (next_at(20000)) {
		if (strcmp(text_of("type"), "conflated") == 0)
			dropped += (int)number_of("dropped");
		else
			told++;
	}
	assert_int_equal(told + dropped, number);
}

static void test_alerts_are_kept_or_said_to_be_missed(void **state)
{
	char id[16];
	enter(FLEET);
	for (int i = 1; i <= URGENT + 4; i++) {
		snprintf(id, sizeof(id), "%d", i);
		raise(id, "DC-A-01", alert_state_firing);
	}
	expect("missed", "type", "missed");
	assert_int_equal(number_of("from_seq"), 1);
	assert_int_equal(number_of("to_seq"), 4);
	for (int i = 5; i <= URGENT + 4; i++) {
		assert_true(next());
		assert_int_equal(strtol(text_of("id"), NULL, 10), i);
	}
	assert_false(next());
}

static void test_restricted(void **state)
{
	const struct account here = {.role = ROLE_VIEWER, .sites = "DC-A-01,DC-C-01"};
	member_set_account(w.member, &here);
	assert_int_equal(
		enter_from("{\"type\":\"subscribe_location\",\"location\":\"DC-B-01\"}",
			LAST_NONE),
		-1);
	assert_int_equal(enter_from("{\"type\":\"subscribe_battery\","
				    "\"battery\":\"DC-B-01-UPS-01-S1-J01\"}",
				 LAST_NONE),
		-1);
	sample_in("", "DC-B-01", 1, 1);
	raise("b", "DC-B-01", alert_state_firing);
	raise("p", "program", alert_state_firing);
	hub_tick(w.hub, 1000);
	enter(FLEET);
	assert_int_equal(snapshot_size(), 0);
	sample_in("", "DC-B-01", 1, 2);
	raise("b2", "DC-B-01-UPS-01-S1-J01", alert_state_firing);
	hub_tick(w.hub, 2000);
	assert_false(next());
	enter(SITE);
	/* Moved to other duties: the room is closed. */
	member_set_account(w.member, &(struct account){.sites = "DC-C-01"});
	expect("error", "type", "error");
	sample(1, 1);
	assert_false(next());
}

static void test_runs(void **state)
{
	enter(SITE);
	enter("{\"type\":\"subscribe_location\",\"location\":\"DC-A-01\",\"run\":"
	      "\"x\"}");
	sample_in("x", "DC-A-01", 1, 1);
	expect("telemetry_update", "run", "x");
	sample_in("y", "DC-A-01", 1, 2);
	assert_false(next());
	sample(1, 3);
	expect("telemetry_update", "run", "");
	hub_forget(w.hub, "x");
	expect("error", "type", "error");
	sample_in("x", "DC-A-01", 1, 4); /* another one of that name */
	assert_false(next());
	/* More runs than there is room for: production stays. */
	for (int i = 0; i < 3 * RUNS_MAX; i++) {
		char run[16];
		snprintf(run, sizeof(run), "run %d", i);
		sample_in(run, "DC-A-01", 1, i);
	}
	sample(1, 5);
	expect("telemetry_update", "run", "");
}

static void test_bounds_of_rooms(void **state)
{
	char text[128];
	for (int i = 0; i < ROOMS_MAX; i++) {
		snprintf(text, sizeof(text),
			"{\"type\":\"subscribe_location\",\"location\":\"S%d\"}", i);
		enter(text);
	}
	assert_int_equal(enter_from(FLEET, LAST_NONE), -1);
	enter("{\"type\":\"unsubscribe_location\",\"location\":\"S3\"}");
	assert_string_equal(text_of("type"), "unsubscribed");
	enter(FLEET);
}

static void refused(const char *text, const char *why)
{
	struct ws_message m;
	struct err err = {0};
	assert_int_equal(ws_message_read(text, strlen(text), &m, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_messages(void **state)
{
	struct ws_message m;
	struct err err = {0};
	char long_one[WS_MESSAGE_MAX + 2] = {0};
	const char *auth = "{\"type\":\"auth\",\"token\":\"t\",\"last_seq\":null}";
	assert_int_equal(ws_message_read(auth, strlen(auth), &m, &err), 0);
	assert_true(m.type == WS_AUTH && m.last_seq == LAST_NONE && !m.batch);
	auth = "{\"type\":\"auth\",\"token\":\"t\",\"batch\":true}";
	assert_int_equal(ws_message_read(auth, strlen(auth), &m, &err), 0);
	assert_true(m.batch);
	refused("{\"type\":\"auth\",\"token\":\"t\",\"batch\":1}", "true or false");
	assert_int_equal(ws_message_read(JAR, strlen(JAR), &m, &err), 0);
	assert_true(m.last_seq == LAST_UNSAID);
	assert_string_equal(m.code, "DC-A-01-UPS-01-S1-J01");
	refused("", "no JSON");
	refused("[]", "object");
	refused("{}", "type");
	refused("{\"type\":7}", "type");
	refused("{\"type\":\"auth\"}", "lacks");
	refused("{\"type\":\"auth\",\"token\":7}", "text");
	refused("{\"type\":\"auth\",\"token\":\"\"}", "bytes");
	refused("{\"type\":\"auth\",\"token\":\"a\\u0000b\"}", "");
	refused("{\"type\":\"auth\",\"token\":\"t\",\"last_seq\":-1}", "last_seq");
	refused("{\"type\":\"ping\",\"ping\":1}", "takes no such member");
	refused("{\"type\":\"ping\",\"type\":\"ping\"}", "no JSON");
	refused("{\"type\":\"subscribe_fleet\",\"battery\":\"x\"}", "takes no such");
	refused("{\"type\":\"subscribe_location\",\"battery\":\"x\"}", "takes no such");
	memset(long_one, ' ', sizeof(long_one) - 1);
	refused(long_one, "longer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_order, begin, end),
		cmocka_unit_test_setup_teardown(
			test_snapshot_and_no_repeat, begin, end),
		cmocka_unit_test_setup_teardown(test_fleet, begin, end),
		cmocka_unit_test_setup_teardown(
			test_action_goes_where_its_alert_is, begin, end),
		cmocka_unit_test_setup_teardown(test_replay, begin, end),
		cmocka_unit_test_setup_teardown(test_conflation, begin, end),
		cmocka_unit_test_setup_teardown(test_conflation_is_fair, begin, end),
		cmocka_unit_test_setup_teardown(
			test_alerts_are_kept_or_said_to_be_missed, begin, end),
		cmocka_unit_test_setup_teardown(test_restricted, begin, end),
		cmocka_unit_test_setup_teardown(test_runs, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds_of_rooms, begin, end),
		cmocka_unit_test(test_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
