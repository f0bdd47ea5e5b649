#include "estimate/openloop.h"
#include "battery/ocv.h"
#include "battery/rate.h"

#include <math.h>

static const double RATE_FLOWING = 0.01; /* of the capacity per hour */

void openloop_start(struct openloop *o, const struct battery_model *m, double soc,
	double rest_v, double temperature_c)
{
	*o = (struct openloop){.x = {[EKF_SOC] = soc,
				       [EKF_LNR0] = log(m->r0_mohm * 1e-3),
				       [EKF_LNQ] = log(m->capacity_ah)},
		.available = 1};
	if (!isnan(rest_v))
		openloop_anchor(o, m, rest_v, temperature_c);
}

void openloop_anchor(struct openloop *o, const struct battery_model *m,
	double voltage_v, double temperature_c)
{
	double unused[EKF_N];
	double over = voltage_v - o->slow_v -
		      circuit_voltage_v(m, o->x, 0, temperature_c, unused);
	surface_set(&o->surface, m, fmax(over, 0));
	o->slow_v += fmin(over, 0);
}

double openloop_slow_v(
	const struct battery_model *m, double slow_v, double settled_v, double dt_s)
{
	if (!(m->slow_mohm > 0 && m->slow_tau_s > 0))
		return slow_v;
	double keep = exp(-dt_s / m->slow_tau_s);
	return keep * slow_v + (1 - keep) * settled_v;
}

/* The part of the capacity this current can get, kept while it hardly moves. */
static void set_available(
	struct openloop *o, const struct battery_model *m, double current_a)
{
	double a = -current_a;
	if (a < RATE_FLOWING * m->capacity_ah) {
		o->available = 1;
		o->available_a = 0;
	} else if (fabs(a - o->available_a) > 0.02 * a) {
		o->available = battery_rate_fraction(m, a, exp(o->x[EKF_LNQ]));
		o->available_a = a;
	}
}

double openloop_step(struct openloop *o, const struct battery_model *m,
	const struct openloop_drive *d)
{
	struct ekf_transition unused;
	double row[EKF_N];
	set_available(o, m, d->end_a);
	struct circuit_drive drive = {.mean_a = d->mean_a,
		.end_a = d->mean_a,
		.temperature_c = d->temperature_c,
		.available = o->available};
	circuit_step_set(&o->step, m, d->dt_s);
	surface_step(&o->surface, m, d->mean_a, d->dt_s);
	double settled = circuit_eta3_v(m, o->x[EKF_SOC], d->mean_a, o->available);
	circuit_predict(m, &o->step, &drive, o->x, &unused);
	o->slow_v = openloop_slow_v(m, o->slow_v, settled, d->dt_s);
	return circuit_voltage_v(m, o->x, d->end_a, d->temperature_c, row) + o->slow_v +
	       surface_v(&o->surface);
}
