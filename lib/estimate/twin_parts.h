/*
 * What the parts of the twin (twin.c, fast.c, capacity.c, sensors.c,
 * belief.c) share; for
 * lib/estimate alone.
 */
#ifndef ESTIMATE_TWIN_PARTS_H
#define ESTIMATE_TWIN_PARTS_H

#include "estimate/twin.h"

static inline double square(double x)
{
	return x * x;
}

/* Of the rated capacity: a discharge this deep says something of the capacity. */
#define TWIN_DEPTH_LEAST 0.2
/* A current, of the rated capacity per hour, that is more than a sensor's offset. */
#define TWIN_RATE_FLOWING 0.01
/* A current on surplus voltage that is no charging any more. */
#define TWIN_RATE_LOW 0.02
/* chi-squared, one degree of freedom: 99 % and 99.9 % */
#define NIS_DEWEIGHT 6.63
#define NIS_REJECT 10.8

/* Charge that must be drawn, in Ah, before the voltage says SOC again after charging.
 */
static inline double twin_surface_ah(const struct battery_model *m)
{
	return 0.02 * m->capacity_ah;
}

/* What the model leaves over: a slow error, and what changes from sample to sample. */
struct twin_noise {
	double bias_v, bias_s; /* std of the slow error, and how long it lasts */
	double sample_v;       /* std of a voltage sample beside it */
};
struct twin_noise twin_noise(
	const struct battery_model *m, const struct twin_tuning *k);

/*
 * The voltage stands above what the full battery has at rest, and no charge current
 * explains it. A small current counts as none whatever its sign: no battery discharges
 * at such a voltage, so it is the sensor's offset.
 */
bool twin_is_surplus(const struct battery_model *m, double voltage_v, double current_a,
	double celsius);
/* Starts the fast states from one sample alone. Capacity, R0 and Tafel scale stay. */
void twin_begin(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a);
/* Moves states and covariance over dt_s (> 0), in which mean_a flowed, to the sample.
 */
void twin_predict(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double mean_a, double dt_s);
/* Corrects by the sample's voltage. False when the gate rejected it. */
bool twin_correct(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double dt_s);
/* Keeps SOC within -0.05..1.05, on surplus voltage at most 1. */
void twin_clamp_soc(struct twin *w, bool surplus);

/* Gives the time passed to 'wear'. */
void twin_age_until_now(struct twin *w, const struct battery_model *m);
/* That, and takes its capacity. */
void twin_believe(struct twin *w, const struct battery_model *m);
/* That, and puts it into the fast filter. */
void twin_set_capacity(struct twin *w, const struct battery_model *m);
/* Follows discharges; where one ends, the ageing filter learns. dt_s > 0. */
void twin_follow_discharge(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double mean_a, double dt_s);
/* An ohmic resistance reading, if the sample has one. */
void twin_measure_resistance(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s);
/* On float the current that flows is gassing: it gives this block's Tafel scale. */
void twin_measure_gassing(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s);

#endif
