#include "learn/features.h"

static bool describes_battery(const struct field_info *f)
{
	static const char *const window[] = {"ts", "battery", "unit", "window_h",
		"count", "coverage", "gap_count", "r_slope_stderr"};
	for (size_t i = 0; i < sizeof(window) / sizeof(*window); i++)
		if (strcmp(f->name, window[i]) == 0)
			return false;
	return f->type == T_F32 || f->type == T_INT;
}

static void append(struct feature_set *s, const struct field_info *f)
{
	s->v[s->n++] = (struct feature_def){f->name, f->unit, f, 0};
}

static void append_twin(struct feature_set *s, int word)
{
	s->v[s->n++] = (struct feature_def){
		TWIN_NAMES[word].name, TWIN_NAMES[word].unit, NULL, word};
}

void feature_set_all(struct feature_set *s)
{
	const struct kind_info *k = kind_info(KIND_feature);
	s->n = 0;
	for (int i = 0; i < k->nfields; i++)
		if (describes_battery(&k->fields[i]))
			append(s, &k->fields[i]);
	for (int i = 0; i < TWIN_WORDS; i++)
		append_twin(s, i);
}

int feature_set_add(struct feature_set *s, struct str name)
{
	const struct kind_info *k = kind_info(KIND_feature);
	int i = field_index(k, name);
	for (int t = 0; t < TWIN_WORDS && s->n < FIELDS_MAX; t++)
		if (str_is(name, TWIN_NAMES[t].name)) {
			append_twin(s, t);
			return 0;
		}
	if (i < 0 || !describes_battery(&k->fields[i]) || s->n >= FIELDS_MAX)
		return -1;
	append(s, &k->fields[i]);
	return 0;
}

bool feature_is_twin(const char *name)
{
	for (int t = 0; t < TWIN_WORDS; t++)
		if (strcmp(name, TWIN_NAMES[t].name) == 0)
			return true;
	return false;
}

static float field_value(const struct field_info *f, const struct rec_feature *r)
{
	const char *at = (const char *)r + f->offset;
	if (f->type == T_F32) {
		float v;
		memcpy(&v, at, sizeof(v));
		return v;
	}
	int32_t n;
	memcpy(&n, at, sizeof(n));
	return n == INT_NIL ? NAN : (float)n;
}

void feature_values(const struct feature_set *s, const struct rec_feature *r,
	const struct twin_word *t, float *out)
{
	for (int i = 0; i < s->n; i++) {
		const struct feature_def *d = &s->v[i];
		float v = d->field ? field_value(d->field, r) : (float)t->v[d->twin];
		out[i] = isfinite(v) ? v : NAN;
	}
}
