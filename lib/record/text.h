/*
 * Records as text, driven by their schema, so that kinds and fields unknown to this
 * build show as well: NDJSON (one object a line, "kind" first), CSV cells and table
 * cells. Numbers are printed with the fewest digits that read back as the same float;
 * times as ISO 8601 UTC; enumerations as words, bit sets as lists of words; missing as
 * null (JSON) or empty (CSV).
 */
#ifndef RECORD_TEXT_H
#define RECORD_TEXT_H

#include "record/schema.h"

/* Appends a JSON string with quotes; nil gives null. Bytes that are not UTF-8 become
 * U+FFFD. */
void text_json_string(struct str s, struct buf *out);
/* The shortest decimal that strtof / strtod turns back into v; NaN gives null. */
void text_f32(float v, struct buf *out);
void text_f64(double v, struct buf *out);

/*
 * Appends one record as a JSON object without newline. only: NULL, or a bit per field
 * of s to print. Returns 0, or -1 with ERR_DATA when the bytes are malformed.
 */
int text_json(const struct schema *s, const uint8_t *p, size_t len, const bool *only,
	struct buf *out, struct err *err);
/* Any msgpack value as JSON; for kinds without a schema and for frame records. */
int text_json_any(const uint8_t *p, size_t len, struct buf *out, struct err *err);

/*
 * One cell as CSV text (quoted where RFC 4180 wants it): the value of field i of the
 * record. Lists become "a;b" (strs), "name=value;…" (pairs). Missing is empty; an empty
 * text is "".
 */
int text_cell(const struct schema *s, const uint8_t *p, size_t len, int field,
	bool quote, struct buf *out, struct err *err);

/*
 * The other way: sets field f of the struct 'rec' of its kind from text as text_cell
 * writes it. Strings point into s. Returns NULL, or what is wrong with it.
 */
const char *text_parse_field(const struct field_info *f, struct str s, void *rec);

#endif
