/* A run taken away, without a long halt for those who write meanwhile. */
#include "db/db.h"
#include "base/now.h"
#include "db/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/*
 * Where there is one writer at a time, rows go in transactions of about AIM_MS, with a
 * pause after each in which those who wait for the database get it.
 */
enum { AIM_MS = 40, PAUSE_MS = 5 };
enum { ROWS_FIRST = 1000, ROWS_LEAST = 100, ROWS_MOST = 100000 };

struct purge {
	struct number_text {
		char text[24];
	} run, rows;
	const struct table *table;
	int64_t changed;
};

static struct number_text text_of(int64_t v)
{
	struct number_text t;
	snprintf(t.text, sizeof(t.text), "%lld", (long long)v);
	return t;
}

static int get_number(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = strtoll(cells[0], NULL, 10);
	return 0;
}

static int find_run(struct db *db, const char *run, int64_t *id, struct err *err)
{
	*id = -1;
	if (db_select(db, DB_QUERY("SELECT id FROM run WHERE name = $1", run),
		    get_number, id, err) < 0)
		return -1;
	if (*id < 0)
		return err_set(err, ERR_DATA, "no run '%s' in '%s'", run, db->name);
	return 0;
}

/* The key's columns but run, ", " between. */
static void put_key(const struct table *t, struct buf *sql)
{
	for (int i = 1; i < t->nkeys; i++)
		buf_printf(sql, "%s%s", i > 1 ? ", " : "", t->columns[t->keys[i]].name);
}

/* Deletes rows of a table: p->rows of them at most, or all when that is "". */
static int delete_rows(struct db *db, void *ctx, struct err *err)
{
	struct purge *p = ctx;
	const struct table *t = p->table;
	struct buf sql = {0};
	buf_printf(&sql, "DELETE FROM %s WHERE run = CAST($1 AS integer)", t->name);
	if (p->rows.text[0]) {
		buf_puts(&sql, " AND (");
		put_key(t, &sql);
		buf_puts(&sql, ") IN (SELECT ");
		put_key(t, &sql);
		buf_printf(&sql, " FROM %s WHERE run = CAST($1 AS integer) LIMIT %s)",
			t->name, p->rows.text);
	}
	buf_putc(&sql, '\0');
	int r = sql.failed ? err_nomem(err)
			   : db_write(db, DB_QUERY((char *)sql.data, p->run.text),
				     &p->changed, err);
	buf_release(&sql);
	return r;
}

/* What is left when the tables are empty of it. */
static int delete_run(struct db *db, void *ctx, struct err *err)
{
	struct purge *p = ctx;
	static const char *const SQL[] = {
		"DELETE FROM retention WHERE run = CAST($1 AS integer)",
		"DELETE FROM incident_decision WHERE run = CAST($1 AS integer)",
		"DELETE FROM run WHERE id = CAST($1 AS integer)"};
	for (size_t i = 0; i < sizeof(SQL) / sizeof(*SQL); i++)
		if (db_write(db, DB_QUERY(SQL[i], p->run.text), NULL, err) < 0)
			return -1;
	return 0;
}

/* How many rows the next transaction takes, when so many took so long. */
static int64_t fit(int64_t rows, int64_t took_ms)
{
	if (took_ms > AIM_MS)
		rows /= took_ms > 2 * AIM_MS ? 4 : 2;
	else if (took_ms < AIM_MS / 2)
		rows *= 2;
	return rows < ROWS_LEAST ? ROWS_LEAST : rows > ROWS_MOST ? ROWS_MOST : rows;
}

static int purge_in_steps(struct db *db, struct purge *p, struct err *err)
{
	int64_t rows = ROWS_FIRST, step;
	do {
		step = rows;
		p->rows = text_of(step);
		if (db_begin(db, err) < 0)
			return -1;
		/* From here on others wait; how long we waited is not our doing. */
		int64_t start = now_steady_ms();
		if (db_end(db, delete_rows(db, p, err), err) < 0)
			return -1;
		rows = fit(step, now_steady_ms() - start);
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
	} while (p->changed == step);
	return 0;
}

/* Series and facts first, then what they refer to: batteries before their strings. */
static int purge_all(struct db *db, void *ctx, struct err *err)
{
	struct purge *p = ctx;
	bool in_steps = db->backend->one_writer;
	for (int i = table_count() - 1; i >= 0; i--) {
		struct table t;
		if (table_make(i, &t, err) < 0)
			return -1;
		p->table = &t;
		if ((in_steps ? purge_in_steps(db, p, err) : delete_rows(db, p, err)) <
			0)
			return -1;
	}
	return in_steps ? db_transaction(db, delete_run, p, err)
			: delete_run(db, p, err);
}

int db_purge(struct db *db, const char *run, struct err *err)
{
	int64_t id;
	if (find_run(db, run, &id, err) < 0)
		return -1;
	struct purge p = {.run = text_of(id)};
	return db->backend->one_writer ? purge_all(db, &p, err)
				       : db_transaction(db, purge_all, &p, err);
}
