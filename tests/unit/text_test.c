/*
 * Text: every record through JSON and through CSV cells and back is the same record,
 * bit for bit.
 */
#include "record/codec.h"
#include "record/json.h"
#include "record/text.h"
#include "stream/endpoint.h"
#include "random_record.h"

#include <csv.h>
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

/* The row as a CSV reader takes it apart: NULL is an unquoted empty cell. */
struct row {
	int n;
	struct buf cells[FIELDS_MAX];
	bool given[FIELDS_MAX];
};

static void take_cell(void *text, size_t n, void *context)
{
	struct row *r = context;
	assert_true(r->n < FIELDS_MAX);
	r->given[r->n] = text != NULL;
	assert_int_equal(buf_reserve(&r->cells[r->n], 1), 0); /* not NULL */
	buf_append(&r->cells[r->n], text ? text : "", n);
	r->n++;
}

static void read_row(const struct buf *text, struct row *r)
{
	struct csv_parser csv;
	assert_int_equal(
		csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL), 0);
	assert_int_equal(
		csv_parse(&csv, text->data, text->len, take_cell, NULL, r), text->len);
	assert_int_equal(csv_fini(&csv, take_cell, NULL, r), 0);
	csv_free(&csv);
}

static void through_cells(
	const struct kind_info *k, const struct schema *s, const struct buf *wire)
{
	struct buf text = {0}, again = {0};
	struct err err = {0};
	struct row row = {0};
	union rec_any out;
	for (int i = 0; i < k->nfields; i++) {
		buf_puts(&text, i ? "," : "");
		assert_int_equal(
			text_cell(s, wire->data, wire->len, i, true, &text, &err), 0);
	}
	read_row(&text, &row);
	assert_int_equal(row.n, k->nfields);
	record_clear(k, &out);
	for (int i = 0; i < k->nfields; i++) {
		struct buf *c = &row.cells[i];
		const char *wrong =
			row.given[i] ? text_parse_cell(&k->fields[i], (char *)c->data,
					       (uint32_t)c->len, &out)
				     : NULL;
		if (wrong)
			fail_msg("%s.%s in '%.*s': %s", k->name, k->fields[i].name,
				(int)text.len, (const char *)text.data, wrong);
	}
	encode_ok(s, &out, &again);
	assert_int_equal(wire->len, again.len);
	assert_memory_equal(wire->data, again.data, again.len);
	for (int i = 0; i < k->nfields; i++)
		buf_release(&row.cells[i]);
	buf_release(&text);
	buf_release(&again);
}

static void test_round_trips(void **state)
{
	struct dice *d = calloc(1, sizeof(*d));
	const struct kind_info *k;
	struct buf wire = {0};
	union rec_any in;
	for (int i = 0; (k = kind_at(i)); i++) {
		if (kind_is_frame(k->kind))
			continue;
		struct schema *s = schema_native(k, NULL);
		for (int round = 0; round < ROUNDS; round++) {
			d->state = (uint64_t)(k->kind * 1000 + round);
			dice_record(d, k, &in);
			encode_ok(s, &in, &wire);
			through_json(k, s, &wire);
			through_cells(k, s, &wire);
		}
		schema_free(s);
	}
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
	is_f32(-0.0F, "-0.0");
	is_f32(1e-20F, "1e-20");
	is_f32(16777216.0F, "16777216");
	is_f32(0.1234567F, "0.1234567");
	is_f32(NAN, "null");
	is_f32(INFINITY, "null");
	is_f32(-INFINITY, "null");
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

static const char *cell_of(struct strs list, struct buf *cell)
{
	struct rec_status in;
	struct buf wire = {0};
	struct schema *s = schema_native(kind_info(KIND_status), NULL);
	record_clear(kind_info(KIND_status), &in);
	in.ts = 0;
	in.subject = str_of("S");
	in.status = 0;
	in.reasons = list;
	encode_ok(s, &in, &wire);
	buf_clear(cell);
	assert_int_equal(
		text_cell(s, wire.data, wire.len, F_status_reasons, true, cell, NULL),
		0);
	buf_putc(cell, '\0');
	schema_free(s);
	buf_release(&wire);
	return (const char *)cell->data;
}

/* Each list has one form, and it reads back as that list and no other. */
static void test_lists_in_cells(void **state)
{
	static const struct {
		struct strs list;
		const char *cell;
	} cases[] = {
		{{.n = 0}, "[]"},
		{{1, {{"", 0}}}, "\\"},
		{{1, {{"[]", 2}}}, "\\[]"},
		{{2, {{"", 0}, {"", 0}}}, ";"},
		{{2, {{"a;b", 3}, {"", 0}}}, "a\\;b;"},
		{{2, {{"", 0}, {"a=1", 3}}}, ";a=1"},
		{{1, {{"\\", 1}}}, "\\\\"},
		{{1, {{"\t", 1}}}, "\"\t\""},
	};
	const struct field_info *f = &kind_info(KIND_status)->fields[F_status_reasons];
	struct buf cell = {0};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rec_status out;
		assert_string_equal(cell_of(cases[i].list, &cell), cases[i].cell);
		if (cases[i].cell[0] == '"')
			continue;
		assert_null(text_parse_cell(
			f, (char *)cell.data, (uint32_t)cell.len - 1, &out));
		assert_int_equal(out.reasons.n, cases[i].list.n);
		for (int j = 0; j < out.reasons.n; j++)
			assert_true(str_eq(out.reasons.v[j], cases[i].list.v[j]));
	}
	buf_release(&cell);
}

static void cell_refused(int kind, int field, const char *text)
{
	union rec_any any;
	char copy[64];
	snprintf(copy, sizeof(copy), "%s", text);
	assert_non_null(text_parse_cell(
		&kind_info(kind)->fields[field], copy, (uint32_t)strlen(copy), &any));
}

/* An empty text is a value of texts and lists only, never silently a missing one. */
static void test_cell_refusals(void **state)
{
	cell_refused(KIND_event, F_event_type, "");
	cell_refused(KIND_event, F_event_ts, "");
	cell_refused(KIND_event, F_event_value, "");
	cell_refused(KIND_telemetry, F_telemetry_quality, "");
	cell_refused(KIND_truth, F_truth_censored, "");
	cell_refused(KIND_rul, F_rul_factors, "age");
	cell_refused(KIND_rul, F_rul_factors, "age\\=1");
	cell_refused(KIND_rul, F_rul_factors, "age=1;");
	cell_refused(KIND_barrier, F_barrier_counts, "1");
	cell_refused(KIND_barrier, F_barrier_counts, "128=1");
	cell_refused(KIND_barrier, F_barrier_counts, "1=1.5");
}

static void shows(const char *text, uint32_t n, const char *want, uint32_t width)
{
	struct buf b = {0};
	assert_int_equal(text_show((struct str){text, n}, &b), width);
	buf_putc(&b, '\0');
	assert_string_equal((const char *)b.data, want);
	buf_release(&b);
}

static void test_shown_in_a_terminal(void **state)
{
	shows("plain", 5, "plain", 5);
	shows("a\nb\tc", 5, "a\\nb\\tc", 7);
	shows("\x1b[2J", 4, "\\x1b[2J", 7);
	shows("\0", 1, "\\x00", 4);
	shows("\xc2\x9b", 2, "\\u009b", 6);          /* CSI in one character */
	shows("\xe2\x80\xae", 3, "\\u202e", 6);      /* right-to-left override */
	shows("\xff", 1, "\xef\xbf\xbd", 1);         /* not UTF-8 */
	shows("\xc3\xa9", 2, "\xc3\xa9", 1);         /* e acute, one character */
	shows("e\xcc\x81", 3, "e\xcc\x81", 1);       /* e and a combining acute */
	shows("\xe9\x9b\xbb", 3, "\xe9\x9b\xbb", 2); /* a wide one */
	/* Thai THO THAHAN with a vowel and a tone mark above it. */
	shows("\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88", 9,
		"\xe0\xb8\x97\xe0\xb8\xb5\xe0\xb9\x88", 1);
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
	assert_int_equal(endpoint_parse("pub:tcp://*:1?snapshot=@ipc://x&hwm=2", false,
				 &e, &err),
		0);
	assert_true(e.bind && e.snapshot_bind && e.hwm == 2);
	assert_string_equal(e.snapshot, "ipc://x");
	assert_int_equal(
		endpoint_parse("sub:tcp://a:1?snapshot=tcp://a:2", true, &e, &err), 0);
	assert_false(e.snapshot_bind);
	endpoint_refused("sub:tcp://a:1?snapshot=", true, "tcp://");
	endpoint_refused("pull:tcp://a:1?snapshot=tcp://a:2", true, "unknown option");
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
		cmocka_unit_test(test_lists_in_cells),
		cmocka_unit_test(test_cell_refusals),
		cmocka_unit_test(test_shown_in_a_terminal),
		cmocka_unit_test(test_endpoints),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
