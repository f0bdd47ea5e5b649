#include "db/pgcopy.h"

#include <endian.h>

static void put16(struct buf *out, int16_t v)
{
	uint16_t be = htobe16((uint16_t)v);
	buf_append(out, &be, sizeof(be));
}

static void put32(struct buf *out, int32_t v)
{
	uint32_t be = htobe32((uint32_t)v);
	buf_append(out, &be, sizeof(be));
}

static void put64(struct buf *out, int64_t v)
{
	uint64_t be = htobe64((uint64_t)v);
	buf_append(out, &be, sizeof(be));
}

static void put_text(struct buf *out, struct str s)
{
	put32(out, (int32_t)s.len);
	buf_append(out, s.s, s.len);
}

void pgcopy_header(struct buf *out)
{
	buf_append(out, "PGCOPY\n\377\r\n", 11); /* with its final zero byte */
	put32(out, 0);                           /* flags */
	put32(out, 0);                           /* no extension */
}

void pgcopy_trailer(struct buf *out)
{
	put16(out, -1);
}

static void put_cell(
	struct buf *out, const struct batch *b, const struct column *c, union cell v)
{
	switch (c->type) {
	case COL_INT:
		put32(out, sizeof(int32_t));
		put32(out, (int32_t)v.i);
		return;
	case COL_LONG:
		put32(out, sizeof(int64_t));
		put64(out, v.i);
		return;
	case COL_F32: {
		float f = (float)v.d;
		int32_t bits;
		memcpy(&bits, &f, sizeof(bits));
		put32(out, sizeof(bits));
		put32(out, bits);
		return;
	}
	case COL_F64:
		put32(out, sizeof(v.i));
		put64(out, v.i); /* the same bits */
		return;
	case COL_BOOL:
		put32(out, 1);
		buf_putc(out, v.i != 0);
		return;
	case COL_WORD:
		put_text(out, str_of(c->field->names->words[v.i]));
		return;
	case COL_TEXT:
		put_text(out, cell_text(b, v));
		return;
	}
}

void pgcopy_row(const struct batch *b, const struct row *r, struct buf *out)
{
	const struct table *t = b->table;
	put16(out, (int16_t)t->ncolumns);
	for (int i = 0; i < t->ncolumns; i++) {
		if (cell_null(r, i))
			put32(out, -1);
		else
			put_cell(out, b, &t->columns[i], r->cells[i]);
	}
}
