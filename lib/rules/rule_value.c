#include "rules/rule_value.h"

#include "base/parse.h"

static struct str trim(struct str s)
{
	while (s.len > 0 && (*s.s == ' ' || *s.s == '\t')) {
		s.s++;
		s.len--;
	}
	while (s.len > 0 && (s.s[s.len - 1] == ' ' || s.s[s.len - 1] == '\t'))
		s.len--;
	return s;
}

bool next_part(struct str *s, char separator, struct str *part)
{
	if (!s->s)
		return false;
	const char *end = s->len ? memchr(s->s, separator, s->len) : NULL;
	uint32_t n = end ? (uint32_t)(end - s->s) : s->len;
	*part = trim((struct str){s->s, n});
	*s = end ? (struct str){end + 1, s->len - n - 1} : STR_NIL;
	return true;
}

static int reference_parse(struct str s, struct limit *out, struct err *err)
{
	if (str_is(s, "system.required_autonomy_min")) {
		out->base = LIMIT_AUTONOMY;
		return 0;
	}
	if (str_is(s, "system.design_load_a")) {
		out->base = LIMIT_LOAD;
		return 0;
	}
	if (s.len > 6 && memcmp(s.s, "model.", 6) == 0) {
		const struct kind_info *k = kind_info(KIND_battery_model);
		int f = field_index(k, (struct str){s.s + 6, s.len - 6});
		if (f >= 0 && k->fields[f].type == T_F32) {
			out->base = LIMIT_MODEL;
			out->field = &k->fields[f];
			return 0;
		}
	}
	return err_set(err, ERR_USAGE,
		"'%.*s' is neither a number nor model.FIELD, "
		"system.required_autonomy_min or system.design_load_a",
		STR_ARG(s));
}

int limit_parse(struct str s, struct limit *out, struct err *err)
{
	*out = (struct limit){LIMIT_NUMBER, NULL, 0};
	s = trim(s);
	if (parse_f64(s, &out->add) == 0)
		return 0;
	for (uint32_t i = 1; i + 1 < s.len; i++) {
		if (s.s[i - 1] != ' ' || (s.s[i] != '+' && s.s[i] != '-'))
			continue;
		struct str number = trim((struct str){s.s + i + 1, s.len - i - 1});
		double add;
		if (parse_f64(number, &add) < 0)
			return err_set(err, ERR_USAGE, "'%.*s' is not a number",
				STR_ARG(number));
		out->add = s.s[i] == '-' ? -add : add;
		return reference_parse(trim((struct str){s.s, i}), out, err);
	}
	return reference_parse(s, out, err);
}

int limits_parse(struct str s, enum condition c, struct limit *lo, struct limit *hi,
	struct err *err)
{
	struct str a, b, rest = s;
	if (c != COND_OUTSIDE)
		return limit_parse(s, c == COND_BELOW ? lo : hi, err);
	if (!next_part(&rest, ',', &a) || !next_part(&rest, ',', &b) || rest.s)
		return err_set(
			err, ERR_USAGE, "'outside' needs two limits, 'low, high'");
	if (limit_parse(a, lo, err) < 0 || limit_parse(b, hi, err) < 0)
		return -1;
	if (lo->base == hi->base && lo->field == hi->field && lo->add > hi->add)
		return err_set(err, ERR_USAGE, "low limit %g is above high %g", lo->add,
			hi->add);
	return 0;
}

int words_parse(
	struct str s, const struct name_set *set, uint32_t *out, struct err *err)
{
	struct str word;
	*out = 0;
	while (next_part(&s, ',', &word)) {
		int v = name_value(set, word);
		if (v < 0)
			return err_set(err, ERR_USAGE, "'%.*s' is no word of %s",
				STR_ARG(word), set->name);
		*out |= UINT32_C(1) << v;
	}
	return 0;
}

static int when_value(struct str s, struct when *w, struct err *err)
{
	enum field_type t = w->field->type;
	if (t == T_ENUM || t == T_BITS) {
		int v = name_value(w->field->names, s);
		w->number = v;
		if (v < 0)
			return err_set(err, ERR_USAGE, "'%.*s' is no word of %s",
				STR_ARG(s), w->field->names->name);
		if (w->op == WHEN_LT || w->op == WHEN_GT)
			return err_set(err, ERR_USAGE,
				"%s has words: only = and != apply", w->field->name);
		return 0;
	}
	if (parse_f64(s, &w->number) < 0)
		return err_set(err, ERR_USAGE, "'%.*s' is not a number", STR_ARG(s));
	return 0;
}

static int constraint_parse(
	struct str s, const struct kind_info *k, struct when *w, struct err *err)
{
	uint32_t n = 0;
	while (n < s.len && !strchr("=!<>", s.s[n]))
		n++;
	struct str name = trim((struct str){s.s, n});
	int f = field_index(k, name);
	if (n == s.len)
		return err_set(err, ERR_USAGE,
			"'%.*s' is no constraint: write FIELD = VALUE (or !=, <, >)",
			STR_ARG(s));
	if (f < 0 || !field_is_numeric(&k->fields[f]))
		return err_set(err, ERR_USAGE, "kind %s has no field '%.*s' to compare",
			k->name, STR_ARG(name));
	w->field = &k->fields[f];
	uint32_t op = 1;
	if (s.s[n] == '!') {
		if (n + 1 >= s.len || s.s[n + 1] != '=')
			return err_set(err, ERR_USAGE, "'!' must be followed by '='");
		w->op = WHEN_NE;
		op = 2;
	} else {
		w->op = s.s[n] == '=' ? WHEN_EQ : s.s[n] == '<' ? WHEN_LT : WHEN_GT;
	}
	return when_value(trim((struct str){s.s + n + op, s.len - n - op}), w, err);
}

int when_parse(struct str s, const struct kind_info *k, struct when *out, int *n,
	struct err *err)
{
	struct str part;
	*n = 0;
	while (next_part(&s, ',', &part)) {
		if (*n == RULE_WHEN_MAX)
			return err_set(err, ERR_USAGE, "more than %d constraints",
				RULE_WHEN_MAX);
		if (constraint_parse(part, k, &out[*n], err) < 0)
			return -1;
		(*n)++;
	}
	return 0;
}
