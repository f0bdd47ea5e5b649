/*
 * Other rules for a running engine. A rule goes on under its name; the alerts of one
 * that is no more end.
 */
#include "rules/engine_impl.h"

#include <stdlib.h>

/* What is as long as there are rules, made anew. */
struct layout {
	struct life *lives[SUBJECT_TYPES];
	struct recent *recent;
	uint32_t *open_of[SCOPES];
};

static void layout_free(struct layout *y)
{
	for (int t = 0; t < SUBJECT_TYPES; t++)
		free(y->lives[t]);
	free(y->recent);
	for (int i = 0; i < SCOPES; i++)
		free(y->open_of[i]);
}

/* Where rule i of the old is among the new; -1: it is no more, or of other things. */
static int heir(const struct rule_set *from, int i, const struct rule_set *to)
{
	int j = rule_find(to, from->rules[i].name);
	return j >= 0 && to->rules[j].subject_type == from->rules[i].subject_type ? j
										  : -1;
}

/* Lets go of what an incident held that was called after a rule that is no more. */
static void disband(struct engine *e, uint32_t number)
{
	for (int rule = 0; rule < e->rules->n; rule++) {
		enum subject_type t = e->rules->rules[rule].subject_type;
		for (uint32_t id = 0; id < engine_subjects(e, t); id++) {
			struct subject s = subject_at(e, t, id);
			struct life *l = life_of(e, rule, &s);
			if (l->phase < LIFE_SUPPRESSED || l->incident != number)
				continue;
			struct finding f = {
				l->seen, (double)l->value, (double)l->threshold, NULL};
			incident_left(e, l, l->seen);
			announce(e, rule, &s, l, LIFE_SAME, &f);
		}
	}
	struct incident *n = incident_at(e, number);
	for (size_t i = 0; i < e->n_incidents; i++)
		if (e->incidents[i].open > 0 && e->incidents[i].parent == number) {
			e->incidents[i].parent = 0;
			incident_tell(e, (uint32_t)i + 1);
		}
	if (n->open > 0) {
		n->open = 0;
		incident_tell(e, number);
	}
}

/* The rule is no more: so are its alerts, and what it was the cause of. */
static void withdraw(struct engine *e, int rule)
{
	enum subject_type t = e->rules->rules[rule].subject_type;
	for (uint32_t id = 0; id < engine_subjects(e, t); id++) {
		struct subject s = subject_at(e, t, id);
		close_alert(e, rule, &s, life_of(e, rule, &s)->seen,
			"resolved, there is no such rule any more");
	}
	cause_forget(e, rule);
	for (size_t i = 0; i < e->n_incidents; i++)
		if (e->incidents[i].rule == rule && e->incidents[i].open > 0)
			disband(e, (uint32_t)i + 1);
}

/* An alert has a severity that its rule still knows. */
static void fit(struct life *l, const struct rule *r)
{
	for (int i = 0; i < LEVEL_COUNT; i++)
		l->on[i] = l->on[i] && r->level[i].used;
	if (!r->level[l->level].used)
		l->level =
			r->level[LEVEL_CRITICAL].used ? LEVEL_CRITICAL : LEVEL_WARNING;
}

static int layout_new(
	const struct engine *fresh, const struct engine *e, struct layout *y)
{
	bool ok = true;
	*y = (struct layout){0};
	for (int t = 0; t < SUBJECT_TYPES; t++) {
		size_t n = e->cap_lives[t] * (size_t)fresh->rules_of_type[t];
		y->lives[t] = calloc(n ? n : 1, sizeof(struct life));
		ok &= y->lives[t] != NULL;
	}
	size_t n = e->cap_recent * (size_t)fresh->rules_of_type[SUBJECT_BATTERY];
	y->recent = calloc(n ? n : 1, sizeof(*y->recent));
	ok &= y->recent != NULL;
	for (int i = 0; i < SCOPES; i++) {
		n = e->cap_open_of[i] * (size_t)fresh->rules->n;
		y->open_of[i] = calloc(n ? n : 1, sizeof(uint32_t));
		ok &= y->open_of[i] != NULL;
	}
	if (!ok)
		layout_free(y);
	return ok ? 0 : -1;
}

static void move_rule(
	struct engine *e, const struct engine *fresh, int i, int j, struct layout *y)
{
	const struct rule *r = &fresh->rules->rules[j];
	enum subject_type t = r->subject_type;
	size_t was = (size_t)e->rules_of_type[t], is = (size_t)fresh->rules_of_type[t];
	for (size_t id = 0; id < engine_subjects(e, t); id++) {
		struct life *l = &y->lives[t][id * is + (size_t)fresh->slot[j]];
		*l = e->lives[t][id * was + (size_t)e->slot[i]];
		if (l->phase != LIFE_IDLE)
			fit(l, r);
	}
	for (size_t id = 0; t == SUBJECT_BATTERY && id < e->n_strings; id++)
		y->recent[id * is + (size_t)fresh->slot[j]] =
			e->recent[id * was + (size_t)e->slot[i]];
	size_t places[SCOPES] = {e->n_strings, e->systems.n, e->sites.n};
	for (int s = 0; s < SCOPES; s++)
		for (size_t id = 0; id < places[s]; id++)
			y->open_of[s][id * (size_t)fresh->rules->n + (size_t)j] =
				e->open_of[s][id * (size_t)e->rules->n + (size_t)i];
}

static void at_least(size_t *cap, size_t n)
{
	*cap = n > *cap ? n : *cap;
}

/* What had no rules so far had no room for anything. */
static void make_room(struct engine *e)
{
	size_t places[SCOPES] = {e->n_strings, e->systems.n, e->sites.n};
	for (int t = 0; t < SUBJECT_TYPES; t++)
		at_least(&e->cap_lives[t], engine_subjects(e, (enum subject_type)t));
	at_least(&e->cap_recent, e->n_strings);
	for (int i = 0; i < SCOPES; i++)
		at_least(&e->cap_open_of[i], places[i]);
}

static void take_over(
	struct engine *e, struct engine *fresh, const int *heirs, struct layout *y)
{
	struct rule_count counts[RULES_MAX] = {0};
	for (int i = 0; i < e->rules->n; i++)
		if (heirs[i] >= 0)
			counts[heirs[i]] = e->counts[i];
	for (size_t i = 0; i < e->n_incidents; i++)
		if (e->incidents[i].open > 0 || e->incidents[i].causes > 0)
			e->incidents[i].rule = heirs[e->incidents[i].rule];
	for (size_t i = 0; i < e->n_causes; i++)
		if (e->causes[i].rule >= 0)
			e->causes[i].rule = heirs[e->causes[i].rule];
	memcpy(e->counts, counts, sizeof(counts));
	memcpy(e->lives, y->lives, sizeof(y->lives));
	e->recent = y->recent;
	memcpy(e->open_of, y->open_of, sizeof(y->open_of));
	engine_index(e, fresh->rules);
}

int engine_reload(struct engine *e, const struct rule_set *rules, struct err *err)
{
	int heirs[RULES_MAX];
	struct layout y, old;
	struct engine *fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return err_nomem(err);
	memset(heirs, -1, sizeof(heirs));
	engine_index(fresh, rules);
	make_room(e);
	if (layout_new(fresh, e, &y) < 0) {
		free(fresh);
		return err_nomem(err);
	}
	for (int i = 0; i < e->rules->n; i++) {
		heirs[i] = heir(e->rules, i, rules);
		if (heirs[i] < 0)
			withdraw(e, i);
	}
	for (int i = 0; i < e->rules->n; i++)
		if (heirs[i] >= 0)
			move_rule(e, fresh, i, heirs[i], &y);
	memcpy(old.lives, e->lives, sizeof(old.lives));
	old.recent = e->recent;
	memcpy(old.open_of, e->open_of, sizeof(old.open_of));
	take_over(e, fresh, heirs, &y);
	layout_free(&old);
	free(fresh);
	return 0;
}
