#include "web/emit.h"
#include "record/text.h"
#include "web/cell.h"

static void comma(struct buf *b)
{
	char last = b->len ? (char)b->data[b->len - 1] : '{';
	if (last != '{' && last != '[' && last != ':')
		buf_putc(b, ',');
}

void emit_open(struct buf *b, char what)
{
	comma(b);
	buf_putc(b, what);
}

void emit_close(struct buf *b, char what)
{
	buf_putc(b, what);
}

void emit_text(struct buf *b, const char *text)
{
	comma(b);
	text_json_string(str_of(text), b);
}

void emit_name(struct buf *b, const char *name)
{
	emit_text(b, name);
	buf_putc(b, ':');
}

void emit_int(struct buf *b, int64_t v)
{
	comma(b);
	buf_printf(b, "%lld", (long long)v);
}

void emit_time(struct buf *b, int64_t ms)
{
	char text[TIME_TEXT_SIZE];
	emit_text(b, ms == TIME_NIL ? NULL : time_format(ms, text));
}

void emit_bool(struct buf *b, bool v)
{
	comma(b);
	buf_puts(b, v ? "true" : "false");
}

static void emit_cell(struct buf *b, enum cell_type type, const char *cell)
{
	if (!cell) {
		emit_text(b, NULL);
		return;
	}
	switch (type) {
	case CELL_TEXT:
		emit_text(b, cell);
		break;
	case CELL_INT:
	case CELL_TOTAL:
		emit_int(b, cell_int(cell));
		break;
	case CELL_REAL:
		comma(b);
		text_f32(strtof(cell, NULL), b);
		break;
	case CELL_TIME:
		emit_time(b, cell_time(cell));
		break;
	case CELL_BOOL:
		emit_bool(b, cell_bool(cell));
		break;
	case CELL_JSON:
		comma(b);
		buf_puts(b, cell);
		break;
	}
}

void emit_row(struct buf *b, const struct column *columns, const char *const *cells)
{
	emit_open(b, '{');
	for (int i = 0; columns[i].name; i++) {
		if (columns[i].type == CELL_TOTAL)
			continue;
		emit_name(b, columns[i].name);
		emit_cell(b, columns[i].type, cells[i]);
	}
	emit_close(b, '}');
}

struct rows {
	struct buf *b;
	const struct column *columns;
	int64_t total;
	int n;
};

static int take_row(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct rows *r = ctx;
	size_t want = 0;
	while (r->columns[want].name) {
		if (r->columns[want].type == CELL_TOTAL && want < n)
			r->total = cell_int(cells[want]);
		want++;
	}
	if (want != n)
		return err_set(
			err, ERR_IO, "a query has %zu columns, not %zu", n, want);
	emit_row(r->b, r->columns, cells);
	r->n++;
	return r->b->failed ? err_nomem(err) : 0;
}

static int emit_rows(
	struct call *c, const struct db_query *q, struct rows *r, struct err *err)
{
	emit_open(c->out, '[');
	if (db_select(c->db, q, take_row, r, err) < 0)
		return -1;
	emit_close(c->out, ']');
	return 0;
}

int emit_array(struct call *c, const struct db_query *q, const struct column *columns,
	struct err *err)
{
	struct rows r = {c->out, columns, -1, 0};
	return emit_rows(c, q, &r, err);
}

static bool counts(const struct column *columns)
{
	while (columns->name && columns->type != CELL_TOTAL)
		columns++;
	return columns->name;
}

int emit_list(struct call *c, const struct db_query *q, const struct column *columns,
	struct err *err)
{
	struct rows r = {c->out, columns, -1, 0};
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	if (emit_rows(c, q, &r, err) < 0)
		return -1;
	emit_name(c->out, "total");
	/* Without a row nothing counted them: none there are, or none on this page. */
	if (r.n == 0 && counts(columns) && call_int(c, "skip") == 0)
		r.total = 0;
	if (r.total >= 0)
		emit_int(c->out, r.total);
	else
		emit_text(c->out, NULL);
	emit_close(c->out, '}');
	return 200;
}

int emit_one(struct call *c, const struct db_query *q, const struct column *columns,
	struct err *err)
{
	struct rows r = {c->out, columns, -1, 0};
	if (db_select(c->db, q, take_row, &r, err) < 0)
		return -1;
	return r.n ? 200 : http_refuse(c->res, 404, "no '%s'", c->id);
}
