/*
 * What the parts of the twin (twin.c, capacity.c, sensors.c, belief.c) share; for
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
/* chi-squared, one degree of freedom: 99 % and 99.9 % */
#define NIS_DEWEIGHT 6.63
#define NIS_REJECT 10.8

/* Gives the time passed to the ageing filter. */
void twin_age_until_now(struct twin *w);
/* Puts the ageing filter's capacity into the fast filter. */
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
