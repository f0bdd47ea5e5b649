#include "db/backend.h"
#include "base/now.h"
#include "base/parse.h"
#include "db/rowsource.h"
#include "db/sql.h"

#include <sqlite3.h>
#include <stdio.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * How long another writer is waited for, unless the URL says: a nightly job would
 * rather wait a minute than fail. The lock has no queue, so it is asked for often: a
 * writer that commits and begins again at once leaves only milliseconds between.
 */
enum { BUSY_MS = 60000, POLL_MS = 2, TABLES_MAX = 64 };
/* Instructions of its machine between looks at the clock: well under a millisecond. */
enum { LOOK_STEPS = 10000 };

static const char BUSY_KEY[] = "?busy_timeout=";

/*
 * WAL: readers never wait for the writer, nor it for them. NORMAL: a power cut may cost
 * the newest commits, never the file. A commit of sorted rows touches a few pages of
 * every battery again and again: they stay in the cache, and the log may grow to 64 MB
 * before it is copied back.
 */
static const char PRAGMAS[] = "PRAGMA journal_mode = WAL;"
			      "PRAGMA synchronous = NORMAL;"
			      "PRAGMA wal_autocheckpoint = 16384;"
			      "PRAGMA cache_size = -65536;"
			      "PRAGMA temp_store = MEMORY;"
			      "PRAGMA foreign_keys = ON;";

struct sqlite {
	sqlite3 *db;
	char name[DB_NAME_MAX];
	int64_t busy_ms; /* the longest wait for another writer */
	int64_t wait_from_ms;
	int64_t limit_ms, late_ms; /* of a query, and when this one is late; 0: never */
	sqlite3_stmt *write[TABLES_MAX];
	struct rowsource source; /* the batch being written */
	sqlite3_stmt *insert_entity[ENTITY_COUNT], *find_entity[ENTITY_COUNT];
};

static int failed(struct sqlite *s, const char *what, struct err *err)
{
	int code = sqlite3_extended_errcode(s->db) & 0xff;
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return err_set(err, ERR_IO,
			"cannot %s '%s': another program has held it locked for %g s; "
			"end that and try again",
			what, s->name, (double)s->busy_ms / 1000);
	if (code == SQLITE_INTERRUPT)
		return err_set(err, ERR_IO,
			"cannot %s '%s': a query took longer than %g s", what, s->name,
			(double)s->limit_ms / 1000);
	return err_set(err, ERR_IO, "cannot %s '%s': %s", what, s->name,
		sqlite3_errmsg(s->db));
}

static void sqlite_close(void *conn)
{
	struct sqlite *s = conn;
	if (!s)
		return;
	for (int i = 0; i < TABLES_MAX; i++)
		sqlite3_finalize(s->write[i]);
	for (int e = 0; e < ENTITY_COUNT; e++) {
		sqlite3_finalize(s->insert_entity[e]);
		sqlite3_finalize(s->find_entity[e]);
	}
	sqlite3_close(s->db);
	free(s);
}

/* SQLite only says that it cannot: asks the system about the file and its folder. */
static int open_failed(struct sqlite *s, const char *path, struct err *err)
{
	static const char WHAT[] = "cannot open database";
	struct stat st;
	char folder[DB_NAME_MAX] = ".";
	const char *slash = strrchr(path, '/');
	int code = sqlite3_errcode(s->db);
	if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY && code != SQLITE_PERM)
		return failed(s, "open database", err);
	if (slash)
		str_copy(folder, sizeof(folder),
			(struct str){path, slash == path ? 1 : (size_t)(slash - path)});
	bool exists = stat(path, &st) == 0;
	if (!exists && errno != ENOENT)
		return err_errno(err, "%s '%s'", WHAT, s->name);
	if (exists && S_ISDIR(st.st_mode))
		return err_set(err, ERR_IO, "%s '%s': is a folder", WHAT, s->name);
	if (!exists && access(folder, F_OK) < 0)
		return err_set(err, ERR_IO, "%s '%s': no such folder '%s'", WHAT,
			s->name, folder);
	if (exists && access(path, R_OK | W_OK) < 0)
		return err_errno(err, "%s '%s'", WHAT, s->name);
	if (access(folder, W_OK | X_OK) < 0)
		return err_errno(err, "%s '%s': folder '%s'", WHAT, s->name, folder);
	if (!exists)
		return err_set(err, ERR_IO, "%s '%s': no such file", WHAT, s->name);
	return failed(s, "open database", err);
}

/* SQLite's busy handler: tells whether to try again, the tries-th time. */
static int wait_for_writer(void *ctx, int tries)
{
	struct sqlite *s = ctx;
	if (tries == 0)
		s->wait_from_ms = now_steady_ms();
	if (now_steady_ms() - s->wait_from_ms >= s->busy_ms)
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
	return 1;
}

/*
 * Two that meet at a new file: the one that has seen it before the other turned it to
 * WAL would wait for a lock that is held until the other closes. So no wait within the
 * call, but the whole of it again, which then finds the file turned.
 */
static int set_up(struct sqlite *s)
{
	for (int tries = 0;; tries++) {
		int code = sqlite3_exec(s->db, PRAGMAS, NULL, NULL, NULL);
		if ((code & 0xff) != SQLITE_BUSY || !wait_for_writer(s, tries))
			return code;
	}
}

/* Splits PATH?busy_timeout=MS; path is cut at the '?'. */
static int read_busy_timeout(char *path, int64_t *ms, struct err *err)
{
	*ms = BUSY_MS;
	char *key = strstr(path, BUSY_KEY);
	if (!key)
		return 0;
	if (parse_i64(str_of(key + strlen(BUSY_KEY)), 0, INT32_MAX, ms) < 0)
		return err_set(err, ERR_USAGE,
			"'sqlite:%s': busy_timeout is milliseconds, as in "
			"sqlite:fleet.db?busy_timeout=60000",
			path);
	*key = '\0';
	return 0;
}

static int open_at(struct sqlite *s, const char *path, bool create, struct err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    (create ? SQLITE_OPEN_CREATE : 0);
	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
		return open_failed(s, path, err);
	sqlite3_extended_result_codes(s->db, 1);
	if (set_up(s) != SQLITE_OK)
		return open_failed(s, path, err);
	sqlite3_busy_handler(s->db, wait_for_writer, s);
	return 0;
}

void *sqlite_open(const char *url_path, const char *name, bool create, struct err *err)
{
	struct sqlite *s = calloc(1, sizeof(*s));
	char *path = strdup(url_path);
	if (!s || !path) {
		err_nomem(err);
	} else {
		str_copy(s->name, sizeof(s->name), str_of(name));
		if (read_busy_timeout(path, &s->busy_ms, err) == 0 &&
			open_at(s, path, create, err) == 0) {
			free(path);
			return s;
		}
	}
	free(path);
	sqlite_close(s);
	return NULL;
}

static int sqlite_exec(void *conn, const char *script, struct err *err)
{
	struct sqlite *s = conn;
	if (sqlite3_exec(s->db, script, NULL, NULL, NULL) == SQLITE_OK)
		return 0;
	return failed(s, "write to database", err);
}

static int prepare(
	struct sqlite *s, const char *sql, sqlite3_stmt **out, struct err *err)
{
	if (*out)
		return 0;
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) ==
		SQLITE_OK)
		return 0;
	return failed(s, "use database", err);
}

/* $1 … $n are names to SQLite, which numbers them as they appear. */
static int bind(struct sqlite *s, sqlite3_stmt *q, const struct db_query *query,
	struct err *err)
{
	for (unsigned i = 0; i < query->n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "$%u", i + 1);
		int at = sqlite3_bind_parameter_index(q, name);
		if (at > 0 && sqlite3_bind_text(q, at, query->params[i], -1,
				      SQLITE_STATIC) != SQLITE_OK)
			return failed(s, "use database", err);
	}
	return 0;
}

static int step_rows(
	struct sqlite *s, sqlite3_stmt *q, db_row_fn *fn, void *ctx, struct err *err)
{
	int r = 0, code = SQLITE_ROW;
	while (r == 0 && (code = sqlite3_step(q)) == SQLITE_ROW) {
		const char *cells[DB_CELLS_MAX] = {0};
		int n = sqlite3_column_count(q);
		if (n > DB_CELLS_MAX)
			return err_set(err, ERR_IO, "a query has %d columns", n);
		for (int i = 0; i < n; i++)
			cells[i] = (const char *)sqlite3_column_text(q, i);
		r = fn(ctx, cells, (size_t)n, err);
	}
	if (r == 0 && code != SQLITE_DONE)
		return failed(s,
			sqlite3_stmt_readonly(q) ? "read database"
						 : "write to database",
			err);
	return r;
}

static int sqlite_query(void *conn, const struct db_query *query, db_row_fn *fn,
	void *ctx, int64_t *changed, struct err *err)
{
	struct sqlite *s = conn;
	sqlite3_stmt *q = NULL;
	if (sqlite3_prepare_v2(s->db, query->sql, -1, &q, NULL) != SQLITE_OK)
		return failed(s, "use database", err);
	int r = bind(s, q, query, err);
	if (s->limit_ms > 0 && sqlite3_stmt_readonly(q))
		s->late_ms = now_steady_ms() + s->limit_ms;
	if (r == 0)
		r = step_rows(s, q, fn, ctx, err);
	s->late_ms = 0;
	if (r == 0 && changed)
		*changed = sqlite3_changes64(s->db);
	sqlite3_finalize(q);
	return r;
}

/* SQLite's progress handler: other than 0 breaks the query off. */
static int is_late(void *conn)
{
	const struct sqlite *s = conn;
	return s->late_ms > 0 && now_steady_ms() > s->late_ms;
}

static int sqlite_limit(void *conn, int64_t ms, struct err *err)
{
	struct sqlite *s = conn;
	s->limit_ms = ms;
	sqlite3_progress_handler(s->db, LOOK_STEPS, is_late, s);
	return 0;
}

/* Runs a prepared statement to its end; *id is its first column, if there is a row. */
static int run(struct sqlite *s, sqlite3_stmt *q, int64_t *id, struct err *err)
{
	int code = sqlite3_step(q);
	if (code == SQLITE_ROW && id) {
		*id = sqlite3_column_int64(q, 0);
		code = SQLITE_DONE;
	}
	int r = code == SQLITE_DONE ? 0 : failed(s, "write to database", err);
	sqlite3_reset(q);
	return r;
}

static int prepare_entity(struct sqlite *s, enum entity e, struct err *err)
{
	char insert[256], find[256];
	const char *t = entity_table(e);
	if (e == ENTITY_RUN) {
		snprintf(insert, sizeof(insert),
			"INSERT INTO run (name) VALUES (?1) ON CONFLICT DO NOTHING");
		snprintf(find, sizeof(find), "SELECT id FROM run WHERE name = ?1");
	} else {
		snprintf(insert, sizeof(insert),
			"INSERT INTO %s (code, run) VALUES (?1, ?2) ON CONFLICT DO "
			"NOTHING",
			t);
		snprintf(find, sizeof(find),
			"SELECT id FROM %s WHERE code = ?1 AND run = ?2", t);
	}
	if (prepare(s, insert, &s->insert_entity[e], err) < 0)
		return -1;
	return prepare(s, find, &s->find_entity[e], err);
}

static int sqlite_entity(void *conn, enum entity e, int64_t run_id, struct str code,
	int64_t *id, struct err *err)
{
	struct sqlite *s = conn;
	if (prepare_entity(s, e, err) < 0)
		return -1;
	sqlite3_stmt *both[] = {s->insert_entity[e], s->find_entity[e]};
	for (int i = 0; i < 2; i++) {
		sqlite3_bind_text(both[i], 1, code.s, (int)code.len, SQLITE_STATIC);
		if (e != ENTITY_RUN)
			sqlite3_bind_int64(both[i], 2, run_id);
		if (run(s, both[i], i ? id : NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* "WHERE true" tells the parser that ON CONFLICT is no join's ON. */
static int prepare_write(
	struct sqlite *s, int index, const struct table *t, struct err *err)
{
	if (s->write[index])
		return 0;
	if (rowsource_register(s->db, t, &s->source) != SQLITE_OK)
		return failed(s, "use database", err);
	struct buf b = {0};
	sql_insert(t, &b);
	buf_puts(&b, " SELECT ");
	sql_columns(t, &b);
	buf_printf(&b, " FROM rows_%s WHERE true", t->name);
	sql_on_conflict(t, &b);
	buf_putc(&b, '\0');
	int r = b.failed ? err_nomem(err)
			 : prepare(s, (char *)b.data, &s->write[index], err);
	buf_release(&b);
	return r;
}

static int sqlite_write(
	void *conn, int index, const struct batch *b, int64_t *changed, struct err *err)
{
	struct sqlite *s = conn;
	if (prepare_write(s, index, b->table, err) < 0)
		return -1;
	s->source.batch = b;
	if (run(s, s->write[index], NULL, err) < 0)
		return -1;
	*changed = sqlite3_changes64(s->db);
	return 0;
}

const struct backend SQLITE_BACKEND = {
	.name = "sqlite",
	.one_writer = true,
	.begin = "BEGIN IMMEDIATE",
	.schema_lock = "",
	.rollup_lock = "", /* there is one writer at a time */
	.tables =
		"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
		"'sqlite\\_%' ESCAPE '\\'",
	.close = sqlite_close,
	.exec = sqlite_exec,
	.query = sqlite_query,
	.limit = sqlite_limit,
	.entity = sqlite_entity,
	.write = sqlite_write,
};
