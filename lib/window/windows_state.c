#include "window/windows_state.h"
#include "base/grow.h"

#include <stdlib.h>

struct windows *windows_new(const struct windows_config *c)
{
	struct windows *w = calloc(1, sizeof(*w));
	if (!w)
		return NULL;
	w->config = *c;
	w->timeline.lateness_ms = c->lateness_ms;
	w->timeline.max_gap_ms = c->max_gap_ms;
	w->timeline.hours = 1; /* the one in progress */
	for (int i = 0; i < WINDOW_LENGTHS_MAX && c->windows_h[i]; i++) {
		int hours = c->windows_h[i], days = hours / 24 - 1;
		if (hours <= HOURLY_PANES && hours > w->timeline.hours)
			w->timeline.hours = hours;
		if (hours > HOURLY_PANES && days > w->timeline.days)
			w->timeline.days = days;
	}
	witness_init(&w->witness);
	return w;
}

void windows_free(struct windows *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->cap_batteries; i++)
		free(w->batteries[i].timeline);
	for (size_t i = 0; i < w->cap_strings; i++)
		if (w->strings[i])
			history_release(&w->strings[i]->current);
	for (size_t i = 0; i < w->cap_strings; i++)
		free(w->strings[i]);
	for (size_t i = 0; i < w->cap_rooms; i++)
		free(w->rooms[i]);
	for (size_t i = 0; i < w->cap_sensors; i++)
		history_release(&w->sensors[i].seen);
	free(w->batteries);
	free(w->strings);
	free(w->rooms);
	free(w->sensors);
	ids_release(&w->sites);
	ids_release(&w->sensor_ids);
	roster_release(&w->roster);
	free(w);
}

uint32_t windows_site(struct windows *w, struct str code)
{
	uint32_t id = ids_intern(&w->sites, code);
	if (id == IDS_NONE)
		return id;
	if (grow(&w->rooms, &w->cap_rooms, id, sizeof(*w->rooms)) < 0)
		return IDS_NONE;
	if (!w->rooms[id]) {
		w->rooms[id] = malloc(sizeof(struct means));
		if (!w->rooms[id])
			return IDS_NONE;
		means_init(w->rooms[id]);
	}
	return id;
}

struct string_slot *windows_string(struct windows *w, uint32_t id)
{
	if (grow(&w->strings, &w->cap_strings, id, sizeof(*w->strings)) < 0)
		return NULL;
	if (w->strings[id])
		return w->strings[id];
	struct string_slot *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->site = windows_site(w, str_of(w->roster.strings[id].site));
	if (s->site == IDS_NONE) {
		free(s);
		return NULL;
	}
	means_init(&s->voltage);
	means_init(&s->ripple);
	means_init(&s->thd);
	means_init(&s->float_current);
	tests_init(&s->tests);
	return w->strings[id] = s;
}

struct battery_slot *windows_battery(struct windows *w, uint32_t id)
{
	if (grow(&w->batteries, &w->cap_batteries, id, sizeof(*w->batteries)) < 0)
		return NULL;
	struct battery_slot *b = &w->batteries[id];
	if (b->timeline)
		return b;
	struct string_slot *s = windows_string(w, w->roster.batteries[id].string);
	if (!s)
		return NULL;
	b->timeline = calloc(1, timeline_size(&w->timeline));
	if (!b->timeline)
		return NULL;
	timeline_init(b->timeline, &w->timeline);
	b->jar = s->jars++;
	tests_init(&b->tests);
	return b;
}

struct sensor_slot *windows_sensor(struct windows *w, struct str code, struct str site)
{
	bool known = ids_find(&w->sensor_ids, code) != IDS_NONE;
	uint32_t id = ids_intern(&w->sensor_ids, code);
	if (id == IDS_NONE)
		return NULL;
	if (grow(&w->sensors, &w->cap_sensors, id, sizeof(*w->sensors)) < 0)
		return NULL;
	if (!known && !site.s)
		site = code_site(code);
	if (site.s)
		w->sensors[id].site = windows_site(w, site);
	return w->sensors[id].site == IDS_NONE ? NULL : &w->sensors[id];
}
