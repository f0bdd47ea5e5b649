/*
 * A dataset directory in the classic layout as one sequence of records: master data
 * first, then samples, events and tests merged by time. String current and mode are
 * joined to the jars. What a foreign program computed (alerts, RUL, features, states)
 * is no measurement: not read, but counted.
 */
#ifndef INGEST_CLASSIC_H
#define INGEST_CLASSIC_H

#include "ingest/source.h"

enum { CLASSIC_FILES_MAX = 64 };

/* What became of one file. */
struct classic_file {
	char name[96];
	const char *role; /* for people: "master data", "ignored: …" */
	int64_t rows, emitted, rejected, ignored;
	int columns_ignored; /* columns dropped by decision */
};

struct classic;

/* Is dir such a dataset? It has a battery.csv or a telemetry_jar_raw.csv. */
bool classic_is(const char *dir);
/*
 * Opens it, reads master data and transactions, opens the time series. Returns NULL
 * with ERR_IO, ERR_USAGE or ERR_DATA. env must outlive it.
 */
struct classic *classic_open(
	const char *dir, const struct ingest_env *env, struct err *err);
/* The next record, valid until the next call. Returns 1, 0 at the end, or -1. */
int classic_next(struct classic *c, int *kind, const void **rec, struct err *err);
/* Counts the rows of the files that are ignored. Returns 0 or -1. */
int classic_count_ignored(struct classic *c, struct err *err);
/* What became of file i, in the order of reading; NULL past the last. */
const struct classic_file *classic_file(struct classic *c, int i);
void classic_free(struct classic *c);

#endif
