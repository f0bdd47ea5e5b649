#include "db/query.h"
#include "db/internal.h"

int db_limit(struct db *db, int64_t ms, struct err *err)
{
	return db->backend->limit(db->conn, ms, err);
}

int db_select(struct db *db, const struct db_query *q, db_row_fn *fn, void *ctx,
	struct err *err)
{
	return db->backend->query(db->conn, q, fn, ctx, NULL, err);
}

static int no_rows(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	return 0;
}

int db_write(struct db *db, const struct db_query *q, int64_t *changed, struct err *err)
{
	return db->backend->query(db->conn, q, no_rows, NULL, changed, err);
}

int db_transaction(struct db *db, int (*fn)(struct db *db, void *ctx, struct err *err),
	void *ctx, struct err *err)
{
	if (db->within)
		return fn(db, ctx, err);
	if (db_begin(db, err) < 0)
		return -1;
	db->within = true;
	int r = fn(db, ctx, err);
	db->within = false;
	return db_end(db, r, err);
}
