#include "record/text.h"

#include "base/parse.h"
#include "record/mp.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void text_json_string(struct str s, struct buf *out)
{
	static const char hex[] = "0123456789abcdef";
	if (!s.s) {
		buf_puts(out, "null");
		return;
	}
	buf_putc(out, '"');
	for (uint32_t i = 0; i < s.len; i++) {
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
	if (n == 0 && signbit(v))
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

void text_f32(float v, struct buf *out)
{
	char t[40];
	if (isnan(v))
		buf_puts(out, "null");
	else if (!three_decimals((double)v, true, out)) {
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
	if (isnan(v))
		buf_puts(out, "null");
	else if (!three_decimals(v, false, out)) {
		for (int digits = 15; digits <= 17; digits++) {
			snprintf(t, sizeof(t), "%.*g", digits, v);
			if (strtod(t, NULL) == v)
				break;
		}
		buf_puts(out, t);
	}
}

/* A value of any type; depth is bounded by record_frame. */
static void any(struct mp_in *in, struct buf *out)
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
		buf_printf(out, "%lld", (long long)mp_int(in));
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
			any(in, out);
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

static int done(const struct mp_in *in, const struct buf *out, struct err *err)
{
	if (out->failed)
		return err_nomem(err);
	return in->bad ? err_set(err, ERR_DATA, "malformed record") : 0;
}

int text_json_any(const uint8_t *p, size_t len, struct buf *out, struct err *err)
{
	struct mp_in in = {p, p + len, false};
	any(&in, out);
	return done(&in, out, err);
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

static void json_bits(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	int64_t v = mp_int(in);
	const char *comma = "";
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
	bool integer = mp_peek(in) == MP_INT;
	if (f->type == T_TIME && integer)
		json_time(in, out);
	else if (f->type == T_ENUM && integer)
		json_enum(f, in, out);
	else if (f->type == T_BITS && integer)
		json_bits(f, in, out);
	else
		any(in, out);
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
	buf_printf(out, "{\"kind\":\"%s\"", s->name);
	for (int i = 0; i < s->nfields && !in.bad; i++) {
		const struct schema_field *f = &s->fields[i];
		if (only && !only[i]) {
			mp_skip(&in);
			continue;
		}
		buf_printf(out, ",\"%s\":", f->name);
		json_value(f, &in, out);
	}
	buf_putc(out, '}');
	return done(&in, out, err);
}

static void cell_list(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	uint32_t n = mp_array(in);
	for (uint32_t i = 0; i < n && !in->bad; i++) {
		struct str s;
		buf_puts(out, i ? ";" : "");
		if (f->type == T_PAIRS && mp_array(in) != 2)
			in->bad = true;
		s.s = mp_str(in, &s.len);
		buf_append(out, s.s, s.len);
		if (f->type == T_PAIRS) {
			buf_putc(out, '=');
			text_f32((float)mp_float(in), out);
		}
	}
}

/* The value as bare text, before quoting. */
static void cell_value(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	char t[TIME_TEXT_SIZE];
	struct str s;
	int64_t v;
	enum mp_type type = mp_peek(in);
	if (f->type == T_TIME && type == MP_INT) {
		buf_puts(out, time_format(mp_int(in), t));
	} else if (f->type == T_ENUM && type == MP_INT) {
		v = mp_int(in);
		if (v >= 0 && v < f->nwords)
			buf_puts(out, f->words[v]);
		else
			buf_printf(out, "%lld", (long long)v);
	} else if (f->type == T_BITS && type == MP_INT) {
		v = mp_int(in);
		const char *sep = "";
		for (int i = 0; i < f->nwords; i++)
			if (v >> i & 1) {
				buf_printf(out, "%s%s", sep, f->words[i]);
				sep = ";";
			}
		if (v == 0)
			buf_putc(out, '0'); /* empty would read back as missing */
	} else if (type == MP_STR) {
		s.s = mp_str(in, &s.len);
		buf_append(out, s.s, s.len);
	} else if (type == MP_ARRAY && (f->type == T_PAIRS || f->type == T_STRS)) {
		cell_list(f, in, out);
	} else {
		any(in, out);
	}
}

/* Quotes out[from…] as RFC 4180 wants it. */
static void quote_cell(struct buf *out, size_t from, bool force)
{
	size_t n = out->len - from;
	if (buf_reserve(out, 2) < 0)
		return;
	const uint8_t *b = out->data + from;
	bool need = force || (n && (b[0] == ' ' || b[n - 1] == ' '));
	size_t quotes = 0;
	for (size_t i = 0; i < n; i++) {
		quotes += b[i] == '"';
		need |= b[i] == '"' || b[i] == ',' || b[i] == '\n' || b[i] == '\r';
	}
	if (!need || buf_reserve(out, quotes + 2) < 0)
		return;
	uint8_t *src = out->data + out->len, *dst = src + quotes + 2;
	out->len += quotes + 2;
	*--dst = '"';
	while (src > out->data + from) {
		*--dst = *--src;
		if (*src == '"')
			*--dst = '"';
	}
	*--dst = '"';
}

int text_cell(const struct schema *s, const uint8_t *p, size_t len, int field,
	bool quote, struct buf *out, struct err *err)
{
	struct mp_in in = {p, p + len, false};
	size_t from = out->len;
	mp_array(&in);
	mp_int(&in);
	for (int i = 0; i < field; i++)
		mp_skip(&in);
	enum mp_type type = mp_peek(&in);
	if (type != MP_NIL) {
		cell_value(&s->fields[field], &in, out);
		if (quote)
			quote_cell(out, from,
				(type == MP_STR || type == MP_ARRAY) &&
					out->len == from);
	}
	return done(&in, out, err);
}

static const char *parse_int(struct str s, int64_t min, int64_t max, int32_t *out)
{
	int64_t v;
	if (parse_i64(s, min, max, &v) < 0)
		return "not a whole number in range";
	*out = (int32_t)v;
	return NULL;
}

static const char *parse_time(struct str s, int64_t *out)
{
	if (time_parse_iso(s, 0, out) == 0 ||
		parse_i64(s, TIME_MIN, TIME_MAX, out) == 0)
		return NULL;
	return "not a time (ISO 8601 or ms since the epoch)";
}

static const char *parse_words(const struct field_info *f, struct str s, int32_t *out)
{
	if (parse_int(s, 0, f->type == T_BITS ? INT32_MAX : f->names->n - 1, out) ==
		NULL)
		return NULL;
	int32_t bits = 0;
	while (s.len) {
		const char *semi = f->type == T_BITS ? memchr(s.s, ';', s.len) : NULL;
		uint32_t n = semi ? (uint32_t)(semi - s.s) : s.len;
		int v = name_value(f->names, (struct str){s.s, n});
		if (v < 0)
			return "not one of the words of this field";
		bits |= BIT(v);
		*out = f->type == T_BITS ? bits : v;
		s.s += n + (semi != NULL);
		s.len -= n + (semi != NULL);
	}
	return NULL;
}

static const char *parse_float(struct str s, double *out)
{
	return parse_f64(s, out) < 0 ? "not a number" : NULL;
}

static const char *parse_strs(struct str s, struct strs *out)
{
	for (out->n = 0; s.len || out->n == 0;) {
		const char *semi = s.len ? memchr(s.s, ';', s.len) : NULL;
		uint32_t n = semi ? (uint32_t)(semi - s.s) : s.len;
		if (s.len == 0)
			break;
		if (out->n == LIST_MAX)
			return "too long a list";
		out->v[out->n++] = (struct str){s.s, n};
		s.s += n + (semi != NULL);
		s.len -= n + (semi != NULL);
	}
	return NULL;
}

static const char *parse_pairs(struct str s, struct pairs *out)
{
	struct strs items;
	const char *why = parse_strs(s, &items);
	if (why)
		return why;
	for (int i = 0; i < items.n; i++) {
		const char *eq = memrchr(items.v[i].s, '=', items.v[i].len);
		double v;
		if (!eq)
			return "not a list of name=value";
		uint32_t n = (uint32_t)(eq - items.v[i].s);
		if (parse_f64((struct str){eq + 1, items.v[i].len - n - 1}, &v) < 0)
			return "not a list of name=value";
		out->v[i].name = (struct str){items.v[i].s, n};
		out->v[i].value = (float)v;
	}
	out->n = items.n;
	return NULL;
}

const char *text_parse_field(const struct field_info *f, struct str s, void *rec)
{
	void *at = (char *)rec + f->offset;
	double v;
	const char *why;
	switch (f->type) {
	case T_TIME:
		return parse_time(s, at);
	case T_INT:
		return parse_int(s, INT32_MIN + 1, INT32_MAX, at);
	case T_LONG:
		return parse_i64(s, INT64_MIN + 1, INT64_MAX, at) < 0
			       ? "not a whole number"
			       : NULL;
	case T_F32:
		why = parse_float(s, &v);
		if (!why)
			*(float *)at = (float)v;
		return why;
	case T_F64:
		return parse_float(s, at);
	case T_ENUM:
	case T_BITS:
		return parse_words(f, s, at);
	case T_BOOL:
		if (!str_is(s, "true") && !str_is(s, "false"))
			return "not true or false";
		*(int32_t *)at = str_is(s, "true");
		return NULL;
	case T_CODE:
	case T_TEXT:
		*(struct str *)at = s;
		return NULL;
	case T_STRS:
		return parse_strs(s, at);
	case T_PAIRS:
		return parse_pairs(s, at);
	case T_COUNTS:
	case T_CHAIN:
	case T_ANY:
	case T_COUNT:
		break;
	}
	return "of a type that has no text form";
}
