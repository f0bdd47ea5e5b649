/*
 * Incidents: a place (string, system or site), what ails it, how many alerts. One that
 * is part of a larger one has a parent, and what joins it counts there, too.
 */
#include "rules/engine_impl.h"

#include <stdio.h>

/* A joined alert is told with the next record this much later, together with others. */
#define TELL_AFTER_MS SECOND_MS

static const char *const SCOPE_WORDS[] = {"string", "system", "site"};

struct incident *incident_at(const struct engine *e, uint32_t number)
{
	return &e->incidents[number - 1];
}

const char *incident_id(const struct engine *e, uint32_t number)
{
	return number ? incident_at(e, number)->id : NULL;
}

const char *place_name(const struct engine *e, struct place p)
{
	const struct ids *names = p.scope == SCOPE_STRING   ? &e->roster.string_ids
				  : p.scope == SCOPE_SYSTEM ? &e->systems
							    : &e->sites;
	return ids_name(names, p.id);
}

uint32_t *incident_of(const struct engine *e, int rule, struct place p)
{
	return &e->open_of[p.scope][(size_t)p.id * (size_t)e->rules->n + (size_t)rule];
}

void incident_tell(struct engine *e, uint32_t number)
{
	struct incident *n = incident_at(e, number);
	const struct rule *r = &e->rules->rules[n->rule];
	const char *place = place_name(e, n->place);
	char title[CODE_MAX + RULE_LABEL_MAX + 40];
	snprintf(title, sizeof(title),
		n->count == 1 ? "%s: %s (%d alert)" : "%s: %s (%d alerts)", place,
		r->incident, n->count);
	struct rec_incident rec = {
		.incident_id = str_of(n->id),
		.parent_id = str_of(incident_id(e, n->parent)),
		.ts = n->changed,
		.subject = str_of(place),
		.cause = str_of(r->name),
		.title = str_of(title),
		.severity = n->severity,
		.state = n->open ? incident_state_open : incident_state_resolved,
		.alert_count = n->count,
		.first_ts = n->first,
		.last_ts = n->last,
	};
	e->untold -= n->untold;
	n->untold = false;
	e->o.emit(e->user, KIND_incident, &rec);
}

void incidents_tell(struct engine *e, int64_t ts)
{
	if (!e->untold || (ts != TIME_NIL && ts - e->untold_ts < TELL_AFTER_MS))
		return;
	for (size_t i = 0; i < e->n_incidents; i++)
		if (e->incidents[i].untold)
			incident_tell(e, (uint32_t)i + 1);
}

static int severity_of(const struct life *l)
{
	return l->level == LEVEL_CRITICAL ? severity_critical : severity_warning;
}

static void changed(struct incident *n, int64_t ts)
{
	n->changed = ts > n->changed ? ts : n->changed;
}

/* That many more, 'open' of them unresolved: told later, unless it makes the incident
 * worse. */
static void count_in(struct engine *e, uint32_t number, int count, int open,
	int severity, int64_t ts)
{
	struct incident *n = incident_at(e, number);
	bool worse = severity > n->severity, back = n->open == 0;
	n->count += count;
	n->open += open;
	n->last = ts > n->last ? ts : n->last;
	n->severity = worse ? severity : n->severity;
	changed(n, ts);
	if (!n->told)
		return;
	uint32_t *at = incident_of(e, n->rule, n->place);
	if (back && !*at)
		*at = number;
	if (worse || back) {
		incident_tell(e, number);
		return;
	}
	e->untold += !n->untold;
	n->untold = true;
	e->untold_ts = ts;
}

void incident_join(struct engine *e, uint32_t number, struct life *l, int64_t ts)
{
	l->incident = number;
	for (uint32_t i = number; i; i = incident_at(e, i)->parent)
		count_in(e, i, 1, 1, severity_of(l), ts);
}

uint32_t incident_open(
	struct engine *e, int rule, struct place place, int64_t first, int64_t ts)
{
	char key[CODE_MAX * 2 + RULE_NAME_MAX + 48];
	size_t i = 0;
	while (i < e->n_incidents &&
		(e->incidents[i].open > 0 || e->incidents[i].causes > 0))
		i++;
	if (grow(&e->incidents, &e->cap_incidents, i, sizeof(*e->incidents)) < 0)
		return 0;
	if (i == e->n_incidents)
		e->n_incidents++;
	e->incidents_opened++;
	struct incident *n = &e->incidents[i];
	*n = (struct incident){.place = place,
		.rule = rule,
		.opened = ts,
		.changed = ts,
		.first = first,
		.last = ts};
	int len = snprintf(key, sizeof(key), "%s|incident|%s|%s|%s|%lld", e->run,
		SCOPE_WORDS[place.scope], place_name(e, place),
		e->rules->rules[rule].name, (long long)first);
	snprintf(n->id, sizeof(n->id), "%016llx",
		(unsigned long long)hash_bytes(key, (size_t)len));
	*incident_of(e, rule, place) = (uint32_t)i + 1;
	return (uint32_t)i + 1;
}

void incident_opened(struct engine *e, uint32_t number)
{
	incident_at(e, number)->told = true;
	incident_tell(e, number);
}

void incident_adopt(struct engine *e, uint32_t parent, uint32_t child)
{
	struct incident *n = incident_at(e, child);
	n->parent = parent;
	for (uint32_t i = parent; i; i = incident_at(e, i)->parent) {
		struct incident *p = incident_at(e, i);
		p->first = n->first < p->first ? n->first : p->first;
		count_in(e, i, n->count, n->open, n->severity, n->last);
	}
	changed(n, incident_at(e, parent)->changed);
	if (n->told && incident_at(e, parent)->told)
		incident_tell(e, child);
}

void incident_shifted(struct engine *e, const struct life *l, int64_t ts)
{
	for (uint32_t i = l->incident; i; i = incident_at(e, i)->parent) {
		struct incident *n = incident_at(e, i);
		if (severity_of(l) <= n->severity)
			return;
		n->severity = severity_of(l);
		changed(n, ts);
		incident_tell(e, i);
	}
}

void incident_left(struct engine *e, struct life *l, int64_t ts)
{
	uint32_t i = l->incident;
	l->incident = 0;
	l->claimed = false;
	while (i) {
		struct incident *n = incident_at(e, i);
		uint32_t parent = n->parent;
		n->open--;
		if (n->open == 0) {
			uint32_t *at = incident_of(e, n->rule, n->place);
			if (*at == i)
				*at = 0;
			changed(n, ts);
			incident_tell(e, i);
			n->parent = 0;
		}
		i = parent;
	}
}
