/*
 * Text: every record through JSON and through CSV cells and back is the same record,
 * bit for bit.
 */
#include "record/codec.h"
#include "record/json.h"
#include "record/text.h"
#include "stream/endpoint.h"
#include "random_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { ROUNDS = 200 };

static void encode_ok(const struct schema *s, const void *rec, struct buf *out)
{
	struct err err = {0};
	buf_clear(out);
	if (record_encode(s, rec, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void through_json(
	const struct kind_info *k, const struct schema *s, const struct buf *wire)
{
	struct buf text = {0}, again = {0};
	struct err err = {0};
	union rec_any out;
	assert_int_equal(text_json(s, wire->data, wire->len, NULL, &text, &err), 0);
	json_error_t why;
	json_t *object = json_loadb((const char *)text.data, text.len, 0, &why);
	if (!object)
		fail_msg("%s: %.*s", why.text, (int)text.len, (const char *)text.data);
	if (json_record(k, object, &out, &err) < 0)
		fail_msg("%s", err.msg);
	encode_ok(s, &out, &again);
	assert_int_equal(wire->len, again.len);
	assert_memory_equal(wire->data, again.data, again.len);
	json_decref(object);
	buf_release(&text);
	buf_release(&again);
}

/* Lists in a cell use ';' and '=' as separators: names with them cannot come back. */
static bool fits_a_cell(const struct kind_info *k, const void *rec)
{
	for (int i = 0; i < k->nfields; i++) {
		const void *at = (const char *)rec + k->fields[i].offset;
		if (k->fields[i].type == T_STRS || k->fields[i].type == T_PAIRS)
			if (*(const int32_t *)at == 0)
				return false;
		if (k->fields[i].type == T_COUNTS && *(const int32_t *)at >= 0)
			return false;
	}
	return true;
}

static void through_cells(
	const struct kind_info *k, const struct schema *s, const struct buf *wire)
{
	struct buf cells[FIELDS_MAX] = {{0}}, again = {0};
	struct err err = {0};
	union rec_any out;
	record_clear(k, &out);
	for (int i = 0; i < k->nfields; i++) {
		struct buf *c = &cells[i];
		assert_int_equal(
			text_cell(s, wire->data, wire->len, i, false, c, &err), 0);
		struct str text = {(const char *)c->data, (uint32_t)c->len};
		const char *wrong =
			c->len ? text_parse_field(&k->fields[i], text, &out) : NULL;
		if (wrong)
			fail_msg("%s.%s '%.*s': %s", k->name, k->fields[i].name,
				STR_ARG(text), wrong);
	}
	encode_ok(s, &out, &again);
	assert_int_equal(wire->len, again.len);
	assert_memory_equal(wire->data, again.data, again.len);
	for (int i = 0; i < k->nfields; i++)
		buf_release(&cells[i]);
	buf_release(&again);
}

static void test_round_trips(void **state)
{
	struct dice *d = calloc(1, sizeof(*d));
	const struct kind_info *k;
	struct buf wire = {0};
	union rec_any in;
	int cells = 0;
	for (int i = 0; (k = kind_at(i)); i++) {
		if (kind_is_frame(k->kind))
			continue;
		struct schema *s = schema_native(k, NULL);
		for (int round = 0; round < ROUNDS; round++) {
			d->state = (uint64_t)(k->kind * 1000 + round);
			dice_record(d, k, &in);
			encode_ok(s, &in, &wire);
			through_json(k, s, &wire);
			if (fits_a_cell(k, &in)) {
				through_cells(k, s, &wire);
				cells++;
			}
		}
		schema_free(s);
	}
	assert_true(cells > 20 * ROUNDS);
	buf_release(&wire);
	free(d);
}

static void is_f32(float v, const char *want)
{
	struct buf b = {0};
	text_f32(v, &b);
	buf_putc(&b, '\0');
	assert_string_equal((const char *)b.data, want);
	buf_release(&b);
}

static void test_shortest_numbers(void **state)
{
	is_f32(13.57F, "13.57");
	is_f32(-0.001F, "-0.001");
	is_f32(100.0F, "100");
	is_f32(0.0F, "0");
	is_f32(-0.0F, "-0");
	is_f32(1e-20F, "1e-20");
	is_f32(16777216.0F, "16777216");
	is_f32(0.1234567F, "0.1234567");
	is_f32(NAN, "null");
}

static void test_json_strings(void **state)
{
	struct buf b = {0};
	text_json_string((struct str){"a\"\\\n\xc3\xa9\xff", 7}, &b);
	assert_memory_equal(b.data, "\"a\\\"\\\\\\u000a\xc3\xa9\xef\xbf\xbd\"", b.len);
	buf_release(&b);
}

static void json_refused(const char *text, const char *why)
{
	struct rec_telemetry t;
	struct err err = {0};
	json_t *o = json_loads(text, 0, NULL);
	assert_non_null(o);
	assert_int_equal(json_record(kind_info(KIND_telemetry), o, &t, &err), -1);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
	json_decref(o);
}

static void test_json_refusals(void **state)
{
	json_refused("{\"voltage\":1}", "has no field 'voltage'");
	json_refused("{\"voltage_v\":\"13\"}", "field 'voltage_v'");
	json_refused("{\"mode\":\"flaot\"}", "field 'mode'");
	json_refused("{\"quality\":[\"bad\"]}", "field 'quality'");
	json_refused("{\"ts\":\"soon\"}", "field 'ts'");
	json_refused("{\"ts\":1.5}", "field 'ts'");
	json_refused("{\"battery\":{}}", "field 'battery'");
	json_refused("{\"battery\":true}", "field 'battery'");
}

static void endpoint_refused(const char *text, bool input, const char *why)
{
	struct endpoint e;
	struct err err = {0};
	assert_int_equal(endpoint_parse(text, input, &e, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_endpoints(void **state)
{
	struct endpoint e;
	struct err err = {0};
	assert_int_equal(endpoint_parse("-", true, &e, &err), 0);
	assert_int_equal(e.role, EP_FILE);
	assert_int_equal(endpoint_parse("pub:tcp://*:5556", false, &e, &err), 0);
	assert_true(e.role == EP_PUB && e.bind && e.hwm == 1000);
	assert_int_equal(endpoint_parse("sub:tcp://host:5556?topic=alert/&topic=rul/",
				 true, &e, &err),
		0);
	assert_true(e.role == EP_SUB && !e.bind && e.ntopics == 2);
	assert_string_equal(e.topics[0], "alert/");
	assert_string_equal(e.address, "tcp://host:5556");
	assert_int_equal(
		endpoint_parse("pull:@ipc:///run/x?producers=2&hwm=5", true, &e, &err),
		0);
	assert_true(e.bind && e.producers == 2 && e.hwm == 5);
	assert_int_equal(
		endpoint_parse("pull:ipc:///run/floatline/in", true, &e, &err), 0);
	assert_false(e.bind);
	assert_int_equal(endpoint_parse("dir/file:with-colon", true, &e, &err), 0);
	assert_int_equal(e.role, EP_FILE);
	endpoint_refused("", true, "empty");
	endpoint_refused("pub:tcp://*:1", true, "cannot be an input");
	endpoint_refused("sub:tcp://a:1", false, "cannot be an output");
	endpoint_refused("tcp://a:1", true, "role");
	endpoint_refused("pull:udp://a:1", true, "tcp://");
	endpoint_refused("pull:tcp://a:1?topic=x", true, "unknown option 'topic'");
	endpoint_refused("pull:tcp://a:1?producers=0", true, "producers");
	endpoint_refused("pub:tcp://a:1?speed=9", false, "unknown option 'speed'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trips),
		cmocka_unit_test(test_shortest_numbers),
		cmocka_unit_test(test_json_strings),
		cmocka_unit_test(test_json_refusals),
		cmocka_unit_test(test_endpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
