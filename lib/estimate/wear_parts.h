/* What the parts of wear (wear.c, wear_tests.c, wear_belief.c, wear_life.c) share; for
 * lib/estimate alone. */
#ifndef ESTIMATE_WEAR_PARTS_H
#define ESTIMATE_WEAR_PARTS_H

#include "estimate/wear.h"

#define WEAR_DAYS_PER_YEAR 365.25

enum {
	WEAR_GRID = 17,
	WEAR_EXPONENTS = 9,
	WEAR_NODES = WEAR_GRID * MODES_MAX * WEAR_EXPONENTS
};

/* One mode, exponent and rate, and what follows from it. */
struct wear_node {
	double weight;   /* the sum over all is 1 */
	double rate;     /* e^y */
	double exponent; /* p */
	double used;     /* u now */
	double gassing;  /* growth of its mode */
	double soh;
	double c0, c0_var;
};

struct wear_belief {
	struct wear_node node[WEAR_NODES];
	int n;
	double fade; /* of capacity over a life: 1 - end */
};

/* Standard deviation of the ages, in lives, that a test was made of. */
double wear_spread(const struct wear *a, int test);
/* The tests untangled: each less its share of those before it has an error of its own,
 * of variance var. */
struct wear_tests {
	double share[WEAR_TESTS][WEAR_TESTS], var[WEAR_TESTS];
	double spread[WEAR_TESTS]; /* of its ages; 0 where errors do not last */
};
/* evidence: variance of what is measured, over what is supposed. */
void wear_tests_untangle(const struct wear *a, const struct battery_model *m,
	double evidence, struct wear_tests *out);
/* The capacity when new, with its variance, by the tests, each of which saw 'faded'
 * gone. Returns the ln likelihood. */
double wear_tests_say(const struct wear *a, const struct wear_tests *t,
	const double faded[WEAR_TESTS], double *c0, double *c0_var);

/* A value and its weight. Sorting is by value. */
struct wear_sample {
	double value, weight;
};
void wear_sort(struct wear_sample *s, int n);

void wear_believe(
	const struct wear *a, const struct battery_model *m, struct wear_belief *out);
/* Standard deviation of y in the population. */
double wear_rate_std(const struct battery_model *m);
/* ln of gassing over that when new, at the share of life used. */
double wear_ln_gassing(double growth, double used);
/* Median life of the population at 25 degC. */
double wear_life_days(const struct battery_model *m);
/* Lives when first seen. */
double wear_age_before(const struct wear *a, const struct battery_model *m);
/* The share of life that discharges take in a day, as they have so far. */
double wear_cycling(const struct wear *a, const struct battery_model *m);
/* What they had taken when it was first seen: as in a day since. */
double wear_damage_before(const struct wear *a, const struct battery_model *m);
/* The share of life at which capacity over rated is 'end', of a unit new at c0. */
double wear_end(double c0, double end, double exponent);

#endif
