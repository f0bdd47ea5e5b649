#include "ingest/clock.h"

#include "base/parse.h"

#include <math.h>
#include <stdio.h>
#include <strings.h>

int clock_spec_parse(struct clock_spec *c, const char *format, struct err *err)
{
	const char *star = strchr(format, '*');
	if (strcmp(format, "iso") == 0) {
		c->format = CLOCK_ISO;
	} else if (strcmp(format, "epoch_s") == 0 || strcmp(format, "epoch") == 0) {
		c->format = CLOCK_EPOCH_S;
	} else if (strcmp(format, "epoch_ms") == 0) {
		c->format = CLOCK_EPOCH_MS;
	} else if (strchr(format, '%')) {
		c->format = CLOCK_PATTERN;
		if (!str_copy(c->pattern, sizeof(c->pattern), str_of(format)))
			return err_set(err, ERR_USAGE, "time pattern '%s' is too long",
				format);
	} else if (star && (strncmp(format, "row", 3) == 0 ||
				   strncmp(format, "value", 5) == 0)) {
		c->format = *format == 'r' ? CLOCK_ROW : CLOCK_COUNT;
		star += 1 + strspn(star + 1, " ");
		if (parse_duration_ms(str_of(star), &c->interval_ms) < 0 ||
			c->interval_ms <= 0)
			return err_set(err, ERR_USAGE,
				"'%s' is no interval (60s, 1h, 1d …)", star);
	} else {
		return err_set(err, ERR_USAGE,
			"unknown time format '%s': use iso, epoch_s, epoch_ms, a "
			"pattern "
			"like %%d/%%m/%%Y %%H:%%M, row*60s or value*1d",
			format);
	}
	return 0;
}

int clock_open(struct clock *c, const struct clock_spec *spec, struct err *err)
{
	*c = (struct clock){.spec = *spec, .last_len = UINT32_MAX};
	return zone_load(&c->zone, *spec->zone ? spec->zone : "UTC", err);
}

static int two(const char *p)
{
	int a = p[0] - '0', b = p[1] - '0';
	return a < 0 || a > 9 || b < 0 || b > 9 ? -1 : a * 10 + b;
}

/* Digits after a point to ms; digits past ms are cut. -1 when there is none. */
static int fraction_ms(const char *p, const char *end)
{
	int ms = 0, scale = 100;
	if (p == end)
		return -1;
	for (; p < end; p++, scale /= 10) {
		if (*p < '0' || *p > '9')
			return -1;
		ms += (*p - '0') * scale;
	}
	return ms;
}

/* "hh:mm:ss[.fff]" after the cached day. */
static int read_clock(const struct clock *c, struct str s, int64_t *local)
{
	const char *p = s.s + 11;
	if ((s.s[10] != ' ' && s.s[10] != 'T') || p[2] != ':' || p[5] != ':')
		return -1;
	int h = two(p), m = two(p + 3), sec = two(p + 6), ms = 0;
	if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59)
		return -1;
	if (s.len > 19)
		ms = s.s[19] == '.' ? fraction_ms(s.s + 20, s.s + s.len) : -1;
	if (ms < 0)
		return -1;
	*local = c->day_ms + h * HOUR_MS + m * MINUTE_MS + sec * SECOND_MS + ms;
	return 0;
}

static bool has_offset(struct str s)
{
	for (uint32_t i = 10; i < s.len; i++)
		if (s.s[i] == 'Z' || s.s[i] == '+' || s.s[i] == '-')
			return true;
	return false;
}

static int read_iso(struct clock *c, struct str s, int64_t *out)
{
	int64_t local;
	if (s.len >= 19 && memcmp(s.s, c->day, 10) == 0 &&
		read_clock(c, s, &local) == 0) {
		*out = zone_to_utc(&c->zone, local);
		return 0;
	}
	if (time_parse_iso(s, 0, &local) < 0)
		return -1;
	if (has_offset(s)) {
		*out = local;
		return 0;
	}
	if (s.len >= 10 && time_parse_iso((struct str){s.s, 10}, 0, &c->day_ms) == 0)
		memcpy(c->day, s.s, 10);
	*out = zone_to_utc(&c->zone, local);
	return 0;
}

static int read_number(const struct clock *c, struct str s, int64_t *out)
{
	double v, ms;
	if (parse_f64(s, &v) < 0)
		return -1;
	if (c->spec.format == CLOCK_COUNT)
		ms = (double)c->spec.start + v * (double)c->spec.interval_ms;
	else
		ms = c->spec.format == CLOCK_EPOCH_S ? v * 1000 : v;
	if (!(ms >= (double)TIME_MIN && ms <= (double)TIME_MAX))
		return -1;
	*out = llround(ms);
	return 0;
}

static int read_row(const struct clock *c, int64_t row, int64_t *out)
{
	int64_t ms;
	if (__builtin_mul_overflow(row, c->spec.interval_ms, &ms) ||
		__builtin_add_overflow(ms, c->spec.start, &ms) || ms > TIME_MAX)
		return -1;
	*out = ms;
	return 0;
}

int clock_read(struct clock *c, struct str s, int64_t row, int64_t *out)
{
	int r;
	if (c->spec.format == CLOCK_ROW)
		return read_row(c, row, out);
	if (!s.s || s.len == 0)
		return -1;
	if (s.len == c->last_len && memcmp(s.s, c->last, s.len) == 0) {
		*out = c->last_ts;
		return 0;
	}
	if (c->spec.format == CLOCK_ISO)
		r = read_iso(c, s, out);
	else if (c->spec.format == CLOCK_PATTERN)
		r = clock_pattern(c->spec.pattern, s, out);
	else
		r = read_number(c, s, out);
	if (r < 0)
		return -1;
	if (c->spec.format == CLOCK_PATTERN)
		*out = zone_to_utc(&c->zone, *out);
	if (s.len <= sizeof(c->last)) {
		memcpy(c->last, s.s, s.len);
		c->last_len = s.len;
		c->last_ts = *out;
	}
	return 0;
}

struct scan {
	const char *p, *end;
	struct civil c;
	bool pm, twelve;
};

/* Reads 1 to n digits. -1 when there is none. */
static int number(struct scan *k, int n)
{
	int v = 0, i = 0;
	for (; i < n && k->p < k->end && *k->p >= '0' && *k->p <= '9'; i++)
		v = v * 10 + (*k->p++ - '0');
	return i ? v : -1;
}

static int month_name(struct scan *k)
{
	static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	for (int i = 0; i < 12 && k->end - k->p >= 3; i++)
		if (strncasecmp(k->p, names + 3 * i, 3) == 0) {
			k->p += 3;
			return i + 1;
		}
	return -1;
}

static int half_day(struct scan *k)
{
	if (k->end - k->p < 2 || strncasecmp(k->p + 1, "m", 1) != 0 ||
		!strchr("aApP", *k->p) || *k->p == '\0')
		return -1;
	k->pm = *k->p == 'p' || *k->p == 'P';
	k->p += 2;
	return 0;
}

static int sub_second(struct scan *k)
{
	const char *begin = k->p;
	while (k->p < k->end && *k->p >= '0' && *k->p <= '9')
		k->p++;
	return k->c.ms = fraction_ms(begin, k->p);
}

static int directive(struct scan *k, char d)
{
	switch (d) {
	case 'Y':
		return k->c.year = number(k, 4);
	case 'y': /* POSIX: 69 to 99 are 1900s */
		k->c.year = number(k, 2);
		return k->c.year < 0 ? -1 : (k->c.year += k->c.year < 69 ? 2000 : 1900);
	case 'm':
		return k->c.month = number(k, 2);
	case 'b':
		return k->c.month = month_name(k);
	case 'd':
	case 'e':
		return k->c.day = number(k, 2);
	case 'I':
		k->twelve = true;
		return k->c.hour = number(k, 2);
	case 'H':
		return k->c.hour = number(k, 2);
	case 'M':
		return k->c.minute = number(k, 2);
	case 'S':
		return k->c.second = number(k, 2);
	case 'f':
		return sub_second(k);
	case 'p':
		return half_day(k);
	default:
		return -1;
	}
}

int clock_pattern(const char *pattern, struct str s, int64_t *local)
{
	struct scan k = {s.s, s.s + s.len, {.year = 1970, .month = 1, .day = 1}, 0, 0};
	char iso[40];
	for (const char *f = pattern; *f; f++) {
		if (*f == '%' && f[1] && f[1] != '%') {
			if (directive(&k, *++f) < 0)
				return -1;
			continue;
		}
		f += *f == '%' && f[1] == '%';
		if (k.p == k.end || *k.p++ != *f)
			return -1;
	}
	if (k.p != k.end || (k.twelve && (k.c.hour < 1 || k.c.hour > 12)))
		return -1;
	if (k.twelve)
		k.c.hour = k.c.hour % 12 + (k.pm ? 12 : 0);
	snprintf(iso, sizeof(iso), "%04d-%02d-%02dT%02d:%02d:%02d.%03d", k.c.year,
		k.c.month, k.c.day, k.c.hour, k.c.minute, k.c.second, k.c.ms);
	return time_parse_iso(str_of(iso), 0, local);
}

void clock_close(struct clock *c)
{
	zone_release(&c->zone);
}
