#include "db/db.h"

#include "base/ids.h"
#include "db/backend.h"
#include "db/internal.h"
#include "db/rollup.h"
#include "db/url.h"

#include <stdio.h>
#include <stdlib.h>

/* The codes of one entity that rows of this run named, and their numbers in the
 * database (-1: not asked yet). */
struct codes {
	struct ids ids;
	int64_t *numbers;
	size_t cap, asked;
};

struct writer {
	struct table *tables;
	struct batch *batches;
	struct codes codes[ENTITY_COUNT];
	struct rollup rollup;
};

static int make_tables(struct db *db, struct err *err)
{
	struct writer *w = calloc(1, sizeof(*w));
	db->writer = w;
	if (!w)
		return err_nomem(err);
	w->tables = calloc((size_t)table_count(), sizeof(*w->tables));
	w->batches = calloc((size_t)table_count(), sizeof(*w->batches));
	if (!w->tables || !w->batches)
		return err_nomem(err);
	for (int i = 0; i < table_count(); i++) {
		if (table_make(i, &w->tables[i], err) < 0)
			return -1;
		batch_init(&w->batches[i], &w->tables[i]);
	}
	rollup_init(&w->rollup, w->batches);
	return 0;
}

static void release_tables(struct writer *w)
{
	if (!w)
		return;
	for (int i = 0; w->batches && i < table_count(); i++)
		batch_release(&w->batches[i]);
	rollup_release(&w->rollup);
	for (int e = 0; e < ENTITY_COUNT; e++) {
		ids_release(&w->codes[e].ids);
		free(w->codes[e].numbers);
	}
	free(w->tables);
	free(w->batches);
	free(w);
}

static int connect_db(struct db *db, const char *url, int flags, struct err *err)
{
	enum db_kind kind;
	const char *rest;
	if (db_url_kind(url, &kind, &rest, err) < 0 ||
		db_url_show(url, db->name, sizeof(db->name), err) < 0)
		return -1;
	bool sqlite = kind == DB_SQLITE;
	db->backend = sqlite ? &SQLITE_BACKEND : &POSTGRES_BACKEND;
	db->conn = sqlite ? sqlite_open(rest, db->name, flags & DB_CREATE, err)
			  : postgres_open(rest, db->name, err);
	return db->conn ? 0 : -1;
}

struct db *db_open(const char *url, int flags, struct err *err)
{
	struct db *db = calloc(1, sizeof(*db));
	if (!db) {
		err_nomem(err);
		return NULL;
	}
	db->run = -1;
	if (connect_db(db, url, flags, err) == 0 && make_tables(db, err) == 0)
		return db;
	db_close(db);
	return NULL;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	if (db->backend)
		db->backend->close(db->conn);
	release_tables(db->writer);
	free(db);
}

const char *db_name(const struct db *db)
{
	return db->name;
}

int db_begin(struct db *db, struct err *err)
{
	return db->backend->exec(db->conn, db->backend->begin, err);
}

int db_end(struct db *db, int r, struct err *err)
{
	if (r == 0)
		return db->backend->exec(db->conn, "COMMIT", err);
	db->backend->exec(db->conn, "ROLLBACK", NULL);
	return -1;
}

int db_set_run(struct db *db, const char *run, struct err *err)
{
	if (db_begin(db, err) < 0)
		return -1;
	return db_end(db,
		db->backend->entity(
			db->conn, ENTITY_RUN, 0, str_of(run), &db->run, err),
		err);
}

bool db_stores(int kind)
{
	return table_of_kind(kind) >= 0;
}

static int64_t local_number(void *ctx, enum entity e, struct str code)
{
	struct writer *w = ctx;
	uint32_t id = ids_intern(&w->codes[e].ids, code);
	return id == IDS_NONE ? -1 : (int64_t)id;
}

int db_put(struct db *db, int kind, const void *rec, struct err *err)
{
	int i = table_of_kind(kind);
	if (i < 0 || db->run < 0)
		return err_set(
			err, ERR_DATA, i < 0 ? "no table for this kind" : "no run set");
	struct batch *b = &db->writer->batches[i];
	size_t before = batch_bytes(b);
	if (batch_add(b, db->run, rec, local_number, db->writer, err) < 0)
		return -1;
	db->pending_rows++;
	db->pending_bytes += batch_bytes(b) - before;
	return 0;
}

size_t db_pending_rows(const struct db *db)
{
	return db->pending_rows;
}

size_t db_pending_bytes(const struct db *db)
{
	return db->pending_bytes;
}

int64_t db_committed_rows(const struct db *db)
{
	return db->committed;
}

/* Asks the database for the numbers of codes that are new since the last commit. */
static int resolve(struct db *db, enum entity e, struct err *err)
{
	struct codes *c = &db->writer->codes[e];
	if (c->ids.n > c->cap) {
		size_t cap = c->ids.n * 2;
		int64_t *numbers = realloc(c->numbers, cap * sizeof(*numbers));
		if (!numbers)
			return err_nomem(err);
		c->numbers = numbers;
		c->cap = cap;
	}
	for (; c->asked < c->ids.n; c->asked++) {
		struct str code = {c->ids.names[c->asked], c->ids.lens[c->asked]};
		if (db->backend->entity(
			    db->conn, e, db->run, code, &c->numbers[c->asked], err) < 0)
			return -1;
	}
	return 0;
}

/* Puts the database's numbers where the rows have ours. */
static void renumber(struct writer *w, struct batch *b)
{
	const struct table *t = b->table;
	for (int i = 1; i < t->ncolumns; i++) {
		enum entity e = t->columns[i].entity;
		if (e == ENTITY_NONE)
			continue;
		const int64_t *numbers = w->codes[e].numbers;
		for (size_t k = 0; k < b->n; k++) {
			struct row *r = batch_row(b, k);
			if (!cell_null(r, i))
				r->cells[i].i = numbers[r->cells[i].i];
		}
	}
}

/* Everything that may need a lock of its own, before the first row is written. */
static int prepare_all(struct db *db, struct err *err)
{
	struct writer *w = db->writer;
	for (int e = ENTITY_SITE; e < ENTITY_COUNT; e++)
		if (resolve(db, (enum entity)e, err) < 0)
			return -1;
	for (int i = 0; i < table_count(); i++) {
		struct batch *b = &w->batches[i];
		if (b->n == 0)
			continue;
		renumber(w, b);
		if (batch_sort(b, err) < 0)
			return -1;
		if (db->backend->prepare &&
			db->backend->prepare(db->conn, i, b, err) < 0)
			return -1;
	}
	return 0;
}

static int write_newest(struct db *db, const struct batch *b, struct err *err)
{
	int i = b->table->latest;
	int64_t changed;
	struct batch newest;
	if (i < 0)
		return 0;
	if (batch_newest(b, &db->writer->tables[i], &newest, err) < 0)
		return -1;
	int r = db->backend->write(db->conn, i, &newest, &changed, err);
	free(newest.order);
	return r;
}

/* A batch, and what follows from it. Roll-ups are brought up to date before the newest
 * rows: these tell them what was there already. */
static int write_batch(struct db *db, int i, struct err *err)
{
	int64_t changed;
	const struct batch *b = &db->writer->batches[i];
	if (db->backend->write(db->conn, i, b, &changed, err) < 0)
		return -1;
	if (b->table->kind->kind == KIND_telemetry &&
		rollup_write(&db->writer->rollup, db, b, changed, err) < 0)
		return -1;
	return write_newest(db, b, err);
}

static int write_all(struct db *db, int64_t *rows, struct err *err)
{
	if (prepare_all(db, err) < 0)
		return -1;
	int own = table_of_rollup(ROLLUP_QUARTER);
	for (int i = 0; i < own; i++) {
		const struct batch *b = &db->writer->batches[i];
		if (b->n == 0)
			continue;
		if (write_batch(db, i, err) < 0)
			return -1;
		*rows += (int64_t)b->norder;
	}
	return 0;
}

int db_commit(struct db *db, struct err *err)
{
	if (db->pending_rows == 0)
		return 0;
	int64_t rows = 0;
	if (db_begin(db, err) < 0 || db_end(db, write_all(db, &rows, err), err) < 0)
		return -1;
	for (int i = 0; i < table_count(); i++)
		batch_clear(&db->writer->batches[i]);
	db->pending_rows = db->pending_bytes = 0;
	db->committed += rows;
	return 0;
}
