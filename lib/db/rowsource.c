#include "db/rowsource.h"

#include "db/sql.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROWS_AHEAD = 4, CACHE_LINE = 64, FETCH_BYTES = 256 };

struct source_table {
	sqlite3_vtab base;
	struct rowsource *source;
};

struct source_cursor {
	sqlite3_vtab_cursor base;
	size_t at;
};

/* What a module knows: its table and where the rows come from. Freed by SQLite. */
struct client {
	const struct table *table;
	struct rowsource *source;
};

static const struct batch *batch_of(const sqlite3_vtab_cursor *c)
{
	return ((const struct source_table *)(const void *)c->pVtab)->source->batch;
}

static int connect_source(sqlite3 *db, void *aux, int argc, const char *const *argv,
	sqlite3_vtab **out, char **message)
{
	const struct client *k = aux;
	struct source_table *t = sqlite3_malloc(sizeof(*t));
	struct buf b = {0};
	if (!t)
		return SQLITE_NOMEM;
	*t = (struct source_table){.source = k->source};
	buf_puts(&b, "CREATE TABLE x (");
	sql_columns(k->table, &b);
	buf_putc(&b, ')');
	buf_putc(&b, '\0');
	int code = b.failed ? SQLITE_NOMEM : sqlite3_declare_vtab(db, (char *)b.data);
	buf_release(&b);
	if (code != SQLITE_OK)
		sqlite3_free(t);
	else
		*out = &t->base;
	return code;
}

static int disconnect_source(sqlite3_vtab *t)
{
	sqlite3_free(t);
	return SQLITE_OK;
}

static int plan(sqlite3_vtab *t, sqlite3_index_info *info)
{
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *t, sqlite3_vtab_cursor **out)
{
	struct source_cursor *c = sqlite3_malloc(sizeof(*c));
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct source_cursor){0};
	*out = &c->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *c)
{
	sqlite3_free(c);
	return SQLITE_OK;
}

static struct source_cursor *cursor(sqlite3_vtab_cursor *c)
{
	return (struct source_cursor *)(void *)c;
}

static int first(
	sqlite3_vtab_cursor *c, int n, const char *s, int argc, sqlite3_value **v)
{
	cursor(c)->at = 0;
	return SQLITE_OK;
}

/* The rows of one battery lie as far apart as there are batteries: fetched ahead. */
static int next(sqlite3_vtab_cursor *c)
{
	const struct batch *b = batch_of(c);
	size_t ahead = ++cursor(c)->at + ROWS_AHEAD;
	if (ahead < b->norder) {
		const char *p = (const char *)batch_row(b, b->order[ahead]);
		for (size_t i = 0; i < b->stride && i < FETCH_BYTES; i += CACHE_LINE)
			__builtin_prefetch(p + i);
	}
	return SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *c)
{
	return cursor(c)->at >= batch_of(c)->norder;
}

static int row_number(sqlite3_vtab_cursor *c, sqlite3_int64 *out)
{
	*out = (sqlite3_int64)cursor(c)->at;
	return SQLITE_OK;
}

/* Texts stay where they are until the statement ends: static for SQLite. */
static int give(sqlite3_vtab_cursor *cur, sqlite3_context *ctx, int i)
{
	const struct batch *b = batch_of(cur);
	const struct row *r = batch_row(b, b->order[cursor(cur)->at]);
	const struct column *c = &b->table->columns[i];
	union cell v = r->cells[i];
	if (cell_null(r, i))
		return SQLITE_OK;
	switch (c->type) {
	case COL_F32:
		sqlite3_result_double(ctx, float_as_written((float)v.d));
		return SQLITE_OK;
	case COL_F64:
		sqlite3_result_double(ctx, v.d);
		return SQLITE_OK;
	case COL_WORD:
		sqlite3_result_text(
			ctx, c->field->names->words[v.i], -1, SQLITE_STATIC);
		return SQLITE_OK;
	case COL_TEXT: {
		struct str s = cell_text(b, v);
		sqlite3_result_text(ctx, s.s, (int)s.len, SQLITE_STATIC);
		return SQLITE_OK;
	}
	case COL_INT:
	case COL_LONG:
	case COL_BOOL:
		break;
	}
	sqlite3_result_int64(ctx, v.i);
	return SQLITE_OK;
}

static const sqlite3_module MODULE = {
	.xConnect = connect_source, /* no xCreate: it is there by its name */
	.xBestIndex = plan,
	.xDisconnect = disconnect_source,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = first,
	.xNext = next,
	.xEof = at_end,
	.xColumn = give,
	.xRowid = row_number,
};

int rowsource_register(sqlite3 *db, const struct table *t, struct rowsource *source)
{
	char name[64];
	struct client *k = malloc(sizeof(*k));
	if (!k)
		return SQLITE_NOMEM;
	*k = (struct client){t, source};
	snprintf(name, sizeof(name), "rows_%s", t->name);
	return sqlite3_create_module_v2(db, name, &MODULE, k, free);
}
