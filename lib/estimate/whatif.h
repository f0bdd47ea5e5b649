/*
 * What would become of a battery under a load: its circuit run open loop from what its
 * twin believes now, until its voltage falls to the cut-off or it has given what the
 * rate table says it can give at this load and temperature, whichever is first: so a
 * constant load gives the autonomy of autonomy.h, never more. The block warms by its
 * own losses and towards the room.
 *
 * How sure: the same again with charge, capacity and resistance each one deviation
 * worse, and the deviation of the rate table (autonomy.h); their squares add up.
 */
#ifndef ESTIMATE_WHATIF_H
#define ESTIMATE_WHATIF_H

#include "battery/model.h"

#include <stddef.h>

struct whatif_state {
	double soc, soc_std;                 /* 0..1 */
	double capacity_ah, capacity_std_ah; /* at 25 degC and the rated rate */
	double r0_mohm, r0_std_mohm;         /* at 25 degC; NaN: the model's */
	double temperature_c;
};

struct whatif_part {
	double minutes; /* > 0 */
	double load_a;  /* discharge, >= 0 */
	double room_c;  /* NaN: as the block is at the beginning */
};

struct whatif_point {
	double minute, soc, voltage_v, temperature_c;
};

struct whatif {
	/* NaN: not reached in the profile. Bounds are 5 % and 95 %; the upper one is
	 * NaN as well where it lies beyond. */
	double minutes, lower_min, upper_min;
};

/* Called with the state every so many minutes, at the end and at the cut-off, which
 * ends the run. */
typedef void whatif_fn(void *ctx, const struct whatif_point *p);

void whatif_run(const struct battery_model *m, const struct whatif_state *s,
	const struct whatif_part *parts, size_t n, double every_min, whatif_fn *fn,
	void *ctx, struct whatif *out);

#endif
