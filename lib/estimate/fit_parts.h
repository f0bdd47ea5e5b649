/* What fit.c and fit_problem.c share; for lib/estimate alone. */
#ifndef ESTIMATE_FIT_PARTS_H
#define ESTIMATE_FIT_PARTS_H

#include "estimate/fit.h"

#include <gsl/gsl_vector.h>

enum { FIT_ALL_MAX = FIT_PARAMETERS_MAX + FIT_SEGMENTS_MAX };

/* A stretch without gaps: its SOC at the start is a parameter too. */
struct fit_segment {
	size_t from, to; /* points of the trace fitted */
	/* How full "full" was: its own complete discharge over the capacity. A battery
	 * not quite recharged gives less: SOC 0 is the cut-off all the same, and the
	 * voltage is that of the charge left [M, BBOXX]. */
	double full_soc;
};

struct fit_problem {
	struct battery_model base; /* the start, all parameters set */
	struct trace trace;        /* thinned */
	double *v, *sigma;         /* a point each */
	const struct fit_key *key[FIT_PARAMETERS_MAX];
	struct fit_segment segment[FIT_SEGMENTS_MAX];
	int n, segments;
	int left_out; /* a segment the fit does not see; -1: it sees all */
	/* The parameters, then the SOC of each segment: value, where it is pulled to,
	 * and its standard deviation. */
	double x[FIT_ALL_MAX], prior[FIT_ALL_MAX], spread[FIT_ALL_MAX];
};

/* Of the capacity: a discharge this deep may be a complete one. */
#define FIT_COMPLETE_LEAST 0.5
/* What a discharge from full to the cut-off says of the capacity, by the rate table; 0
 * if it is none. */
double fit_complete_ah(const struct trace *t, const struct battery_model *m,
	const struct trace_span *d);
/* The mean of what complete discharges say; without one the model's. Counts them. */
double fit_capacity(
	const struct trace *t, const struct battery_model *m, struct fit *out);
/*
 * Bends the slow end of the rate table, up to twice the fastest rate seen, by what
 * complete discharges at several currents gave: fraction^g, g in 0..1 by regression,
 * held to 1 +- 0.5. A small block at low rates may have none of the effect.
 */
void fit_rate(const struct trace *t, struct battery_model *m);

/* Chooses parameters and segments; sets 'complete', 'hours' of out. Release it whatever
 * comes back: 0, or -1 with err. */
int fit_problem_init(struct fit_problem *k, const struct trace *t,
	const struct battery_model *start, struct fit *out, struct err *err);
void fit_problem_release(struct fit_problem *k);
/* The battery model at parameters x. */
void fit_model_at(
	const struct fit_problem *k, const gsl_vector *x, struct battery_model *m);
/* Modelled voltages of segment g of t, from soc, to v[from + 1 .. to - 1]. */
void fit_replay(const struct trace *t, const struct fit_segment *g,
	const struct battery_model *m, double soc, double *v);
/* Segment s, whose points are those of the thinned trace, in the record as it came. */
struct fit_segment fit_unthinned(
	const struct fit_problem *k, const struct trace *t, int s);
/* Parameter j as a number of its unit, with std that of the coordinate fitted. */
void fit_describe(
	const struct fit_problem *k, int j, double std, struct fit_parameter *out);
const char *fit_name(const struct fit_problem *k, int j);
/* Moves the n numbers of x to where f is least, by a simplex of steps of a half. 0, or
 * -1 with err. */
int fit_simplex(double (*f)(const gsl_vector *, void *), void *arg, double *x, size_t n,
	struct err *err);
/*
 * Identifies the noise of m (model_error_v, model_error_s, voltage_noise_v) from the
 * modelled voltages v of every point, NAN where one does not count. 0, or -1 with err.
 */
int fit_noise(const struct trace *t, const double *v, struct battery_model *m,
	struct err *err);
/*
 * Runs m over segment s of the record as it came, voltages to v: NAN where they say
 * nothing of the noise (near full, at the knee, just after a step of the current). The
 * errors are counted to out, where there is one.
 */
void fit_judge(const struct fit_problem *k, const struct trace *t, int s,
	const struct battery_model *m, double *v, struct fit *out);

#endif
