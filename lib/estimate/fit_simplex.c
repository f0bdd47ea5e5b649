#include "estimate/fit_parts.h"

#include <gsl/gsl_multimin.h>

static const size_t ITERATIONS_EACH = 100;
static const double STEP = 0.5, SETTLED = 1e-3;

int fit_simplex(double (*f)(const gsl_vector *, void *), void *arg, double *x, size_t n,
	struct err *err)
{
	gsl_multimin_function what = {f, n, arg};
	gsl_multimin_fminimizer *w =
		gsl_multimin_fminimizer_alloc(gsl_multimin_fminimizer_nmsimplex2, n);
	gsl_vector *at = gsl_vector_alloc(n), *step = gsl_vector_alloc(n);
	bool room = w && at && step;
	if (room) {
		for (size_t j = 0; j < n; j++)
			gsl_vector_set(at, j, x[j]);
		gsl_vector_set_all(step, STEP);
		gsl_multimin_fminimizer_set(w, &what, at, step);
		for (size_t i = 0; i < ITERATIONS_EACH * n; i++)
			if (gsl_multimin_fminimizer_iterate(w) ||
				gsl_multimin_fminimizer_size(w) < SETTLED)
				break;
		for (size_t j = 0; j < n; j++)
			x[j] = gsl_vector_get(w->x, j);
	}
	gsl_vector_free(at);
	gsl_vector_free(step);
	gsl_multimin_fminimizer_free(w);
	return room ? 0 : err_nomem(err);
}
