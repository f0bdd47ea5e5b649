/*
 * Surface charge: the voltage a battery has on top of its OCV after charging, which the
 * first charge drawn takes away. It goes with the charge, not with time: 0.41 V under
 * 10 A with 29 s [M, UB121000], the same charge at other currents.
 *
 * With surface_ah of the model file it goes exponentially, and a part surface_deep of
 * it lies deeper and takes surface_deep_ah: concentrated acid in the pores, seen over
 * the first third of discharges at C/6 to C/13 [M, BBOXX]. Without it, it is a
 * capacitor, surface_f.
 */
#ifndef ESTIMATE_SURFACE_H
#define ESTIMATE_SURFACE_H

#include "battery/model.h"

struct surface {
	double quick_v, deep_v; /* at least 0 */
};

/* Divides over_v (at least 0), measured at rest over the OCV. */
void surface_set(struct surface *s, const struct battery_model *m, double over_v);
/* The share of the deep part that is left after drawing charge_as (at least 0, in As).
 */
double surface_deep_left(const struct battery_model *m, double charge_as);
/* What drawing charge_as leaves of the quick part quick_v. */
double surface_quick_v(const struct battery_model *m, double quick_v, double charge_as);
/* Over dt_s under mean_a: discharge takes it away, rest lets it fade within a day. */
void surface_step(
	struct surface *s, const struct battery_model *m, double mean_a, double dt_s);

static inline double surface_v(const struct surface *s)
{
	return s->quick_v + s->deep_v;
}

#endif
