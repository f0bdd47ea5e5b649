/*
 * Incidents: three or more jars of one string that raise the same alert within five
 * minutes have one cause, and become one incident of the string. It takes in every
 * later alert of that rule in that string while it is open, and ends with the last of
 * them.
 */
#include "rules/engine_impl.h"

#include <stdio.h>

static struct group *group_of(struct engine *e, int rule, uint32_t string)
{
	size_t n = (size_t)e->rules_of_type[SUBJECT_BATTERY];
	return &e->groups[(size_t)string * n + (size_t)e->slot[rule]];
}

const char *incident_id(const struct engine *e, uint32_t number)
{
	return number ? e->incidents[number - 1].id : NULL;
}

static void emit_incident(struct engine *e, const struct incident *n, int64_t ts)
{
	const char *string = ids_name(&e->roster.string_ids, n->string);
	const char *rule = e->rules->rules[n->rule].name;
	char title[CODE_MAX + RULE_NAME_MAX + 32];
	snprintf(title, sizeof(title), "%s: %d jars, %s", string, n->count, rule);
	struct rec_incident rec = {
		.incident_id = str_of(n->id),
		.parent_id = STR_NIL,
		.ts = ts,
		.subject = str_of(string),
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

static void join(struct incident *n, const struct life *l, int64_t ts)
{
	n->count++;
	n->open++;
	n->first = ts < n->first ? ts : n->first;
	n->last = ts > n->last ? ts : n->last;
	if (severity_of(l) > n->severity)
		n->severity = severity_of(l);
}

static void incident_key(const struct engine *e, struct incident *n)
{
	char key[CODE_MAX * 2 + RULE_NAME_MAX + 40];
	int len = snprintf(key, sizeof(key), "%s|incident|%s|%s|%lld", e->run,
		ids_name(&e->roster.string_ids, n->string),
		e->rules->rules[n->rule].name, (long long)n->first);
	snprintf(n->id, sizeof(n->id), "%016llx",
		(unsigned long long)hash_bytes(key, (size_t)len));
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

/* A slot for a new incident and its number; NULL out of memory: the alerts then stay
 * single. */
static struct incident *vacant(struct engine *e, uint32_t *number)
{
	size_t i = 0;
	while (i < e->n_incidents && e->incidents[i].open > 0)
		i++;
	if (grow((void **)&e->incidents, &e->cap_incidents, i, sizeof(*e->incidents)) <
		0)
		return NULL;
	if (i == e->n_incidents)
		e->n_incidents++;
	e->incidents_opened++;
	*number = (uint32_t)i + 1;
	return &e->incidents[i];
}

static void open_incident(struct engine *e, int rule, struct group *g,
	const struct subject *s, struct life *l, int64_t ts)
{
	struct incident *n = vacant(e, &g->incident);
	if (!n)
		return;
	struct life *lives[GROUP_RECENT];
	*n = (struct incident){
		.string = s->string, .rule = rule, .first = ts, .last = ts};
	join(n, l, ts);
	l->incident = g->incident;
	for (int i = 0; i < g->n; i++) {
		struct subject other = subject_battery(e, g->battery[i]);
		lives[i] = life_of(e, rule, &other);
		lives[i]->incident = g->incident;
		join(n, lives[i], g->found[i].ts);
	}
	incident_key(e, n);
	emit_incident(e, n, ts);
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
	if (s->type != SUBJECT_BATTERY || s->string == IDS_NONE)
		return;
	struct group *g = group_of(e, rule, s->string);
	if (g->incident) {
		struct incident *n = &e->incidents[g->incident - 1];
		join(n, l, f->ts);
		l->incident = g->incident;
		emit_incident(e, n, f->ts);
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

void group_shifted(struct engine *e, const struct life *l, int64_t ts)
{
	struct incident *n = l->incident ? &e->incidents[l->incident - 1] : NULL;
	if (!n || severity_of(l) <= n->severity)
		return;
	n->severity = severity_of(l);
	emit_incident(e, n, ts);
}

void group_resolved(struct engine *e, struct life *l, int64_t ts)
{
	struct incident *n = l->incident ? &e->incidents[l->incident - 1] : NULL;
	l->incident = 0;
	if (!n || --n->open > 0)
		return;
	group_of(e, n->rule, n->string)->incident = 0;
	emit_incident(e, n, ts);
}
