#include "spool.h"

#include "record/codec.h"

#include <stdlib.h>

static struct run *new_run(struct spool *o, int kind)
{
	if (o->nruns == o->cap) {
		size_t cap = o->cap ? 2 * o->cap : 64;
		void *more = realloc(o->runs, cap * sizeof(*o->runs));
		if (!more) {
			err_nomem(&o->err);
			return NULL;
		}
		o->runs = more;
		o->cap = cap;
	}
	o->runs[o->nruns] = (struct run){.kind = kind, .at = o->bytes.len};
	return &o->runs[o->nruns++];
}

void spool_put(struct spool *o, int kind, const void *rec)
{
	if (o->err.class)
		return;
	struct run *r = o->nruns > o->marked ? &o->runs[o->nruns - 1] : NULL;
	if ((!r || r->kind != kind) && !(r = new_run(o, kind)))
		return;
	if (!o->skip || !o->skip[kind])
		record_encode_native(kind_info(kind), rec, &o->bytes, &o->err);
	r->len = o->bytes.len - r->at;
	r->n++;
}

size_t spool_mark(struct spool *o)
{
	return o->marked = o->nruns;
}

void spool_clear(struct spool *o)
{
	buf_clear(&o->bytes);
	o->nruns = o->marked = 0;
	o->err = (struct err){0};
}

void spool_release(struct spool *o)
{
	buf_release(&o->bytes);
	free(o->runs);
	*o = (struct spool){0};
}
