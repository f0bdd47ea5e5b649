/*
 * How good the twin is on a discharge that was recorded to its end. The reference is
 * the record itself: SOC is 1 less the charge taken out over what this discharge gave
 * in all, so it says nothing of capacity.
 */
#ifndef ESTIMATE_EVALUATE_H
#define ESTIMATE_EVALUATE_H

#include "estimate/trace.h"
#include "estimate/twin.h"

enum { EVALUATE_MARKS = 3 }; /* at 25, 50 and 75 % of the charge to the cut-off */

struct evaluate_mark {
	double real_h, predicted_h, lower_h, upper_h; /* to the cut-off; 90 % */
};

struct evaluation {
	int64_t ts; /* the load comes */
	double hours, out_ah;
	bool from_full;
	/* The filter, its SOC started wrong. NaN where there is nothing to say. */
	double soc_rmse; /* after the first hour, 0..1 */
	double nis;      /* mean, after the first hour */
	/* Voltage 10 minutes ahead, SOC over 10 %: of the filter, of the last value. */
	double ahead_v, held_v;
	size_t ahead_n;
	/* Open loop from the rest before, SOC over 10 %; only from full. */
	double open_v;
	bool reaches_cutoff;
	struct evaluate_mark mark[EVALUATE_MARKS];
};

/* One sample of a discharge, as measured and as modelled; NaN where there is none. */
struct evaluate_point {
	int64_t ts;
	double voltage_v, open_v;      /* measured; open loop */
	double soc, soc_std, real_soc; /* the filter's, its deviation; the reference */
};
typedef void evaluate_fn(void *ctx, const struct evaluate_point *p);

/*
 * Measures the twin of battery model m on discharge d of t. start_error is added to the
 * SOC 1 of the start with a standard deviation of its size (at least 0.02). Cut-off is
 * 10.5 V of a 12 V block, 1.75 V a cell, or the last voltage if that is higher; the
 * load after a mark is as it was, and past the end of the record the
 * mean load of the discharge. The open loop starts as full as the charge of this very
 * discharge says, as the reference does.
 */
void evaluate_discharge(const struct trace *t, const struct trace_span *d,
	const struct battery_model *m, double start_error, evaluate_fn *fn, void *ctx,
	struct evaluation *out);

#endif
