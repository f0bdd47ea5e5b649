/*
 * A batch as a table SQLite can select from, so that a whole batch is one
 *	INSERT INTO t SELECT … FROM rows_t
 * instead of a statement bound, stepped and reset for each row. It reads the rows in
 * batch order, without an index, and only from our own connection.
 */
#ifndef DB_ROWSOURCE_H
#define DB_ROWSOURCE_H

#include "db/batch.h"

#include <sqlite3.h>

struct rowsource {
	const struct batch *batch; /* what is read now */
};

/* Registers the table rows_NAME of table t. 'source' must live as long as the
 * connection. Returns a SQLite code. */
int rowsource_register(sqlite3 *db, const struct table *t, struct rowsource *source);

#endif
