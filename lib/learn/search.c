#include "learn/search.h"

#include "base/rng.h"

#include <math.h>

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

struct booster *search_run(const struct search *s, const struct booster_data *train,
	const struct booster_data *valid, struct search_result *out, struct err *err)
{
	struct booster *best = NULL;
	*out = (struct search_result){.trial = -1};
	for (int i = 0; i < s->trials; i++) {
		struct search_result now = {.params = draw(&s->first, i), .trial = i};
		struct booster *b =
			booster_train(train, valid, &now.params, &now.fit, err);
		if (!b) {
			booster_free(best);
			return NULL;
		}
		if (!best || now.fit.score < out->fit.score) {
			booster_free(best);
			best = b;
			*out = now;
		} else {
			booster_free(b);
		}
		if (s->progress)
			s->progress(s->arg, i + 1, s->trials, now.fit.score,
				out->fit.score);
	}
	return best;
}
