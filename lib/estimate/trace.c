#include "estimate/trace.h"
#include "battery/ocv.h"

#include <math.h>
#include <stdlib.h>

/* Lead-acid gasses above this [S, every vendor's text]; others charge up to boost. */
static const double GASSING_V_PER_CELL = 2.40;
static const double RATE_FLOWING = 0.01, RATE_STEP = 0.02; /* of C per hour */
static const double TAIL_RATE = 0.02; /* as the twin's TWIN_RATE_LOW */
static const double GAP_S = 1800, REST_S = 900;
static const double FULL_OVER_OCV_V = 0.12; /* as the twin's surplus */
static const double NEAR_FULL_V = 0.1, CUTOFF_NEAR_V = 0.05;
static const double THIN_SHARE = 0.1, THIN_MOST_S = 300, THIN_V = 0.02;

int trace_add(struct trace *t, int64_t ts, double voltage_v, double current_a,
	double temperature_c)
{
	bool blind = isnan(voltage_v);
	if ((blind && !t->n) || isnan(current_a) ||
		(t->n && ts <= t->points[t->n - 1].ts))
		return 1;
	if (t->n == t->cap) {
		size_t cap = t->cap ? 2 * t->cap : 1024;
		void *p = realloc(t->points, cap * sizeof(*t->points));
		if (!p)
			return -1;
		t->points = p;
		t->cap = cap;
	}
	if (isnan(temperature_c))
		temperature_c = t->n ? t->points[t->n - 1].temperature_c : 25;
	if (blind)
		voltage_v = t->points[t->n - 1].voltage_v;
	t->points[t->n++] = (struct trace_point){ts, voltage_v, current_a,
		temperature_c, current_a, TRACE_REST, false, blind};
	return 0;
}

void trace_release(struct trace *t)
{
	free(t->points);
	*t = (struct trace){0};
}

static double seconds(const struct trace_point *a, const struct trace_point *b)
{
	return (double)(b->ts - a->ts) / 1000;
}

static double gassing_v(const struct battery_model *m)
{
	return m->gassing_i0_a > 0 ? GASSING_V_PER_CELL * m->cells : m->boost_v;
}

static enum trace_phase phase_of(const struct battery_model *m,
	const struct trace_point *p, enum trace_phase before)
{
	double flowing = RATE_FLOWING * m->capacity_ah;
	double full_v = battery_ocv_v(m, 1, p->temperature_c) + FULL_OVER_OCV_V;
	if (p->current_a < -flowing)
		return TRACE_DISCHARGE;
	if (p->current_a > flowing && before != TRACE_FULL)
		return p->voltage_v > gassing_v(m) ? TRACE_FULL : TRACE_CHARGE;
	if (before == TRACE_FULL || p->voltage_v > full_v)
		return TRACE_FULL;
	return TRACE_REST;
}

void trace_prepare(struct trace *t, const struct battery_model *m)
{
	for (size_t i = 0; i < t->n; i++) {
		struct trace_point *p = &t->points[i], *q = i ? p - 1 : p;
		double dt_s = seconds(q, p), before_s = i > 1 ? seconds(q - 1, q) : 0;
		p->starts = i == 0 || dt_s > GAP_S;
		p->mean_a =
			circuit_mean_a(m, before_s, q->current_a, p->current_a, dt_s);
		p->phase = (uint8_t)phase_of(
			m, p, p->starts ? TRACE_REST : (enum trace_phase)q->phase);
	}
}

void trace_thin(struct trace *t, const struct battery_model *m)
{
	size_t n = 0;
	double since_s = 0, charge_as = 0;
	for (size_t i = 0; i < t->n; i++) {
		struct trace_point p = t->points[i];
		bool last = i + 1 == t->n || t->points[i + 1].starts ||
			    fabs(t->points[i + 1].current_a - p.current_a) >
				    RATE_STEP * m->capacity_ah;
		if (p.starts || n == 0) {
			since_s = charge_as = 0;
			t->points[n++] = p;
			continue;
		}
		struct trace_point *kept = &t->points[n - 1];
		double dt_s = seconds(kept, &p);
		if (fabs(p.current_a - kept->current_a) > RATE_STEP * m->capacity_ah)
			since_s = 0;
		/* Only the last one kept can have taken the place of point i - 1:
		 * itself. */
		charge_as += p.mean_a * seconds(&t->points[i - 1], &p);
		bool moved = fabs(p.voltage_v - kept->voltage_v) > THIN_V;
		if (!last && !moved && since_s > 0 &&
			dt_s < fmin(THIN_MOST_S, THIN_SHARE * since_s))
			continue;
		p.mean_a = charge_as / dt_s;
		charge_as = 0;
		since_s += dt_s;
		t->points[n++] = p;
	}
	t->n = n;
}

bool trace_tail(const struct battery_model *m, const struct trace_point *p)
{
	return p->current_a >= 0 && p->current_a < TAIL_RATE * m->capacity_ah &&
	       p->voltage_v > gassing_v(m);
}

double trace_rest_v(const struct trace *t, const struct battery_model *m, size_t i)
{
	const struct trace_point *last = &t->points[i];
	double v = last->voltage_v;
	while (!t->points[i].starts && i > 0) {
		const struct trace_point *p = &t->points[--i];
		if (fabs(p->current_a) > RATE_FLOWING * m->capacity_ah ||
			seconds(p, last) > REST_S)
			break;
		v = fmax(v, p->voltage_v);
	}
	return v;
}

double trace_soc(const struct battery_model *m, const struct trace_point *p,
	double full_soc, double soc)
{
	if (p->phase != TRACE_FULL)
		return soc;
	return trace_tail(m, p) ? full_soc : fmin(soc, full_soc);
}

static bool near_full(const struct battery_model *m, const struct trace_point *p)
{
	return p->phase == TRACE_FULL ||
	       p->voltage_v > battery_ocv_v(m, 1, p->temperature_c) - NEAR_FULL_V;
}

/* The end of the discharge that begins at point i, and its charge. */
static void follow(const struct trace *t, const struct battery_model *m, size_t i,
	struct trace_span *out)
{
	size_t last = i;
	double pause_s = 0, low_v = INFINITY;
	for (; i < t->n && (!t->points[i].starts || i == out->from); i++) {
		const struct trace_point *p = &t->points[i];
		double dt_s = i ? seconds(p - 1, p) : 0;
		if (p->phase == TRACE_DISCHARGE) {
			out->out_ah -= fmin(p->mean_a, 0) * dt_s / 3600;
			low_v = fmin(low_v, p->voltage_v);
			last = i;
			pause_s = 0;
		} else if (p->phase != TRACE_REST || (pause_s += dt_s) > GAP_S) {
			break;
		}
	}
	out->to = last + 1;
	out->to_cutoff = low_v <= m->cutoff_v + CUTOFF_NEAR_V;
}

bool trace_discharge(const struct trace *t, const struct battery_model *m, double least,
	size_t *at, struct trace_span *out)
{
	for (size_t i = *at; i < t->n; i++) {
		if (t->points[i].phase != TRACE_DISCHARGE)
			continue;
		bool alone = i == 0 || t->points[i].starts;
		*out = (struct trace_span){.from = alone ? i : i - 1};
		out->from_full = !alone && near_full(m, &t->points[i - 1]);
		follow(t, m, alone ? i + 1 : i, out);
		i = out->to > i ? out->to : i;
		*at = i;
		if (out->out_ah >= least * m->capacity_ah)
			return true;
	}
	*at = t->n;
	return false;
}

double trace_mean_celsius(const struct trace *t, const struct trace_span *d)
{
	double drawn_as = 0, sum = 0;
	for (size_t i = d->from + 1; i < d->to; i++) {
		const struct trace_point *p = &t->points[i];
		double as = -fmin(p->mean_a, 0) * seconds(p - 1, p);
		drawn_as += as;
		sum += as * p->temperature_c;
	}
	return drawn_as > 0 ? sum / drawn_as : t->points[d->to - 1].temperature_c;
}

void trace_replay(const struct trace *t, size_t from, size_t to,
	const struct battery_model *m, double full_soc, struct openloop *start,
	double *v)
{
	for (size_t i = from + 1; i < to; i++) {
		const struct trace_point *p = &t->points[i];
		if (p->phase == TRACE_DISCHARGE && p[-1].phase == TRACE_FULL)
			openloop_anchor(start, m, trace_rest_v(t, m, i - 1),
				p[-1].temperature_c);
		struct openloop_drive d = {
			seconds(p - 1, p), p->mean_a, p->current_a, p->temperature_c};
		v[i] = openloop_step(start, m, &d);
		if (p->phase == TRACE_FULL) {
			start->x[EKF_SOC] =
				trace_soc(m, p, full_soc, start->x[EKF_SOC]);
			start->surface = (struct surface){0};
		}
	}
}
