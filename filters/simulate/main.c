/*
 * simulate: a fleet of batteries as a stream of records, in batch or paced by the
 * clock.
 */
#include "simulate.h"

#include "base/diag.h"
#include "ingest/fleet_book.h"

#include <math.h>
#include <stdlib.h>

static const struct opt_usage USAGE = {.program = "simulate",
	.synopsis = "[options]",
	.summary = "a physically plausible battery fleet as a stream of records",
	.notes = "  simulate --batteries 24 --days 90 | featurize | twin | store\n"
		 "  simulate --live --backfill 30d@15m | broadcast --bind "
		 "'tcp://*:5556'\n"};

/* The fleet file; or a CSV of batteries, which stand at the sites of the default one.
 */
static int load_fleet(struct fleet *f, const char *file, struct err *err)
{
	char path[4096];
	bool book = file && fleet_book_is(file);

	if (file && !book)
		return fleet_load(file, f, err);
	if (share_path("schemas/fleet/thailand.ini", path, sizeof(path), err) < 0 ||
		fleet_load(path, f, err) < 0)
		return -1;
	return book ? fleet_book_read(f, file, err) : 0;
}

static int load_world(struct world *w, const struct options *o, struct err *err)
{
	char path[4096];

	if (load_fleet(&w->fleet, o->fleet, err) < 0 ||
		battery_model_named(w->fleet.battery_model, &w->model, err) < 0 ||
		share_path("schemas/models/sensors.ini", path, sizeof(path), err) < 0 ||
		sensors_load(path, &w->sensors, err) < 0)
		return -1;
	if (!isnan(o->discharge_test_pct))
		w->fleet.discharge_test_pct = o->discharge_test_pct;
	if (isnan(w->model.float_v) || isnan(w->model.boost_v) ||
		!(w->model.gassing_i0_a > 0) || !(w->model.activation_a > 0))
		return err_set(err, ERR_USAGE,
			"battery model '%s' has no float voltage, gassing or "
			"activation: "
			"it cannot stand in a string on float",
			w->model.name);
	if (o->no_faults)
		sensors_never_fail(&w->sensors);
	return 0;
}

static int set_up(struct simulation *s, struct options *o, struct err *err)
{
	if (scenarios_read(s, &o->scenarios, err) < 0 ||
		load_world(&s->world, o, err) < 0 || parts_open(s, o, err) < 0)
		return -1;
	if (o->control && !(s->control = control_open(o->control, err)))
		return -1;
	if (scenarios_plan(s, o->start, o->shards > 0, err) < 0)
		return -1;
	return o->dataset ? export_check(o->dataset, err) : 0;
}

static void tear_down(struct simulation *s)
{
	engine_close(s->engine);
	for (int i = 0; i < s->nparts; i++)
		part_release(&s->parts[i]);
	control_close(s->control);
	export_free(s->dataset);
	free(s->scenarios);
	fleet_unload(&s->world.fleet);
	free(s);
}

/*
 * Opens the stream, and only then begins the dataset, which a signal would leave behind
 * before, and starts threads, which inherit how signals are taken.
 */
static int start(struct simulation *s, const struct options *o,
	const struct flow_options *fo, struct err *err)
{
	struct buf identity = {0};
	options_identify(o, &identity);
	if (identity.failed)
		return err_nomem(err);
	s->flow = flow_open(
		fo, FLOW_SOURCE, "simulate", (const char *)identity.data, err);
	buf_release(&identity);
	if (!s->flow)
		return -1;
	for (int k = 0; k <= KIND_MAX; k++)
		s->world.skip[k] = !flow_wants(s->flow, k) && !o->dataset;
	if (dataset_begin(s, o, err) == 0)
		s->engine = engine_open(s->parts, s->nparts, err);
	if (!s->engine)
		flow_fail(s->flow, err);
	return 0;
}

static int simulate(struct options *o, const struct flow_options *fo)
{
	struct simulation *s = calloc(1, sizeof(*s));
	struct err err = {0};
	int status;

	if (!s) {
		err_nomem(&err);
		return diag_err(&err);
	}
	if (set_up(s, o, &err) < 0 || start(s, o, fo, &err) < 0) {
		status = diag_err(&err);
	} else {
		if (s->engine)
			run(s, o);
		bool whole = dataset_end(s, o, fo->quiet);
		status = flow_close(s->flow);
		if (!whole && status == 0)
			status = ERR_DATA;
	}
	tear_down(s);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.interval_text = "1m",
		.start = TIME_NIL,
		.seed = 1,
		.days = NAN,
		.discharge_test_pct = NAN,
		.speed = 1,
		.jobs = 1,
		.truth_interval_ms = DAY_MS};
	struct opt own[] = {
		{0, "fleet", "FILE",
			"fleet file, or CSV of batteries (default: nine Thai sites)",
			OPT_STR, &o.fleet, 0, 0},
		{0, "batteries", "N",
			"the first N batteries; beyond the fleet sites are cloned",
			OPT_INT, &o.batteries, 1, 10e6},
		{0, "site", "CODE", "only this site", OPT_STR, &o.site, 0, 0},
		{0, "string", "CODE", "only this string", OPT_STR, &o.string, 0, 0},
		{0, "shard", "I/N",
			"only the I-th of N parts of the fleet, cut by sites", OPT_STR,
			&o.shard_text, 0, 0},
		{0, "jobs", "N",
			"compute on N threads; 0: on all processors (default 1)",
			OPT_INT, &o.jobs, 0, JOBS_MAX},
		{0, "interval", "DURATION[,KIND=DURATION...]",
			"sampling, 1s to 1h (default 1m); of a kind coarser", OPT_STR,
			&o.interval_text, 0, 0},
		{0, "start", "TIME",
			"first sample (default 2026-01-01; with --live: now)", OPT_TIME,
			&o.start, 0, 0},
		{0, "days", "N", "length (default 1; with --live: endless)", OPT_F64,
			&o.days, 1e-6, 36500},
		{0, "seed", "N", "seed of everything random (default 1)", OPT_INT,
			&o.seed, 0, 9e15},
		{0, "discharge-test", "PCT",
			"each quarter, of the rating, 0: none (default: the fleet's)",
			OPT_F64, &o.discharge_test_pct, 0, DISCHARGE_TEST_PCT_MAX},
		{0, "truth", NULL, "truth records as well", OPT_BOOL, &o.truth, 0, 0},
		{0, "truth-interval", "DURATION", "how often (default 1d)", OPT_MS,
			&o.truth_interval_ms, 0, 0},
		{0, "scenario", "FILE | NAME:TARGET[:KEY=VALUE...]",
			"makes something happen (repeatable)", OPT_LIST, &o.scenarios,
			0, 0},
		{0, "control", "ENDPOINT", "with --live: obey commands (ZeroMQ REP)",
			OPT_STR, &o.control, 0, 0},
		{0, "no-sensor-faults", NULL, "no gaps, stuck values and offsets",
			OPT_BOOL, &o.no_faults, 0, 0},
		{0, "live", NULL, "pace samples by the clock", OPT_BOOL, &o.live, 0, 0},
		{0, "speed", "X", "with --live: X times as fast", OPT_F64, &o.speed,
			0.001, 1e6},
		{0, "backfill", "SPAN[@STEP]",
			"history before the start: 30d or 30d@15m", OPT_STR,
			&o.backfill, 0, 0},
		{0, "dataset", "DIR", "write a dataset directory as well", OPT_STR,
			&o.dataset, 0, 0},
		{0, "run", "ID", "name of this run (none: production)", OPT_STR, &o.run,
			0, 0},
		{0}};
	struct flow_options fo;
	struct err err = {0};
	int first, status;

	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SOURCE), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "unexpected operand '%s'", argv[first]);
	if (r == 0 && o.dataset && fo.count)
		r = err_set(&err, ERR_USAGE,
			"--dataset takes all of the run: leave -n away");
	if (r < 0 || options_check(&o, &err) < 0)
		status = diag_err(&err);
	else {
		dataset_beside(&o, &fo);
		status = simulate(&o, &fo);
	}
	return status;
}
