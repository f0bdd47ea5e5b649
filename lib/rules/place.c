/* Where things are: strings in systems in sites. */
#include "rules/engine_impl.h"

#include "base/code.h"

int places_around(const struct engine *e, struct place p, struct place out[SCOPES])
{
	int n = 0;
	out[n++] = p;
	if (p.scope == SCOPE_STRING) {
		const struct string_state *g = &e->strings[p.id];
		if (g->system != IDS_NONE)
			out[n++] = (struct place){SCOPE_SYSTEM, g->system};
		if (g->site != IDS_NONE)
			out[n++] = (struct place){SCOPE_SITE, g->site};
	} else if (p.scope == SCOPE_SYSTEM && e->system_site[p.id] != IDS_NONE) {
		out[n++] = (struct place){SCOPE_SITE, e->system_site[p.id]};
	}
	return n;
}

bool place_within(const struct engine *e, struct place p, struct place whole)
{
	struct place in[SCOPES];
	int n = places_around(e, p, in);
	for (int i = 0; i < n; i++)
		if (in[i].scope == whole.scope && in[i].id == whole.id)
			return true;
	return false;
}

/* Of whatever a code names: a room sensor is at its site. */
static bool place_of_code(struct engine *e, struct str code, struct place *out)
{
	uint32_t id = ids_find(&e->sensors, code);
	if (id != IDS_NONE && e->sensor_site[id] != IDS_NONE) {
		*out = (struct place){SCOPE_SITE, e->sensor_site[id]};
		return true;
	}
	if ((id = ids_find(&e->sites, code)) != IDS_NONE)
		*out = (struct place){SCOPE_SITE, id};
	else if ((id = ids_find(&e->systems, code)) != IDS_NONE)
		*out = (struct place){SCOPE_SYSTEM, id};
	return id != IDS_NONE;
}

bool place_of(struct engine *e, const struct subject *s, struct place *out)
{
	if (s->string == IDS_NONE)
		return place_of_code(e, s->code, out);
	*out = (struct place){SCOPE_STRING, s->string};
	return true;
}

uint32_t place_next_string(const struct engine *e, struct place p, uint32_t string)
{
	if (p.scope == SCOPE_STRING)
		return IDS_NONE;
	do
		string = e->strings[string].next_of_site;
	while (string != IDS_NONE && p.scope == SCOPE_SYSTEM &&
		e->strings[string].system != p.id);
	return string;
}

uint32_t place_first_string(const struct engine *e, struct place p)
{
	if (p.scope == SCOPE_STRING)
		return p.id;
	uint32_t site = p.scope == SCOPE_SITE ? p.id : e->system_site[p.id];
	uint32_t string =
		site == IDS_NONE ? IDS_NONE : e->site_states[site].first_string;
	if (string == IDS_NONE || p.scope == SCOPE_SITE ||
		e->strings[string].system == p.id)
		return string;
	return place_next_string(e, p, string);
}
