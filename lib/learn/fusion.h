/*
 * Two opinions of a battery's remaining life, the learned model's and the twin's, made
 * one. Days throughout.
 */
#ifndef LEARN_FUSION_H
#define LEARN_FUSION_H

#include "base/err.h"
#include "record/kinds.h"

/* One opinion. NaN is "does not say"; without rul there is no opinion. */
struct estimate {
	double rul, lower, upper;
	double p_fail_30d, p_fail_90d;
	double confidence;
};

enum fusion_rule { FUSION_FIXED, FUSION_VARIANCE, FUSION_ADAPTIVE, FUSION_EVIDENCE };

struct fusion {
	enum fusion_rule rule;
	double weight; /* of the learned model: FUSION_FIXED, and without bounds */
};

/* The opinions differ by more than this share of the larger: conflict. */
#define FUSION_CONFLICT 0.30

/* "evidence", "fixed:0.6" (0 to 1), "fixed" (0.6), "variance" or "adaptive". Returns 0,
 * or -1 with ERR_USAGE. */
int fusion_parse(const char *text, struct fusion *f, struct err *err);

static const struct estimate ESTIMATE_NONE = {__builtin_nan(""), __builtin_nan(""),
	__builtin_nan(""), __builtin_nan(""), __builtin_nan(""), __builtin_nan("")};

/*
 * Fuses: w·ml + (1-w)·twin, for the estimate, its bounds and the probabilities; under
 * conflict the bounds span both opinions and the confidence halves.
 *
 * fixed: w as asked for. evidence: the same, w being what the caller found in the model
 * (weights.h), 0.6 where it has none; the caller then gives it the bounds of the
 * model's table of fused estimates, if it has one. variance: weights by the inverse
 * squares of the interval widths, fixed where an opinion has no bounds. adaptive: the
 * same, with the twin's variance times its recent normalised innovation squared where
 * that is over 1 (its voltages then miss by more than it allows for: the consistency
 * test of Bar-Shalom, Li, Kirubarajan 2001, section 5.4); twin_nis NaN for unknown
 * counts as 1.
 *
 * trust, 0 to 1, multiplies w: less than 1 where the model is outside what it knows.
 *
 * With one opinion it is that one (the twin's alone, or no trust: flag fallback); with
 * none everything is missing. Sets *weight (of ml; NaN without any opinion) and adds to
 * *flags (BIT(rul_flags_…)).
 */
struct estimate fusion_of(const struct fusion *f, const struct estimate *ml,
	const struct estimate *twin, double trust, double twin_nis, double *weight,
	int32_t *flags);

/* Heuristic 0 to 1: 1 for an interval without width, 0.5 when half its width equals the
 * estimate. NaN without bounds. */
double estimate_confidence(double rul, double lower, double upper);

#endif
