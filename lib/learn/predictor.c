#include "learn/predictor.h"

#include <math.h>
#include <stdlib.h>

struct estimate model_estimate(const struct model *m, double margin)
{
	double floor = log(m->floor_days), lower, upper;
	/* Below the floor lives were not told apart in training nor in calibration. */
	calibration_interval(&m->calibration, fmax(margin, floor), &lower, &upper);
	struct estimate e = {.rul = exp(margin),
		.lower = lower <= floor ? 0 : exp(lower),
		.upper = fmax(fmin(exp(upper), m->longest_days), exp(margin)),
		.p_fail_30d = calibration_p_fail(&m->calibration, margin, 30),
		.p_fail_90d = calibration_p_fail(&m->calibration, margin, 90)};
	e.confidence = estimate_confidence(e.rul, e.lower, e.upper);
	return e;
}

bool model_out_of_range(const struct model *m, const float *x)
{
	for (int i = 0; i < m->nfeatures; i++) {
		const struct model_feature *f = &m->feature[i];
		double slack = RANGE_SLACK * (f->max - f->min);
		/* NaN compares false: missing is not out of range. */
		if ((double)x[i] < f->min - slack || (double)x[i] > f->max + slack)
			return true;
	}
	return false;
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

static void finish(const struct model *m, const struct feature_set *s, const float *x,
	float coverage, const float *contributions, struct prediction *p)
{
	double margin = 0;
	for (int i = 0; i <= m->nfeatures; i++)
		margin += (double)contributions[i];
	p->e = model_estimate(m, margin);
	p->out_of_range = model_out_of_range(m, x);
	p->starved = coverage < (float)STARVED_BELOW || model_starved(m, x);
	if (p->out_of_range)
		p->e.confidence *= 0.5;
	if (p->starved)
		p->e.confidence *= 0.5;
	factors_of(s, contributions, &p->factors);
}

int model_predict(const struct model *m, struct booster *b, const struct feature_set *s,
	const float *x, const float *coverage, size_t rows, struct prediction *out,
	struct err *err)
{
	size_t cols = (size_t)m->nfeatures;
	float *phi = malloc((rows * (cols + 1) + 1) * sizeof(*phi));
	if (!phi)
		return err_nomem(err);
	int r = booster_contributions(b, x, rows, m->nfeatures, phi, err);
	for (size_t i = 0; r == 0 && i < rows; i++)
		finish(m, s, x + i * cols, coverage[i], phi + i * (cols + 1), &out[i]);
	free(phi);
	return r;
}
