#include "estimate/circuit.h"
#include "battery/ocv.h"

#include <math.h>

/*
 * Fact sheet section 2, recommended set: R2 = r2·(1 + 10·exp(-s/.067)) and the
 * activation overvoltage falls 2.5 % per kelvin.
 */
static const double R2_LOW_SOC_GAIN = 10.0, R2_LOW_SOC_SCALE = 0.067;
static const double ETA1_PER_K = -0.025;

static double clamp(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

double circuit_r0_factor(
	const struct battery_model *m, double soc, double temperature_c, double *d_soc)
{
	double heat = clamp(1 + m->r0_per_k * (temperature_c - 25), 0.3, 3);
	double low = 0;
	if (m->r0_low_soc_scale > 0)
		low = m->r0_low_soc_gain * exp(-fmax(soc, -0.05) / m->r0_low_soc_scale);
	if (d_soc)
		*d_soc = soc > -0.05 && m->r0_low_soc_scale > 0
				 ? -heat * low / m->r0_low_soc_scale
				 : 0;
	return heat * (1 + low);
}

double circuit_eta1_v(
	const struct battery_model *m, double current_a, double temperature_c)
{
	double heat = clamp(1 + ETA1_PER_K * (temperature_c - 25), 0.3, 3);
	if (m->activation_v > 0 && m->activation_a > 0)
		return heat * m->activation_v * asinh(current_a / (2 * m->activation_a));
	return heat * current_a * m->r1_mohm * 1e-3;
}

double circuit_r2_ohm(const struct battery_model *m, double soc, double *d_soc)
{
	double r = m->r2_mohm * 1e-3;
	double low = R2_LOW_SOC_GAIN * exp(-fmax(soc, -0.05) / R2_LOW_SOC_SCALE);
	if (d_soc)
		*d_soc = soc > -0.05 ? -r * low / R2_LOW_SOC_SCALE : 0;
	return r * (1 + low);
}

/* The Tafel exponent; bounded, so that an absurd voltage cannot overflow. */
static double tafel(const struct battery_model *m, double voltage_v, double temperature_c)
{
	double cells = m->cells > 0 ? m->cells : 6;
	return clamp(m->gassing_cu_per_v * (voltage_v / cells - m->gassing_ref_v) +
			     m->gassing_ct_per_k * (temperature_c - 25),
		-30, 12);
}

double circuit_gassing_a(const struct battery_model *m, double ln_i0, double capacity_ah,
	double voltage_v, double temperature_c)
{
	return capacity_ah / 100 * exp(ln_i0 + tafel(m, voltage_v, temperature_c));
}

double circuit_ln_i0(const struct battery_model *m, double capacity_ah, double current_a,
	double voltage_v, double temperature_c)
{
	return log(current_a * 100 / capacity_ah) - tafel(m, voltage_v, temperature_c);
}

void circuit_step_set(struct circuit_step *s, const struct battery_model *m, double dt_s)
{
	if (s->dt_s == dt_s)
		return;
	s->dt_s = dt_s;
	s->decay1 = m->tau1_s > 0 ? exp(-dt_s / m->tau1_s) : 0;
	s->decay2 = m->tau2_s > 0 ? exp(-dt_s / m->tau2_s) : 0;
}

void circuit_predict(const struct battery_model *m, const struct circuit_step *s,
	const struct circuit_drive *d, double x[EKF_N], struct ekf_transition *t)
{
	double charge = (d->mean_a - d->gassing_a) * s->dt_s / 3600 * exp(-x[EKF_LNQ]);
	double d_r2, r2 = circuit_r2_ohm(m, x[EKF_SOC], &d_r2);
	double eta1 = circuit_eta1_v(m, d->end_a, d->temperature_c);
	*t = (struct ekf_transition){.soc_lnq = -charge,
		.v1_v1 = s->decay1,
		.v2_v2 = s->decay2,
		.v2_soc = (1 - s->decay2) * d_r2 * d->end_a};
	x[EKF_V1] = s->decay1 * x[EKF_V1] + (1 - s->decay1) * eta1;
	x[EKF_V2] = s->decay2 * x[EKF_V2] + (1 - s->decay2) * r2 * d->end_a;
	x[EKF_SOC] += charge;
}

double circuit_voltage_v(const struct battery_model *m, const double x[EKF_N],
	double current_a, double temperature_c, double h[EKF_N])
{
	double d_factor;
	double factor = circuit_r0_factor(m, x[EKF_SOC], temperature_c, &d_factor);
	double r0 = exp(x[EKF_LNR0]);
	h[EKF_SOC] = battery_ocv_slope_v(m, x[EKF_SOC]) + current_a * r0 * d_factor;
	h[EKF_V1] = 1;
	h[EKF_V2] = 1;
	h[EKF_LNR0] = current_a * r0 * factor;
	h[EKF_LNQ] = 0;
	return battery_ocv_v(m, x[EKF_SOC], temperature_c) + h[EKF_LNR0] + x[EKF_V1] +
	       x[EKF_V2];
}

double circuit_soc_from_voltage(const struct battery_model *m, double voltage_v,
	double current_a, double temperature_c, double r0_ohm)
{
	double soc = 0.5;
	/* The drop depends weakly on SOC but at the empty end: a few damped rounds. */
	for (int i = 0; i < 12; i++) {
		double drop = current_a * r0_ohm *
				      circuit_r0_factor(m, soc, temperature_c, NULL) +
			      circuit_eta1_v(m, current_a, temperature_c);
		double s = battery_soc_from_ocv(m, voltage_v - drop, temperature_c);
		soc += 0.6 * (clamp(s, -0.05, 1.05) - soc);
	}
	return clamp(soc, -0.05, 1.05);
}
