#include "base/timefmt.h"

#include <stdio.h>

int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + doe - 719468;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

void time_to_civil(int64_t ms, struct civil *c)
{
	int64_t days = floor_div(ms, DAY_MS);
	int64_t rest = ms - days * DAY_MS;
	int64_t z = days + 719468;
	int64_t era = floor_div(z, 146097);
	int64_t doe = z - era * 146097;
	int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int64_t mp = (5 * doy + 2) / 153;
	c->day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c->month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c->year = (int)(yoe + era * 400 + (c->month <= 2));
	c->hour = (int)(rest / HOUR_MS);
	c->minute = (int)(rest / MINUTE_MS % 60);
	c->second = (int)(rest / SECOND_MS % 60);
	c->ms = (int)(rest % SECOND_MS);
	c->weekday = (int)(((days + 4) % 7 + 7) % 7);
	c->yearday = (int)(days - days_from_civil(c->year, 1, 1));
}

int64_t time_from_civil(const struct civil *c)
{
	return days_from_civil(c->year, c->month, c->day) * DAY_MS + c->hour * HOUR_MS +
	       c->minute * MINUTE_MS + c->second * SECOND_MS + c->ms;
}

int64_t time_month(int64_t ms, int n)
{
	struct civil c;
	time_to_civil(ms, &c);
	int64_t months = (int64_t)c.year * 12 + c.month - 1 + n;
	int64_t year = time_whole(months, 12);
	return days_from_civil((int)year, (int)(months - year * 12) + 1, 1) * DAY_MS;
}

static char *put2(char *p, int v)
{
	*p++ = (char)('0' + v / 10);
	*p++ = (char)('0' + v % 10);
	return p;
}

char *time_format(int64_t ms, char *dst)
{
	struct civil c;
	if (ms < TIME_MIN || ms > TIME_MAX) {
		snprintf(dst, TIME_TEXT_SIZE, "%lld", (long long)ms);
		return dst;
	}
	time_to_civil(ms, &c);
	char *p = put2(put2(dst, c.year / 100), c.year % 100);
	*p++ = '-';
	p = put2(p, c.month);
	*p++ = '-';
	p = put2(p, c.day);
	*p++ = 'T';
	p = put2(p, c.hour);
	*p++ = ':';
	p = put2(p, c.minute);
	*p++ = ':';
	p = put2(p, c.second);
	if (c.ms) {
		*p++ = '.';
		*p++ = (char)('0' + c.ms / 100);
		p = put2(p, c.ms % 100);
	}
	*p++ = 'Z';
	*p = '\0';
	return dst;
}

struct cursor {
	const char *p, *end;
};

/* Reads exactly n digits. Returns the value or -1. */
static int digits(struct cursor *k, int n)
{
	int v = 0;
	if (k->end - k->p < n)
		return -1;
	for (; n; n--) {
		int d = *k->p++ - '0';
		if (d < 0 || d > 9)
			return -1;
		v = v * 10 + d;
	}
	return v;
}

static int expect(struct cursor *k, char c)
{
	if (k->p == k->end || *k->p != c)
		return -1;
	k->p++;
	return 0;
}

static int parse_fraction(struct cursor *k, int *ms)
{
	int scale = 100, n = 0;
	*ms = 0;
	for (; k->p < k->end && *k->p >= '0' && *k->p <= '9'; k->p++, n++) {
		*ms += (*k->p - '0') * scale;
		scale /= 10;
	}
	return n ? 0 : -1;
}

static int parse_offset(struct cursor *k, int64_t *offset_ms)
{
	if (k->p == k->end)
		return 0;
	char sign = *k->p++;
	if (sign == 'Z') {
		*offset_ms = 0;
		return 0;
	}
	if (sign != '+' && sign != '-')
		return -1;
	int h = digits(k, 2);
	if (k->p < k->end && *k->p == ':')
		k->p++;
	int m = k->p < k->end ? digits(k, 2) : 0;
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return -1;
	*offset_ms = (h * HOUR_MS + m * MINUTE_MS) * (sign == '-' ? -1 : 1);
	return 0;
}

static int parse_clock(struct cursor *k, struct civil *c)
{
	c->hour = digits(k, 2);
	if (c->hour < 0 || c->hour > 23 || expect(k, ':') < 0)
		return -1;
	c->minute = digits(k, 2);
	if (c->minute < 0 || c->minute > 59)
		return -1;
	if (k->p == k->end || *k->p != ':')
		return 0;
	k->p++;
	c->second = digits(k, 2);
	if (c->second < 0 || c->second > 59)
		return -1;
	if (k->p < k->end && *k->p == '.') {
		k->p++;
		return parse_fraction(k, &c->ms);
	}
	return 0;
}

static bool date_exists(const struct civil *c)
{
	static const int len[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (c->year < 1 || c->month < 1 || c->month > 12 || c->day < 1 ||
		c->day > len[c->month - 1])
		return false;
	bool leap = c->year % 4 == 0 && (c->year % 100 != 0 || c->year % 400 == 0);
	return c->month != 2 || c->day <= 28 + leap;
}

int time_parse_iso(struct str s, int64_t offset_ms, int64_t *out)
{
	struct civil c = {0};
	if (!s.s)
		return -1;
	struct cursor k = {s.s, s.s + s.len};
	c.year = digits(&k, 4);
	if (expect(&k, '-') < 0)
		return -1;
	c.month = digits(&k, 2);
	if (expect(&k, '-') < 0)
		return -1;
	c.day = digits(&k, 2);
	if (!date_exists(&c))
		return -1;
	if (k.p < k.end && (*k.p == 'T' || *k.p == ' ')) {
		k.p++;
		if (parse_clock(&k, &c) < 0)
			return -1;
	}
	if (parse_offset(&k, &offset_ms) < 0 || k.p != k.end)
		return -1;
	*out = time_from_civil(&c) - offset_ms;
	return 0;
}
