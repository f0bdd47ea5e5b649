/*
 * The database: one interface, two back ends (SQLite, PostgreSQL), the same tables.
 *
 *	struct db *db = db_open("sqlite:fleet.db", DB_CREATE, &err);
 *	db_ready(db, "schemas/sql", &err);
 *	db_set_run(db, "");
 *	db_put(db, KIND_telemetry, &t, &err) …
 *	db_commit(db, &err);
 *	db_close(db);
 *
 * db_put only collects rows in memory. db_commit writes all of them in one transaction,
 * sorted by key and without the ones a later record of the same key replaced: the
 * database is locked for the time of that writing only, and a crash leaves whole
 * commits. Rows are keyed by what they are about, so storing a stream again changes
 * nothing.
 *
 * After a failure other than ERR_DATA from db_put the connection is of no more use:
 * close it.
 * One handle belongs to one thread.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include "base/err.h"
#include "record/kinds.h"

#define DB_DEFAULT "sqlite:floatline.db"
/* A URL in the environment: there only its owner can read the password. */
#define DB_ENVIRONMENT "FLOATLINE_DB"

enum db_open_flags {
	DB_CREATE = 1, /* a SQLite file that does not exist is created */
};

struct db;

/*
 * Connects. 'url' is sqlite:PATH[?busy_timeout=MS], postgresql://…, postgres://…, or a
 * libpq connection string (key=value …). Returns NULL with ERR_USAGE when it is none of
 * these, ERR_IO when the database cannot be reached. Messages never hold a password.
 */
struct db *db_open(const char *url, int flags, struct err *err);
/* Drops what was put and not committed. Accepts NULL. */
void db_close(struct db *db);
/* The URL as it may be shown: without password. Valid until db_close. */
const char *db_name(const struct db *db);

/*
 * Makes the database fit for db_put: an empty one gets its tables, one of this version
 * is left alone, any other is refused (ERR_IO, saying what to do). 'dir' holds the
 * migrations (schemas/sql).
 */
int db_ready(struct db *db, const char *dir, struct err *err);
/*
 * Applies what is pending of the migrations in dir, up to number 'to' (0: all), in
 * one transaction. *done is how many. ERR_IO when an applied one is unknown here or was
 * changed since, or when the database refuses.
 */
int db_migrate(struct db *db, const char *dir, int to, int *done, struct err *err);
/* Takes the applied migrations above number 'to' back (-1: only the newest). */
int db_rollback(struct db *db, const char *dir, int to, int *done, struct err *err);

enum migration_state {
	MIGRATION_PENDING,
	MIGRATION_APPLIED,
	MIGRATION_CHANGED, /* applied, but its text is another one now */
	MIGRATION_UNKNOWN, /* applied by a newer version */
};
/* Called for each migration, by number. */
typedef void db_status_fn(
	void *ctx, int number, const char *name, enum migration_state state);
int db_status(
	struct db *db, const char *dir, db_status_fn *fn, void *ctx, struct err *err);

/* The run of the rows that follow; "" is production. Before the first db_put. */
int db_set_run(struct db *db, const char *run, struct err *err);
/* Is there a table for this kind? */
bool db_stores(int kind);
/*
 * Takes the decoded struct of a kind that db_stores. Strings are copied. Returns 0, or
 * -1 with ERR_DATA when no database could hold it (text that is not UTF-8 or holds a
 * zero byte), ERR_IO when out of memory.
 */
int db_put(struct db *db, int kind, const void *rec, struct err *err);
/* What waits for db_commit. */
size_t db_pending_rows(const struct db *db);
size_t db_pending_bytes(const struct db *db);
/* Writes what was put in one transaction. */
int db_commit(struct db *db, struct err *err);
/* Rows in committed transactions, replaced ones not counted. */
int64_t db_committed_rows(const struct db *db);

/*
 * Deletes every row of a run. On SQLite in many short transactions, so that a live
 * pipeline writes meanwhile: what a purge that was broken off has left, the next takes.
 * ERR_DATA when there is no such run.
 */
int db_purge(struct db *db, const char *run, struct err *err);

#endif
