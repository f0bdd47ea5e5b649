/*
 * Rows as records, and those that a pipeline which starts anew has to be told: what
 * people decided and what still holds.
 */
#ifndef WEB_INFORCE_H
#define WEB_INFORCE_H

#include "db/query.h"

/* A record (struct rec_KIND of 'size' bytes), valid during the call. 0 or -1. */
typedef int record_fn(
	void *ctx, int kind, const void *record, size_t size, struct err *err);

/*
 * Calls fn with each row of a query whose columns are the fields of the kind, in their
 * order. 0; -1: fn's, ERR_IO, or ERR_DATA: a cell that the field cannot hold.
 */
int rows_as_records(struct db *db, int kind, const struct db_query *q, record_fn *fn,
	void *ctx, struct err *err);

/*
 * Calls fn for each decision that holds at 'now' (ms) in production: acknowledgements
 * and assignments of open alerts and incidents, what was resolved or closed within the
 * last week and is not open anew, shelves and maintenance windows that are not over,
 * replacements of the last week. As rows_as_records.
 */
int inforce_each(struct db *db, int64_t now, record_fn *fn, void *ctx, struct err *err);

#endif
