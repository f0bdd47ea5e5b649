/*
 * What people decide about an alert or incident, as records of the stream: to shelve it
 * until a time, or to resolve it. Acknowledging, assigning and commenting change
 * nothing in what is so, and are the store's. A decision told again changes nothing:
 * one about an incident is not about alerts that have joined it since. One to shelve
 * may come before its alert does (a stream that is run again): it is kept.
 */
#include "rules/engine_impl.h"

#include <stdio.h>

static bool is_meant(const struct engine *e, int rule, const struct subject *s,
	const struct life *l, const struct rec_alert_action *a)
{
	char own[ID_SIZE];
	if (l->phase < LIFE_SUPPRESSED)
		return false;
	alert_id(e, rule, s->code, l->start, own);
	if (str_is(a->subject_id, own))
		return true;
	if (l->fired > a->ts) /* it has joined since */
		return false;
	for (uint32_t i = l->incident; i; i = incident_at(e, i)->parent)
		if (str_is(a->subject_id, incident_id(e, i)))
			return true;
	return false;
}

static void apply(struct engine *e, int rule, const struct subject *s, struct life *l,
	const struct rec_alert_action *a)
{
	char why[CODE_MAX + 32];
	bool resolve = a->action == alert_verb_resolve;
	int len = (int)(a->actor.len < CODE_MAX ? a->actor.len : CODE_MAX);
	snprintf(why, sizeof(why), "%s by %.*s", resolve ? "resolved" : "shelved", len,
		a->actor.s ? a->actor.s : "");
	if (resolve) {
		close_alert(e, rule, s, a->ts, why);
		return;
	}
	if (a->until_ts <= l->seen)
		return;
	l->shelved = a->until_ts;
	if (l->phase == LIFE_SUPPRESSED)
		return;
	l->phase = LIFE_SUPPRESSED;
	struct finding f = {a->ts, NAN, NAN, why};
	tell(e, rule, s, l, LIFE_HELD, &f);
}

/* For an alert to come; the oldest makes room. */
static void keep(struct engine *e, const struct rec_alert_action *a)
{
	struct shelf *to = NULL;
	for (int i = 0; i < e->n_shelves && !to; i++)
		if (str_is(a->subject_id, e->shelves[i].id))
			to = &e->shelves[i];
	if (!to && e->n_shelves < SHELVES_MAX)
		to = &e->shelves[e->n_shelves++];
	if (!to)
		to = &e->shelves[e->next_shelf++ % SHELVES_MAX];
	str_copy(to->id, sizeof(to->id), a->subject_id);
	to->until = a->until_ts;
}

int64_t shelved_until(const struct engine *e, const char *id)
{
	for (int i = 0; i < e->n_shelves; i++)
		if (strcmp(e->shelves[i].id, id) == 0)
			return e->shelves[i].until;
	return TIME_NIL;
}

int act(struct engine *e, const struct rec_alert_action *a, struct err *err)
{
	bool found = false, shelve = a->action == alert_verb_shelve;
	if (!shelve && a->action != alert_verb_resolve)
		return 0;
	if (shelve && a->until_ts == TIME_NIL)
		return err_set(err, ERR_DATA, "shelved without a time limit");
	for (int rule = 0; rule < e->rules->n; rule++) {
		enum subject_type t = e->rules->rules[rule].subject_type;
		size_t n = engine_subjects(e, t);
		for (uint32_t id = 0; id < n; id++) {
			struct subject s = subject_at(e, t, id);
			struct life *l = life_of(e, rule, &s);
			if (!is_meant(e, rule, &s, l, a))
				continue;
			found = true;
			apply(e, rule, &s, l, a);
		}
	}
	if (shelve && !found)
		keep(e, a);
	return 0;
}
