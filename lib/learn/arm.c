#include "learn/arm.h"

#include <stdlib.h>

static int block_init(struct block *k, size_t rows, size_t cols, struct err *err)
{
	k->cap = rows;
	k->x = malloc((rows * cols + 1) * sizeof(*k->x));
	k->coverage = malloc(rows * sizeof(*k->coverage));
	k->ts = malloc(rows * sizeof(*k->ts));
	k->battery = malloc(rows * sizeof(*k->battery));
	k->out = malloc(rows * sizeof(*k->out));
	return k->x && k->coverage && k->ts && k->battery && k->out ? 0
								    : err_nomem(err);
}

static void block_release(struct block *k)
{
	free(k->x);
	free(k->coverage);
	free(k->ts);
	free(k->battery);
	free(k->out);
}

int arm_use(struct arm *a, const struct model *m, struct booster *b, size_t block,
	int64_t drift_ms, struct err *err)
{
	size_t cols = (size_t)m->nfeatures;
	*a = (struct arm){.predictor = predictor_new(m, b, err)};
	if (!a->predictor)
		return -1;
	int r = block_init(&a->block, block, cols, err);
	if (r == 0 && drift_ms > 0) {
		a->drift = drift_new(arm_model(a), drift_ms, err);
		a->figures = calloc(cols, sizeof(*a->figures));
		if (!a->drift || !a->figures)
			r = err_nomem(err);
	}
	if (r < 0)
		arm_release(a);
	return r;
}

const struct model *arm_model(const struct arm *a)
{
	return a->predictor ? predictor_model(a->predictor) : NULL;
}

int arm_take(struct arm *a, const struct rec_feature *r, const struct twin_word *t,
	uint32_t battery, int64_t now, struct err *err)
{
	struct block *k = &a->block;
	float *x = k->x + k->n * (size_t)arm_model(a)->nfeatures;
	if (k->n == 0)
		k->opened = now;
	predictor_row(a->predictor, r, t, x);
	k->coverage[k->n] = r->coverage;
	k->ts[k->n] = r->ts;
	k->battery[k->n++] = battery;
	/* What half a window says of a fleet is that half of it is missing. */
	if (!a->drift || r->coverage < (float)STARVED_BELOW)
		return 0;
	if (a->periods == 0 && drift_batteries(a->drift) == 0)
		drift_begin(a->drift, r->ts);
	return drift_count(a->drift, battery, r->battery, x, err);
}

bool arm_judge(struct arm *a, int64_t ts, struct rec_alert *out)
{
	if (!a->drift || drift_batteries(a->drift) == 0)
		return false;
	size_t batteries = drift_batteries(a->drift);
	int64_t until = drift_until(a->drift);
	drift_judge(a->drift, a->figures);
	a->periods++;
	drift_begin(a->drift, ts);
	return drift_alert_next(&a->alert, arm_model(a), a->figures, batteries,
		until < ts ? until : ts, out);
}

void arm_release(struct arm *a)
{
	predictor_free(a->predictor);
	block_release(&a->block);
	drift_free(a->drift);
	free(a->figures);
	*a = (struct arm){0};
}
