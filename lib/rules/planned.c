/*
 * Planned work on a string that empties or heats it on purpose: capacity test,
 * generator test, equalizing charge. What follows from it until the string is on float
 * again is no finding; rules with 'after_planned' wait for that.
 */
#include "rules/engine_impl.h"

/* A sample off float later than this after the one before belongs to something else. */
#define PLANNED_GAP_MS (6 * HOUR_MS)

static bool is_planned(int type)
{
	return type == event_type_capacity_test || type == event_type_generator_test ||
	       type == event_type_equalize;
}

/* The string itself, what it is part of, or one of its batteries. */
static bool concerns(const struct engine *e, struct str subject, uint32_t string)
{
	struct str code = subject_string(e, string).code;
	uint32_t battery = ids_find(&e->roster.battery_ids, subject);
	if (battery < e->n_batteries && e->batteries[battery].string == string)
		return true;
	return subject.len <= code.len && memcmp(subject.s, code.s, subject.len) == 0 &&
	       (subject.len == code.len || code.s[subject.len] == '-');
}

/* Under way, or told of afterwards with its end. */
static void begin(struct string_state *g, const struct rec_event *v)
{
	int64_t last = v->end_ts != TIME_NIL && v->end_ts > v->ts &&
				       v->end_ts - v->ts < 7 * DAY_MS
			       ? v->end_ts
			       : v->ts;
	if (g->planned != TIME_NIL && v->ts < g->planned)
		return;
	if (g->planned != v->ts || last > g->planned_last)
		g->planned_last = last;
	g->planned = v->ts;
}

void planned_learn(struct engine *e, const struct rec_event *v)
{
	bool planned = is_planned(v->type);
	bool failure =
		v->type == event_type_outage || v->type == event_type_battery_discharge;
	if ((!planned && !failure) || v->status == event_status_scheduled ||
		!v->subject.len || v->ts == TIME_NIL)
		return;
	for (uint32_t i = 0; i < e->n_strings; i++) {
		struct string_state *g = &e->strings[i];
		if (!concerns(e, v->subject, i))
			continue;
		if (planned && v->status != event_status_cancelled)
			begin(g, v);
		else if (planned || v->ts > g->planned)
			g->planned = TIME_NIL; /* now it is in earnest */
	}
}

void planned_note(struct string_state *g, int mode, int64_t ts)
{
	if (g->planned == TIME_NIL || mode < 0 || mode == mode_float)
		return;
	if (ts > g->planned_last && ts - g->planned_last <= PLANNED_GAP_MS)
		g->planned_last = ts;
}

bool planned_holds(const struct engine *e, const struct rule *r,
	const struct subject *s, int64_t ts)
{
	if (!r->after_planned_ms || s->string == IDS_NONE)
		return false;
	const struct string_state *g = &e->strings[s->string];
	return g->planned != TIME_NIL && ts >= g->planned &&
	       ts - g->planned_last < r->after_planned_ms;
}
