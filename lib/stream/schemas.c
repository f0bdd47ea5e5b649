#include "stream/schemas.h"

#include <stdlib.h>
#include <string.h>

static struct schema *keep(struct schemas *t, struct schema *s, struct err *err)
{
	if (!s)
		return NULL;
	for (size_t i = 0; i < t->n; i++)
		if (schema_same(t->v[i], s)) {
			schema_free(s);
			return t->v[i];
		}
	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 64;
		struct schema **v =
			cap <= SCHEMAS_MAX ? realloc(t->v, cap * sizeof(*v)) : NULL;
		if (!v) {
			schema_free(s);
			err_set(err, ERR_DATA, "more than %d different schemas",
				SCHEMAS_MAX);
			return NULL;
		}
		t->v = v;
		t->cap = cap;
	}
	return t->v[t->n++] = s;
}

struct schema *schemas_add(
	struct schemas *t, const uint8_t *wire, size_t n, struct err *err)
{
	return keep(t, schema_parse(wire, n, err), err);
}

struct schema *schemas_native(
	struct schemas *t, const struct kind_info *k, struct err *err)
{
	return keep(t, schema_native(k, err), err);
}

void schemas_release(struct schemas *t)
{
	for (size_t i = 0; i < t->n; i++)
		schema_free(t->v[i]);
	free(t->v);
	*t = (struct schemas){0};
}
