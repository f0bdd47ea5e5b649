/* The date to act: cool season and maintenance windows. */
#include "learn/calendar.h"

#include "base/timefmt.h"
#include "record/schema.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int64_t date(const char *text)
{
	int64_t t;
	assert_int_equal(time_parse_iso(str_of(text), 0, &t), 0);
	return t;
}

static int64_t by(int64_t now, double lower)
{
	return replace_by(
		&(struct calendar){0}, str_of("DC-A-UPS-01-S1-J01"), now, lower);
}

static void test_cool_season(void **state)
{
	int64_t now = date("2026-08-25T10:00:00Z");
	/* 2026-08-25 + 200 d = 2027-03-13: the last cool day before is 28 February */
	assert_int_equal(by(now, 200), date("2027-02-28T00:00:00Z"));
	/* + 120 d = 23 December: itself */
	assert_int_equal(by(now, 120), date("2026-12-23T00:00:00Z"));
	/* + 30 d = 24 September: no cool day is left before it */
	assert_int_equal(by(now, 30), date("2026-09-24T00:00:00Z"));
	/* leap year: + 560 d = 2028-03-07 */
	assert_int_equal(by(now, 560), date("2028-02-29T00:00:00Z"));
	/* overdue, and never before now */
	assert_int_equal(by(now, 0), now);
	assert_int_equal(by(now, -5), now);
	assert_true(by(now, NAN) == TIME_NIL);
	assert_true(by(now, 1e30) > now);
}

static void window(struct calendar *c, const char *id, const char *subject,
	const char *from, const char *until)
{
	struct rec_maintenance_window w;
	record_clear(kind_info(KIND_maintenance_window), &w);
	w.id = str_of(id);
	w.subject = str_of(subject);
	w.from_ts = date(from);
	w.until_ts = date(until);
	assert_int_equal(calendar_take(c, &w, NULL), 0);
}

static void test_windows(void **state)
{
	struct calendar c = {0};
	struct str jar = str_of("DC-A-UPS-01-S1-J01");
	int64_t now = date("2026-08-25T10:00:00Z");
	/* hot, of another string, of the site, and past */
	window(&c, "hot", "DC-A", "2026-09-01T00:00:00Z", "2026-09-05T00:00:00Z");
	window(&c, "other", "DC-A-UPS-01-S10", "2027-01-20T00:00:00Z",
		"2027-01-21T00:00:00Z");
	window(&c, "w", "DC-A", "2026-12-05T22:00:00Z", "2026-12-06T04:00:00Z");
	window(&c, "past", "DC-A", "2026-01-05T22:00:00Z", "2026-01-06T04:00:00Z");
	/* the end's midnight lies inside */
	assert_true(replace_by(&c, jar, now, 200) == date("2026-12-06T00:00:00Z"));
	/* moved: within one day, so at its beginning */
	window(&c, "w", "DC-A", "2026-12-07T20:00:00Z", "2026-12-07T23:00:00Z");
	assert_true(replace_by(&c, jar, now, 200) == date("2026-12-07T20:00:00Z"));
	/* the last of several */
	window(&c, "v", "DC-A-UPS-01-S1", "2027-01-10T00:00:00Z",
		"2027-01-12T12:00:00Z");
	assert_true(replace_by(&c, jar, now, 200) == date("2027-01-12T00:00:00Z"));
	/* ends in March: its cool part */
	window(&c, "u", "DC-A", "2027-02-27T00:00:00Z", "2027-03-05T00:00:00Z");
	assert_true(replace_by(&c, jar, now, 200) == date("2027-02-28T00:00:00Z"));
	/* none before the bound: any cool day, or the bound */
	assert_true(replace_by(&c, jar, now, 80) == date("2026-11-13T00:00:00Z"));
	assert_true(replace_by(&c, jar, now, 30) == date("2026-09-24T00:00:00Z"));
	calendar_release(&c);
}

static void test_bounded(void **state)
{
	struct calendar c = {0};
	for (int i = 0; i < CALENDAR_MAX + 50; i++) {
		char id[16], from[32], until[32];
		snprintf(id, sizeof(id), "w%d", i);
		snprintf(from, sizeof(from), "%04d-01-01T00:00:00Z", 2001 + i);
		snprintf(until, sizeof(until), "%04d-01-02T00:00:00Z", 2001 + i);
		window(&c, id, "DC-A", from, until);
	}
	assert_int_equal(c.n, CALENDAR_MAX);
	for (size_t i = 0; i < c.n; i++)
		assert_true(c.v[i].from >= date("2051-01-01T00:00:00Z"));
	calendar_release(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cool_season),
		cmocka_unit_test(test_windows),
		cmocka_unit_test(test_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
