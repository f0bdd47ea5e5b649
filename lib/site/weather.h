/*
 * Weather and the air conditioning of a battery room. Outdoors is a pure function of
 * time (monthly normals, diurnal cycle, a day-to-day AR(1) anomaly from counter-based
 * noise); the room is a thermal mass that its air conditioning holds at the set-point,
 * and that drifts towards outdoors when that fails, or stands by because the night is
 * cool enough. Faults come as rates a year.
 */
#ifndef SITE_WEATHER_H
#define SITE_WEATHER_H

#include "site/fleet.h"

struct weather {
	const struct climate *climate;
	uint64_t key;
	int64_t utc_offset_ms;
	/* cache of the anomaly: of this local day and the next */
	int64_t day;
	double anomaly_k[2];
	double offset_k; /* done to it: warmer than it would be */
};

struct outdoors {
	double temperature_c, humidity_pct;
};

void weather_init(
	struct weather *w, const struct climate *c, uint64_t key, double utc_offset_h);
struct outdoors weather_at(struct weather *w, int64_t ts);

struct room {
	double temperature_c, humidity_pct;
	enum hvac_names hvac;
	uint64_t key;
	int64_t now;
	/* the fault of today or still going on: TIME_NIL none */
	int64_t fault_from, fault_until;
	enum hvac_names fault_hvac;
	double fault_k; /* degraded: above the set-point */
	double setpoint_c;
	bool standby; /* this hour: nothing to cool */
	/* done to it: warmer than it would be; air conditioning that does not run */
	double offset_k, forced_k;
	enum hvac_names forced; /* running: not forced */
};

/* A room that has been held at its set-point until 'now'. */
void room_init(struct room *r, uint64_t key, int64_t now);
/* True for the states in which the air conditioning has failed. */
bool room_failed(enum hvac_names hvac);
/* Advances to 'to' (>= now). A copy of a room gives the same future. */
void room_advance(struct room *r, struct weather *w, int64_t to);

#endif
