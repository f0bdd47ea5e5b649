#include "estimate/fit.h"
#include "estimate/fit_parts.h"
#include "battery/ocv.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_multifit_nlinear.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a fitted model is off on a discharge it has not seen, and at its knee [M,
 * BBOXX]: beside it, what is supposed of any block weighs as it should. */
static const double SIGMA_V = 0.02, KNEE_SIGMA_V = 0.06, KNEE_SOC = 0.1;
static const double FAR = 2.5, UNSEEN = 0.7, CORRELATED = 0.95;
static const double DISCHARGE_LEAST = 0.05;
static const double DERIVATIVE_STEP = 1e-4; /* of a parameter's deviation */
static const size_t ITERATIONS = 400;

static bool fitted(const struct trace_point *p)
{
	return p->phase != TRACE_FULL && !p->starts && !p->blind;
}

/* Residuals over the data, then the pull of every parameter to its start. */
static int residuals(const gsl_vector *x, void *p, gsl_vector *f)
{
	struct fit_problem *k = p;
	struct battery_model m;
	fit_model_at(k, x, &m);
	size_t row = 0;
	for (int s = 0; s < k->segments; s++) {
		if (s == k->left_out)
			continue;
		const struct fit_segment *g = &k->segment[s];
		double soc = gsl_vector_get(x, (size_t)(k->n + s));
		fit_replay(&k->trace, g, &m, soc, k->v);
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

/*
 * Derivatives by central differences of a step that suits every parameter. GSL's own
 * take a share of the value, which means nothing for one that is about 0.
 */
static int derivatives(const gsl_vector *x, void *p, gsl_matrix *jacobian)
{
	struct fit_problem *k = p;
	gsl_vector *at = gsl_vector_alloc(x->size);
	gsl_vector *up = gsl_vector_alloc(jacobian->size1);
	gsl_vector *down = gsl_vector_alloc(jacobian->size1);
	int r = at && up && down ? GSL_SUCCESS : GSL_ENOMEM;
	for (size_t j = 0; r == GSL_SUCCESS && j < x->size; j++) {
		double step = DERIVATIVE_STEP * k->spread[j];
		gsl_vector_memcpy(at, x);
		gsl_vector_set(at, j, gsl_vector_get(x, j) + step);
		residuals(at, p, up);
		gsl_vector_set(at, j, gsl_vector_get(x, j) - step);
		residuals(at, p, down);
		gsl_vector_sub(up, down);
		gsl_vector_scale(up, 1 / (2 * step));
		gsl_matrix_set_col(jacobian, j, up);
	}
	gsl_vector_free(at);
	gsl_vector_free(up);
	gsl_vector_free(down);
	return r;
}

/* Points the fit weighs, and how much: little at the knee, whose shape is not known. */
static size_t weigh(struct fit_problem *k)
{
	size_t rows = 0;
	for (int s = 0; s < k->segments; s++) {
		if (s == k->left_out)
			continue;
		const struct fit_segment *g = &k->segment[s];
		double soc = k->prior[k->n + s];
		double ah = k->base.capacity_ah;
		for (size_t i = g->from; i < g->to; i++) {
			const struct trace_point *p = &k->trace.points[i];
			if (i > g->from) {
				double dt_h = (double)(p->ts - p[-1].ts) / 3.6e6;
				soc += p->mean_a * dt_h / ah;
			}
			soc = trace_soc(&k->base, p, g->full_soc, soc);
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

static int solve(struct fit_problem *k, struct fit *out, struct err *err)
{
	size_t rows = weigh(k);
	size_t n = (size_t)(k->n + k->segments);
	gsl_multifit_nlinear_parameters how = gsl_multifit_nlinear_default_parameters();
	gsl_multifit_nlinear_workspace *w = gsl_multifit_nlinear_alloc(
		gsl_multifit_nlinear_trust, &how, rows + n, n);
	gsl_matrix *covar = gsl_matrix_alloc(n, n);
	gsl_vector_view x = gsl_vector_view_array(k->x, n);
	int info = 0, r = -1;
	if (w && covar) {
		gsl_multifit_nlinear_fdf f = {.f = residuals,
			.df = derivatives,
			.n = rows + n,
			.p = n,
			.params = k};
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

/*
 * The final fit, and before it one without each of the segments, whose errors then are
 * those of a model that has not seen them: they go to held.
 */
static int solve_all(struct fit_problem *k, const struct trace *t, double *v,
	double *held, struct fit *out, struct err *err)
{
	for (int s = 0; k->segments > 1 && s < k->segments; s++) {
		k->left_out = s;
		if (solve(k, out, err))
			return -1;
		fit_judge(k, t, s, &out->model, held, NULL);
	}
	k->left_out = -1;
	if (solve(k, out, err))
		return -1;
	for (int s = 0; s < k->segments; s++)
		fit_judge(k, t, s, &out->model, v, out);
	return fit_noise(t, k->segments > 1 ? held : v, &out->model, err);
}

static int fit_record(const struct trace *t, const struct battery_model *start,
	struct fit *out, struct err *err)
{
	struct fit_problem k;
	double *v = calloc(t->n, sizeof(*v)), *held = calloc(t->n, sizeof(*held));
	int r = fit_problem_init(&k, t, start, out, err);
	if (r == 0 && !(v && held))
		r = err_nomem(err);
	for (size_t i = 0; r == 0 && i < t->n; i++)
		v[i] = held[i] = NAN;
	if (r == 0)
		r = solve_all(&k, t, v, held, out, err);
	fit_problem_release(&k);
	free(v);
	free(held);
	return r;
}

int fit_model(const struct trace *t, const struct battery_model *start, struct fit *out,
	struct err *err)
{
	struct trace_span d;
	size_t at = 0;
	*out = (struct fit){.model = *start};
	if (!trace_discharge(t, start, DISCHARGE_LEAST, &at, &d))
		return err_set(err, ERR_DATA,
			"no discharge of at least %g %% of %g Ah in the record",
			100 * DISCHARGE_LEAST, start->capacity_ah);
	return fit_record(t, start, out, err);
}
