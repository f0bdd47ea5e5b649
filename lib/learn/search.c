#include "learn/search.h"

#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

enum { DRAW_SCALE, DRAW_DEPTH, DRAW_ETA, DRAW_ROWS, DRAW_COLUMNS, DRAWS };

/* Between a and b, evenly on the log scale. */
static double draw_log(uint64_t key, uint64_t counter, double a, double b)
{
	return a * pow(b / a, rng_uniform(key, counter));
}

static int draw_int(uint64_t key, uint64_t counter, int n)
{
	return (int)(rng_uniform(key, counter) * n);
}

/* Ranges wide enough that the best lie inside them, narrow enough for a dozen trials;
 * trees deeper than five are slow to explain. */
static struct booster_params draw(const struct booster_params *first, int trial)
{
	static const int rows[] = {1, 20, 100};
	static const double columns[] = {0.4, 0.6, 0.8, 1};
	uint64_t key = rng_key(first->seed, (uint64_t)trial);
	struct booster_params p = *first;
	if (trial == 0)
		return p;
	p.scale = draw_log(key, DRAW_SCALE, 0.08, 0.6);
	p.depth = 3 + draw_int(key, DRAW_DEPTH, 3);
	p.eta = draw_log(key, DRAW_ETA, 0.04, 0.15);
	p.min_rows = rows[draw_int(key, DRAW_ROWS, 3)];
	p.columns = columns[draw_int(key, DRAW_COLUMNS, 4)];
	return p;
}

/* Mean |ln predicted - ln true|; a censored row errs only by what falls short of it. */
static int error_of(
	struct booster *b, const struct booster_data *d, double *error, struct err *err)
{
	double sum = 0;
	float *margin = malloc((d->rows + 1) * sizeof(*margin));
	if (!margin)
		return err_nomem(err);
	int r = booster_margin(b, d->x, d->rows, d->cols, margin, err);
	for (size_t i = 0; r == 0 && i < d->rows; i++) {
		double low = log(fmax((double)d->lower[i], 1e-2));
		double high = log((double)d->upper[i]), m = (double)margin[i];
		sum += m < low ? low - m : m > high ? m - high : 0;
	}
	*error = d->rows ? sum / (double)d->rows : INFINITY;
	free(margin);
	return r;
}

struct booster *search_run(const struct search *s, const struct booster_data *train,
	const struct booster_data *valid, struct search_result *out, struct err *err)
{
	struct booster *best = NULL;
	*out = (struct search_result){.error = INFINITY};
	for (int i = 0; i < s->trials; i++) {
		struct search_result now = {.params = draw(&s->first, i), .trial = i};
		struct booster *b =
			booster_train(train, valid, &now.params, &now.fit, err);
		if (!b || error_of(b, valid, &now.error, err) < 0) {
			booster_free(b);
			booster_free(best);
			return NULL;
		}
		if (!best || now.error < out->error) {
			booster_free(best);
			best = b;
			*out = now;
		} else {
			booster_free(b);
		}
		if (s->progress)
			s->progress(s->arg, i + 1, s->trials, now.error, out->error);
	}
	return best;
}
