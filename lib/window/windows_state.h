/*
 * What a fleet keeps of its batteries, strings, rooms and sensors. Internal to
 * lib/window: windows.c does the work, windows_state.c finds the places.
 */
#ifndef WINDOW_WINDOWS_STATE_H
#define WINDOW_WINDOWS_STATE_H

#include "window/windows.h"
#include "window/witness.h"

struct battery_slot {
	struct timeline *timeline;
	uint32_t jar : 31;    /* number among the jars of its string, as they came */
	uint32_t renewed : 1; /* the block was put in while we looked */
	struct tests tests;
};
struct string_slot {
	struct means voltage, ripple, thd, float_current;
	struct tests tests;
	struct history current;
	unsigned jars;
	uint32_t site;
};
struct sensor_slot {
	struct history seen;
	uint32_t site;
};

struct windows {
	struct windows_config config;
	struct timeline_config timeline;
	struct roster roster;
	struct battery_slot *batteries;
	struct string_slot **strings;
	struct means **rooms; /* by site */
	struct sensor_slot *sensors;
	size_t cap_batteries, cap_strings, cap_rooms, cap_sensors;
	struct ids sites, sensor_ids;
	uint32_t epoch; /* raised when a master record passes */
	struct witness witness;
	uint64_t early; /* samples that left a ring too early, in this run */
	/* while a timeline is at work: whose it is */
	uint32_t at;
	const struct roster_battery *who;
};

/* The slot of a battery or string of the roster, or of a sensor (at 'site' if that is
 * not nil), begun if it is new. NULL when out of memory. */
struct battery_slot *windows_battery(struct windows *w, uint32_t id);
struct string_slot *windows_string(struct windows *w, uint32_t id);
struct sensor_slot *windows_sensor(struct windows *w, struct str code, struct str site);

/* The number of a site whose room means exist; IDS_NONE when out of memory. */
uint32_t windows_site(struct windows *w, struct str code);

#endif
