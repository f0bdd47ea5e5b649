/*
 * Identification: the circuit of a battery model and its capacity from a recorded run
 * (discharge and relaxation, charge if there is one), by nonlinear least squares (GSL,
 * Levenberg-Marquardt) over the open-loop voltage.
 *
 * One discharge current cannot tell the resistances of the branches apart (fact sheet,
 * section 2). So every parameter is held to the starting model with a wide deviation of
 * its own, and what the data did not move is named: a number that only repeats the
 * starting model is doubtful however small the residuals are.
 */
#ifndef ESTIMATE_FIT_H
#define ESTIMATE_FIT_H

#include "estimate/trace.h"

#include <math.h>

enum { FIT_PARAMETERS_MAX = 26, FIT_SEGMENTS_MAX = 40 };

enum {
	FIT_UNSEEN = 1,     /* the data say little: the starting model's, mostly */
	FIT_FAR = 2,        /* over 2.5 of its deviations from the starting model */
	FIT_CORRELATED = 4, /* over 0.95 with another: only their combination counts */
};

struct fit_parameter {
	const char *name, *unit;
	double start, value, std;
	unsigned doubts;
	const char *with; /* of FIT_CORRELATED */
};

struct fit_error {
	double mean_square; /* V^2 */
	size_t n;           /* samples of the record as it came */
};

static inline double fit_rms_v(const struct fit_error *e)
{
	return sqrt(e->mean_square);
}

struct fit {
	struct battery_model model;
	struct fit_parameter parameters[FIT_PARAMETERS_MAX];
	int n;
	struct fit_error charge, discharge, knee, rest; /* knee: SOC below 10 % */
	int complete;       /* discharges from full to the cut-off */
	double complete_ah; /* charge they gave, mean */
	double hours;
	bool converged;
};

/*
 * Fits 'start' to the record (trace_prepare has been called on it). The rating of the
 * model becomes the capacity identified. Its noise is identified from what the model
 * leaves over in stretches that another fit without them was made for; of a record in
 * one stretch from that itself, which flatters. Returns 0, or -1: ERR_DATA when the
 * record has no discharge of 5 % of the capacity or more than FIT_SEGMENTS_MAX segments
 * with current, ERR_IO when out of memory. GSL's error handler must be off.
 */
int fit_model(const struct trace *t, const struct battery_model *start, struct fit *out,
	struct err *err);

#endif
