/*
 * Two opinions of a battery's remaining life, the learned model's and the twin's, made
 * one; and the date to act on it. Days throughout.
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

enum fusion_rule { FUSION_FIXED, FUSION_VARIANCE };

struct fusion {
	enum fusion_rule rule;
	double weight; /* of the learned model, for FUSION_FIXED */
};

/* The opinions differ by more than this share of the larger: conflict. */
#define FUSION_CONFLICT 0.30
/* What is left of the model's weight outside the range it was trained on. [E] */
#define FUSION_LEAN (1.0 / 3.0)

/* "fixed:0.6" (0 to 1), "fixed" (0.6) or "variance". Returns 0, or -1 with ERR_USAGE.
 */
int fusion_parse(const char *text, struct fusion *f, struct err *err);

static const struct estimate ESTIMATE_NONE = {__builtin_nan(""), __builtin_nan(""),
	__builtin_nan(""), __builtin_nan(""), __builtin_nan(""), __builtin_nan("")};

/*
 * Fuses. 'doubt' lowers the model's weight to FUSION_LEAN of it (out of range,
 * starved). fused = w·ml + (1-w)·twin, for the estimate, its bounds and the
 * probabilities; under conflict the bounds span both opinions and the confidence
 * halves. With one opinion it is that one (the twin's alone: flag fallback); with none
 * everything is missing. variance: weights by the inverse squares of the interval
 * widths, fixed where an opinion has no bounds. Sets *weight (of ml; NaN without any
 * opinion) and adds to *flags (BIT(rul_flags_…)).
 */
struct estimate fusion_of(const struct fusion *f, const struct estimate *ml,
	const struct estimate *twin, bool doubt, double *weight, int32_t *flags);

/* Heuristic 0 to 1: 1 for an interval without width, 0.5 when half its width equals the
 * estimate. NaN without bounds. */
double estimate_confidence(double rul, double lower, double upper);

/*
 * The last good date to replace: the last midnight (UTC) not after the lower bound that
 * lies in the cool season, November to February, when batteries and people stand the
 * work best; the lower bound's own midnight when none is left from now on; never before
 * ts. TIME_NIL when lower is missing.
 */
int64_t replace_by(int64_t ts, double lower_days);

#endif
