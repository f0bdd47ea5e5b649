#include "base/ids.h"

#include <stdlib.h>

uint64_t hash_bytes(const void *p, size_t n)
{
	const uint8_t *b = p;
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3u;
	return h;
}

/* Returns the slot that holds s or the empty one where it belongs. */
static size_t probe(const struct ids *t, struct str s)
{
	size_t mask = t->nslots - 1;
	size_t i = (hash_bytes(s.s, s.len) * 0x9e3779b97f4a7c15u >> 20) & mask;
	for (;; i = (i + 1) & mask) {
		uint32_t v = t->slots[i];
		if (v == 0)
			return i;
		if (t->lens[v - 1] == s.len && memcmp(t->names[v - 1], s.s, s.len) == 0)
			return i;
	}
}

static int grow(struct ids *t)
{
	size_t nslots = t->nslots ? t->nslots * 2 : 64;
	uint32_t *slots = calloc(nslots, sizeof(*slots));
	if (!slots)
		return -1;
	free(t->slots);
	t->slots = slots;
	t->nslots = nslots;
	for (size_t id = 0; id < t->n; id++)
		t->slots[probe(t, (struct str){t->names[id], t->lens[id]})] =
			(uint32_t)id + 1;
	return 0;
}

static int grow_names(struct ids *t)
{
	size_t cap = t->cap ? t->cap * 2 : 64;
	char **names = realloc(t->names, cap * sizeof(*names));
	if (!names)
		return -1;
	t->names = names;
	uint32_t *lens = realloc(t->lens, cap * sizeof(*lens));
	if (!lens)
		return -1;
	t->lens = lens;
	t->cap = cap;
	return 0;
}

uint32_t ids_find(const struct ids *t, struct str s)
{
	if (!s.s || t->nslots == 0)
		return IDS_NONE;
	uint32_t v = t->slots[probe(t, s)];
	return v ? v - 1 : IDS_NONE;
}

uint32_t ids_intern(struct ids *t, struct str s)
{
	if (!s.s || t->n >= IDS_NONE - 1)
		return IDS_NONE;
	if (t->n * 2 >= t->nslots && grow(t) < 0)
		return IDS_NONE;
	size_t slot = probe(t, s);
	if (t->slots[slot])
		return t->slots[slot] - 1;
	if (t->n == t->cap && grow_names(t) < 0)
		return IDS_NONE;
	char *copy = malloc((size_t)s.len + 1);
	if (!copy)
		return IDS_NONE;
	memcpy(copy, s.s, s.len);
	copy[s.len] = '\0';
	t->names[t->n] = copy;
	t->lens[t->n] = s.len;
	t->slots[slot] = (uint32_t)t->n + 1;
	return (uint32_t)t->n++;
}

void ids_release(struct ids *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->names[i]);
	free(t->names);
	free(t->lens);
	free(t->slots);
	*t = (struct ids){0};
}
