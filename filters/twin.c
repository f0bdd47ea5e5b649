/*
 * twin: a digital twin per battery. Reads telemetry, runs an extended Kalman filter on
 * an equivalent circuit for every battery and unit, and adds twin_state and rul records
 * to the stream. The mathematics is in lib/estimate.
 */
#include "base/diag.h"
#include "base/timefmt.h"
#include "estimate/twins.h"
#include "stream/flow.h"

#include <inttypes.h>
#include <stdio.h>

static const struct opt_usage USAGE = {"twin", "[options]",
	"estimates charge, health, autonomy and remaining life of every battery",
	"  ingest bboxx/*.csv | twin --model bboxx-17 | decode --kind twin_state\n"
	"  simulate --days 7 | twin | store sqlite:fleet.db\n"};

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

static void run(struct flow *f, struct twins *twins)
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
static void identity(char *dst, size_t size, const struct twins_options *o)
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

int main(int argc, char **argv)
{
	struct twins_options o = {.every_ms = MINUTE_MS,
		.refresh_ms = HOUR_MS,
		.rul_every_ms = DAY_MS,
		.tuning = TWIN_TUNING};
	struct flow_options fo;
	struct err err = {0};
	int first;
	char args[256];
	struct opt own[] = {
		{0, "every", "DURATION", "least time between two states of a battery",
			OPT_MS, &o.every_ms, 0, 0},
		{0, "refresh", "DURATION", "most time between them, if nothing changes",
			OPT_MS, &o.refresh_ms, 0, 0},
		{0, "rul-every", "DURATION",
			"least time between two of its rul records", OPT_MS,
			&o.rul_every_ms, 0, 0},
		{0, "max-gap", "DURATION", "start anew after a longer gap", OPT_MS,
			&o.tuning.max_gap_ms, 0, 0},
		{0, "load", "AMPERE",
			"load for the autonomy, where no system states one", OPT_F64,
			&o.load_a, 0, 1e6},
		{'m', "model", "NAME", "battery model, where the stream names none",
			OPT_STR, &o.model, 0, 0},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r < 0)
		return diag_err(&err);
	if (r == OPT_EXIT)
		return 0;
	if (first < argc) {
		err_set(&err, ERR_USAGE, "unexpected operand '%s': input is -i",
			argv[first]);
		return diag_err(&err);
	}
	struct twins *twins = check(&o, &err) ? NULL : twins_new(&o, &err);
	if (!twins)
		return diag_err(&err);
	identity(args, sizeof(args), &o);
	struct flow *f = flow_open(&fo, FLOW_FILTER, "twin", args, &err);
	if (!f) {
		twins_free(twins);
		return diag_err(&err);
	}
	run(f, twins);
	int status = flow_close(f);
	twins_free(twins);
	flow_options_release(&fo);
	return status;
}
