/* What a back end does for db.c and migrate.c. Errors name the database. */
#ifndef DB_BACKEND_H
#define DB_BACKEND_H

#include "db/batch.h"
#include "db/query.h"

struct backend {
	const char *name;        /* in the names of migrations and dialect files */
	const char *begin;       /* SQL that opens a writing transaction */
	const char *schema_lock; /* SQL within it: one migration at a time */
	bool one_writer;         /* one at a time: the others wait for its end */
	const char *tables;      /* SQL that lists the tables, one name a row */
	void (*close)(void *conn);
	/* Runs a script of several statements. */
	int (*exec)(void *conn, const char *script, struct err *err);
	/* Runs one statement with n parameters in place of $1 … $n; *changed (may be
	 * NULL) is the rows it wrote. */
	int (*query)(void *conn, const struct db_query *q, db_row_fn *fn, void *ctx,
		int64_t *changed, struct err *err);
	/* Breaks off each query of now on that takes longer than ms, in no transaction
	 * that writes. */
	int (*limit)(void *conn, int64_t ms, struct err *err);
	/* The number of an entity (run: of the run itself), given now if it has none.
	 */
	int (*entity)(void *conn, enum entity e, int64_t run, struct str code,
		int64_t *id, struct err *err);
	/*
	 * Makes room for a sorted batch, before anything of the transaction is written:
	 * so two writers take their locks in one order. 'index' is the table's. May be
	 * NULL.
	 */
	int (*prepare)(void *conn, int index, const struct batch *b, struct err *err);
	/* Writes a sorted batch; *changed is how many rows are not as they were.
	 * Within a transaction. */
	int (*write)(void *conn, int index, const struct batch *b, int64_t *changed,
		struct err *err);
	/* SQL within a transaction: until its end nobody else brings roll-ups up to
	 * date. */
	const char *rollup_lock;
};

/*
 * Connect. 'name' is the URL to show, for messages; it is copied. SQLite's path may end
 * in ?busy_timeout=MS. Return NULL with ERR_IO, or ERR_USAGE for a bad busy_timeout.
 */
void *sqlite_open(const char *path, const char *name, bool create, struct err *err);
void *postgres_open(const char *conninfo, const char *name, struct err *err);
extern const struct backend SQLITE_BACKEND, POSTGRES_BACKEND;

enum { DB_NAME_MAX = 512 };

#endif
