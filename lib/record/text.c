#include "record/text.h"

#include "record/text_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void text_json_string(struct str s, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	if (!s.s) {
		buf_puts(out, "null");
		return;
	}
	buf_putc(out, '"');
	for (uint32_t i = 0; i < s.len; i++) {
		uint32_t run = i;
		while (run < s.len && plain((unsigned char)s.s[run]))
			run++;
		buf_append(out, s.s + i, run - i);
		if ((i = run) == s.len)
			break;
		unsigned char c = (unsigned char)s.s[i];
		if (c == '"' || c == '\\') {
			char e[2] = {'\\', (char)c};
			buf_append(out, e, 2);
		} else if (c < 0x20 || c == 0x7f) {
			char e[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
			buf_append(out, e, 6);
		} else {
			size_t k = utf8_length((const uint8_t *)s.s + i, s.len - i);
			buf_append(out, k ? s.s + i : "\xef\xbf\xbd", k ? k : 3);
			i += k ? (uint32_t)k - 1 : 0;
		}
	}
	buf_putc(out, '"');
}

/* Numbers with at most three decimals, which is what sensors send, need no search. */
static bool three_decimals(double v, bool single, struct buf *out)
{
	double scaled = v * 1000;
	if (!(fabs(scaled) < 1e9))
		return false;
	long long n = llround(scaled);
	double back = (double)n / 1000;
	if (single ? (float)back != (float)v : back != v)
		return false;
	char text[32], *p = text + sizeof(text);
	unsigned long long u = (unsigned long long)(n < 0 ? -n : n), whole = u / 1000;
	unsigned frac = (unsigned)(u % 1000);
	if (frac) {
		int digits = frac % 10 ? 3 : frac % 100 ? 2 : 1;
		for (int skip = 3; skip > digits; skip--)
			frac /= 10;
		for (int i = 0; i < digits; i++, frac /= 10)
			*--p = (char)('0' + frac % 10);
		*--p = '.';
	}
	do
		*--p = (char)('0' + whole % 10);
	while (whole /= 10);
	if (n < 0)
		*--p = '-';
	buf_append(out, p, (size_t)(text + sizeof(text) - p));
	return true;
}

static bool special(double v, struct buf *out)
{
	if (!isfinite(v))
		buf_puts(out, "null"); /* JSON has no word for it */
	else if (v == 0 && signbit(v))
		buf_puts(out,
			"-0.0"); /* "-0" is a whole number, and those have one zero */
	else
		return false;
	return true;
}

void text_f32(float v, struct buf *out)
{
	char t[40];
	if (!special((double)v, out) && !three_decimals((double)v, true, out)) {
		for (int digits = 6; digits <= 9; digits++) {
			snprintf(t, sizeof(t), "%.*g", digits, (double)v);
			if (strtof(t, NULL) == v)
				break;
		}
		buf_puts(out, t);
	}
}

void text_f64(double v, struct buf *out)
{
	char t[40];
	if (!special(v, out) && !three_decimals(v, false, out)) {
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(t, sizeof(t), "%.*g", digits, v);
			if (strtod(t, NULL) == v)
				break;
		}
		buf_puts(out, t);
	}
}

/* The integers msgpack has and int64 has not: above INT64_MAX. */
static bool beyond_i64(const struct mp_in *in)
{
	return in->end - in->p >= 9 && in->p[0] == 0xcf && in->p[1] & 0x80;
}

bool text_integer_ahead(const struct mp_in *in)
{
	return mp_peek(in) == MP_INT && !beyond_i64(in);
}

static void integer(struct mp_in *in, struct buf *out)
{
	if (!beyond_i64(in)) {
		buf_printf(out, "%lld", (long long)mp_int(in));
		return;
	}
	uint64_t v = 0;
	for (int i = 1; i <= 8; i++)
		v = v << 8 | in->p[i];
	buf_printf(out, "%llu", (unsigned long long)v);
	mp_skip(in);
}

/* A value of any type; depth is bounded by record_frame. */
void text_any(struct mp_in *in, struct buf *out)
{
	struct str s;
	uint32_t n;
	switch (mp_peek(in)) {
	case MP_NIL:
		mp_nil(in);
		buf_puts(out, "null");
		return;
	case MP_BOOL:
		buf_puts(out, mp_bool(in) ? "true" : "false");
		return;
	case MP_INT:
		integer(in, out);
		return;
	case MP_F32:
		text_f32((float)mp_float(in), out);
		return;
	case MP_F64:
		text_f64(mp_float(in), out);
		return;
	case MP_STR:
		s.s = mp_str(in, &s.len);
		text_json_string(s, out);
		return;
	case MP_ARRAY:
		n = mp_array(in);
		buf_putc(out, '[');
		for (uint32_t i = 0; i < n && !in->bad; i++) {
			buf_puts(out, i ? "," : "");
			text_any(in, out);
		}
		buf_putc(out, ']');
		return;
	case MP_OTHER:
		mp_skip(in); /* maps, binaries, extensions: no kind of ours has them */
		buf_puts(out, "null");
		return;
	case MP_NONE:
		break;
	}
	in->bad = true;
}

int text_done(const struct mp_in *in, const struct buf *out, struct err *err)
{
	if (out->failed)
		return err_nomem(err);
	return in->bad ? err_set(err, ERR_DATA, "malformed record") : 0;
}

int text_json_any(const uint8_t *p, size_t len, struct buf *out, struct err *err)
{
	struct mp_in in = {p, p + len, false};
	text_any(&in, out);
	return text_done(&in, out, err);
}

/* An enumeration's word, or its number when the schema has no word for it. */
static void json_enum(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	int64_t v = mp_int(in);
	if (v >= 0 && v < f->nwords)
		text_json_string(str_of(f->words[v]), out);
	else
		buf_printf(out, "%lld", (long long)v);
}

/* A set's words, or its number when one of its bits has no word. */
static void json_bits(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	int64_t v = mp_int(in);
	const char *comma = "";
	if (v < 0 || v >> f->nwords != 0) {
		buf_printf(out, "%lld", (long long)v);
		return;
	}
	buf_putc(out, '[');
	for (int i = 0; i < f->nwords; i++)
		if (v >> i & 1) {
			buf_puts(out, comma);
			text_json_string(str_of(f->words[i]), out);
			comma = ",";
		}
	buf_putc(out, ']');
}

static void json_time(struct mp_in *in, struct buf *out)
{
	char t[TIME_TEXT_SIZE];
	buf_printf(out, "\"%s\"", time_format(mp_int(in), t));
}

static void json_value(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	bool number = text_integer_ahead(in);
	if (f->type == T_TIME && number)
		json_time(in, out);
	else if (f->type == T_ENUM && number)
		json_enum(f, in, out);
	else if (f->type == T_BITS && number)
		json_bits(f, in, out);
	else
		text_any(in, out);
}

int text_json(const struct schema *s, const uint8_t *p, size_t len, const bool *only,
	struct buf *out, struct err *err)
{
	struct mp_in in = {p, p + len, false};
	uint32_t n = mp_array(&in);
	mp_int(&in);
	if (n != (uint32_t)s->nfields + 1)
		return err_set(err, ERR_DATA, "%s: %u fields where its schema has %d",
			s->name, n - 1, s->nfields);
	buf_puts(out, "{\"kind\":");
	text_json_string(str_of(s->name), out);
	for (int i = 0; i < s->nfields && !in.bad; i++) {
		const struct schema_field *f = &s->fields[i];
		if (only && !only[i]) {
			mp_skip(&in);
			continue;
		}
		buf_putc(out, ',');
		text_json_string(str_of(f->name), out);
		buf_putc(out, ':');
		json_value(f, &in, out);
	}
	buf_putc(out, '}');
	return text_done(&in, out, err);
}
