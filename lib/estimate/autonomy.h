/*
 * How long a battery would carry a load from where it is now.
 *
 * A block that gives the fraction f(I)·k(T) of its capacity Q at the load's rate and
 * temperature has (1 - f·k)·Q it cannot give at that rate, so from state of charge s
 *
 *	t = max(0, s - 1 + f(I)·k(T))·Q/I
 *
 * with f and k the tables of the battery model, f at the load over the rated capacity:
 * a worn block gives its Q at the rated current, as Q is defined. The rate table gives
 * exactly its own times from full at 25 degC. Rests and lighter loads give more: this
 * is a lower view, as a constant load to the cut-off voltage is.
 */
#ifndef ESTIMATE_AUTONOMY_H
#define ESTIMATE_AUTONOMY_H

#include "battery/model.h"

struct autonomy {
	double minutes, lower_min, upper_min; /* estimate, 5 % and 95 % */
};

struct autonomy_state {
	double soc, soc_std;                 /* 0..1 */
	double capacity_ah, capacity_std_ah; /* at 25 degC and the rated rate */
	double temperature_c;
};

/*
 * Under load_a (> 0). The bounds are those of the SOC and the capacity, taken as
 * independent, and the rate table's own (rate_fraction_std of the model), to first
 * order, and never below 0.
 */
void autonomy_estimate(const struct battery_model *m, const struct autonomy_state *s,
	double load_a, struct autonomy *out);

#endif
