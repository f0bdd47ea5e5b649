/*
 * Roll-ups of telemetry: for each battery and 15 minutes, hour and day the number,
 * least, greatest, sum and last of its samples, kept as they arrive.
 *
 * A sample later than all that were there of its battery is new: it is merged into its
 * rows. Others may be there already. Where writing them changed nothing, nothing has to
 * be done: a replay leaves the roll-ups as they are. Where it did (a correction, a late
 * sample), the roll-ups of that battery and day are made anew from the samples. Either
 * way the result is that of all samples at once, to the bit: sums are in millionths,
 * whole numbers, so that their order does not matter.
 *
 * Days whose samples retention has taken away (table retention) are never made anew.
 */
#ifndef DB_ROLLUP_H
#define DB_ROLLUP_H

#include "db/batch.h"

struct db;

enum rollup_level { ROLLUP_QUARTER, ROLLUP_HOUR, ROLLUP_DAY, ROLLUPS };

/* How long the steps of a level are; "telemetry_15min" and so on. */
int64_t rollup_ms(enum rollup_level level);
const char *rollup_name(enum rollup_level level);
/* Its table, and the table's index. */
void rollup_table(enum rollup_level level, struct table *t);
int table_of_rollup(enum rollup_level level);

/* Sums are in so many parts of a unit. */
#define ROLLUP_PARTS 1000000.0

/* Batteries of a batch and what was their newest sample before it. */
struct watermark {
	int64_t battery, ts;
};

struct rollup {
	struct batch *batch;                      /* of each level; the owner's */
	int64_t battery[ROLLUPS], start[ROLLUPS]; /* of the newest row of each */
	struct watermark *mark;
	size_t nmarks, cap;
	int64_t raw_from; /* samples before were taken away; once asked for */
	bool asked;
};

/* batches: of all tables, by index; they outlive it. */
void rollup_init(struct rollup *r, struct batch *batches);
void rollup_release(struct rollup *r);
/*
 * Brings the roll-ups up to date with the sorted batch b of telemetry, which has just
 * been written in this transaction and changed so many rows. ERR_IO.
 */
int rollup_write(struct rollup *r, struct db *db, const struct batch *b,
	int64_t changed, struct err *err);

#endif
