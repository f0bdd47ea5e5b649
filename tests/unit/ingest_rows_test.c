/* Rows out of text: CSV by the rules of RFC 4180, NDJSON, and what is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ingest/rows.h"

/* Rows as "line:a|b" or "line!defect", one a line of text. */
static char *rows_of(const void *data, size_t n, char delimiter)
{
	static char out[80000];
	struct text text;
	struct rows *r = malloc(sizeof(*r));
	struct err err = {0};
	size_t at = 0;
	int k;
	assert_non_null(r);
	out[0] = '\0';
	assert_int_equal(text_memory(&text, "m", data, n, &err), 0);
	assert_int_equal(rows_open(r, &text, delimiter, &err), 0);
	while ((k = rows_next(r, &err)) > 0) {
		at += (size_t)snprintf(out + at, sizeof(out) - at, "%d%s",
			(int)r->row.line, r->row.defect ? "!" : ":");
		if (r->row.defect)
			at += (size_t)snprintf(
				out + at, sizeof(out) - at, "%s", r->row.defect);
		for (int i = 0; !r->row.defect && i < r->row.n; i++)
			at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%.*s",
				i ? "|" : "", STR_ARG(r->row.field[i]));
		at += (size_t)snprintf(out + at, sizeof(out) - at, "\n");
	}
	assert_int_equal(k, 0);
	rows_close(r);
	text_close(&text);
	free(r);
	return out;
}

static char *csv(const char *s)
{
	return rows_of(s, strlen(s), ',');
}

static void splits_plain_rows(void **state)
{
	assert_string_equal(csv("a,b\n1,2\n"), "1:a|b\n2:1|2\n");
	assert_string_equal(csv("a,b\r\n1,2\r\n"), "1:a|b\n2:1|2\n");
	assert_string_equal(csv("a,b\n1,2"), "1:a|b\n2:1|2\n");
	assert_string_equal(csv("a,,\n ,\t,b \n"), "1:a||\n2:||b\n");
	assert_string_equal(csv("\xef\xbb\xbf"
				"a,b\n"),
		"1:a|b\n");
	assert_string_equal(csv("\n\r\n  \na\n"), "4:a\n");
	assert_string_equal(csv(""), "");
	assert_string_equal(csv("\xef\xbb\xbf"), "");
	assert_string_equal(rows_of("a;b\t c\n", 7, ';'), "1:a|b\t c\n");
	assert_string_equal(rows_of("a\tb \n", 5, '\t'), "1:a|b\n");
}

static void quoted_fields_may_hold_anything(void **state)
{
	assert_string_equal(csv("\"a,b\",\"c\"\"d\"\n"), "1:a,b|c\"d\n");
	assert_string_equal(csv("\"a\nb\",c\nd,e\n"), "1:a\nb|c\n3:d|e\n");
	assert_string_equal(csv("\"a\r\nb\"\r\nd\r\n"), "1:a\r\nb\n3:d\n");
	assert_string_equal(csv("x,\"\"\n\"y\",z"), "1:x|\n2:y|z\n");
}

/* A quote in the wrong place spoils its own line and no other. */
static void bad_quotes_spoil_one_row(void **state)
{
	assert_string_equal(
		csv("a\"b,c\nd,e\n"), "1!quote in the wrong place\n2:d|e\n");
	assert_string_equal(
		csv("\"a\"b,c\nd,e\n"), "1!quote in the wrong place\n2:d|e\n");
	assert_string_equal(
		csv("1,\"open\n2,x\n3,y\n"), "1!quote is never closed\n2:2|x\n3:3|y\n");
	assert_string_equal(csv("\"open"), "1!quote is never closed\n");
}

static void stray_carriage_returns_are_told(void **state)
{
	assert_string_equal(
		csv("a\rb,c\nd\n"), "1!carriage return inside a line\n2:d\n");
	assert_string_equal(
		csv("\"a\"\r\"b\"\nd\n"), "1!carriage return inside a line\n2:d\n");
}

static void long_lines_are_skipped(void **state)
{
	size_t n = 3000000;
	char *s = malloc(n + 20);
	assert_non_null(s);
	memcpy(s, "h\n", 2);
	memset(s + 2, 'x', n);
	memcpy(s + 2 + n, "\nlast\n", 7);
	assert_string_equal(rows_of(s, n + 8, ','),
		"1:h\n2!line is longer than 65536 bytes\n3:last\n");
	/* The longest that passes, and one byte more. */
	s[2 + LINE_MAX_BYTES] = '\n';
	memcpy(s + 3 + LINE_MAX_BYTES, "z\n", 3);
	assert_non_null(strstr(rows_of(s, LINE_MAX_BYTES + 5, ','), "3:z\n"));
	free(s);
}

static void an_open_quote_does_not_eat_the_file(void **state)
{
	size_t n = 0, lines = 20000;
	char *s = malloc(lines * 8 + 20);
	assert_non_null(s);
	n += (size_t)snprintf(s, 20, "a,\"b\n");
	for (size_t i = 0; i < lines; i++)
		n += (size_t)snprintf(s + n, 20, "%05zu\n", i);
	struct text text;
	struct rows *r = malloc(sizeof(*r));
	struct err err = {0};
	assert_non_null(r);
	assert_int_equal(text_memory(&text, "m", s, n, &err), 0);
	assert_int_equal(rows_open(r, &text, ',', &err), 0);
	assert_int_equal(rows_next(r, &err), 1);
	assert_string_equal(r->row.defect, "quote is never closed");
	for (size_t i = 0; i < lines; i++) {
		char want[24];
		snprintf(want, sizeof(want), "%05zu", i);
		assert_int_equal(rows_next(r, &err), 1);
		assert_int_equal(r->row.line, i + 2);
		assert_true(str_is(r->row.field[0], want));
	}
	assert_int_equal(rows_next(r, &err), 0);
	rows_close(r);
	text_close(&text);
	free(r);
	free(s);
}

static void too_many_columns_are_told(void **state)
{
	char s[2000];
	memset(s, ',', sizeof(s));
	s[600] = '\n';
	assert_string_equal(rows_of(s, 601, ','), "1!more than 512 columns\n");
	s[0] = s[1] = '"';
	assert_string_equal(rows_of(s, 601, ','), "1!more than 512 columns\n");
}

static void reads_objects(void **state)
{
	struct text text;
	struct err err = {0};
	struct str names[] = {str_of("t"), str_of("v")};
	struct rows *r = malloc(sizeof(*r));
	const char *s = "{\"v\":1.5,\"t\":\"x\"}\n{\"t\":null}\n[1]\n{\"q\":1}\n{\n"
			"{\"v\":[1]}\n{\"v\":true,\"t\":-7}\n";
	assert_non_null(r);
	assert_int_equal(text_memory(&text, "m", s, strlen(s), &err), 0);
	assert_int_equal(rows_open(r, &text, ',', &err), 0);
	r->ndjson = true;
	r->names = names;
	r->nnames = 2;
	assert_int_equal(rows_next(r, &err), 1);
	assert_null(r->row.defect);
	assert_true(str_is(r->row.field[0], "x") && str_is(r->row.field[1], "1.5"));
	assert_int_equal(rows_next(r, &err), 1);
	assert_true(!r->row.defect && !r->row.field[0].s && !r->row.field[1].s);
	for (int line = 3; line <= 6; line++) {
		assert_int_equal(rows_next(r, &err), 1);
		assert_non_null(r->row.defect);
		assert_int_equal(r->row.line, line);
	}
	assert_int_equal(rows_next(r, &err), 1);
	assert_true(str_is(r->row.field[0], "-7") && str_is(r->row.field[1], "true"));
	assert_int_equal(rows_next(r, &err), 0);
	rows_close(r);
	text_close(&text);
	free(r);
}

/* A pipe that gives a byte at a time gives the same rows. */
static void chunks_do_not_matter(void **state)
{
	const char *s = "\xef\xbb\xbf"
			"a,\"b\nc\"\n1,2\n";
	int p[2];
	char path[40];
	struct text text;
	struct err err = {0};
	struct rows *r = malloc(sizeof(*r));
	assert_non_null(r);
	assert_int_equal(pipe(p), 0);
	snprintf(path, sizeof(path), "/dev/fd/%d", p[0]);
	assert_int_equal(text_open(&text, path, &err), 0);
	assert_int_equal(rows_open(r, &text, ',', &err), 0);
	assert_int_equal(write(p[1], s, strlen(s)), (int)strlen(s));
	close(p[1]);
	close(p[0]);
	assert_int_equal(rows_next(r, &err), 1);
	assert_true(str_is(r->row.field[1], "b\nc"));
	assert_int_equal(rows_next(r, &err), 1);
	assert_int_equal(r->row.line, 3);
	assert_int_equal(rows_next(r, &err), 0);
	assert_true(text.end);
	rows_close(r);
	text_close(&text);
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(splits_plain_rows),
		cmocka_unit_test(quoted_fields_may_hold_anything),
		cmocka_unit_test(bad_quotes_spoil_one_row),
		cmocka_unit_test(stray_carriage_returns_are_told),
		cmocka_unit_test(long_lines_are_skipped),
		cmocka_unit_test(an_open_quote_does_not_eat_the_file),
		cmocka_unit_test(too_many_columns_are_told),
		cmocka_unit_test(reads_objects),
		cmocka_unit_test(chunks_do_not_matter)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
