/*
 * What people decide about an alert or incident, as records of the stream: to shelve it
 * until a time, or to resolve it. Acknowledging, assigning and commenting change
 * nothing in what is so, and are the store's.
 */
#include "rules/engine_impl.h"

#include <stdio.h>

static bool is_meant(const struct engine *e, int rule, const struct subject *s,
	const struct life *l, struct str id)
{
	char own[ID_SIZE];
	if (l->phase < LIFE_SUPPRESSED)
		return false;
	alert_id(e, rule, s->code, l->start, own);
	return str_is(id, own) ||
	       (l->incident && str_is(id, incident_id(e, l->incident)));
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
	l->shelved = a->until_ts;
	if (l->phase == LIFE_SUPPRESSED)
		return;
	l->phase = LIFE_SUPPRESSED;
	struct finding f = {a->ts, NAN, NAN, why};
	tell(e, rule, s, l, LIFE_HELD, &f);
}

void act(struct engine *e, const struct rec_alert_action *a)
{
	bool shelve = a->action == alert_verb_shelve && a->until_ts != TIME_NIL;
	if (!shelve && a->action != alert_verb_resolve)
		return;
	for (int rule = 0; rule < e->rules->n; rule++) {
		enum subject_type t = e->rules->rules[rule].subject_type;
		size_t n = engine_subjects(e, t);
		for (uint32_t id = 0; id < n; id++) {
			struct subject s = subject_at(e, t, id);
			struct life *l = life_of(e, rule, &s);
			if (is_meant(e, rule, &s, l, a->subject_id))
				apply(e, rule, &s, l, a);
		}
	}
}
