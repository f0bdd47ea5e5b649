#include "db/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Bytes of the UTF-8 sequence at p, 0 when it is none: overlong forms, surrogates and
 * what is above U+10FFFF are none. */
static size_t sequence(const uint8_t *p, size_t n)
{
	uint8_t c = p[0];
	size_t len = c >= 0xc2 && c <= 0xdf   ? 2
		     : c >= 0xe0 && c <= 0xef ? 3
		     : c >= 0xf0 && c <= 0xf4 ? 4
					      : 0;
	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	bool bad = (c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f) ||
		   (c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f);
	return bad ? 0 : len;
}

bool text_storable(const void *text, size_t n)
{
	const uint8_t *p = text;
	for (size_t i = 0; i < n;) {
		if (p[i] == 0)
			return false;
		size_t len = p[i] < 0x80 ? 1 : sequence(p + i, n - i);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

static void put_string(struct str s, struct buf *out)
{
	buf_putc(out, '"');
	for (uint32_t i = 0; i < s.len; i++) {
		char c = s.s[i];
		if (c == '"' || c == '\\')
			buf_printf(out, "\\%c", c);
		else if ((uint8_t)c < 0x20)
			buf_printf(out, "\\u%04x", (unsigned)(uint8_t)c);
		else
			buf_putc(out, c);
	}
	buf_putc(out, '"');
}

/* The shortest decimal that reads back as the same float. */
static void put_float(float v, struct buf *out)
{
	char text[32] = "null";
	for (int digits = 6; !isnan(v) && digits <= 9; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, (double)v);
		if (strtof(text, NULL) == v)
			break;
	}
	buf_puts(out, text);
}

size_t text_pairs(const struct pairs *p, struct buf *out)
{
	size_t before = out->len;
	if (p->n < 0)
		return 0;
	buf_putc(out, '[');
	for (int32_t i = 0; i < p->n; i++) {
		buf_puts(out, i ? ",[" : "[");
		put_string(p->v[i].name, out);
		buf_putc(out, ',');
		put_float(p->v[i].value, out);
		buf_putc(out, ']');
	}
	buf_putc(out, ']');
	return out->len - before;
}

size_t text_strs(const struct strs *p, struct buf *out)
{
	size_t before = out->len;
	if (p->n < 0)
		return 0;
	buf_putc(out, '[');
	for (int32_t i = 0; i < p->n; i++) {
		if (i)
			buf_putc(out, ',');
		put_string(p->v[i], out);
	}
	buf_putc(out, ']');
	return out->len - before;
}
