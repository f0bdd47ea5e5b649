/*
 * Incidents: three or more jars of one string that raise the same alert within five
 * minutes have one cause, and become one incident of the string. It takes in every
 * later alert of that rule in that string while it is open, and ends with the last of
 * them. Three or more strings of a site with such incidents, opened within five
 * minutes, become one incident of the site, the parent of theirs.
 */
#include "rules/engine_impl.h"

#include <stdio.h>

static size_t cell(const struct engine *e, int rule, uint32_t row)
{
	return (size_t)row * (size_t)e->rules_of_type[SUBJECT_BATTERY] +
	       (size_t)e->slot[rule];
}

static struct group *group_of(struct engine *e, int rule, uint32_t string)
{
	return &e->groups[cell(e, rule, string)];
}

const char *incident_id(const struct engine *e, uint32_t number)
{
	return number ? e->incidents[number - 1].id : NULL;
}

static const char *place_name(const struct engine *e, const struct incident *n)
{
	return ids_name(n->of_site ? &e->sites : &e->roster.string_ids, n->place);
}

static void emit_incident(struct engine *e, const struct incident *n, int64_t ts)
{
	const char *place = place_name(e, n), *rule = e->rules->rules[n->rule].name;
	char title[CODE_MAX + RULE_NAME_MAX + 32];
	snprintf(title, sizeof(title), "%s: %s on %d jars", place, rule, n->count);
	struct rec_incident rec = {
		.incident_id = str_of(n->id),
		.parent_id = str_of(incident_id(e, n->parent)),
		.ts = ts,
		.subject = str_of(place),
		.cause = str_of(rule),
		.title = str_of(title),
		.severity = n->severity,
		.state = n->open ? incident_state_open : incident_state_resolved,
		.alert_count = n->count,
		.first_ts = n->first,
		.last_ts = n->last,
	};
	e->o.emit(e->user, KIND_incident, &rec);
}

static int severity_of(const struct life *l)
{
	return l->level == LEVEL_CRITICAL ? severity_critical : severity_warning;
}

static void widen(struct incident *n, int severity, int64_t first, int64_t last)
{
	n->first = first < n->first ? first : n->first;
	n->last = last > n->last ? last : n->last;
	n->severity = severity > n->severity ? severity : n->severity;
}

static void incident_key(const struct engine *e, struct incident *n)
{
	char key[CODE_MAX * 2 + RULE_NAME_MAX + 40];
	int len = snprintf(key, sizeof(key), "%s|incident|%s|%s|%lld", e->run,
		place_name(e, n), e->rules->rules[n->rule].name, (long long)n->first);
	snprintf(n->id, sizeof(n->id), "%016llx",
		(unsigned long long)hash_bytes(key, (size_t)len));
}

/* A slot for a new incident: its number, 0 out of memory (all then stays as it is). */
static uint32_t vacant(struct engine *e, struct incident fresh)
{
	size_t i = 0;
	while (i < e->n_incidents && e->incidents[i].open > 0)
		i++;
	if (grow((void **)&e->incidents, &e->cap_incidents, i, sizeof(*e->incidents)) <
		0)
		return 0;
	if (i == e->n_incidents)
		e->n_incidents++;
	e->incidents_opened++;
	e->incidents[i] = fresh;
	return (uint32_t)i + 1;
}

static void adopt(struct engine *e, uint32_t parent, struct incident *child)
{
	struct incident *p = &e->incidents[parent - 1];
	child->parent = parent;
	p->count += child->count;
	p->open += child->open;
	widen(p, child->severity, child->first, child->last);
}

/* Whether this incident of a string counts towards one of that site. */
static bool is_recent(const struct engine *e, const struct incident *n, uint32_t site,
	int rule, int64_t ts)
{
	return !n->of_site && n->open > 0 && n->parent == 0 && n->rule == rule &&
	       e->strings[n->place].site == site && ts - n->opened <= GROUP_WINDOW_MS;
}

/* The string's incident 'number' has opened: is it the site's? */
static void join_site(struct engine *e, uint32_t number, int64_t ts)
{
	struct incident *n = &e->incidents[number - 1];
	uint32_t site = e->strings[n->place].site, recent = 0;
	int rule = n->rule;
	if (site == IDS_NONE)
		return;
	struct site_group *g = &e->site_groups[cell(e, rule, site)];
	if (g->incident) {
		adopt(e, g->incident, n);
		emit_incident(e, &e->incidents[g->incident - 1], ts);
		return;
	}
	for (size_t i = 0; i < e->n_incidents; i++)
		recent += is_recent(e, &e->incidents[i], site, rule, ts);
	if (recent < INCIDENT_LEAST)
		return;
	g->incident = vacant(e, (struct incident){.of_site = true,
					.place = site,
					.rule = rule,
					.opened = ts,
					.first = ts,
					.last = ts});
	if (!g->incident)
		return;
	for (size_t i = 0; i < e->n_incidents; i++)
		if (is_recent(e, &e->incidents[i], site, rule, ts))
			adopt(e, g->incident, &e->incidents[i]);
	incident_key(e, &e->incidents[g->incident - 1]);
	emit_incident(e, &e->incidents[g->incident - 1], ts);
	for (size_t i = 0; i < e->n_incidents; i++)
		if (e->incidents[i].parent == g->incident && i + 1 != number)
			emit_incident(e, &e->incidents[i], ts);
}

/* An alert becomes part of incident 'number', and of its parent. */
static void join(struct engine *e, uint32_t number, struct life *l, int64_t ts)
{
	struct incident *n = &e->incidents[number - 1];
	l->incident = number;
	n->count++;
	n->open++;
	widen(n, severity_of(l), ts, ts);
	if (!n->parent)
		return;
	struct incident *p = &e->incidents[n->parent - 1];
	p->count++;
	p->open++;
	widen(p, severity_of(l), ts, ts);
}

/* Forgets those that are too old, over, or elsewhere by now. */
static void prune(struct engine *e, int rule, struct group *g, int64_t ts)
{
	int kept = 0;
	for (int i = 0; i < g->n; i++) {
		struct subject s = subject_battery(e, g->battery[i]);
		const struct life *l = life_of(e, rule, &s);
		if (l->phase != LIFE_FIRING || ts - g->found[i].ts > GROUP_WINDOW_MS)
			continue;
		g->found[kept] = g->found[i];
		g->battery[kept++] = g->battery[i];
	}
	g->n = (uint8_t)kept;
}

/* The alerts that came before are told again, as part of it. */
static void open_incident(struct engine *e, int rule, struct group *g,
	const struct subject *s, struct life *l, int64_t ts)
{
	struct life *lives[GROUP_RECENT];
	uint32_t number = vacant(e, (struct incident){.place = s->string,
					    .rule = rule,
					    .opened = ts,
					    .first = ts,
					    .last = ts});
	if (!number)
		return;
	g->incident = number;
	join(e, number, l, ts);
	for (int i = 0; i < g->n; i++) {
		struct subject other = subject_battery(e, g->battery[i]);
		lives[i] = life_of(e, rule, &other);
		join(e, number, lives[i], g->found[i].ts);
	}
	incident_key(e, &e->incidents[number - 1]);
	join_site(e, number, ts);
	emit_incident(e, &e->incidents[number - 1], ts);
	for (int i = 0; i < g->n; i++) {
		struct subject other = subject_battery(e, g->battery[i]);
		struct finding f = g->found[i];
		f.ts = ts;
		announce(e, rule, &other, lives[i], LIFE_SAME, &f);
	}
	g->n = 0;
}

void group_fired(struct engine *e, int rule, const struct subject *s, struct life *l,
	const struct finding *f)
{
	/* One that was shelved fires again, as part of what it belongs to. */
	if (s->type != SUBJECT_BATTERY || s->string == IDS_NONE || l->incident ||
		!e->rules->rules[rule].group)
		return;
	struct group *g = group_of(e, rule, s->string);
	if (g->incident) {
		join(e, g->incident, l, f->ts);
		emit_incident(e, &e->incidents[g->incident - 1], f->ts);
		return;
	}
	prune(e, rule, g, f->ts);
	if (g->n == GROUP_RECENT) {
		open_incident(e, rule, g, s, l, f->ts);
		return;
	}
	g->found[g->n] = *f;
	g->battery[g->n++] = s->battery;
}

/* An alert of it became worse: so did it, and its parent. */
void group_shifted(struct engine *e, const struct life *l, int64_t ts)
{
	for (uint32_t i = l->incident; i; i = e->incidents[i - 1].parent) {
		struct incident *n = &e->incidents[i - 1];
		if (severity_of(l) <= n->severity)
			return;
		n->severity = severity_of(l);
		emit_incident(e, n, ts);
	}
}

void group_resolved(struct engine *e, struct life *l, int64_t ts)
{
	uint32_t number = l->incident;
	l->incident = 0;
	if (!number)
		return;
	struct incident *n = &e->incidents[number - 1];
	uint32_t parent = n->parent;
	if (--n->open == 0) {
		group_of(e, n->rule, n->place)->incident = 0;
		emit_incident(e, n, ts);
		n->parent = 0;
	}
	if (!parent || --e->incidents[parent - 1].open > 0)
		return;
	n = &e->incidents[parent - 1];
	e->site_groups[cell(e, n->rule, n->place)].incident = 0;
	emit_incident(e, n, ts);
}
