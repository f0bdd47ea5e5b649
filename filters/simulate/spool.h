/*
 * A spool: records of one part of the run, encoded, until it is their turn to go out.
 * They lie end to end; neighbours of one kind are one run.
 */
#ifndef SIMULATE_SPOOL_H
#define SIMULATE_SPOOL_H

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct run {
	int kind;
	int n; /* records */
	size_t at, len;
};

struct spool {
	struct buf bytes;
	struct run *runs;
	size_t nruns, cap, marked; /* runs before the mark are closed */
	const bool *skip;          /* by kind: counted, not encoded; NULL: none */
	struct err err;            /* the first failure; what comes after it is lost */
};

/* Encodes a record into the run that is open, or into a new one. */
void spool_put(struct spool *o, int kind, const void *rec);
/* Ends the run that is open. Returns how many there are. */
size_t spool_mark(struct spool *o);
/* Empties it; keeps the memory. */
void spool_clear(struct spool *o);
void spool_release(struct spool *o);

#endif
