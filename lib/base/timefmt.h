/*
 * Time: int64 milliseconds since the Unix epoch, UTC. TIME_NIL is "missing".
 * Proleptic Gregorian calendar, no leap seconds, no time zone data base here.
 */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H

#include "base/str.h"

#define TIME_NIL INT64_MIN
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)
#define TIME_TEXT_SIZE 32
/* Years 0001 to 9999: what ISO 8601 can say in four digits. */
#define TIME_MIN INT64_C(-62135596800000)
#define TIME_MAX INT64_C(253402300799999)

struct civil {
	int year, month, day; /* month 1-12, day 1-31 */
	int hour, minute, second, ms;
	int weekday; /* 0 Sunday */
	int yearday; /* 0-365 */
};

/* How many whole units (> 0) since the epoch, rounded down also before it. */
static inline int64_t time_whole(int64_t ms, int64_t unit)
{
	return ms / unit - (ms % unit < 0);
}

/* Days since 1970-01-01 of a civil date (Howard Hinnant, "chrono-compatible low-level
 * date algorithms"). */
int64_t days_from_civil(int year, int month, int day);
void time_to_civil(int64_t ms, struct civil *out);
int64_t time_from_civil(const struct civil *c);
/* When the month begins that is n months after (n < 0: before) the one of ms, UTC. */
int64_t time_month(int64_t ms, int n);

/* Writes "2026-08-25T00:00:00.000Z" (fraction only when not zero) into
 * dst[TIME_TEXT_SIZE]. Returns dst. */
char *time_format(int64_t ms, char *dst);

/*
 * Parses ISO 8601: date, optional time with 'T' or a blank, optional fraction (digits
 * past ms are cut), optional 'Z' or +hh:mm offset; without one, offset_ms east of UTC
 * applies. Returns 0, or -1 (malformed, or a date that does not exist).
 */
int time_parse_iso(struct str s, int64_t offset_ms, int64_t *out);

#endif
