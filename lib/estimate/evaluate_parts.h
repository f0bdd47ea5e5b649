/* What evaluate.c and evaluate_mark.c share; for lib/estimate alone. */
#ifndef ESTIMATE_EVALUATE_PARTS_H
#define ESTIMATE_EVALUATE_PARTS_H

#include "estimate/evaluate.h"

static inline double evaluate_seconds(
	const struct trace_point *a, const struct trace_point *b)
{
	return (double)(b->ts - a->ts) / 1000;
}

/* The twin's state as an open loop that goes on from it. */
struct openloop evaluate_state(const struct twin *w);
/* Moves it to point p, the one after that it stands at; the voltage there. */
double evaluate_step(
	struct openloop *o, const struct battery_model *m, const struct trace_point *p);

/* The point where the voltage has fallen to the cut-off twice in a row, else the last.
 */
size_t evaluate_cutoff(
	const struct trace *t, const struct trace_span *d, double cutoff_v);
/*
 * The time left to point 'end', the cut-off, as the twin foretells it at point i. When
 * a voltage that goes up and down with the load first is under the cut-off is no smooth
 * function of what is uncertain: one load more or less survived moves it by an hour. So
 * the twin's belief is sampled: states by their covariance, the slow error of the model
 * as it wanders on, the noise of a voltage sample; the answer is the median of the
 * times and what 90 % of them lie in.
 */
struct evaluate_mark evaluate_mark_at(const struct trace *t, const struct trace_span *d,
	size_t i, size_t end, const struct battery_model *m, const struct twin *w,
	double cutoff_v);

#endif
