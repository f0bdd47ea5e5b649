/* Writes JSON into a buffer: commas are its business, nesting is the caller's. */
#ifndef WEB_EMIT_H
#define WEB_EMIT_H

#include "web/route.h"

/* 'what' is '{' or '['. */
void emit_open(struct buf *b, char what);
void emit_close(struct buf *b, char what); /* '}' or ']' */
void emit_name(struct buf *b, const char *name);
void emit_text(struct buf *b, const char *text); /* NULL: null */
void emit_int(struct buf *b, int64_t v);
void emit_time(struct buf *b, int64_t ms); /* TIME_NIL: null */
void emit_bool(struct buf *b, bool v);

enum cell_type {
	CELL_TEXT,
	CELL_INT,
	CELL_REAL, /* single precision, as the tables hold measurements */
	CELL_TIME,
	CELL_BOOL,
	CELL_JSON,  /* text that is JSON already */
	CELL_TOTAL, /* not part of the row: how many there are in all */
};

struct column {
	const char *name;
	enum cell_type type;
};

/* Writes one row as an object; 'columns' ends with a NULL name. */
void emit_row(struct buf *b, const struct column *columns, const char *const *cells);

/* Writes [rows…] of a query whose columns these are. Returns 0, or -1. */
int emit_array(struct call *c, const struct db_query *q, const struct column *columns,
	struct err *err);
/*
 * Writes {"items": [rows…], "total": N} of a query whose columns these are; total is
 * the CELL_TOTAL column's (null without one, or past the last page). Returns 200, or
 * -1.
 */
int emit_list(struct call *c, const struct db_query *q, const struct column *columns,
	struct err *err);
/* Writes the one row of a query. Returns 200; 404 with "no 'id'" when there is none;
 * -1.
 */
int emit_one(struct call *c, const struct db_query *q, const struct column *columns,
	struct err *err);

#endif
