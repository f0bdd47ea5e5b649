/*
 * One CSV file being written, plain or compressed, cell by cell, with the columns of
 * its layout. Deterministic: no clock time gets into a compressed file.
 */
#ifndef EXPORT_OUT_H
#define EXPORT_OUT_H

#include "base/buf.h"
#include "base/err.h"
#include "export/layout.h"
#include "ingest/zone.h"

#include <zlib.h>

/* Times of the layout are local, without a zone. Consecutive rows share them. */
struct out_clock {
	struct zone zone;
	int64_t ts;
	char text[TIME_TEXT_SIZE];
};

/* Loads LAYOUT_ZONE. Returns 0, or -1 with ERR_USAGE. */
int out_clock_open(struct out_clock *c, struct err *err);
/* "2026-08-25 00:00:00", a fraction only where there is one. Valid until the next. */
const char *out_clock_text(struct out_clock *c, int64_t ts);
void out_clock_close(struct out_clock *c);

struct out {
	const struct layout_file *file;
	int fd;    /* -1: not open */
	gzFile gz; /* NULL: plain */
	struct buf buf;
	int cells; /* of the row begun */
	int64_t rows;
	char path[4096];
};

/* Makes DIR/NAME.csv[.gz], or where 'aside' is not NULL the same with that word in its
 * name, and writes its header. 0, or -1 with ERR_IO. */
int out_open(struct out *o, const char *dir, enum layout_id id, const char *aside,
	struct err *err);
/* The next cell of the row. Missing values (nil, NaN, TIME_NIL) are empty. */
void out_str(struct out *o, struct str s);
void out_text(struct out *o, const char *s);
void out_f32(struct out *o, float v); /* exact */
void out_f64(struct out *o, double v);
void out_milli(struct out *o, double v); /* to three decimals, as sensors read */
void out_int(struct out *o, int64_t v);  /* LONG_NIL: missing */
void out_bool(struct out *o, int v);     /* below 0: missing */
void out_time(struct out *o, struct out_clock *c, int64_t ts);
/* The date alone where the time of day is midnight. */
void out_date(struct out *o, struct out_clock *c, int64_t ts);
void out_skip(struct out *o, int cells);
/* Ends the row; what it lacks is empty. 0, or -1 with ERR_IO. */
int out_row(struct out *o, struct err *err);
/* Writes what is left, syncs and closes. 0, or -1 with ERR_IO. */
int out_close(struct out *o, struct err *err);
/* Closes without caring: the file is about to be removed. */
void out_drop(struct out *o);

#endif
