/*
 * The equivalent circuit as the estimator sees it: volts and derivatives for the
 * states of ekf.h under the parameters of a battery model.
 *
 *	V = OCV(s, T) + I·R0(s, T) + V1 + V2 + bias + deep,	I > 0 when charging
 *	dV1/dt = (eta1(I) - V1)/tau1,	eta1 = A·asinh(I/2a), or I·R1 where A is 0
 *	dV2/dt = (eta2(I, s) - V2)/tau2
 *	dV3/dt = (eta3(I, s) - V3)/tau3,	no state of the filter: openloop.h
 *	ds/dt  = (I - Igas)/(3600·Q)
 *
 * The fast branch is Tafel-like: a linear resistance fitted at C/10 over-predicts the
 * sag at the rates of a UPS about fourfold (fact sheet, section 2). eta2 is I·R2, and
 * where the model file has them, depletion at the empty end of a discharge, c·D/(p - D)
 * with D the part used of what this current can get, and charge acceptance,
 * I·(Ra + Rs·s/(p - s)), on charge. What is depleted comes back as acid diffuses into
 * the pores, over minutes and hours: the voltage at rest follows the logarithm of time
 * [M, UB121000], so a part of the depletion belongs to eta3. The bias is what this
 *block's OCV and polarisation differ from the file's: it holds for hours, and no sample
 *can tell it from SOC.
 */
#ifndef ESTIMATE_CIRCUIT_H
#define ESTIMATE_CIRCUIT_H

#include "battery/model.h"
#include "estimate/ekf.h"

/* R0 at this SOC and temperature over R0 at 25 degC; *d_soc (may be NULL) its
 * derivative by SOC. */
double circuit_r0_factor(
	const struct battery_model *m, double soc, double temperature_c, double *d_soc);
/* Overvoltage in V the fast branch settles at under current_a. */
double circuit_eta1_v(
	const struct battery_model *m, double current_a, double temperature_c);
/*
 * Overvoltage in V the slow branch settles at, below 0 in discharge; *d_soc its
 * derivative by SOC. available: part of the capacity this current can get, 0..1.
 */
double circuit_eta2_v(const struct battery_model *m, double soc, double current_a,
	double available, double *d_soc);
/* The same of the branch of hours: I·Rs, and its part of the depletion. */
double circuit_eta3_v(
	const struct battery_model *m, double soc, double current_a, double available);
/* Gassing current in A of a block of capacity_ah at voltage_v, ln_i0 = ln of the Tafel
 * scale in A per 100 Ah. */
double circuit_gassing_a(const struct battery_model *m, double ln_i0,
	double capacity_ah, double voltage_v, double temperature_c);
/* ln of the Tafel scale that explains float current current_a (> 0) at that voltage. */
double circuit_ln_i0(const struct battery_model *m, double capacity_ah,
	double current_a, double voltage_v, double temperature_c);

/* One interval between samples. Decays are kept, since dt seldom changes. */
struct circuit_step {
	float dt_s, decay1, decay2;
};
/* Sets dt_s (> 0) and the decays, if it differs from what is there. */
void circuit_step_set(
	struct circuit_step *s, const struct battery_model *m, double dt_s);

/*
 * Mean current of an interval between samples of 'before' and 'after': the middle, but
 * in one of over five minutes the smaller, unless the interval before it, of before_s
 * (0 not known), was as long. Some loggers sample slowly while idle: a load that came
 * or went within it did so at the end where samples are close. One that samples at
 * regular intervals does not say when within.
 */
double circuit_mean_a(const struct battery_model *m, double before_s, double before_a,
	double after_a, double dt_s);

/* What drives the circuit over one interval. */
struct circuit_drive {
	double mean_a; /* mean current, for the charge */
	double end_a;  /* current at its end, for the overvoltages */
	double gassing_a;
	double temperature_c;
	double available; /* part of the capacity end_a can get, 0..1 */
};

/*
 * Moves x over the interval and fills the transition matrix (without noise; bias and
 * deep stay: their decay is the caller's).
 */
void circuit_predict(const struct battery_model *m, const struct circuit_step *s,
	const struct circuit_drive *d, double x[EKF_N], struct ekf_transition *t);

/* Terminal voltage in V of states x under current_a; h[EKF_N] its derivatives. */
double circuit_voltage_v(const struct battery_model *m, const double x[EKF_N],
	double current_a, double temperature_c, double h[EKF_N]);

/* SOC, within -0.05..1.05, that explains voltage_v under a current flowing long enough
 * for both branches to settle. */
double circuit_soc_from_voltage(const struct battery_model *m, double voltage_v,
	double current_a, double temperature_c, double r0_ohm);

#endif
