#include "db/backend.h"
#include "db/months.h"
#include "db/pgcopy.h"
#include "db/sql.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/* After rows that were there already, so many commits do not try without. */
enum { TABLES_MAX = 64, COPY_CHUNK = 1 << 20, STAGED_COMMITS = 16 };

/* An advisory lock of our own, held to the end of the transaction: "flda". */
#define LOCK_SCHEMA "SELECT pg_advisory_xact_lock(0, 1718379617)"

static const char WRITING[] = "write to database", UNIQUE_VIOLATION[] = "23505";

struct postgres {
	PGconn *conn;
	char name[DB_NAME_MAX];
	bool staged[TABLES_MAX];
	int replay[TABLES_MAX]; /* commits left that go by the stage */
	char *insert[TABLES_MAX];
	bool month[TABLES_MAX][MONTHS]; /* whose partition is known to exist */
	struct buf copy;
};

/* The first line of libpq's text, without its severity. */
static void first_line(const char *text, char *dst, size_t size)
{
	if (strncmp(text, "ERROR:  ", 8) == 0 || strncmp(text, "FATAL:  ", 8) == 0)
		text += 8;
	str_copy(dst, size, (struct str){text, (uint32_t)strcspn(text, "\n")});
}

static int failed(
	struct postgres *p, const char *what, const PGresult *res, struct err *err)
{
	char line[400];
	const char *primary =
		res ? PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY) : NULL;
	first_line(primary ? primary : PQerrorMessage(p->conn), line, sizeof(line));
	return err_set(err, ERR_IO, "cannot %s '%s': %s", what, p->name,
		*line ? line : "connection lost");
}

static void be_silent(void *ctx, const PGresult *res)
{
}

static void postgres_close(void *conn)
{
	struct postgres *p = conn;
	if (!p)
		return;
	for (int i = 0; i < TABLES_MAX; i++)
		free(p->insert[i]);
	buf_release(&p->copy);
	PQfinish(p->conn);
	free(p);
}

/* Our settings yield to those of the connection string. */
static PGconn *connect_to(const char *conninfo)
{
	const char *keys[] = {"connect_timeout", "fallback_application_name",
		"client_encoding", "dbname", NULL};
	const char *values[] = {"10", "floatline store", "UTF8", conninfo, NULL};
	return PQconnectdbParams(keys, values, 1);
}

void *postgres_open(const char *conninfo, const char *name, struct err *err)
{
	struct postgres *p = calloc(1, sizeof(*p));
	if (!p) {
		err_nomem(err);
		return NULL;
	}
	str_copy(p->name, sizeof(p->name), str_of(name));
	p->conn = connect_to(conninfo);
	if (p->conn && PQstatus(p->conn) == CONNECTION_OK) {
		PQsetNoticeReceiver(p->conn, be_silent, NULL);
		return p;
	}
	failed(p, "open database", NULL, err);
	postgres_close(p);
	return NULL;
}

/* Frees res. Returns 0 when it has the wanted status. */
static int check(struct postgres *p, PGresult *res, ExecStatusType want,
	const char *what, struct err *err)
{
	ExecStatusType got = PQresultStatus(res);
	int r = got == want || (want == PGRES_COMMAND_OK && got == PGRES_TUPLES_OK)
			? 0
			: failed(p, what, res, err);
	PQclear(res);
	return r;
}

static int postgres_exec(void *conn, const char *script, struct err *err)
{
	struct postgres *p = conn;
	if (*script == '\0')
		return 0;
	return check(p, PQexec(p->conn, script), PGRES_COMMAND_OK, WRITING, err);
}

static int each_row(const PGresult *res, db_row_fn *fn, void *ctx, struct err *err)
{
	int fields = PQnfields(res);
	if (fields > DB_CELLS_MAX)
		return err_set(err, ERR_IO, "a query has %d columns", fields);
	for (int i = 0; i < PQntuples(res); i++) {
		const char *cells[DB_CELLS_MAX] = {0};
		for (int k = 0; k < fields; k++)
			cells[k] =
				PQgetisnull(res, i, k) ? NULL : PQgetvalue(res, i, k);
		if (fn(ctx, cells, (size_t)fields, err) < 0)
			return -1;
	}
	return 0;
}

static int postgres_query(void *conn, const struct db_query *q, db_row_fn *fn,
	void *ctx, int64_t *changed, struct err *err)
{
	struct postgres *p = conn;
	PGresult *res = PQexecParams(
		p->conn, q->sql, (int)q->n, NULL, q->params, NULL, NULL, 0);
	if (PQresultStatus(res) == PGRES_COMMAND_OK) {
		if (changed)
			*changed = strtoll(PQcmdTuples(res), NULL, 10);
		PQclear(res);
		return 0;
	}
	if (PQresultStatus(res) != PGRES_TUPLES_OK)
		return check(p, res, PGRES_TUPLES_OK, "use database", err);
	if (changed)
		*changed = strtoll(PQcmdTuples(res), NULL, 10);
	int r = each_row(res, fn, ctx, err);
	PQclear(res);
	return r;
}

static int postgres_limit(void *conn, int64_t ms, struct err *err)
{
	char sql[64];
	snprintf(sql, sizeof(sql), "SET statement_timeout = %lld", (long long)ms);
	return postgres_exec(conn, sql, err);
}

static int find_entity(struct postgres *p, const char *sql, int n,
	const char *const *values, int64_t *id, struct err *err)
{
	PGresult *res = PQexecParams(p->conn, sql, n, NULL, values, NULL, NULL, 0);
	if (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1)
		*id = strtoll(PQgetvalue(res, 0, 0), NULL, 10);
	return check(p, res, PGRES_TUPLES_OK, "read database", err);
}

/*
 * Looked for before it is inserted: an insert uses up a number even where it does
 * nothing. One program at a time adds codes, so that two which meet the same ones in
 * another order do not wait for each other.
 */
static int postgres_entity(void *conn, enum entity e, int64_t run, struct str code,
	int64_t *id, struct err *err)
{
	struct postgres *p = conn;
	char insert[256], find[256], text[CODE_MAX + 1], number[32];
	if (!str_copy(text, sizeof(text), code))
		return err_set(err, ERR_DATA, "code '%.*s' is too long", STR_ARG(code));
	snprintf(number, sizeof(number), "%lld", (long long)run);
	const char *values[] = {text, number};
	int n = e == ENTITY_RUN ? 1 : 2;
	const char *t = entity_table(e), *key = n == 1 ? "name" : "code";
	snprintf(find, sizeof(find), "SELECT id FROM %s WHERE %s = $1%s", t, key,
		n == 1 ? "" : " AND run = $2::integer");
	snprintf(insert, sizeof(insert),
		"INSERT INTO %s (%s%s) VALUES ($1%s) ON CONFLICT DO NOTHING", t, key,
		n == 1 ? "" : ", run", n == 1 ? "" : ", $2::integer");
	*id = -1;
	if (find_entity(p, find, n, values, id, err) < 0 || *id >= 0)
		return *id >= 0 ? 0 : -1;
	if (postgres_exec(p, LOCK_SCHEMA, err) < 0)
		return -1;
	PGresult *res = PQexecParams(p->conn, insert, n, NULL, values, NULL, NULL, 0);
	if (check(p, res, PGRES_COMMAND_OK, WRITING, err) < 0)
		return -1;
	return find_entity(p, find, n, values, id, err);
}

static bool exists(struct postgres *p, const char *table)
{
	const char *values[] = {table};
	PGresult *res = PQexecParams(p->conn, "SELECT to_regclass($1) IS NOT NULL", 1,
		NULL, values, NULL, NULL, 0);
	bool yes = PQntuples(res) == 1 && *PQgetvalue(res, 0, 0) == 't';
	PQclear(res);
	return yes;
}

/*
 * Made aside and attached: that takes a lock which other writers and readers of the
 * table do not wait for. The advisory lock keeps two programs from making one month.
 */
static int make_partition(struct postgres *p, const char *table, int month,
	int64_t from, int64_t to, struct err *err)
{
	char name[96], sql[512];
	month_partition(table, month, name, sizeof(name));
	if (postgres_exec(p, LOCK_SCHEMA, err) < 0)
		return -1;
	if (exists(p, name))
		return 0;
	snprintf(sql, sizeof(sql),
		"CREATE TABLE %s (LIKE %s INCLUDING ALL);"
		"ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%lld) TO (%lld)",
		name, table, table, name, (long long)from, (long long)to);
	return postgres_exec(p, sql, err);
}

static int postgres_prepare(
	void *conn, int index, const struct batch *b, struct err *err)
{
	struct postgres *p = conn;
	if (!b->table->series)
		return 0;
	int64_t from = 0, to = 0;
	for (size_t k = 0; k < b->norder; k++) {
		int64_t ts = batch_row(b, b->order[k])->cells[b->table->ts].i;
		if (ts >= from && ts < to)
			continue;
		int m = month_of(ts, &from, &to);
		if (m < 0 || p->month[index][m])
			continue;
		if (make_partition(p, b->table->name, m, from, to, err) < 0)
			return -1;
		p->month[index][m] = true;
	}
	return 0;
}

/* The stage of a table and the statement that empties it into the table. */
static int prepare_write(
	struct postgres *p, int index, const struct table *t, struct err *err)
{
	if (p->staged[index])
		return 0;
	struct buf b = {0};
	buf_printf(&b, "CREATE TEMP TABLE stage_%s ON COMMIT DELETE ROWS AS SELECT ",
		t->name);
	sql_columns(t, &b);
	buf_printf(&b, " FROM %s WITH NO DATA", t->name);
	buf_putc(&b, '\0');
	int r = b.failed ? err_nomem(err) : postgres_exec(p, (char *)b.data, err);
	buf_clear(&b);
	sql_insert(t, &b);
	buf_puts(&b, " SELECT ");
	sql_columns(t, &b);
	buf_printf(&b, " FROM stage_%s", t->name);
	sql_on_conflict(t, &b);
	buf_putc(&b, '\0');
	if (r == 0 && b.failed)
		r = err_nomem(err);
	if (r < 0) {
		buf_release(&b);
		return -1;
	}
	p->insert[index] = (char *)b.data;
	p->staged[index] = true;
	return 0;
}

static int send_chunk(struct postgres *p, struct err *err)
{
	if (p->copy.failed)
		return err_nomem(err);
	if (PQputCopyData(p->conn, (char *)p->copy.data, (int)p->copy.len) != 1)
		return failed(p, WRITING, NULL, err);
	buf_clear(&p->copy);
	return 0;
}

static int copy_rows(struct postgres *p, const struct batch *b, struct err *err)
{
	pgcopy_header(&p->copy);
	for (size_t k = 0; k < b->norder; k++) {
		pgcopy_row(b, batch_row(b, b->order[k]), &p->copy);
		if (p->copy.len >= COPY_CHUNK && send_chunk(p, err) < 0)
			return -1;
	}
	pgcopy_trailer(&p->copy);
	return send_chunk(p, err);
}

/* *exists is set, and no error, when a row with the key of one of ours is there. */
static int copy_to(struct postgres *p, const char *prefix, const struct batch *b,
	bool *exists, struct err *err)
{
	char sql[128];
	snprintf(sql, sizeof(sql), "COPY %s%s (", prefix, b->table->name);
	buf_clear(&p->copy);
	buf_puts(&p->copy, sql);
	sql_columns(b->table, &p->copy);
	buf_puts(&p->copy, ") FROM STDIN (FORMAT binary)");
	buf_putc(&p->copy, '\0');
	if (p->copy.failed)
		return err_nomem(err);
	PGresult *res = PQexec(p->conn, (char *)p->copy.data);
	buf_clear(&p->copy);
	if (check(p, res, PGRES_COPY_IN, WRITING, err) < 0 || copy_rows(p, b, err) < 0)
		return -1;
	if (PQputCopyEnd(p->conn, NULL) != 1)
		return failed(p, WRITING, NULL, err);
	int r = 0;
	while ((res = PQgetResult(p->conn))) {
		const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
		if (exists && state && strcmp(state, UNIQUE_VIOLATION) == 0)
			*exists = true;
		if (check(p, res, PGRES_COMMAND_OK, WRITING, r ? NULL : err) < 0)
			r = -1;
	}
	return r;
}

/*
 * Rows of a time series are nearly always new, and then the stage is a detour: COPY
 * tries to put them where they belong. *exists says that some are there already, and
 * that nothing was written.
 */
static int copy_new(
	struct postgres *p, const struct batch *b, bool *exists, struct err *err)
{
	if (postgres_exec(p, "SAVEPOINT new", err) < 0)
		return -1;
	if (copy_to(p, "", b, exists, err) == 0)
		return postgres_exec(p, "RELEASE new", err);
	return *exists ? postgres_exec(p, "ROLLBACK TO new", err) : -1;
}

static int empty_stage(
	struct postgres *p, const char *insert, int64_t *changed, struct err *err)
{
	PGresult *res = PQexec(p->conn, insert);
	*changed = strtoll(PQcmdTuples(res), NULL, 10);
	return check(p, res, PGRES_COMMAND_OK, WRITING, err);
}

static int postgres_write(
	void *conn, int index, const struct batch *b, int64_t *changed, struct err *err)
{
	struct postgres *p = conn;
	bool exists = true;
	*changed = (int64_t)b->norder;
	if (b->table->series && p->replay[index]-- <= 0) {
		exists = false;
		p->replay[index] = 0;
		if (copy_new(p, b, &exists, err) < 0)
			return -1;
		if (exists)
			p->replay[index] = STAGED_COMMITS;
	}
	if (!exists)
		return 0;
	if (prepare_write(p, index, b->table, err) < 0 ||
		copy_to(p, "stage_", b, NULL, err) < 0)
		return -1;
	return empty_stage(p, p->insert[index], changed, err);
}

const struct backend POSTGRES_BACKEND = {
	.name = "postgres",
	/* What is written is not broken off by postgres_limit. */
	.begin = "BEGIN; SET LOCAL statement_timeout = 0",
	.schema_lock = LOCK_SCHEMA,
	.rollup_lock = "SELECT pg_advisory_xact_lock(0, 1718379618)",
	.tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()",
	.close = postgres_close,
	.exec = postgres_exec,
	.query = postgres_query,
	.limit = postgres_limit,
	.entity = postgres_entity,
	.prepare = postgres_prepare,
	.write = postgres_write,
};
