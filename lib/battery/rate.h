/*
 * How much of its capacity a block gives at a discharge current and a temperature.
 * A table, not one Peukert exponent: the exponent itself changes over the range.
 */
#ifndef BATTERY_RATE_H
#define BATTERY_RATE_H

#include "battery/model.h"

/*
 * Capacity got at the discharge current |current_a| to the cut-off voltage, over the
 * capacity at the rated rate, for a block whose capacity at the rated rate is
 * capacity_ah (> 0): the model's table, linear in ln(current). Beyond its slow end the
 * last value; beyond its fast end the fraction falls on along the last segment, never
 * below a fifth of the last value. 1 for a model without a table.
 */
double battery_rate_fraction(
	const struct battery_model *m, double current_a, double capacity_ah);

/* Capacity at temperature_c over capacity at 25 degC; at least 0.1. */
double battery_temperature_factor(const struct battery_model *m, double temperature_c);

/* A measured capacity at 25 degC and the rated rate, by these tables; where the record
 * has none, it was at 25 degC, in ten hours. */
double battery_tested_ah(
	const struct battery_model *m, const struct rec_capacity_test *t);

#endif
