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
/* The shortest decimal that strtof / strtod turns back into v; null when v is not
 * finite. */
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
 * One cell: the value of field i of the record, quoted where RFC 4180 wants it or where
 * a reader would trim it, if 'quote'. Lists become words joined by ';', with a
 * backslash before ';' and backslash in a word: "a;b" (strs), "name=value;…" (pairs,
 * '=' escaped too), "kind=count;…" (counts); "[]" is the empty list, a lone backslash
 * the list of one empty word. Missing, and a number that is not finite, is empty; an
 * empty text is "" when quoted. Returns 0, or -1 with ERR_DATA when the bytes are
 * malformed.
 */
int text_cell(const struct schema *s, const uint8_t *p, size_t len, int field,
	bool quote, struct buf *out, struct err *err);
/* Quotes out[from…] as RFC 4180 wants it; always when 'force'. */
void text_quote(struct buf *out, size_t from, bool force);

/*
 * Appends s as people read it in a terminal: control characters and those that reorder
 * text are escaped (\n, \x1b, \u202e), bytes that are not UTF-8 become U+FFFD. Returns
 * the columns it takes: one a character, none for marks that combine with the letter
 * before, two for wide ones. The locale plays no part.
 */
uint32_t text_show(struct str s, struct buf *out);

/*
 * The other way: sets field f of the struct 'rec' of its kind from text as text_cell
 * writes it without quotes. Strings point into s. Returns NULL, or what is wrong with
 * it. text_parse_cell reads every type and removes escapes from lists in place;
 * text_parse_field leaves s alone and refuses lists.
 */
const char *text_parse_cell(const struct field_info *f, char *s, uint32_t n, void *rec);
const char *text_parse_field(const struct field_info *f, struct str s, void *rec);

#endif
