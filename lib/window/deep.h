/*
 * What the last deep discharge told. Float says next to nothing of capacity; the
 * voltage a block has when so much charge is out of it says nearly all, and goes on
 * saying it until the next discharge. So the deepest point of the last one is
 * remembered, with the resistance the block had then: a test once a year is enough to
 * follow a capacity.
 *
 * The current sensor of a string is made for hundreds of amperes and off by some
 * tenths; over the hours of a test that is a per cent of the capacity. What it reads on
 * float, where next to nothing flows, is its offset, and the charge is corrected by it.
 */
#ifndef WINDOW_DEEP_H
#define WINDOW_DEEP_H

#include "window/pane.h"

/* Of the rated capacity out of the block: less tells little of what is left. [E] */
#define DEEP_SHARE 0.4f

struct deep { /* without padding: it is kept as its bytes */
	/* on float: recent means, and the time they are of (at most REST_MS, deep.c) */
	float rest_a, rest_mohm; /* rest_mohm NaN unknown */
	uint32_t rest_ms;
	float out_h; /* hours the discharge in progress has taken; NaN none */
	/* the deepest point of the last deep discharge */
	int64_t ts; /* TIME_NIL: none yet */
	float voltage_v, current_a, out_ah;
	float resistance_mohm; /* NaN unknown */
};

void deep_init(struct deep *d);
/*
 * Takes the next sample in time order. ms: since the one before, 0 unknown or over a
 * gap. missing_ah: charge missing since the last full charge, as the sensor has it.
 */
void deep_sample(struct deep *d, const struct sample *x, int64_t ms, double missing_ah,
	const struct band *band);

#endif
