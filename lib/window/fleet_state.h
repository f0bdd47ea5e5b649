/*
 * What a fleet keeps of its batteries, strings, rooms and sensors. Internal to
 * lib/window: fleet.c does the work, fleet_state.c finds the places.
 */
#ifndef WINDOW_FLEET_STATE_H
#define WINDOW_FLEET_STATE_H

#include "window/fleet.h"
#include "window/witness.h"

struct battery_slot {
	struct series *series;
	unsigned jar;  /* number among the jars of its string, as they came */
	int64_t since; /* of a block put in while we looked; TIME_NIL */
};
struct string_slot {
	struct means voltage, ripple, thd;
	struct history current;
	unsigned jars;
	uint32_t site;
};
struct sensor_slot {
	struct history seen;
	uint32_t site;
};

struct fleet {
	struct fleet_config config;
	struct series_config series;
	struct roster roster;
	struct battery_slot *batteries;
	struct string_slot **strings;
	struct means **rooms; /* by site */
	struct sensor_slot *sensors;
	size_t cap_batteries, cap_strings, cap_rooms, cap_sensors;
	struct ids sites, sensor_ids;
	uint32_t epoch; /* raised when a master record passes */
	struct witness witness;
	/* while a series is at work: whose it is */
	uint32_t at;
	const struct roster_battery *who;
};

/* The slot of a battery or string of the roster, or of a sensor (at 'site' if that is
 * not nil), begun if it is new. NULL when out of memory. */
struct battery_slot *fleet_battery(struct fleet *f, uint32_t id);
struct string_slot *fleet_string(struct fleet *f, uint32_t id);
struct sensor_slot *fleet_sensor(struct fleet *f, struct str code, struct str site);

#endif
