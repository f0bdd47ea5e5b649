#include "ingest/rows_json.h"

#include <jansson.h>
#include <stdio.h>

static json_t *load(struct rows *r, struct str line)
{
	json_error_t e;
	json_t *o = json_loadb(line.s, line.len, JSON_REJECT_DUPLICATES, &e);
	if (!o)
		snprintf(r->defect, sizeof(r->defect), "not JSON: %.120s", e.text);
	else if (!json_is_object(o))
		snprintf(r->defect, sizeof(r->defect), "not a JSON object");
	if (o && json_is_object(o))
		return o;
	json_decref(o);
	r->row.defect = r->defect;
	return NULL;
}

/* Appends the value as text. Returns its length, or -1 for null and containers. */
static int64_t value_text(struct buf *b, const json_t *v)
{
	char tmp[40];
	size_t before = b->len;
	if (json_is_string(v)) {
		buf_append(b, json_string_value(v), json_string_length(v));
	} else if (json_is_integer(v)) {
		buf_printf(b, "%lld", (long long)json_integer_value(v));
	} else if (json_is_real(v)) {
		snprintf(tmp, sizeof(tmp), "%.17g", json_real_value(v));
		buf_puts(b, tmp);
	} else if (json_is_boolean(v)) {
		buf_puts(b, json_is_true(v) ? "true" : "false");
	} else {
		return -1;
	}
	return (int64_t)(b->len - before);
}

static int name_index(const struct rows *r, struct str key)
{
	for (int i = 0; i < r->nnames; i++)
		if (str_eq(r->names[i], key))
			return i;
	return -1;
}

static void take_value(struct rows *r, const char *key, const json_t *v)
{
	int i = name_index(r, str_of(key));
	if (i < 0) {
		snprintf(r->defect, sizeof(r->defect),
			"key '%.80s' is neither mapped nor ignored", key);
		r->row.defect = r->defect;
		return;
	}
	if (json_is_object(v) || json_is_array(v)) {
		snprintf(r->defect, sizeof(r->defect), "'%.80s' is not a plain value",
			key);
		r->row.defect = r->defect;
		return;
	}
	r->offsets[i] = r->cells.len;
	int64_t n = value_text(&r->cells, v);
	r->fields[i] = n < 0 ? STR_NIL : (struct str){"", (uint32_t)n};
}

int json_row(struct rows *r, struct str line, struct err *err)
{
	const char *key;
	json_t *v, *o = load(r, line);
	if (!o)
		return 1;
	buf_clear(&r->cells);
	r->row.n = r->nnames;
	for (int i = 0; i < r->nnames; i++)
		r->fields[i] = STR_NIL;
	json_object_foreach(o, key, v) take_value(r, key, v);
	json_decref(o);
	if (r->cells.failed)
		return err_nomem(err);
	for (int i = 0; i < r->nnames; i++)
		if (r->fields[i].s)
			r->fields[i].s = r->cells.data ? (const char *)r->cells.data +
								 r->offsets[i]
						       : "";
	return 1;
}

int json_keys(struct rows *r, struct str line, struct err *err)
{
	const char *key;
	json_t *v, *o = load(r, line);
	if (!o)
		return err_set(err, ERR_DATA, "'%s' line %lld: %s", r->lines.text->name,
			(long long)r->row.line, r->defect);
	buf_clear(&r->cells);
	r->row.n = 0;
	json_object_foreach(o, key, v)
	{
		if (r->row.n == ROW_FIELDS_MAX)
			break;
		r->offsets[r->row.n] = r->cells.len;
		r->fields[r->row.n++].len = (uint32_t)strlen(key);
		buf_puts(&r->cells, key);
	}
	json_decref(o);
	if (r->cells.failed)
		return err_nomem(err);
	for (int i = 0; i < r->row.n; i++)
		r->fields[i].s = r->cells.data
					 ? (const char *)r->cells.data + r->offsets[i]
					 : "";
	return 1;
}
