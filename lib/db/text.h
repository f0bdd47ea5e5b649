/* Text as both databases take it. */
#ifndef DB_TEXT_H
#define DB_TEXT_H

#include "base/buf.h"
#include "record/kinds.h"

/* Valid UTF-8 (RFC 3629) without a zero byte, which PostgreSQL refuses. */
bool text_storable(const void *p, size_t n);
/* Append a list as JSON: [["name",0.25],…] and ["text",…]. Return the bytes written, 0
 * when the list is missing. */
size_t text_pairs(const struct pairs *p, struct buf *out);
size_t text_strs(const struct strs *p, struct buf *out);

#endif
