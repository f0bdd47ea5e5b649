#include "export/parts.h"

#include <stdlib.h>

#define NONE UINT32_MAX

static int grow(struct book *b)
{
	if (b->codes.n <= b->cap)
		return 0;
	size_t cap = 2 * b->codes.n + 16;
	uint32_t *v = realloc(b->latest, cap * sizeof(*v));
	if (!v)
		return -1;
	memset(v + b->cap, 0xff, (cap - b->cap) * sizeof(*v));
	b->latest = v;
	b->cap = cap;
	return 0;
}

int64_t book_add(
	struct book *b, int kind, struct str code, const void *rec, struct err *err)
{
	uint32_t i = ids_intern(&b->codes, code);
	if (i == IDS_NONE || grow(b) < 0)
		return err_nomem(err);
	const struct kept *k = keep_add(&b->records, kind_info(kind), rec, err);
	if (!k)
		return -1;
	b->latest[i] = (uint32_t)(b->records.n - 1);
	return i;
}

const void *book_latest(const struct book *b, uint32_t number)
{
	if (number >= b->cap || b->latest[number] == NONE)
		return NULL;
	return b->records.v[b->latest[number]].rec;
}

void book_release(struct book *b)
{
	ids_release(&b->codes);
	keep_release(&b->records);
	free(b->latest);
}
