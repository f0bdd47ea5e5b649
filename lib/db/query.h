/*
 * Questions to the database and small writes, for programs that serve people: one SQL
 * text for both back ends, with parameters, so that nothing a user typed is ever part
 * of it.
 *
 *	db_select(db, DB_QUERY("SELECT id FROM site WHERE run = $1 AND code = $2", run,
 *			code), take_site, &site, &err);
 */
#ifndef DB_QUERY_H
#define DB_QUERY_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct db;

/* More columns than this are an error of the statement. */
enum { DB_CELLS_MAX = 64 };

struct db_query {
	const char *sql;           /* one statement, parameters $1 … $n */
	const char *const *params; /* text as a literal would have it; NULL is NULL */
	size_t n;
};

#define DB_QUERY(sql, ...)                                                             \
	(&(const struct db_query){(sql), (const char *const[]){__VA_ARGS__},           \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)})
#define DB_QUERY_PLAIN(sql) (&(const struct db_query){(sql), NULL, 0})

/* One row, as text valid during the call; a NULL cell is NULL. 0 goes on, -1 stops. */
typedef int db_row_fn(void *ctx, const char *const *cells, size_t n, struct err *err);

/*
 * From now on a db_select that takes longer than ms fails with ERR_IO: who asks for too
 * much keeps others waiting no longer. 0: none does. Writing is not broken off.
 */
int db_limit(struct db *db, int64_t ms, struct err *err);
/*
 * Calls fn for each row. Returns 0, or -1 with what fn set or ERR_IO. fn must not use
 * the database itself.
 */
int db_select(struct db *db, const struct db_query *q, db_row_fn *fn, void *ctx,
	struct err *err);
/* Runs a statement that writes; *changed (may be NULL) is how many rows. ERR_IO. */
int db_write(
	struct db *db, const struct db_query *q, int64_t *changed, struct err *err);
/*
 * Runs fn in one transaction: committed when it returns 0, rolled back when it returns
 * -1 (err is then what it set). Within another it is part of that one, which must fail
 * when fn does.
 */
int db_transaction(struct db *db, int (*fn)(struct db *db, void *ctx, struct err *err),
	void *ctx, struct err *err);

/* SQL: is the site 'code', an expression, one of those that parameter p names, codes
 * with commas between? NULL names all. Letter by letter: LIKE would take a '_' of a
 * code for any letter. The one place where restrictions of lists are made. */
#define SEES(code, p)                                                                  \
	"(CAST(" p " AS text) IS NULL OR replace(',' || CAST(" p " AS text) || "       \
	"',', ',' || " code " || ',', '') <> ',' || CAST(" p " AS text) || ',')"

#endif
