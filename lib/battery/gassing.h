/*
 * The gassing (recombination) current of a block on charge: Tafel's law,
 *
 *	I = C/100 · i0 · a · exp[cu · (V/cells − Vref) + ct · (T − 25)]
 *
 * J. Schiffer et al., J. Power Sources 168 (2007) 66, eq. 6. C in Ah, i0 in A per
 * 100 Ah, a = 1 for a new block and about 5 for a worn one. A model without gassing
 * (i0 = 0) gives 0.
 */
#ifndef BATTERY_GASSING_H
#define BATTERY_GASSING_H

#include "battery/model.h"

/* Amperes (>= 0) at voltage_v across the block. */
double battery_gassing_a(const struct battery_model *m, double wear, double voltage_v,
	double temperature_c);

/* The block voltage at which current_a (> 0) is all gassing; NaN without gassing. */
double battery_gassing_voltage_v(const struct battery_model *m, double wear,
	double current_a, double temperature_c);

#endif
