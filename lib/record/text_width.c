#include "record/text.h"

#include <stdio.h>

struct range {
	uint32_t first, last;
};

/*
 * Marks that stand over, under or in front of the letter before them (general
 * categories Mn, Me and Cf of Unicode 15) in the scripts our texts are written in:
 * Latin, Cyrillic, Arabic, Devanagari, Thai, Lao, Burmese, Khmer; variation selectors.
 */
static const struct range MARKS[] = {{0x00ad, 0x00ad}, {0x0300, 0x036f},
	{0x0483, 0x0489}, {0x064b, 0x065f}, {0x0670, 0x0670}, {0x0900, 0x0902},
	{0x093a, 0x093a}, {0x093c, 0x093c}, {0x0941, 0x0948}, {0x094d, 0x094d},
	{0x0e31, 0x0e31}, {0x0e34, 0x0e3a}, {0x0e47, 0x0e4e}, {0x0eb1, 0x0eb1},
	{0x0eb4, 0x0ebc}, {0x0ec8, 0x0ece}, {0x102d, 0x1030}, {0x1032, 0x1037},
	{0x1039, 0x103a}, {0x103d, 0x103e}, {0x17b4, 0x17b5}, {0x17b7, 0x17bd},
	{0x17c6, 0x17c6}, {0x17c9, 0x17d3}, {0x1ab0, 0x1ace}, {0x1dc0, 0x1dff},
	{0x200b, 0x200d}, {0x2060, 0x2064}, {0x20d0, 0x20f0}, {0xfe00, 0xfe0f},
	{0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0xe0100, 0xe01ef}};

/* East Asian Width W and F, and emoji that terminals show so (UAX #11). */
static const struct range WIDE[] = {{0x1100, 0x115f}, {0x231a, 0x231b},
	{0x23e9, 0x23ec}, {0x26a1, 0x26a1}, {0x2705, 0x2705}, {0x274c, 0x274c},
	{0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xa960, 0xa97c}, {0xac00, 0xd7a3},
	{0xf900, 0xfaff}, {0xfe30, 0xfe6f}, {0xff01, 0xff60}, {0xffe0, 0xffe6},
	{0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f7e0, 0x1f7eb}, {0x1f900, 0x1f9ff},
	{0x20000, 0x3fffd}};

static bool within(const struct range *r, size_t n, uint32_t c)
{
	for (size_t i = 0; i < n && r[i].first <= c; i++)
		if (c <= r[i].last)
			return true;
	return false;
}

static uint32_t code_point(const uint8_t *p, size_t n)
{
	uint32_t c = n == 1 ? *p : *p & (0x7fu >> n);
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (p[i] & 0x3f);
	return c;
}

/* Columns of a character; -1 for what a terminal would obey or reorder text by. */
static int columns(uint32_t c)
{
	if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069))
		return -1;
	if (c < 0x300)
		return c != 0xad;
	if (within(MARKS, sizeof(MARKS) / sizeof(MARKS[0]), c))
		return 0;
	return within(WIDE, sizeof(WIDE) / sizeof(WIDE[0]), c) ? 2 : 1;
}

static int escape(uint32_t c, struct buf *out)
{
	char t[16];
	int n = 2;
	if (c == '\n' || c == '\t' || c == '\r')
		snprintf(t, sizeof(t), "\\%c", c == '\n' ? 'n' : c == '\t' ? 't' : 'r');
	else
		n = snprintf(t, sizeof(t), c < 0x80 ? "\\x%02x" : "\\u%04x", c);
	buf_puts(out, t);
	return n;
}

uint32_t text_show(struct str s, struct buf *out)
{
	uint32_t width = 0;
	for (uint32_t i = 0; i < s.len;) {
		const uint8_t *p = (const uint8_t *)s.s + i;
		size_t k = utf8_length(p, s.len - i);
		uint32_t c = k ? code_point(p, k) : 0xfffd;
		int n = columns(c);
		if (n < 0)
			n = escape(c, out);
		else
			buf_append(
				out, k ? (const char *)p : "\xef\xbf\xbd", k ? k : 3);
		width += (uint32_t)n;
		i += k ? (uint32_t)k : 1;
	}
	return width;
}
