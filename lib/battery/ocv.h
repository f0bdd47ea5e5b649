/*
 * Open-circuit voltage of a block: the model's table at 25 degC, linear between its
 * points, plus dOCV/dT. It depends on the state of charge and never on the state of
 * health. SOC is a fraction, 0 to 1.
 */
#ifndef BATTERY_OCV_H
#define BATTERY_OCV_H

#include "battery/model.h"

/* Volts at soc and temperature. Outside 0..1 the outermost segment goes on, so that a
 * filter that strays over the edge still sees a slope. */
double battery_ocv_v(const struct battery_model *m, double soc, double temperature_c);

/* dOCV/dSOC in volts per unit of SOC, always > 0: that of the segment soc is in, so
 * exactly the derivative of battery_ocv_v. A slope smoothed over the segments looks
 * better, but a filter takes the difference for news of the SOC. */
double battery_ocv_slope_v(const struct battery_model *m, double soc);

/* The SOC at which the block rests at ocv_v, within 0..1. */
double battery_soc_from_ocv(
	const struct battery_model *m, double ocv_v, double temperature_c);

#endif
