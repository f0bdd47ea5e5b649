/*
 * The codec, by its properties: what is written reads back; other versions read what
 * they know; damage of any kind is an error and never a crash or a value out of bounds.
 */
#include "record/codec.h"
#include "record/mp.h"
#include "random_record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

enum { ROUNDS = 200 };

static struct schema *native(const struct kind_info *k)
{
	struct err err = {0};
	struct schema *s = schema_native(k, &err);
	assert_non_null(s);
	assert_true(s->native);
	return s;
}

static void encode_ok(const struct schema *s, const void *rec, struct buf *out)
{
	struct err err = {0};
	buf_clear(out);
	if (record_encode(s, rec, out, &err) < 0)
		fail_msg("%s", err.msg);
}

static void decode_ok(const struct schema *s, const struct buf *b, void *rec)
{
	struct err err = {0};
	if (record_decode(s, b->data, b->len, rec, &err) < 0)
		fail_msg("%s", err.msg);
}

static void each_kind(
	void (*property)(struct dice *, const struct kind_info *, struct schema *))
{
	struct dice *d = calloc(1, sizeof(*d));
	const struct kind_info *k;
	for (int i = 0; (k = kind_at(i)); i++) {
		if (kind_is_frame(k->kind))
			continue;
		struct schema *s = native(k);
		for (int round = 0; round < ROUNDS; round++) {
			d->state = (uint64_t)(k->kind * 1000 + round);
			property(d, k, s);
		}
		schema_free(s);
	}
	free(d);
}

static void round_trip(struct dice *d, const struct kind_info *k, struct schema *s)
{
	union rec_any in, out;
	struct buf a = {0}, b = {0};
	struct err err = {0};
	int kind = -1;
	dice_record(d, k, &in);
	encode_ok(s, &in, &a);
	assert_int_equal(record_frame(a.data, a.len, &kind, &err), a.len);
	assert_int_equal(kind, k->kind);
	decode_ok(s, &a, &out);
	encode_ok(s, &out, &b);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	buf_release(&a);
	buf_release(&b);
}

static void test_round_trip(void **state)
{
	each_kind(round_trip);
}

static void truncation(struct dice *d, const struct kind_info *k, struct schema *s)
{
	union rec_any in, out;
	struct buf a = {0};
	struct err err = {0};
	int kind;
	dice_record(d, k, &in);
	encode_ok(s, &in, &a);
	for (size_t n = 0; n < a.len; n++) {
		uint8_t *copy =
			malloc(n ? n : 1); /* its own block: ASan sees a read past it */
		memcpy(copy, a.data, n);
		assert_int_equal(record_frame(copy, n, &kind, &err), 0);
		assert_int_equal(record_decode(s, copy, n, &out, &err), -1);
		free(copy);
	}
	buf_release(&a);
}

static void test_every_truncation_is_an_error(void **state)
{
	each_kind(truncation);
}

/* A damaged record is refused, or is one that could have been written. */
static void flips(struct dice *d, const struct kind_info *k, struct schema *s)
{
	union rec_any in, out;
	struct buf a = {0}, b = {0};
	struct err err = {0};
	dice_record(d, k, &in);
	encode_ok(s, &in, &a);
	for (int i = 0; i < 50; i++) {
		size_t at = dice_below(d, (uint32_t)a.len);
		uint8_t was = a.data[at];
		a.data[at] ^= (uint8_t)(1u << dice_below(d, 8));
		int kind;
		int64_t n = record_frame(a.data, a.len, &kind, &err);
		assert_true(n <= (int64_t)a.len);
		if (n > 0 && record_decode(s, a.data, (size_t)n, &out, &err) == 0) {
			encode_ok(s, &out, &b);
			decode_ok(s, &b, &in);
		}
		a.data[at] = was;
	}
	buf_release(&a);
	buf_release(&b);
}

static void test_flipped_bits_never_pass_a_bound(void **state)
{
	each_kind(flips);
}

static uint8_t *put_text(uint8_t *p, const char *s)
{
	return mp_put_str(p, s, (uint32_t)strlen(s));
}

/* What the writer of another version declares: some fields gone, others new, in another
 * order. */
struct variant {
	int order[FIELDS_MAX]; /* our field, or -1 for one we do not know */
	int n;
	bool more_words; /* its enumerations start with a word we do not have */
};

static void make_variant(struct dice *d, const struct kind_info *k, struct variant *v)
{
	v->n = 0;
	for (int i = 0; i < k->nfields; i++)
		if (k->fields[i].need || dice_below(d, 3))
			v->order[v->n++] = i;
	for (int i = v->n - 1; i > 0; i--) {
		int j = (int)dice_below(d, (uint32_t)i + 1), t = v->order[i];
		v->order[i] = v->order[j];
		v->order[j] = t;
	}
	for (int i = 0; i < 3 && v->n < FIELDS_MAX; i++)
		v->order[v->n++] = -1;
	v->more_words = dice_below(d, 2);
}

static struct schema *variant_schema(const struct kind_info *k, const struct variant *v)
{
	static uint8_t wire[64 * 1024];
	uint8_t *p = mp_put_array(wire, 5);
	char name[32];
	p = mp_put_uint(p, KIND_schema);
	p = mp_put_uint(p, (uint64_t)k->kind);
	p = put_text(p, k->name);
	p = mp_put_uint(p, (uint64_t)k->version + 1);
	p = mp_put_array(p, (uint32_t)v->n);
	for (int i = 0; i < v->n; i++) {
		const struct field_info *f =
			v->order[i] < 0 ? NULL : &k->fields[v->order[i]];
		snprintf(name, sizeof(name), "future_%d", i);
		p = mp_put_array(p, 4);
		p = put_text(p, f ? f->name : name);
		p = put_text(p, f       ? field_type_name(f->type)
				: i % 2 ? "f32"
					: "hologram");
		p = put_text(p, f ? f->unit : "");
		int extra = v->more_words ? 1 : 0;
		if (!f || f->names->n == 0 || f->names->n + extra > NAMES_MAX) {
			p = mp_put_nil(p);
			continue;
		}
		p = mp_put_array(p, (uint32_t)(f->names->n + extra));
		if (extra)
			p = put_text(p, "brand_new");
		for (int w = 0; w < f->names->n; w++)
			p = put_text(p, f->names->words[w]);
	}
	struct err err = {0};
	struct schema *s = schema_parse(wire, (size_t)(p - wire), &err);
	if (!s)
		fail_msg("%s", err.msg);
	return s;
}

/* Fields both versions have survive the trip through the other's layout; the others are
 * missing. */
static void versions(struct dice *d, const struct kind_info *k, struct schema *ours)
{
	union rec_any in, out;
	struct buf theirs = {0}, want = {0}, got = {0};
	struct variant v;
	make_variant(d, k, &v);
	struct schema *s = variant_schema(k, &v);
	assert_false(s->native);
	dice_record(d, k, &in);
	encode_ok(s, &in, &theirs);
	decode_ok(s, &theirs, &out);
	for (int i = 0; i < k->nfields; i++)
		if (s->from[i] < 0)
			field_clear(&k->fields[i], &in);
	encode_ok(ours, &in, &want);
	encode_ok(ours, &out, &got);
	assert_int_equal(want.len, got.len);
	assert_memory_equal(want.data, got.data, want.len);
	schema_free(s);
	buf_release(&theirs);
	buf_release(&want);
	buf_release(&got);
}

static void test_other_versions_map_by_name(void **state)
{
	each_kind(versions);
}

static void test_schema_refusals(void **state)
{
	struct err err = {0};
	struct schema *s = native(kind_info(KIND_telemetry));
	for (size_t n = 0; n < s->wire_len; n++)
		assert_null(schema_parse(s->wire, n, &err));
	uint8_t *wire = malloc(s->wire_len);
	memcpy(wire, s->wire, s->wire_len);
	wire[2] =
		KIND_alert; /* the number of another kind under the name 'telemetry' */
	assert_null(schema_parse(wire, s->wire_len, &err));
	assert_non_null(strstr(err.msg, "telemetry"));
	free(wire);
	schema_free(s);
}

static void refused(
	const struct schema *s, const uint8_t *p, const uint8_t *end, const char *why)
{
	struct rec_telemetry t;
	struct err err = {0};
	assert_int_equal(record_decode(s, p, (size_t)(end - p), &t, &err), -1);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static uint8_t *start_telemetry(uint8_t *p)
{
	p = mp_put_array(p, 9);
	p = mp_put_uint(p, KIND_telemetry);
	return mp_put_int(p, 1000);
}

static void test_wrong_values_are_named(void **state)
{
	struct schema *s = native(kind_info(KIND_telemetry));
	uint8_t b[512], *p;
	char longer[CODE_MAX + 1];
	memset(longer, 'x', sizeof(longer));

	p = mp_put_str(start_telemetry(b), longer, sizeof(longer));
	refused(s, b, p, "field 'battery' is too long");
	p = mp_put_str(start_telemetry(b), "B\n1", 3);
	refused(s, b, p, "field 'battery' is not free of control");
	p = mp_put_nil(start_telemetry(b));
	refused(s, b, p, "field 'battery' is missing");
	p = mp_put_str(start_telemetry(b), "", 0);
	refused(s, b, p, "field 'battery' is empty");
	p = mp_put_str(start_telemetry(b), "\xff", 1);
	refused(s, b, p, "field 'battery' is not UTF-8");
	p = mp_put_f32(mp_put_str(start_telemetry(b), "B", 1), INFINITY);
	refused(s, b, p, "field 'voltage_v' is not finite");
	p = mp_put_f64(mp_put_str(start_telemetry(b), "B", 1), 1e300);
	refused(s, b, p, "field 'voltage_v' is out of range");
	p = mp_put_str(mp_put_str(start_telemetry(b), "B", 1), "13.5", 4);
	refused(s, b, p, "field 'voltage_v' is not a number");
	p = mp_put_str(start_telemetry(b), "B", 1);
	for (int i = 0; i < 4; i++)
		p = mp_put_nil(p);
	refused(s, b, mp_put_uint(p, mode_count), "field 'mode' is out of range");
	p = mp_put_array(b, 3);
	refused(s, b, mp_put_int(mp_put_uint(p, KIND_telemetry), 1), "schema has 8");
	schema_free(s);
}

/* An old reader cannot use a record whose needed word it does not know, but must say
 * so. */
static void test_new_words(void **state)
{
	static const struct variant v = {
		.order = {F_status_ts, F_status_subject, F_status_status},
		.n = 3,
		.more_words = true};
	struct schema *s = variant_schema(kind_info(KIND_status), &v);
	struct rec_status r;
	struct err err = {0};
	uint8_t b[64], *p = mp_put_uint(mp_put_array(b, 4), KIND_status);
	p = mp_put_str(mp_put_int(p, 1), "B", 1);
	uint8_t *end = mp_put_uint(p, 0); /* 'brand_new' */
	assert_int_equal(record_decode(s, b, (size_t)(end - b), &r, &err), -1);
	assert_non_null(strstr(err.msg, "field 'status' is a word of a later version"));
	end = mp_put_uint(p, 1); /* their second word is our first */
	assert_int_equal(record_decode(s, b, (size_t)(end - b), &r, &err), 0);
	assert_int_equal(r.status, health_healthy);
	schema_free(s);
}

static void test_integers_serve_as_floats(void **state)
{
	struct schema *s = native(kind_info(KIND_telemetry));
	uint8_t b[128], *p = mp_put_str(start_telemetry(b), "B", 1);
	struct rec_telemetry t;
	struct err err = {0};
	p = mp_put_int(p, 13);
	p = mp_put_f64(p, -0.5);
	for (int i = 0; i < 4; i++)
		p = mp_put_nil(p);
	assert_int_equal(record_decode(s, b, (size_t)(p - b), &t, &err), 0);
	assert_true(
		t.voltage_v == 13.0F && t.current_a == -0.5F && isnan(t.temperature_c));
	schema_free(s);
}

static void test_bounds_before_bytes(void **state)
{
	struct err err = {0};
	int kind;
	/* An array of four thousand million elements is refused by its head alone. */
	const uint8_t huge[] = {0xdd, 0xff, 0xff, 0xff, 0xff, 0x01};
	assert_int_equal(record_frame(huge, sizeof(huge), &kind, &err), -1);
	const uint8_t text[] = {0x92, 0x01, 0xdb, 0x7f, 0xff, 0xff, 0xff};
	assert_int_equal(record_frame(text, sizeof(text), &kind, &err), -1);
	uint8_t deep[64] = {0x92, 0x01};
	memset(deep + 2, 0x91, sizeof(deep) - 2);
	assert_int_equal(record_frame(deep, sizeof(deep), &kind, &err), -1);
	const uint8_t map[] = {0x81, 0x01, 0x02};
	assert_int_equal(record_frame(map, sizeof(map), &kind, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_truncation_is_an_error),
		cmocka_unit_test(test_flipped_bits_never_pass_a_bound),
		cmocka_unit_test(test_other_versions_map_by_name),
		cmocka_unit_test(test_schema_refusals),
		cmocka_unit_test(test_wrong_values_are_named),
		cmocka_unit_test(test_new_words),
		cmocka_unit_test(test_integers_serve_as_floats),
		cmocka_unit_test(test_bounds_before_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
