/*
 * Which alerts are of one cause. First, a cause that is known claims its effects (see
 * cause.c). Then what is near: three jars of a string that raise the same alert within
 * five minutes are an incident of the string, two strings of a system one of the
 * system, two systems of a site one of the site; the smaller is part of the larger. An
 * open incident takes in every later alert of its rule in its place.
 */
#include "rules/engine_impl.h"

/* Fired not long ago, and nothing has taken it in yet. */
static bool is_loose(const struct life *l, int64_t ts)
{
	return l->phase == LIFE_FIRING && !l->incident &&
	       ts - l->fired <= GROUP_WINDOW_MS;
}

static struct recent *recent_of(struct engine *e, int rule, uint32_t string)
{
	size_t n = (size_t)e->rules_of_type[SUBJECT_BATTERY];
	return &e->recent[(size_t)string * n + (size_t)e->slot[rule]];
}

/* The alert came before the incident did: told again, as part of it. */
static void take_in(struct engine *e, uint32_t number, int rule,
	const struct subject *s, int64_t ts, bool claim)
{
	struct life *l = life_of(e, rule, s);
	incident_join(e, number, l, l->fired);
	l->claimed = claim;
	struct finding f = {ts, (double)l->value, (double)l->threshold, NULL};
	announce(e, rule, s, l, LIFE_SAME, &f);
}

/* Forgets the jars whose alert is too old, over, or elsewhere by now. */
static void prune(struct engine *e, int rule, struct recent *g, int64_t ts)
{
	int kept = 0;
	for (int i = 0; i < g->n; i++) {
		struct subject s = subject_battery(e, g->battery[i]);
		if (is_loose(life_of(e, rule, &s), ts))
			g->battery[kept++] = g->battery[i];
	}
	g->n = (uint8_t)kept;
}

static int64_t earliest(
	struct engine *e, int rule, const struct recent *g, const struct life *l)
{
	int64_t first = l->start;
	for (int i = 0; i < g->n; i++) {
		struct subject s = subject_battery(e, g->battery[i]);
		int64_t start = life_of(e, rule, &s)->start;
		first = start < first ? start : first;
	}
	return first;
}

static struct place string_place(uint32_t string)
{
	return (struct place){SCOPE_STRING, string};
}

/* What a string has to offer to a larger incident of the rule: one of its own, or an
 * alert of the string itself. */
static bool has_part(struct engine *e, int rule, uint32_t string, int64_t ts)
{
	uint32_t own = *incident_of(e, rule, string_place(string));
	if (own)
		return !incident_at(e, own)->parent &&
		       ts - incident_at(e, own)->opened <= GROUP_WINDOW_MS;
	struct subject s = subject_string(e, string);
	return e->rules->rules[rule].subject_type == SUBJECT_STRING &&
	       is_loose(life_of(e, rule, &s), ts);
}

static void give_part(struct engine *e, int rule, uint32_t string, uint32_t larger,
	const struct life *latest, int64_t ts)
{
	uint32_t own = *incident_of(e, rule, string_place(string));
	if (own) {
		incident_adopt(e, larger, own);
		return;
	}
	struct subject s = subject_string(e, string);
	struct life *l = life_of(e, rule, &s);
	if (l == latest) /* about to be told anyway */
		incident_join(e, larger, l, ts);
	else
		take_in(e, larger, rule, &s, ts, false);
}

static bool is_young(const struct engine *e, uint32_t number, int64_t ts)
{
	return number && !incident_at(e, number)->parent &&
	       ts - incident_at(e, number)->opened <= GROUP_WINDOW_MS;
}

static uint32_t incident_of_system(const struct engine *e, int rule, uint32_t system)
{
	return *incident_of(e, rule, (struct place){SCOPE_SYSTEM, system});
}

/* How many strings of the system have part in it, and how many systems of the site. */
static void survey(struct engine *e, int rule, uint32_t string, int64_t ts,
	int *strings, int *systems)
{
	const struct string_state *own = &e->strings[string];
	uint32_t other = IDS_NONE;
	*strings = *systems = 0;
	for (uint32_t t = e->site_states[own->site].first_string; t != IDS_NONE;
		t = e->strings[t].next_of_site) {
		uint32_t y = e->strings[t].system;
		bool part = has_part(e, rule, t, ts);
		*strings += part && y == own->system;
		if (part || is_young(e, incident_of_system(e, rule, y), ts)) {
			*systems += *systems == 0 || (*systems == 1 && y != other);
			other = y;
		}
	}
}

/* Opens the larger incident of all parts in reach of 'place'. */
static void unite(struct engine *e, int rule, struct place place, uint32_t string,
	const struct life *latest, int64_t ts)
{
	uint32_t n = incident_open(e, rule, place, latest->start, ts);
	if (!n)
		return;
	for (uint32_t t = e->site_states[e->strings[string].site].first_string;
		t != IDS_NONE; t = e->strings[t].next_of_site) {
		uint32_t y = e->strings[t].system;
		if (place.scope == SCOPE_SYSTEM && y != place.id)
			continue;
		uint32_t whole =
			place.scope == SCOPE_SITE ? incident_of_system(e, rule, y) : 0;
		if (is_young(e, whole, ts))
			incident_adopt(e, n, whole);
		if (has_part(e, rule, t, ts))
			give_part(e, rule, t, n, latest, ts);
	}
	incident_opened(e, n);
	/* Now that they can be looked up, its parts name it. */
	for (size_t i = 0; i < e->n_incidents; i++)
		if (e->incidents[i].parent == n && e->incidents[i].told)
			incident_tell(e, (uint32_t)i + 1);
}

/* The string has got a part to offer: does it make a larger one? */
static void look_around(struct engine *e, int rule, uint32_t string,
	const struct life *latest, int64_t ts)
{
	const struct string_state *g = &e->strings[string];
	int strings, systems;
	if (g->site == IDS_NONE)
		return;
	survey(e, rule, string, ts, &strings, &systems);
	if (systems >= PARTS_LEAST)
		unite(e, rule, (struct place){SCOPE_SITE, g->site}, string, latest, ts);
	else if (strings >= PARTS_LEAST)
		unite(e, rule, (struct place){SCOPE_SYSTEM, g->system}, string, latest,
			ts);
}

/* The third jar: the two before it and it are an incident of the string. */
static void open_for_jars(struct engine *e, int rule, struct recent *g,
	const struct subject *s, struct life *l, int64_t ts)
{
	uint32_t n = incident_open(
		e, rule, string_place(s->string), earliest(e, rule, g, l), ts);
	if (!n)
		return;
	incident_join(e, n, l, ts);
	for (int i = 0; i < g->n; i++) {
		struct subject other = subject_battery(e, g->battery[i]);
		incident_join(e, n, life_of(e, rule, &other), ts);
	}
	look_around(e, rule, s->string, l, ts);
	incident_opened(e, n);
	for (int i = 0; i < g->n; i++) {
		struct subject other = subject_battery(e, g->battery[i]);
		struct life *before = life_of(e, rule, &other);
		struct finding f = {
			ts, (double)before->value, (double)before->threshold, NULL};
		announce(e, rule, &other, before, LIFE_SAME, &f);
	}
	g->n = 0;
}

/* The open incident of the rule that the place is in, the smallest, 0 none. */
static uint32_t around(const struct engine *e, int rule, struct place p)
{
	struct place in[SCOPES];
	int n = places_around(e, p, in);
	for (int i = 0; i < n; i++)
		if (*incident_of(e, rule, in[i]))
			return *incident_of(e, rule, in[i]);
	return 0;
}

static void by_nearness(struct engine *e, int rule, const struct subject *s,
	struct life *l, struct place p, int64_t ts)
{
	uint32_t open = around(e, rule, p);
	if (open) {
		incident_join(e, open, l, ts);
		l->claimed = true;
	} else if (s->type == SUBJECT_STRING) {
		look_around(e, rule, s->string, l, ts);
	} else if (s->type == SUBJECT_BATTERY) {
		struct recent *g = recent_of(e, rule, s->string);
		prune(e, rule, g, ts);
		if (g->n == GROUP_RECENT)
			open_for_jars(e, rule, g, s, l, ts);
		else
			g->battery[g->n++] = s->battery;
	}
}

void group_fired(
	struct engine *e, int rule, const struct subject *s, struct life *l, int64_t ts)
{
	struct place p;
	/* One that was shelved fires again, as part of what it belongs to. */
	if (l->incident || !place_of(e, s, &p))
		return;
	if (!cause_claims(e, rule, s, l, p, ts) && e->rules->rules[rule].group)
		by_nearness(e, rule, s, l, p, ts);
	e->counts[rule].suppressed += l->claimed;
	if (e->is_cause[rule])
		cause_fired(e, rule, s, l, p, ts);
}

/* Alerts of the rule in one string that its cause was too late for. */
static void gather_string(
	struct engine *e, int rule, uint32_t string, uint32_t number, int64_t ts)
{
	const struct rule *r = &e->rules->rules[rule];
	uint32_t own = *incident_of(e, rule, string_place(string));
	if (is_young(e, own, ts) && own != number)
		incident_adopt(e, number, own);
	if (r->subject_type == SUBJECT_STRING) {
		struct subject s = subject_string(e, string);
		if (is_loose(life_of(e, rule, &s), ts))
			take_in(e, number, rule, &s, ts, true);
	}
	if (r->subject_type != SUBJECT_BATTERY || !r->group)
		return;
	struct recent *g = recent_of(e, rule, string);
	prune(e, rule, g, ts);
	for (int i = 0; i < g->n; i++) {
		struct subject s = subject_battery(e, g->battery[i]);
		take_in(e, number, rule, &s, ts, true);
	}
	g->n = 0;
}

/* Those of sensors, and of whatever else has a place there. */
static void gather_others(
	struct engine *e, int rule, struct place p, uint32_t number, int64_t ts)
{
	for (uint32_t id = 0; id < e->others.n; id++) {
		struct subject s = subject_other(e, id);
		struct place at;
		if (is_loose(life_of(e, rule, &s), ts) && place_of(e, &s, &at) &&
			place_within(e, at, p))
			take_in(e, number, rule, &s, ts, true);
	}
}

bool group_has_late(struct engine *e, int rule, struct place p, int64_t ts)
{
	const struct rule *r = &e->rules->rules[rule];
	for (uint32_t id = 0; r->subject_type == SUBJECT_OTHER && id < e->others.n;
		id++) {
		struct subject s = subject_other(e, id);
		struct place at;
		if (is_loose(life_of(e, rule, &s), ts) && place_of(e, &s, &at) &&
			place_within(e, at, p))
			return true;
	}
	for (uint32_t t = place_first_string(e, p); t != IDS_NONE;
		t = place_next_string(e, p, t)) {
		if (has_part(e, rule, t, ts))
			return true;
		if (r->subject_type != SUBJECT_BATTERY || !r->group)
			continue;
		struct recent *g = recent_of(e, rule, t);
		prune(e, rule, g, ts);
		if (g->n > 0)
			return true;
	}
	return false;
}

void group_gather(
	struct engine *e, int rule, struct place p, uint32_t number, int64_t ts)
{
	if (e->rules->rules[rule].subject_type == SUBJECT_OTHER)
		gather_others(e, rule, p, number, ts);
	for (uint32_t t = place_first_string(e, p); t != IDS_NONE;
		t = place_next_string(e, p, t))
		gather_string(e, rule, t, number, ts);
}
