/*
 * What the model leaves over, as noise: errors of a fitted circuit are not white. They
 * are described by the simplest process that lasts, e' = a·e + w with a = exp(-dt/tau),
 * seen through the white noise of a sample, and its numbers are those that make the
 * innovations of the record the most likely ones: first the error and how long it
 * lasts, from samples an hour apart; then the noise of a sample, from the samples as
 * they come. For the error of a model changes smoothly, which from minute to minute
 * looks like one that lasts for days; it is over hours that charge is told from it.
 */
#include "estimate/fit_parts.h"

#include <math.h>

enum { ERROR_V, ERROR_S, SAMPLE_V, NOISES };
/* Where the search begins, and how far from there is likely: factors of e [E]. */
static const double START[NOISES] = {0.02, 7200, 0.003};
static const double SPREAD[NOISES] = {1.5, 1, 1.5};
static const double SAMPLE_LEAST_V = 1e-4;
static const double APART_S = 3600;
enum { CHAINS = 12 }; /* of samples an hour apart, begun within the first hour */

struct residuals {
	const struct trace *t;
	const double *v; /* modelled; NAN where a point does not count */
	double apart_s;  /* between the samples looked at; 0: all */
	int chains;
	double error_v, error_s; /* of the error, once known; else NAN */
};

/* The process at parameters x, and what is known of its error so far. */
struct process {
	double stationary, noise, error_s; /* variances in V^2 */
	double e, var;
};

static void pass(struct process *p, double dt_s)
{
	double keep = exp(-dt_s / p->error_s);
	p->e *= keep;
	p->var = keep * keep * p->var + (1 - keep * keep) * p->stationary;
}

/* -2 ln likelihood of one more residual, but for a constant. */
static double see(struct process *p, double residual_v)
{
	double y = residual_v - p->e, s = p->var + p->noise;
	p->e += p->var / s * y;
	p->var *= p->noise / s;
	return log(s) + y * y / s;
}

/* The same of the residuals at least apart_s from each other, the first after_s late.
 */
static double chain(const struct residuals *r, struct process p, double after_s)
{
	double sum = 0, since_s = 0, due_s = 0;
	for (size_t i = 0; i < r->t->n; i++) {
		const struct trace_point *q = &r->t->points[i];
		double dt_s = q->starts ? 0 : (double)(q->ts - q[-1].ts) / 1000;
		if (q->starts) {
			p.e = 0;
			p.var = p.stationary;
			due_s = after_s;
			since_s = 0;
		}
		pass(&p, dt_s);
		since_s += dt_s;
		if (isnan(r->v[i]) || since_s < due_s)
			continue;
		sum += see(&p, q->voltage_v - r->v[i]);
		since_s = 0;
		due_s = r->apart_s;
	}
	return sum;
}

/* -2 ln likelihood of the residuals of one battery, and how far off its start each
 * parameter is. */
static double unlikeliness(const gsl_vector *x, void *p)
{
	const struct residuals *r = p;
	bool known = !isnan(r->error_v);
	double error_v = known ? r->error_v : exp(gsl_vector_get(x, ERROR_V));
	double sample_v = hypot(exp(gsl_vector_get(x, SAMPLE_V)), SAMPLE_LEAST_V);
	struct process start = {.stationary = error_v * error_v,
		.noise = sample_v * sample_v,
		.error_s = known ? r->error_s : exp(gsl_vector_get(x, ERROR_S))};
	double sum = 0;
	for (int i = 0; i < r->chains; i++)
		sum += chain(r, start, i * r->apart_s / r->chains) / r->chains;
	for (size_t j = 0; j < NOISES; j++) {
		double far = (gsl_vector_get(x, j) - log(START[j])) / SPREAD[j];
		sum += far * far;
	}
	return sum;
}

/* Minimises it; the parameters found are in x. */
static int search(struct residuals *r, double *x, struct err *err)
{
	for (size_t j = 0; j < NOISES; j++)
		x[j] = log(START[j]);
	return fit_simplex(unlikeliness, r, x, NOISES, err);
}

int fit_noise(const struct trace *t, const double *v, struct battery_model *m,
	struct err *err)
{
	struct residuals r = {
		.t = t, .v = v, .apart_s = APART_S, .chains = CHAINS, .error_v = NAN};
	double x[NOISES];
	if (search(&r, x, err))
		return -1;
	m->model_error_v = r.error_v = exp(x[ERROR_V]);
	m->model_error_s = r.error_s = exp(x[ERROR_S]);
	r.apart_s = 0;
	r.chains = 1;
	if (search(&r, x, err))
		return -1;
	m->voltage_noise_v = hypot(exp(x[SAMPLE_V]), SAMPLE_LEAST_V);
	return 0;
}
