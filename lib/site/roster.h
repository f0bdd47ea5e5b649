/*
 * The roster: who is who in a stream. It learns from the master records and replacement
 * events that pass by, gives every battery and string a small number, and tells which
 * unit (block) sits at a position now. A battery that is only ever named by its
 * telemetry is known all the same: its string and site are prefixes of its code, its
 * unit is 0.
 */
#ifndef SITE_ROSTER_H
#define SITE_ROSTER_H

#include "base/code.h"
#include "base/ids.h"
#include "record/kinds.h"

struct roster_battery {
	char model[CODE_MAX + 1]; /* "" unknown */
	uint32_t string;          /* number of its string */
	int unit;
	int64_t replaced;  /* when the unit last changed, TIME_NIL never or unknown */
	int64_t installed; /* TIME_NIL unknown */
	float initial_capacity_ah, initial_resistance_mohm; /* NaN unknown */
};
struct roster_string {
	char system[CODE_MAX + 1], site[CODE_MAX + 1];
	int batteries; /* 0 unknown */
};
struct roster_system {
	float design_load_a, required_autonomy_min; /* NaN unknown */
};
struct roster_model {
	float capacity_ah, nominal_voltage_v, eol_pct, float_min_v, float_max_v,
		temp_warning_c, temp_critical_c;
};

struct roster {
	struct ids battery_ids, string_ids, system_ids, model_ids;
	struct roster_battery *batteries;
	struct roster_string *strings;
	struct roster_system *systems;
	struct roster_model *models;
	size_t cap_batteries, cap_strings, cap_systems, cap_models;
};

/* The number of a battery or string, new if unseen; IDS_NONE when out of memory. */
uint32_t roster_battery(struct roster *r, struct str code);
uint32_t roster_string(struct roster *r, struct str code);
/* NULL where no such record has passed. */
const struct roster_system *roster_system(const struct roster *r, const char *code);
const struct roster_model *roster_model(const struct roster *r, const char *name);

/*
 * Learns from a decoded record of kind battery, string, system, battery_model or event
 * (others are ignored). *replaced (may be NULL) is set to the battery number whose unit
 * just changed, else IDS_NONE. A completed replacement event raises the unit by one; a
 * battery record states it (when it has one). Units only rise: a master record of an
 * earlier unit, repeated later in the stream, is ignored; so is a second telling of the
 * same replacement (within a day of the first). A replacement event makes the baseline
 * of the position unknown until a battery record gives the new one.
 * Returns 0, or -1 when out of memory.
 */
int roster_learn(struct roster *r, int kind, const void *rec, uint32_t *replaced);
/* True for the kinds roster_learn uses. */
bool roster_wants(int kind);
void roster_release(struct roster *r);

#endif
