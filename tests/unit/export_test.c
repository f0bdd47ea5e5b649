/* The parts of a dataset that is written: keys, times, cells; and its layout against
 * the mappings that read it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/export.h"
#include "export/key.h"
#include "export/out.h"
#include "ingest/clock.h"
#include "ingest/mapping.h"

static void keys_are_uuids_that_stay(void **state)
{
	char a[EXPORT_KEY_SIZE], b[EXPORT_KEY_SIZE];
	struct str code = str_of("DC-CNX-01-REC-01-S1-J01");
	export_key(a, LAYOUT_BATTERY, code, 0);
	assert_int_equal(strlen(a), 36);
	for (int i = 0; i < 36; i++)
		assert_int_equal(a[i] == '-', i == 8 || i == 13 || i == 18 || i == 23);
	/* RFC 9562: version 8, variant 10. */
	assert_int_equal(a[14], '8');
	assert_non_null(strchr("89ab", a[19]));
	/* Written down: datasets of other days must name the same battery alike. */
	assert_string_equal(a, "4998395b-0b47-8bf1-bc99-82a96a706742");
	assert_string_not_equal(a, export_key(b, LAYOUT_BATTERY, code, 1));
	assert_string_not_equal(a, export_key(b, LAYOUT_STRING, code, 0));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void keys_differ(void **state)
{
	enum { N = 100000 };
	char(*keys)[EXPORT_KEY_SIZE] = malloc(N * sizeof(*keys));
	assert_non_null(keys);
	for (int i = 0; i < N; i++) {
		char code[64];
		snprintf(code, sizeof(code), "DC-CNX-%02d-UPS-01-S1-J%02d", i / 1000,
			i % 1000);
		export_key(keys[i], LAYOUT_BATTERY, str_of(code), 0);
	}
	qsort(keys, N, sizeof(*keys), by_text);
	for (int i = 1; i < N; i++)
		assert_string_not_equal(keys[i - 1], keys[i]);
	free(keys);
}

static void times_are_local(void **state)
{
	struct out_clock c;
	struct err err;
	assert_int_equal(out_clock_open(&c, &err), 0);
	assert_string_equal(out_clock_text(&c, 1767225600000), "2026-01-01 07:00:00");
	assert_string_equal(
		out_clock_text(&c, 1767225600120), "2026-01-01 07:00:00.120");
	assert_string_equal(out_clock_text(&c, 0), "1970-01-01 07:00:00");
	out_clock_close(&c);
}

/* Written and read by the clock the mappings use; Bangkok had its own mean time,
 * 6:42:04 ahead, until 1920. */
static void times_come_back(void **state)
{
	struct out_clock c;
	struct clock read;
	struct err err;
	struct clock_spec spec = {.format = CLOCK_ISO, .zone = LAYOUT_ZONE};
	assert_int_equal(out_clock_open(&c, &err), 0);
	assert_int_equal(clock_open(&read, &spec, &err), 0);
	for (int64_t ts = INT64_C(-2208988800000); ts < INT64_C(4102444800000);
		ts += INT64_C(86400000) * 97 + 12345) {
		int64_t back = 0;
		const char *text = out_clock_text(&c, ts);
		assert_int_equal(clock_read(&read, str_of(text), 0, &back), 0);
		assert_int_equal(back, ts);
	}
	clock_close(&read);
	out_clock_close(&c);
}

static char *read_all(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	return text;
}

static void cells_are_quoted_rounded_and_filled(void **state)
{
	char dir[] = "/tmp/export_test.XXXXXX", path[128];
	struct out o;
	struct out_clock c;
	struct err err;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(out_clock_open(&c, &err), 0);
	assert_int_equal(out_open(&o, dir, LAYOUT_SENSOR, NULL, &err), 0);
	out_text(&o, "a,\"b\"");
	out_str(&o, STR_NIL);
	out_milli(&o, 13.65049999);
	out_milli(&o, NAN);
	out_date(&o, &c, 1767200400000);
	out_bool(&o, 1);
	assert_int_equal(out_row(&o, &err), 0);
	out_f32(&o, 0.1f);
	out_int(&o, -7);
	assert_int_equal(out_row(&o, &err), 0);
	assert_int_equal(o.rows, 2);
	assert_int_equal(out_close(&o, &err), 0);
	snprintf(path, sizeof(path), "%s/environmental_sensor.csv", dir);
	assert_string_equal(read_all(path),
		"sensor_id,location_id,sensor_code,sensor_type,zone,is_active\n"
		"\"a,\"\"b\"\"\",,13.65,,2026-01-01,True\n"
		"0.1,-7,,,,\n");
	/* A row with a cell too many is a fault of ours, and told. */
	unlink(path);
	assert_int_equal(out_open(&o, dir, LAYOUT_SENSOR, NULL, &err), 0);
	out_skip(&o, 7);
	assert_int_equal(out_row(&o, &err), -1);
	out_drop(&o);
	unlink(path);
	rmdir(dir);
	out_clock_close(&c);
}

/* Every file that is read: the mapping knows each column of the layout, and the layout
 * has each that the mapping uses. */
static void the_mappings_know_the_layout(void **state)
{
	struct mapping *m = malloc(sizeof(*m));
	struct err err;
	int n = 0;
	assert_non_null(m);
	for (enum layout_id id = 0; id < LAYOUT_FILES; id++) {
		const struct layout_file *f = layout_file(id);
		char name[64];
		if (id == LAYOUT_JAR_CALC || id == LAYOUT_FEATURE ||
			id == LAYOUT_ALERT || id == LAYOUT_RUL)
			continue; /* results, which are not read */
		snprintf(name, sizeof(name), "classic/%s", f->name);
		assert_int_equal(mapping_named(m, name, &err), 0);
		for (int i = 0; i < f->n; i++, n++)
			if (mapping_column(m, str_of(f->columns[i].name)) < 0)
				fail_msg("%s: %s", f->name, f->columns[i].name);
		for (int i = 0; i < m->ntargets; i++)
			if (layout_column(id, m->targets[i].column) < 0)
				fail_msg("%s: %s", f->name, m->targets[i].column);
		if (*m->clock.zone)
			assert_string_equal(m->clock.zone, LAYOUT_ZONE);
	}
	assert_true(n > 130);
	free(m);
}

/* References lead to files that are read before, and to their first column. */
static void the_layout_is_sound(void **state)
{
	for (enum layout_id id = 0; id < LAYOUT_FILES; id++) {
		const struct layout_file *f = layout_file(id);
		assert_true(f->n > 0 && f->n <= LAYOUT_COLUMNS_MAX);
		for (int i = 0; i < f->n; i++) {
			const struct layout_column *c = &f->columns[i];
			assert_true(c->type != LAYOUT_KEY || i == 0);
			assert_int_equal(layout_column(id, c->name), i);
			if (c->type == LAYOUT_REF) {
				assert_true(c->of <= id);
				assert_int_equal(layout_file(c->of)->columns[0].type,
					LAYOUT_KEY);
			}
			if (c->type == LAYOUT_NUM || c->type == LAYOUT_WHOLE)
				assert_true(c->min < c->max);
			assert_int_equal(c->type == LAYOUT_WORD, c->words != NULL);
		}
	}
}

static void what_has_no_place_is_not_taken(void **state)
{
	char parent[] = "/tmp/export_test.XXXXXX", dir[64];
	struct err err;
	assert_non_null(mkdtemp(parent));
	snprintf(dir, sizeof(dir), "%s/set", parent);
	struct export *d = export_open(dir, &err);
	assert_non_null(d);
	struct rec_tick tick = {.source = str_of("x"), .ts = 0};
	assert_int_equal(export_add(d, KIND_tick, &tick, &err), 0);
	struct rec_capacity_test t = {.ts = 0,
		.subject = str_of("A-01-UPS-01-S1-J01"),
		.type = STR_NIL,
		.result = ENUM_NIL};
	assert_int_equal(export_add(d, KIND_capacity_test, &t, &err), 0);
	t.subject = str_of("A-01-UPS-01-S1");
	assert_int_equal(export_add(d, KIND_capacity_test, &t, &err), 1);
	/* Never published: nothing is left of it. */
	export_free(d);
	assert_int_equal(rmdir(parent), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_uuids_that_stay),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(times_are_local),
		cmocka_unit_test(times_come_back),
		cmocka_unit_test(cells_are_quoted_rounded_and_filled),
		cmocka_unit_test(the_mappings_know_the_layout),
		cmocka_unit_test(the_layout_is_sound),
		cmocka_unit_test(what_has_no_place_is_not_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
