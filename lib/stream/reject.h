/*
 * The reject file: what a program could not use, one NDJSON object a line, with the
 * program, the source, the record or line number, the kind, the reason and the
 * original.
 */
#ifndef STREAM_REJECT_H
#define STREAM_REJECT_H

#include "base/buf.h"
#include "base/err.h"

#include <stdio.h>

struct rejects {
	FILE *file; /* NULL: only counted */
	const char *path;
	const char *program;
	int64_t n;
	struct buf line;
};

/* path NULL: only counted. Returns 0, or -1 with ERR_IO. */
int rejects_open(
	struct rejects *r, const char *path, const char *program, struct err *err);
/*
 * Writes one. number is a record number, or a line number when 'line' is true (0:
 * unknown). original_json: text that is JSON already; else original is quoted as a JSON
 * string.
 */
void rejects_add(struct rejects *r, const char *source, int64_t number, bool line,
	const char *kind, const char *reason, struct str original, bool original_json);
/* Lets a reader of the file see what has been rejected so far. */
void rejects_flush(struct rejects *r);
/* Returns 0, or -1 with ERR_IO when not all of it reached the file. */
int rejects_close(struct rejects *r, struct err *err);

#endif
