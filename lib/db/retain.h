/*
 * Retention in tiers: samples go after a while, their 15-minute roll-ups later, those
 * of hours when wanted; days stay. What strings, rooms and programs say grows as well,
 * but has no roll-ups: it goes when wanted. Ages count from the newest sample of a run,
 * so that a fleet of the past keeps its last months, and end with whole days (UTC).
 *
 * What has gone is written down first (table retention), a battery (string, sensor) at
 * a time goes in a transaction of its own: others wait for milliseconds, and a run that
 * is cut short is made whole by the next.
 */
#ifndef DB_RETAIN_H
#define DB_RETAIN_H

#include "db/db.h"

struct retention {
	/* kept so long; 0: for ever */
	int64_t raw_ms, quarter_ms, hour_ms;
	int64_t strings_ms, rooms_ms; /* samples of strings; of rooms and outdoors */
	int64_t states_ms; /* of twins, features, predictions, a simulator's truth */
};

/* *rows is how many have gone. ERR_IO. */
int db_retain(
	struct db *db, const struct retention *keep, int64_t *rows, struct err *err);

#endif
