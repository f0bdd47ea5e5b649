#include "battery/rate.h"

#include <math.h>

/* ln of the current of table row i, in units of capacity per hour. */
static double ln_rate(const struct battery_model *m, int i)
{
	return log(m->rate_fraction[i] / m->rate_h[i]);
}

double battery_rate_fraction(
	const struct battery_model *m, double current_a, double capacity_ah)
{
	int n = m->rate_points;
	if (n < 2)
		return 1;
	double x = log(fabs(current_a) / capacity_ah);
	if (!(x > ln_rate(m, n - 1)))
		return m->rate_fraction[n - 1];
	int i = n - 2; /* segment between rows i (faster) and i + 1 */
	while (i > 0 && x > ln_rate(m, i))
		i--;
	double fast = ln_rate(m, i), slow = ln_rate(m, i + 1);
	double w = (x - slow) / (fast - slow);
	double f = m->rate_fraction[i + 1] +
		   w * (m->rate_fraction[i] - m->rate_fraction[i + 1]);
	return fmax(f, m->rate_fraction[0] / 5);
}

double battery_temperature_factor(const struct battery_model *m, double temperature_c)
{
	double dt = temperature_c - 25;
	double f =
		1 + dt * (dt < 0 ? m->capacity_per_k_below : m->capacity_per_k_above);
	return fmax(0.1, fmin(f, m->capacity_cap));
}

double battery_tested_ah(
	const struct battery_model *m, const struct rec_capacity_test *t)
{
	double c = isnan(t->ambient_c) ? 25 : t->ambient_c;
	double rate = isnan(t->rate_a) ? m->capacity_ah / 10 : fabs(t->rate_a);
	double part = battery_rate_fraction(m, rate, m->capacity_ah) *
		      battery_temperature_factor(m, c);
	return t->measured_capacity_ah / part;
}
