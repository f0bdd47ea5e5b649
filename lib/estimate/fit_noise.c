/*
 * What the model leaves over, as noise: errors of a fitted circuit are not white. They
 * are described by the simplest process that lasts, e' = a·e + w with a = exp(-dt/tau),
 * seen through the white noise of a sample, and its three numbers are those that make
 * the innovations of the record the most likely ones.
 */
#include "estimate/fit_parts.h"

#include <gsl/gsl_multimin.h>
#include <math.h>

enum { ERROR_V, ERROR_S, SAMPLE_V, NOISES };
/* Where the search begins, and how far from there is likely: factors of e [E]. */
static const double START[NOISES] = {0.02, 7200, 0.003};
static const double SPREAD[NOISES] = {1.5, 1, 1.5};
static const double SAMPLE_LEAST_V = 1e-4;
static const size_t ITERATIONS = 300;
static const double SETTLED = 1e-3;

struct residuals {
	const struct trace *t;
	const double *v; /* modelled; NAN where a point does not count */
};

/* -2 ln likelihood of the residuals of one battery, but for a constant. */
static double unlikeliness(const gsl_vector *x, void *p)
{
	const struct residuals *r = p;
	double error_v = exp(gsl_vector_get(x, ERROR_V));
	double error_s = exp(gsl_vector_get(x, ERROR_S));
	double sample_v = hypot(exp(gsl_vector_get(x, SAMPLE_V)), SAMPLE_LEAST_V);
	double stationary = error_v * error_v, noise = sample_v * sample_v;
	double e = 0, var = stationary, sum = 0;
	for (size_t i = 0; i < r->t->n; i++) {
		const struct trace_point *q = &r->t->points[i];
		if (q->starts) {
			e = 0;
			var = stationary;
		} else {
			double dt_s = (double)(q->ts - q[-1].ts) / 1000;
			double keep = exp(-dt_s / error_s);
			e *= keep;
			var = keep * keep * var + (1 - keep * keep) * stationary;
		}
		if (isnan(r->v[i]))
			continue;
		double y = q->voltage_v - r->v[i] - e, s = var + noise;
		sum += log(s) + y * y / s;
		e += var / s * y;
		var *= noise / s;
	}
	for (size_t j = 0; j < NOISES; j++) {
		double far = (gsl_vector_get(x, j) - log(START[j])) / SPREAD[j];
		sum += far * far;
	}
	return sum;
}

int fit_noise(const struct trace *t, const double *v, struct battery_model *m,
	struct err *err)
{
	struct residuals r = {.t = t, .v = v};
	gsl_multimin_function f = {unlikeliness, NOISES, &r};
	gsl_multimin_fminimizer *w = gsl_multimin_fminimizer_alloc(
		gsl_multimin_fminimizer_nmsimplex2, NOISES);
	gsl_vector *x = gsl_vector_alloc(NOISES), *step = gsl_vector_alloc(NOISES);
	bool room = w && x && step;
	if (room) {
		for (size_t j = 0; j < NOISES; j++)
			gsl_vector_set(x, j, log(START[j]));
		gsl_vector_set_all(step, 0.5);
		gsl_multimin_fminimizer_set(w, &f, x, step);
		for (size_t i = 0; i < ITERATIONS; i++)
			if (gsl_multimin_fminimizer_iterate(w) ||
				gsl_multimin_fminimizer_size(w) < SETTLED)
				break;
		m->model_error_v = exp(gsl_vector_get(w->x, ERROR_V));
		m->model_error_s = exp(gsl_vector_get(w->x, ERROR_S));
		m->voltage_noise_v =
			hypot(exp(gsl_vector_get(w->x, SAMPLE_V)), SAMPLE_LEAST_V);
	}
	gsl_vector_free(x);
	gsl_vector_free(step);
	gsl_multimin_fminimizer_free(w);
	return room ? 0 : err_nomem(err);
}
