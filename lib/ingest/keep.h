/*
 * Records kept in memory: master data, and the transactions of a dataset until their
 * time has come. Deep copies, freed together; bounded by KEEP_MAX.
 */
#ifndef INGEST_KEEP_H
#define INGEST_KEEP_H

#include "base/err.h"
#include "record/schema.h"

enum { KEEP_MAX = 1000000 };

struct kept {
	int kind;
	int64_t ts;      /* TIME_NIL: none */
	uint32_t number; /* order of arrival */
	void *rec;
};
struct keep {
	struct kept *v;
	size_t n, cap;
	struct keep_chunk *chunks;
};

/* Copies rec. Returns the copy, or NULL: ERR_IO out of memory, ERR_DATA too many. */
const struct kept *keep_add(
	struct keep *k, const struct kind_info *info, const void *rec, struct err *err);
/* By time, then arrival. */
void keep_sort(struct keep *k);
void keep_release(struct keep *k);

#endif
