#include "record/text_parts.h"

#include <math.h>

/* A word of a list: what separates words and names, and the escape itself, get a
 * backslash. */
static void list_word(const struct schema_field *f, struct str s, struct buf *out)
{
	for (uint32_t i = 0; i < s.len; i++) {
		char c = s.s[i];
		if (c == ';' || c == '\\' || (c == '=' && f->type != T_STRS))
			buf_putc(out, '\\');
		buf_putc(out, c);
	}
}

static void list_pair(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	struct str s;
	if (mp_array(in) != 2)
		in->bad = true;
	if (f->type == T_PAIRS) {
		s.s = mp_str(in, &s.len);
		list_word(f, s, out);
	} else {
		text_any(in, out);
	}
	buf_putc(out, '=');
	if (f->type == T_PAIRS)
		text_f32((float)mp_float(in), out);
	else
		text_any(in, out);
}

/*
 * Words joined by ';'. Two lists have a form of their own, since no text at all means
 * missing: "[]" is the empty list, a lone backslash the list of one empty word. The
 * word
 * "[]" alone is then "\[]".
 */
static void cell_list(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	uint32_t n = mp_array(in);
	size_t from = out->len;
	struct str s;
	if (n == 0)
		buf_puts(out, "[]");
	for (uint32_t i = 0; i < n && !in->bad; i++) {
		buf_puts(out, i ? ";" : "");
		if (f->type == T_STRS) {
			s.s = mp_str(in, &s.len);
			buf_puts(out,
				n == 1 && s.len == 2 && str_is(s, "[]") ? "\\" : "");
			list_word(f, s, out);
		} else {
			list_pair(f, in, out);
		}
	}
	if (n && out->len == from)
		buf_putc(out, '\\');
}

static void cell_enum(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	int64_t v = mp_int(in);
	if (v >= 0 && v < f->nwords)
		buf_puts(out, f->words[v]);
	else
		buf_printf(out, "%lld", (long long)v);
}

static void cell_bits(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	int64_t v = mp_int(in);
	const char *sep = "";
	if (v <= 0 || v >> f->nwords != 0) { /* 0: empty would read back as missing */
		buf_printf(out, "%lld", (long long)v);
		return;
	}
	for (int i = 0; i < f->nwords; i++)
		if (v >> i & 1) {
			buf_printf(out, "%s%s", sep, f->words[i]);
			sep = ";";
		}
}

/* What JSON shows as null for want of a number is an empty cell. */
static void cell_float(struct mp_in *in, struct buf *out)
{
	bool single = mp_peek(in) == MP_F32;
	double v = mp_float(in);
	if (isfinite(v))
		single ? text_f32((float)v, out) : text_f64(v, out);
}

/* The value as bare text, before quoting. */
static void cell_value(const struct schema_field *f, struct mp_in *in, struct buf *out)
{
	char t[TIME_TEXT_SIZE];
	struct str s;
	enum mp_type type = mp_peek(in);
	bool number = text_integer_ahead(in);
	bool list = f->type == T_PAIRS || f->type == T_STRS || f->type == T_COUNTS;
	if (f->type == T_TIME && number) {
		buf_puts(out, time_format(mp_int(in), t));
	} else if (f->type == T_ENUM && number) {
		cell_enum(f, in, out);
	} else if (f->type == T_BITS && number) {
		cell_bits(f, in, out);
	} else if (type == MP_STR) {
		s.s = mp_str(in, &s.len);
		buf_append(out, s.s, s.len);
	} else if (type == MP_ARRAY && list) {
		cell_list(f, in, out);
	} else if (type == MP_F32 || type == MP_F64) {
		cell_float(in, out);
	} else {
		text_any(in, out);
	}
}

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t'; /* readers trim them */
}

void text_quote(struct buf *out, size_t from, bool force)
{
	size_t n = out->len - from;
	if (buf_reserve(out, 2) < 0)
		return;
	const uint8_t *b = out->data + from;
	bool need = force || (n && (blank(b[0]) || blank(b[n - 1])));
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
	if (mp_array(&in) != (uint32_t)s->nfields + 1)
		return err_set(err, ERR_DATA,
			"%s: not as many fields as its schema has", s->name);
	mp_int(&in);
	for (int i = 0; i < field; i++)
		mp_skip(&in);
	enum mp_type type = mp_peek(&in);
	if (type != MP_NIL) {
		cell_value(&s->fields[field], &in, out);
		if (quote)
			text_quote(out, from, type == MP_STR && out->len == from);
	}
	return text_done(&in, out, err);
}
