#include "ingest/cell.h"
#include "ingest/classic_parts.h"

/* The results of a transaction, by its key. */
struct results {
	struct ids keys;
	struct keep recs; /* number = number of the key */
};

static int read_results(
	struct classic *c, const char *name, struct results *out, struct err *err)
{
	union rec_any rec;
	struct source *s;
	int r = classic_open_file(c, name, "joined", &s, err);
	while (r > 0 && (r = source_next(s, &rec, err)) > 0) {
		size_t before = out->keys.n;
		if (ids_intern(&out->keys, s->key) == IDS_NONE)
			r = err_nomem(err);
		else if (out->keys.n > before &&
			 !keep_add(&out->recs, s->m.info, &rec, err))
			r = -1;
	}
	if (s)
		classic_account(c, s, 0);
	source_free(s);
	return r;
}

/* Takes from 'add' what 'rec' lacks. Both are of kind info; texts are not joined. */
static void complete(const struct kind_info *info, union rec_any *rec, const void *add)
{
	for (int i = 0; i < info->nfields; i++) {
		const struct field_info *f = &info->fields[i];
		size_t size = f->type == T_F32 || f->type == T_ENUM ? 4 : 8;
		if (f->type < T_BITS && cell_missing(f, rec))
			memcpy((char *)rec + f->offset, (const char *)add + f->offset,
				f->type == T_INT ? 4 : size);
	}
}

int classic_read_transactions(
	struct classic *c, const char *name, const char *calc, struct err *err)
{
	union rec_any rec;
	struct source *s;
	struct results results = {0};
	int r = calc ? read_results(c, calc, &results, err) : 0;
	if (r == 0)
		r = classic_open_file(c, name, "transactions", &s, err);
	else
		s = NULL;
	while (r > 0 && (r = source_next(s, &rec, err)) > 0) {
		uint32_t k = s->key.s ? ids_find(&results.keys, s->key) : IDS_NONE;
		if (k != IDS_NONE)
			complete(s->m.info, &rec, results.recs.v[k].rec);
		if (!keep_add(&c->events, s->m.info, &rec, err))
			r = -1;
	}
	if (s)
		classic_account(c, s, 0);
	source_free(s);
	ids_release(&results.keys);
	keep_release(&results.recs);
	return r;
}
