/* What is fitted: parameters, segments, and the model they make. */
#include "estimate/fit_parts.h"
#include "battery/ocv.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum scale { LINEAR, LOG, POLE /* ln of what it has over 1 */ };

/* Standard deviations are those of a block taken from the fact sheet's ranges [E]. */
struct fit_key {
	const char *name, *unit;
	enum scale scale;
	double spread;
	size_t offset; /* into the model; of OCV and capacity none */
	bool charge;   /* only a charge shows it */
};

#define OF(f) offsetof(struct battery_model, f)
static const struct fit_key KEYS[] = {
	{"ocv_empty", "V", LINEAR, 0.10, 0, false},
	{"ocv_rise", "V", LINEAR, 0.15, 0, false},
	{"ocv_bend", "V", LINEAR, 0.25, 0, false},
	{"capacity", "Ah", LOG, 0.10, OF(capacity_ah), false},
	{"r0", "mohm", LOG, 0.5, OF(r0_mohm), false},
	{"activation_v", "V", LOG, 0.4, OF(activation_v), false},
	{"activation_a", "A", LOG, 0.7, OF(activation_a), false},
	{"r1", "mohm", LOG, 0.5, OF(r1_mohm), false},
	{"tau1", "s", LOG, 0.3, OF(tau1_s), false},
	{"diffusion", "mohm", LOG, 1, OF(diffusion_mohm), false},
	{"r2", "mohm", LOG, 0.7, OF(r2_mohm), false},
	{"tau2", "s", LOG, 0.5, OF(tau2_s), false},
	{"slow", "mohm", LOG, 1, OF(slow_mohm), false},
	{"slow_tau", "s", LOG, 0.2, OF(slow_tau_s), false},
	{"depletion", "V", LOG, 0.4, OF(depletion_v), false},
	{"depletion_pole", "", POLE, 0.3, OF(depletion_pole), false},
	{"surface", "F", LOG, 0.7, OF(surface_f), false},
	{"acceptance", "mohm", LOG, 0.5, OF(acceptance_mohm), true},
	{"acceptance_soc", "mohm", LOG, 0.7, OF(acceptance_soc_mohm), true},
	{"acceptance_pole", "", LOG, 0.05, OF(acceptance_pole), true},
};
enum { KEY_EMPTY, KEY_RISE, KEY_BEND, KEY_CAPACITY, OCV_KEYS = KEY_CAPACITY };

/* Fact sheet, section 2: slow relaxation of a 100 Ah block, 25 mohm and 2,500 s. */
static const double SLOW_OHM_AH = 2.5, SLOW_TAU_S = 2500;
static const double MODEL_ERROR_LEAST_V = 0.005; /* no sensor shows less */
static const double FULL_NEAR_V = 0.1, FULL_SOC_STD = 0.001, REST_SOC_STD = 0.01;

static double *field(struct battery_model *m, const struct fit_key *key)
{
	return (double *)(void *)((char *)m + key->offset);
}

const char *fit_name(const struct fit_problem *k, int j)
{
	return k->key[j]->name;
}

static double coordinate(const struct fit_key *key, double value)
{
	return key->scale == LINEAR ? value : log(value - (key->scale == POLE));
}

static double value_at(const struct fit_key *key, double x)
{
	return key->scale == LINEAR ? x : exp(x) + (key->scale == POLE);
}

/* The quadratic e + a s - b s (s - 1) nearest in the middle and exact at both ends. */
static void ocv_coordinates(const struct battery_model *m, double out[OCV_KEYS])
{
	out[KEY_EMPTY] = battery_ocv_v(m, 0, 25);
	out[KEY_RISE] = battery_ocv_v(m, 1, 25) - out[KEY_EMPTY];
	out[KEY_BEND] =
		4 * (battery_ocv_v(m, 0.5, 25) - out[KEY_EMPTY] - out[KEY_RISE] / 2);
}

static void add(struct fit_problem *k, const struct fit_key *key, double value)
{
	k->key[k->n] = key;
	k->prior[k->n] = coordinate(key, value);
	k->spread[k->n++] = key->spread;
}

static void choose_parameters(struct fit_problem *k, bool capacity)
{
	double ocv[OCV_KEYS];
	bool tafel = k->base.activation_v > 0 && k->base.diffusion_mohm > 0;
	bool charges = false;
	for (size_t i = 0; i < k->trace.n; i++)
		charges |= k->trace.points[i].phase == TRACE_CHARGE;
	ocv_coordinates(&k->base, ocv);
	for (size_t i = 0; i < sizeof(KEYS) / sizeof(*KEYS); i++) {
		const struct fit_key *key = &KEYS[i];
		double value = i < OCV_KEYS ? ocv[i] : *field(&k->base, key);
		bool linear = key->offset == OF(r1_mohm) || key->offset == OF(r2_mohm);
		if (i >= OCV_KEYS && (!(value > 0) || (linear && tafel)))
			continue;
		if (key->charge && !charges)
			continue;
		if (i == KEY_CAPACITY && !capacity)
			continue;
		add(k, key, value);
	}
}

void fit_model_at(
	const struct fit_problem *k, const gsl_vector *x, struct battery_model *m)
{
	double ocv[OCV_KEYS];
	*m = k->base;
	for (int j = 0; j < k->n; j++) {
		double v = gsl_vector_get(x, (size_t)j);
		if (j < OCV_KEYS)
			ocv[j] = v;
		else
			*field(m, k->key[j]) = value_at(k->key[j], v);
	}
	/* The table's own shape, moved by what the quadratic moved. */
	for (int i = 0; i < m->ocv_points; i++) {
		double s = m->ocv_soc[i], old = k->prior[KEY_EMPTY] +
						k->prior[KEY_RISE] * s -
						k->prior[KEY_BEND] * s * (s - 1);
		m->ocv_v[i] += ocv[KEY_EMPTY] + ocv[KEY_RISE] * s -
			       ocv[KEY_BEND] * s * (s - 1) - old;
	}
}

void fit_describe(
	const struct fit_problem *k, int j, double std, struct fit_parameter *out)
{
	const struct fit_key *key = k->key[j];
	*out = (struct fit_parameter){.name = key->name, .unit = key->unit};
	out->start = value_at(key, k->prior[j]);
	out->value = value_at(key, k->x[j]);
	double slope = out->value - (key->scale == POLE);
	out->std = key->scale == LINEAR ? std : slope * std;
}

/* The next stretch without gaps at or after *at. */
static bool next_segment(const struct trace *t, size_t *at, struct fit_segment *g)
{
	if (*at >= t->n)
		return false;
	g->from = *at;
	for (g->to = g->from + 1; g->to < t->n && !t->points[g->to].starts; g->to++)
		;
	*at = g->to;
	return true;
}

/* SOC at rest before the segment: full where it stands above the full battery's OCV. */
static void start_soc(const struct fit_problem *k, const struct trace_point *p,
	double *soc, double *std)
{
	const struct battery_model *m = &k->base;
	double v = p->voltage_v;
	bool full = v > battery_ocv_v(m, 1, p->temperature_c) - FULL_NEAR_V;
	*soc = full ? 1
		    : circuit_soc_from_voltage(
			      m, v, p->current_a, p->temperature_c, m->r0_mohm * 1e-3);
	*std = full ? FULL_SOC_STD : REST_SOC_STD;
}

static double segment_capacity(const struct fit_problem *k, const struct fit_segment *g)
{
	struct trace_span d;
	double ah = 0;
	for (size_t at = g->from;
		ah <= 0 &&
		trace_discharge(&k->trace, &k->base, FIT_COMPLETE_LEAST, &at, &d) &&
		d.from < g->to;)
		ah = fit_complete_ah(&k->trace, &k->base, &d);
	return ah;
}

static int choose_segments(struct fit_problem *k, struct err *err)
{
	struct fit_segment g;
	for (size_t at = 0; next_segment(&k->trace, &at, &g);) {
		bool flows = false;
		for (size_t i = g.from + 1; i < g.to; i++)
			flows |= k->trace.points[i].phase == TRACE_DISCHARGE ||
				 k->trace.points[i].phase == TRACE_CHARGE;
		if (!flows)
			continue;
		if (k->segments == FIT_SEGMENTS_MAX)
			return err_set(err, ERR_DATA,
				"more than %d stretches with current between gaps: "
				"fit a shorter record",
				FIT_SEGMENTS_MAX);
		int j = k->n + k->segments;
		start_soc(k, &k->trace.points[g.from], &k->prior[j], &k->spread[j]);
		g.capacity_ah = segment_capacity(k, &g);
		k->segment[k->segments++] = g;
	}
	return 0;
}

int fit_problem_init(struct fit_problem *k, const struct trace *t,
	const struct battery_model *start, struct fit *out, struct err *err)
{
	*k = (struct fit_problem){.base = *start};
	fit_rate(t, &k->base);
	k->base.capacity_ah = fit_capacity(t, &k->base, out);
	if (!(k->base.slow_mohm > 0)) {
		k->base.slow_mohm = 1e3 * SLOW_OHM_AH / start->capacity_ah;
		k->base.slow_tau_s = SLOW_TAU_S;
	}
	out->hours = (double)(t->points[t->n - 1].ts - t->points[0].ts) / 3.6e6;
	k->trace.points = malloc(t->n * sizeof(*t->points));
	k->v = calloc(t->n, sizeof(*k->v));
	k->sigma = calloc(t->n, sizeof(*k->sigma));
	if (!k->trace.points || !k->v || !k->sigma)
		return err_nomem(err);
	memcpy(k->trace.points, t->points, t->n * sizeof(*t->points));
	k->trace.n = t->n;
	trace_thin(&k->trace, start);
	choose_parameters(k, out->complete == 0);
	return choose_segments(k, err);
}

void fit_problem_release(struct fit_problem *k)
{
	trace_release(&k->trace);
	free(k->v);
	free(k->sigma);
}

static void replay(const struct trace *t, const struct fit_segment *g,
	const struct battery_model *m, double soc, double *v)
{
	struct openloop o;
	const struct trace_point *p = &t->points[g->from];
	bool rest = p->phase == TRACE_REST || p->phase == TRACE_FULL;
	openloop_start(&o, m, soc, NAN, p->temperature_c);
	if (g->capacity_ah > 0)
		o.x[EKF_LNQ] = log(g->capacity_ah);
	if (rest)
		openloop_anchor(&o, m, p->voltage_v, p->temperature_c);
	trace_replay(t, g->from, g->to, m, &o, v);
}

void fit_replay(struct fit_problem *k, const struct fit_segment *g,
	const struct battery_model *m, double soc)
{
	replay(&k->trace, g, m, soc, k->v);
}

static void count(struct fit_error *e, double error_v)
{
	e->n++;
	e->rms_v += (error_v * error_v - e->rms_v) / (double)e->n;
}

/* rms_v holds the mean square until the end. */
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

/* Over discharge and rest, as the record has them. */
static double model_error(const struct fit *r)
{
	const struct fit_error *d = &r->discharge, *e = &r->rest;
	double n = (double)(d->n + e->n);
	double sum =
		(double)d->n * d->rms_v * d->rms_v + (double)e->n * e->rms_v * e->rms_v;
	return n > 0 ? fmax(sqrt(sum / n), MODEL_ERROR_LEAST_V) : 0;
}

int fit_errors(const struct fit_problem *k, const struct trace *t, struct fit *out,
	struct err *err)
{
	double *v = calloc(t->n, sizeof(*v));
	struct fit_segment g;
	if (!v)
		return err_nomem(err);
	for (int s = 0; s < k->segments; s++) {
		int64_t ts = k->trace.points[k->segment[s].from].ts;
		size_t at = 0;
		while (next_segment(t, &at, &g) && t->points[g.from].ts != ts)
			;
		g.capacity_ah = k->segment[s].capacity_ah;
		double ah = g.capacity_ah > 0 ? g.capacity_ah : out->model.capacity_ah;
		double soc = k->x[k->n + s], now = soc;
		replay(t, &g, &out->model, soc, v);
		for (size_t i = g.from + 1; i < g.to; i++) {
			const struct trace_point *p = &t->points[i];
			double dt_h = (double)(p->ts - p[-1].ts) / 3.6e6;
			now += p->mean_a * dt_h / ah;
			if (p->phase == TRACE_FULL)
				now = trace_tail(&out->model, p) ? 1 : fmin(now, 1);
			count_point(p, v[i], now < 0.1, out);
		}
	}
	out->charge.rms_v = sqrt(out->charge.rms_v);
	out->discharge.rms_v = sqrt(out->discharge.rms_v);
	out->knee.rms_v = sqrt(out->knee.rms_v);
	out->rest.rms_v = sqrt(out->rest.rms_v);
	out->model.model_error_v = model_error(out);
	free(v);
	return 0;
}
