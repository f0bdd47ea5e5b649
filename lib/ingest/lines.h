/*
 * Bounded lines out of a text: no line longer than LINE_MAX_BYTES is ever held,
 * whatever the file has. Lines are counted as an editor counts them, from 1.
 */
#ifndef INGEST_LINES_H
#define INGEST_LINES_H

#include "base/str.h"
#include "ingest/text.h"

enum { LINE_MAX_BYTES = 1 << 16 };

struct lines {
	struct text *text; /* not owned */
	char *buf;         /* [start, end) is unread */
	size_t start, end, cap;
	int64_t line;  /* number of the line at start */
	bool skipping; /* inside a line that was too long */
	bool partial;  /* hand out a last line without its newline */
	bool begun;    /* the byte order mark has been dealt with */
};

enum lines_result { LINES_END = 0, LINES_LINE = 1, LINES_LONG = 2 };

/* Reads lines of t. Returns 0, or -1 when out of memory. */
int lines_open(struct lines *l, struct text *t, struct err *err);
/*
 * Shows the line that begins 'skip' bytes after the next one's beginning (0: the next
 * one), without its newline; *total is skip plus its length with the newline. Nothing
 * is consumed. Returns LINES_LINE; LINES_LONG when everything from 'start' is longer
 * than LINE_MAX_BYTES (*line is its beginning); LINES_END at the end, or for now (see
 * text_read; without 'partial' a last line without newline stays unread); -1 on error.
 * Pointers are valid until the next call.
 */
int lines_peek(
	struct lines *l, size_t skip, struct str *line, size_t *total, struct err *err);
/* Consumes n bytes, which hold 'newlines' newlines. */
void lines_take(struct lines *l, size_t n, int64_t newlines);
/* Consumes the line that was too long; its rest is skipped as it comes. */
void lines_skip_long(struct lines *l);
void lines_close(struct lines *l);

#endif
