/* One cell to one field, for convert.c. */
#ifndef INGEST_CELL_H
#define INGEST_CELL_H

#include "ingest/convert.h"

/*
 * Sets b's field of *rec from the text s (not empty). Returns 1 when it holds a value
 * or a sentinel (then quality gets its bit and the field stays missing), 0 when the
 * text says "missing", -1 with why[REASON_SIZE].
 */
int cell_set(struct convert *c, const struct binding *b, struct str s,
	union rec_any *rec, int32_t *quality, char *why);
/* As name_value, also for a word in capitals. */
int name_value_any_case(const struct name_set *s, struct str word);
bool cell_missing(const struct field_info *f, const union rec_any *rec);
/* s for a message: cut to size, unprintable bytes shown as '?'. Returns dst. */
char *cell_text(struct str s, char *dst, size_t size);

#endif
