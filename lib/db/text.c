#include "db/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

bool text_storable(const void *text, size_t n)
{
	const uint8_t *p = text;
	for (size_t i = 0; i < n;) {
		if (p[i] == 0)
			return false;
		size_t len = utf8_length(p + i, n - i);
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
