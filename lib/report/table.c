#include "report/table.h"

#include "base/parse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
	KEYS_MAX = 2000000, /* of a file; more are not held against each other */
	CELL_SHOWN = 60
};

/* The file with or without .gz; a pipe or device is none. False: neither is there. */
/* How many bytes of a cell a finding shows. */
static int shown(struct str cell)
{
	return cell.len < CELL_SHOWN ? (int)cell.len : CELL_SHOWN;
}

static bool find(struct table *t, const char *dir)
{
	static const char *const endings[] = {".csv", ".csv.gz"};
	struct stat st;
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		snprintf(t->name, sizeof(t->name), "%s%s", t->layout->name, endings[i]);
		snprintf(t->path, sizeof(t->path), "%.4000s/%s", dir, t->name);
		if (stat(t->path, &st) == 0 && S_ISREG(st.st_mode))
			return true;
	}
	return false;
}

#define FIND(t, check, ...)                                                            \
	do {                                                                           \
		if ((t)->q)                                                            \
			finding((t)->q, check, (t)->name, (t)->line, __VA_ARGS__);     \
	} while (0)

static void count(struct table *t, enum check_id id, int64_t n)
{
	if (t->q)
		t->q->checks[id].checked += n;
}

static void raise_to(struct table *t, enum check_id id, enum verdict v)
{
	if (t->q)
		finding_raise(t->q, id, v);
}

/* Findings of the header: lost columns fail, others are strange. */
static void bind_columns(struct table *t)
{
	const struct row *row = &t->rows->row;
	t->ncolumns = row->n;
	t->line = row->line;
	count(t, CHECK_COLUMNS, t->layout->n);
	for (int i = 0; i < t->layout->n; i++) {
		t->column[i] = -1;
		for (int k = 0; k < row->n && t->column[i] < 0; k++)
			if (str_is(row->field[k], t->layout->columns[i].name))
				t->column[i] = k;
		if (t->column[i] >= 0)
			continue;
		FIND(t, CHECK_COLUMNS, "column '%s' is missing",
			t->layout->columns[i].name);
		raise_to(t, CHECK_COLUMNS, VERDICT_FAIL);
	}
	for (int k = 0; k < row->n; k++) {
		bool known = false;
		for (int i = 0; i < t->layout->n; i++)
			known |= t->column[i] == k;
		if (known)
			continue;
		FIND(t, CHECK_COLUMNS, "column '%.*s' is not of the layout, or twice",
			shown(row->field[k]), row->field[k].s ? row->field[k].s : "");
		raise_to(t, CHECK_COLUMNS, VERDICT_WARN);
	}
}

/* Reads a row of text. 1, 0 at the end (a damaged file ends where it is), -1. */
static int read_row(struct table *t, struct err *err)
{
	struct err why = {0};
	int r = rows_next(t->rows, &why);
	if (r >= 0)
		return r;
	t->line = t->rows->row.line;
	if (why.class == ERR_IO && strstr(why.msg, "out of memory")) {
		*err = why;
		return -1;
	}
	FIND(t, CHECK_ROWS, "%s", why.msg);
	raise_to(t, CHECK_ROWS, VERDICT_FAIL);
	return 0;
}

static int open_rows(struct table *t, struct err *err)
{
	struct err why = {0};
	struct clock_spec spec = {.format = CLOCK_ISO, .zone = LAYOUT_ZONE};
	t->rows = calloc(1, sizeof(*t->rows));
	if (!t->rows)
		return err_nomem(err);
	if (text_open(&t->text, t->path, &why) < 0) {
		FIND(t, CHECK_FILES, "%s", why.msg);
		raise_to(t, CHECK_FILES, VERDICT_FAIL);
		return 0;
	}
	t->text_open = true;
	if (clock_open(&t->clock, &spec, err) < 0 ||
		rows_open(t->rows, &t->text, ',', err) < 0)
		return -1;
	t->rows->lines.partial = true;
	int r = read_row(t, err);
	if (r == 0) {
		FIND(t, CHECK_COLUMNS, "not even a header");
		raise_to(t, CHECK_COLUMNS, VERDICT_FAIL);
	} else if (r > 0 && t->rows->row.defect) {
		t->line = t->rows->row.line;
		FIND(t, CHECK_COLUMNS, "header: %s", t->rows->row.defect);
		raise_to(t, CHECK_COLUMNS, VERDICT_FAIL);
		return 0;
	}
	if (r > 0)
		bind_columns(t);
	return r;
}

int table_open(struct table *t, struct quality *q, struct keys *keys, const char *dir,
	enum layout_id id, struct err *err)
{
	memset(t, 0, sizeof(*t));
	t->q = q;
	t->keys = keys;
	t->id = id;
	t->layout = layout_file(id);
	count(t, CHECK_FILES, 1);
	if (!find(t, dir)) {
		snprintf(t->name, sizeof(t->name), "%s.csv", t->layout->name);
		FIND(t, CHECK_FILES, "is not there%s",
			t->layout->required ? "" : " (the rest can do without)");
		raise_to(t, CHECK_FILES,
			t->layout->required ? VERDICT_FAIL : VERDICT_WARN);
		return 0;
	}
	return open_rows(t, err);
}

static bool says_missing(struct str s)
{
	return s.len == 0 || str_is(s, "NaN") || str_is(s, "nan") ||
	       str_is(s, "NULL") || str_is(s, "None");
}

static void bad_cell(struct table *t, int i, const char *what)
{
	FIND(t, CHECK_CELLS, "%s is no %s: '%.*s'", t->layout->columns[i].name, what,
		shown(t->cell[i]), t->cell[i].s);
}

static void read_number(struct table *t, int i)
{
	const struct layout_column *c = &t->layout->columns[i];
	double v;
	if (parse_f64(t->cell[i], &v) < 0 ||
		(c->type == LAYOUT_WHOLE && v != floor(v))) {
		bad_cell(t, i, c->type == LAYOUT_WHOLE ? "whole number" : "number");
		return;
	}
	count(t, CHECK_RANGES, 1);
	if (v < c->min || v > c->max) {
		FIND(t, CHECK_RANGES, "%s %g is not within %g to %g", c->name, v,
			c->min, c->max);
		return;
	}
	t->number[i] = v;
}

static void read_bool(struct table *t, int i)
{
	struct str s = t->cell[i];
	if (str_is(s, "True") || str_is(s, "true") || str_is(s, "1"))
		t->number[i] = 1;
	else if (str_is(s, "False") || str_is(s, "false") || str_is(s, "0"))
		t->number[i] = 0;
	else
		bad_cell(t, i, "True or False");
}

static void read_word(struct table *t, int i)
{
	const char *words = t->layout->columns[i].words;
	char word[40];
	int n = snprintf(
		word, sizeof(word), " %.*s ", (int)t->cell[i].len, t->cell[i].s);
	bool one = !memchr(t->cell[i].s, ' ', t->cell[i].len);
	if (!one || n >= (int)sizeof(word) || !strstr(words, word))
		bad_cell(t, i, "word of the layout");
}

static int read_key(struct table *t, int i, struct err *err)
{
	struct ids *keys = &t->keys->of[t->id];
	if (keys->n >= KEYS_MAX)
		return 0;
	size_t before = keys->n;
	t->key[i] = ids_intern(keys, t->cell[i]);
	if (t->key[i] == IDS_NONE)
		return err_nomem(err);
	count(t, CHECK_REFERENCES, 1);
	t->repeated = keys->n == before;
	if (t->repeated)
		FIND(t, CHECK_REFERENCES, "%s '%.*s' is there twice",
			t->layout->columns[i].name, CELL_SHOWN,
			ids_name(keys, t->key[i]));
	return 0;
}

/* A reference into its own file may lead forward: the caller checks it. */
static void read_ref(struct table *t, int i)
{
	const struct layout_column *c = &t->layout->columns[i];
	if (c->of == t->id)
		return;
	count(t, CHECK_REFERENCES, 1);
	t->key[i] = ids_find(&t->keys->of[c->of], t->cell[i]);
	if (t->key[i] == IDS_NONE && t->keys->of[c->of].n < KEYS_MAX)
		FIND(t, CHECK_REFERENCES, "%s '%.*s' is not in %s", c->name,
			shown(t->cell[i]), t->cell[i].s, layout_file(c->of)->name);
}

static int read_cell(struct table *t, int i, struct err *err)
{
	const struct layout_column *c = &t->layout->columns[i];
	t->number[i] = NAN;
	t->time[i] = TIME_NIL;
	t->key[i] = IDS_NONE;
	t->cell[i] = t->column[i] < 0 ? STR_NIL : t->rows->row.field[t->column[i]];
	if (t->column[i] < 0)
		return 0;
	if (says_missing(t->cell[i])) {
		if (c->need)
			FIND(t, CHECK_CELLS, "%s is empty", c->name);
		return 0;
	}
	switch (c->type) {
	case LAYOUT_KEY:
		return read_key(t, i, err);
	case LAYOUT_REF:
		read_ref(t, i);
		break;
	case LAYOUT_TEXT:
		break;
	case LAYOUT_TIME:
		if (clock_read(&t->clock, t->cell[i], 0, &t->time[i]) < 0) {
			t->time[i] = TIME_NIL;
			bad_cell(t, i, "time");
		}
		break;
	case LAYOUT_NUM:
	case LAYOUT_WHOLE:
		read_number(t, i);
		break;
	case LAYOUT_BOOL:
		read_bool(t, i);
		break;
	case LAYOUT_WORD:
		read_word(t, i);
		break;
	}
	return 0;
}

int table_next(struct table *t, struct err *err)
{
	int r;
	while ((r = read_row(t, err)) > 0) {
		const struct row *row = &t->rows->row;
		t->line = row->line;
		count(t, CHECK_ROWS, 1);
		if (t->q)
			t->q->rows++;
		if (!row->defect && row->n == t->ncolumns)
			break;
		if (row->defect)
			FIND(t, CHECK_ROWS, "%s", row->defect);
		else
			FIND(t, CHECK_ROWS, "%d cells for %d columns", row->n,
				t->ncolumns);
	}
	t->repeated = false;
	count(t, CHECK_CELLS, r > 0 ? t->layout->n : 0);
	for (int i = 0; r > 0 && i < t->layout->n; i++)
		if (read_cell(t, i, err) < 0)
			return -1;
	return r;
}

void table_close(struct table *t)
{
	if (t->rows) {
		rows_close(t->rows);
		clock_close(&t->clock);
	}
	if (t->text_open)
		text_close(&t->text);
	free(t->rows);
	t->rows = NULL;
	t->text_open = false;
}
