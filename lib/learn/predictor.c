#include "learn/predictor.h"

#include "learn/shap.h"

#include <math.h>
#include <stdlib.h>

struct predictor {
	struct model model;
	struct feature_set features;
	struct booster *booster; /* NULL where 'shap' does it all */
	struct shap *shap;
};

static struct estimate estimate_by(
	const struct calibration *c, const struct model *m, double margin, double width)
{
	double floor = log(m->floor_days), lower, upper;
	/* Below the floor lives were not told apart in training nor in calibration. */
	calibration_interval(c, fmax(margin, floor), width, &lower, &upper);
	struct estimate e = {.rul = exp(margin),
		.lower = lower <= floor ? 0 : exp(lower),
		.upper = fmax(fmin(exp(upper), m->longest_days), exp(margin)),
		.p_fail_30d = calibration_p_fail(c, margin, width, 30),
		.p_fail_90d = calibration_p_fail(c, margin, width, 90)};
	e.confidence = estimate_confidence(e.rul, e.lower, e.upper);
	return e;
}

struct estimate model_estimate(const struct model *m, double margin, const float *x)
{
	return estimate_by(
		&m->calibration[model_kind(m, x)], m, margin, model_width(m, x));
}

void model_fused(
	const struct model *m, enum calib_kind kind, double width, struct estimate *e)
{
	double rul = e->rul;
	*e = estimate_by(&m->fused[kind], m, log(fmax(rul, 1e-3)), width);
	e->rul = rul;
	e->lower = fmin(e->lower, rul);
	e->upper = fmax(e->upper, rul);
}

double model_beyond(const struct model *m, const float *x)
{
	double most = 0;
	for (int i = 0; i < m->nfeatures; i++) {
		const struct model_feature *f = &m->feature[i];
		double span = f->max - f->min, v = (double)x[i];
		/* Missing is not out of range. */
		if (!isnan(v) && span > 0)
			most = fmax(most, fmax(f->min - v, v - f->max) / span);
	}
	return most;
}

bool model_starved(const struct model *m, const float *x)
{
	double usual = 0, have = 0;
	for (int i = 0; i < m->nfeatures; i++) {
		usual += m->feature[i].present;
		have += isnan(x[i]) ? 0 : m->feature[i].present;
	}
	return have < STARVED_BELOW * usual;
}

/* contributions: of the trees; where those begin is laid to the feature it comes from.
 */
static void finish(const struct predictor *k, const float *x, float coverage,
	float *contributions, struct prediction *p)
{
	const struct model *m = &k->model;
	double margin = model_start(m, x), usual = log(m->start_days);
	for (int i = 0; i <= m->nfeatures; i++)
		margin += (double)contributions[i];
	if (m->start >= 0)
		contributions[m->start] += (float)(model_start(m, x) - usual);
	p->width = model_width(m, x);
	p->kind = model_kind(m, x);
	p->e = estimate_by(&m->calibration[p->kind], m, margin, p->width);
	p->beyond = model_beyond(m, x);
	p->starved = coverage < (float)STARVED_BELOW || model_starved(m, x);
	if (p->beyond > RANGE_SLACK)
		p->e.confidence *= 0.5;
	if (p->starved)
		p->e.confidence *= 0.5;
	factors_of(&k->features, contributions, &p->factors);
}

struct predictor *predictor_new(
	const struct model *m, struct booster *b, struct err *err)
{
	struct predictor *p = calloc(1, sizeof(*p));
	if (!p) {
		booster_free(b);
		err_nomem(err);
		return NULL;
	}
	p->model = *m;
	p->booster = b;
	if (model_features(m, &p->features, err) < 0 ||
		shap_new(b, m->nfeatures, &p->shap, err) < 0) {
		predictor_free(p);
		return NULL;
	}
	if (p->shap) {
		booster_free(b);
		p->booster = NULL;
	}
	return p;
}

const struct model *predictor_model(const struct predictor *p)
{
	return &p->model;
}

void predictor_row(const struct predictor *p, const struct rec_feature *r,
	const struct twin_word *t, float *x)
{
	feature_values(&p->features, r, t, x);
}

int predictor_run(struct predictor *p, const float *x, const float *coverage,
	size_t rows, struct prediction *out, struct err *err)
{
	size_t cols = (size_t)p->model.nfeatures;
	float *phi = malloc((rows * (cols + 1) + 1) * sizeof(*phi));
	int r = 0;
	if (!phi)
		return err_nomem(err);
	if (p->shap)
		shap_contributions(p->shap, x, rows, phi);
	else
		r = booster_contributions(p->booster, x, rows, (int)cols, phi, err);
	for (size_t i = 0; r == 0 && i < rows; i++)
		finish(p, x + i * cols, coverage[i], phi + i * (cols + 1), &out[i]);
	free(phi);
	return r;
}

void predictor_free(struct predictor *p)
{
	if (!p)
		return;
	booster_free(p->booster);
	shap_free(p->shap);
	free(p);
}
