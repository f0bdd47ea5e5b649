/* The version of a database: which migrations it has, and bringing it to another. */
#include "db/db.h"
#include "db/internal.h"
#include "db/migrate.h"

#include <stdio.h>
#include <stdlib.h>

enum { APPLIED_MAX = 9999, SQL_MAX = 512 };

struct applied {
	struct {
		int number;
		char name[MIGRATION_NAME_MAX], checksum[17];
	} * v;
	size_t n;
	bool table; /* schema_migrations is there */
	bool other; /* so are tables of something else */
};

static int see_table(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct applied *a = ctx;
	if (strcmp(cells[0], "schema_migrations") == 0)
		a->table = true;
	else
		a->other = true;
	return 0;
}

static int see_applied(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct applied *a = ctx;
	void *v = realloc(a->v, (a->n + 1) * sizeof(*a->v));
	if (!v)
		return err_nomem(err);
	a->v = v;
	a->v[a->n].number = (int)strtol(cells[0], NULL, 10);
	str_copy(a->v[a->n].name, sizeof(a->v->name), str_of(cells[1]));
	str_copy(a->v[a->n].checksum, sizeof(a->v->checksum), str_of(cells[2]));
	a->n++;
	return 0;
}

static int read_applied(struct db *db, struct applied *a, struct err *err)
{
	*a = (struct applied){0};
	if (db_select(db, DB_QUERY_PLAIN(db->backend->tables), see_table, a, err) < 0)
		return -1;
	if (!a->table)
		return 0;
	return db_select(db,
		DB_QUERY_PLAIN("SELECT version, name, checksum FROM schema_migrations "
			       "ORDER BY version"),
		see_applied, a, err);
}

static enum migration_state state_of(
	const struct applied *a, size_t i, const struct migrations *m)
{
	if (i >= a->n)
		return MIGRATION_PENDING;
	if (i >= m->n)
		return MIGRATION_UNKNOWN;
	bool same = a->v[i].number == m->v[i].number &&
		    strcmp(a->v[i].checksum, m->v[i].checksum) == 0;
	return same ? MIGRATION_APPLIED : MIGRATION_CHANGED;
}

/* Refuses a database whose applied migrations are not the ones known here. */
static int known(struct db *db, const struct applied *a, const struct migrations *m,
	struct err *err)
{
	for (size_t i = 0; i < a->n; i++) {
		enum migration_state s = state_of(a, i, m);
		if (s == MIGRATION_UNKNOWN)
			return err_set(err, ERR_IO,
				"database '%s' has version %d (%s), made by a newer "
				"floatline; this one knows %zu",
				db->name, a->v[a->n - 1].number, a->v[a->n - 1].name,
				m->n);
		if (s == MIGRATION_CHANGED)
			return err_set(err, ERR_IO,
				"database '%s': migration %d (%s) is not the one known "
				"here; use the floatline that made it",
				db->name, a->v[i].number, a->v[i].name);
	}
	return 0;
}

static int record(struct db *db, const struct migration *g, bool up, struct err *err)
{
	char sql[SQL_MAX];
	if (up)
		snprintf(sql, sizeof(sql),
			"INSERT INTO schema_migrations (version, name, checksum) "
			"VALUES "
			"(%d, '%s', '%s')",
			g->number, g->name, g->checksum);
	else
		snprintf(sql, sizeof(sql),
			"DELETE FROM schema_migrations WHERE version = %d", g->number);
	return db->backend->exec(db->conn, sql, err);
}

/* One step: up to the next, or the newest down. Returns 1, 0 when none is left to do.
 */
static int step(
	struct db *db, const struct migrations *m, int to, bool up, struct err *err)
{
	struct applied a;
	int r = read_applied(db, &a, err);
	if (r == 0)
		r = known(db, &a, m, err);
	size_t i = up ? a.n : a.n - 1;
	bool some = up ? i < m->n && m->v[i].number <= to
		       : a.n > 0 && i < m->n && m->v[i].number > to;
	free(a.v);
	if (r < 0 || !some)
		return r;
	const struct migration *g = &m->v[i];
	if (db->backend->exec(db->conn, up ? g->up : g->down, err) < 0 ||
		record(db, g, up, err) < 0)
		return err_prefix(err, "migration %d (%s) %s", g->number, g->name,
			up ? "up" : "down");
	return 1;
}

/*
 * The state is read under the lock, so that of two programs that migrate at once one
 * does it and the other finds it done.
 */
static int steps_locked(struct db *db, const struct migrations *m, int to, bool up,
	int most, int *done, struct err *err)
{
	const struct backend *k = db->backend;
	if (k->exec(db->conn, k->schema_lock, err) < 0 ||
		k->exec(db->conn,
			"CREATE TABLE IF NOT EXISTS schema_migrations (version integer "
			"PRIMARY KEY, name text NOT NULL, checksum text NOT NULL)",
			err) < 0)
		return -1;
	int r = 1;
	while (*done < most && (r = step(db, m, to, up, err)) > 0)
		++*done;
	return r < 0 ? -1 : 0;
}

/* All in one transaction: who dies in the middle leaves what was there before. */
static int steps(struct db *db, const char *dir, int to, bool up, int most, int *done,
	struct err *err)
{
	struct migrations m;
	*done = 0;
	if (migrations_load(&m, dir, db->backend->name, err) < 0)
		return -1;
	int r = db_begin(db, err);
	if (r == 0)
		r = db_end(db, steps_locked(db, &m, to, up, most, done, err), err);
	migrations_release(&m);
	return r;
}

int db_migrate(struct db *db, const char *dir, int to, int *done, struct err *err)
{
	return steps(db, dir, to > 0 ? to : APPLIED_MAX, true, APPLIED_MAX, done, err);
}

int db_rollback(struct db *db, const char *dir, int to, int *done, struct err *err)
{
	return steps(
		db, dir, to < 0 ? 0 : to, false, to < 0 ? 1 : APPLIED_MAX, done, err);
}

int db_status(
	struct db *db, const char *dir, db_status_fn *fn, void *ctx, struct err *err)
{
	struct migrations m;
	struct applied a = {0};
	if (migrations_load(&m, dir, db->backend->name, err) < 0)
		return -1;
	int r = read_applied(db, &a, err);
	for (size_t i = 0; r == 0 && (i < a.n || i < m.n); i++)
		fn(ctx, i < m.n ? m.v[i].number : a.v[i].number,
			i < m.n ? m.v[i].name : a.v[i].name, state_of(&a, i, &m));
	free(a.v);
	migrations_release(&m);
	return r;
}

static int refuse_other_versions(struct db *db, const struct applied *a,
	const struct migrations *m, struct err *err)
{
	if (a->n == 0)
		return err_set(err, ERR_IO,
			"database '%s' holds other tables; 'store migrate' adds "
			"floatline's to them",
			db->name);
	if (known(db, a, m, err) < 0)
		return -1;
	if (a->n < m->n)
		return err_set(err, ERR_IO,
			"database '%s' has version %d, this floatline needs %d: run "
			"'store migrate'",
			db->name, a->v[a->n - 1].number, m->v[m->n - 1].number);
	return 0;
}

int db_ready(struct db *db, const char *dir, struct err *err)
{
	struct migrations m;
	struct applied a = {0};
	int done;
	if (migrations_load(&m, dir, db->backend->name, err) < 0)
		return -1;
	int r = read_applied(db, &a, err);
	if (r == 0 && a.n == 0 && !a.other)
		r = db_migrate(db, dir, 0, &done, err);
	else if (r == 0)
		r = refuse_other_versions(db, &a, &m, err);
	free(a.v);
	migrations_release(&m);
	return r;
}
