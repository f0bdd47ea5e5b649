#include "ingest/classic_parts.h"

#include <stdio.h>
#include <stdlib.h>

static void reject(void *arg, int kind, const char *source, int64_t line,
	const char *reason, struct str original)
{
	struct classic *c = arg;
	c->outer->reject(c->outer->arg, kind, source, line, reason, original);
}

/* An identity of the jar, string or sensor files is seen first. */
static void meet(void *arg, struct identity *who)
{
	struct classic *c = arg;
	struct str code = str_of(who->code);
	uint32_t b = ids_find(&c->batteries, code);
	who->group = ids_find(&c->strings, code);
	if (who->group != IDS_NONE)
		who->limits = c->states[who->group].limits;
	if (b == IDS_NONE)
		return;
	who->group = c->string_of[b];
	uint32_t m = c->model_of[b];
	if (m != IDS_NONE && c->limits[m].known)
		who->limits = c->limits[m].limits;
}

static int open_series(struct classic *c, struct err *err)
{
	static const struct {
		const char *name, *role;
	} files[SERIES] = {{"telemetry_string_raw", "samples of strings"},
		{"telemetry_string_calc", "joined to the samples of strings"},
		{"telemetry_env", "samples of rooms"},
		{"telemetry_jar_raw", "samples of batteries"}};
	for (int i = 0; i < SERIES; i++)
		if (classic_open_file(c, files[i].name, files[i].role,
			    &c->series[i].source, err) < 0)
			return -1;
	for (int i = 0; i < SERIES; i++)
		c->series[i].ended = !c->series[i].source;
	if (c->series[JAR].ended)
		return err_set(err, ERR_IO,
			"'%s' has no telemetry_jar_raw.csv or .csv.gz: not a dataset "
			"in the classic layout",
			c->dir);
	c->join_ms = c->series[JAR].source->m.join_ms;
	return 0;
}

/* Makes sure there is a record at hand. 1, 0 at the end, -1. */
static int fill(struct series *s, struct err *err)
{
	if (s->full || s->ended)
		return s->full;
	int r = source_next(s->source, &s->rec, err);
	s->full = r > 0;
	s->ended = r == 0;
	s->ts = s->source->ts;
	return r;
}

static void unmatched(struct classic *c, uint32_t string)
{
	char reason[160];
	struct string_state *st = &c->states[string];
	if (st->calc_ts == TIME_NIL || st->calc_used)
		return;
	struct series *s = &c->series[STRING_CALC];
	char text[TIME_TEXT_SIZE];
	snprintf(reason, sizeof(reason), "no sample of %.64s at %s to join this to",
		ids_name(&c->strings, string), time_format(st->calc_ts, text));
	s->source->nrejected++;
	s->source->nemitted--;
	reject(c, KIND_string_telemetry, s->source->path, 0, reason, STR_NIL);
	st->calc_ts = TIME_NIL;
}

/* Reads the calculated columns of strings up to time ts into the strings' states. */
static int advance_calc(struct classic *c, int64_t ts, struct err *err)
{
	struct series *s = &c->series[STRING_CALC];
	int r;
	while ((r = fill(s, err)) > 0 && s->ts <= ts) {
		struct identity *who = s->source->who;
		s->full = false;
		if (!who || who->group == IDS_NONE)
			continue;
		unmatched(c, who->group);
		struct string_state *st = &c->states[who->group];
		st->calc_ts = s->ts;
		st->calc_used = false;
		st->power_w = s->rec.string_telemetry.power_w;
		st->thd_pct = s->rec.string_telemetry.thd_pct;
	}
	return r < 0 ? -1 : 0;
}

static int join_string(struct classic *c, struct series *s, struct err *err)
{
	struct rec_string_telemetry *t = &s->rec.string_telemetry;
	if (!c->series[STRING_CALC].ended && advance_calc(c, s->ts, err) < 0)
		return -1;
	uint32_t i = s->source->who->group;
	if (i == IDS_NONE)
		return 0;
	struct string_state *st = &c->states[i];
	if (st->calc_ts == t->ts) {
		t->power_w = st->power_w;
		t->thd_pct = st->thd_pct;
		st->calc_used = true;
	}
	if (st->ts == TIME_NIL || t->ts >= st->ts) {
		st->ts = t->ts;
		st->current_a = t->current_a;
		st->mode = t->mode;
	}
	return 0;
}

static void join_jar(const struct classic *c, struct series *s)
{
	struct rec_telemetry *t = &s->rec.telemetry;
	const struct identity *who = s->source->who;
	if (who->group == IDS_NONE)
		return;
	const struct string_state *st = &c->states[who->group];
	if (st->ts == TIME_NIL || t->ts < st->ts || t->ts - st->ts > c->join_ms)
		return;
	t->current_a = st->current_a;
	t->mode = st->mode;
	if (t->ts != st->ts)
		t->quality |= BIT(quality_interpolated);
	t->quality |= limits_check_current(&who->limits, t->current_a);
}

/* The series whose record comes next, NULL at the end; *r is -1 on failure. */
static struct series *earliest(struct classic *c, int *r, struct err *err)
{
	static const int order[] = {STRING, ENVIRONMENT, JAR};
	struct series *best = NULL;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		struct series *s = &c->series[order[i]];
		if ((*r = fill(s, err)) < 0)
			return NULL;
		if (s->full && (!best || s->ts < best->ts))
			best = s;
	}
	return best;
}

static int finish(struct classic *c, struct err *err)
{
	if (!c->series[STRING_CALC].ended && advance_calc(c, TIME_MAX, err) < 0)
		return -1;
	for (uint32_t i = 0; i < c->strings.n; i++)
		unmatched(c, i);
	return 0;
}

int classic_next(struct classic *c, int *kind, const void **rec, struct err *err)
{
	int r;
	if (c->next_master < c->masters.n) {
		const struct kept *k = &c->masters.v[c->next_master++];
		*kind = k->kind;
		*rec = k->rec;
		return 1;
	}
	if (c->last)
		c->last->full = false;
	c->last = NULL;
	struct series *s = earliest(c, &r, err);
	if (r < 0)
		return -1;
	if (c->next_event < c->events.n &&
		(!s || c->events.v[c->next_event].ts <= s->ts)) {
		const struct kept *k = &c->events.v[c->next_event++];
		*kind = k->kind;
		*rec = k->rec;
		return 1;
	}
	if (!s)
		return finish(c, err);
	if (s == &c->series[STRING] && join_string(c, s, err) < 0)
		return -1;
	if (s == &c->series[JAR])
		join_jar(c, s);
	c->last = s;
	*kind = s->source->m.kind;
	*rec = &s->rec;
	return 1;
}

struct classic *classic_open(
	const char *dir, const struct ingest_env *env, struct err *err)
{
	struct classic *c = calloc(1, sizeof(*c));
	if (!c) {
		err_nomem(err);
		return NULL;
	}
	c->dir = dir;
	c->outer = env;
	c->env = *env;
	c->env.reject = reject;
	c->env.meet = meet;
	c->env.idle = NULL;
	c->env.battery = c->env.fleet = c->env.model = NULL;
	c->env.arg = c;
	if (classic_read_masters(c, err) == 0 &&
		classic_read_transactions(c, "maintenance_event", NULL, err) == 0 &&
		classic_read_transactions(
			c, "capacity_test_raw", "capacity_test_calc", err) == 0 &&
		classic_read_transactions(c, "impedance_measurement_raw",
			"impedance_measurement_calc", err) == 0 &&
		open_series(c, err) == 0) {
		keep_sort(&c->events);
		return c;
	}
	classic_free(c);
	return NULL;
}

void classic_free(struct classic *c)
{
	if (!c)
		return;
	for (int i = 0; i < SERIES; i++)
		source_free(c->series[i].source);
	keep_release(&c->masters);
	keep_release(&c->events);
	ids_release(&c->strings);
	ids_release(&c->models);
	ids_release(&c->batteries);
	free(c->states);
	free(c->limits);
	free(c->model_of);
	free(c->string_of);
	free(c->units);
	free(c);
}
