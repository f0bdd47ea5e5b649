#include "ingest/fleet_book.h"

#include "base/code.h"
#include "base/ids.h"
#include "base/parse.h"
#include "base/timefmt.h"
#include "ingest/rows.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATTERIES_MAX = 10000000, POSITION_MAX = 999, JARS_MAX = 64 };
static const double CAPACITY_MAX = 1e5, RESISTANCE_MAX = 1e5;

enum { CODE, INSTALLED, CAPACITY, RESISTANCE, COLUMNS };
static const char *const NAMES[COLUMNS][2] = {{"code", "battery_code"},
	{"installed", "installed_date"}, {"initial_capacity_ah", NULL},
	{"initial_resistance_mohm", NULL}};

/* A row. Codes are numbers, in order of first appearance. */
struct entry {
	int64_t line;
	uint32_t site, string;
	int system, position, jar;
	struct fleet_jar said;
};

struct reading {
	struct fleet *fleet;
	struct rows rows;
	int column[COLUMNS], columns;
	struct ids sites, strings;
	struct entry *v;
	size_t n, cap;
};

bool fleet_book_is(const char *path)
{
	size_t n = strlen(path);
	return (n > 4 && strcmp(path + n - 4, ".csv") == 0) ||
	       (n > 7 && strcmp(path + n - 7, ".csv.gz") == 0);
}

__attribute__((format(printf, 4, 5))) static int wrong(
	const struct reading *r, struct err *err, int64_t line, const char *fmt, ...)
{
	char what[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	return err_set(err, ERR_USAGE, "'%s' line %lld: %s", r->rows.lines.text->name,
		(long long)line, what);
}

/* Returns 1, 0 for a file without rows, -1. */
static int read_header(struct reading *r, struct err *err)
{
	int n = rows_next(&r->rows, err);
	if (n <= 0)
		return n;
	const struct row *row = &r->rows.row;
	r->columns = row->n;
	for (int c = 0; c < COLUMNS; c++) {
		r->column[c] = -1;
		for (int k = row->n - 1; k >= 0; k--)
			if (str_is(row->field[k], NAMES[c][0]) ||
				(NAMES[c][1] && str_is(row->field[k], NAMES[c][1])))
				r->column[c] = k;
	}
	if (row->defect || r->column[CODE] < 0)
		return wrong(r, err, row->line,
			"no column 'code' or 'battery_code': no list of batteries");
	return 1;
}

/* The cell, nil where it is blank or not there. */
static struct str cell(const struct reading *r, int column)
{
	struct str s =
		r->column[column] < 0 ? STR_NIL : r->rows.row.field[r->column[column]];
	return s.len ? s : STR_NIL;
}

/* A number after one letter, written as 'form' writes it ("S%d"). */
static int numbered(struct str part, const char *prefix, int width, int64_t most)
{
	char again[16];
	int64_t n;
	if (part.len < 2 ||
		parse_i64((struct str){part.s + 1, part.len - 1}, 1, most, &n) < 0)
		return -1;
	snprintf(again, sizeof(again), "%s%0*d", prefix, width, (int)n);
	return str_is(part, again) ? (int)n : -1;
}

/* Where the battery stands. */
static int place(struct reading *r, struct entry *e, struct err *err)
{
	struct str code = cell(r, CODE), string = code_string(code);
	struct code_parts p = code_split(code);
	char site[FLEET_NAME_MAX];

	if (!p.site.s || !p.system.s || !p.string.s || !p.jar.s ||
		string.len >= FLEET_CODE_MAX || p.site.len >= sizeof(site) ||
		(e->position = numbered(p.string, "S", 1, POSITION_MAX)) < 0 ||
		(e->jar = numbered(p.jar, "J", 2, JARS_MAX)) < 0)
		return wrong(r, err, e->line,
			"'%.*s' is not of the form DC-BKK-01-UPS-02-S3-J07",
			STR_ARG(code));
	str_copy(site, sizeof(site), p.site);
	if (!fleet_plan(r->fleet, site))
		return wrong(r, err, e->line,
			"no site '%s': its climate and mains are not known", site);
	e->system = fleet_system(r->fleet, p.system);
	if (e->system < 0)
		return wrong(r, err, e->line, "system '%.*s' is one too many",
			STR_ARG(p.system));
	e->site = ids_intern(&r->sites, p.site);
	e->string = ids_intern(&r->strings, string);
	if (e->site == IDS_NONE || e->string == IDS_NONE)
		return err_nomem(err);
	return 0;
}

static int read_amount(
	struct reading *r, int column, double most, float *out, struct err *err)
{
	struct str s = cell(r, column);
	double v;
	*out = NAN;
	if (!s.s)
		return 0;
	if (parse_f64(s, &v) < 0 || !(v > 0 && v < most))
		return wrong(r, err, r->rows.row.line, "%s '%.*s' is no such quantity",
			NAMES[column][0], STR_ARG(s));
	*out = (float)v;
	return 0;
}

static int read_row(struct reading *r, struct entry *e, struct err *err)
{
	const struct row *row = &r->rows.row;
	struct str installed;

	*e = (struct entry){.line = row->line, .said = {.installed = TIME_NIL}};
	if (row->defect)
		return wrong(r, err, row->line, "%s", row->defect);
	if (row->n != r->columns)
		return wrong(r, err, row->line, "%d columns where the header has %d",
			row->n, r->columns);
	installed = cell(r, INSTALLED);
	if (installed.s && time_parse_iso(installed, 0, &e->said.installed) < 0)
		return wrong(
			r, err, row->line, "'%.*s' is no date", STR_ARG(installed));
	if (read_amount(r, CAPACITY, CAPACITY_MAX, &e->said.initial_capacity_ah, err) <
			0 ||
		read_amount(r, RESISTANCE, RESISTANCE_MAX,
			&e->said.initial_resistance_mohm, err) < 0)
		return -1;
	return place(r, e, err);
}

static int read_rows(struct reading *r, struct err *err)
{
	int n = read_header(r, err);
	while (n > 0 && (n = rows_next(&r->rows, err)) > 0) {
		if (r->n == BATTERIES_MAX)
			return wrong(r, err, r->rows.row.line, "too many batteries");
		if (r->n == r->cap) {
			size_t cap = r->cap ? 2 * r->cap : 256;
			void *more = realloc(r->v, cap * sizeof(*r->v));
			if (!more)
				return err_nomem(err);
			r->v = more;
			r->cap = cap;
		}
		if (read_row(r, &r->v[r->n], err) < 0)
			return -1;
		r->n++;
	}
	if (n == 0 && r->n == 0)
		return err_set(err, ERR_USAGE, "'%s' lists no battery",
			r->rows.lines.text->name);
	return n;
}

static int compare(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

/* By place: sites and systems as they came, and rows of one place as well. */
static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int c = compare(x->site, y->site);
	c = c ? c : compare(x->system, y->system);
	c = c ? c : compare(x->position, y->position);
	c = c ? c : compare(x->jar, y->jar);
	return c ? c : compare(x->line, y->line);
}

/* Of the rows of one place the last stays. */
static void newest_units(struct reading *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->n; i++)
		if (i + 1 == r->n || r->v[i].string != r->v[i + 1].string ||
			r->v[i].jar != r->v[i + 1].jar)
			r->v[n++] = r->v[i];
	r->n = n;
}

/* Strings out of sorted rows: each has its jars from the first on, without a gap. */
static int fill(struct reading *r, struct fleet_book *b, struct err *err)
{
	for (uint32_t i = 0; i < r->sites.n; i++) {
		const char *code = ids_name(&r->sites, i);
		str_copy(b->sites[i].code, sizeof(b->sites[i].code), str_of(code));
		b->sites[i].plan = fleet_plan(r->fleet, code);
	}
	for (size_t i = 0; i < r->n; i++) {
		const struct entry *e = &r->v[i];
		bool fresh = i == 0 || e->string != r->v[i - 1].string;
		struct fleet_string *s = &b->strings[b->nstrings - !fresh];
		if (fresh) {
			*s = (struct fleet_string){.site = e->site,
				.first = (int64_t)i,
				.system = e->system,
				.position = e->position};
			str_copy(s->code, sizeof(s->code),
				str_of(ids_name(&r->strings, e->string)));
			b->nstrings++;
		}
		if (e->jar != ++s->jars)
			return wrong(r, err, e->line,
				"string %s has this J%02d, and no J%02d", s->code,
				e->jar, s->jars);
		b->jars[i] = e->said;
	}
	b->nsites = (int64_t)r->sites.n;
	b->njars = (int64_t)r->n;
	return 0;
}

static int make(struct reading *r, struct err *err)
{
	struct fleet_book b = {0};
	qsort(r->v, r->n, sizeof(*r->v), by_place);
	newest_units(r);
	b.sites = calloc(r->sites.n, sizeof(*b.sites));
	b.strings = calloc(r->strings.n, sizeof(*b.strings));
	b.jars = calloc(r->n, sizeof(*b.jars));
	int status = b.sites && b.strings && b.jars ? fill(r, &b, err) : err_nomem(err);
	fleet_unload(r->fleet);
	r->fleet->book = b;
	if (status < 0)
		fleet_unload(r->fleet);
	return status;
}

int fleet_book_text(struct fleet *f, struct text *t, struct err *err)
{
	struct reading *r = calloc(1, sizeof(*r));
	int status = -1;
	if (!r)
		return err_nomem(err);
	r->fleet = f;
	f->nsystems = 0;
	if (rows_open(&r->rows, t, ',', err) == 0 && read_rows(r, err) == 0)
		status = make(r, err);
	rows_close(&r->rows);
	ids_release(&r->sites);
	ids_release(&r->strings);
	free(r->v);
	free(r);
	return status;
}

int fleet_book_read(struct fleet *f, const char *path, struct err *err)
{
	struct text t;
	if (text_open(&t, path, err) < 0)
		return -1;
	int status = fleet_book_text(f, &t, err);
	text_close(&t);
	return status;
}
