/* What a late joiner is told of a topic: series, what is over, bounds, layouts. */
#include "stream/latest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct latest topic;
static struct buf bytes;

static void put(int kind, const struct schema *s, const void *rec)
{
	struct buf b = {0};
	struct err err = {0};
	assert_int_equal(record_encode(s, rec, &b, &err), 0);
	assert_int_equal(s->kind, kind);
	assert_int_equal(latest_put(&topic, s, b.data, b.len, &err), 0);
	buf_release(&b);
}

static void put_alert(const struct schema *s, const char *id, int state)
{
	struct rec_alert a;
	record_clear(kind_info(KIND_alert), &a);
	a.alert_id = str_of(id);
	a.ts = 1;
	a.subject = str_of("S-UPS-01-S1-J01");
	a.rule = str_of("r");
	a.severity = severity_warning;
	a.state = state;
	put(KIND_alert, s, &a);
}

/* The ids of the alerts that are told, with the numbers of schema records between. */
static const char *told(bool closed, const struct schema *now)
{
	static char text[4096];
	struct err err = {0};
	const struct schema *said = now;
	int n = 0;
	buf_clear(&bytes);
	latest_write(&topic, closed, now, &bytes);
	text[0] = '\0';
	for (size_t at = 0; at < bytes.len;) {
		int kind;
		struct rec_alert a;
		int64_t len =
			record_frame(bytes.data + at, bytes.len - at, &kind, &err);
		assert_true(len > 0);
		if (kind == KIND_schema) {
			n += snprintf(text + n, sizeof(text) - (size_t)n, "| ");
		} else {
			assert_int_equal(record_decode(said, bytes.data + at,
						 (size_t)len, &a, &err),
				0);
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%.*s ",
				STR_ARG(a.alert_id));
		}
		at += (size_t)len;
	}
	return text;
}

static int begin(void **state)
{
	struct err err;
	*state = schema_native(kind_info(KIND_alert), &err);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	schema_free(*state);
	latest_release(&topic);
	buf_release(&bytes);
	return 0;
}

static void test_series(void **state)
{
	put_alert(*state, "a", alert_state_pending);
	put_alert(*state, "b", alert_state_firing);
	put_alert(*state, "a", alert_state_firing);
	assert_string_equal(told(false, *state), "b a ");
	assert_true(latest_size(&topic) == bytes.len);
	put_alert(*state, "b", alert_state_resolved);
	assert_string_equal(told(false, *state), "a ");
	assert_string_equal(told(true, *state), "a b ");
	put_alert(*state, "b", alert_state_firing);
	assert_string_equal(told(false, *state), "a b ");
}

static void test_bounds(void **state)
{
	char id[32];
	put_alert(*state, "open", alert_state_firing);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "%d", i);
		put_alert(*state, id, alert_state_firing);
		put_alert(*state, id, alert_state_resolved);
	}
	assert_string_equal(told(false, *state), "open ");
	assert_int_equal(topic.n, LATEST_CLOSED_MAX + 1);
	for (int i = 0; i < 2 * LATEST_MAX; i++) {
		snprintf(id, sizeof(id), "more %d", i);
		put_alert(*state, id, alert_state_firing);
	}
	assert_int_equal(topic.n, LATEST_MAX);
}

static void test_layouts(void **state)
{
	struct err err;
	struct schema *later = schema_native(kind_info(KIND_alert), &err);
	put_alert(*state, "a", alert_state_firing);
	put_alert(later, "b", alert_state_firing);
	assert_string_equal(told(false, later), "| a | b ");
	put_alert(later, "a", alert_state_firing);
	assert_string_equal(told(false, later), "b a ");
	latest_release(&topic);
	schema_free(later);
}

static void test_telemetry_is_one(void **state)
{
	struct err err;
	struct schema *s = schema_native(kind_info(KIND_telemetry), &err);
	struct rec_telemetry t;
	record_clear(kind_info(KIND_telemetry), &t);
	t.battery = str_of("S-UPS-01-S1-J01");
	for (t.ts = 1; t.ts < 100; t.ts++)
		put(KIND_telemetry, s, &t);
	assert_int_equal(topic.n, 1);
	latest_release(&topic);
	schema_free(s);
}

static void test_what_is_kept(void **state)
{
	assert_true(latest_keeps(KIND_telemetry) && latest_keeps(KIND_alert));
	assert_true(latest_keeps(99));
	assert_false(latest_keeps(KIND_tick) || latest_keeps(KIND_barrier) ||
		     latest_keeps(KIND_alert_action) || latest_keeps(KIND_end) ||
		     latest_keeps(KIND_origin) || latest_keeps(KIND_schema));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_series, begin, end),
		cmocka_unit_test_setup_teardown(test_bounds, begin, end),
		cmocka_unit_test_setup_teardown(test_layouts, begin, end),
		cmocka_unit_test_setup_teardown(test_telemetry_is_one, begin, end),
		cmocka_unit_test(test_what_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
