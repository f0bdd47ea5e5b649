/* The SQL made from a table's description; the same text for both back ends. */
#ifndef DB_SQL_H
#define DB_SQL_H

#include "base/buf.h"
#include "db/table.h"

/* "run, battery, ts, …" */
void sql_columns(const struct table *t, struct buf *out);
/* "INSERT INTO t (…)": values or a SELECT follow. */
void sql_insert(const struct table *t, struct buf *out);
/*
 * " ON CONFLICT (…) DO …" by the table's rule. Rows that would become what they are
 * already are not written, so a replay leaves no dead rows behind.
 */
void sql_on_conflict(const struct table *t, struct buf *out);

#endif
