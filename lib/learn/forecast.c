#include "learn/forecast.h"

#include "base/ids.h"
#include "learn/predictor.h"

#include <math.h>
#include <stdlib.h>

/* How far stream time may go on before a block begun is predicted. */
#define BLOCK_SLACK_MS SECOND_MS

/* What is known of the unit at a position. */
struct battery {
	int32_t unit;
	int64_t feature_ts; /* of the last row given to the model */
	int64_t emitted_ts; /* of the last fused record */
	int64_t twin_ts;
	struct estimate twin;
};
static const struct battery FRESH = {
	.feature_ts = TIME_NIL, .emitted_ts = TIME_NIL, .twin_ts = TIME_NIL};

/* Feature rows waiting to be predicted together. */
struct block {
	float *x, *coverage;
	int64_t *ts;
	uint32_t *battery;
	struct prediction *out;
	size_t n;
	int64_t opened; /* stream time when its first row came */
};

struct forecast {
	struct forecast_options o;
	forecast_emit *emit;
	void *to;
	struct model model;
	struct booster *booster; /* NULL: no model */
	struct feature_set features;
	struct ids ids;
	struct battery *batteries;
	size_t cap;
	struct block block;
	int64_t now; /* latest time seen */
};

struct forecast *forecast_new(const struct forecast_options *o, forecast_emit *emit,
	void *to, struct err *err)
{
	struct forecast *f = calloc(1, sizeof(*f));
	if (!f) {
		err_nomem(err);
		return NULL;
	}
	f->o = *o;
	f->emit = emit;
	f->to = to;
	f->model.window_h = o->window_h;
	f->now = TIME_NIL;
	return f;
}

static void block_release(struct block *k)
{
	free(k->x);
	free(k->coverage);
	free(k->ts);
	free(k->battery);
	free(k->out);
	*k = (struct block){0};
}

void forecast_free(struct forecast *f)
{
	if (!f)
		return;
	booster_free(f->booster);
	block_release(&f->block);
	ids_release(&f->ids);
	free(f->batteries);
	free(f);
}

int forecast_use(
	struct forecast *f, const struct model *m, struct booster *b, struct err *err)
{
	size_t rows = f->o.block, cols = (size_t)m->nfeatures;
	struct block *k = &f->block;
	booster_free(f->booster);
	f->booster = b;
	f->model = *m;
	block_release(k);
	k->x = malloc((rows * cols + 1) * sizeof(*k->x));
	k->coverage = malloc(rows * sizeof(*k->coverage));
	k->ts = malloc(rows * sizeof(*k->ts));
	k->battery = malloc(rows * sizeof(*k->battery));
	k->out = malloc(rows * sizeof(*k->out));
	int r = k->x && k->coverage && k->ts && k->battery && k->out ? 0
								     : err_nomem(err);
	if (r == 0)
		r = model_features(m, &f->features, err);
	if (r < 0) {
		booster_free(f->booster);
		f->booster = NULL;
		f->model.window_h = f->o.window_h;
	}
	return r;
}

const struct model *forecast_model(const struct forecast *f)
{
	return f->booster ? &f->model : NULL;
}

static struct rec_rul blank(
	const struct forecast *f, uint32_t id, int64_t ts, int source)
{
	struct rec_rul r;
	record_clear(kind_info(KIND_rul), &r);
	r.ts = ts;
	r.battery = str_of(ids_name(&f->ids, id));
	r.unit = f->batteries[id].unit;
	r.source = source;
	r.flags = 0;
	r.horizon_unit = horizon_unit_days;
	if (f->booster)
		r.model = str_of(f->model.id);
	return r;
}

static void set_estimate(struct rec_rul *r, const struct estimate *e)
{
	r->rul_days = (float)e->rul;
	r->lower_days = (float)e->lower;
	r->upper_days = (float)e->upper;
	r->p_fail_30d = (float)e->p_fail_30d;
	r->p_fail_90d = (float)e->p_fail_90d;
	r->confidence = isnan(e->confidence) ? 0 : (float)e->confidence;
	r->replace_by = replace_by(r->ts, e->lower);
}

static int32_t doubts(const struct prediction *p)
{
	return (p->out_of_range ? BIT(rul_flags_out_of_range) : 0) |
	       (p->starved ? BIT(rul_flags_starved) : 0);
}

static bool fresh(const struct forecast *f, int64_t then, int64_t now)
{
	return then != TIME_NIL && now - then <= f->o.max_age_ms;
}

/* The model's beat and that of the fused records are two: a word of the twin alone,
 * given before the features of that hour came, must not silence them. */
static bool due(const struct forecast *f, int64_t last, int64_t ts)
{
	return last == TIME_NIL || ts - last >= f->o.every_ms;
}

/* ml is NULL when the model has nothing to say. */
static void emit_fused(
	struct forecast *f, uint32_t id, int64_t ts, const struct prediction *ml)
{
	struct battery *b = &f->batteries[id];
	struct rec_rul r = blank(f, id, ts, rul_source_fused);
	double weight;
	bool twin = fresh(f, b->twin_ts, ts);
	if (!f->booster)
		r.flags |= BIT(rul_flags_model_missing);
	if (ml)
		r.flags |= doubts(ml);
	else if (!twin)
		r.flags |= BIT(rul_flags_starved);
	struct estimate e = fusion_of(&f->o.fusion, ml ? &ml->e : &ESTIMATE_NONE,
		twin ? &b->twin : &ESTIMATE_NONE, ml && doubts(ml), &weight, &r.flags);
	r.weight_ml = (float)weight;
	if (ml)
		r.factors = ml->factors;
	set_estimate(&r, &e);
	b->emitted_ts = ts;
	f->emit(f->to, &r);
}

static void emit_ml(
	struct forecast *f, uint32_t id, int64_t ts, const struct prediction *ml)
{
	struct rec_rul r = blank(f, id, ts, rul_source_ml);
	r.flags = doubts(ml);
	r.weight_ml = 1;
	r.factors = ml->factors;
	set_estimate(&r, &ml->e);
	f->emit(f->to, &r);
}

int forecast_flush(struct forecast *f, struct err *err)
{
	struct block *k = &f->block;
	size_t n = k->n;
	k->n = 0;
	if (n == 0)
		return 0;
	if (model_predict(&f->model, f->booster, &f->features, k->x, k->coverage, n,
		    k->out, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		emit_ml(f, k->battery[i], k->ts[i], &k->out[i]);
		emit_fused(f, k->battery[i], k->ts[i], &k->out[i]);
	}
	return 0;
}

int forecast_give_up_model(struct forecast *f, struct err *err)
{
	int r = forecast_flush(f, err);
	booster_free(f->booster);
	f->booster = NULL;
	return r;
}

int forecast_time(struct forecast *f, int64_t ts, struct err *err)
{
	if (ts <= f->now)
		return 0;
	f->now = ts;
	if (f->block.n && ts - f->block.opened > BLOCK_SLACK_MS)
		return forecast_flush(f, err);
	return 0;
}

static struct battery *grow(struct forecast *f, uint32_t id)
{
	if (id == IDS_NONE)
		return NULL;
	if (id >= f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 256;
		struct battery *b = realloc(f->batteries, cap * sizeof(*b));
		if (!b)
			return NULL;
		for (size_t i = f->cap; i < cap; i++)
			b[i] = FRESH;
		f->batteries = b;
		f->cap = cap;
	}
	return &f->batteries[id];
}

static struct battery *battery_of(struct forecast *f, struct str code, int32_t unit,
	uint32_t *id, struct err *err)
{
	*id = ids_intern(&f->ids, code);
	struct battery *b = grow(f, *id);
	if (!b) {
		err_nomem(err);
		return NULL;
	}
	if (b->unit != unit) {
		/* Rows of the former unit may be waiting. */
		if (b->feature_ts != TIME_NIL && forecast_flush(f, err) < 0)
			return NULL;
		*b = FRESH;
		b->unit = unit;
	}
	return b;
}

int forecast_feature(struct forecast *f, const struct rec_feature *r, struct err *err)
{
	uint32_t id;
	struct block *k = &f->block;
	if (r->window_h != f->model.window_h)
		return 0;
	struct battery *b = battery_of(f, r->battery, r->unit, &id, err);
	if (!b)
		return -1;
	if (!due(f, f->booster ? b->feature_ts : b->emitted_ts, r->ts))
		return 0;
	if (!f->booster) {
		emit_fused(f, id, r->ts, NULL);
		return 0;
	}
	if ((k->n == f->o.block || (k->n && k->ts[0] != r->ts)) &&
		forecast_flush(f, err) < 0)
		return -1;
	if (k->n == 0)
		k->opened = f->now;
	feature_values(&f->features, r, k->x + k->n * (size_t)f->model.nfeatures);
	k->coverage[k->n] = r->coverage;
	k->ts[k->n] = r->ts;
	k->battery[k->n++] = id;
	b->feature_ts = r->ts;
	b->emitted_ts = r->ts;
	return 0;
}

/* The twin's words, with its bounds about its estimate. */
static struct estimate heard(const struct rec_rul *r)
{
	struct estimate e = {(double)r->rul_days, (double)r->lower_days,
		(double)r->upper_days, (double)r->p_fail_30d, (double)r->p_fail_90d,
		(double)r->confidence};
	if (!isnan(e.lower))
		e.lower = fmin(e.lower, e.rul);
	if (!isnan(e.upper))
		e.upper = fmax(e.upper, e.rul);
	if (isnan(e.confidence))
		e.confidence = estimate_confidence(e.rul, e.lower, e.upper);
	return e;
}

int forecast_twin(struct forecast *f, const struct rec_rul *r, struct err *err)
{
	uint32_t id;
	struct battery *b = battery_of(f, r->battery, r->unit, &id, err);
	if (!b)
		return -1;
	b->twin_ts = r->ts;
	b->twin = heard(r);
	/* Where the features have dried up the twin speaks, on its own beat. */
	if (!fresh(f, b->feature_ts, r->ts) && due(f, b->emitted_ts, r->ts))
		emit_fused(f, id, r->ts, NULL);
	return 0;
}
