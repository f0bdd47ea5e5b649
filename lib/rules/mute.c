/* Maintenance windows, and simulated trouble: while such a time is open over a subject,
 * its alerts do not fire. */
#include "rules/engine_impl.h"

static int add(struct engine *e, struct str id, struct str subject, int64_t from,
	int64_t until)
{
	/* Windows long past are forgotten, so that years of them do not pile up; one
	 * told again is told anew. */
	size_t kept = 0;
	for (size_t i = 0; i < e->n_mutes; i++)
		if (!str_is(id, e->mutes[i].id) &&
			(e->mark.now == TIME_NIL ||
				e->mutes[i].until > e->mark.now - DAY_MS))
			e->mutes[kept++] = e->mutes[i];
	e->n_mutes = kept;
	if (grow(&e->mutes, &e->cap_mutes, kept, sizeof(*e->mutes)) < 0)
		return -1;
	struct mute *m = &e->mutes[e->n_mutes++];
	str_copy(m->id, sizeof(m->id), id);
	str_copy(m->subject, sizeof(m->subject), subject);
	m->from = from;
	m->until = until;
	return 0;
}

int mute_learn(struct engine *e, const struct rec_maintenance_window *w)
{
	return add(e, w->id, w->subject, w->from_ts, w->until_ts);
}

int mute_scenario(struct engine *e, const struct rec_event *v)
{
	if (!e->o.mute_scenarios || v->type != event_type_scenario ||
		v->status == event_status_scheduled || !v->subject.len)
		return 0;
	bool over = v->status != event_status_in_progress;
	return add(e, v->event_id, v->subject, v->ts,
		!over                   ? INT64_MAX
		: v->end_ts != TIME_NIL ? v->end_ts
					: v->ts);
}

bool muted(const struct engine *e, struct str subject, int64_t ts)
{
	for (size_t i = 0; i < e->n_mutes; i++)
		if (ts >= e->mutes[i].from && ts < e->mutes[i].until &&
			place_covers(e->mutes[i].subject, subject))
			return true;
	return false;
}
