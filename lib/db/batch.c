#include "db/batch.h"

#include "db/text.h"

#include <math.h>
#include <stdlib.h>

void batch_init(struct batch *b, const struct table *t)
{
	*b = (struct batch){.table = t,
		.stride =
			sizeof(struct row) + (size_t)t->ncolumns * sizeof(union cell)};
}

void batch_release(struct batch *b)
{
	buf_release(&b->rows);
	buf_release(&b->text);
	free(b->order);
}

void batch_clear(struct batch *b)
{
	buf_clear(&b->rows);
	buf_clear(&b->text);
	b->n = b->norder = 0;
}

size_t batch_bytes(const struct batch *b)
{
	return b->rows.len + b->text.len;
}

/* Adding and taking off 1.5 * 2^52 rounds to a whole number, as nearbyint, without the
 * call. For |x| < 2^51. */
static double rounded(double x)
{
	const double shift = 0x1.8p52;
	return (x + shift) - shift;
}

double float_as_written(float v)
{
	static const double TEN[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7};
	if (fabsf(v) >= 0x1p24f)
		return v; /* a whole number */
	for (size_t k = 0; k < sizeof(TEN) / sizeof(TEN[0]); k++) {
		/* Both operands are exact, so the quotient is the double nearest to the
		 * decimal: what strtod would give. */
		double d = rounded((double)v * TEN[k]) / TEN[k];
		if ((float)d == v)
			return d;
	}
	return v;
}

static void set_null(struct row *r, int column)
{
	r->null[column / 64] |= UINT64_C(1) << (column % 64);
}

/* Text goes to the arena; lists as JSON. Sets *nil when there is none. */
static int put_text(struct batch *b, const struct column *c, const void *p,
	union cell *out, bool *nil, struct err *err)
{
	size_t at = b->text.len;
	if (c->field->type == T_PAIRS) {
		*nil = text_pairs(p, &b->text) == 0;
	} else if (c->field->type == T_STRS) {
		*nil = text_strs(p, &b->text) == 0;
	} else {
		const struct str *s = p;
		*nil = !s->s;
		buf_append(&b->text, s->s, s->s ? s->len : 0);
	}
	if (b->text.failed || b->text.len > UINT32_MAX)
		return err_nomem(err);
	size_t len = b->text.len - at;
	out->text.at = (uint32_t)at;
	out->text.len = (uint32_t)len;
	if (len > 0 && !text_storable(b->text.data + at, len))
		return err_set(
			err, ERR_DATA, "%s: not UTF-8, or a zero byte in it", c->name);
	return 0;
}

/* One value that is no text. Returns false when it is missing. */
static bool get_number(const struct column *c, const void *p, union cell *out)
{
	switch (c->type) {
	case COL_LONG:
		out->i = *(const int64_t *)p;
		return out->i != LONG_NIL;
	case COL_F32: {
		float v = *(const float *)p;
		out->d = v;
		return !isnan(v);
	}
	case COL_F64:
		out->d = *(const double *)p;
		return !isnan(out->d);
	case COL_BOOL:
	case COL_WORD:
		out->i = *(const int32_t *)p;
		return out->i >= 0;
	case COL_INT:
	case COL_TEXT:
		break;
	}
	out->i = *(const int32_t *)p;
	return out->i != INT_NIL;
}

static int put_entity(const struct column *c, const struct str *code, union cell *out,
	bool *nil, batch_entity_fn *fn, void *ctx, struct err *err)
{
	*nil = !code->s;
	if (*nil)
		return 0;
	if (!text_storable(code->s, code->len))
		return err_set(
			err, ERR_DATA, "%s: not UTF-8, or a zero byte in it", c->name);
	out->i = fn(ctx, c->entity, *code);
	return out->i < 0 ? err_nomem(err) : 0;
}

int batch_add(struct batch *b, int64_t run, const void *rec, batch_entity_fn *fn,
	void *ctx, struct err *err)
{
	const struct table *t = b->table;
	size_t text = b->text.len;
	if (b->n >= UINT32_MAX || buf_reserve(&b->rows, b->stride) < 0)
		return err_nomem(err);
	struct row *r = (struct row *)(void *)(b->rows.data + b->rows.len);
	memset(r->null, 0, sizeof(r->null));
	r->cells[0].i = run;
	for (int i = 1; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		const void *p = (const uint8_t *)rec + c->field->offset;
		union cell *out = &r->cells[i];
		bool nil = false;
		int bad = 0;
		out->i = 0;
		if (c->entity != ENTITY_NONE)
			bad = put_entity(c, p, out, &nil, fn, ctx, err);
		else if (c->type == COL_TEXT)
			bad = put_text(b, c, p, out, &nil, err);
		else
			nil = !get_number(c, p, out);
		if (bad < 0) {
			b->text.len = text;
			return -1;
		}
		if (nil) {
			out->i = 0;
			if (!c->key)
				set_null(r, i);
		}
	}
	b->rows.len += b->stride;
	b->n++;
	return 0;
}

static int compare_cell(
	const struct batch *b, const struct column *c, union cell x, union cell y)
{
	if (c->type != COL_TEXT)
		return (x.i > y.i) - (x.i < y.i);
	struct str s = cell_text(b, x), t = cell_text(b, y);
	uint32_t n = s.len < t.len ? s.len : t.len;
	int d = n ? memcmp(s.s, t.s, n) : 0;
	return d ? d : (s.len > t.len) - (s.len < t.len);
}

static int compare_keys(const struct batch *b, uint32_t x, uint32_t y)
{
	const struct table *t = b->table;
	const struct row *r = batch_row(b, x), *s = batch_row(b, y);
	for (int k = 1; k < t->nkeys; k++) {
		int c = t->keys[k];
		int d = compare_cell(b, &t->columns[c], r->cells[c], s->cells[c]);
		if (d)
			return d;
	}
	return 0;
}

static int compare_rows(const void *x, const void *y, void *ctx)
{
	const struct batch *b = ctx;
	uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	int d = compare_keys(b, i, j);
	if (d == 0 && b->table->rule == RULE_LATEST) {
		int64_t s = batch_row(b, i)->cells[b->table->ts].i,
			t = batch_row(b, j)->cells[b->table->ts].i;
		d = (s > t) - (s < t);
	}
	return d ? d : (i > j) - (i < j);
}

/*
 * A stream is in order of time, a table in order of battery, then time. So one stable
 * pass that deals the rows out by battery nearly always leaves them sorted. Returns
 * false when it is not applicable: no integer first, or numbers too far apart.
 */
static int deal(struct batch *b)
{
	int c = b->table->nkeys > 1 ? b->table->keys[1] : -1;
	if (c < 0 || b->table->columns[c].type != COL_INT)
		return 0;
	int64_t lo = INT64_MAX, hi = INT64_MIN;
	for (size_t i = 0; i < b->n; i++) {
		int64_t v = batch_row(b, i)->cells[c].i;
		lo = v < lo ? v : lo;
		hi = v > hi ? v : hi;
	}
	if (hi - lo > (int64_t)b->n + 65536)
		return 0;
	size_t m = (size_t)(hi - lo) + 2;
	uint32_t *at = calloc(m, sizeof(*at));
	if (!at)
		return -1;
	for (size_t i = 0; i < b->n; i++)
		at[batch_row(b, i)->cells[c].i - lo + 1]++;
	for (size_t i = 1; i < m; i++)
		at[i] += at[i - 1];
	for (size_t i = 0; i < b->n; i++)
		b->order[at[batch_row(b, i)->cells[c].i - lo]++] = (uint32_t)i;
	free(at);
	return 0;
}

static bool in_order(struct batch *b)
{
	for (size_t i = 1; i < b->n; i++)
		if (compare_rows(&b->order[i - 1], &b->order[i], b) > 0)
			return false;
	return true;
}

static void keep_one_of_each(struct batch *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++) {
		bool same = n > 0 && compare_keys(b, b->order[n - 1], b->order[i]) == 0;
		if (!same)
			b->order[n++] = b->order[i];
		else if (b->table->rule != RULE_KEEP)
			b->order[n - 1] = b->order[i];
	}
	b->norder = n;
}

int batch_sort(struct batch *b, struct err *err)
{
	if (b->n > b->order_cap) {
		uint32_t *order = realloc(b->order, b->n * sizeof(*order));
		if (!order)
			return err_nomem(err);
		b->order = order;
		b->order_cap = b->n;
	}
	for (size_t i = 0; i < b->n; i++)
		b->order[i] = (uint32_t)i;
	if (deal(b) < 0)
		return err_nomem(err);
	if (!in_order(b))
		qsort_r(b->order, b->n, sizeof(*b->order), compare_rows, b);
	keep_one_of_each(b);
	return 0;
}

/* Is there a later row of the same latest key? Rows of one first key stand together. */
static bool superseded(
	const struct batch *b, const struct batch *newest, size_t i, size_t from)
{
	for (size_t k = newest->norder; k > from; k--)
		if (compare_keys(newest, newest->order[k - 1], b->order[i]) == 0)
			return true;
	return false;
}

static bool same_first_key(const struct batch *b, uint32_t x, uint32_t y)
{
	int c = b->table->keys[1];
	return compare_cell(b, &b->table->columns[c], batch_row(b, x)->cells[c],
		       batch_row(b, y)->cells[c]) == 0;
}

/* Rows ascend by battery (or subject), then time: from the last one of each back, the
 * first of each key. */
int batch_newest(const struct batch *b, const struct table *t, struct batch *newest,
	struct err *err)
{
	*newest = *b;
	newest->table = t;
	newest->norder = 0;
	newest->order = malloc((b->norder + 1) * sizeof(*newest->order));
	if (!newest->order)
		return err_nomem(err);
	size_t from = 0;
	for (size_t i = b->norder; i-- > 0;) {
		if (i + 1 < b->norder &&
			!same_first_key(b, b->order[i], b->order[i + 1]))
			from = newest->norder;
		if (!superseded(b, newest, i, from))
			newest->order[newest->norder++] = b->order[i];
	}
	return 0;
}

struct row *batch_blank(struct batch *b)
{
	if (b->n >= UINT32_MAX || buf_reserve(&b->rows, b->stride) < 0)
		return NULL;
	struct row *r = (struct row *)(void *)(b->rows.data + b->rows.len);
	memset(r, 0, b->stride);
	memset(r->null, 0xff, sizeof(r->null));
	b->rows.len += b->stride;
	b->n++;
	return r;
}
