#include "learn/factors.h"

#include <math.h>

static const char *const NAMES_OF[GROUP_COUNT] = {"voltage", "temperature", "cycling",
	"resistance", "age", "current", "capacity", "other"};

static const struct {
	const char *prefix;
	enum cause_group group;
} RULES[] = {
	{"v_", GROUP_VOLTAGE},
	{"float_current_", GROUP_CURRENT},
	{"capacity_", GROUP_CAPACITY},
	{"discharge_imbalance_", GROUP_CAPACITY},
	{"minutes_below_float", GROUP_VOLTAGE},
	{"minutes_above_float", GROUP_VOLTAGE},
	{"ripple_", GROUP_CURRENT},
	{"thd_", GROUP_CURRENT},
	{"t_", GROUP_TEMPERATURE},
	{"hours_above_", GROUP_TEMPERATURE},
	{"arrhenius_", GROUP_TEMPERATURE},
	{"season_", GROUP_TEMPERATURE},
	{"r_", GROUP_RESISTANCE},
	{"conductance_", GROUP_RESISTANCE},
	{"i_", GROUP_CURRENT},
	{"surge_", GROUP_CURRENT},
	{"ah_", GROUP_CYCLING},
	{"equivalent_cycles", GROUP_CYCLING},
	{"discharge_", GROUP_CYCLING},
	{"deepest_", GROUP_CYCLING},
	{"age_", GROUP_AGE},
	{"initial_capacity_", GROUP_CAPACITY},
	{"deep_", GROUP_CAPACITY},
	{"twin_", GROUP_CAPACITY},
};

enum cause_group cause_of(const char *feature)
{
	for (size_t i = 0; i < sizeof(RULES) / sizeof(*RULES); i++)
		if (strncmp(feature, RULES[i].prefix, strlen(RULES[i].prefix)) == 0)
			return RULES[i].group;
	return GROUP_OTHER;
}

const char *cause_name(enum cause_group g)
{
	return NAMES_OF[g];
}

/* The group of the largest magnitude not yet taken, or -1; of equals the first. */
static int largest(const double *sum, const bool *taken)
{
	int best = -1;
	for (int g = 0; g < GROUP_COUNT; g++)
		if (!taken[g] && (best < 0 || fabs(sum[g]) > fabs(sum[best])))
			best = g;
	return best;
}

void factors_of(
	const struct feature_set *s, const float *contributions, struct pairs *out)
{
	double sum[GROUP_COUNT] = {0}, total = 0;
	bool taken[GROUP_COUNT] = {false};
	out->n = 0;
	for (int i = 0; i < s->n; i++)
		sum[cause_of(s->v[i].name)] += (double)contributions[i];
	for (int g = 0; g < GROUP_COUNT; g++)
		total += fabs(sum[g]);
	while (total > 0 && out->n < FACTORS_TOP) {
		int g = largest(sum, taken);
		if (g < 0 || fabs(sum[g]) < 0.01 * total)
			break;
		taken[g] = true;
		out->v[out->n].name = str_of(NAMES_OF[g]);
		out->v[out->n++].value = (float)(100 * sum[g] / total);
	}
}
