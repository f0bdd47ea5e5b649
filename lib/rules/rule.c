#include "rules/rule.h"

#include "base/parse.h"

#include <stdlib.h>

void rule_set_release(struct rule_set *set)
{
	free(set->text);
	set->text = NULL;
	set->text_len = 0;
	set->n = set->nvariants = set->nseasons = 0;
	memset(set->varied, 0, sizeof(set->varied));
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

bool place_covers(const char *place, struct str code)
{
	size_t n = strlen(place);
	return n == 0 || (code.len >= n && memcmp(code.s, place, n) == 0 &&
				 (code.len == n || code.s[n] == '-'));
}

/* "02-16" as 216, or -1. */
static int day_parse(struct str s)
{
	static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t month, day;
	if (s.len != 5 || s.s[2] != '-' ||
		parse_i64((struct str){s.s, 2}, 1, 12, &month) < 0 ||
		parse_i64((struct str){s.s + 3, 2}, 1, days[month - 1], &day) < 0)
		return -1;
	return (int)(100 * month + day);
}

int season_parse(struct str s, struct season *out)
{
	if (s.len != 12 || memcmp(s.s + 5, "..", 2) != 0)
		return -1;
	out->from = day_parse((struct str){s.s, 5});
	out->to = day_parse((struct str){s.s + 7, 5});
	return out->from < 0 || out->to < 0 ? -1 : 0;
}

static bool in_season(const struct season *s, int day)
{
	return s->from <= s->to ? day >= s->from && day <= s->to
				: day >= s->from || day <= s->to;
}

int rule_variant(const struct rule_set *set, int rule, struct str code, int day)
{
	size_t best_score = 0;
	int best = -1;
	for (int i = 0; i < set->nvariants; i++) {
		const struct variant *v = &set->variants[i];
		if (v->rule != rule || !place_covers(v->place, code) ||
			(v->season >= 0 && !in_season(&set->seasons[v->season], day)))
			continue;
		size_t score = 2 * strlen(v->place) + (v->season >= 0);
		if (best < 0 || score >= best_score) {
			best = i;
			best_score = score;
		}
	}
	return best;
}
