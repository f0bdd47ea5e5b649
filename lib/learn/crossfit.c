#include "learn/crossfit.h"

#include <stdlib.h>

/* A selection of rows, copied. */
struct rows {
	float *x, *lower, *upper, *margin;
	size_t n;
};

static void rows_release(struct rows *r)
{
	free(r->x);
	free(r->lower);
	free(r->upper);
	free(r->margin);
}

/* The rows that are in the fold, or (not) all the others. */
static int take(const struct booster_data *d, const uint8_t *fold, int k, bool in,
	struct rows *r, struct err *err)
{
	size_t cols = (size_t)d->cols;
	*r = (struct rows){malloc((d->rows * cols + 1) * sizeof(float)),
		malloc((d->rows + 1) * sizeof(float)),
		malloc((d->rows + 1) * sizeof(float)),
		malloc((d->rows + 1) * sizeof(float)), 0};
	if (!r->x || !r->lower || !r->upper || !r->margin)
		return err_nomem(err);
	for (size_t i = 0; i < d->rows; i++) {
		if ((fold[i] == k) != in)
			continue;
		memcpy(r->x + r->n * cols, d->x + i * cols, cols * sizeof(float));
		r->lower[r->n] = d->lower[i];
		r->upper[r->n++] = d->upper[i];
	}
	return 0;
}

static int foretell(const struct booster_data *d, const uint8_t *fold, int k,
	struct booster *b, float *margin, struct err *err)
{
	struct rows r;
	size_t n = 0;
	int s = take(d, fold, k, true, &r, err);
	if (s == 0)
		s = booster_margin(b, r.x, r.n, d->cols, r.margin, err);
	for (size_t i = 0; s == 0 && i < d->rows; i++)
		if (fold[i] == k)
			margin[i] = r.margin[n++];
	rows_release(&r);
	return s;
}

static struct booster *without(const struct booster_data *d, const uint8_t *fold, int k,
	const struct booster_params *p, struct err *err)
{
	struct rows r;
	struct booster_fit fit;
	struct booster *b = NULL;
	if (take(d, fold, k, false, &r, err) == 0) {
		struct booster_data others = {r.x, r.lower, r.upper, r.n, d->cols};
		b = booster_train(&others, NULL, p, &fit, err);
	}
	rows_release(&r);
	return b;
}

int crossfit(const struct booster_data *d, const uint8_t *fold,
	const struct booster_params *p, float *margin, crossfit_told *told, void *arg,
	struct err *err)
{
	bool used[CROSSFIT_FOLDS] = {false};
	int folds = 0, done = 0;
	for (size_t i = 0; i < d->rows; i++) {
		folds += !used[fold[i]];
		used[fold[i]] = true;
	}
	for (int k = 0; k < CROSSFIT_FOLDS; k++) {
		if (!used[k])
			continue;
		struct booster *b = without(d, fold, k, p, err);
		int r = b ? foretell(d, fold, k, b, margin, err) : -1;
		booster_free(b);
		if (r < 0)
			return -1;
		if (told)
			told(arg, ++done, folds);
	}
	return 0;
}
