/*
 * All schemas one process has met. Equal declarations are one object, so that
 * comparing two schemas is comparing two pointers. Nothing is freed before the end:
 * a stream declares a few dozen schemas in all, and the count is bounded.
 */
#ifndef STREAM_SCHEMAS_H
#define STREAM_SCHEMAS_H

#include "record/schema.h"

enum { SCHEMAS_MAX = 4096 };

struct schemas {
	struct schema **v;
	size_t n, cap;
};

/* The schema a schema record declares. NULL with ERR_DATA (malformed, too many) or
 * ERR_IO. */
struct schema *schemas_add(
	struct schemas *t, const uint8_t *wire, size_t n, struct err *err);
/* This build's own schema of a kind. */
struct schema *schemas_native(
	struct schemas *t, const struct kind_info *k, struct err *err);
void schemas_release(struct schemas *t);

#endif
