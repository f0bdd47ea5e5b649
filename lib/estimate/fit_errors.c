/* Errors of a fitted model over the record as it came, per phase. */
#include "estimate/fit_parts.h"

#include <math.h>

static const double KNEE_SOC = 0.1;
/* After a step of the current, in capacities per hour, the filter has its own noise. */
static const double RATE_STEP = 0.02, SETTLE_S = 300;

static void count(struct fit_error *e, double error_v)
{
	e->n++;
	e->mean_square += (error_v * error_v - e->mean_square) / (double)e->n;
}

static void count_point(
	const struct trace_point *p, double v, bool low, struct fit *out)
{
	double e = v - p->voltage_v;
	if (p->phase == TRACE_CHARGE)
		count(&out->charge, e);
	else if (p->phase == TRACE_DISCHARGE)
		count(low ? &out->knee : &out->discharge, e);
	else if (p->phase == TRACE_REST)
		count(&out->rest, e);
}

void fit_judge(const struct fit_problem *k, const struct trace *t, int s,
	const struct battery_model *m, double *v, struct fit *out)
{
	struct fit_segment g = fit_unthinned(k, t, s);
	double start = k->x[k->n + s], soc = start, since_s = 0;
	fit_replay(t, &g, m, start, v);
	for (size_t i = g.from + 1; i < g.to; i++) {
		const struct trace_point *p = &t->points[i];
		double dt_s = (double)(p->ts - p[-1].ts) / 1000;
		soc = trace_soc(m, p, g.full_soc,
			soc + p->mean_a * dt_s / 3600 / m->capacity_ah);
		bool low = soc < KNEE_SOC;
		if (out && !p->blind)
			count_point(p, v[i], low, out);
		bool step = fabs(p->current_a - p[-1].current_a) >
			    RATE_STEP * m->capacity_ah;
		since_s = step ? 0 : since_s + dt_s;
		if (p->blind || p->phase == TRACE_FULL || low || since_s < SETTLE_S)
			v[i] = NAN;
	}
}
