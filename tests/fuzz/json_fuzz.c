/*
 * Any bytes as a line of NDJSON, and as a CSV cell of every field of a kind.
 */
#include "record/codec.h"
#include "record/json.h"
#include "record/text.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What encodes must decode. */
static void encode(const struct kind_info *k, const void *rec)
{
	struct buf out = {0};
	struct err err;
	union rec_any again;
	struct schema *own = schema_native(k, &err);
	if (!own)
		abort();
	if (record_encode(own, rec, &out, &err) == 0 &&
		record_decode(own, out.data, out.len, &again, &err) < 0)
		abort();
	schema_free(own);
	buf_release(&out);
}

static void as_json(const uint8_t *data, size_t size)
{
	union rec_any rec;
	struct err err;
	json_t *v = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, NULL);
	const char *name = json_string_value(json_object_get(v, "kind"));
	const struct kind_info *k = name ? kind_by_name(str_of(name)) : NULL;
	if (k && !kind_is_frame(k->kind) && json_record(k, v, &rec, &err) == 0)
		encode(k, &rec);
	json_decref(v);
}

static void as_cells(const struct kind_info *k, struct str text)
{
	union rec_any rec;
	struct buf cells = {0}; /* a copy for each field: lists lose their escapes */
	if (buf_reserve(&cells, (size_t)k->nfields * text.len) < 0)
		abort();
	record_clear(k, &rec);
	for (int i = 0; i < k->nfields; i++) {
		char *cell = (char *)cells.data + cells.len;
		buf_append(&cells, text.s, text.len);
		if (text_parse_cell(&k->fields[i], cell, text.len, &rec))
			field_clear(&k->fields[i], &rec);
	}
	encode(k, &rec);
	buf_release(&cells);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	as_json(data, size);
	if (size > 1) {
		const struct kind_info *k = kind_at(data[0] % 20);
		if (k && !kind_is_frame(k->kind))
			as_cells(k, (struct str){(const char *)data + 1,
					    (uint32_t)size - 1});
	}
	return 0;
}
