#include "base/parse.h"
#include "record/text.h"

static const char *parse_int(struct str s, int64_t min, int64_t max, int32_t *out)
{
	int64_t v;
	if (parse_i64(s, min, max, &v) < 0)
		return "not a whole number in range";
	*out = (int32_t)v;
	return NULL;
}

static const char *parse_time(struct str s, int64_t *out)
{
	if (time_parse_iso(s, 0, out) == 0 ||
		parse_i64(s, TIME_MIN, TIME_MAX, out) == 0)
		return NULL;
	return "not a time (ISO 8601 or ms since the epoch)";
}

static const char *parse_words(const struct field_info *f, struct str s, int32_t *out)
{
	if (parse_int(s, 0, f->type == T_BITS ? INT32_MAX : f->names->n - 1, out) ==
		NULL)
		return NULL;
	int32_t bits = 0;
	do {
		const char *semi = f->type == T_BITS ? memchr(s.s, ';', s.len) : NULL;
		uint32_t n = semi ? (uint32_t)(semi - s.s) : s.len;
		int v = name_value(f->names, (struct str){s.s, n});
		if (v < 0)
			return "not one of the words of this field";
		bits |= BIT(v);
		*out = f->type == T_BITS ? bits : v;
		s.s += n + (semi != NULL);
		s.len -= n + (semi != NULL);
	} while (s.len); /* an empty text is no word either */
	return NULL;
}

static const char *parse_float(struct str s, double *out)
{
	return parse_f64(s, out) < 0 ? "not a number" : NULL;
}

/*
 * The next word of a list: up to an unescaped ';', with its escapes removed in place. A
 * name ends at the last unescaped '=' if there is one (*value, with its length, else
 * NULL). Advances *s; false at the end of the list.
 */
struct word {
	struct str name, value;
};

static bool next_word(char **s, char *end, struct word *w)
{
	if (!*s)
		return false;
	char *from = *s, *to = *s, *eq = NULL, *p = *s;
	for (; p < end && *p != ';'; p++) {
		if (*p == '\\') {
			if (p + 1 < end)
				*to++ = *++p;
			continue;
		}
		if (*p == '=')
			eq = to;
		*to++ = *p;
	}
	char *stop = eq ? eq : to;
	w->name = (struct str){from, (uint32_t)(stop - from)};
	w->value = eq ? (struct str){eq + 1, (uint32_t)(to - eq - 1)} : STR_NIL;
	*s = p < end ? p + 1 : NULL;
	return true;
}

static const char *add_pair(struct pairs *out, const struct word *w)
{
	double v;
	if (parse_f64(w->value, &v) < 0)
		return "not a list of name=value";
	out->v[out->n].name = w->name;
	out->v[out->n++].value = (float)v;
	return NULL;
}

static const char *add_count(struct counts *out, const struct word *w)
{
	int64_t kind, count;
	if (parse_i64(w->name, 0, KIND_MAX, &kind) < 0 ||
		parse_i64(w->value, 0, INT64_MAX, &count) < 0)
		return "not a list of kind=count";
	out->v[out->n].kind = (int32_t)kind;
	out->v[out->n++].count = count;
	return NULL;
}

static const char *add_str(struct strs *out, const struct word *w)
{
	uint32_t rest =
		w->value.s ? w->value.len + 1 : 0; /* '=' is an ordinary letter */
	out->v[out->n++] = (struct str){w->name.s, w->name.len + rest};
	return NULL;
}

static const char *parse_list(const struct field_info *f, char *s, uint32_t n, void *at)
{
	int max = f->type == T_COUNTS ? COUNTS_MAX : LIST_MAX;
	int32_t *count = at; /* every list starts with its count */
	char *end = s + n;
	const char *why = NULL;
	struct word w;
	*count = 0;
	if (n == 0 || str_is((struct str){s, n}, "[]"))
		return NULL;
	while (!why && next_word(&s, end, &w)) {
		if (*count == max)
			why = "too long a list";
		else if (f->type == T_PAIRS)
			why = add_pair(at, &w);
		else if (f->type == T_COUNTS)
			why = add_count(at, &w);
		else
			why = add_str(at, &w);
	}
	return why;
}

const char *text_parse_field(const struct field_info *f, struct str s, void *rec)
{
	void *at = (char *)rec + f->offset;
	double v;
	const char *why;
	switch (f->type) {
	case T_TIME:
		return parse_time(s, at);
	case T_INT:
		return parse_int(s, INT32_MIN + 1, INT32_MAX, at);
	case T_LONG:
		return parse_i64(s, INT64_MIN + 1, INT64_MAX, at) < 0
			       ? "not a whole number"
			       : NULL;
	case T_F32:
		why = parse_float(s, &v);
		if (!why)
			*(float *)at = (float)v;
		return why;
	case T_F64:
		return parse_float(s, at);
	case T_ENUM:
	case T_BITS:
		return parse_words(f, s, at);
	case T_BOOL:
		if (!str_is(s, "true") && !str_is(s, "false"))
			return "not true or false";
		*(int32_t *)at = str_is(s, "true");
		return NULL;
	case T_CODE:
	case T_TEXT:
		*(struct str *)at = s;
		return NULL;
	case T_STRS:
	case T_PAIRS:
	case T_COUNTS:
	case T_CHAIN:
	case T_ANY:
	case T_COUNT:
		break;
	}
	return "of a type that has no text form";
}

const char *text_parse_cell(const struct field_info *f, char *s, uint32_t n, void *rec)
{
	if (f->type == T_STRS || f->type == T_PAIRS || f->type == T_COUNTS)
		return parse_list(f, s, n, (char *)rec + f->offset);
	return text_parse_field(f, (struct str){s, n}, rec);
}
