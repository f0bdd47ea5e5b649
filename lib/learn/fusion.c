#include "learn/fusion.h"

#include "base/parse.h"

#include <math.h>

int fusion_parse(const char *text, struct fusion *f, struct err *err)
{
	double w;
	static const char *const names[] = {
		"fixed", "variance", "adaptive", "evidence"};
	for (int i = FUSION_FIXED; i <= FUSION_EVIDENCE; i++)
		if (strcmp(text, names[i]) == 0) {
			*f = (struct fusion){(enum fusion_rule)i, 0.6};
			return 0;
		}
	if (strncmp(text, "fixed:", 6) != 0 || parse_f64(str_of(text + 6), &w) < 0 ||
		w < 0 || w > 1)
		return err_set(err, ERR_USAGE,
			"--fusion: '%s' is not evidence, fixed:WEIGHT (0 to 1), "
			"variance or adaptive",
			text);
	*f = (struct fusion){FUSION_FIXED, w};
	return 0;
}

static bool says(const struct estimate *e)
{
	return isfinite(e->rul);
}

static double width(const struct estimate *e)
{
	return e->upper - e->lower;
}

static double weight_of(const struct fusion *f, const struct estimate *ml,
	const struct estimate *twin, double twin_nis)
{
	double a = width(ml), b = width(twin);
	if (f->rule == FUSION_FIXED || f->rule == FUSION_EVIDENCE || !(a > 0) ||
		!(b > 0))
		return f->weight;
	double inflated = f->rule == FUSION_ADAPTIVE && twin_nis > 1 ? twin_nis : 1;
	return b * b * inflated / (a * a + b * b * inflated);
}

/* One side missing: the other speaks. */
static double mix(double w, double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) ? b : a;
	return w * a + (1 - w) * b;
}

static double least(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : fmin(a, b);
}

static double most(double a, double b)
{
	return isnan(a) ? b : isnan(b) ? a : fmax(a, b);
}

static struct estimate blend(
	double w, const struct estimate *ml, const struct estimate *twin, bool conflict)
{
	struct estimate e = {.rul = mix(w, ml->rul, twin->rul),
		.lower = mix(w, ml->lower, twin->lower),
		.upper = mix(w, ml->upper, twin->upper),
		.p_fail_30d = mix(w, ml->p_fail_30d, twin->p_fail_30d),
		.p_fail_90d = mix(w, ml->p_fail_90d, twin->p_fail_90d),
		.confidence = mix(w, ml->confidence, twin->confidence)};
	if (conflict) {
		e.lower =
			least(least(ml->lower, twin->lower), least(ml->rul, twin->rul));
		e.upper = most(most(ml->upper, twin->upper), most(ml->rul, twin->rul));
		e.confidence *= 0.5;
	}
	/* Bounds of one opinion alone need not hold the mean of two. */
	if (!isnan(e.lower))
		e.lower = fmin(e.lower, e.rul);
	if (!isnan(e.upper))
		e.upper = fmax(e.upper, e.rul);
	return e;
}

struct estimate fusion_of(const struct fusion *f, const struct estimate *ml,
	const struct estimate *twin, double trust, double twin_nis, double *weight,
	int32_t *flags)
{
	if (!says(ml) && !says(twin)) {
		*weight = NAN;
		return ESTIMATE_NONE;
	}
	if (!says(ml) || (trust <= 0 && says(twin))) {
		*weight = 0;
		*flags |= BIT(rul_flags_fallback);
		return *twin;
	}
	if (!says(twin)) {
		*weight = 1;
		return *ml;
	}
	double w = weight_of(f, ml, twin, twin_nis) * trust;
	bool conflict =
		fabs(ml->rul - twin->rul) > FUSION_CONFLICT * fmax(ml->rul, twin->rul);
	if (conflict)
		*flags |= BIT(rul_flags_conflict);
	*weight = w;
	return blend(w, ml, twin, conflict);
}

double estimate_confidence(double rul, double lower, double upper)
{
	double half = (upper - lower) / 2;
	if (isnan(half) || !(rul >= 0))
		return NAN;
	return rul + half > 0 ? rul / (rul + half) : 0;
}
