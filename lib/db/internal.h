/* What the parts of lib/db share of a handle. Not for others. */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include "db/backend.h"

struct db {
	const struct backend *backend;
	void *conn;
	char name[DB_NAME_MAX];
	int64_t run; /* its number, -1 not set */
	struct writer *writer;
	size_t pending_rows, pending_bytes;
	int64_t committed;
	bool within; /* a db_transaction */
};

int db_begin(struct db *db, struct err *err);
/* Commits when r is 0, else rolls back and returns -1 (err is left as it is). */
int db_end(struct db *db, int r, struct err *err);

#endif
