#include "ingest/cell.h"

#include "base/parse.h"

#include <math.h>
#include <stdio.h>

char *cell_text(struct str s, char *dst, size_t size)
{
	str_copy(dst, size, s);
	for (size_t i = 0; i + 1 < size && s.s && i < s.len; i++)
		if ((unsigned char)dst[i] < ' ' || (unsigned char)dst[i] > '~')
			dst[i] = '?';
	return dst;
}

/* Words in which other programs write "no value". */
static bool says_missing(struct str s)
{
	static const char *const words[] = {
		"NaN", "nan", "NULL", "null", "NA", "N/A", "None", "nil", "-"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (str_is(s, words[i]))
			return true;
	return false;
}

static int unusable(const struct binding *b, struct str s, const char *what, char *why)
{
	char text[81];
	const char *column = b->target->column;
	snprintf(why, REASON_SIZE, "column '%.80s' is no %s: '%s'",
		*column ? column : b->field->name, what,
		cell_text(s, text, sizeof(text)));
	return -1;
}

static bool is_sentinel(const struct binding *b, double v)
{
	for (int i = 0; b->sentinels && i < b->sentinels->n; i++)
		if (b->sentinels->v[i] == v)
			return true;
	return false;
}

static int set_number(
	const struct binding *b, struct str s, char *p, int32_t *quality, char *why)
{
	double v;
	if (parse_f64(s, &v) < 0)
		return says_missing(s) ? 0 : unusable(b, s, "number", why);
	if (b->sentinels && is_sentinel(b, v)) {
		if (quality)
			*quality |= BIT(quality_sentinel);
		return 1;
	}
	v = v * b->target->factor + b->target->offset;
	if (b->field->type == T_F32 && fabs(v) > 3.0e38)
		return unusable(b, s, "number of this size", why);
	if (b->field->type == T_F32)
		*(float *)(void *)p = (float)v;
	else
		*(double *)(void *)p = v;
	return 1;
}

static int set_integer(const struct binding *b, struct str s, char *p, char *why)
{
	int64_t v;
	bool small = b->field->type == T_INT;
	if (parse_i64(s, small ? -INT32_MAX : -INT64_MAX, small ? INT32_MAX : INT64_MAX,
		    &v) < 0)
		return says_missing(s) ? 0 : unusable(b, s, "whole number", why);
	if (small)
		*(int32_t *)(void *)p = (int32_t)v;
	else
		*(int64_t *)(void *)p = v;
	return 1;
}

static int truth_of(struct str s)
{
	static const char *const yes[] = {"True", "true", "TRUE", "1", "yes", "t"};
	static const char *const no[] = {"False", "false", "FALSE", "0", "no", "f"};
	for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++) {
		if (str_is(s, yes[i]))
			return 1;
		if (str_is(s, no[i]))
			return 0;
	}
	return -1;
}

static int set_truth(const struct binding *b, struct str s, char *p, char *why)
{
	int v = truth_of(s);
	if (v < 0)
		return says_missing(s) ? 0 : unusable(b, s, "true or false", why);
	int32_t *bits = (int32_t *)(void *)p;
	if (b->field->type == T_BOOL)
		*bits = v;
	else
		*bits = (*bits == BITS_NIL ? 0 : *bits) | (v ? BIT(b->target->bit) : 0);
	return 1;
}

int name_value_any_case(const struct name_set *s, struct str word)
{
	char lower[64];
	int v = name_value(s, word);
	if (v >= 0 || !str_copy(lower, sizeof(lower), word))
		return v;
	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return name_value(s, str_of(lower));
}

static int set_word(const struct convert *c, const struct binding *b, struct str s,
	char *p, char *why)
{
	int v = name_value_any_case(b->field->names, s);
	for (int i = 0; v < 0 && i < c->m->nwords; i++)
		if (c->m->words[i].field == b->target->field &&
			str_is(s, c->m->words[i].word))
			v = c->m->words[i].value;
	if (v < 0)
		return says_missing(s) ? 0 : unusable(b, s, "known word", why);
	*(int32_t *)(void *)p = v;
	return 1;
}

/* "a; b" in the room reserved for a row's texts, which must not move. Too long a
 * result is told by its length. */
static struct str join(struct buf *text, struct str a, struct str b)
{
	uint32_t n = a.len + 2 + b.len;
	if (n > text->cap - text->len)
		return (struct str){a.s, TEXT_MAX + 1};
	const char *p = (const char *)text->data + text->len;
	buf_append(text, a.s, a.len);
	buf_append(text, "; ", 2);
	buf_append(text, b.s, b.len);
	return (struct str){p, n};
}

/* Several columns of one text field are joined. */
static int set_text(
	struct convert *c, const struct binding *b, struct str s, char *p, char *why)
{
	struct str *out = (struct str *)(void *)p;
	if (b->target->table >= 0) {
		struct str v = id_table_get(&c->tables[b->target->table], s);
		if (!v.s)
			return unusable(b, s, "id the map file knows", why);
		s = v;
	}
	if (b->field->type == T_CODE) {
		if (!code_valid(s))
			return unusable(b, s, "code", why);
		*out = s;
		return 1;
	}
	if (b->again && out->s)
		s = join(&c->text, *out, s);
	if (s.len > TEXT_MAX)
		return unusable(b, s, "text of at most 4096 bytes", why);
	*out = s;
	return 1;
}

static int set_time(
	struct convert *c, const struct binding *b, struct str s, char *p, char *why)
{
	if (clock_read(&c->clock, s, 0, (int64_t *)(void *)p) < 0)
		return says_missing(s) ? 0 : unusable(b, s, "time", why);
	return 1;
}

int cell_set(struct convert *c, const struct binding *b, struct str s,
	union rec_any *rec, int32_t *quality, char *why)
{
	char *p = (char *)rec + b->field->offset;
	switch (b->field->type) {
	case T_F32:
	case T_F64:
		return set_number(b, s, p, quality, why);
	case T_INT:
	case T_LONG:
		return set_integer(b, s, p, why);
	case T_TIME:
		return set_time(c, b, s, p, why);
	case T_ENUM:
		return set_word(c, b, s, p, why);
	case T_BITS:
	case T_BOOL:
		return set_truth(b, s, p, why);
	case T_CODE:
	case T_TEXT:
		return set_text(c, b, s, p, why);
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
	case T_ANY:
	case T_COUNT:
		break;
	}
	return unusable(b, s, "plain field", why);
}

bool cell_missing(const struct field_info *f, const union rec_any *rec)
{
	const char *p = (const char *)rec + f->offset;
	switch (f->type) {
	case T_F32:
		return isnan(*(const float *)(const void *)p);
	case T_F64:
		return isnan(*(const double *)(const void *)p);
	case T_INT:
		return *(const int32_t *)(const void *)p == INT_NIL;
	case T_BITS:
		return *(const int32_t *)(const void *)p == BITS_NIL;
	case T_LONG:
	case T_TIME:
		return *(const int64_t *)(const void *)p == LONG_NIL;
	case T_ENUM:
	case T_BOOL:
		return *(const int32_t *)(const void *)p == -1;
	case T_CODE:
	case T_TEXT:
		return !((const struct str *)(const void *)p)->s;
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
	case T_ANY:
	case T_COUNT:
		break;
	}
	return false;
}
