#include "learn/features.h"

#include <math.h>

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
	s->v[s->n++] = (struct feature_def){f->name, f->unit, f};
}

void feature_set_all(struct feature_set *s)
{
	const struct kind_info *k = kind_info(KIND_feature);
	s->n = 0;
	for (int i = 0; i < k->nfields; i++)
		if (describes_battery(&k->fields[i]))
			append(s, &k->fields[i]);
}

int feature_set_add(struct feature_set *s, struct str name)
{
	const struct kind_info *k = kind_info(KIND_feature);
	int i = field_index(k, name);
	if (i < 0 || !describes_battery(&k->fields[i]) || s->n >= FIELDS_MAX)
		return -1;
	append(s, &k->fields[i]);
	return 0;
}

void feature_values(
	const struct feature_set *s, const struct rec_feature *r, float *out)
{
	for (int i = 0; i < s->n; i++) {
		const char *at = (const char *)r + s->v[i].field->offset;
		float v = NAN;
		if (s->v[i].field->type == T_F32) {
			memcpy(&v, at, sizeof(v));
		} else {
			int32_t n;
			memcpy(&n, at, sizeof(n));
			if (n != INT_NIL)
				v = (float)n;
		}
		out[i] = isfinite(v) ? v : NAN;
	}
}
