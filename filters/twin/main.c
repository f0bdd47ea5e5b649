/*
 * twin: a digital twin per battery. Reads telemetry, runs an extended Kalman filter on
 * an equivalent circuit for every battery and unit, and adds twin_state and rul records
 * to the stream. The mathematics is in lib/estimate.
 */
#include "base/diag.h"
#include "base/statefile.h"
#include "base/timefmt.h"
#include "estimate/twins.h"
#include "modes.h"

#include <inttypes.h>
#include <stdio.h>

static const struct opt_usage USAGE = {"twin", "[options]",
	"estimates charge, health, autonomy and remaining life of every battery",
	"  ingest -m bboxx bboxx/*.csv | twin -m bboxx-17 | decode --kind twin_state\n"
	"  simulate --days 7 | twin | store --db sqlite:fleet.db\n"};

static void learn(struct flow *f, struct twins *twins, const struct record *rec)
{
	union rec_any any;
	struct err err = {0};
	if (!flow_decode(f, rec, &any))
		return;
	flow_pass(f, rec);
	if (twins_learn(twins, rec->kind, &any, &err))
		flow_fail(f, &err);
}

static void sample(struct flow *f, struct twins *twins, const struct record *rec)
{
	struct rec_telemetry t;
	struct twins_news news;
	struct err err = {0};
	if (!flow_decode(f, rec, &t))
		return;
	flow_pass(f, rec);
	if (twins_sample(twins, &t, &news, &err)) {
		flow_fail(f, &err);
		return;
	}
	if (news.warning)
		diag("%s", news.warning);
	if (news.unused)
		flow_unused(f, rec, "%s", news.unused);
	if (news.has_state)
		flow_emit(f, KIND_twin_state, &news.state);
	if (news.has_rul)
		flow_emit(f, KIND_rul, &news.rul);
}

static void work(struct flow *f, struct twins *twins)
{
	struct record rec;
	while (flow_next(f, &rec) > 0) {
		if (rec.kind == KIND_telemetry)
			sample(f, twins, &rec);
		else if (twins_wants(rec.kind))
			learn(f, twins, &rec);
		else
			flow_pass(f, &rec);
	}
	flow_metric(f, "floatline_twin_batteries", (double)twins_batteries(twins));
	flow_metric(
		f, "floatline_twin_battery_bytes", (double)twins_bytes_per_battery());
}

/* The options that change results, for the origin record. */
static void arguments(char *dst, size_t size, const struct twins_options *o)
{
	snprintf(dst, size,
		"--every %" PRId64 "ms --refresh %" PRId64 "ms --rul-every %" PRId64
		"ms --max-gap %" PRId64 "ms --load %g%s%s",
		o->every_ms, o->refresh_ms, o->rul_every_ms, o->tuning.max_gap_ms,
		o->load_a, o->model ? " --model " : "", o->model ? o->model : "");
}

static int check(const struct twins_options *o, struct err *err)
{
	if (o->every_ms < 0 || o->refresh_ms < o->every_ms)
		return err_set(err, ERR_USAGE,
			"--refresh must not be shorter than --every: the longest time "
			"between states is not shorter than the least");
	if (o->rul_every_ms < 0)
		return err_set(err, ERR_USAGE, "--rul-every must not be negative");
	if (o->tuning.max_gap_ms < MINUTE_MS)
		return err_set(err, ERR_USAGE,
			"--max-gap must be at least a minute, not %" PRId64 " ms",
			o->tuning.max_gap_ms);
	return 0;
}

/* The file in the state directory. */
#define STATE "twin"

static int load(
	struct twins *twins, const char *state, const char *identity, struct err *err)
{
	struct buf b = {0};
	int r = state ? statefile_read(state, STATE, &b, err) : 0;
	if (r > 0 && (r = twins_load(twins, identity, &b, err)) < 0)
		err_prefix(err, "--state '%s'", state);
	buf_release(&b);
	return r;
}

static int save(
	struct twins *twins, const char *state, const char *identity, struct err *err)
{
	struct buf b = {0};
	int r = twins_save(twins, identity, &b) < 0
			? err_nomem(err)
			: statefile_write(state, STATE, &b, err);
	buf_release(&b);
	return r;
}

static int run(const struct flow_options *fo, const struct twins_options *o,
	const char *state, struct twins *twins)
{
	struct err err = {0};
	char args[256], whole[256 + CODE_MAX + 8];
	arguments(args, sizeof(args), o);
	struct flow *f = flow_open(fo, FLOW_FILTER, "twin", args, &err);
	if (!f)
		return diag_err(&err);
	snprintf(whole, sizeof(whole), "%s run '%s'", args, flow_run(f));
	if (load(twins, state, whole, &err) < 0)
		flow_fail(f, &err);
	else
		work(f, twins);
	int status = flow_close(f);
	/* What did not get out must come again: then the old state stays. */
	if (state && status < ERR_USAGE && save(twins, state, whole, &err) < 0)
		status = diag_err(&err);
	return status;
}

int main(int argc, char **argv)
{
	struct twins_options o = {.every_ms = MINUTE_MS,
		.refresh_ms = HOUR_MS,
		.rul_every_ms = DAY_MS,
		.tuning = TWIN_TUNING};
	const char *state = NULL, *fit = NULL, *fade = NULL;
	bool evaluate = false, points = false;
	double start_error_pct = 0;
	struct flow_options fo = {0};
	struct twins *twins = NULL;
	struct err err = {0};
	int first;
	const struct opt own[] = {
		{0, "every", "DURATION",
			"least time between two states of a battery (default 1m)",
			OPT_MS, &o.every_ms, 0, 0},
		{0, "refresh", "DURATION",
			"most time, while nothing changes (default 1h)", OPT_MS,
			&o.refresh_ms, 0, 0},
		{0, "rul-every", "DURATION",
			"least time between two lives left (default 1d)", OPT_MS,
			&o.rul_every_ms, 0, 0},
		{0, "max-gap", "DURATION", "start anew after a longer gap (default 6h)",
			OPT_MS, &o.tuning.max_gap_ms, 0, 0},
		{0, "load", "AMPERE", "load for the autonomy, where no system has one",
			OPT_F64, &o.load_a, 0, 1e6},
		{'m', "model", "NAME|FILE",
			"battery model, where the stream names none", OPT_STR, &o.model,
			0, 0},
		{0, "fit", "FILE", "identify a battery model, write it here", OPT_STR,
			&fit, 0, 0},
		{0, "fit-fade", "FILE",
			"the same of how batteries fade, from their tests", OPT_STR,
			&fade, 0, 0},
		{0, "evaluate", NULL, "measure the twin on the discharges of a record",
			OPT_BOOL, &evaluate, 0, 0},
		{0, "points", NULL,
			"with --evaluate: the samples, measured and modelled, as CSV",
			OPT_BOOL, &points, 0, 0},
		{0, "start-error", "PERCENT",
			"with --evaluate: the SOC begins wrong by this", OPT_F64,
			&start_error_pct, -50, 50},
		{0, "state", "DIR", "go on from what is kept here, and keep it",
			OPT_STR, &state, 0, 0},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r == OPT_RUN && first < argc)
		r = err_set(&err, ERR_USAGE,
			"'%s': twin reads no files by name, use -i", argv[first]);
	if (r == OPT_RUN)
		r = check(&o, &err);
	if (r == OPT_RUN && !!fit + !!fade + evaluate + !!state > 1)
		r = err_set(&err, ERR_USAGE,
			"--fit, --fit-fade, --evaluate and --state are separate tasks: "
			"give one");
	if (r == OPT_RUN && points && !evaluate)
		r = err_set(&err, ERR_USAGE, "--points goes with --evaluate");
	if (r == OPT_RUN && !(twins = twins_new(&o, &err)))
		r = -1;
	int status =
		r < 0           ? diag_err(&err)
		: r == OPT_EXIT ? 0
		: fit           ? twin_fit(&fo, o.model, fit)
		: fade          ? twin_fit_fade(&fo, o.model, fade)
		: evaluate ? twin_evaluate(&fo, o.model, start_error_pct / 100, points)
			   : run(&fo, &o, state, twins);
	twins_free(twins);
	return status;
}
