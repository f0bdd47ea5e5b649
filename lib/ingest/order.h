/*
 * Time within a file: duplicates, steps backwards and clock faults.
 *
 * A row whose identity jumps more than 'fault_ms' ahead of itself and of every other
 * identity is held back. It is believed when another identity makes the same jump (a
 * gap in the whole recording), or when nobody contradicts it; it is rejected as a clock
 * fault when others go on in the old time, or when its own identity returns there. At
 * most HOLD_EACH rows of an identity wait, HOLD_ALL in all; with one identity nothing
 * is ever held. An identity that merely runs on alone is not ahead by a jump and is
 * never held.
 */
#ifndef INGEST_ORDER_H
#define INGEST_ORDER_H

#include "ingest/identity.h"

enum { HOLD_EACH = 64, HOLD_ALL = 4096, HOLD_TEXT = 256 };

struct held {
	struct identity *who;
	int64_t ts, line;
	union {
		struct rec_telemetry telemetry;
		struct rec_string_telemetry string_telemetry;
		struct rec_environment environment;
	} rec; /* its only string is the identity's code */
	struct held *next;
	bool fault;    /* in the ready queue: to be rejected */
	uint16_t text; /* bytes of 'original' */
	char original[HOLD_TEXT];
};

struct order {
	int64_t fault_ms;
	int64_t front, second; /* newest believed time, and newest of anyone else */
	struct identity *front_who;
	struct held *waiting, *ready; /* lists in order of arrival */
	struct held **waiting_end, **ready_end;
	struct held *spare;
	int nwaiting;
};

void order_init(struct order *o, int64_t fault_ms);
/*
 * Shows a row to the order. Returns 1 when it may go on now (quality bits duplicate,
 * time_backwards are or-ed into *quality); 0 when it is held: a copy of the record
 * (size bytes) and its text was taken; -1 out of memory. Afterwards 'ready' may hold
 * rows that must go before it.
 */
int order_row(struct order *o, struct identity *who, int64_t ts, const void *rec,
	size_t size, int64_t line, struct str original, int32_t *quality,
	struct err *err);
/* The next row that was held and is decided now; NULL: none. Give it back by
 * order_done. For a believed one *quality gets its bits. */
struct held *order_ready(struct order *o, int32_t *quality);
void order_done(struct order *o, struct held *h);
/* No more rows: decides what still waits. */
void order_finish(struct order *o);
void order_release(struct order *o);

#endif
