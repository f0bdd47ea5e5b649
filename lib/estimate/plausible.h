/*
 * Whether the sensors of one battery can be right: what no battery does is a fault of a
 * sensor, and is told instead of being fitted.
 *
 *	limits		a value outside the hard limits of the battery model (65535, -1)
 *	unanswered	a discharge current appears and the voltage does not fall: a
 *			set-point, a stuck sensor; until the voltage falls
 *	reversed	three steps of the current one after the other move the voltage
 *			the wrong way, or 5 % of the capacity is said to flow in while
 *			the voltage falls, or out while it rises
 *	stuck		the voltage is the same to the bit while 3 % of the capacity
 *			flows, or over a step of the current between samples at
 *			least ten seconds apart; until it changes
 *
 *	unmeasured	the voltage falls by 0.05 V a cell at once and no current is
 *			known: a load without a sensor; until the current is known or
 *			the voltage is back
 *
 * Steps count when the samples are at most two minutes apart.
 */
#ifndef ESTIMATE_PLAUSIBLE_H
#define ESTIMATE_PLAUSIBLE_H

#include "battery/model.h"

#include <stdbool.h>
#include <stdint.h>

enum plausible_fault {
	PLAUSIBLE_LIMITS = 1,
	PLAUSIBLE_UNANSWERED = 2,
	PLAUSIBLE_REVERSED = 4,
	PLAUSIBLE_STUCK = 8,
	PLAUSIBLE_UNMEASURED = 16,
};

/* All zero is a new one. */
struct plausible {
	int64_t ts, since;          /* last voltage; when the claim began */
	float voltage_v, current_a; /* last; current NaN: not known */
	float idle_v;               /* before the load not answered, or not measured */
	float run_v, run_a, run_ah; /* where a run of one current began, its charge */
	float same_ah;              /* flowed while the voltage stayed the same */
	uint8_t wrong_steps;
	bool seen, unanswered, reversed, frozen, unmeasured;
};

/* Measured values, NaN where missing. */
struct plausible_sample {
	int64_t ts;
	double voltage_v, current_a, temperature_c, resistance_mohm;
};

/*
 * Takes a sample, and sets to NaN what cannot be a measurement: values outside limits,
 * a reversed current, a stuck voltage. An unanswered current becomes 0. The faults of
 * this sample as a set of enum plausible_fault.
 */
unsigned plausible_check(
	struct plausible *c, const struct battery_model *m, struct plausible_sample *s);
/* The worst of a set of faults in words, "current flows without …"; NULL for none. */
const char *plausible_text(unsigned faults);

#endif
