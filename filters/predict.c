/*
 * predict: remaining useful life by the learned model, and fused with the twin's.
 */
#include "base/diag.h"
#include "learn/forecast.h"
#include "learn/predictor.h"
#include "stream/flow.h"

#include <stdio.h>

struct options {
	const char *model, *fusion;
	int64_t every_ms, max_age_ms, block;
};

static const struct opt_usage USAGE = {.program = "predict",
	.synopsis = "[--model DIR] [options]",
	.summary =
		"remaining useful life per battery: learned, and fused with the twin's",
	.notes = "  simulate | featurize | twin | predict --model model | alert\n"};

struct predict {
	struct flow *flow;
	struct forecast *forecast;
	const struct schema *checked; /* feature schema found to supply the model */
};

static void emit(void *to, const struct rec_rul *r)
{
	struct flow **flow = to;
	flow_emit(*flow, KIND_rul, r);
}

/* A model the stream cannot supply is refused by name, once. */
static int check_supply(struct predict *p, const struct schema *s, struct err *err)
{
	struct err why = {0};
	const struct model *m = forecast_model(p->forecast);
	if (!m || s == p->checked)
		return 0;
	p->checked = s;
	if (model_supplied(m, s, &why) == 0)
		return 0;
	diag("%s; estimates are the twin's alone", why.msg);
	return forecast_give_up_model(p->forecast, err);
}

static int on_feature(struct predict *p, const struct record *rec, struct err *err)
{
	struct rec_feature r;
	if (!flow_decode(p->flow, rec, &r))
		return 0;
	flow_pass(p->flow, rec);
	if (check_supply(p, rec->schema, err) < 0)
		return -1;
	return forecast_feature(p->forecast, &r, err);
}

static int on_rul(struct predict *p, const struct record *rec, struct err *err)
{
	struct rec_rul r;
	if (!flow_decode(p->flow, rec, &r))
		return 0;
	flow_pass(p->flow, rec);
	return r.source == rul_source_twin ? forecast_twin(p->forecast, &r, err) : 0;
}

static int on_record(struct predict *p, const struct record *rec, struct err *err)
{
	if (rec->schema && rec->schema->info) {
		int64_t ts = record_peek_ts(rec->schema, rec->raw, rec->len);
		if (ts != TIME_NIL && forecast_time(p->forecast, ts, err) < 0)
			return -1;
	}
	if (rec->kind == KIND_feature)
		return on_feature(p, rec, err);
	if (rec->kind == KIND_rul)
		return on_rul(p, rec, err);
	flow_pass(p->flow, rec);
	return 0;
}

static void run(struct predict *p)
{
	struct record rec;
	struct err err = {0};
	while (flow_next(p->flow, &rec) > 0)
		if (on_record(p, &rec, &err) < 0)
			flow_fail(p->flow, &err);
	if (!flow_failed(p->flow) && forecast_flush(p->forecast, &err) < 0)
		flow_fail(p->flow, &err);
}

/* Without a usable model predict goes on: the twin's estimate is better than none. */
static void load(struct forecast *f, const char *dir)
{
	struct err err = {0};
	struct model m;
	if (!dir) {
		diag("no --model given; estimates are the twin's alone");
		return;
	}
	struct booster *b = model_load(dir, &m, &err);
	if (!b || forecast_use(f, &m, b, &err) < 0)
		diag("model unusable: %s; estimates are the twin's alone", err.msg);
}

/* What goes into the stream's origin: all that changes results. */
static const char *identity(
	const struct predict *p, const struct options *o, char *dst, size_t size)
{
	const struct model *m = forecast_model(p->forecast);
	snprintf(dst, size, "--model %s --fusion %s --every %lldms --max-age %lldms",
		m ? m->id : "none", o->fusion, (long long)o->every_ms,
		(long long)o->max_age_ms);
	return dst;
}

static int start(struct predict *p, const struct options *o,
	const struct flow_options *fo, struct err *err)
{
	char text[256];
	struct forecast_options of = {.every_ms = o->every_ms,
		.max_age_ms = o->max_age_ms,
		.block = (size_t)o->block,
		.window_h = 24};
	if (fusion_parse(o->fusion, &of.fusion, err) < 0)
		return -1;
	p->forecast = forecast_new(&of, emit, &p->flow, err);
	if (!p->forecast)
		return -1;
	load(p->forecast, o->model);
	p->flow = flow_open(
		fo, FLOW_FILTER, "predict", identity(p, o, text, sizeof(text)), err);
	return p->flow ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options o = {.fusion = "fixed:0.6",
		.every_ms = HOUR_MS,
		.max_age_ms = 2 * DAY_MS,
		.block = PREDICT_BLOCK};
	struct predict p = {0};
	struct flow_options fo = {0};
	struct err err = {0};
	int first, status;
	struct opt own[] = {{'m', "model", "DIR", "model directory, as train writes it",
				    OPT_STR, &o.model, 0, 0},
		{0, "every", "DURATION",
			"least time between a battery's estimates (1h)", OPT_MS,
			&o.every_ms, 0, 0},
		{0, "fusion", "RULE",
			"fixed:WEIGHT of the model, or variance (fixed:0.6)", OPT_STR,
			&o.fusion, 0, 0},
		{0, "max-age", "DURATION",
			"older features and twin estimates are stale (2d)", OPT_MS,
			&o.max_age_ms, 0, 0},
		{0, "block", "N", "batteries predicted together at most (2048)",
			OPT_INT, &o.block, 1, 100000},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "no operands are taken, see --help");
	if (r < 0)
		return diag_err(&err);
	status = start(&p, &o, &fo, &err) < 0 ? diag_err(&err) : 0;
	if (status == 0) {
		run(&p);
		status = flow_close(p.flow);
	}
	forecast_free(p.forecast);
	return status;
}
