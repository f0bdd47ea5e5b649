/*
 * Delivery: the yields of all parts put together, so that it does not show how many
 * there were. In each step come first what happened, in order of time and then of the
 * fleet, then the samples of one part after the other, then the truth. A dataset gets
 * the states of jars before their samples, whose row has both.
 */
#include "simulate.h"

enum { MASTERS_BYTES = 1 << 20 }; /* delivered at a time */

/* Every record of the run, once, in order of the stream: n of one kind, in our own
 * layout, end to end at p. */
static void deliver(struct simulation *s, bool streamed, int kind, int64_t n,
	const uint8_t *p, size_t len)
{
	if (streamed)
		flow_emit_run(s->flow, kind, n, p, len);
	dataset_add(s, kind, n, p, len);
}

/* Not all that a dataset needs was asked for in the stream. */
static bool streamed(const struct simulation *s, enum section section)
{
	return section != STATES && (section != TRUE_STATE || s->truth_streamed);
}

static void deliver_runs(struct simulation *s, enum section section,
	const struct spool *o, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		deliver(s, streamed(s, section), o->runs[i].kind, o->runs[i].n,
			o->bytes.data + o->runs[i].at, o->runs[i].len);
}

static size_t begin_of(const struct yield *y, enum section section, int step)
{
	return step ? y->ends[section][step - 1] : 0;
}

static bool earlier(const struct moment *a, const struct moment *b)
{
	if (a->ts != b->ts)
		return a->ts < b->ts;
	return a->site != b->site ? a->site < b->site : a->string < b->string;
}

/* Merges what happened in the parts. Each part's own is in order. */
static void deliver_happened(
	struct simulation *s, const struct yield *const *yields, int step)
{
	size_t next[JOBS_MAX];
	for (int i = 0; i < s->nparts; i++)
		next[i] = begin_of(yields[i], HAPPENED, step);
	for (;;) {
		int first = -1;
		for (int i = 0; i < s->nparts; i++)
			if (next[i] < yields[i]->ends[HAPPENED][step] &&
				(first < 0 ||
					earlier(&yields[i]->moments[next[i]],
						&yields[first]->moments[next[first]])))
				first = i;
		if (first < 0)
			return;
		deliver_runs(s, HAPPENED, &yields[first]->spools[HAPPENED], next[first],
			next[first] + 1);
		next[first]++;
	}
}

static void deliver_step(struct simulation *s, const struct yield *const *yields,
	const struct step *step, int number)
{
	deliver_happened(s, yields, number);
	for (enum section k = STATES; k < SECTIONS; k++)
		for (int i = 0; i < s->nparts; i++)
			deliver_runs(s, k, &yields[i]->spools[k],
				begin_of(yields[i], k, number),
				yields[i]->ends[k][number]);
	if (step->tick) {
		struct rec_tick tick = {.source = str_of("simulate"), .ts = step->ts};
		flow_emit(s->flow, KIND_tick, &tick);
	}
}

static void check(struct simulation *s, const struct spool *o)
{
	if (o->err.class)
		flow_fail(s->flow, &o->err);
}

void deliver_plan(struct simulation *s)
{
	const struct yield *yields[JOBS_MAX];
	const struct plan *plan = engine_await(s->engine, yields);

	for (int i = 0; i < s->nparts; i++)
		for (enum section k = 0; k < SECTIONS; k++)
			check(s, &yields[i]->spools[k]);
	for (int i = 0; i < plan->n && !flow_interrupted(s->flow); i++)
		deliver_step(s, yields, &plan->steps[i], i);
	engine_release(s->engine);
}

static void deliver_spool(struct simulation *s, struct spool *o)
{
	check(s, o);
	deliver_runs(s, HAPPENED, o, 0, o->nruns);
	spool_clear(o);
}

static void deliver_sort(struct simulation *s, enum masters what, struct spool *o)
{
	for (int k = 0; k < s->nparts; k++)
		for (int64_t i = 0; i < s->parts[k].plant->nstrings; i++) {
			tell_masters(&s->parts[k], i, what, o);
			if (o->bytes.len >= MASTERS_BYTES)
				deliver_spool(s, o);
		}
	deliver_spool(s, o);
}

void deliver_masters(struct simulation *s)
{
	struct spool o = {.skip = s->world.skip};
	deliver_sort(s, MASTER_SITES, &o);
	tell_model(&s->world, &o);
	for (enum masters k = MASTER_SYSTEMS; k < MASTERS; k++)
		deliver_sort(s, k, &o);
	spool_release(&o);
}
