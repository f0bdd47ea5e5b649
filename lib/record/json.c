#include "record/json.h"

#include "record/text.h"

#include <math.h>

static struct str string_of(const json_t *v)
{
	return (struct str){json_string_value(v), (uint32_t)json_string_length(v)};
}

static const char *from_bits(const struct field_info *f, json_t *v, int32_t *out)
{
	size_t i;
	json_t *word;
	*out = 0;
	json_array_foreach(v, i, word)
	{
		int bit = json_is_string(word) ? name_value(f->names, string_of(word))
					       : -1;
		if (bit < 0)
			return "not a list of words of this field";
		*out |= BIT(bit);
	}
	return NULL;
}

static const char *from_strs(json_t *v, struct strs *out)
{
	if (json_array_size(v) > LIST_MAX)
		return "too long a list";
	out->n = (int32_t)json_array_size(v);
	for (int i = 0; i < out->n; i++) {
		json_t *s = json_array_get(v, (size_t)i);
		if (!json_is_string(s))
			return "not a list of strings";
		out->v[i] = string_of(s);
	}
	return NULL;
}

static const char *from_pairs(json_t *v, struct pairs *out)
{
	if (json_array_size(v) > LIST_MAX)
		return "too long a list";
	out->n = (int32_t)json_array_size(v);
	for (int i = 0; i < out->n; i++) {
		json_t *name = json_array_get(json_array_get(v, (size_t)i), 0);
		json_t *value = json_array_get(json_array_get(v, (size_t)i), 1);
		if (!json_is_string(name) || !json_is_number(value))
			return "not a list of [name, number]";
		out->v[i].name = string_of(name);
		out->v[i].value = (float)json_number_value(value);
	}
	return NULL;
}

static const char *from_counts(json_t *v, struct counts *out)
{
	if (json_array_size(v) > COUNTS_MAX)
		return "too long a list";
	out->n = (int32_t)json_array_size(v);
	for (int i = 0; i < out->n; i++) {
		json_t *kind = json_array_get(json_array_get(v, (size_t)i), 0);
		json_t *count = json_array_get(json_array_get(v, (size_t)i), 1);
		json_int_t number = json_integer_value(kind);
		if (!json_is_integer(kind) || !json_is_integer(count) || number < 0 ||
			number > KIND_MAX)
			return "not a list of [kind, count]";
		out->v[i].kind = (int32_t)number;
		out->v[i].count = json_integer_value(count);
	}
	return NULL;
}

static const char *from_list(const struct field_info *f, json_t *v, void *at)
{
	if (f->type == T_BITS)
		return from_bits(f, v, at);
	if (f->type == T_STRS)
		return from_strs(v, at);
	if (f->type == T_PAIRS)
		return from_pairs(v, at);
	if (f->type == T_COUNTS)
		return from_counts(v, at);
	return "a list where none is expected";
}

static const char *from_integer(const struct field_info *f, int64_t v, void *at)
{
	switch (f->type) {
	case T_TIME:
	case T_LONG:
		*(int64_t *)at = v;
		return NULL;
	case T_INT:
	case T_ENUM:
	case T_BITS:
		if (v <= INT32_MIN || v > INT32_MAX || (f->type != T_INT && v < 0))
			return "out of range";
		*(int32_t *)at = (int32_t)v;
		return NULL;
	case T_F32:
		*(float *)at = (float)v;
		return NULL;
	case T_F64:
		*(double *)at = (double)v;
		return NULL;
	case T_BOOL:
	case T_CODE:
	case T_TEXT:
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
	case T_ANY:
	case T_COUNT:
		break;
	}
	return "a number where none is expected";
}

static const char *from_string(const struct field_info *f, json_t *v, void *rec)
{
	bool words = f->type == T_TIME || f->type == T_ENUM || f->type == T_CODE ||
		     f->type == T_TEXT;
	return words ? text_parse_field(f, string_of(v), rec)
		     : "a string where none is expected";
}

static const char *from_real(const struct field_info *f, double v, void *at)
{
	if (f->type == T_F32)
		*(float *)at = (float)v;
	else if (f->type == T_F64)
		*(double *)at = v;
	else
		return "a fraction where a whole number is expected";
	return NULL;
}

static const char *from_value(const struct field_info *f, json_t *v, void *rec)
{
	void *at = (char *)rec + f->offset;
	switch (json_typeof(v)) {
	case JSON_NULL:
		return NULL;
	case JSON_STRING:
		return from_string(f, v, rec);
	case JSON_INTEGER:
		return from_integer(f, json_integer_value(v), at);
	case JSON_REAL:
		return from_real(f, json_real_value(v), at);
	case JSON_ARRAY:
		return from_list(f, v, at);
	case JSON_TRUE:
	case JSON_FALSE:
		if (f->type != T_BOOL)
			return "true or false where none is expected";
		*(int32_t *)at = json_is_true(v);
		return NULL;
	case JSON_OBJECT:
		break;
	}
	return "an object where none is expected";
}

int json_record(const struct kind_info *k, json_t *object, void *rec, struct err *err)
{
	const char *name;
	json_t *v;
	record_clear(k, rec);
	json_object_foreach(object, name, v)
	{
		if (strcmp(name, "kind") == 0)
			continue;
		int i = field_index(k, str_of(name));
		if (i < 0)
			return err_set(
				err, ERR_DATA, "%s has no field '%s'", k->name, name);
		const char *why = from_value(&k->fields[i], v, rec);
		if (why)
			return err_set(err, ERR_DATA, "%s: field '%s' is %s", k->name,
				name, why);
	}
	return 0;
}
