/*
 * Battery models: a small INI file each in schemas/models/, one type of battery with
 * its rating, limits and parameters. Everything the fact sheet marks as an estimate is
 * a number there, with its source in a comment, so that an engineer can replace it
 * without a compiler.
 */
#ifndef BATTERY_MODEL_H
#define BATTERY_MODEL_H

#include "base/buf.h"
#include "base/err.h"
#include "record/kinds.h"

enum { RATE_POINTS_MAX = 16, OCV_POINTS_MAX = 32, MODES_MAX = 4 };

struct battery_model {
	char name[CODE_MAX + 1], manufacturer[CODE_MAX + 1], chemistry[CODE_MAX + 1];
	/* [rating] */
	int cells; /* in series: 6 for a 12 V block */
	double nominal_voltage_v, capacity_ah, capacity_rate_h, cutoff_v, eol_pct,
		expected_life_years;
	/* [charge]: per block, at 25 degC; compensation in V/K, negative */
	double float_v, float_min_v, float_max_v, float_comp_v_per_k, float_clamp_min_v,
		float_clamp_max_v;
	double boost_v, boost_min_v, boost_max_v, boost_comp_v_per_k, max_charge_a;
	/* [limits]: outside hard is a sensor fault; outside plausible is doubted */
	double voltage_hard_min_v, voltage_hard_max_v, voltage_plausible_min_v,
		voltage_plausible_max_v;
	double temperature_min_c, temperature_max_c, resistance_min_mohm,
		resistance_max_mohm;
	double current_max_a, temp_warning_c, temp_critical_c;
	/* [ocv]: table of SOC (0..1, rising) against volts at 25 degC, and dOCV/dT in
	 * V/K */
	int ocv_points;
	double ocv_soc[OCV_POINTS_MAX], ocv_v[OCV_POINTS_MAX], ocv_v_per_k;
	/* [circuit]: 2-RC at 25 degC, mid SOC, new */
	double r0_mohm, r0_per_k, r0_low_soc_gain, r0_low_soc_scale;
	double r1_mohm, tau1_s, r2_mohm, tau2_s, activation_v, activation_a,
		activation_per_k;
	/* how the simulator's circuit differs from that linear one: diffusion_mohm in
	 * place of r2 (the activation branch carries the rest), depletion at the empty
	 * end, charge acceptance, and the surface capacitance */
	double diffusion_mohm, depletion_v, depletion_pole, acceptance_mohm,
		acceptance_soc_mohm, surface_f, surface_tau_s;
	/* the knee above which the surface holds little charge; its part that goes
	 * slowly: volts when fully built up, and the discharge that takes 1 - 1/e of it
	 */
	double surface_knee_v, surface_slow_v, surface_slow_ah;
	/* of what a discharge took, the share that comes back slowly, on float */
	double tail_fraction, tail_tau_s;
	/* SOC at which charge acceptance ends at the currents of a CC charge */
	double acceptance_pole;
	/* std of the modelled voltage and how long its error lasts, and std of a
	 * voltage sample beside it, where they were measured; 0: not known */
	double model_error_v, model_error_s, voltage_noise_v;
	/* a third branch, of hours: diffusion into the plates. 0: none. depletion_slow
	 * is the part of the depletion that comes back with it, 0..1 */
	double slow_mohm, slow_tau_s, depletion_slow;
	/* surface charge as measured: what takes it to 1/e in Ah, and a part of it
	 * (0..1) that lies deeper and takes more. 0: the capacitor surface_f */
	double surface_ah, surface_deep, surface_deep_ah;
	/* [gassing]: Tafel, I = C/100 · i0 · exp(cu·(V/cells − 2.23) + ct·(T − 25)),
	 * ampere per 100 Ah */
	double gassing_i0_a, gassing_cu_per_v, gassing_ct_per_k, gassing_ref_v;
	/* [rate]: discharge time in hours (rising) against the fraction of rated
	 * capacity got */
	int rate_points;
	double rate_h[RATE_POINTS_MAX], rate_fraction[RATE_POINTS_MAX];
	double rate_fraction_std; /* of a fraction, relative; .05 unless known */
	double capacity_per_k_below, capacity_per_k_above, capacity_cap;
	/* [thermal] */
	double heat_capacity_j_per_k, thermal_resistance_k_per_w;
	/* [ageing] */
	double activation_ev, weibull_shape, weibull_scale_years;
	double ageing_exponent; /* knee: SOH = new - 20 x^p, x the share of life used */
	/* std of a measured capacity's error that lasts, of the rated capacity, and the
	 * days after which 1/e of it is left: cells that rested give more for a while.
	 * 0: errors of capacity tests have nothing to do with each other */
	double capacity_error, capacity_error_days;
	double volts_per_doubling; /* V per cell of overcharge that doubles ageing */
	/* share of life, standing empty at 25 degC; and how long that takes to begin */
	double sulfation_per_day, sulfation_tau_days;
	double cycles_full,
		cycles_exponent; /* N = cycles_full · DoD^-cycles_exponent */
	double r0_growth, r0_growth_exponent, gassing_growth; /* at end of life */
	/* factors on these: by what wears a block out */
	double r0_growth_sulfation, r0_growth_dry_out, r0_exponent_dry_out,
		gassing_growth_others;
	/* [spread]: manufacturing, relative standard deviations */
	double capacity_sigma, r0_sigma, ln_i0_sigma, capacity_r0_correlation;
	/* of ln of the rate of ageing, and of the growth of resistance, from block to
	 * block; 0: not known */
	double rate_sigma, r0_growth_sigma;
	/* of ln of ageing_exponent, from block to block; 0: all alike */
	double exponent_sigma;
	/* the parts of rate_sigma: of a block, its string, its site */
	double rate_sigma_block, rate_sigma_string, rate_sigma_site;
	/* what the twin says of the deviation of SOH, and of what a life begins from,
	 * over what its belief has: measured on fleets whose truth is known; 1 unless
	 * known */
	double soh_std_factor;
	/* how wrong readings and tests are, over what is supposed of any sensor; 1 */
	double evidence_std_factor;
	/* of a remaining life, relative: the climate to come, and whatever else no
	 * reading tells; .08 unless known. And what of it grows with the square root
	 * of the years to come, of one year; 0 unless known */
	double future_sigma, wander_sigma;
	/* [failures]: sudden ones a year, below the end of life so many times as often;
	 * infant mortality, Weibull */
	double sudden_per_year, sudden_worn_factor, infant_shape, infant_scale_years;
	/* [modes] of failure, what the twin supposes: their shares; growth of
	 * resistance, as a factor and as a power of its law; share of the gassing
	 * growth */
	int modes;
	double mode_share[MODES_MAX], mode_r0_gain[MODES_MAX], mode_r0_power[MODES_MAX],
		mode_gassing[MODES_MAX];
};

/*
 * Loads the model file at path. Every key must be known and every needed key present.
 * Returns 0, or -1 with ERR_USAGE naming file, line and key; ERR_IO when it cannot be
 * read.
 */
int battery_model_load(const char *path, struct battery_model *m, struct err *err);
/* Loads schemas/models/NAME.ini (share_path), name in any case; falls back to nothing:
 * an unknown name is an error. */
int battery_model_named(const char *name, struct battery_model *m, struct err *err);
/*
 * By what a user writes: a name with a '/' in it or that ends in ".ini" is a file, any
 * other one of schemas/models.
 */
int battery_model_find(
	const char *name_or_path, struct battery_model *m, struct err *err);
/* Whether m is one that battery_model_load would take. */
bool battery_model_sound(const struct battery_model *m);
/* Appends m as a model file, which battery_model_load reads back if it is sound.
 * Failure shows in b. */
void battery_model_write(const struct battery_model *m, struct buf *b);
/* Fills the master record of the model. Strings point into m. */
void battery_model_record(const struct battery_model *m, struct rec_battery_model *out);

#endif
