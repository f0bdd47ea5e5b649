/*
 * One walk over a state serves both ways, writing and reading it, so that what is
 * written is what is read:
 *
 *	struct walk k = {.out = buf};			writes
 *	struct walk k = {.in = bytes, .left = n};	reads
 *	walk_bytes(&k, &state->x, sizeof(state->x)); …
 *	if (k.failed) …
 *
 * A failure (the input ends too early, memory runs out) sticks. The bytes are those of
 * this build on this machine: a heading with version and sizes belongs before them.
 */
#ifndef BASE_WALK_H
#define BASE_WALK_H

#include "base/buf.h"
#include "base/err.h"

struct walk {
	struct buf *out; /* NULL: reading */
	const uint8_t *in;
	size_t left;
	bool failed;
};

/* n bytes from or to p. */
void walk_bytes(struct walk *k, void *p, size_t n);
/* A number below 2^32: n when writing, the one read (0 after a failure) when reading.
 */
uint32_t walk_number(struct walk *k, size_t n);
/* A text: s when writing, the one read, valid as long as the input, when reading. */
struct str walk_text(struct walk *k, struct str s);

/*
 * Element i of an array (base/grow.h) where there may be none: writes whether it 'has'
 * one, and it, or reads both and makes room. True when it is there; false when not, or
 * after a failure.
 */
bool walk_element(
	struct walk *k, bool has, void *array, size_t *cap, size_t i, size_t size);

/*
 * Begins reading a state behind its heading, which must be 'want', byte for byte.
 * Returns 0, or -1 with ERR_USAGE when it is not.
 */
int walk_open(
	struct walk *k, const struct buf *in, const struct buf *want, struct err *err);
/* Was all of the state read, and nothing else? 0, or -1 with ERR_IO: it is damaged. */
int walk_end(const struct walk *k, struct err *err);

#endif
