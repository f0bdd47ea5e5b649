/* The run: what is done when, at once or by the clock. */
#include "simulate.h"

#include "base/now.h"

#include <math.h>

/* Records of a plan, about: enough that handing it over costs little beside it, few
 * enough that they stay in the cache. */
enum { PLAN_RECORDS = 16384 };

/* A stretch of the run: samples from 'from' to before 'to'. */
struct phase {
	int64_t from, to, interval;
	double speed; /* by the clock; 0: at once */
	int64_t wall; /* of the clock, when it should be 'from' */
};

struct schedule {
	struct simulation *s;
	const struct options *o;
	int steps_per_plan;
	int64_t from, to; /* what is done at once */
};

/* When the clock should come to ts of the run. */
static int64_t due_at(const struct simulation *s, const struct phase *p, int64_t ts)
{
	double passed = (double)(ts - p->from) / p->speed;
	return p->wall + s->stopped_ms + (int64_t)passed;
}

/* Waits until the clock has come to ts of the run. False: stop. */
static bool wait_for(struct simulation *s, const struct phase *p, int64_t ts)
{
	if (p->speed <= 0)
		return !flow_interrupted(s->flow);
	if (s->control)
		return control_wait(s, s->control, due_at(s, p, ts));
	return flow_sleep_until(s->flow, due_at(s, p, ts));
}

static void deliver_all(struct simulation *s)
{
	while (!engine_idle(s->engine) && !flow_interrupted(s->flow))
		deliver_plan(s);
}

/* Hands over what is planned. */
static void start_plan(struct simulation *s)
{
	if (engine_plan(s->engine)->n == 0)
		return;
	engine_start(s->engine);
	if (engine_full(s->engine))
		deliver_plan(s);
}

/* At once, between two plans: somebody may ask how far it is. */
static void answer_meanwhile(struct simulation *s)
{
	if (!s->control || !control_waits(s->control))
		return;
	deliver_all(s);
	if (engine_idle(s->engine))
		control_answer(s, s->control);
}

static void do_step(struct schedule *d, const struct phase *p, const struct step *step)
{
	struct plan *plan = engine_plan(d->s->engine);
	plan->steps[plan->n++] = *step;
	if (p->speed > 0) {
		start_plan(d->s);
		deliver_all(d->s);
		flow_flush(d->s->flow);
	} else if (plan->n == d->steps_per_plan) {
		start_plan(d->s);
		answer_meanwhile(d->s);
	}
}

/* Live, between two samples: a tick each second of the clock, and what happened. One
 * that is a second late is left out: the run has to catch up. */
static bool pass_time(struct schedule *d, const struct phase *p, int64_t until)
{
	int64_t second = (int64_t)fmax(1, SECOND_MS * p->speed);
	if (p->speed <= 0)
		return true;
	for (int64_t ts = until - p->interval + second; ts < until; ts += second) {
		if (ts <= p->from || due_at(d->s, p, ts) + SECOND_MS < now_wall_ms())
			continue;
		if (!wait_for(d->s, p, ts))
			return false;
		do_step(d, p, &(struct step){.ts = ts, .tick = true});
	}
	return true;
}

static void run_phase(struct schedule *d, struct phase p)
{
	const struct options *o = d->o;
	int64_t first = o->start - o->backfill_ms;

	p.wall = o->by_clock ? p.from : now_wall_ms();
	for (int64_t ts = p.from; ts < p.to; ts += p.interval) {
		if (!pass_time(d, &p, ts) || !wait_for(d->s, &p, ts))
			return;
		struct step step = {.ts = ts, .sample = true};
		for (int i = 0; i < SAMPLES; i++)
			step.due[i] = (ts - first) % o->every_ms[i] < p.interval;
		step.truth = (o->truth || o->dataset) &&
			     (ts - first) % o->truth_interval_ms < p.interval;
		flow_progress(d->s->flow,
			p.speed > 0
				? NAN
				: (double)(ts - d->from) / (double)(d->to - d->from));
		do_step(d, &p, &step);
	}
	start_plan(d->s);
	deliver_all(d->s);
}

static int steps_per_plan(const struct simulation *s)
{
	int64_t records = 0;
	for (int i = 0; i < s->nparts; i++) {
		const struct plant *p = s->parts[i].plant;
		for (int64_t k = 0; k < p->nstrings; k++)
			records += p->strings[k].series.n + 1;
	}
	int64_t steps = PLAN_RECORDS / (records + 1);
	return steps < 1 ? 1 : steps > STEPS_MAX ? STEPS_MAX : (int)steps;
}

void run(struct simulation *s, const struct options *o)
{
	int64_t end = isinf(o->days) ? TIME_MAX / 2
				     : o->start + (int64_t)(o->days * (double)DAY_MS);
	struct schedule d = {s, o, steps_per_plan(s), o->start - o->backfill_ms,
		o->live ? o->start : end};
	if (o->run)
		flow_set_run(s->flow, o->run);
	deliver_masters(s);
	if (o->backfill_ms)
		run_phase(&d, (struct phase){.from = o->start - o->backfill_ms,
				      .to = o->start,
				      .interval = o->backfill_interval_ms});
	run_phase(&d, (struct phase){.from = o->start,
			      .to = end,
			      .interval = o->interval_ms,
			      .speed = o->live ? o->speed : 0});
}
