/*
 * Any bytes as a stream: frames, schema records, decoding by them, text, encoding
 * again. What decodes must encode, and what was encoded must decode to the same bytes.
 */
#include "record/codec.h"
#include "record/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct kind_info *k, const void *rec)
{
	struct buf a = {0}, b = {0};
	union rec_any out;
	struct err err;
	struct schema *own = schema_native(k, &err);
	if (!own || record_encode(own, rec, &a, &err) < 0 ||
		record_decode(own, a.data, a.len, &out, &err) < 0 ||
		record_encode(own, &out, &b, &err) < 0 || a.len != b.len ||
		memcmp(a.data, b.data, a.len) != 0)
		abort();
	schema_free(own);
	buf_release(&a);
	buf_release(&b);
}

static void one(struct schema **schemas, int kind, const uint8_t *p, size_t n)
{
	union rec_any any;
	struct err err;
	struct buf text = {0};
	if (kind == KIND_schema) {
		struct schema *s = schema_parse(p, n, &err);
		if (s) {
			schema_free(schemas[s->kind]);
			schemas[s->kind] = s;
		}
	} else if (kind == KIND_origin || kind == KIND_end) {
		frame_decode(kind, p, n, &any, &err);
	} else if (schemas[kind]) {
		const struct schema *s = schemas[kind];
		if (s->info && record_decode(s, p, n, &any, &err) == 0)
			again(s->info, &any);
		record_peek_ts(s, p, n);
		record_peek_subject(s, p, n);
		text_json(s, p, n, NULL, &text, &err);
		for (int i = 0; i < s->nfields; i++)
			text_cell(s, p, n, i, true, &text, &err);
	}
	text_json_any(p, n, &text, &err);
	buf_release(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema *schemas[KIND_MAX + 1] = {NULL};
	struct err err;
	for (size_t at = 0; at < size;) {
		int kind = 0;
		int64_t n = record_frame(data + at, size - at, &kind, &err);
		if (n <= 0)
			break;
		one(schemas, kind, data + at, (size_t)n);
		at += (size_t)n;
	}
	for (int k = 0; k <= KIND_MAX; k++)
		schema_free(schemas[k]);
	return 0;
}
