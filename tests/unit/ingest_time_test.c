/* Times and zones of foreign files, against values computed with Python's zoneinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ingest/clock.h"

static int64_t utc(const char *iso)
{
	int64_t t;
	assert_int_equal(time_parse_iso(str_of(iso), 0, &t), 0);
	return t;
}

static int64_t read_in(const char *format, const char *zone, const char *text)
{
	struct clock c;
	struct clock_spec spec = {0};
	struct err err = {0};
	int64_t t = TIME_NIL;
	assert_int_equal(clock_spec_parse(&spec, format, &err), 0);
	str_copy(spec.zone, sizeof(spec.zone), str_of(zone));
	assert_int_equal(clock_open(&c, &spec, &err), 0);
	if (clock_read(&c, str_of(text), 0, &t) < 0)
		t = TIME_NIL;
	clock_close(&c);
	return t;
}

static void reads_iso_in_fixed_zones(void **state)
{
	assert_int_equal(read_in("iso", "UTC", "2026-08-25 00:00:00"),
		utc("2026-08-25T00:00:00Z"));
	assert_int_equal(read_in("iso", "+07:00", "2026-08-25 00:00:00.123456"),
		utc("2026-08-24T17:00:00.123Z"));
	assert_int_equal(
		read_in("iso", "-03:30", "2026-08-25"), utc("2026-08-25T03:30:00Z"));
	/* A zone in the text is stronger than that of the mapping. */
	assert_int_equal(read_in("iso", "+07:00", "2026-08-25T00:00:00Z"),
		utc("2026-08-25T00:00:00Z"));
	assert_int_equal(read_in("iso", "UTC", "2026-08-25T00:00:00+07:00"),
		utc("2026-08-24T17:00:00Z"));
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const bad[] = {"", "x", "2026-02-30 00:00:00",
		"2026-08-25 24:00:00", "2026-08-25 00:60:00", "2026-08-25 00:00:00x",
		"2026-08-25 00:00:00.", "2026-08-2500:00:00"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(read_in("iso", "UTC", bad[i]), TIME_NIL);
}

/* The day is cached: the fast way must refuse and read what the slow one does. */
static void a_cached_day_reads_the_same(void **state)
{
	struct clock c;
	struct clock_spec spec = {.format = CLOCK_ISO, .zone = "+07:00"};
	struct err err = {0};
	int64_t t;
	assert_int_equal(clock_open(&c, &spec, &err), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			clock_read(&c, str_of("2026-08-25 10:11:12.5"), 0, &t), 0);
		assert_int_equal(t, utc("2026-08-25T03:11:12.500Z"));
		assert_int_equal(
			clock_read(&c, str_of("2026-08-25 10:11:61"), 0, &t), -1);
		assert_int_equal(
			clock_read(&c, str_of("2026-08-25 10:11:12Z"), 0, &t), 0);
		assert_int_equal(t, utc("2026-08-25T10:11:12Z"));
		assert_int_equal(
			clock_read(&c, str_of("2026-08-26 00:00:00"), 0, &t), 0);
		assert_int_equal(t, utc("2026-08-25T17:00:00Z"));
	}
	clock_close(&c);
}

/* datetime(..., tzinfo=ZoneInfo(z)).timestamp() of CPython 3.11, fold 0. */
static void knows_daylight_saving(void **state)
{
	static const struct {
		const char *zone, *local;
		int64_t utc_s;
	} known[] = {
		{"Asia/Bangkok", "2026-08-25 00:00:00", 1787590800},
		{"America/New_York", "2024-03-10 01:59:59", 1710053999},
		{"America/New_York", "2024-03-10 02:30:00", 1710055800}, /* skipped */
		{"America/New_York", "2024-03-10 03:00:00", 1710054000},
		{"America/New_York", "2024-11-03 01:30:00", 1730611800}, /* twice */
		{"America/New_York", "2024-11-03 02:00:00", 1730617200},
		{"Europe/Berlin", "2026-07-01 12:00:00", 1782900000},
		{"Europe/Berlin", "2026-01-01 12:00:00", 1767265200},
		{"Australia/Lord_Howe", "2024-04-07 01:45:00", 1712414700},
		{"Europe/Berlin", "1950-01-01 00:00:00", -631155600},
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		assert_int_equal(read_in("iso", known[i].zone, known[i].local),
			known[i].utc_s * 1000);
}

static void refuses_unknown_zones(void **state)
{
	static const char *const bad[] = {"Mars/Olympus", "../../etc/passwd", "+25:00",
		"", "/etc/passwd", "Europe"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct zone z;
		struct err err = {0};
		assert_int_equal(zone_load(&z, bad[i], &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
	}
}

static void reads_patterns(void **state)
{
	assert_int_equal(read_in("%d/%m/%Y %H:%M", "UTC", "05/02/2026 7:08"),
		utc("2026-02-05T07:08:00Z"));
	assert_int_equal(read_in("%m/%d/%y %I:%M:%S %p", "UTC", "2/5/26 12:00:01 AM"),
		utc("2026-02-05T00:00:01Z"));
	assert_int_equal(
		read_in("%d-%b-%Y %H:%M:%S.%f", "UTC", "01-Mar-2024 00:00:00.25"),
		utc("2024-03-01T00:00:00.250Z"));
	assert_int_equal(read_in("%Y%m%d%H%M%S", "+01:00", "20240301010203"),
		utc("2024-03-01T00:02:03Z"));
	assert_int_equal(read_in("%d/%m/%Y", "UTC", "31/02/2026"), TIME_NIL);
	assert_int_equal(read_in("%d/%m/%Y", "UTC", "01/02/2026 "), TIME_NIL);
	assert_int_equal(read_in("%I:%M", "UTC", "13:00"), TIME_NIL);
}

static void reads_numbers_as_time(void **state)
{
	assert_int_equal(read_in("epoch_s", "UTC", "1787590800"), 1787590800000);
	assert_int_equal(read_in("epoch", "+07:00", "1787590800.25"), 1787590800250);
	assert_int_equal(read_in("epoch_ms", "UTC", "1787590800123"), 1787590800123);
	assert_int_equal(read_in("epoch_s", "UTC", "1e300"), TIME_NIL);
	assert_int_equal(read_in("value*1d", "UTC", "3"), 3 * DAY_MS);
	assert_int_equal(read_in("value*90s", "UTC", "0.5"), 45000);
}

static void counts_rows_from_the_start(void **state)
{
	struct clock c;
	struct clock_spec spec = {.start = 1000};
	struct err err = {0};
	int64_t t;
	assert_int_equal(clock_spec_parse(&spec, "row*60s", &err), 0);
	assert_int_equal(clock_open(&c, &spec, &err), 0);
	assert_int_equal(clock_read(&c, STR_NIL, 0, &t), 0);
	assert_int_equal(t, 1000);
	assert_int_equal(clock_read(&c, STR_NIL, 341, &t), 0);
	assert_int_equal(t, 1000 + 341 * MINUTE_MS);
	assert_int_equal(clock_read(&c, STR_NIL, INT64_MAX, &t), -1);
	clock_close(&c);
}

static void refuses_unknown_formats(void **state)
{
	static const char *const bad[] = {
		"", "isoo", "row*", "row*0s", "row*x", "value*-1d"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct clock_spec spec = {0};
		struct err err = {0};
		assert_int_equal(clock_spec_parse(&spec, bad[i], &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
	}
}

/* Every way to cut or bend a zone file is refused or read: never out of bounds. */
static void survives_broken_zone_files(void **state)
{
	uint8_t data[4096];
	FILE *f = fopen("/usr/share/zoneinfo/Europe/Berlin", "rb");
	if (!f)
		skip();
	size_t n = fread(data, 1, sizeof(data), f);
	fclose(f);
	for (size_t cut = 0; cut < n; cut++) {
		struct zone z = {0};
		if (zone_parse(&z, data, cut, NULL) == 0)
			zone_to_utc(&z, 0);
		zone_release(&z);
	}
	for (size_t i = 0; i < n; i++) {
		struct zone z = {0};
		data[i] ^= 0xff;
		if (zone_parse(&z, data, n, NULL) == 0)
			zone_to_utc(&z, 1700000000000);
		zone_release(&z);
		data[i] ^= 0xff;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_iso_in_fixed_zones),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(a_cached_day_reads_the_same),
		cmocka_unit_test(knows_daylight_saving),
		cmocka_unit_test(refuses_unknown_zones),
		cmocka_unit_test(reads_patterns),
		cmocka_unit_test(reads_numbers_as_time),
		cmocka_unit_test(counts_rows_from_the_start),
		cmocka_unit_test(refuses_unknown_formats),
		cmocka_unit_test(survives_broken_zone_files)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
