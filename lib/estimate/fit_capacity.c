/* What complete discharges say: capacity, and how it depends on the rate. */
#include "estimate/fit_parts.h"
#include "battery/rate.h"

#include <math.h>

/* Of ln charge, between complete discharges of one battery: how full it was [M]. */
static const double CHARGE_STD = 0.015, EXPONENT_STD = 0.5;

static double hours_of(const struct trace *t, const struct trace_span *d)
{
	return (double)(t->points[d->to - 1].ts - t->points[d->from + 1].ts) / 3.6e6;
}

static double temperature_factor(const struct trace *t, const struct battery_model *m,
	const struct trace_span *d)
{
	return battery_temperature_factor(m, trace_mean_celsius(t, d));
}

static bool next_complete(const struct trace *t, const struct battery_model *m,
	size_t *at, struct trace_span *d)
{
	while (trace_discharge(t, m, FIT_COMPLETE_LEAST, at, d))
		if (d->from_full && d->to_cutoff)
			return true;
	return false;
}

double fit_complete_ah(const struct trace *t, const struct battery_model *m,
	const struct trace_span *d)
{
	if (!d->from_full || !d->to_cutoff)
		return 0;
	return d->out_ah /
	       (battery_rate_fraction(m, d->out_ah / hours_of(t, d), d->out_ah) *
		       temperature_factor(t, m, d));
}

double fit_capacity(
	const struct trace *t, const struct battery_model *m, struct fit *out)
{
	struct trace_span d;
	double sum = 0;
	for (size_t at = 0; next_complete(t, m, &at, &d);) {
		sum += fit_complete_ah(t, m, &d);
		out->complete++;
		out->complete_ah += (d.out_ah - out->complete_ah) / out->complete;
	}
	return out->complete ? sum / out->complete : m->capacity_ah;
}

void fit_rate(const struct trace *t, struct battery_model *m)
{
	struct trace_span d;
	double n = 0, x_sum = 0, y_sum = 0, xx = 0, xy = 0, fastest_h = INFINITY;
	for (size_t at = 0; next_complete(t, m, &at, &d);) {
		double h = hours_of(t, &d);
		double x = log(battery_rate_fraction(m, d.out_ah / h, d.out_ah));
		double y = log(d.out_ah / temperature_factor(t, m, &d));
		n++;
		x_sum += x;
		y_sum += y;
		xx += x * x;
		xy += x * y;
		fastest_h = fmin(fastest_h, h);
	}
	if (n < 2)
		return;
	xx -= x_sum * x_sum / n;
	xy -= x_sum * y_sum / n;
	double seen = 1 / (CHARGE_STD * CHARGE_STD);
	double held = 1 / (EXPONENT_STD * EXPONENT_STD);
	double g = fmin(fmax((held + seen * xy) / (held + seen * xx), 0), 1);
	for (int i = 0; i < m->rate_points; i++)
		if (m->rate_h[i] >= 0.5 * fastest_h)
			m->rate_fraction[i] = pow(m->rate_fraction[i], g);
}
