/*
 * featurize: statistics of every battery over windows of event time.
 */
#include "base/diag.h"
#include "base/statefile.h"
#include "stream/flow.h"
#include "window/windows.h"

#include <stdio.h>

static const struct opt_usage USAGE = {"featurize", "[options]",
	"add statistics of every battery over windows of time",
	"  simulate --batteries 24 --backfill 2d | featurize | decode --kind feature\n"
	"  ingest telemetry.csv | featurize --every 1d --windows 24,168 >train.fl\n"};

struct options {
	const char *windows, *state;
	int64_t every_ms, lateness_ms, max_gap_ms;
};

static void emit(void *flow, const struct rec_feature *f)
{
	flow_emit(flow, KIND_feature, f);
}

/* Checks what the option tables cannot say. */
static int configure(const struct options *o, struct windows_config *c, struct err *err)
{
	if (o->every_ms != HOUR_MS && o->every_ms != DAY_MS)
		return err_set(err, ERR_USAGE, "--every: expected 1h or 1d");
	if (o->lateness_ms < 0 || o->lateness_ms > 6 * HOUR_MS)
		return err_set(err, ERR_USAGE, "--lateness: expected 0s to 6h");
	if (o->max_gap_ms < SECOND_MS || o->max_gap_ms > DAY_MS)
		return err_set(err, ERR_USAGE, "--max-gap: expected 1s to 1d");
	c->every_h = (int)(o->every_ms / HOUR_MS);
	c->lateness_ms = o->lateness_ms;
	c->max_gap_ms = o->max_gap_ms;
	return windows_parse(c, o->windows, err);
}

static void take(struct flow *f, struct windows *windows, const struct record *rec)
{
	static const struct err nomem = {ERR_IO, "out of memory"};
	union rec_any any;
	if (!windows_wants(rec->kind)) {
		flow_pass(f, rec);
		return;
	}
	if (!flow_decode(f, rec, &any))
		return;
	flow_pass(f, rec);
	enum windows_verdict v = windows_add(windows, rec->kind, &any);
	if (v == WINDOWS_NO_MEMORY)
		flow_fail(f, &nomem);
	else if (v != WINDOWS_USED)
		flow_unused(f, rec, "%s", windows_reason(v));
}

/* The file in the state directory. */
#define STATE "featurize"

static int load(struct windows *windows, const struct options *o, const char *identity,
	struct err *err)
{
	struct buf b = {0};
	int r = o->state ? statefile_read(o->state, STATE, &b, err) : 0;
	if (r > 0 && (r = windows_load(windows, identity, &b, err)) < 0)
		err_prefix(err, "--state '%s'", o->state);
	buf_release(&b);
	return r;
}

static int save(struct windows *windows, const struct options *o, const char *identity,
	struct err *err)
{
	struct buf b = {0};
	int r = windows_save(windows, identity, &b) < 0
			? err_nomem(err)
			: statefile_write(o->state, STATE, &b, err);
	buf_release(&b);
	return r;
}

static void work(struct flow *f, struct windows *windows, const struct options *o)
{
	struct record rec;
	while (flow_next(f, &rec) > 0)
		take(f, windows, &rec);
	/* With a state the stream goes on another time: nothing ends here. */
	if (!o->state)
		windows_end(windows);
	flow_metric(
		f, "floatline_featurize_batteries", (double)windows_batteries(windows));
	flow_metric(f, "floatline_featurize_state_bytes_per_battery",
		(double)windows_battery_bytes(windows));
	flow_metric(
		f, "floatline_featurize_early_samples", (double)windows_early(windows));
}

static int run(const struct flow_options *fo, const struct options *o,
	struct windows_config *c)
{
	struct err err = {0};
	char arguments[160], identity[160 + CODE_MAX + 8];
	snprintf(arguments, sizeof(arguments),
		"--windows %s --every %dh --lateness %lldms --max-gap %lldms",
		o->windows, c->every_h, (long long)o->lateness_ms,
		(long long)o->max_gap_ms);
	struct flow *f = flow_open(fo, FLOW_FILTER, "featurize", arguments, &err);
	if (!f)
		return diag_err(&err);
	snprintf(identity, sizeof(identity), "%s run '%s'", arguments, flow_run(f));
	c->emit = emit;
	c->arg = f;
	struct windows *windows = windows_new(c);
	if (!windows)
		err_nomem(&err);
	if (!windows || load(windows, o, identity, &err) < 0)
		flow_fail(f, &err);
	else
		work(f, windows, o);
	int status = flow_close(f);
	if (windows && windows_early(windows) > 0 && !fo->quiet)
		diag("%llu samples could not wait as long as --lateness: more came "
		     "meanwhile than a battery's buffer holds",
			(unsigned long long)windows_early(windows));
	/* What did not get out must come again: then the old state stays. */
	if (o->state && windows && status < ERR_USAGE &&
		save(windows, o, identity, &err) < 0)
		status = diag_err(&err);
	windows_free(windows);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.windows = "1,24",
		.every_ms = HOUR_MS,
		.lateness_ms = 5 * MINUTE_MS,
		.max_gap_ms = 2 * HOUR_MS};
	struct flow_options fo = {0};
	struct windows_config c = {0};
	struct err err = {0};
	int first;
	const struct opt own[] = {
		{0, "windows", "HOURS,...", "1 to 24, 168 or 720 (default 1,24)",
			OPT_STR, &o.windows, 0, 0},
		{0, "every", "1h|1d", "how often rows go out (default 1h)", OPT_MS,
			&o.every_ms, 0, 0},
		{0, "lateness", "DURATION", "wait for records this late (default 5m)",
			OPT_MS, &o.lateness_ms, 0, 0},
		{0, "max-gap", "DURATION", "nothing holds for longer (default 2h)",
			OPT_MS, &o.max_gap_ms, 0, 0},
		{0, "state", "DIR", "go on from what is kept here, and keep it",
			OPT_STR, &o.state, 0, 0},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE,
			"'%s': featurize reads no files by name, use -i", argv[first]);
	if (r == 0)
		r = configure(&o, &c, &err);
	int status = r < 0 ? diag_err(&err) : r == OPT_EXIT ? 0 : run(&fo, &o, &c);
	return status;
}
