/*
 * predict: remaining useful life by the learned model, and fused with the twin's.
 */
#include "predict.h"

#include "base/diag.h"
#include "learn/predictor.h"

#include <stdio.h>

enum { METRICS_EVERY = 256, WATCH_MS = 1000 };

static const struct opt_usage USAGE = {.program = "predict",
	.synopsis = "[options] [COMMAND]",
	.summary =
		"remaining useful life per battery: learned, and fused with the twin's",
	.notes = "  simulate | featurize | twin | predict --model model | alert\n"
		 "  predict promote --registry models\n"
		 "\n"
		 "Commands, on a registry of models, instead of reading a stream:\n"
		 "  list             the versions, and how good each is\n"
		 "  show [VERSION]   all about one; production unless named\n"
		 "  register MODEL   take a model directory up, as staging\n"
		 "  promote [NAME]   make a version production; staging unless named\n"
		 "  rollback         make production what was it before\n"};

static void emit(void *to, int kind, const void *record)
{
	struct flow **flow = to;
	flow_emit(*flow, kind, record);
}

static int on_feature(struct predict *p, const struct record *rec, struct err *err)
{
	struct rec_feature r;
	if (!flow_decode(p->flow, rec, &r))
		return 0;
	flow_pass(p->flow, rec);
	if (source_check(p, rec->schema, err) < 0)
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

static int on_state(struct predict *p, const struct record *rec, struct err *err)
{
	struct rec_twin_state r;
	if (!flow_decode(p->flow, rec, &r))
		return 0;
	flow_pass(p->flow, rec);
	return forecast_state(p->forecast, &r, err);
}

static int on_window(struct predict *p, const struct record *rec, struct err *err)
{
	struct rec_maintenance_window r;
	if (!flow_decode(p->flow, rec, &r))
		return 0;
	flow_pass(p->flow, rec);
	return forecast_window(p->forecast, &r, err);
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
	if (rec->kind == KIND_twin_state)
		return on_state(p, rec, err);
	if (rec->kind == KIND_maintenance_window)
		return on_window(p, rec, err);
	flow_pass(p->flow, rec);
	return 0;
}

/* The next record: as flow_next, looking after the models meanwhile if that is asked
 * for. */
static int next(struct predict *p, bool watch, struct record *rec, struct err *err)
{
	int r;
	if (!watch)
		return flow_next(p->flow, rec);
	while ((r = flow_next_wait(p->flow, rec, WATCH_MS)) == 2)
		if (source_watch(p, err) < 0)
			return -1;
	return r == 1 && source_watch(p, err) < 0 ? -1 : r;
}

static void run(struct predict *p, bool watch)
{
	struct record rec;
	struct err err = {0};
	uint64_t n = 0;
	p->reading = true;
	while (!err.class && next(p, watch, &rec, &err) > 0) {
		if (on_record(p, &rec, &err) == 0 && ++n % METRICS_EVERY == 0)
			report_metrics(p);
	}
	if (!err.class && !flow_failed(p->flow))
		forecast_end(p->forecast, &err);
	if (err.class)
		flow_fail(p->flow, &err);
	report_metrics(p);
}

static const char *model_id(const struct predict *p, int arm)
{
	const struct model *m = forecast_model(p->forecast, arm);
	return m ? m->id : "none";
}

/* What goes into the stream's origin: all that changes results. */
static const char *identity(
	const struct predict *p, const struct options *o, char *dst, size_t size)
{
	int n = snprintf(dst, size,
		"--model %s --fusion %s --every %lldms --max-age %lldms --drift %lldms",
		model_id(p, 0), o->fusion, (long long)o->every_ms,
		(long long)o->max_age_ms, (long long)o->drift_ms);
	if (p->places > 1)
		n += snprintf(dst + n, size - (size_t)n, " --ab %s:%g%%",
			model_id(p, 1), 100 * p->share);
	if (o->watch)
		snprintf(dst + n, size - (size_t)n, " --watch");
	return dst;
}

static int start(struct predict *p, const struct options *o,
	const struct flow_options *fo, struct err *err)
{
	char text[512];
	struct forecast_options of = {.every_ms = o->every_ms,
		.max_age_ms = o->max_age_ms,
		.block = (size_t)o->block,
		.window_h = 24,
		.drift_ms = o->drift_ms};
	if (fusion_parse(o->fusion, &of.fusion, err) < 0 || source_parse(p, o, err) < 0)
		return -1;
	of.second_share = p->share;
	p->forecast = forecast_new(&of, emit, &p->flow, err);
	if (!p->forecast)
		return -1;
	if (p->places == 0 && !fo->quiet)
		diag("no --model given; estimates are the twin's alone");
	source_load(p);
	p->flow = flow_open(
		fo, FLOW_FILTER, "predict", identity(p, o, text, sizeof(text)), err);
	return p->flow ? 0 : -1;
}

static int predict_stream(const struct options *o, const struct flow_options *fo)
{
	struct predict p = {0};
	struct err err = {0};
	int status = start(&p, o, fo, &err) < 0 ? diag_err(&err) : 0;
	if (status == 0) {
		run(&p, o->watch);
		status = flow_close(p.flow);
		if (!fo->quiet)
			report_summary(&p);
	}
	forecast_free(p.forecast);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.fusion = "evidence",
		.every_ms = HOUR_MS,
		.max_age_ms = 2 * DAY_MS,
		.block = PREDICT_BLOCK,
		.drift_ms = 7 * DAY_MS};
	struct flow_options fo = {0};
	struct err err = {0};
	int first;
	struct opt own[] = {{'m', "model", "DIR", "model directory, as train writes it",
				    OPT_STR, &o.model, 0, 0},
		{0, "registry", "DIR", "registry of models: its production serves",
			OPT_STR, &o.registry, 0, 0},
		{0, "ab", "NAME:SHARE%", "another version for a share of the batteries",
			OPT_STR, &o.ab, 0, 0},
		{0, "watch", NULL, "take up a promoted model without a restart",
			OPT_BOOL, &o.watch, 0, 0},
		{0, "every", "DURATION",
			"least time between a battery's estimates (1h)", OPT_MS,
			&o.every_ms, 0, 0},
		{0, "fusion", "RULE",
			"evidence (the default), fixed:WEIGHT of the model, variance "
			"or "
			"adaptive",
			OPT_STR, &o.fusion, 0, 0},
		{0, "max-age", "DURATION",
			"older features and twin estimates are stale (2d)", OPT_MS,
			&o.max_age_ms, 0, 0},
		{0, "block", "N", "batteries predicted together at most (2048)",
			OPT_INT, &o.block, 1, 100000},
		{0, "drift", "DURATION",
			"period the features are judged for drift by, 0s never (7d)",
			OPT_MS, &o.drift_ms, 0, 0},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r < 0)
		return diag_err(&err);
	if (first < argc)
		return predict_command(&o, argv + first, argc - first);
	return predict_stream(&o, &fo);
}
