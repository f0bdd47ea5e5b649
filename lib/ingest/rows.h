/*
 * Rows out of lines: CSV (RFC 4180, libcsv in strict mode for every row that has a
 * quote; rows without one are split here, which is the same and several times faster)
 * or NDJSON (one flat object a line). A row that cannot be read is handed out all the
 * same, with its defect, so that the caller can reject it and read on.
 */
#ifndef INGEST_ROWS_H
#define INGEST_ROWS_H

#include "base/buf.h"
#include "ingest/lines.h"

#include <csv.h>

enum { ROW_FIELDS_MAX = 512, ROW_DEFECT_SIZE = 160 };

struct row {
	int64_t line;      /* its first line */
	int n;             /* fields */
	struct str *field; /* valid until the next row; nil: absent (NDJSON) */
	struct str original;
	const char *defect; /* NULL, or why it cannot be used */
};

struct rows {
	struct lines lines;
	char delimiter;
	bool ndjson;
	struct row row;
	struct str fields[ROW_FIELDS_MAX];
	size_t offsets[ROW_FIELDS_MAX];
	struct buf cells; /* what libcsv or the JSON values gave */
	struct csv_parser csv;
	bool csv_open;
	int rows_done; /* by libcsv within the lines it was fed */
	char defect[ROW_DEFECT_SIZE];
	/* NDJSON: the columns wanted, in order; not owned */
	const struct str *names;
	int nnames;
};

/* Reads rows of t. Returns 0, or -1 when out of memory. */
int rows_open(struct rows *r, struct text *t, char delimiter, struct err *err);
/*
 * The next row in r->row. Returns 1; 0 at the end or for now (r->lines.text->end
 * tells); -1 with err set. Blank lines are skipped.
 */
int rows_next(struct rows *r, struct err *err);
/* NDJSON: keys of the first object, to stand for the header; nothing is consumed. As
 * rows_next. Values of r->row.field are the keys. */
int rows_peek_keys(struct rows *r, struct err *err);
void rows_close(struct rows *r);

#endif
