#include "rules/rule.h"

#include <math.h>

int rule_find(const struct rule_set *set, const char *name)
{
	for (int i = 0; i < set->n; i++)
		if (strcmp(set->rules[i].name, name) == 0)
			return i;
	return -1;
}

const struct field_info *kind_subject(const struct kind_info *k)
{
	static const char *const names[] = {"battery", "string", "sensor", "subject"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int f = field_index(k, str_of(names[i]));
		if (f >= 0 && k->fields[f].type == T_CODE)
			return &k->fields[f];
	}
	return NULL;
}

bool field_is_numeric(const struct field_info *f)
{
	return f->type == T_F32 || f->type == T_F64 || f->type == T_INT ||
	       f->type == T_LONG || f->type == T_ENUM || f->type == T_BITS ||
	       f->type == T_BOOL;
}

static double nil_or(int64_t v, int64_t nil)
{
	return v == nil ? NAN : (double)v;
}

double field_number(const struct field_info *f, const void *rec)
{
	const void *p = (const char *)rec + f->offset;
	if (f->type == T_F32)
		return *(const float *)p;
	if (f->type == T_F64)
		return *(const double *)p;
	if (f->type == T_LONG)
		return nil_or(*(const int64_t *)p, LONG_NIL);
	if (f->type == T_INT)
		return nil_or(*(const int32_t *)p, INT_NIL);
	if (f->type == T_ENUM)
		return nil_or(*(const int32_t *)p, ENUM_NIL);
	if (f->type == T_BITS)
		return nil_or(*(const int32_t *)p, BITS_NIL);
	if (f->type == T_BOOL)
		return nil_or(*(const int32_t *)p, BOOL_NIL);
	return NAN;
}
