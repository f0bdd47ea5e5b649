/*
 * Open-circuit voltage of a block: the model's table at 25 degC, plus dOCV/dT. It
 * depends on the state of charge and never on the state of health. SOC is a fraction, 0
 * to 1.
 */
#ifndef BATTERY_OCV_H
#define BATTERY_OCV_H

#include "battery/model.h"

/* Volts at soc and temperature. Outside 0..1 the outermost segment goes on, so that a
 * filter that strays over the edge still sees a slope. */
double battery_ocv_v(const struct battery_model *m, double soc, double temperature_c);

/*
 * The same table by a cubic through its points that turns nowhere between them (Steffen
 * 1990, A&A 239, 443), and its slope dOCV/dSOC in volts per unit of SOC, > 0. Where
 * straight lines meet, the slope jumps, and a filter takes that for news of the SOC:
 * who differentiates uses this one. They differ by a millivolt or two.
 */
double battery_ocv_smooth_v(const struct battery_model *m, double soc,
	double temperature_c, double *slope_v);

/* The SOC at which the block rests at ocv_v, within 0..1. */
double battery_soc_from_ocv(
	const struct battery_model *m, double ocv_v, double temperature_c);

#endif
