#include "battery/gassing.h"

#include <math.h>

double battery_gassing_a(const struct battery_model *m, double wear, double voltage_v,
	double temperature_c)
{
	double i0 = m->capacity_ah / 100 * m->gassing_i0_a * wear;
	return i0 *
	       exp(m->gassing_cu_per_v * (voltage_v / m->cells - m->gassing_ref_v) +
		       m->gassing_ct_per_k * (temperature_c - 25));
}

double battery_gassing_voltage_v(const struct battery_model *m, double wear,
	double current_a, double temperature_c)
{
	double i0 = m->capacity_ah / 100 * m->gassing_i0_a * wear;
	if (!(i0 > 0 && current_a > 0 && m->gassing_cu_per_v > 0))
		return NAN;
	double exponent =
		log(current_a / i0) - m->gassing_ct_per_k * (temperature_c - 25);
	return m->cells * (m->gassing_ref_v + exponent / m->gassing_cu_per_v);
}
