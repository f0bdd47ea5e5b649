#include "base/parse.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

int parse_i64(struct str s, int64_t min, int64_t max, int64_t *out)
{
	if (!s.s || s.len == 0)
		return -1;
	bool neg = s.s[0] == '-';
	uint32_t i = neg || s.s[0] == '+';
	if (i == s.len)
		return -1;
	int64_t v = 0;
	for (; i < s.len; i++) {
		int d = s.s[i] - '0';
		if (d < 0 || d > 9 || __builtin_mul_overflow(v, 10, &v) ||
			__builtin_sub_overflow(v, d, &v))
			return -1;
	}
	if (!neg && __builtin_sub_overflow((int64_t)0, v, &v))
		return -1;
	if (v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

static const double POW10[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

/*
 * Clinger's fast path: up to 15 digits over a power of ten that a double holds exactly
 * is one correctly rounded division. Covers every number a sensor sends.
 */
static int parse_short(struct str s, double *out)
{
	uint32_t i = s.s[0] == '-';
	uint64_t m = 0;
	int digits = 0, frac = -1;
	for (; i < s.len; i++) {
		char c = s.s[i];
		if (c == '.' && frac < 0) {
			frac = 0;
		} else if (c >= '0' && c <= '9') {
			m = m * 10 + (uint64_t)(c - '0');
			digits++;
			frac += frac >= 0;
		} else {
			return -1;
		}
	}
	if (digits == 0 || digits > 15)
		return -1;
	double v = (double)m / POW10[frac > 0 ? frac : 0];
	*out = s.s[0] == '-' ? -v : v;
	return 0;
}

int parse_f64(struct str s, double *out)
{
	char tmp[64], *end;
	if (!s.s || s.len == 0)
		return -1;
	if (parse_short(s, out) == 0)
		return 0;
	if (s.len >= sizeof(tmp))
		return -1;
	for (uint32_t i = 0; i < s.len; i++)
		if (!strchr("0123456789+-.eE", s.s[i]) || s.s[i] == '\0')
			return -1;
	memcpy(tmp, s.s, s.len);
	tmp[s.len] = '\0';
	double v = strtod(tmp, &end);
	if (*end || end == tmp || !isfinite(v))
		return -1;
	*out = v;
	return 0;
}

int parse_duration_ms(struct str s, int64_t *out)
{
	static const struct {
		const char *suffix;
		double ms;
	} units[] = {{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"min", 6e4}, {"h", 3.6e6},
		{"d", 8.64e7}, {"w", 6.048e8}, {"y", 3.1536e10}, {"", 1e3}};
	uint32_t n = 0;
	while (s.s && n < s.len && ((s.s[n] >= '0' && s.s[n] <= '9') || s.s[n] == '.'))
		n++;
	double v;
	if (parse_f64((struct str){s.s, n}, &v) < 0)
		return -1;
	struct str suffix = {s.s + n, s.len - n};
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (str_is(suffix, units[i].suffix) && v * units[i].ms < 9e15) {
			*out = (int64_t)llround(v * units[i].ms);
			return 0;
		}
	return -1;
}
