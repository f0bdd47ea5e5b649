/*
 * Any bytes as one file of a dataset that is otherwise sound. The first byte chooses
 * the file, the second whether it gets the header of the layout, so that the fuzzer
 * reaches the rows.
 */
#include "export/layout.h"
#include "report/quality.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[] = "/tmp/quality_fuzz.XXXXXX";

/* One row of each file the others lean on; the rest have a header or are not there. */
static const struct {
	enum layout_id id;
	const char *row;
} BASE[] = {{LAYOUT_LOCATION, "l,C,,,,,,,,,,"},
	{LAYOUT_MODEL, "m,M,,,12,120,13.5,13.8,,,,,,,"},
	{LAYOUT_SYSTEM, "y,l,Y,UPS,,,,,,,,"}, {LAYOUT_STRING, "s,y,S,1,2,24,,,,,"},
	{LAYOUT_BATTERY, "b,s,m,B,,1,,2020-01-01,,,3,active,,,,\n"
			 "c,s,m,D,,2,,2020-01-01,,,3,active,,,,"},
	{LAYOUT_SENSOR, "e,l,E,,,"},
	{LAYOUT_STRING_RAW,
		"2026-01-01 00:00:00,s,27.3,0.1,float,,,False,False,False\n"
		"2026-01-01 00:01:00,s,24.3,-9,discharge,,,False,False,False"},
	{LAYOUT_JAR_RAW, "2026-01-01 00:00:00,b,13.6,25,3,,100,90\n"
			 "2026-01-01 00:00:00,c,13.7,25,3,,100,90\n"
			 "2026-01-01 00:01:00,b,12.1,25,3,,99,90\n"
			 "2026-01-01 00:01:00,c,12.2,25,3,,99,90"}};

static void path_of(char *dst, size_t size, enum layout_id id)
{
	if (id == LAYOUT_FILES)
		snprintf(dst, size, "%s/" LAYOUT_STATES, dir);
	else
		snprintf(dst, size, "%s/%s.csv", dir, layout_file(id)->name);
}

static void write_file(enum layout_id id, const void *p, size_t n)
{
	char path[256];
	path_of(path, sizeof(path), id);
	FILE *f = fopen(path, "w");
	if (!f || fwrite(p, 1, n, f) != n || fclose(f) != 0)
		abort();
}

static void write_header(enum layout_id id, FILE *f)
{
	const struct layout_file *l = layout_file(id);
	for (int i = 0; i < l->n; i++)
		fprintf(f, "%s%s", i ? "," : "", l->columns[i].name);
	fputc('\n', f);
}

static void write_base(enum layout_id id)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		abort();
	write_header(id, f);
	for (size_t i = 0; i < sizeof(BASE) / sizeof(*BASE); i++)
		if (BASE[i].id == id)
			fprintf(f, "%s\n", BASE[i].row);
	fclose(f);
	write_file(id, text, n);
	free(text);
}

static void clear(void)
{
	char path[256];
	for (enum layout_id id = 0; id <= LAYOUT_FILES; id++) {
		path_of(path, sizeof(path), id);
		unlink(path);
	}
	rmdir(dir);
}

static void set_up(void)
{
	static bool done;
	if (done)
		return;
	done = true;
	if (!mkdtemp(dir))
		abort();
	atexit(clear);
	for (enum layout_id id = 0; id < LAYOUT_FILES; id++)
		write_base(id);
}

/* With a header of its own: rows are what the fuzzer is to invent. */
static void write_rows(enum layout_id id, const uint8_t *data, size_t size)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	if (!f)
		abort();
	write_header(id, f);
	fwrite(data, 1, size, f);
	fclose(f);
	write_file(id, text, n);
	free(text);
}

static void check(void)
{
	static struct quality q;
	struct err err = {0};
	struct buf out = {0};
	if (quality_check(&q, dir, &err) < 0)
		abort(); /* whatever is in the files is a finding */
	for (int i = 0; i < CHECKS; i++)
		if (q.checks[i].found < q.checks[i].noffenders)
			abort();
	quality_text(&q, &out);
	quality_json(&q, &out);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	set_up();
	if (size < 2)
		return 0;
	enum layout_id id = data[0] % (LAYOUT_FILES + 1);
	if (data[1] & 1 && id < LAYOUT_FILES)
		write_rows(id, data + 2, size - 2);
	else
		write_file(id, data + 2, size - 2);
	check();
	if (id < LAYOUT_FILES)
		write_base(id);
	return 0;
}
