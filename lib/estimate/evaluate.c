#include "estimate/evaluate_parts.h"
#include "base/timefmt.h"
#include "battery/rate.h"
#include "estimate/twin_parts.h"

#include <math.h>
#include <string.h>

static const double CUTOFF_V_PER_CELL = 1.75; /* 10.5 V of a block [S, vendors] */
static const double LOW_SOC = 0.1, START_STD_LEAST = 0.02;
static const int64_t AHEAD_MS = 10 * MINUTE_MS, AHEAD_LATEST_MS = 13 * MINUTE_MS;
static const double MARKS[EVALUATE_MARKS] = {0.25, 0.5, 0.75};

struct mean {
	double sum;
	size_t n;
};

static void mean_add(struct mean *a, double x)
{
	a->sum += x;
	a->n++;
}

static double mean_root(const struct mean *a)
{
	return a->n ? sqrt(a->sum / (double)a->n) : NAN;
}

struct openloop evaluate_state(const struct twin *w)
{
	struct openloop o = {.slow_v = w->slow_v,
		.surface.deep_v = w->ekf.x[EKF_DEEP],
		.available = 1};
	memcpy(o.x, w->ekf.x, sizeof(o.x));
	o.x[EKF_DEEP] = 0;
	return o;
}

double evaluate_step(
	struct openloop *o, const struct battery_model *m, const struct trace_point *p)
{
	struct openloop_drive d = {
		evaluate_seconds(p - 1, p), p->mean_a, p->current_a, p->temperature_c};
	return openloop_step(o, m, &d);
}

/* Error of the voltage 10 minutes on; NaN where the record has none then. */
static double ahead_error(const struct trace *t, const struct trace_span *d, size_t i,
	const struct battery_model *m, const struct twin *w, double *held)
{
	const struct trace_point *from = &t->points[i];
	struct openloop o = evaluate_state(w);
	double v = NAN;
	for (i++; i < d->to && t->points[i].ts <= from->ts + AHEAD_LATEST_MS; i++) {
		v = evaluate_step(&o, m, &t->points[i]);
		if (t->points[i].ts < from->ts + AHEAD_MS || t->points[i].blind)
			continue;
		*held = from->voltage_v - t->points[i].voltage_v;
		return v - t->points[i].voltage_v;
	}
	return NAN;
}

static struct twin_sample sample_of(const struct trace_point *p)
{
	return (struct twin_sample){p->ts, p->blind ? NAN : p->voltage_v, p->current_a,
		p->temperature_c, NAN, NAN};
}

/* A twin that has seen the rest before the load, its SOC then set wrong. The capacity
 * is the model's, not yet aged: the model is of this battery, or its spread is wide. */
static void begin(struct twin *w, const struct battery_model *m, const struct trace *t,
	const struct trace_span *d, double start_error)
{
	size_t i = d->from;
	while (!t->points[i].starts && i > 0 &&
		t->points[i - 1].phase != TRACE_DISCHARGE &&
		t->points[i - 1].phase != TRACE_CHARGE)
		i--;
	twin_init(w, m, &(struct twin_origin){0, NAN, NAN, t->points[i].temperature_c},
		0);
	for (; i <= d->from; i++) {
		struct twin_sample s = sample_of(&t->points[i]);
		twin_step(w, m, &TWIN_TUNING, &s);
	}
	ekf_set(&w->ekf, EKF_SOC, 1 + start_error,
		square(fmax(fabs(start_error), START_STD_LEAST)));
}

/* How full it was by what it gave, as trace_replay's full_soc. */
static double own_full_soc(const struct battery_model *m, const struct trace_span *d,
	const struct trace *t)
{
	const struct trace_point *p = &t->points[d->from + 1];
	double hours = evaluate_seconds(p, &t->points[d->to - 1]) / 3600;
	double ah = d->out_ah /
		    (battery_rate_fraction(m, d->out_ah / hours, d->out_ah) *
			    battery_temperature_factor(m, trace_mean_celsius(t, d)));
	return ah / m->capacity_ah;
}

static void open_loop_start(struct openloop *o, const struct trace *t,
	const struct trace_span *d, const struct battery_model *m)
{
	openloop_start(o, m, own_full_soc(m, d, t), trace_rest_v(t, m, d->from),
		t->points[d->from].temperature_c);
}

static double open_loop(const struct trace *t, const struct trace_span *d,
	const struct battery_model *m, double total_ah)
{
	struct openloop o;
	struct mean square_v = {0};
	const struct trace_point *p;
	double out_ah = 0;
	open_loop_start(&o, t, d, m);
	for (size_t i = d->from + 1; i < d->to; i++) {
		p = &t->points[i];
		double v = evaluate_step(&o, m, p);
		out_ah -= fmin(p->mean_a, 0) * evaluate_seconds(p - 1, p) / 3600;
		if (!p->blind && out_ah < (1 - LOW_SOC) * total_ah)
			mean_add(&square_v, square(v - p->voltage_v));
	}
	return mean_root(&square_v);
}

/* Runs the filter over the discharge; 'end' is the cut-off, to_end_ah the charge there.
 */
static void run_filter(const struct trace *t, const struct trace_span *d,
	const struct battery_model *m, double start_error, size_t end, double to_end_ah,
	double cutoff_v, struct evaluation *out)
{
	struct twin w;
	struct mean soc = {0}, nis = {0}, ahead = {0}, held = {0};
	double out_ah = 0;
	int marks = 0;
	begin(&w, m, t, d, start_error);
	for (size_t i = d->from + 1; i < d->to; i++) {
		const struct trace_point *p = &t->points[i];
		struct twin_sample s = sample_of(p);
		twin_step(&w, m, &TWIN_TUNING, &s);
		out_ah -= fmin(p->mean_a, 0) * evaluate_seconds(p - 1, p) / 3600;
		double real = 1 - out_ah / d->out_ah, last_v = 0;
		if (i <= end && marks < EVALUATE_MARKS &&
			out_ah >= MARKS[marks] * to_end_ah)
			out->mark[marks++] =
				evaluate_mark_at(t, d, i, end, m, &w, cutoff_v);
		if (p->ts - out->ts < HOUR_MS)
			continue;
		mean_add(&soc, square(fmin(w.ekf.x[EKF_SOC], 1) - real));
		if (!p->blind)
			mean_add(&nis, w.nis);
		double e = real > LOW_SOC && !p->blind
				   ? ahead_error(t, d, i, m, &w, &last_v)
				   : NAN;
		if (isnan(e))
			continue;
		mean_add(&ahead, square(e));
		mean_add(&held, square(last_v));
	}
	out->soc_rmse = mean_root(&soc);
	out->nis = nis.n ? nis.sum / (double)nis.n : NAN;
	out->ahead_v = mean_root(&ahead);
	out->held_v = mean_root(&held);
	out->ahead_n = ahead.n;
	out->reaches_cutoff = marks == EVALUATE_MARKS;
}

/* The samples one by one: what run_filter and open_loop see, side by side. */
static void show_points(const struct trace *t, const struct trace_span *d,
	const struct battery_model *m, double start_error, evaluate_fn *fn, void *ctx)
{
	struct twin w;
	struct openloop o;
	double out_ah = 0;
	begin(&w, m, t, d, start_error);
	open_loop_start(&o, t, d, m);
	for (size_t i = d->from + 1; i < d->to; i++) {
		const struct trace_point *p = &t->points[i];
		struct twin_sample s = sample_of(p);
		twin_step(&w, m, &TWIN_TUNING, &s);
		double v = evaluate_step(&o, m, p);
		out_ah -= fmin(p->mean_a, 0) * evaluate_seconds(p - 1, p) / 3600;
		fn(ctx, &(struct evaluate_point){p->ts, p->voltage_v,
				d->from_full ? v : NAN, fmin(w.ekf.x[EKF_SOC], 1),
				sqrt(w.ekf.p[EKF_SOC][EKF_SOC]),
				1 - out_ah / d->out_ah});
	}
}

void evaluate_discharge(const struct trace *t, const struct trace_span *d,
	const struct battery_model *m, double start_error, evaluate_fn *fn, void *ctx,
	struct evaluation *out)
{
	const struct trace_point *first = &t->points[d->from + 1],
				 *last = &t->points[d->to - 1];
	double cutoff_v = fmax(CUTOFF_V_PER_CELL * m->cells, last->voltage_v);
	double to_end_ah = 0;
	if (m->gassing_i0_a <= 0) /* not lead-acid */
		cutoff_v = fmax(m->cutoff_v, last->voltage_v);
	size_t end = evaluate_cutoff(t, d, cutoff_v);
	for (size_t i = d->from + 1; i <= end; i++)
		to_end_ah -= fmin(t->points[i].mean_a, 0) *
			     evaluate_seconds(&t->points[i - 1], &t->points[i]) / 3600;
	*out = (struct evaluation){.ts = first->ts,
		.hours = evaluate_seconds(first, last) / 3600,
		.out_ah = d->out_ah,
		.from_full = d->from_full,
		.open_v = d->from_full ? open_loop(t, d, m, d->out_ah) : NAN};
	run_filter(t, d, m, start_error, end, to_end_ah, cutoff_v, out);
	if (fn)
		show_points(t, d, m, start_error, fn, ctx);
}
