#include "learn/drift.h"

#include "base/code.h"
#include "base/grow.h"
#include "base/ids.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

struct tally_of {
	uint64_t bin[HISTOGRAM_BINS], missing;
};

/* What one string says of one feature. */
struct mean_of {
	uint32_t n;
	double sum;
};

struct drift {
	const struct model *model;
	int64_t period_ms, from; /* from TIME_NIL: not begun */
	struct tally_of *feature;
	struct ids strings;
	struct mean_of *mean; /* [string][feature], and a last one for its batteries */
	size_t cap_strings;
	double *square;      /* sum of squares, by feature */
	uint32_t *period_of; /* by battery: the last period it was counted in */
	size_t cap, batteries;
	uint32_t period; /* ordinal, from 1 */
};

struct drift *drift_new(const struct model *m, int64_t period_ms, struct err *err)
{
	struct drift *d = calloc(1, sizeof(*d));
	if (d) {
		d->feature = calloc((size_t)m->nfeatures + 1, sizeof(*d->feature));
		d->square = calloc((size_t)m->nfeatures + 1, sizeof(*d->square));
	}
	if (!d || !d->feature || !d->square) {
		drift_free(d);
		err_nomem(err);
		return NULL;
	}
	d->model = m;
	d->period_ms = period_ms;
	d->from = TIME_NIL;
	return d;
}

static size_t columns(const struct drift *d)
{
	return (size_t)d->model->nfeatures + 1;
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
	d->batteries = 0;
	size_t n = (size_t)d->model->nfeatures;
	memset(d->feature, 0, n * sizeof(*d->feature));
	memset(d->square, 0, n * sizeof(*d->square));
	if (d->mean)
		memset(d->mean, 0, d->cap_strings * columns(d) * sizeof(*d->mean));
}

/* The means of the string of that battery, or NULL. */
static struct mean_of *means_of(struct drift *d, struct str battery)
{
	size_t n = columns(d);
	uint32_t id = ids_intern(&d->strings, code_string(battery));
	if (id == IDS_NONE ||
		grow(&d->mean, &d->cap_strings, id, n * sizeof(*d->mean)) < 0)
		return NULL;
	return d->mean + id * n;
}

int drift_count(struct drift *d, uint32_t battery, struct str code, const float *x,
	struct err *err)
{
	const struct model *m = d->model;
	if (grow(&d->period_of, &d->cap, battery, sizeof(*d->period_of)) < 0)
		return err_nomem(err);
	if (d->period_of[battery] == d->period)
		return 0;
	struct mean_of *mean = means_of(d, code);
	if (!mean)
		return err_nomem(err);
	d->period_of[battery] = d->period;
	d->batteries++;
	mean[m->nfeatures].n++;
	for (int i = 0; i < m->nfeatures; i++) {
		const struct histogram *h = &m->feature[i].reference;
		double v = (double)x[i];
		if (isnan(x[i])) {
			d->feature[i].missing++;
			continue;
		}
		if (h->n > 0)
			d->feature[i].bin[histogram_bin(h, x[i])]++;
		mean[i].n++;
		mean[i].sum += v;
		d->square[i] += v * v;
	}
	return 0;
}

/*
 * The share of the variance of feature i that lies between strings: the intraclass
 * correlation by one-way analysis of variance, 0 to 1. 1 where there are too few
 * strings or batteries to tell.
 */
static double between_strings(const struct drift *d, int i)
{
	double n = 0, k = 0, sum = 0, means = 0, sizes = 0;
	for (size_t s = 0; s < d->strings.n; s++) {
		const struct mean_of *q = &d->mean[s * columns(d) + (size_t)i];
		if (q->n == 0)
			continue;
		k++;
		n += q->n;
		sum += q->sum;
		means += q->sum * q->sum / q->n;
		sizes += (double)q->n * q->n;
	}
	if (k < 2 || n <= k)
		return 1;
	double between = (means - sum * sum / n) / (k - 1);
	double within = (d->square[i] - means) / (n - k);
	double size = (n - sizes / n) / (k - 1);
	double rho = (between - within) / (between + (size - 1) * within);
	return rho > 0 ? fmin(rho, 1) : 0;
}

/* As many independent ones as n batteries in so many strings are worth. */
static double worth(double n, double strings, double rho)
{
	return n / (1 + (n / strings - 1) * rho);
}

static double strings_seen(const struct drift *d)
{
	double k = 0;
	for (size_t s = 0; s < d->strings.n; s++)
		k += d->mean[s * columns(d) + columns(d) - 1].n > 0;
	return k;
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
	return f->reference.n > 0 && m->train_strings > 0 &&
	       strncmp(f->name, "season_", 7) != 0;
}

static struct drift_figure figure(const struct drift *d, int i, int features)
{
	const struct model *model = d->model;
	const struct model_feature *f = &model->feature[i];
	const struct histogram *h = &f->reference;
	const struct tally_of *t = &d->feature[i];
	double seen = (double)d->batteries, bins = h->n + 1;
	struct drift_figure out = {f->name, NAN, NAN};
	if (!judged(model, i) || d->batteries == 0)
		return out;
	double rho = between_strings(d, i);
	double n = worth(seen, strings_seen(d), rho);
	double m = worth(
		(double)model->train_batteries, (double)model->train_strings, rho);
	out.psi = term((double)t->missing / seen, 1 - f->present, n, m, bins);
	for (int k = 0; k < h->n; k++)
		out.psi += term((double)t->bin[k] / seen,
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
	free(d->square);
	free(d->mean);
	ids_release(&d->strings);
	free(d->period_of);
	free(d);
}
