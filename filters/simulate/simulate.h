/* The parts of simulate: options and pace (main.c), records of the plant (records.c).
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include "site/sense.h"
#include "stream/flow.h"

struct simulation {
	struct fleet fleet;
	struct battery_model model;
	struct sensors sensors;
	struct plant *plant;
	struct flow *flow;
};

/* Master records: everything first, or one jar again after its replacement. */
void emit_masters(struct simulation *s);
/* What happened since the last sample. */
void emit_happenings(struct simulation *s);
/* One sample of all sensors, at the plant's now. */
void emit_samples(struct simulation *s);
/* What really is. Returns 0, or -1 when out of memory. */
int emit_truth(struct simulation *s);

#endif
