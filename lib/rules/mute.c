/* Maintenance windows: while one is open over a subject, its alerts do not fire. */
#include "rules/engine_impl.h"

int mute_learn(struct engine *e, const struct rec_maintenance_window *w)
{
	/* Windows long past are forgotten, so that years of them do not pile up; one
	 * told again is told anew. */
	size_t kept = 0;
	for (size_t i = 0; i < e->n_mutes; i++)
		if (!str_is(w->id, e->mutes[i].id) &&
			(e->mark.now == TIME_NIL ||
				e->mutes[i].until > e->mark.now - DAY_MS))
			e->mutes[kept++] = e->mutes[i];
	e->n_mutes = kept;
	if (grow((void **)&e->mutes, &e->cap_mutes, kept, sizeof(*e->mutes)) < 0)
		return -1;
	struct mute *m = &e->mutes[e->n_mutes++];
	str_copy(m->id, sizeof(m->id), w->id);
	str_copy(m->subject, sizeof(m->subject), w->subject);
	m->from = w->from_ts;
	m->until = w->until_ts;
	return 0;
}

bool muted(const struct engine *e, struct str subject, int64_t ts)
{
	for (size_t i = 0; i < e->n_mutes; i++)
		if (ts >= e->mutes[i].from && ts < e->mutes[i].until &&
			place_covers(e->mutes[i].subject, subject))
			return true;
	return false;
}
