#include "ingest/rows.h"

#include "ingest/rows_json.h"

#include <stdio.h>

int rows_open(struct rows *r, struct text *t, char delimiter, struct err *err)
{
	memset(r, 0, sizeof(*r));
	r->delimiter = delimiter;
	r->row.field = r->fields;
	return lines_open(&r->lines, t, err);
}

static bool blank(char c, char delimiter)
{
	return (c == ' ' || c == '\t') && c != delimiter;
}

static struct str trim(const char *p, const char *end, char delimiter)
{
	while (p < end && blank(*p, delimiter))
		p++;
	while (p < end && blank(end[-1], delimiter))
		end--;
	return (struct str){p, (uint32_t)(end - p)};
}

static void set_defect(struct rows *r, const char *why)
{
	snprintf(r->defect, sizeof(r->defect), "%s", why);
	r->row.defect = r->defect;
}

/* Splits a line without quotes as libcsv would: blanks around a field are not its. */
static void split(struct rows *r, struct str line)
{
	const char *p = line.s, *end = line.s + line.len;
	char delimiter = r->delimiter;
	int n = 0;
	for (;;) {
		const char *q = p;
		while (q < end && *q != delimiter)
			q++;
		if (n == ROW_FIELDS_MAX) {
			set_defect(r, "more than 512 columns");
			return;
		}
		bool plain = p<q && * p> ' ' && q[-1] > ' '; /* nearly always */
		r->fields[n++] = plain ? (struct str){p, (uint32_t)(q - p)}
				       : trim(p, q, delimiter);
		if (q == end)
			break;
		p = q + 1;
	}
	r->row.n = n;
}

static void on_field(void *s, size_t n, void *arg)
{
	struct rows *r = arg;
	if (r->rows_done == 0 && r->row.n < ROW_FIELDS_MAX) {
		r->offsets[r->row.n] = r->cells.len;
		r->fields[r->row.n].len = (uint32_t)n;
		buf_append(&r->cells, s, n);
	}
	r->row.n += r->rows_done == 0;
}

static void on_row(int c, void *arg)
{
	((struct rows *)arg)->rows_done++;
}

static int csv_start(struct rows *r, struct err *err)
{
	if (r->csv_open)
		csv_free(&r->csv);
	r->csv_open = csv_init(&r->csv, CSV_STRICT | CSV_STRICT_FINI) == 0;
	if (!r->csv_open)
		return err_nomem(err);
	csv_set_delim(&r->csv, (unsigned char)r->delimiter);
	r->rows_done = 0;
	r->row.n = 0;
	buf_clear(&r->cells);
	return 0;
}

/* Feeds libcsv line by line until the row is whole. 1 whole, 0 not yet, 2 defect, -1.
 */
static int feed(struct rows *r, size_t *total, int64_t *newlines, struct err *err)
{
	struct str line;
	size_t skip = 0;
	*newlines = 0;
	for (;;) {
		int k = lines_peek(&r->lines, skip, &line, total, err);
		if (k < 0)
			return -1;
		if (k == LINES_LONG ||
			(k == LINES_END && r->lines.text->end && r->lines.partial)) {
			set_defect(r, "quote is never closed");
			return 2;
		}
		if (k == LINES_END)
			return 0;
		size_t n = *total - skip;
		*newlines += n > line.len;
		if (csv_parse(&r->csv, line.s, n, on_field, on_row, r) != n) {
			set_defect(r, "quote in the wrong place");
			return 2;
		}
		if (n == line.len && r->rows_done == 0 &&
			csv_fini(&r->csv, on_field, on_row, r) != 0) {
			set_defect(r, "quote is never closed");
			return 2;
		}
		if (r->rows_done > 0)
			return 1;
		skip = *total;
	}
}

/* A row with quotes. 1 row, 0 not yet, -1. */
static int quoted_row(
	struct rows *r, struct str first, size_t first_total, struct err *err)
{
	size_t total = first_total;
	int64_t newlines = 1;
	if (csv_start(r, err) < 0)
		return -1;
	int k = feed(r, &total, &newlines, err);
	if (k <= 0)
		return k;
	const char *begin = r->lines.buf + r->lines.start;
	if (r->cells.failed)
		return err_nomem(err);
	if (k == 1 && r->rows_done > 1)
		set_defect(r, "carriage return inside a line");
	else if (k == 1 && r->row.n > ROW_FIELDS_MAX)
		set_defect(r, "more than 512 columns");
	if (r->row.defect) { /* read on behind its first line */
		total = first_total;
		newlines = 1;
	}
	for (int i = 0; i < r->row.n && !r->row.defect; i++)
		r->fields[i].s = r->cells.data
					 ? (const char *)r->cells.data + r->offsets[i]
					 : "";
	r->row.original = (struct str){begin, (uint32_t)(total)};
	while (r->row.original.len > 0 &&
		(begin[r->row.original.len - 1] == '\n' ||
			begin[r->row.original.len - 1] == '\r'))
		r->row.original.len--;
	lines_take(&r->lines, total, newlines);
	return 1;
}

static int long_row(struct rows *r, struct str line)
{
	line.len = 1000; /* enough to know it again */
	r->row.original = line;
	set_defect(r, "line is longer than 65536 bytes");
	lines_skip_long(&r->lines);
	return 1;
}

static int csv_row(struct rows *r, struct str line, size_t total, struct err *err)
{
	if (line.len && memchr(line.s, '"', line.len))
		return quoted_row(r, line, total, err);
	lines_take(&r->lines, total, 1);
	r->row.original = line;
	if (memchr(line.s, '\r', line.len))
		set_defect(r, "carriage return inside a line");
	else
		split(r, line);
	return 1;
}

int rows_next(struct rows *r, struct err *err)
{
	struct str line = STR_NIL;
	size_t total = 0;
	for (;;) {
		r->row.defect = NULL;
		r->row.n = 0;
		int k = lines_peek(&r->lines, 0, &line, &total, err);
		r->row.line = r->lines.line;
		if (k == LINES_LONG)
			return long_row(r, line);
		if (k <= 0)
			return k;
		if (line.len > 0 && line.s[line.len - 1] == '\r')
			line.len--;
		if (trim(line.s, line.s + line.len, r->delimiter).len > 0)
			break;
		lines_take(&r->lines, total, 1);
	}
	if (!r->ndjson)
		return csv_row(r, line, total, err);
	lines_take(&r->lines, total, 1);
	r->row.original = line;
	return json_row(r, line, err);
}

int rows_peek_keys(struct rows *r, struct err *err)
{
	struct str line;
	size_t total;
	int k = lines_peek(&r->lines, 0, &line, &total, err);
	r->row.line = r->lines.line;
	if (k == LINES_LONG)
		return err_set(err, ERR_DATA, "'%s' line 1 is longer than %d bytes",
			r->lines.text->name, LINE_MAX_BYTES);
	return k <= 0 ? k : json_keys(r, line, err);
}

void rows_close(struct rows *r)
{
	if (r->csv_open)
		csv_free(&r->csv);
	buf_release(&r->cells);
	lines_close(&r->lines);
	memset(r, 0, sizeof(*r));
}
