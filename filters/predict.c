/*
 * predict: remaining useful life by the learned model, and fused with the twin's.
 */
#include "base/diag.h"
#include "base/ids.h"
#include "learn/predictor.h"
#include "stream/flow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
	const char *model, *fusion;
	int64_t every_ms, max_age_ms, block;
};

static const struct opt_usage USAGE = {.program = "predict",
	.synopsis = "[--model DIR] [options]",
	.summary =
		"remaining useful life per battery: learned, and fused with the twin's",
	.notes = "  simulate | featurize | twin | predict --model model | alert\n"};

/* How far stream time may go on before a block begun is predicted. */
#define BLOCK_SLACK_MS SECOND_MS

/* What is known of the block at a position. */
struct battery {
	int32_t unit;
	int64_t feature_ts; /* of the last usable feature row */
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

struct predict {
	struct options o;
	struct fusion fusion;
	struct flow *flow;
	struct model model;
	struct booster *booster; /* NULL: no usable model */
	struct feature_set features;
	const struct schema *checked; /* feature schema found to supply the model */
	struct ids ids;
	struct battery *batteries;
	size_t cap;
	struct block block;
	int64_t now; /* latest time seen in the stream */
};

static void flush(struct predict *p);

static struct battery *battery_of(
	struct predict *p, struct str code, int32_t unit, uint32_t *id)
{
	*id = ids_intern(&p->ids, code);
	if (*id == IDS_NONE)
		return NULL;
	if (*id >= p->cap) {
		size_t cap = p->cap ? p->cap * 2 : 256;
		struct battery *b = realloc(p->batteries, cap * sizeof(*b));
		if (!b)
			return NULL;
		for (size_t i = p->cap; i < cap; i++)
			b[i] = FRESH;
		p->batteries = b;
		p->cap = cap;
	}
	struct battery *b = &p->batteries[*id];
	if (b->unit != unit) {
		/* Rows of the former block may be waiting. */
		if (b->feature_ts != TIME_NIL)
			flush(p);
		*b = FRESH;
		b->unit = unit;
	}
	return b;
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

static struct rec_rul blank(
	const struct predict *p, uint32_t id, int64_t ts, int source)
{
	struct rec_rul r;
	record_clear(kind_info(KIND_rul), &r);
	r.ts = ts;
	r.battery = str_of(ids_name(&p->ids, id));
	r.unit = p->batteries[id].unit;
	r.source = source;
	r.flags = 0;
	r.horizon_unit = horizon_unit_days;
	if (p->booster)
		r.model = str_of(p->model.id);
	return r;
}

static bool fresh(const struct predict *p, int64_t then, int64_t now)
{
	return then != TIME_NIL && now - then <= p->o.max_age_ms;
}

/* Emits the fused record of battery id; ml is NULL when the model has nothing to say.
 */
static void emit_fused(
	struct predict *p, uint32_t id, int64_t ts, const struct prediction *ml)
{
	struct battery *b = &p->batteries[id];
	struct rec_rul r = blank(p, id, ts, rul_source_fused);
	double weight;
	bool twin = fresh(p, b->twin_ts, ts);
	if (!p->booster)
		r.flags |= BIT(rul_flags_model_missing);
	if (ml && ml->out_of_range)
		r.flags |= BIT(rul_flags_out_of_range);
	if ((ml && ml->starved) || (!ml && !twin))
		r.flags |= BIT(rul_flags_starved);
	struct estimate e = fusion_of(&p->fusion, ml ? &ml->e : &ESTIMATE_NONE,
		twin ? &b->twin : &ESTIMATE_NONE,
		ml && (ml->out_of_range || ml->starved), &weight, &r.flags);
	r.weight_ml = (float)weight;
	if (ml)
		r.factors = ml->factors;
	set_estimate(&r, &e);
	b->emitted_ts = ts;
	flow_emit(p->flow, KIND_rul, &r);
}

static void emit_ml(
	struct predict *p, uint32_t id, int64_t ts, const struct prediction *ml)
{
	struct rec_rul r = blank(p, id, ts, rul_source_ml);
	if (ml->out_of_range)
		r.flags |= BIT(rul_flags_out_of_range);
	if (ml->starved)
		r.flags |= BIT(rul_flags_starved);
	r.weight_ml = 1;
	r.factors = ml->factors;
	set_estimate(&r, &ml->e);
	flow_emit(p->flow, KIND_rul, &r);
}

static void flush(struct predict *p)
{
	struct block *k = &p->block;
	struct err err = {0};
	if (k->n == 0)
		return;
	if (model_predict(&p->model, p->booster, &p->features, k->x, k->coverage, k->n,
		    k->out, &err) < 0)
		flow_fail(p->flow, &err);
	else
		for (size_t i = 0; i < k->n; i++) {
			emit_ml(p, k->battery[i], k->ts[i], &k->out[i]);
			emit_fused(p, k->battery[i], k->ts[i], &k->out[i]);
		}
	k->n = 0;
}

/* From here on the twin alone speaks; said once. */
static void refuse_model(struct predict *p, const struct err *err)
{
	diag("%s; estimates are the twin's alone", err->msg);
	flush(p);
	booster_free(p->booster);
	p->booster = NULL;
}

static bool due(const struct predict *p, const struct battery *b, int64_t ts)
{
	return b->emitted_ts == TIME_NIL || ts - b->emitted_ts >= p->o.every_ms;
}

static void on_feature(
	struct predict *p, const struct record *rec, const struct rec_feature *r)
{
	struct err err = {0};
	uint32_t id;
	if (p->booster && rec->schema != p->checked) {
		if (model_supplied(&p->model, rec->schema, &err) < 0)
			refuse_model(p, &err);
		p->checked = rec->schema;
	}
	if (r->window_h != p->model.window_h)
		return;
	struct battery *b = battery_of(p, r->battery, r->unit, &id);
	if (!b) {
		err_nomem(&err);
		flow_fail(p->flow, &err);
		return;
	}
	if (!due(p, b, r->ts))
		return;
	if (!p->booster) {
		emit_fused(p, id, r->ts, NULL);
		return;
	}
	struct block *k = &p->block;
	if (k->n == (size_t)p->o.block || (k->n && k->ts[0] != r->ts))
		flush(p);
	if (k->n == 0)
		k->opened = p->now;
	feature_values(&p->features, r, k->x + k->n * (size_t)p->model.nfeatures);
	k->coverage[k->n] = r->coverage;
	k->ts[k->n] = r->ts;
	k->battery[k->n++] = id;
	b->feature_ts = r->ts;
	b->emitted_ts = r->ts;
}

static void on_twin(struct predict *p, const struct rec_rul *r)
{
	uint32_t id;
	struct battery *b = battery_of(p, r->battery, r->unit, &id);
	if (!b) {
		struct err err = {0};
		err_nomem(&err);
		flow_fail(p->flow, &err);
		return;
	}
	b->twin_ts = r->ts;
	b->twin = (struct estimate){(double)r->rul_days, (double)r->lower_days,
		(double)r->upper_days, (double)r->p_fail_30d, (double)r->p_fail_90d,
		(double)r->confidence};
	if (!isnan(b->twin.lower))
		b->twin.lower = fmin(b->twin.lower, b->twin.rul);
	if (!isnan(b->twin.upper))
		b->twin.upper = fmax(b->twin.upper, b->twin.rul);
	if (isnan(r->confidence))
		b->twin.confidence =
			estimate_confidence(b->twin.rul, b->twin.lower, b->twin.upper);
	/* Where the features have dried up the twin speaks, on its own beat. */
	if (!fresh(p, b->feature_ts, r->ts) && due(p, b, r->ts))
		emit_fused(p, id, r->ts, NULL);
}

/* Stream time: a block is predicted when it has moved on, whatever carries it. */
static void advance(struct predict *p, const struct record *rec)
{
	if (!rec->schema || !rec->schema->info)
		return;
	int64_t ts = record_peek_ts(rec->schema, rec->raw, rec->len);
	if (ts == TIME_NIL || ts <= p->now)
		return;
	p->now = ts;
	if (p->block.n && ts - p->block.opened > BLOCK_SLACK_MS)
		flush(p);
}

static void run(struct predict *p)
{
	struct record rec;
	while (flow_next(p->flow, &rec) > 0) {
		struct rec_feature feature;
		struct rec_rul rul;
		advance(p, &rec);
		if (rec.kind == KIND_feature) {
			if (!flow_decode(p->flow, &rec, &feature))
				continue;
			flow_pass(p->flow, &rec);
			on_feature(p, &rec, &feature);
		} else if (rec.kind == KIND_rul) {
			if (!flow_decode(p->flow, &rec, &rul))
				continue;
			flow_pass(p->flow, &rec);
			if (rul.source == rul_source_twin)
				on_twin(p, &rul);
		} else {
			flow_pass(p->flow, &rec);
		}
	}
	flush(p);
}

/* Without a usable model predict goes on: the twin's estimate is better than none. */
static void load(struct predict *p)
{
	struct err err = {0};
	p->model.window_h = 24;
	if (!p->o.model) {
		diag("no --model given; estimates are the twin's alone");
		return;
	}
	p->booster = model_load(p->o.model, &p->model, &err);
	if (p->booster && model_features(&p->model, &p->features, &err) < 0) {
		booster_free(p->booster);
		p->booster = NULL;
	}
	if (!p->booster) {
		diag("model unusable: %s; estimates are the twin's alone", err.msg);
		p->model = (struct model){.window_h = 24};
	}
}

static int make_block(struct block *k, size_t rows, size_t cols, struct err *err)
{
	k->x = malloc((rows * cols + 1) * sizeof(*k->x));
	k->coverage = malloc(rows * sizeof(*k->coverage));
	k->ts = malloc(rows * sizeof(*k->ts));
	k->battery = malloc(rows * sizeof(*k->battery));
	k->out = malloc(rows * sizeof(*k->out));
	return k->x && k->coverage && k->ts && k->battery && k->out ? 0
								    : err_nomem(err);
}

static void release(struct predict *p)
{
	booster_free(p->booster);
	ids_release(&p->ids);
	free(p->batteries);
	free(p->block.x);
	free(p->block.coverage);
	free(p->block.ts);
	free(p->block.battery);
	free(p->block.out);
}

static int start(struct predict *p, const struct flow_options *fo, struct err *err)
{
	char identity[256];
	load(p);
	if (make_block(&p->block, (size_t)p->o.block, (size_t)p->model.nfeatures, err) <
		0)
		return -1;
	snprintf(identity, sizeof(identity),
		"--model %s --fusion %s --every %lldms --max-age %lldms",
		p->booster ? p->model.id : "none", p->o.fusion,
		(long long)p->o.every_ms, (long long)p->o.max_age_ms);
	p->flow = flow_open(fo, FLOW_FILTER, "predict", identity, err);
	return p->flow ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct predict p = {.o = {.fusion = "fixed:0.6",
				    .every_ms = HOUR_MS,
				    .max_age_ms = 2 * DAY_MS,
				    .block = PREDICT_BLOCK},
		.now = TIME_NIL};
	struct flow_options fo = {0};
	struct err err = {0};
	int first, status;
	struct opt own[] = {{'m', "model", "DIR", "model directory, as train writes it",
				    OPT_STR, &p.o.model, 0, 0},
		{0, "every", "DURATION",
			"least time between a battery's estimates (1h)", OPT_MS,
			&p.o.every_ms, 0, 0},
		{0, "fusion", "RULE",
			"fixed:WEIGHT of the model, or variance (fixed:0.6)", OPT_STR,
			&p.o.fusion, 0, 0},
		{0, "max-age", "DURATION",
			"older features and twin estimates are stale (2d)", OPT_MS,
			&p.o.max_age_ms, 0, 0},
		{0, "block", "N", "batteries predicted together at most (2048)",
			OPT_INT, &p.o.block, 1, 1000000},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "no operands are taken, see --help");
	if (r < 0 || fusion_parse(p.o.fusion, &p.fusion, &err) < 0)
		return diag_err(&err);
	if (start(&p, &fo, &err) < 0) {
		release(&p);
		return diag_err(&err);
	}
	run(&p);
	status = flow_close(p.flow);
	release(&p);
	flow_options_release(&fo);
	return status;
}
