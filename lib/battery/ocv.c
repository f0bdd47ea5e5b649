#include "battery/ocv.h"

#include <math.h>

/* The segment of rising v[] that holds x: 0 .. n-2, the outermost ones beyond the ends.
 */
static int segment(const double *v, int n, double x)
{
	int i = 0;
	while (i < n - 2 && x >= v[i + 1])
		i++;
	return i;
}

static double slope(const struct battery_model *m, int i)
{
	return (m->ocv_v[i + 1] - m->ocv_v[i]) / (m->ocv_soc[i + 1] - m->ocv_soc[i]);
}

double battery_ocv_v(const struct battery_model *m, double soc, double temperature_c)
{
	int i = segment(m->ocv_soc, m->ocv_points, soc);
	return m->ocv_v[i] + slope(m, i) * (soc - m->ocv_soc[i]) +
	       m->ocv_v_per_k * (temperature_c - 25);
}

double battery_ocv_slope_v(const struct battery_model *m, double soc)
{
	return slope(m, segment(m->ocv_soc, m->ocv_points, soc));
}

double battery_soc_from_ocv(
	const struct battery_model *m, double ocv_v, double temperature_c)
{
	double at25 = ocv_v - m->ocv_v_per_k * (temperature_c - 25);
	int i = segment(m->ocv_v, m->ocv_points, at25);
	double soc = m->ocv_soc[i] + (at25 - m->ocv_v[i]) / slope(m, i);
	return fmin(1, fmax(0, soc));
}
