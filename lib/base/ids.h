/*
 * Interning: each distinct string gets the next small number (0, 1, 2 …), so that
 * per-battery state is an array indexed by it. Numbers are given in order of first
 * appearance, which makes everything that iterates over them deterministic.
 * Not thread-safe. Memory is bounded by the number of distinct strings.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include "base/str.h"

#define IDS_NONE UINT32_MAX

struct ids {
	uint32_t *slots; /* open addressing: id + 1, 0 empty */
	size_t nslots;
	char **names; /* by id, NUL-terminated, owned */
	uint32_t *lens;
	size_t n, cap;
};

/* The id of s, a new one if unseen. Returns IDS_NONE when out of memory or s is nil. */
uint32_t ids_intern(struct ids *t, struct str s);
/* The id of s, or IDS_NONE when it was never interned. */
uint32_t ids_find(const struct ids *t, struct str s);
/* The string of id (< t->n); valid until ids_release. */
static inline const char *ids_name(const struct ids *t, uint32_t id)
{
	return t->names[id];
}
void ids_release(struct ids *t);

/* FNV-1a over n bytes: stable across machines and runs, for ids that must not change.
 */
uint64_t hash_bytes(const void *p, size_t n);

#endif
