/*
 * Slow ageing of one unit, and the life that remains.
 *
 * The share u of its life that a unit has used, and what follows from it, are those of
 * battery/ageing.h and the model file:
 *
 *	u = e^y·x + d		x: age in lives of the population at 25 degC, each hour
 *				weighted by temperature and float voltage; d: damage of
 *				discharges; y: log of its own rate of ageing
 *	SOH = c0 - (1 - end)·u^p	c0: capacity when new over rated; p: the
 *				model's, ln p no surer than exponent_sigma
 *	R/Rnew = b·(1 + s·g·k·u^(p·q·h))	s: its own growth; g, q: the model's;
 *				k, h: of its mode of failure; b: error of Rnew
 *	i/i0 = e^n·(1 + a·f·u^4)	gassing; a: the model's growth; f: of its mode
 *
 * Nothing measures u, y or the mode directly. What was measured is kept as a few marks
 * (what a month of ohmic readings and of float current said) and capacity tests, and
 * the belief is made of them when asked for, by Bayes' rule over a grid of modes,
 * exponents and rates: given these, u is known, and c0, b, s and n enter linearly, so
 * each has its exact Gaussian answer. What y is before that, its kin may tell
 * (rate_mean and rate_var; estimate/kin.h). Capacity tests have an error that lasts,
 * where the model says so (capacity_error): neighbours are then wrong together. Priors
 * are the model file's [spread] and [modes]; without evidence the answer is the
 * population's. Evidence adds up in any order, and an answer is a function of the
 * struct alone.
 */
#ifndef ESTIMATE_WEAR_H
#define ESTIMATE_WEAR_H

#include "battery/model.h"

#include <stdbool.h>
#include <stdint.h>

enum { WEAR_MARKS = 5, WEAR_TESTS = 3, WEAR_MONTHS = 12 };

/* A month of readings, or several when older: means, and of how many readings. */
struct wear_mark {
	float aged, damage; /* since first seen, at its middle */
	float ratio;        /* resistance at 25 degC over that when new */
	float gassing;      /* over the model's for a new block */
	uint16_t ratio_n, gassing_n;
};

struct wear_test {
	float aged, damage; /* since first seen */
	float soh, var;
};

struct wear {
	float aged;         /* lives at 25 degC and float voltage, since first seen */
	float days, heat;   /* since first seen; weighted by temperature alone */
	float damage;       /* of discharges since first seen */
	float age_days;     /* when first seen; NaN not known */
	float acceleration; /* by temperature, when first seen */
	float c0, c0_var, rnew_var;
	float doublings; /* of its ageing, by its float voltage, lately */
	/* y, before anything was measured here: the population's, or by its kin */
	float rate_mean, rate_var;
	/* climate: mean ageing by temperature, of how many hours */
	float month_heat[WEAR_MONTHS];
	uint16_t month_hours[WEAR_MONTHS];
	struct wear_mark mark[WEAR_MARKS];
	struct wear_test test[WEAR_TESTS];
	uint16_t opened; /* day the newest mark was begun */
	uint8_t marks, tests;
	/* of the ages a test was made of, standard deviation in 1e-4 lives; the newest
	 * is of one */
	uint16_t spread[WEAR_TESTS - 1];
};

/* What is known of a unit when it is first seen. Unknown: NaN. */
struct wear_start {
	double age_days;            /* since installation */
	double acceleration;        /* of ageing so far, 1 = as at 25 degC */
	double initial_capacity_ah; /* measured when installed */
	double resistance_var;      /* of ln of the resistance when new */
};

void wear_init(
	struct wear *a, const struct battery_model *m, const struct wear_start *s);

/* Ageing at temperature_c over ageing at 25 degC: exp(Ea/k·(1/298.15 - 1/T)). */
double wear_acceleration(const struct battery_model *m, double temperature_c);
/* That, and of a block on float at voltage_v (NaN: not on float, or not known). */
double wear_stress(
	const struct battery_model *m, double temperature_c, double voltage_v);

/*
 * Time passes up to ts: days (> 0) that would age a block at 25 degC by 'stress' days,
 * of which temperature alone makes 'heat'.
 */
void wear_advance(struct wear *a, const struct battery_model *m, int64_t ts,
	double days, double stress, double heat);
/* A discharge of that depth (0..1) takes its share of life (battery/ageing.h). */
void wear_cycle(struct wear *a, const struct battery_model *m, double depth);

/* A capacity over rated, with its variance. */
void wear_capacity(struct wear *a, double soh, double var);
/* Takes the newest one back: something better of the same discharge comes. */
void wear_withdraw_capacity(struct wear *a);
/* An ohmic reading: resistance at 25 degC over that when new. Readings are taken to
 * scatter by 2 % [sensors.ini; E], and a month's mean to be right to .2 %. */
void wear_resistance(struct wear *a, double ratio);
/* A float current over what the model's new block has at its voltage and temperature,
 * three days or more after any discharge. A month's mean is taken to be right to 1.2 %.
 */
void wear_gassing(struct wear *a, double ratio);
/* True when anything measured bears on capacity or rate. */
bool wear_informed(const struct wear *a);

/*
 * Capacity over rated, 1 = as rated, and its standard deviation: that of the Gaussian
 * whose 90 % interval is as wide as the belief's, which has longer tails.
 */
void wear_soh(
	const struct wear *a, const struct battery_model *m, double *soh, double *std);

/* A Gaussian of y, the log of a unit's own rate of ageing. */
struct wear_rate {
	double mean, var;
};

struct wear_rul {
	double days, lower_days, upper_days; /* median, 5 % and 95 % */
	double fail_30d, fail_90d;           /* probabilities */
	double ln_std;                       /* of the total life, relative */
	struct wear_rate rate;
};
/*
 * Remaining life until SOH falls below the model's end of life or the unit fails at
 * once, whichever is first. The belief is sampled: for every rate and mode, with its
 * weight, drawn in as the deviation of SOH is (soh_std_factor), five points of the
 * capacity when new and of what the model does not know of the future (climate,
 * activation energy: future_sigma of the model; wander of the rate: wander_sigma, by
 * the square root of the years). Each uses up its share of life through the year's
 * months, beginning after 'now', each as warm as it was so far (months not seen: their
 * mean); discharges go on as they did. The test that finds the end is as wrong as any:
 * capacity_error. Sudden failures: an open or short circuit .15 % a year, and .4 % in
 * the first year falling with age (Weibull, shape .7) [E, fact sheet, section 4].
 */
void wear_rul(const struct wear *a, const struct battery_model *m, int64_t now,
	struct wear_rul *out);
/* ln_std of a unit of which nothing is known but that it is new. */
double wear_prior_ln_std(const struct battery_model *m);

#endif
