#include "estimate/circuit.h"
#include "battery/ocv.h"

#include <math.h>
#include <stdbool.h>

/* Depletion is a matter of discharging: in full from this share of capacity per hour
 * [E]. */
static const double DEPLETION_RATE = 0.02;
/* s/(pole - s) is not believed beyond this SOC of the pole: there the charger's limit
 * takes over [E]. */
static const double ACCEPTANCE_SOC_MOST = 0.95;

/* A step of the current, of the capacity per hour; an interval that may hide when [E].
 */
static const double RATE_STEP = 0.02, EVENT_S = 300;
static const double REGULAR = 0.02; /* relative: intervals as long as each other */

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
	double heat = clamp(1 + m->activation_per_k * (temperature_c - 25), 0.3, 3);
	if (m->activation_v > 0 && m->activation_a > 0)
		return heat * m->activation_v *
		       asinh(current_a / (2 * m->activation_a));
	return heat * current_a * m->r1_mohm * 1e-3;
}

static double depletion_v(const struct battery_model *m, double soc, double current_a,
	double available, double *d_soc)
{
	double weight = clamp(-current_a / (DEPLETION_RATE * m->capacity_ah), 0, 1);
	double used = (1 - soc) / available;
	double room = m->depletion_pole - clamp(used, 0, 1);
	*d_soc = 0;
	if (used > 0 && used < 1)
		*d_soc = weight * m->depletion_v * m->depletion_pole /
			 (room * room * available);
	return -weight * m->depletion_v * clamp(used, 0, 1) / room;
}

double circuit_eta2_v(const struct battery_model *m, double soc, double current_a,
	double available, double *d_soc)
{
	if (current_a > 0 && m->acceptance_mohm > 0) {
		double pole = m->acceptance_pole;
		double s = clamp(soc, 0, ACCEPTANCE_SOC_MOST * pole);
		double r = m->acceptance_mohm + m->acceptance_soc_mohm * s / (pole - s);
		*d_soc = s == soc ? current_a * 1e-3 * m->acceptance_soc_mohm * pole /
					    ((pole - s) * (pole - s))
				  : 0;
		return current_a * r * 1e-3;
	}
	bool tafel = m->activation_v > 0 && m->diffusion_mohm > 0;
	double r2_mohm = tafel ? m->diffusion_mohm : m->r2_mohm;
	*d_soc = 0;
	double depletion = 0;
	if (current_a < 0 && m->depletion_v > 0)
		depletion = depletion_v(m, soc, current_a, available, d_soc);
	*d_soc *= 1 - m->depletion_slow;
	return current_a * r2_mohm * 1e-3 + (1 - m->depletion_slow) * depletion;
}

double circuit_eta3_v(
	const struct battery_model *m, double soc, double current_a, double available)
{
	double unused, depletion = 0;
	if (current_a < 0 && m->depletion_v > 0 && m->depletion_slow > 0)
		depletion = m->depletion_slow *
			    depletion_v(m, soc, current_a, available, &unused);
	return current_a * m->slow_mohm * 1e-3 + depletion;
}

/* The Tafel exponent; bounded, so that an absurd voltage cannot overflow. */
static double tafel(
	const struct battery_model *m, double voltage_v, double temperature_c)
{
	double cells = m->cells > 0 ? m->cells : 6;
	return clamp(m->gassing_cu_per_v * (voltage_v / cells - m->gassing_ref_v) +
			     m->gassing_ct_per_k * (temperature_c - 25),
		-30, 12);
}

double circuit_gassing_a(const struct battery_model *m, double ln_i0,
	double capacity_ah, double voltage_v, double temperature_c)
{
	return capacity_ah / 100 * exp(ln_i0 + tafel(m, voltage_v, temperature_c));
}

double circuit_ln_i0(const struct battery_model *m, double capacity_ah,
	double current_a, double voltage_v, double temperature_c)
{
	return log(current_a * 100 / capacity_ah) - tafel(m, voltage_v, temperature_c);
}

void circuit_step_set(
	struct circuit_step *s, const struct battery_model *m, double dt_s)
{
	if (s->dt_s == (float)dt_s)
		return;
	s->dt_s = (float)dt_s;
	s->decay1 = m->tau1_s > 0 ? (float)exp(-dt_s / m->tau1_s) : 0;
	s->decay2 = m->tau2_s > 0 ? (float)exp(-dt_s / m->tau2_s) : 0;
}

double circuit_mean_a(const struct battery_model *m, double before_s, double before_a,
	double after_a, double dt_s)
{
	bool step = fabs(after_a - before_a) > RATE_STEP * m->capacity_ah;
	bool regular = fabs(dt_s - before_s) <= REGULAR * dt_s;
	if (step && dt_s > EVENT_S && !regular)
		return fabs(before_a) < fabs(after_a) ? before_a : after_a;
	return 0.5 * (before_a + after_a);
}

void circuit_predict(const struct battery_model *m, const struct circuit_step *s,
	const struct circuit_drive *d, double x[EKF_N], struct ekf_transition *t)
{
	double charge =
		(d->mean_a - d->gassing_a) * (double)s->dt_s / 3600 * exp(-x[EKF_LNQ]);
	double d_soc,
		eta2 = circuit_eta2_v(m, x[EKF_SOC], d->end_a, d->available, &d_soc);
	double eta1 = circuit_eta1_v(m, d->end_a, d->temperature_c);
	*t = (struct ekf_transition){.soc_lnq = -charge,
		.v1_v1 = s->decay1,
		.v2_v2 = s->decay2,
		.v2_soc = (1 - s->decay2) * d_soc,
		.bias_bias = 1,
		.deep_deep = 1};
	x[EKF_V1] = s->decay1 * x[EKF_V1] + (1 - s->decay1) * eta1;
	x[EKF_V2] = s->decay2 * x[EKF_V2] + (1 - s->decay2) * eta2;
	x[EKF_SOC] += charge;
}

double circuit_voltage_v(const struct battery_model *m, const double x[EKF_N],
	double current_a, double temperature_c, double h[EKF_N])
{
	double d_factor;
	double factor = circuit_r0_factor(m, x[EKF_SOC], temperature_c, &d_factor);
	double r0 = exp(x[EKF_LNR0]), slope_v;
	double ocv_v = battery_ocv_smooth_v(m, x[EKF_SOC], temperature_c, &slope_v);
	h[EKF_SOC] = slope_v + current_a * r0 * d_factor;
	h[EKF_V1] = 1;
	h[EKF_V2] = 1;
	h[EKF_LNR0] = current_a * r0 * factor;
	h[EKF_LNQ] = 0;
	h[EKF_BIAS] = 1;
	h[EKF_DEEP] = 1;
	return ocv_v + h[EKF_LNR0] + x[EKF_V1] + x[EKF_V2] + x[EKF_BIAS] + x[EKF_DEEP];
}

double circuit_soc_from_voltage(const struct battery_model *m, double voltage_v,
	double current_a, double temperature_c, double r0_ohm)
{
	double soc = 0.5, d_soc;
	/* The drop depends weakly on SOC but at the empty end: a few damped rounds. */
	for (int i = 0; i < 12; i++) {
		double drop = current_a * r0_ohm *
				      circuit_r0_factor(m, soc, temperature_c, NULL) +
			      circuit_eta1_v(m, current_a, temperature_c) +
			      circuit_eta2_v(m, soc, current_a, 1, &d_soc);
		double s = battery_soc_from_ocv(m, voltage_v - drop, temperature_c);
		soc += 0.6 * (clamp(s, -0.05, 1.05) - soc);
	}
	return clamp(soc, -0.05, 1.05);
}
