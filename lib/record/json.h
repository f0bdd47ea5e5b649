/*
 * Records from JSON objects, the inverse of text_json: "kind" names the kind, every
 * other member a field. Numbers are read with the precision of the field, times as ISO
 * 8601 or milliseconds.
 */
#ifndef RECORD_JSON_H
#define RECORD_JSON_H

#include "record/schema.h"

#include <jansson.h>

/*
 * Sets the struct 'rec' of kind k from the object; members that are absent or null are
 * missing. Strings point into the object, which must outlive rec. Returns 0, or -1 with
 * ERR_DATA naming the member: unknown field, wrong type, out of range. ('kind' itself
 * is skipped.)
 */
int json_record(const struct kind_info *k, json_t *object, void *rec, struct err *err);

#endif
