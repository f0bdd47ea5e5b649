/*
 * Rows of one table on their way to the database, in memory. A row is ncolumns cells
 * and a mask of those that are NULL.
 */
#ifndef DB_BATCH_H
#define DB_BATCH_H

#include "base/buf.h"
#include "db/table.h"

union cell {
	int64_t i;
	double d;
	struct {
		uint32_t at, len; /* in the batch's text */
	} text;
};

enum { ROW_NULLS = (COLUMNS_MAX + 63) / 64 };

struct row {
	uint64_t null[ROW_NULLS];
	union cell cells[];
};

struct batch {
	const struct table *table;
	size_t stride; /* bytes of a row */
	struct buf rows, text;
	size_t n;
	uint32_t *order; /* after batch_sort: the rows to write */
	size_t norder, order_cap;
};

void batch_init(struct batch *b, const struct table *t);
void batch_release(struct batch *b);
/* Forgets the rows, keeps the memory. */
void batch_clear(struct batch *b);
size_t batch_bytes(const struct batch *b);

static inline struct row *batch_row(const struct batch *b, size_t i)
{
	return (struct row *)(void *)(b->rows.data + i * b->stride);
}
static inline bool cell_null(const struct row *r, int column)
{
	return r->null[column / 64] >> (column % 64) & 1;
}
static inline struct str cell_text(const struct batch *b, union cell c)
{
	if (c.text.len == 0)
		return (struct str){"", 0};
	return (struct str){(const char *)b->text.data + c.text.at, c.text.len};
}

/* The number that stands for a code until the database has given it one. */
typedef int64_t batch_entity_fn(void *ctx, enum entity e, struct str code);

/*
 * Adds the decoded struct of the table's kind as a row of run 'run'; codes of entities
 * become what fn gives (-1: out of memory). A missing value is NULL, in a key 0 or "".
 * Returns 0, or -1: ERR_DATA for text no database holds, ERR_IO for no memory; the
 * batch is then unchanged.
 */
int batch_add(struct batch *b, int64_t run, const void *rec, batch_entity_fn *fn,
	void *ctx, struct err *err);

/*
 * Puts the rows in key order, and of rows with one key only the last (RULE_LATEST: of
 * those with the greatest ts; RULE_KEEP: the first). Returns 0, or -1 out of memory.
 */
int batch_sort(struct batch *b, struct err *err);

/*
 * Of a sorted batch, the rows that belong into its table's table of the newest, t:
 * makes *newest a batch of that table on the same rows, valid as long as b is; only its
 * order is its own, to be freed. Returns 0, or -1 out of memory.
 */
int batch_newest(const struct batch *b, const struct table *t, struct batch *newest,
	struct err *err);

/* Appends a row of nothing but NULL, in a batch that no record is added to. Returns
 * NULL out of memory. Valid until the next. */
struct row *batch_blank(struct batch *b);
static inline void cell_set(struct row *r, int column, union cell v)
{
	r->null[column / 64] &= ~(UINT64_C(1) << (column % 64));
	r->cells[column] = v;
}

/*
 * The double that prints as the float was meant: 13.65 for 13.65f, which is
 * 13.649999618530273. Converting it back gives the same float.
 */
double float_as_written(float v);

#endif
