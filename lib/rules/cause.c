/*
 * Known causes: rules that others name in 'effect_of'. While such an alert is firing,
 * and for its 'aftermath', it claims the alerts of those rules at its place: they are
 * suppressed, and part of one incident that is called after the cause. One that fires
 * after its first effects did claims them as well, within the grouping window.
 */
#include "rules/engine_impl.h"

static uint32_t *head_of(const struct engine *e, struct place p)
{
	return p.scope == SCOPE_STRING   ? &e->strings[p.id].causes
	       : p.scope == SCOPE_SYSTEM ? &e->system_causes[p.id]
					 : &e->site_states[p.id].causes;
}

static bool is_past(const struct engine *e, const struct cause *c, int64_t ts)
{
	return c->ended != TIME_NIL &&
	       ts - c->ended > e->rules->rules[c->rule].aftermath_ms;
}

static void belong(struct engine *e, struct cause *c, uint32_t number)
{
	if (c->incident)
		incident_at(e, c->incident)->causes--;
	c->incident = number;
	if (number)
		incident_at(e, number)->causes++;
}

static void drop(struct engine *e, uint32_t *link)
{
	uint32_t gone = *link;
	struct cause *c = &e->causes[gone - 1];
	*link = c->next;
	belong(e, c, 0);
	c->rule = -1;
	c->next = e->free_causes;
	e->free_causes = gone;
}

/* The next of a place that is not past; those that are make room. */
static struct cause *present(struct engine *e, uint32_t *link, int64_t ts)
{
	while (*link) {
		struct cause *c = &e->causes[*link - 1];
		if (!is_past(e, c, ts))
			return c;
		drop(e, link);
	}
	return NULL;
}

static struct subject subject_of_cause(const struct engine *e, const struct cause *c)
{
	return subject_at(e, c->type, c->subject);
}

/* The incident of the cause, 0 none; a new one is still untold. */
static uint32_t incident_of_cause(struct engine *e, struct cause *c, int64_t ts)
{
	struct subject s = subject_of_cause(e, c);
	struct life *l = life_of(e, c->rule, &s);
	bool open = l->phase >= LIFE_SUPPRESSED;
	if (c->incident)
		return c->incident;
	uint32_t n = open ? l->incident : 0;
	if (!n)
		n = *incident_of(e, c->rule, c->place);
	if (!n) {
		n = incident_open(e, c->rule, c->place, c->start, ts);
		if (n && open)
			incident_join(e, n, l, ts);
	}
	belong(e, c, n);
	return n;
}

/* Tells of a new incident, and of the cause as part of it. */
static void tell_new(struct engine *e, const struct cause *c, int64_t ts)
{
	struct subject s = subject_of_cause(e, c);
	struct life *l = life_of(e, c->rule, &s);
	struct finding f = {ts, (double)l->value, (double)l->threshold, NULL};
	if (incident_at(e, c->incident)->told)
		return;
	incident_opened(e, c->incident);
	if (l->incident == c->incident)
		announce(e, c->rule, &s, l, LIFE_SAME, &f);
}

static struct cause *cause_of(struct engine *e, int cause, struct place p, int64_t ts)
{
	struct place in[SCOPES];
	int n = places_around(e, p, in);
	for (int i = 0; i < n; i++) {
		uint32_t *link = head_of(e, in[i]);
		for (struct cause *c; (c = present(e, link, ts)); link = &c->next)
			if (c->rule == cause)
				return c;
	}
	return NULL;
}

bool cause_claims(struct engine *e, int rule, const struct subject *s, struct life *l,
	struct place p, int64_t ts)
{
	const struct rule *r = &e->rules->rules[rule];
	for (int i = 0; i < r->neffect_of; i++) {
		struct cause *c = cause_of(e, r->effect_of[i], p, ts);
		uint32_t n = c ? incident_of_cause(e, c, ts) : 0;
		if (!n)
			continue;
		incident_join(e, n, l, ts);
		l->claimed = true;
		tell_new(e, c, ts);
		return true;
	}
	return false;
}

static struct cause *enter(
	struct engine *e, int rule, const struct subject *s, struct place p, int64_t ts)
{
	uint32_t *link = head_of(e, p);
	for (struct cause *c; (c = present(e, link, ts)); link = &c->next)
		if (c->rule == rule && c->type == s->type && c->subject == s->id)
			return c;
	uint32_t number = e->free_causes;
	if (!number) {
		if (grow(&e->causes, &e->cap_causes, e->n_causes, sizeof(*e->causes)) <
			0)
			return NULL;
		number = (uint32_t)++e->n_causes;
	} else {
		e->free_causes = e->causes[number - 1].next;
	}
	link = head_of(e, p);
	e->causes[number - 1] = (struct cause){.rule = rule,
		.type = s->type,
		.subject = s->id,
		.place = p,
		.ended = TIME_NIL,
		.next = *link};
	*link = number;
	return &e->causes[number - 1];
}

static bool is_effect_of(const struct rule *r, int cause)
{
	for (int i = 0; i < r->neffect_of; i++)
		if (r->effect_of[i] == cause)
			return true;
	return false;
}

void cause_fired(struct engine *e, int rule, const struct subject *s, struct life *l,
	struct place p, int64_t ts)
{
	struct cause *c = enter(e, rule, s, p, ts);
	if (!c)
		return;
	/* It comes back within its aftermath: the same trouble. */
	bool again = c->incident && !l->incident;
	c->ended = TIME_NIL;
	c->start = l->start;
	if (again)
		incident_join(e, c->incident, l, ts);
	else if (l->incident)
		belong(e, c, l->incident);
	for (int i = 0; i < e->rules->n; i++) {
		if (!is_effect_of(&e->rules->rules[i], rule) ||
			!group_has_late(e, i, p, ts))
			continue;
		uint32_t n = incident_of_cause(e, c, ts);
		if (!n)
			continue;
		tell_new(e, c, ts);
		group_gather(e, i, p, n, ts);
	}
}

void cause_over(struct engine *e, int rule, const struct subject *s, int64_t ts)
{
	struct place p;
	if (!e->is_cause[rule] || !place_of(e, s, &p))
		return;
	for (uint32_t i = *head_of(e, p); i; i = e->causes[i - 1].next) {
		struct cause *c = &e->causes[i - 1];
		if (c->rule == rule && c->type == s->type && c->subject == s->id)
			c->ended = ts;
	}
}

static void forget_at(struct engine *e, int rule, struct place p)
{
	uint32_t *link = head_of(e, p);
	while (*link)
		if (e->causes[*link - 1].rule == rule)
			drop(e, link);
		else
			link = &e->causes[*link - 1].next;
}

void cause_forget(struct engine *e, int rule)
{
	size_t places[SCOPES] = {e->n_strings, e->systems.n, e->sites.n};
	for (int i = 0; i < SCOPES; i++)
		for (uint32_t id = 0; id < places[i]; id++)
			forget_at(e, rule, (struct place){(enum scope)i, id});
}
