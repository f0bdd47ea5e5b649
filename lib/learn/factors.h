/*
 * Why: SHAP contributions of a prediction, gathered by physical cause.
 */
#ifndef LEARN_FACTORS_H
#define LEARN_FACTORS_H

#include "learn/features.h"

enum cause_group {
	GROUP_VOLTAGE,
	GROUP_TEMPERATURE,
	GROUP_CYCLING,
	GROUP_RESISTANCE,
	GROUP_AGE,
	GROUP_CURRENT,
	GROUP_CAPACITY,
	GROUP_OTHER,
	GROUP_COUNT
};

enum { FACTORS_TOP = 5 };

/* The cause a feature belongs to, by its name. */
enum cause_group cause_of(const char *feature);
const char *cause_name(enum cause_group g);

/*
 * From the contributions of one row (s->n values on the log-time margin) the causes
 * with the largest share, at most FACTORS_TOP: share of the sum of magnitudes in
 * percent, negative where the cause shortens the life. Shares under 1 % are left out;
 * names are static. n is 0 when nothing contributes.
 */
void factors_of(
	const struct feature_set *s, const float *contributions, struct pairs *out);

#endif
