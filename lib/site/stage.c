#include "site/stage.h"

#include "base/code.h"
#include "site/plant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int64_t RAMP_STEP_MS = 10 * MINUTE_MS; /* how finely a rate is followed */

/* "DC-X" and "DC-X-01" but not "DC-X1". */
static bool within(struct str outer, struct str inner)
{
	return inner.len >= outer.len && memcmp(inner.s, outer.s, outer.len) == 0 &&
	       (inner.len == outer.len || inner.s[outer.len] == '-');
}

/* The next of "a, b,c"; false at the end. */
static bool next_target(const char **p, struct str *t)
{
	*p += strspn(*p, ", ");
	*t = (struct str){*p, (uint32_t)strcspn(*p, ", ")};
	*p += t->len;
	return t->len > 0;
}

/* Jar of "STRING-J07", from 0; -1: none of this string. */
static int jar_of(struct str t, struct str string, int n)
{
	if (t.len != string.len + 4 || !within(string, t) || t.s[string.len + 1] != 'J')
		return -1;
	const char *d = t.s + string.len + 2;
	if (d[0] < '0' || d[0] > '9' || d[1] < '0' || d[1] > '9')
		return -1;
	int jar = 10 * (d[0] - '0') + d[1] - '0';
	return jar >= 1 && jar <= n ? jar - 1 : -1;
}

static uint64_t all_jars(int n)
{
	return n >= 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;
}

uint64_t stage_jars(const char *targets, const char *string_code, int n)
{
	struct str t, code = str_of(string_code);
	uint64_t jars = 0;
	while (next_target(&targets, &t)) {
		if (str_is(t, "all") || within(t, code))
			return all_jars(n);
		int jar = jar_of(t, code, n);
		if (jar >= 0)
			jars |= UINT64_C(1) << jar;
	}
	return jars;
}

bool stage_site(const char *targets, const char *site_code)
{
	struct str t, code = str_of(site_code);
	while (next_target(&targets, &t))
		if (str_is(t, "all") || within(t, code) || within(code, t))
			return true;
	return false;
}

/* Whether the scenario is a matter of whole sites. */
static bool of_sites(const struct scenario *s)
{
	return s->kind == SCENARIO_HIGH_TEMPERATURE || s->kind == SCENARIO_HEATWAVE ||
	       s->kind == SCENARIO_HVAC_FAILURE || s->kind == SCENARIO_HVAC_DEGRADATION;
}

static uint64_t jars_of(const struct scenario *s, const struct plant_string *string)
{
	return stage_jars(s->target, string->code, string->series.n);
}

static void tell(struct plant *p, const struct stage_entry *e, int64_t site,
	const struct plant_string *string, int jar)
{
	struct happening *h = plant_happens(p, p->now, HAPPENS_EVENT, site, string);
	h->type = event_type_scenario;
	h->status = e->over ? event_status_completed : event_status_in_progress;
	h->jar = jar;
	h->start = e->begin;
	h->end_ts = e->over ? p->now : TIME_NIL;
	h->value = e->scenario.value;
	snprintf(h->note, sizeof(h->note), "%s %d", scenario_name(e->scenario.kind),
		e->id);
}

static void tell_all(struct plant *p, const struct stage_entry *e)
{
	for (int64_t i = 0; i < p->nstrings; i++) {
		const struct plant_string *s = &p->strings[i];
		bool first = i == 0 || p->strings[i - 1].site != s->site;
		if (of_sites(&e->scenario)) {
			if (first &&
				stage_site(e->scenario.target, p->sites[s->site].code))
				tell(p, e, s->site, NULL, -1);
			continue;
		}
		uint64_t jars = jars_of(&e->scenario, s);
		if (jars == all_jars(s->series.n))
			tell(p, e, s->site, s, -1);
		for (int j = 0; jars != all_jars(s->series.n) && j < s->series.n; j++)
			if (jars >> j & 1)
				tell(p, e, s->site, s, j);
	}
}

static void begin_outage(struct plant *p, const struct stage_entry *e)
{
	int64_t until = e->end == TIME_NIL ? TIME_MAX : e->end;
	for (int64_t i = 0; i < p->nstrings; i++)
		if (jars_of(&e->scenario, &p->strings[i]))
			upkeep_outage(
				p, &p->strings[i], p->now, until, e->scenario.value);
}

static void end_outage(struct plant *p, const struct stage_entry *e)
{
	for (int64_t i = 0; i < p->nstrings; i++) {
		struct plant_string *s = &p->strings[i];
		bool away = s->charger.mode == mode_discharge ||
			    s->charger.mode == mode_idle;
		if (jars_of(&e->scenario, s) && away && !s->testing &&
			s->charger.until > p->now)
			s->charger.until = p->now;
	}
}

/* Either holds the other, as far as scenario b goes. */
static bool meet(struct str x, struct str y, const struct scenario *b)
{
	if (of_sites(b)) {
		x = code_site(x);
		y = code_site(y);
	}
	return str_is(x, "all") || str_is(y, "all") || within(x, y) || within(y, x);
}

/* Whether b does something to a target of a. It hangs on the codes alone, so that parts
 * of a fleet that are simulated apart agree. */
static bool share(const struct scenario *a, const struct scenario *b)
{
	struct str x, y;
	for (const char *p = a->target; next_target(&p, &x);)
		for (const char *q = b->target; next_target(&q, &y);)
			if (meet(x, y, b))
				return true;
	return false;
}

static void finish(struct plant *p, struct stage_entry *e)
{
	e->over = true;
	if (e->begun) {
		tell_all(p, e);
		if (e->scenario.kind == SCENARIO_POWER_OUTAGE)
			end_outage(p, e);
	}
}

static void begin(struct plant *p, struct stage_entry *e)
{
	struct stage *stage = &p->stage;
	e->begun = true;
	e->worn_until = p->now;
	tell_all(p, e);
	if (e->scenario.kind == SCENARIO_POWER_OUTAGE)
		begin_outage(p, e);
	for (size_t i = 0;
		e->scenario.kind == SCENARIO_NORMAL_OPERATION && i < stage->n; i++) {
		struct stage_entry *other = &stage->v[i];
		if (other != e && !other->over && share(&e->scenario, &other->scenario))
			finish(p, other);
	}
}

static void set_jar(struct plant_string *s, int j, const struct stage_entry *e,
	double level, double days)
{
	struct battery_block *b = &s->blocks[j];
	if (s->jars[j].installed > e->begin &&
		e->scenario.kind != SCENARIO_SENSOR_FAULT)
		return; /* another block by now */
	switch (e->scenario.kind) {
	case SCENARIO_BATTERY_DEGRADATION:
		b->used += level / 100 * days;
		break;
	case SCENARIO_RESISTANCE_DRIFT:
		b->r0_drift += level / 100;
		break;
	case SCENARIO_THERMAL_RUNAWAY:
		b->heat_w += level;
		break;
	case SCENARIO_SENSOR_FAULT:
		s->jars[j].sensor =
			(struct sensor_fault){e->scenario.fault, (float)level};
		break;
	case SCENARIO_NORMAL_OPERATION:
	case SCENARIO_HIGH_TEMPERATURE:
	case SCENARIO_HEATWAVE:
	case SCENARIO_POWER_OUTAGE:
	case SCENARIO_HVAC_FAILURE:
	case SCENARIO_HVAC_DEGRADATION:
	case SCENARIO_LOAD:
	case SCENARIO_CHARGER_VOLTAGE:
	case SCENARIO_KINDS:
		break;
	}
}

static void set_string(struct plant *p, struct plant_string *s, struct stage_entry *e)
{
	uint64_t jars = jars_of(&e->scenario, s);
	double level = stage_level(e, p->now);
	double days = (double)(p->now - e->worn_until) / (double)DAY_MS;

	if (jars == 0)
		return;
	if (e->scenario.kind == SCENARIO_LOAD)
		s->charger.load_factor = level;
	if (e->scenario.kind == SCENARIO_CHARGER_VOLTAGE)
		s->charger.offset_v = level;
	if (e->scenario.kind == SCENARIO_SENSOR_FAULT &&
		jars == all_jars(s->series.n)) {
		s->sensor = (struct sensor_fault){e->scenario.fault, (float)level};
		return;
	}
	for (int j = 0; j < s->series.n; j++)
		if (jars >> j & 1)
			set_jar(s, j, e, level, days);
}

static void reset_string(struct plant_string *s)
{
	s->charger.load_factor = 1;
	s->charger.offset_v = 0;
	s->sensor = (struct sensor_fault){FAULT_NONE, 0};
	for (int j = 0; j < s->series.n; j++) {
		s->blocks[j].r0_drift = s->blocks[j].heat_w = 0;
		s->jars[j].sensor = (struct sensor_fault){FAULT_NONE, 0};
	}
}

/* What is under way, from scratch, on everything. */
static void set_all(struct plant *p)
{
	struct stage *stage = &p->stage;
	for (int64_t i = 0; i < p->nstrings; i++) {
		reset_string(&p->strings[i]);
		for (size_t k = 0; k < stage->n; k++)
			if (stage->v[k].begun)
				set_string(p, &p->strings[i], &stage->v[k]);
		for (int j = 0; j < p->strings[i].series.n; j++)
			battery_block_refresh(p->model, &p->strings[i].blocks[j]);
	}
	for (int64_t i = 0; i < p->nsites; i++)
		stage_set_room(p, &p->sites[i], p->now, &p->sites[i].room,
			&p->sites[i].weather);
	for (size_t k = 0; k < stage->n; k++)
		stage->v[k].worn_until = p->now;
}

void stage_perform(struct plant *p)
{
	struct stage *stage = &p->stage;
	size_t left = 0;

	for (size_t i = 0; i < stage->n; i++) {
		struct stage_entry *e = &stage->v[i];
		if (e->begun && !e->over && e->end != TIME_NIL && e->end <= p->now)
			finish(p, e);
	}
	for (size_t i = 0; i < stage->n; i++)
		if (!stage->v[i].begun && !stage->v[i].over &&
			stage->v[i].begin <= p->now)
			begin(p, &stage->v[i]);
	for (size_t i = 0; i < stage->n; i++) {
		stage->changed |= stage->v[i].begun;
		if (!stage->v[i].over)
			stage->v[left++] = stage->v[i];
	}
	stage->n = left;
	if (stage->changed)
		set_all(p);
	stage->changed = false;
}

int64_t stage_next(const struct plant *p, int64_t to)
{
	int64_t next = to;
	for (size_t i = 0; i < p->stage.n; i++) {
		const struct stage_entry *e = &p->stage.v[i];
		int64_t edge = e->begun ? e->end : e->begin;
		if (edge != TIME_NIL && edge > p->now && edge < next)
			next = edge;
		int64_t step = p->now - p->now % RAMP_STEP_MS + RAMP_STEP_MS;
		bool moves = e->scenario.rate > 0 ||
			     e->scenario.kind == SCENARIO_BATTERY_DEGRADATION;
		if (e->begun && moves && step > p->now && step < next)
			next = step;
	}
	return next;
}

void stage_set_room(const struct plant *p, const struct plant_site *site, int64_t ts,
	struct room *r, struct weather *w)
{
	r->offset_k = w->offset_k = r->forced_k = 0;
	r->forced = hvac_running;
	for (size_t i = 0; i < p->stage.n; i++) {
		const struct stage_entry *e = &p->stage.v[i];
		double level = stage_level(e, ts);
		if (!of_sites(&e->scenario) || e->over || e->begin > ts ||
			(e->end != TIME_NIL && e->end <= ts) ||
			!stage_site(e->scenario.target, site->code))
			continue;
		if (e->scenario.kind == SCENARIO_HIGH_TEMPERATURE)
			r->offset_k += level;
		else if (e->scenario.kind == SCENARIO_HEATWAVE)
			w->offset_k += level;
		else if (e->scenario.kind == SCENARIO_HVAC_FAILURE)
			r->forced = hvac_fault;
		else if (r->forced != hvac_fault)
			r->forced = hvac_degraded, r->forced_k = level;
	}
}

/* The temperatures to come are others now. */
static void forget_paths(struct plant *p)
{
	for (int64_t i = 0; i < p->nsites; i++) {
		free(p->sites[i].path);
		p->sites[i].path = NULL;
	}
}

bool stage_concerns(const struct plant *p, const struct scenario *s)
{
	for (int64_t i = 0; i < p->nstrings; i++)
		if (jars_of(s, &p->strings[i]) ||
			(of_sites(s) && stage_site(s->target,
						p->sites[p->strings[i].site].code)))
			return true;
	return false;
}

int stage_add(
	struct plant *p, const struct scenario *s, int64_t origin, struct err *err)
{
	struct stage *stage = &p->stage;
	if (stage->n == stage->cap) {
		size_t cap = stage->cap ? 2 * stage->cap : 8;
		void *more = realloc(stage->v, cap * sizeof(*stage->v));
		if (!more)
			return err_nomem(err);
		stage->v = more;
		stage->cap = cap;
	}
	int64_t begins = s->relative ? origin + s->start : s->start;
	begins = begins > p->now ? begins : p->now;
	int64_t ends = s->duration_ms ? begins + s->duration_ms : TIME_NIL;
	stage->v[stage->n++] = (struct stage_entry){.id = ++stage->last_id,
		.scenario = *s,
		.begin = begins,
		.end = ends,
		.from = scenario_neutral(s->kind),
		.from_ts = begins};
	forget_paths(p);
	return stage->last_id;
}

size_t stage_count(const struct plant *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->stage.n; i++)
		n += !p->stage.v[i].over;
	return n;
}

const struct stage_entry *stage_find(const struct plant *p, int id)
{
	for (size_t i = 0; i < p->stage.n; i++)
		if (p->stage.v[i].id == id && !p->stage.v[i].over)
			return &p->stage.v[i];
	return NULL;
}

static struct stage_entry *entry(struct plant *p, int id)
{
	const struct stage_entry *e = stage_find(p, id);
	return e ? &p->stage.v[e - p->stage.v] : NULL;
}

bool stage_clear(struct plant *p, int id)
{
	struct stage_entry *e = entry(p, id);
	if (!e)
		return false;
	e->end = p->now;
	e->over = !e->begun;
	forget_paths(p);
	return true;
}

bool stage_turn(struct plant *p, int id, double from, double rate)
{
	struct stage_entry *e = entry(p, id);
	if (!e)
		return false;
	e->from = from;
	e->from_ts = e->begin > p->now ? e->begin : p->now;
	e->scenario.rate = rate;
	forget_paths(p);
	return true;
}

double stage_level(const struct stage_entry *e, int64_t ts)
{
	return scenario_level(
		&e->scenario, e->from, ts > e->from_ts ? ts - e->from_ts : 0);
}

void stage_release(struct plant *p)
{
	free(p->stage.v);
	p->stage = (struct stage){0};
}
