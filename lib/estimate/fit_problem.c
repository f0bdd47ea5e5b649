/* What is fitted: parameters, segments, and the model they make. */
#include "estimate/fit_parts.h"
#include "battery/ocv.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum scale {
	LINEAR,
	LOG,
	POLE,  /* ln of what it has over 1 */
	SHARE, /* 0..1: ln of it over the rest */
};

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
	{"ocv_empty", "V", LINEAR, 0.06, 0, false},
	{"ocv_rise", "V", LINEAR, 0.06, 0, false},
	{"ocv_bend", "V", LINEAR, 0.15, 0, false},
	{"capacity", "Ah", LOG, 0.10, OF(capacity_ah), false},
	{"r0", "mohm", LOG, 0.5, OF(r0_mohm), false},
	{"r0_low_soc", "", LOG, 0.7, OF(r0_low_soc_gain), false},
	{"r0_low_scale", "", LOG, 0.5, OF(r0_low_soc_scale), false},
	{"activation_v", "V", LOG, 0.2, OF(activation_v), false},
	{"activation_a", "A", LOG, 0.2, OF(activation_a), false},
	{"r1", "mohm", LOG, 0.5, OF(r1_mohm), false},
	{"tau1", "s", LOG, 0.2, OF(tau1_s), false},
	{"diffusion", "mohm", LOG, 1, OF(diffusion_mohm), false},
	{"r2", "mohm", LOG, 0.7, OF(r2_mohm), false},
	{"tau2", "s", LOG, 0.3, OF(tau2_s), false},
	{"slow", "mohm", LOG, 1, OF(slow_mohm), false},
	{"slow_tau", "s", LOG, 0.2, OF(slow_tau_s), false},
	{"depletion", "V", LOG, 0.4, OF(depletion_v), false},
	{"depletion_pole", "", POLE, 0.3, OF(depletion_pole), false},
	{"depletion_slow", "", SHARE, 0.5, OF(depletion_slow), false},
	{"surface", "Ah", LOG, 0.7, OF(surface_ah), false},
	{"surface_deep", "", SHARE, 1, OF(surface_deep), false},
	{"surface_deep_ah", "Ah", LOG, 0.25, OF(surface_deep_ah), false},
	{"acceptance", "mohm", LOG, 0.5, OF(acceptance_mohm), true},
	{"acceptance_soc", "mohm", LOG, 0.7, OF(acceptance_soc_mohm), true},
	{"acceptance_pole", "", LOG, 0.05, OF(acceptance_pole), true},
};
enum { KEY_EMPTY, KEY_RISE, KEY_BEND, KEY_CAPACITY, OCV_KEYS = KEY_CAPACITY };

/* Fact sheet, section 2: slow relaxation of a 100 Ah block, 25 mohm and 2,500 s. */
static const double SLOW_OHM_AH = 0.5, SLOW_TAU_S = 2500;
/* Of the capacity: surface charge, 29 s at 10 A of 100 Ah [M, fact sheet section 1];
 * its deep part [M, BBOXX]. */
static const double SURFACE_SHARE = 0.0008, SURFACE_DEEP_SHARE = 0.1;
static const double HALF = 0.5; /* shares, where nothing is known */
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
	if (key->scale == SHARE)
		return log(value / (1 - value));
	return key->scale == LINEAR ? value : log(value - (key->scale == POLE));
}

static double value_at(const struct fit_key *key, double x)
{
	if (key->scale == SHARE)
		return 1 / (1 + exp(-x));
	return key->scale == LINEAR ? x : exp(x) + (key->scale == POLE);
}

/* d value / d coordinate */
static double slope_at(const struct fit_key *key, double value)
{
	if (key->scale == SHARE)
		return value * (1 - value);
	return key->scale == LINEAR ? 1 : value - (key->scale == POLE);
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
		if (key->scale == SHARE && !(value < 1))
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
	out->std = slope_at(key, out->value) * std;
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
	double full_soc, double *soc, double *std)
{
	const struct battery_model *m = &k->base;
	double v = p->voltage_v;
	bool full = v > battery_ocv_v(m, 1, p->temperature_c) - FULL_NEAR_V;
	*soc = full ? full_soc
		    : circuit_soc_from_voltage(
			      m, v, p->current_a, p->temperature_c, m->r0_mohm * 1e-3);
	*std = full ? FULL_SOC_STD : REST_SOC_STD;
}

/* How full it was, by its own complete discharge; 1 where it has none. */
static double segment_full_soc(const struct fit_problem *k, const struct fit_segment *g)
{
	struct trace_span d;
	double ah = 0;
	for (size_t at = g->from;
		ah <= 0 &&
		trace_discharge(&k->trace, &k->base, FIT_COMPLETE_LEAST, &at, &d) &&
		d.from < g->to;)
		ah = fit_complete_ah(&k->trace, &k->base, &d);
	return ah > 0 ? ah / k->base.capacity_ah : 1;
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
		g.full_soc = segment_full_soc(k, &g);
		start_soc(k, &k->trace.points[g.from], g.full_soc, &k->prior[j],
			&k->spread[j]);
		k->segment[k->segments++] = g;
	}
	return 0;
}

/* What the starting model leaves out starts from what other batteries have. */
static void begin_somewhere(struct battery_model *m)
{
	if (!(m->slow_mohm > 0)) {
		m->slow_mohm = 1e3 * SLOW_OHM_AH / m->capacity_ah;
		m->slow_tau_s = SLOW_TAU_S;
	}
	if (m->depletion_v > 0 && !(m->depletion_slow > 0))
		m->depletion_slow = HALF;
	if (m->gassing_i0_a > 0 && !(m->surface_ah > 0)) {
		m->surface_ah = SURFACE_SHARE * m->capacity_ah;
		m->surface_deep = HALF;
		m->surface_deep_ah = SURFACE_DEEP_SHARE * m->capacity_ah;
	}
}

int fit_problem_init(struct fit_problem *k, const struct trace *t,
	const struct battery_model *start, struct fit *out, struct err *err)
{
	*k = (struct fit_problem){.base = *start};
	fit_rate(t, &k->base);
	k->base.capacity_ah = fit_capacity(t, &k->base, out);
	begin_somewhere(&k->base);
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

void fit_replay(const struct trace *t, const struct fit_segment *g,
	const struct battery_model *m, double soc, double *v)
{
	struct openloop o;
	const struct trace_point *p = &t->points[g->from];
	bool rest = p->phase == TRACE_REST || p->phase == TRACE_FULL;
	openloop_start(&o, m, soc, NAN, p->temperature_c);
	if (rest)
		openloop_anchor(&o, m, p->voltage_v, p->temperature_c);
	trace_replay(t, g->from, g->to, m, g->full_soc, &o, v);
}

struct fit_segment fit_unthinned(
	const struct fit_problem *k, const struct trace *t, int s)
{
	int64_t ts = k->trace.points[k->segment[s].from].ts;
	struct fit_segment g;
	for (size_t at = 0; next_segment(t, &at, &g) && t->points[g.from].ts != ts;)
		;
	g.full_soc = k->segment[s].full_soc;
	return g;
}
