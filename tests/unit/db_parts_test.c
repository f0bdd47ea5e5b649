/* The parts of lib/db that need no database: URLs, migrations' files, SQL, batches. */
#include "db/batch.h"
#include "db/migrate.h"
#include "db/months.h"
#include "db/pgcopy.h"
#include "db/sql.h"
#include "db/text.h"
#include "db/url.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static void shows(const char *url, const char *want)
{
	char got[256];
	struct err err = {0};
	assert_int_equal(db_url_show(url, got, sizeof(got), &err), 0);
	assert_string_equal(got, want);
}

static void urls_without_password(void **state)
{
	shows("sqlite:a b.db", "sqlite:a b.db");
	shows("postgresql://u:secret@h:5433/d?sslmode=require",
		"postgresql://u@h:5433/d");
	shows("postgres://h/d?user=u&password=secret", "postgresql://u@h/d");
	shows("host=h dbname=d user=u password='se cret'", "postgresql://u@h/d");
	shows("postgresql:///d?host=/run/pg&user=u", "postgresql://u@/d?host=/run/pg");
	shows("service=fleet", "postgresql://?service=fleet");
	struct err err = {0};
	char got[256];
	assert_int_equal(
		db_url_show("host=h password=sec'ret x", got, sizeof(got), &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	assert_null(strstr(err.msg, "sec"));
}

static void urls_of_back_ends(void **state)
{
	enum db_kind kind;
	const char *rest;
	struct err err = {0};
	assert_int_equal(db_url_kind("sqlite:/x/y.db", &kind, &rest, &err), 0);
	assert_int_equal(kind, DB_SQLITE);
	assert_string_equal(rest, "/x/y.db");
	assert_int_equal(db_url_kind("postgresql:///x", &kind, &rest, &err), 0);
	assert_int_equal(kind, DB_POSTGRES);
	assert_int_equal(db_url_kind("dbname=x", &kind, &rest, &err), 0);
	assert_int_equal(kind, DB_POSTGRES);
	assert_int_equal(db_url_kind("fleet.db", &kind, &rest, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	assert_int_equal(db_url_kind("sqlite:", &kind, &rest, &err), -1);
	assert_int_equal(db_url_kind("mysql://h/d", &kind, &rest, &err), -1);
}

static void scrubs(const char *url, const char *want)
{
	char text[128];
	strcpy(text, url);
	db_url_scrub(text);
	assert_string_equal(text, want);
}

static void passwords_leave_argv(void **state)
{
	scrubs("postgresql://u:secret@h/d", "postgresql://u:xxxxxx@h/d");
	scrubs("postgresql://u@h/d", "postgresql://u@h/d");
	scrubs("postgresql://h:5432/d", "postgresql://h:5432/d");
	scrubs("postgres://h/d?password=se%20&user=u",
		"postgres://h/d?password=xxxxx&user=u");
	scrubs("host=h password=secret user=u", "host=h password=xxxxxx user=u");
	scrubs("password = 's c\\'t' user=u", "password = 'xxxxxx' user=u");
	scrubs("sqlite:password", "sqlite:password");
}

static void migration_names(void **state)
{
	struct migration_file f;
	assert_true(migration_file_parse("0001_tables.up.sql", &f));
	assert_int_equal(f.number, 1);
	assert_string_equal(f.name, "tables");
	assert_string_equal(f.backend, "");
	assert_false(f.down);
	assert_true(migration_file_parse("0012_a_b.postgres.down.sql", &f));
	assert_int_equal(f.number, 12);
	assert_string_equal(f.name, "a_b");
	assert_string_equal(f.backend, "postgres");
	assert_true(f.down);
	static const char *const NONE[] = {"sqlite.dialect", "1_x.up.sql",
		"0000_x.up.sql", "0001_x.sql", "0001_X.up.sql", "0001_.up.sql",
		"0001_x.up.sql~", "0001_x'y.up.sql", "00a1_x.up.sql"};
	for (size_t i = 0; i < sizeof(NONE) / sizeof(*NONE); i++)
		assert_false(migration_file_parse(NONE[i], &f));
}

static void dialects(void **state)
{
	static const char D[] = "# id = no\nid = integer KEY\nnone =\nlong id = 1\n";
	struct buf b = {0};
	struct err err = {0};
	assert_int_equal(
		migration_expand(D, "x @id@,@none@ @long id@;\n", &b, &err), 0);
	buf_putc(&b, '\0');
	assert_string_equal((char *)b.data, "x integer KEY, 1;\n");
	assert_int_equal(migration_expand(D, "@idx@", &b, &err), -1);
	assert_int_equal(migration_expand(D, "a@id", &b, &err), -1);
	buf_release(&b);
}

static void write_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void load_fails(const char *dir, const char *why)
{
	struct migrations m;
	struct err err = {0};
	assert_int_equal(migrations_load(&m, dir, "sqlite", &err), -1);
	if (!strstr(err.msg, why))
		fail_msg("'%s' does not say '%s'", err.msg, why);
}

static void migrations_in_order(void **state)
{
	char dir[] = "/tmp/floatline-migrations.XXXXXX", cmd[128];
	struct migrations m;
	struct err err = {0};
	assert_non_null(mkdtemp(dir));
	load_fails(dir, "sqlite.dialect");
	write_file(dir, "sqlite.dialect", "a = b\n");
	load_fails(dir, "no migrations");
	write_file(dir, "0002_two.postgres.up.sql", "pg");
	write_file(dir, "0002_two.postgres.down.sql", "pg");
	load_fails(dir, "number 1");
	write_file(dir, "0001_one.up.sql", "up @a@");
	load_fails(dir, "not both");
	write_file(dir, "0001_one.down.sql", "down");
	assert_int_equal(migrations_load(&m, dir, "sqlite", &err), 0);
	assert_int_equal(m.n, 2);
	assert_string_equal(m.v[0].up, "up b");
	assert_string_equal(m.v[0].down, "down");
	assert_string_equal(m.v[1].name, "two");
	assert_string_equal(m.v[1].up, "");
	char sum[17];
	strcpy(sum, m.v[0].checksum);
	migrations_release(&m);
	write_file(dir, "sqlite.dialect", "a = c\n");
	assert_int_equal(migrations_load(&m, dir, "sqlite", &err), 0);
	assert_string_not_equal(m.v[0].checksum, sum);
	migrations_release(&m);
	write_file(dir, "0001_other.up.sql", "");
	load_fails(dir, "already");
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

static void table_for(int kind, struct table *t)
{
	struct err err = {0};
	assert_int_equal(table_make(table_of_kind(kind), t, &err), 0);
}

static void statements(void **state)
{
	struct table t;
	struct buf b = {0};
	table_for(KIND_environment, &t);
	sql_insert(&t, &b);
	sql_on_conflict(&t, &b);
	buf_putc(&b, '\0');
	assert_string_equal((char *)b.data,
		"INSERT INTO environment (run, ts, sensor, temperature_c, "
		"humidity_pct, "
		"hvac, outdoor_temperature_c) ON CONFLICT (run, sensor, ts) DO UPDATE "
		"SET "
		"temperature_c = excluded.temperature_c, humidity_pct = "
		"excluded.humidity_pct, hvac = excluded.hvac, outdoor_temperature_c = "
		"excluded.outdoor_temperature_c WHERE (environment.temperature_c, "
		"environment.humidity_pct, environment.hvac, "
		"environment.outdoor_temperature_c) IS DISTINCT FROM "
		"(excluded.temperature_c, excluded.humidity_pct, excluded.hvac, "
		"excluded.outdoor_temperature_c)");
	buf_clear(&b);
	table_for(KIND_alert_action, &t);
	sql_on_conflict(&t, &b);
	buf_putc(&b, '\0');
	assert_string_equal((char *)b.data,
		" ON CONFLICT (run, subject_id, ts, action, actor) DO NOTHING");
	buf_clear(&b);
	table_for(KIND_alert, &t);
	sql_on_conflict(&t, &b);
	buf_putc(&b, '\0');
	assert_non_null(strstr((char *)b.data, "WHERE excluded.ts >= alert.ts AND ("));
	buf_release(&b);
}

static int64_t number(void *ctx, enum entity e, struct str code)
{
	return code.s[0] - 'a';
}

static void add_alert(struct batch *b, const char *id, int64_t ts, double value)
{
	struct rec_alert a;
	struct err err = {0};
	record_clear(kind_info(KIND_alert), &a);
	a.alert_id = str_of(id);
	a.ts = ts;
	a.value = value;
	a.subject = str_of("s");
	a.rule = str_of("r");
	a.severity = severity_info;
	a.state = alert_state_firing;
	assert_int_equal(batch_add(b, 1, &a, number, NULL, &err), 0);
}

static void newest_of_an_alert_wins(void **state)
{
	struct table t;
	struct batch b;
	struct err err = {0};
	table_for(KIND_alert, &t);
	batch_init(&b, &t);
	add_alert(&b, "b", 5, 1);
	add_alert(&b, "a", 7, 2); /* newest of a, although it comes before the next */
	add_alert(&b, "a", 6, 3);
	add_alert(&b, "b", 5, 4); /* of the same time the later one */
	assert_int_equal(batch_sort(&b, &err), 0);
	assert_int_equal(b.norder, 2);
	int v = field_index(t.kind, str_of("value")) + 1;
	assert_true(batch_row(&b, b.order[0])->cells[v].d == 2);
	assert_true(batch_row(&b, b.order[1])->cells[v].d == 4);
	batch_release(&b);
}

/* Random rows with many equal keys against a plain search for the last of each key. */
static void later_records_win_in_key_order(void **state)
{
	enum { N = 3000, JARS = 7, TIMES = 200 };
	static float last[JARS][TIMES];
	struct table t;
	struct batch b;
	struct err err = {0};
	table_for(KIND_telemetry, &t);
	batch_init(&b, &t);
	for (int i = 0; i < JARS * TIMES; i++)
		last[i / TIMES][i % TIMES] = NAN;
	uint32_t seed = 1;
	for (int i = 0; i < N; i++) {
		seed = seed * 1664525 + 1013904223;
		int jar = (int)(seed >> 16) % JARS, ts = (int)(seed >> 8) % TIMES;
		char code[2] = {(char)('a' + jar), 0};
		struct rec_telemetry r;
		record_clear(kind_info(KIND_telemetry), &r);
		r.battery = str_of(code);
		r.ts = ts;
		r.voltage_v = last[jar][ts] = (float)i;
		assert_int_equal(batch_add(&b, 1, &r, number, NULL, &err), 0);
	}
	assert_int_equal(batch_sort(&b, &err), 0);
	int jar = field_index(t.kind, str_of("battery")) + 1,
	    v = field_index(t.kind, str_of("voltage_v")) + 1;
	size_t k = 0;
	for (int i = 0; i < JARS * TIMES; i++) {
		if (isnan(last[i / TIMES][i % TIMES]))
			continue;
		const struct row *r = batch_row(&b, b.order[k++]);
		assert_int_equal(r->cells[jar].i, i / TIMES);
		assert_int_equal(r->cells[t.ts].i, i % TIMES);
		assert_true(r->cells[v].d == last[i / TIMES][i % TIMES]);
	}
	assert_int_equal(k, b.norder);
	batch_release(&b);
}

static void refused_text_leaves_the_batch(void **state)
{
	struct table t;
	struct batch b;
	struct err err = {0};
	struct rec_sensor s;
	table_for(KIND_sensor, &t);
	batch_init(&b, &t);
	record_clear(kind_info(KIND_sensor), &s);
	s.code = str_of("x");
	s.zone = (struct str){"a\0b", 3};
	assert_int_equal(batch_add(&b, 1, &s, number, NULL, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
	assert_non_null(strstr(err.msg, "zone"));
	assert_int_equal(b.n, 0);
	assert_int_equal(batch_bytes(&b), 0);
	batch_release(&b);
}

static void floats_print_as_meant(void **state)
{
	assert_true(float_as_written(13.65f) == 13.65);
	assert_true(float_as_written(-0.1f) == -0.1);
	assert_true(float_as_written(0.0000001f) == 1e-7);
	assert_true(float_as_written(16777216.0f) == 16777216.0);
	assert_true(float_as_written(3e38f) == (double)3e38f);
	uint32_t bits = 12345;
	for (int i = 0; i < 1000000; i++) {
		float f;
		bits = bits * 1664525 + 1013904223;
		memcpy(&f, &bits, sizeof(f));
		if (isfinite(f) && (float)float_as_written(f) != f)
			fail_msg("%a comes back as %a", f, float_as_written(f));
	}
}

static void text_for_databases(void **state)
{
	static const char *const GOOD[] = {"", "abc", "\xc2\x80", "\xe0\xb8\x81",
		"\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"};
	static const char *const BAD[] = {"\x80", "\xc1\xbf", "\xe0\x9f\xbf",
		"\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf0\x8f\xbf\xbf", "ab\xc3",
		"\xff"};
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(*GOOD); i++)
		assert_true(text_storable(GOOD[i], strlen(GOOD[i])));
	for (size_t i = 0; i < sizeof(BAD) / sizeof(*BAD); i++)
		assert_false(text_storable(BAD[i], strlen(BAD[i])));
	struct pairs p = {2, {{str_of("a\"b\n"), 0.3f}, {str_of("c"), NAN}}};
	struct strs s = {2, {str_of("x"), str_of("y\\z")}};
	struct buf b = {0};
	text_pairs(&p, &b);
	text_strs(&s, &b);
	buf_putc(&b, '\0');
	assert_string_equal((char *)b.data,
		"[[\"a\\\"b\\u000a\",0.3],[\"c\",null]][\"x\",\"y\\\\z\"]");
	p.n = -1;
	assert_int_equal(text_pairs(&p, &b), 0);
	buf_release(&b);
}

static void months(void **state)
{
	int64_t from, to;
	char name[64];
	/* 2026-08-25T00:00:00Z; August is month 7 of year 26 */
	assert_int_equal(month_of(INT64_C(1787616000000), &from, &to), 26 * 12 + 7);
	assert_int_equal(from, INT64_C(1785542400000)); /* 2026-08-01 */
	assert_int_equal(to, INT64_C(1788220800000));   /* 2026-09-01 */
	assert_int_equal(month_of(from, &from, &to), 26 * 12 + 7);
	assert_int_equal(month_of(to, &from, &to), 26 * 12 + 8);
	assert_int_equal(month_of(INT64_C(946684800000), &from, &to), 0);
	assert_int_equal(month_of(INT64_C(946684799999), &from, &to), -1);
	assert_int_equal(month_of(INT64_C(4102444799999), &from, &to), MONTHS - 1);
	assert_int_equal(month_of(INT64_C(4102444800000), &from, &to), -1);
	assert_int_equal(month_of(INT64_MIN + 1, &from, &to), -1);
	month_partition("telemetry", 26 * 12 + 7, name, sizeof(name));
	assert_string_equal(name, "telemetry_p2026_08");
}

/* By hand from the format's description. */
static void copy_format(void **state)
{
	static const uint8_t WANT[] = {'P', 'G', 'C', 'O', 'P', 'Y', '\n', 0xff, '\r',
		'\n', 0, 0, 0, 0, 0, 0, 0, 0, 0,               /* header */
		0, 7,                                          /* columns */
		0, 0, 0, 4, 0, 0, 0, 9,                        /* run */
		0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 1, 2,            /* ts */
		0, 0, 0, 4, 0, 0, 0, 2,                        /* sensor */
		0, 0, 0, 4, 0x41, 0xc8, 0, 0,                  /* 25.0f */
		0xff, 0xff, 0xff, 0xff,                        /* NULL */
		0, 0, 0, 7, 's', 't', 'a', 'n', 'd', 'b', 'y', /* hvac */
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct table t;
	struct batch b;
	struct err err = {0};
	struct rec_environment e;
	struct buf out = {0};
	table_for(KIND_environment, &t);
	batch_init(&b, &t);
	record_clear(kind_info(KIND_environment), &e);
	e.ts = 258;
	e.sensor = str_of("c");
	e.temperature_c = 25;
	e.hvac = hvac_standby;
	assert_int_equal(batch_add(&b, 9, &e, number, NULL, &err), 0);
	pgcopy_header(&out);
	pgcopy_row(&b, batch_row(&b, 0), &out);
	pgcopy_trailer(&out);
	assert_int_equal(out.len, sizeof(WANT));
	assert_memory_equal(out.data, WANT, sizeof(WANT));
	buf_release(&out);
	batch_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_without_password),
		cmocka_unit_test(urls_of_back_ends),
		cmocka_unit_test(passwords_leave_argv),
		cmocka_unit_test(migration_names),
		cmocka_unit_test(dialects),
		cmocka_unit_test(migrations_in_order),
		cmocka_unit_test(statements),
		cmocka_unit_test(newest_of_an_alert_wins),
		cmocka_unit_test(later_records_win_in_key_order),
		cmocka_unit_test(refused_text_leaves_the_batch),
		cmocka_unit_test(floats_print_as_meant),
		cmocka_unit_test(text_for_databases),
		cmocka_unit_test(months),
		cmocka_unit_test(copy_format),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
