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

/* At an end, where the table is steep beside it: a filter that strays there must still
 * see a slope. */
static const double SLOPE_LEAST = 0.1; /* of the outermost segment's [E] */

static double slope_at_end(double parabola, double segment)
{
	return fmin(fmax(parabola, SLOPE_LEAST * segment), 2 * segment);
}

/*
 * Steffen's slope at point i: that of the parabola through it and its neighbours, but
 * no steeper than twice either segment beside it; at an end of the parabola through the
 * three outermost points.
 */
static double slope_at(const struct battery_model *m, int i)
{
	int last = m->ocv_points - 1;
	if (last < 2)
		return slope(m, 0);
	int left = i == 0 ? 0 : i == last ? last - 2 : i - 1;
	double h0 = m->ocv_soc[left + 1] - m->ocv_soc[left];
	double h1 = m->ocv_soc[left + 2] - m->ocv_soc[left + 1];
	double s0 = slope(m, left), s1 = slope(m, left + 1),
	       bend = (s1 - s0) / (h0 + h1);
	if (i == 0)
		return slope_at_end(s0 - bend * h0, s0);
	if (i == last)
		return slope_at_end(s1 + bend * h1, s1);
	return fmin(s0 + bend * h0, 2 * fmin(s0, s1));
}

double battery_ocv_smooth_v(const struct battery_model *m, double soc,
	double temperature_c, double *slope_v)
{
	int i = segment(m->ocv_soc, m->ocv_points, soc);
	double h = m->ocv_soc[i + 1] - m->ocv_soc[i], s = slope(m, i);
	double at0 = slope_at(m, i), at1 = slope_at(m, i + 1);
	double x = fmin(fmax(soc - m->ocv_soc[i], 0), h),
	       beyond = soc - m->ocv_soc[i] - x;
	double cubic = (at0 + at1 - 2 * s) / (h * h),
	       square = (3 * s - 2 * at0 - at1) / h;
	*slope_v = at0 + x * (2 * square + x * 3 * cubic);
	return m->ocv_v[i] + x * (at0 + x * (square + x * cubic)) + beyond * *slope_v +
	       m->ocv_v_per_k * (temperature_c - 25);
}

double battery_soc_from_ocv(
	const struct battery_model *m, double ocv_v, double temperature_c)
{
	double at25 = ocv_v - m->ocv_v_per_k * (temperature_c - 25);
	int i = segment(m->ocv_v, m->ocv_points, at25);
	double soc = m->ocv_soc[i] + (at25 - m->ocv_v[i]) / slope(m, i);
	return fmin(1, fmax(0, soc));
}
