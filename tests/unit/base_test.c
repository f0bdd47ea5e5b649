/*
 * lib/base: numbers, times, clocks, codes, ids, options.
 */
#include "base/buf.h"
#include "base/code.h"
#include "base/grow.h"
#include "base/ids.h"
#include "base/now.h"
#include "base/opt.h"
#include "base/parse.h"
#include "base/statefile.h"
#include "base/timefmt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static void test_parse_i64(void **state)
{
	int64_t v = 7;
	assert_int_equal(
		parse_i64(str_of("-9223372036854775808"), INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(
		parse_i64(str_of("9223372036854775807"), INT64_MIN, INT64_MAX, &v), 0);
	assert_true(v == INT64_MAX);
	v = 7;
	static const char *const bad[] = {"", "-", "+", " 1", "1 ", "1.0", "0x1",
		"9223372036854775808", "1e3", "--1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(
			parse_i64(str_of(bad[i]), INT64_MIN, INT64_MAX, &v), -1);
	assert_int_equal(parse_i64(str_of("11"), 0, 10, &v), -1);
	assert_int_equal(v, 7);
}

/* Against strtod, on numbers of every length. */
static void test_parse_f64_is_strtod(void **state)
{
	char text[64];
	double v;
	srand(1);
	for (int i = 0; i < 100000; i++) {
		double x = (double)(rand() - RAND_MAX / 2) / (1 + rand() % 1000000);
		snprintf(text, sizeof(text), i % 3 ? "%.*f" : "%.*e", rand() % 18, x);
		assert_int_equal(parse_f64(str_of(text), &v), 0);
		assert_true(v == strtod(text, NULL));
	}
	static const char *const bad[] = {"", "-", ".", "nan", "inf", "0x1p3", "1,5",
		"1 ", " 1", "1e", "1.2.3", "1e999"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_f64(str_of(bad[i]), &v), -1);
	assert_int_equal(parse_f64(str_of("-0.0"), &v), 0);
	assert_true(signbit(v));
}

static void test_parse_duration(void **state)
{
	int64_t v;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"250ms", 250}, {"30s", 30000}, {"15m", 900000}, {"1h", 3600000},
		{"1.5h", 5400000}, {"90d", 7776000000}, {"2", 2000},
		{"1y", 31536000000}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(parse_duration_ms(str_of(good[i].text), &v), 0);
		assert_true(v == good[i].ms);
	}
	static const char *const bad[] = {"", "h", "1x", "-1s", "1 h", "1e9y"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_duration_ms(str_of(bad[i]), &v), -1);
}

/* Against the C library's calendar, over four centuries. */
static void test_calendar_is_gmtime(void **state)
{
	for (int64_t s = -6000000000; s < 9000000000; s += 86399 * 7 + 1) {
		time_t t = (time_t)s;
		struct tm tm;
		struct civil c;
		char text[TIME_TEXT_SIZE], want[64];
		int64_t back;
		gmtime_r(&t, &tm);
		time_to_civil(s * 1000 + 7, &c);
		assert_int_equal(c.year, tm.tm_year + 1900);
		assert_int_equal(c.yearday, tm.tm_yday);
		assert_int_equal(c.weekday, tm.tm_wday);
		strftime(want, sizeof(want), "%Y-%m-%dT%H:%M:%SZ", &tm);
		assert_string_equal(time_format(s * 1000, text), want);
		assert_int_equal(time_parse_iso(str_of(text), 0, &back), 0);
		assert_true(back == s * 1000);
		assert_true(time_from_civil(&c) == s * 1000 + 7);
	}
}

static void test_parse_iso(void **state)
{
	int64_t v;
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {{"1970-01-01", 0}, {"1970-01-01T00:00:01Z", 1000},
		{"1970-01-01 00:00:00.123456", 123}, {"1970-01-01T07:00:00+07:00", 0},
		{"1970-01-01T00:00+00", 0}, {"2000-02-29T00:00:00Z", 951782400000}};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(time_parse_iso(str_of(good[i].text), 0, &v), 0);
		assert_true(v == good[i].ms);
	}
	assert_int_equal(
		time_parse_iso(str_of("1970-01-01 07:00:00"), 7 * HOUR_MS, &v), 0);
	assert_true(v == 0);
	static const char *const bad[] = {"", "1970", "1970-13-01", "1970-02-29",
		"1900-02-29", "1970-01-01T", "1970-01-01T24:00:00Z",
		"1970-01-01T00:60:00Z", "1970-01-01T00:00:00z", "1970-01-01T00:00:00.Z",
		"1970-01-01x", "01-01-1970"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(time_parse_iso(str_of(bad[i]), 0, &v), -1);
}

static void is_text(struct str s, const char *want)
{
	assert_true(str_is(s, want));
}

static void test_codes(void **state)
{
	struct str jar = str_of("DC-CNX-01-UPS-01-S1-J07");
	struct code_parts p = code_split(jar);
	is_text(p.site, "DC-CNX-01");
	is_text(p.system, "UPS-01");
	is_text(p.string, "S1");
	is_text(p.jar, "J07");
	is_text(code_string(jar), "DC-CNX-01-UPS-01-S1");
	is_text(code_system(jar), "DC-CNX-01-UPS-01");
	is_text(code_site(jar), "DC-CNX-01");
	is_text(code_site(str_of("DC-CNX-01")), "DC-CNX-01");
	is_text(code_site(str_of("DC-CNX-01-REC-01")), "DC-CNX-01");
	assert_null(code_split(str_of("DC-CNX-01-REC-01")).string.s);
	is_text(code_site(str_of("DC-CNX-01-ENV02")), "DC-CNX-01");
	is_text(code_split(str_of("DC-CNX-01-ENV02")).sensor, "ENV02");
	/* A foreign code is its own string and site. */
	is_text(code_string(str_of("861508033133471")), "861508033133471");
	is_text(code_site(str_of("B0005")), "B0005");
	assert_null(code_split(STR_NIL).site.s);
}

static void test_grow(void **state)
{
	int64_t *of = NULL;
	size_t cap = 0;
	for (size_t i = 0; i < 5000; i += 1 + i / 3) {
		assert_int_equal(grow(&of, &cap, i, sizeof(*of)), 0);
		assert_true(cap > i);
		assert_int_equal(of[i], 0);
		of[i] = (int64_t)i + 1;
	}
	for (size_t i = 0; i < 5000; i += 1 + i / 3)
		assert_int_equal(of[i], i + 1);
	/* What cannot be had changes nothing. */
	int64_t *was = of;
	size_t had = cap;
	assert_int_equal(grow(&of, &cap, SIZE_MAX / 4, sizeof(*of)), -1);
	assert_ptr_equal(of, was);
	assert_int_equal(cap, had);
	free(of);
}

static void test_ids(void **state)
{
	struct ids t = {0};
	char name[32];
	for (int round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 20000; i++) {
			snprintf(name, sizeof(name), "battery-%u", i * 7919);
			assert_int_equal(ids_intern(&t, str_of(name)), i);
		}
	assert_int_equal(t.n, 20000);
	assert_int_equal(ids_find(&t, str_of("battery-7919")), 1);
	assert_string_equal(ids_name(&t, 1), "battery-7919");
	assert_int_equal(ids_find(&t, str_of("battery-1")), IDS_NONE);
	assert_int_equal(ids_intern(&t, STR_NIL), IDS_NONE);
	ids_release(&t);
}

struct parsed {
	bool flag;
	const char *text;
	struct strlist list;
	int64_t count, ms, ts;
	double ratio;
};

static int parse(struct parsed *p, int argc, const char *const *args, struct err *err)
{
	static const struct opt_usage usage = {"test", "[options]", "test", NULL};
	static char room[15][64]; /* text and list point into argv */
	char *argv[17];
	int first = 0;
	const struct opt opts[] = {{'f', "flag", NULL, "", OPT_BOOL, &p->flag, 0, 0},
		{'t', "text", "T", "", OPT_STR, &p->text, 0, 0},
		{'l', "list", "L", "", OPT_LIST, &p->list, 0, 0},
		{'n', "count", "N", "", OPT_INT, &p->count, 1, 10},
		{0, "ms", "D", "", OPT_MS, &p->ms, 0, 0},
		{0, "ts", "T", "", OPT_TIME, &p->ts, 0, 0},
		{0, "ratio", "R", "", OPT_F64, &p->ratio, -1, 1}, {0}};
	argv[0] = (char[]){"test"};
	for (int i = 0; i < argc; i++)
		argv[i + 1] = strcpy(room[i], args[i]);
	argv[argc + 1] = NULL;
	int r = opt_parse(&usage, opts, NULL, argc + 1, argv, &first, err);
	return r == 0 ? first : r;
}

static void refused(const char *a, const char *b, const char *why)
{
	struct parsed p = {0};
	struct err err = {0};
	const char *const args[] = {a, b};
	assert_int_equal(parse(&p, b ? 2 : 1, args, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void test_options(void **state)
{
	struct parsed p = {0};
	struct err err = {0};
	const char *const args[] = {
		"-f", "--count=10", "--ms", "15m", "--ratio", "-0.5", "operand"};
	assert_int_equal(parse(&p, 7, args, &err), 7);
	assert_true(p.flag && p.count == 10 && p.ms == 900000 && p.ratio == -0.5);
	refused("--count", "11", "--count: '11' is not a whole number from 1 to 10");
	refused("--count", "x", "--count");
	refused("--count", NULL, "needs an argument");
	refused("--ratio", "2", "--ratio");
	refused("--ms", "soon", "--ms");
	refused("--ts", "yesterday", "--ts");
	refused("--nope", NULL, "unknown option '--nope'");
	refused("-x", NULL, "unknown option '-x'");
	refused("--fla", NULL, "did you mean --flag");
	p = (struct parsed){0};
	const char *const lists[] = {"-l", "a", "--list=b"};
	assert_int_equal(parse(&p, 3, lists, &err), 4);
	assert_int_equal(p.list.n, 2);
	assert_string_equal(p.list.v[1], "b");
}

static void test_errors(void **state)
{
	struct err e = {0};
	assert_int_equal(err_set(&e, ERR_DATA, "line %d", 3), -1);
	assert_int_equal(err_prefix(&e, "'%s'", "x.csv"), -1);
	assert_string_equal(e.msg, "'x.csv': line 3");
	assert_int_equal(e.class, ERR_DATA);
	assert_int_equal(err_set(NULL, ERR_DATA, "nobody listens"), -1);
}

static void test_buffers(void **state)
{
	struct buf b = {0};
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i);
	assert_memory_equal(b.data, "0,1,2,3,", 8);
	buf_consume(&b, 4);
	assert_memory_equal(b.data, "2,3,", 4);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2 + 2), -1);
	assert_true(b.failed);
	size_t n = b.len;
	buf_puts(&b, "more"); /* an error sticks */
	assert_int_equal(b.len, n);
	buf_release(&b);
}

static int64_t ms_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What now() says lies between two readings of its clock. */
static void assert_reads(int64_t (*now)(void), clockid_t clock)
{
	int64_t before = ms_of(clock);
	int64_t v = now();
	assert_in_range(v, before, ms_of(clock));
}

static void test_clocks(void **state)
{
	assert_reads(now_wall_ms, CLOCK_REALTIME);
	assert_reads(now_steady_ms, CLOCK_MONOTONIC);
	assert_reads(now_coarse_ms, CLOCK_MONOTONIC_COARSE);
	int64_t before = now_steady_ms();
	int64_t ns = now_steady_ns();
	assert_in_range(ns / 1000000, before, now_steady_ms());
}

/* Nobody signals it: it is the time that ends the waits, on the clock they go by. */
static void test_wait(void **state)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never;
	int64_t begun = now_steady_ns();
	now_cond_init(&never);
	pthread_mutex_lock(&lock);
	while (now_steady_ns() - begun < 3000000)
		now_cond_wait(&never, &lock, 1);
	assert_int_not_equal(pthread_mutex_trylock(&lock), 0);
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&never);
}

static void test_sync_folder(void **state)
{
	struct err err = {0};
	assert_int_equal(sync_folder(".", &err), 0);
	assert_int_equal(sync_folder("/nowhere/at/all", &err), -1);
	assert_int_equal(err.class, ERR_IO);
	assert_non_null(strstr(err.msg, "cannot open '/nowhere/at/all'"));
	assert_int_equal(sync_folder("/dev/null", &err), -1); /* no folder */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_i64),
		cmocka_unit_test(test_parse_f64_is_strtod),
		cmocka_unit_test(test_parse_duration),
		cmocka_unit_test(test_calendar_is_gmtime),
		cmocka_unit_test(test_parse_iso),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_grow),
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_buffers),
		cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_wait),
		cmocka_unit_test(test_sync_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
