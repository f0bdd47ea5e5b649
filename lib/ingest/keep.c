#include "ingest/keep.h"

#include <stdlib.h>

enum { CHUNK_SIZE = 1 << 18 };

struct keep_chunk {
	struct keep_chunk *next;
	size_t used;
	_Alignas(16) char data[CHUNK_SIZE];
};

/* Room that stays where it is. n is at most a record: far below a chunk. */
static void *room(struct keep *k, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (!k->chunks || k->chunks->used + n > CHUNK_SIZE) {
		struct keep_chunk *c = malloc(sizeof(*c));
		if (!c)
			return NULL;
		c->next = k->chunks;
		c->used = 0;
		k->chunks = c;
	}
	void *p = k->chunks->data + k->chunks->used;
	k->chunks->used += n;
	return p;
}

static int copy_strings(struct keep *k, const struct kind_info *info, char *rec)
{
	for (int i = 0; i < info->nfields; i++) {
		if (info->fields[i].type != T_CODE && info->fields[i].type != T_TEXT)
			continue;
		struct str *s = (struct str *)(void *)(rec + info->fields[i].offset);
		char *p = s->len ? room(k, s->len) : NULL;
		if (s->len && !p)
			return -1;
		if (p)
			s->s = memcpy(p, s->s, s->len);
		else if (s->s)
			s->s = "";
	}
	return 0;
}

const struct kept *keep_add(
	struct keep *k, const struct kind_info *info, const void *rec, struct err *err)
{
	if (k->n == KEEP_MAX) {
		err_set(err, ERR_DATA,
			"more than %d master and transaction records: split the "
			"dataset",
			KEEP_MAX);
		return NULL;
	}
	if (k->n == k->cap) {
		size_t cap = k->cap ? 2 * k->cap : 256;
		struct kept *v = realloc(k->v, cap * sizeof(*v));
		if (!v) {
			err_nomem(err);
			return NULL;
		}
		k->v = v;
		k->cap = cap;
	}
	char *copy = room(k, info->size);
	if (!copy || copy_strings(k, info, memcpy(copy, rec, info->size)) < 0) {
		err_nomem(err);
		return NULL;
	}
	k->v[k->n] =
		(struct kept){info->kind, record_ts(info, rec), (uint32_t)k->n, copy};
	return &k->v[k->n++];
}

static int by_time(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;
	if (x->ts != y->ts)
		return x->ts < y->ts ? -1 : 1;
	return x->number < y->number ? -1 : 1;
}

void keep_sort(struct keep *k)
{
	if (k->n)
		qsort(k->v, k->n, sizeof(*k->v), by_time);
}

void keep_release(struct keep *k)
{
	while (k->chunks) {
		struct keep_chunk *next = k->chunks->next;
		free(k->chunks);
		k->chunks = next;
	}
	free(k->v);
	*k = (struct keep){0};
}
