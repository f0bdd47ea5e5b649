/*
 * Slow ageing of one unit, and the life that remains. Capacity over rated follows the
 * compact law of the fact sheet (section 4):
 *
 *	SOH = c0·(1 - 0.2·(exp(y)·x)^p)
 *
 * x is the age the unit has lived, in median lives at 25 degC, each hour weighted by
 * Arrhenius; p is the model file's ageing_exponent (2 to 3); c0 its capacity when new;
 *y the log of its own rate of ageing against the population. Both are states with a 2x2
 *covariance: c0 spreads as the maker's capacities do, y as the log life of the Weibull
 *distribution in the model file (std 1.283/shape), so that before any measurement the
 *answer is the population's. A measured capacity moves both: the young unit's c0, the
 *old unit's y. So the remaining life is never a straight line through two points.
 */
#ifndef ESTIMATE_AGEING_H
#define ESTIMATE_AGEING_H

#include "battery/model.h"

#include <stdbool.h>

struct ageing {
	double c0, y;         /* states */
	double pcc, pcy, pyy; /* their covariance */
	double age;           /* x */
	double life_days;     /* median life at 25 degC */
	double prior_ln_std;  /* of y before anything was measured, and the future's */
	bool measured;        /* a capacity has been */
	double exponent;      /* p */
};

/* What is known of a unit when it is first seen. Unknown: NaN. */
struct ageing_start {
	double age_days;            /* since installation */
	double acceleration;        /* of ageing so far, 1 = as at 25 degC */
	double initial_capacity_ah; /* measured when installed */
};

void ageing_init(
	struct ageing *a, const struct battery_model *m, const struct ageing_start *s);
/* Ageing at temperature_c over ageing at 25 degC: exp(Ea/k·(1/298.15 - 1/T)). */
double ageing_acceleration(const struct battery_model *m, double temperature_c);
/* Time passes: days (>= 0) at that acceleration. The own rate wanders by 10 % a year.
 */
void ageing_advance(struct ageing *a, double days, double acceleration);
/* Capacity over rated, 1 = as rated, and its standard deviation. */
void ageing_soh(const struct ageing *a, double *soh, double *std);
/* A capacity measurement: ln(capacity/rated) with variance var. */
void ageing_measure(struct ageing *a, double ln_soh, double var);
/*
 * A resistance over that when new, ln_ratio with variance var, by the weak relation
 * R/Rnew = 1 + .4·((100 - SOH)/20)^1.2 (fact sheet, section 4: an estimate, r about .6
 * to .8). Deviations from it belong to the unit and do not average out: use it on a
 * copy, once, and never on the filter itself.
 */
void ageing_relate_resistance(struct ageing *a, double ln_ratio, double var);

struct ageing_rul {
	double days, lower_days, upper_days; /* median, 5 % and 95 % */
	double fail_30d, fail_90d;           /* probabilities */
	double ln_std;                       /* of the total life */
};
/*
 * Remaining life until SOH falls below the model's end of life, with the future as hot
 * as 'acceleration' says. Lognormal in the total life; the future's temperature and
 * the activation energy add 10 %. Sudden failures (open or short: .15 % a year, three
 * times that below the end of life) add to the probabilities only.
 */
void ageing_rul(const struct ageing *a, const struct battery_model *m,
	double acceleration, struct ageing_rul *out);

#endif
