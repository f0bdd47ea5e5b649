/*
 * The codec: records between C structs and their msgpack bytes, driven by a schema.
 *
 *	[kind, field, field, …]
 *
 * Every length is checked against the bytes at hand and against the bounds in kinds.h
 *before it is believed. Floats on the wire are finite; missing is nil. For a field
 *declared F32 the reader also takes float64 and integers (other languages write them
 *so).
 */
#ifndef RECORD_CODEC_H
#define RECORD_CODEC_H

#include "record/schema.h"

/*
 * Finds the end of the record at p, of which n bytes are at hand. Returns its length; 0
 * when more bytes are needed; -1 with ERR_DATA when it cannot be a record (not an
 * array, first element no kind number, over RECORD_MAX or DEPTH_MAX). *kind is set when
 * the length is > 0.
 */
int64_t record_frame(const uint8_t *p, size_t n, int *kind, struct err *err);

/*
 * Decodes the record of len bytes at p, of the kind and layout s declares, into the
 * struct 'rec' of that kind (s->info not NULL). Fields the stream does not have are
 * missing; strings point into p. Returns 0, or -1 with ERR_DATA naming kind and field:
 * wrong type, over a bound, not finite, nil where a value is needed, too many or too
 * few elements.
 */
int record_decode(const struct schema *s, const uint8_t *p, size_t len, void *rec,
	struct err *err);

/* Decodes a frame record (origin, end), whose layout is fixed. As record_decode. */
int frame_decode(int kind, const uint8_t *p, size_t len, void *rec, struct err *err);

/*
 * Appends the record to 'out', laid out as s declares (fields of s we do not know
 * become nil). Returns 0, or -1 with ERR_DATA naming the field: a needed field is
 * missing, a string or list over its bound, a number not finite; 'out' is then
 * unchanged. Out of memory: ERR_IO.
 */
int record_encode(
	const struct schema *s, const void *rec, struct buf *out, struct err *err);
/* As record_encode in our own layout; for frame records as well. */
int record_encode_native(
	const struct kind_info *k, const void *rec, struct buf *out, struct err *err);

/*
 * Decodes only the field 'ts' (or, for master records, nothing): for merging by time
 * without a full decode. Returns TIME_NIL where there is none.
 */
int64_t record_peek_ts(const struct schema *s, const uint8_t *p, size_t len);

/*
 * The code a record is about: its field battery, subject, code, string or sensor, in
 * that order. Points into p; nil where there is none.
 */
struct str record_peek_subject(const struct schema *s, const uint8_t *p, size_t len);

#endif
