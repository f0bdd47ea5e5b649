/*
 * PostgreSQL's COPY … (FORMAT binary): https://www.postgresql.org/docs/15/sql-copy.html
 * (Binary Format). Integers and floats in network byte order.
 */
#ifndef DB_PGCOPY_H
#define DB_PGCOPY_H

#include "db/batch.h"

void pgcopy_header(struct buf *out);
void pgcopy_row(const struct batch *b, const struct row *r, struct buf *out);
void pgcopy_trailer(struct buf *out);

#endif
