/*
 * Slow ageing of one unit, and the life that remains. Capacity over rated follows the
 * compact law of the fact sheet (section 4):
 *
 *	SOH = c0·(1 - 0.2·(exp(y)·x)^p)
 *
 * x is the age the unit has lived, in median lives at 25 degC: each hour weighted by
 * Arrhenius, and the damage of its discharges. p is the model file's ageing_exponent (2
 * to 3), c0 the capacity when new, y the log of its own rate of ageing against the
 * population's. c0 and y are states with a 2x2 covariance: c0 spreads as the maker's
 * capacities do, y as the log life of the Weibull distribution in the model file (std
 * 1.283/shape), so that before any measurement the answer is the population's. A
 * measured capacity moves both: the young unit's c0, the old unit's y. So the remaining
 * life is never a straight line through two points.
 */
#ifndef ESTIMATE_WEAR_H
#define ESTIMATE_WEAR_H

#include "battery/model.h"

#include <stdbool.h>

struct wear {
	double c0, y;         /* states */
	double pcc, pcy, pyy; /* their covariance */
	double age;           /* x */
	double life_days;     /* median life at 25 degC */
	double prior_ln_std;  /* of y before anything was measured, and the future's */
	bool measured;        /* a capacity has been */
	double exponent;      /* p */
};

/* What is known of a unit when it is first seen. Unknown: NaN. */
struct wear_start {
	double age_days;            /* since installation */
	double acceleration;        /* of ageing so far, 1 = as at 25 degC */
	double initial_capacity_ah; /* measured when installed */
};

/*
 * The population's c0 and y, and for y what the unit's being in service at its age
 * says: of those past their end of life three in ten are taken to be still there [E].
 */
void wear_init(
	struct wear *a, const struct battery_model *m, const struct wear_start *s);
/* Ageing at temperature_c over ageing at 25 degC: exp(Ea/k·(1/298.15 - 1/T)). */
double wear_acceleration(const struct battery_model *m, double temperature_c);
/* Time passes: days (>= 0) at that acceleration. The own rate wanders by 10 % a year.
 */
void wear_advance(struct wear *a, double days, double acceleration);
/* A discharge of that depth (0..1) takes its share of life (battery/ageing.h). */
void wear_cycle(struct wear *a, const struct battery_model *m, double depth);
/* Capacity over rated, 1 = as rated, and its standard deviation. */
void wear_soh(const struct wear *a, double *soh, double *std);
/* A capacity measurement: ln(capacity/rated) with variance var. */
void wear_measure(struct wear *a, double ln_soh, double var);
/*
 * A resistance over that when new, ln_ratio with variance var, by the weak relation
 * R/Rnew = 1 + .4·((100 - SOH)/20)^1.2 (fact sheet, section 4: an estimate, r about .6
 * to .8). Deviations from it belong to the unit and do not average out: use it on a
 * copy, once, and never on the filter itself.
 */
void wear_relate_resistance(struct wear *a, double ln_ratio, double var);

struct wear_rul {
	double days, lower_days, upper_days; /* median, 5 % and 95 % */
	double fail_30d, fail_90d;           /* probabilities */
	double ln_std;                       /* of the total life */
};
/*
 * Remaining life until SOH falls below the model's end of life, with the future as hot
 * as 'acceleration' says. Lognormal in the total life; to the share of it that is left
 * the future's temperature and the activation energy add 10 %. Sudden failures (open or
 * short: .15 % a year, three times that below the end of life) add to the probabilities
 * only.
 */
void wear_rul(const struct wear *a, const struct battery_model *m, double acceleration,
	struct wear_rul *out);

#endif
