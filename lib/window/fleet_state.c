#include "window/fleet_state.h"

#include <stdlib.h>

struct fleet *fleet_new(const struct fleet_config *c)
{
	struct fleet *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->config = *c;
	f->series.lateness_ms = c->lateness_ms;
	f->series.max_gap_ms = c->max_gap_ms;
	for (int i = 0; i < WINDOWS_MAX && c->windows_h[i]; i++)
		f->series.daily |= c->windows_h[i] > HOURLY_PANES;
	witness_init(&f->witness);
	return f;
}

void fleet_free(struct fleet *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->cap_batteries; i++)
		free(f->batteries[i].series);
	for (size_t i = 0; i < f->cap_strings; i++)
		if (f->strings[i])
			history_release(&f->strings[i]->current);
	for (size_t i = 0; i < f->cap_strings; i++)
		free(f->strings[i]);
	for (size_t i = 0; i < f->cap_rooms; i++)
		free(f->rooms[i]);
	for (size_t i = 0; i < f->cap_sensors; i++)
		history_release(&f->sensors[i].seen);
	free(f->batteries);
	free(f->strings);
	free(f->rooms);
	free(f->sensors);
	ids_release(&f->sites);
	ids_release(&f->sensor_ids);
	roster_release(&f->roster);
	free(f);
}

/* Makes an array of zeroed elements reach element n. */
static void *reach(void *array, size_t *cap, size_t n, size_t size)
{
	if (n < *cap)
		return array;
	size_t want = *cap ? *cap * 2 : 64;
	while (want <= n)
		want *= 2;
	char *p = realloc(array, want * size);
	if (!p)
		return NULL;
	memset(p + *cap * size, 0, (want - *cap) * size);
	*cap = want;
	return p;
}

/* The number of a site whose room means exist; IDS_NONE when out of memory. */
static uint32_t site_number(struct fleet *f, struct str code)
{
	uint32_t id = ids_intern(&f->sites, code);
	if (id == IDS_NONE)
		return id;
	void *p = reach(f->rooms, &f->cap_rooms, id, sizeof(struct means *));
	if (!p)
		return IDS_NONE;
	f->rooms = p;
	if (!f->rooms[id]) {
		f->rooms[id] = malloc(sizeof(struct means));
		if (!f->rooms[id])
			return IDS_NONE;
		means_init(f->rooms[id]);
	}
	return id;
}

struct string_slot *fleet_string(struct fleet *f, uint32_t id)
{
	void *p = reach(f->strings, &f->cap_strings, id, sizeof(struct string_slot *));
	if (!p)
		return NULL;
	f->strings = p;
	if (f->strings[id])
		return f->strings[id];
	struct string_slot *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	s->site = site_number(f, str_of(f->roster.strings[id].site));
	if (s->site == IDS_NONE) {
		free(s);
		return NULL;
	}
	means_init(&s->voltage);
	means_init(&s->ripple);
	means_init(&s->thd);
	return f->strings[id] = s;
}

struct battery_slot *fleet_battery(struct fleet *f, uint32_t id)
{
	void *p = reach(f->batteries, &f->cap_batteries, id, sizeof(*f->batteries));
	if (!p)
		return NULL;
	f->batteries = p;
	struct battery_slot *b = &f->batteries[id];
	if (b->series)
		return b;
	struct string_slot *s = fleet_string(f, f->roster.batteries[id].string);
	if (!s)
		return NULL;
	b->series = malloc(series_size(&f->series));
	if (!b->series)
		return NULL;
	series_init(b->series, &f->series);
	b->jar = s->jars++;
	b->since = TIME_NIL;
	return b;
}

/* A sensor no master record tells of belongs to the code before its own part. */
static struct str sensor_site(struct str code)
{
	for (uint32_t n = code.len; n > 1; n--)
		if (code.s[n - 1] == '-')
			return (struct str){code.s, n - 1};
	return code;
}

struct sensor_slot *fleet_sensor(struct fleet *f, struct str code, struct str site)
{
	bool known = ids_find(&f->sensor_ids, code) != IDS_NONE;
	uint32_t id = ids_intern(&f->sensor_ids, code);
	if (id == IDS_NONE)
		return NULL;
	void *p = reach(f->sensors, &f->cap_sensors, id, sizeof(*f->sensors));
	if (!p)
		return NULL;
	f->sensors = p;
	if (!known && !site.s)
		site = sensor_site(code);
	if (site.s)
		f->sensors[id].site = site_number(f, site);
	return f->sensors[id].site == IDS_NONE ? NULL : &f->sensors[id];
}
