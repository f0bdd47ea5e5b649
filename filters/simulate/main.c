/*
 * simulate: a fleet of batteries as a stream of records, in batch or paced by the
 * clock.
 */
#include "options.h"

#include "base/buf.h"
#include "base/diag.h"
#include "base/code.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static const struct opt_usage USAGE = {.program = "simulate",
	.synopsis = "[options]",
	.summary = "a physically plausible battery fleet as a stream of records",
	.notes = "  simulate --batteries 24 --days 90 | featurize | twin | store\n"
		 "  simulate --live --backfill 30d@15m | broadcast --bind "
		 "'tcp://*:5556'\n"};

int64_t clock_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool wanted(const char *string_code, int64_t site, void *user)
{
	const struct options *o = user;
	if (o->shards && site % o->shards != o->shard - 1)
		return false;
	if (o->string && strcmp(o->string, string_code) != 0)
		return false;
	return !o->site || str_is(code_site(str_of(string_code)), o->site);
}

static int set_up(struct simulation *s, const struct options *o, struct err *err)
{
	char path[4096];
	const char *fleet = o->fleet;

	if (scenarios_read(s, &o->scenarios, err) < 0)
		return -1;
	if (!fleet) {
		if (share_path("schemas/fleet/thailand.ini", path, sizeof(path), err) <
			0)
			return -1;
		fleet = path;
	}
	if (fleet_load(fleet, &s->fleet, err) < 0 ||
		battery_model_named(s->fleet.battery_model, &s->model, err) < 0 ||
		share_path("schemas/models/sensors.ini", path, sizeof(path), err) < 0 ||
		sensors_load(path, &s->sensors, err) < 0)
		return -1;
	if (isnan(s->model.float_v) || isnan(s->model.boost_v) ||
		!(s->model.gassing_i0_a > 0) || !(s->model.activation_a > 0))
		return err_set(err, ERR_USAGE,
			"battery model '%s' has no float voltage, gassing or "
			"activation: "
			"it cannot stand in a string on float",
			s->model.name);
	int64_t all = o->batteries ? o->batteries
				   : (int64_t)fleet_jars_per_site(&s->fleet) *
					     s->fleet.nsites;
	s->plant = plant_new(&s->fleet, &s->model, (uint64_t)o->seed, all,
		o->start - o->backfill_ms, wanted, (void *)(uintptr_t)o, err);
	if (!s->plant)
		return -1;
	if (s->plant->nstrings == 0)
		return err_set(err, ERR_USAGE,
			"no string of the first %lld batteries is one that --site, "
			"--string and --shard ask for",
			(long long)all);
	if (o->control && !(s->control = control_open(o->control, err)))
		return -1;
	if (scenarios_plan(s, o->start, o->shards > 0, err) < 0)
		return -1;
	if (o->no_faults)
		sensors_never_fail(&s->sensors);
	return samples_init(s) < 0 ? err_nomem(err) : 0;
}

/* A stretch of the run: samples from 'from' to before 'to'. */
struct phase {
	int64_t from, to, interval;
	double speed; /* by the clock; 0: at once */
	int64_t wall; /* of the clock, at 'from' */
};

/* Waits until the clock has come to ts of the run. False: stop. */
static bool wait_for(struct simulation *s, const struct phase *p, int64_t ts)
{
	if (p->speed <= 0)
		return !flow_interrupted(s->flow);
	double due = (double)p->wall + (double)(ts - p->from) / p->speed;
	if (s->control)
		return control_wait(s, s->control, (int64_t)due);
	return flow_sleep_until(s->flow, (int64_t)due);
}

static void move_to(struct simulation *s, int64_t ts)
{
	struct err err;
	if (ts > s->plant->now && plant_advance(s->plant, ts) < 0) {
		err_nomem(&err);
		flow_fail(s->flow, &err);
	}
	emit_happenings(s);
}

/* Live, between two samples: a tick each second of the clock, and what happened. */
static bool pass_time(struct simulation *s, const struct phase *p, int64_t until)
{
	int64_t second = (int64_t)fmax(1, SECOND_MS * p->speed);
	if (p->speed <= 0)
		return true;
	for (int64_t ts = until - p->interval + second; ts < until; ts += second) {
		if (ts <= p->from)
			continue;
		if (!wait_for(s, p, ts))
			return false;
		move_to(s, ts);
		struct rec_tick tick = {.source = str_of("simulate"), .ts = ts};
		flow_emit(s->flow, KIND_tick, &tick);
	}
	return true;
}

static void run_phase(struct simulation *s, const struct options *o, struct phase p)
{
	int64_t first = o->start - o->backfill_ms;

	p.wall = clock_ms();
	for (int64_t ts = p.from; ts < p.to; ts += p.interval) {
		if (!pass_time(s, &p, ts) || !wait_for(s, &p, ts))
			return;
		move_to(s, ts);
		for (int i = 0; i < SAMPLES; i++)
			s->due[i] = (ts - first) % o->every_ms[i] < p.interval;
		emit_samples(s);
		if (o->truth && (ts - first) % o->truth_interval_ms < p.interval &&
			emit_truth(s) < 0) {
			struct err err;
			err_nomem(&err);
			flow_fail(s->flow, &err);
		}
		if (p.speed > 0)
			flow_flush(s->flow);
	}
}

static void run(struct simulation *s, const struct options *o)
{
	int64_t end = isinf(o->days) ? TIME_MAX / 2
				     : o->start + (int64_t)(o->days * (double)DAY_MS);
	if (o->run)
		flow_set_run(s->flow, o->run);
	emit_masters(s);
	if (o->backfill_ms)
		run_phase(s, o,
			(struct phase){.from = o->start - o->backfill_ms,
				.to = o->start,
				.interval = o->backfill_interval_ms});
	run_phase(s, o,
		(struct phase){.from = o->start,
			.to = end,
			.interval = o->interval_ms,
			.speed = o->live ? o->speed : 0});
}

static int simulate(struct options *o, struct flow_options *fo)
{
	struct simulation *s = calloc(1, sizeof(*s));
	struct err err = {0};
	struct buf identity = {0};
	int status;

	if (!s) {
		err_nomem(&err);
		return diag_err(&err);
	}
	options_identify(o, &identity);
	if ((identity.failed && err_nomem(&err) < 0) || set_up(s, o, &err) < 0 ||
		!(s->flow = flow_open(fo, FLOW_SOURCE, "simulate",
			  (const char *)identity.data, &err))) {
		status = diag_err(&err);
	} else {
		run(s, o);
		status = flow_close(s->flow);
	}
	buf_release(&identity);
	samples_release(s);
	control_close(s->control);
	free(s->scenarios);
	plant_free(s->plant);
	free(s);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.interval_text = "1m",
		.start = TIME_NIL,
		.seed = 1,
		.days = NAN,
		.speed = 1,
		.truth_interval_ms = DAY_MS};
	struct opt own[] = {
		{0, "fleet", "FILE", "fleet file (default: nine Thai data centres)",
			OPT_STR, &o.fleet, 0, 0},
		{0, "batteries", "N",
			"the first N batteries; beyond the fleet sites are cloned",
			OPT_INT, &o.batteries, 1, 10e6},
		{0, "site", "CODE", "only this site", OPT_STR, &o.site, 0, 0},
		{0, "string", "CODE", "only this string", OPT_STR, &o.string, 0, 0},
		{0, "shard", "I/N",
			"only the I-th of N parts of the fleet, cut by sites", OPT_STR,
			&o.shard_text, 0, 0},
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
	if (r < 0 || options_check(&o, &err) < 0)
		status = diag_err(&err);
	else
		status = simulate(&o, &fo);
	return status;
}
