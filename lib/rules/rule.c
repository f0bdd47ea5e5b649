#include "rules/rule.h"

#include <stdlib.h>

void rule_set_release(struct rule_set *set)
{
	free(set->text);
	set->text = NULL;
	set->text_len = 0;
	set->n = 0;
}

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

enum subject_type field_subject_type(const struct field_info *subject)
{
	if (strcmp(subject->name, "battery") == 0)
		return SUBJECT_BATTERY;
	return strcmp(subject->name, "string") == 0 ? SUBJECT_STRING : SUBJECT_OTHER;
}

bool field_is_numeric(const struct field_info *f)
{
	return f->type == T_F32 || f->type == T_F64 || f->type == T_INT ||
	       f->type == T_LONG || f->type == T_ENUM || f->type == T_BITS ||
	       f->type == T_BOOL;
}
