#include "estimate/fit.h"
#include "estimate/fit_parts.h"
#include "battery/ocv.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SIGMA_V = 0.01, KNEE_SIGMA_V = 0.05, KNEE_SOC = 0.1;
static const double FAR = 2.5, UNSEEN = 0.7, CORRELATED = 0.95;
static const double DISCHARGE_LEAST = 0.05;
static const size_t ITERATIONS = 100;

static bool fitted(const struct trace_point *p)
{
	return p->phase != TRACE_FULL && !p->starts;
}

/* Residuals over the data, then the pull of every parameter to its start. */
static int residuals(const gsl_vector *x, void *p, gsl_vector *f)
{
	struct fit_problem *k = p;
	struct battery_model m;
	fit_model_at(k, x, &m);
	size_t row = 0;
	for (int s = 0; s < k->segments; s++) {
		const struct fit_segment *g = &k->segment[s];
		double soc = gsl_vector_get(x, (size_t)(k->n + s));
		fit_replay(k, g, &m, soc);
		for (size_t i = g->from; i < g->to; i++)
			if (fitted(&k->trace.points[i]))
				gsl_vector_set(f, row++,
					(k->v[i] - k->trace.points[i].voltage_v) /
						k->sigma[i]);
	}
	for (int j = 0; j < k->n + k->segments; j++)
		gsl_vector_set(f, row++,
			(gsl_vector_get(x, (size_t)j) - k->prior[j]) / k->spread[j]);
	return GSL_SUCCESS;
}

/* Points the fit weighs, and how much: little at the knee, whose shape is not known. */
static size_t weigh(struct fit_problem *k)
{
	size_t rows = 0;
	for (int s = 0; s < k->segments; s++) {
		const struct fit_segment *g = &k->segment[s];
		double soc = k->prior[k->n + s];
		double ah = g->capacity_ah > 0 ? g->capacity_ah : k->base.capacity_ah;
		for (size_t i = g->from; i < g->to; i++) {
			const struct trace_point *p = &k->trace.points[i];
			if (i > g->from) {
				double dt_h = (double)(p->ts - p[-1].ts) / 3.6e6;
				soc += p->mean_a * dt_h / ah;
			}
			if (p->phase == TRACE_FULL)
				soc = trace_tail(&k->base, p) ? 1 : fmin(soc, 1);
			double low =
				p->phase == TRACE_DISCHARGE
					? fmin(fmax(KNEE_SOC - soc, 0) / KNEE_SOC, 1)
					: 0;
			k->sigma[i] = hypot(SIGMA_V, KNEE_SIGMA_V * low);
			rows += fitted(p);
		}
	}
	return rows;
}

static void report(struct fit_problem *k, const gsl_matrix *covar, struct fit *out)
{
	for (int j = 0; j < k->n; j++) {
		struct fit_parameter *r = &out->parameters[j];
		double std = sqrt(gsl_matrix_get(covar, (size_t)j, (size_t)j));
		fit_describe(k, j, std, r);
		double moved = fabs(k->x[j] - k->prior[j]) / k->spread[j];
		r->doubts = (std > UNSEEN * k->spread[j] ? FIT_UNSEEN : 0) |
			    (moved > FAR ? FIT_FAR : 0);
		double most = CORRELATED;
		for (int i = 0; i < k->n; i++) {
			double other =
				sqrt(gsl_matrix_get(covar, (size_t)i, (size_t)i));
			double c = fabs(gsl_matrix_get(covar, (size_t)j, (size_t)i)) /
				   (std * other);
			if (i == j || !(c > most))
				continue;
			most = c;
			r->doubts |= FIT_CORRELATED;
			r->with = fit_name(k, i);
		}
	}
	out->n = k->n;
}

static int solve(struct fit_problem *k, size_t rows, struct fit *out, struct err *err)
{
	size_t n = (size_t)(k->n + k->segments);
	gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
	gsl_multifit_nlinear_workspace *w = gsl_multifit_nlinear_alloc(
		gsl_multifit_nlinear_trust, &how, rows + n, n);
	gsl_matrix *covar = gsl_matrix_alloc(n, n);
	gsl_vector_view x = gsl_vector_view_array(k->x, n);
	int info = 0, r = -1;
	if (w && covar) {
		gsl_multifit_nlinear_fdf f = {
			.f = residuals, .n = rows + n, .p = n, .params = k};
		memcpy(k->x, k->prior, n * sizeof(*k->x));
		gsl_multifit_nlinear_init(&x.vector, &f, w);
		int status = gsl_multifit_nlinear_driver(
			ITERATIONS, 1e-6, 1e-9, 1e-9, NULL, NULL, &info, w);
		out->converged = status == GSL_SUCCESS;
		gsl_vector_memcpy(&x.vector, gsl_multifit_nlinear_position(w));
		gsl_multifit_nlinear_covar(gsl_multifit_nlinear_jac(w), 0, covar);
		/* Errors of the model are not noise: they widen what the noise alone
		 * would leave. */
		const gsl_vector *f_end = gsl_multifit_nlinear_residual(w);
		double chi = gsl_blas_dnrm2(f_end);
		double scale = fmax(1, chi * chi / (double)rows);
		gsl_matrix_scale(covar, scale);
		report(k, covar, out);
		fit_model_at(k, &x.vector, &out->model);
		r = 0;
	}
	gsl_matrix_free(covar);
	gsl_multifit_nlinear_free(w);
	return r ? err_nomem(err) : 0;
}

int fit_model(const struct trace *t, const struct battery_model *start, struct fit *out,
	struct err *err)
{
	struct fit_problem k;
	struct trace_span d;
	size_t at = 0;
	*out = (struct fit){.model = *start};
	if (!trace_discharge(t, start, DISCHARGE_LEAST, &at, &d))
		return err_set(err, ERR_DATA,
			"no discharge of at least %g %% of %g Ah in the record",
			100 * DISCHARGE_LEAST, start->capacity_ah);
	int r = fit_problem_init(&k, t, start, out, err);
	if (r == 0)
		r = solve(&k, weigh(&k), out, err);
	if (r == 0)
		r = fit_errors(&k, t, out, err);
	fit_problem_release(&k);
	return r;
}
