/*
 * The windows of a whole fleet: telemetry, string telemetry, environment and master
 * records in, feature records out. Batteries are told apart by (battery, unit): a
 * replacement closes what was complete and begins anew.
 *
 * A window of N hours ends on a full hour (of 7 and 30 days: at midnight), UTC, and is
 * given out once all its samples have left the reorder ring of its battery. A window
 * without a sample is not given out.
 */
#ifndef WINDOW_FLEET_H
#define WINDOW_FLEET_H

#include "base/err.h"
#include "site/roster.h"
#include "window/series.h"
#include "window/shared.h"

enum { WINDOWS_MAX = 4 };

struct fleet_config {
	int windows_h[WINDOWS_MAX]; /* 1 to 24, or 168 or 720; 0 ends */
	int every_h; /* rows go out when the hour divides by it: 1 or 24 */
	int64_t lateness_ms, max_gap_ms;
	void (*emit)(void *arg, const struct rec_feature *f);
	void *arg;
};

enum fleet_verdict {
	FLEET_USED,
	FLEET_LATE,
	FLEET_DUPLICATE,
	FLEET_CONFLICT, /* the same battery and time with other values; one was kept */
	FLEET_CLOCK,    /* a time far ahead of all others */
	FLEET_UNIT,     /* of the block that was there before a replacement */
	FLEET_NO_MEMORY,
};

struct fleet;

/* Parses "1,24" into windows_h. Returns 0, or -1 with ERR_USAGE. */
int fleet_windows(struct fleet_config *c, const char *list, struct err *err);

/* Returns a new fleet, NULL when out of memory. */
struct fleet *fleet_new(const struct fleet_config *c);
void fleet_free(struct fleet *f);

/* True for the kinds fleet_add uses. */
bool fleet_wants(int kind);
/* Takes one decoded record. The verdict is for the record; features may have been given
 * out whatever it is. */
enum fleet_verdict fleet_add(struct fleet *f, int kind, const void *rec);
/* Words for the reject file; NULL for FLEET_USED. */
const char *fleet_reason(enum fleet_verdict v);
/* The end of the stream: gives out every window whose end was reached. */
void fleet_end(struct fleet *f);
/* Batteries seen, and bytes of state each takes. */
size_t fleet_batteries(const struct fleet *f);
size_t fleet_battery_bytes(const struct fleet *f);

#endif
