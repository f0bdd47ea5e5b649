/*
 * Clock faults: a time far ahead of all other sources is not believed until a second
 * source agrees with it. So one battery whose clock is a day ahead does no harm, and
 * after a pause of the whole stream a single record is lost (and told of). While there
 * is but one source, it is believed within a day, and beyond when its next record goes
 * on from there: one wrong date does not make all that follows late.
 */
#ifndef WINDOW_WITNESS_H
#define WINDOW_WITNESS_H

#include <stdbool.h>
#include <stdint.h>

enum witness_kind { WITNESS_BATTERY, WITNESS_STRING, WITNESS_SENSOR };

struct witness {
	int64_t newest;  /* latest time believed */
	uint64_t first;  /* the only source so far, while there is one */
	bool several;    /* more than one source has spoken */
	int64_t doubted; /* a time not yet believed, and who said it */
	uint64_t doubted_by;
};

void witness_init(struct witness *w);
/*
 * Whether to believe source 'id' of that kind when it says it is ts. step_ms: its usual
 * interval, 0 unknown; four of them, and at least an hour (of an only source a day),
 * are no surprise.
 */
bool witness_believe(struct witness *w, enum witness_kind kind, uint32_t id, int64_t ts,
	int64_t step_ms);

#endif
