#include "learn/drift.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

struct tally_of {
	uint64_t bin[HISTOGRAM_BINS], missing;
};

struct drift {
	const struct model *model;
	int64_t period_ms, from; /* from TIME_NIL: not begun */
	struct tally_of *feature;
	uint64_t rows;
	uint32_t *period_of; /* by battery: the last period it was counted in */
	size_t cap, batteries;
	uint32_t period; /* ordinal, from 1 */
};

struct drift *drift_new(const struct model *m, int64_t period_ms, struct err *err)
{
	struct drift *d = calloc(1, sizeof(*d));
	if (d)
		d->feature = calloc((size_t)m->nfeatures + 1, sizeof(*d->feature));
	if (!d || !d->feature) {
		drift_free(d);
		err_nomem(err);
		return NULL;
	}
	d->model = m;
	d->period_ms = period_ms;
	d->from = TIME_NIL;
	return d;
}

bool drift_period_over(const struct drift *d, int64_t ts)
{
	return d->from != TIME_NIL && ts >= d->from + d->period_ms;
}

void drift_begin(struct drift *d, int64_t ts)
{
	int64_t in = ts % d->period_ms;
	d->from = ts - (in < 0 ? in + d->period_ms : in);
	d->period++;
	d->rows = d->batteries = 0;
	memset(d->feature, 0, (size_t)d->model->nfeatures * sizeof(*d->feature));
}

static int grow(struct drift *d, uint32_t battery, struct err *err)
{
	size_t cap = d->cap ? d->cap : 256;
	while (cap <= battery)
		cap *= 2;
	uint32_t *p = realloc(d->period_of, cap * sizeof(*p));
	if (!p)
		return err_nomem(err);
	memset(p + d->cap, 0, (cap - d->cap) * sizeof(*p));
	d->period_of = p;
	d->cap = cap;
	return 0;
}

int drift_count(struct drift *d, uint32_t battery, const float *x, struct err *err)
{
	const struct model *m = d->model;
	if (battery >= d->cap && grow(d, battery, err) < 0)
		return -1;
	if (d->period_of[battery] != d->period) {
		d->period_of[battery] = d->period;
		d->batteries++;
	}
	d->rows++;
	for (int i = 0; i < m->nfeatures; i++) {
		const struct histogram *h = &m->feature[i].reference;
		if (isnan(x[i]))
			d->feature[i].missing++;
		else if (h->n > 0)
			d->feature[i].bin[histogram_bin(h, x[i])]++;
	}
	return 0;
}

size_t drift_batteries(const struct drift *d)
{
	return d->batteries;
}

int64_t drift_until(const struct drift *d)
{
	return d->from + d->period_ms;
}

/* What one bin adds, of shares seen in n and learned from m batteries. */
static double term(double seen, double learned, double n, double m, double bins)
{
	double a = (seen * n + 0.5) / (n + 0.5 * bins);
	double e = (learned * m + 0.5) / (m + 0.5 * bins);
	return (a - e) * log(a / e);
}

static bool judged(const struct model *m, int i)
{
	const struct model_feature *f = &m->feature[i];
	return f->reference.n > 0 && m->train_batteries > 0 &&
	       strncmp(f->name, "season_", 7) != 0;
}

static struct drift_figure figure(const struct drift *d, int i, int features)
{
	const struct model_feature *f = &d->model->feature[i];
	const struct histogram *h = &f->reference;
	double n = (double)d->batteries, m = (double)d->model->train_batteries;
	double rows = (double)d->rows, bins = h->n + 1;
	struct drift_figure out = {f->name, NAN, NAN};
	if (!judged(d->model, i) || d->batteries == 0)
		return out;
	out.psi =
		term((double)d->feature[i].missing / rows, 1 - f->present, n, m, bins);
	for (int k = 0; k < h->n; k++)
		out.psi += term((double)d->feature[i].bin[k] / rows,
			(double)h->share[k] * f->present, n, m, bins);
	double chance =
		gsl_cdf_chisq_Qinv(DRIFT_CHANCE / features, bins - 1) * (1 / n + 1 / m);
	out.limit = fmax(DRIFT_PSI_LEAST, chance);
	return out;
}

void drift_judge(const struct drift *d, struct drift_figure *out)
{
	int features = 0;
	for (int i = 0; i < d->model->nfeatures; i++)
		features += judged(d->model, i);
	for (int i = 0; i < d->model->nfeatures; i++)
		out[i] = figure(d, i, features);
}

void drift_free(struct drift *d)
{
	if (!d)
		return;
	free(d->feature);
	free(d->period_of);
	free(d);
}
