/*
 * The circuit of circuit.h run without correction: current in, voltage out. What the
 * identification of a model and every prediction of the twin are made of.
 *
 * Beside the filter's states it has the slow branch of the model file (hours) and the
 * surface charge (surface.h).
 */
#ifndef ESTIMATE_OPENLOOP_H
#define ESTIMATE_OPENLOOP_H

#include "estimate/circuit.h"
#include "estimate/surface.h"

struct openloop {
	double x[EKF_N]; /* as the filter's, ln R0 and ln Q included */
	double slow_v;   /* below 0 after discharge */
	struct surface surface;
	double available, available_a;
	struct circuit_step step;
};

/*
 * At rest at that SOC, R0 and capacity as the model's. rest_v (NaN: not known) is the
 * voltage measured: what it has over the OCV is surface charge, what it lacks is the
 * slow branch still coming back.
 */
void openloop_start(struct openloop *o, const struct battery_model *m, double soc,
	double rest_v, double temperature_c);
/* Puts down the difference between voltage_v, measured at rest, and the state now as
 * openloop_start does. */
void openloop_anchor(struct openloop *o, const struct battery_model *m,
	double voltage_v, double temperature_c);

struct openloop_drive {
	double dt_s;   /* > 0 */
	double mean_a; /* over the interval: charge and branches */
	double end_a;  /* at its end: ohmic drop */
	double temperature_c;
};
/* Moves over one interval; the terminal voltage at its end. */
double openloop_step(struct openloop *o, const struct battery_model *m,
	const struct openloop_drive *d);

/* The slow branch over dt_s towards what it settles at (circuit_eta3_v). */
double openloop_slow_v(
	const struct battery_model *m, double slow_v, double settled_v, double dt_s);

#endif
