/*
 * One file of a dataset as rows of cells that have been held against the layout: what
 * is wrong with a row or cell is a finding, and the cell counts as missing then.
 */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "base/ids.h"
#include "export/layout.h"
#include "ingest/clock.h"
#include "ingest/rows.h"
#include "report/finding.h"

/* The keys of each file, by number in the order of their rows. */
struct keys {
	struct ids of[LAYOUT_FILES];
};

struct table {
	struct quality *q; /* NULL: say nothing */
	struct keys *keys;
	enum layout_id id;
	const struct layout_file *layout;
	char name[80]; /* with .csv or .csv.gz */
	char path[4200];
	struct text text;
	struct rows *rows;
	struct clock clock;
	bool text_open;
	int ncolumns;                   /* of the file */
	int column[LAYOUT_COLUMNS_MAX]; /* of the layout: in the file, -1 missing */
	/* The row at hand, by columns of the layout. */
	int64_t line;
	struct str cell[LAYOUT_COLUMNS_MAX];
	double number[LAYOUT_COLUMNS_MAX]; /* NUM, WHOLE, BOOL; NaN: missing */
	int64_t time[LAYOUT_COLUMNS_MAX];  /* TIME; TIME_NIL: missing */
	uint32_t key[LAYOUT_COLUMNS_MAX];  /* KEY, REF; IDS_NONE: missing */
	bool repeated;                     /* its key was there before */
};

/* A column of the row at hand, by a name its layout has. */
#define COLUMN(t, name) layout_column((t)->id, name)
#define NUMBER(t, name) (t)->number[COLUMN(t, name)]
#define TIME(t, name) (t)->time[COLUMN(t, name)]
#define REF(t, name) (t)->key[COLUMN(t, name)]

/*
 * Opens DIR's file of that sort. q NULL: findings are not counted. Returns 1; 0 when it
 * is not there or cannot be read, which is a finding; -1 out of memory.
 */
int table_open(struct table *t, struct quality *q, struct keys *keys, const char *dir,
	enum layout_id id, struct err *err);
/* The next row that can be read. 1, 0 at the end, -1 out of memory. */
int table_next(struct table *t, struct err *err);
void table_close(struct table *t);

#endif
