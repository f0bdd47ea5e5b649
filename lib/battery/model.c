#include "battery/model.h"

#include "base/diag.h"
#include "base/inifile.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>

#define AT(f) offsetof(struct battery_model, f)
#define NUM(s, f, lo, hi)                                                              \
	{                                                                              \
		s, #f, INIFILE_F64, true, AT(f), lo, hi, 0, 0                          \
	}
#define OPTIONAL(s, f, lo, hi)                                                         \
	{                                                                              \
		s, #f, INIFILE_F64, false, AT(f), lo, hi, 0, 0                         \
	}
#define TEXT(s, f)                                                                     \
	{                                                                              \
		s, #f, INIFILE_TEXT, true, AT(f), 0, 0, CODE_MAX + 1, 0                \
	}
#define LIST(s, f, need, lo, hi, max, n)                                               \
	{                                                                              \
		s, #f, INIFILE_LIST, need, AT(f), lo, hi, max, AT(n)                   \
	}

static const struct inifile_key KEYS[] = {
	TEXT("model", name),
	TEXT("model", manufacturer),
	TEXT("model", chemistry),
	{"rating", "cells", INIFILE_INT, true, AT(cells), 1, 1000, 0, 0},
	NUM("rating", nominal_voltage_v, 0.1, 10000),
	NUM("rating", capacity_ah, 0.001, 1e6),
	NUM("rating", capacity_rate_h, 0.01, 1000),
	NUM("rating", cutoff_v, 0.1, 10000),
	NUM("rating", eol_pct, 1, 100),
	NUM("rating", expected_life_years, 0.1, 100),
	OPTIONAL("charge", float_v, 0, 10000),
	OPTIONAL("charge", float_min_v, 0, 10000),
	OPTIONAL("charge", float_max_v, 0, 10000),
	OPTIONAL("charge", float_comp_v_per_k, -10, 0),
	OPTIONAL("charge", float_clamp_min_v, 0, 10000),
	OPTIONAL("charge", float_clamp_max_v, 0, 10000),
	OPTIONAL("charge", boost_v, 0, 10000),
	OPTIONAL("charge", boost_min_v, 0, 10000),
	OPTIONAL("charge", boost_max_v, 0, 10000),
	OPTIONAL("charge", boost_comp_v_per_k, -10, 0),
	NUM("charge", max_charge_a, 0.001, 1e6),
	NUM("limits", voltage_hard_min_v, -10, 10000),
	NUM("limits", voltage_hard_max_v, 0, 10000),
	NUM("limits", voltage_plausible_min_v, 0, 10000),
	NUM("limits", voltage_plausible_max_v, 0, 10000),
	NUM("limits", temperature_min_c, -100, 200),
	NUM("limits", temperature_max_c, -100, 200),
	NUM("limits", resistance_min_mohm, 0, 1e6),
	NUM("limits", resistance_max_mohm, 0, 1e6),
	NUM("limits", current_max_a, 0, 1e6),
	NUM("limits", temp_warning_c, -100, 200),
	NUM("limits", temp_critical_c, -100, 200),
	LIST("ocv", ocv_soc, true, 0, 1, OCV_POINTS_MAX, ocv_points),
	LIST("ocv", ocv_v, true, 0, 10000, OCV_POINTS_MAX, ocv_points),
	NUM("ocv", ocv_v_per_k, -1, 1),
	NUM("circuit", r0_mohm, 0.001, 1e6),
	NUM("circuit", r0_per_k, -0.1, 0.1),
	NUM("circuit", r0_low_soc_gain, 0, 100),
	NUM("circuit", r0_low_soc_scale, 0.001, 10),
	NUM("circuit", r1_mohm, 0, 1e6),
	NUM("circuit", tau1_s, 0.01, 1e6),
	NUM("circuit", r2_mohm, 0, 1e6),
	NUM("circuit", tau2_s, 0.01, 1e7),
	OPTIONAL("circuit", activation_v, 0.0001, 10),
	OPTIONAL("circuit", activation_a, 1e-6, 1e6),
	OPTIONAL("circuit", activation_per_k, -0.1, 0.1),
	OPTIONAL("circuit", diffusion_mohm, 0, 1e6),
	OPTIONAL("circuit", depletion_v, 0, 100),
	OPTIONAL("circuit", depletion_pole, 1.001, 10),
	OPTIONAL("circuit", acceptance_mohm, 0.001, 1e6),
	OPTIONAL("circuit", acceptance_soc_mohm, 0.001, 1e6),
	OPTIONAL("circuit", acceptance_pole, 0.5, 2),
	OPTIONAL("circuit", model_error_v, 0, 10),
	OPTIONAL("circuit", model_error_s, 1, 1e7),
	OPTIONAL("circuit", voltage_noise_v, 0, 10),
	OPTIONAL("circuit", surface_f, 1, 1e7),
	OPTIONAL("circuit", surface_tau_s, 1, 1e6),
	OPTIONAL("circuit", surface_knee_v, 0.001, 100),
	OPTIONAL("circuit", surface_slow_v, 0, 100),
	OPTIONAL("circuit", surface_slow_ah, 1e-6, 1e6),
	OPTIONAL("circuit", tail_fraction, 0, 1),
	OPTIONAL("circuit", tail_tau_s, 1, 1e7),
	OPTIONAL("circuit", slow_mohm, 0, 1e6),
	OPTIONAL("circuit", slow_tau_s, 1, 1e7),
	OPTIONAL("circuit", depletion_slow, 0, 1),
	OPTIONAL("circuit", surface_ah, 1e-6, 1e6),
	OPTIONAL("circuit", surface_deep, 0, 1),
	OPTIONAL("circuit", surface_deep_ah, 1e-6, 1e6),
	OPTIONAL("gassing", gassing_i0_a, 0, 100),
	OPTIONAL("gassing", gassing_cu_per_v, 0, 1000),
	OPTIONAL("gassing", gassing_ct_per_k, 0, 1),
	OPTIONAL("gassing", gassing_ref_v, 0, 100),
	LIST("rate", rate_h, false, 1e-6, 10000, RATE_POINTS_MAX, rate_points),
	LIST("rate", rate_fraction, false, 0.001, 10, RATE_POINTS_MAX, rate_points),
	OPTIONAL("rate", rate_fraction_std, 0.001, 1),
	OPTIONAL("rate", capacity_per_k_below, 0, 1),
	OPTIONAL("rate", capacity_per_k_above, 0, 1),
	OPTIONAL("rate", capacity_cap, 0.1, 10),
	NUM("thermal", heat_capacity_j_per_k, 1, 1e9),
	NUM("thermal", thermal_resistance_k_per_w, 0.0001, 1e4),
	NUM("ageing", activation_ev, 0, 5),
	NUM("ageing", weibull_shape, 0.1, 50),
	NUM("ageing", weibull_scale_years, 0.001, 200),
	OPTIONAL("ageing", ageing_exponent, 0.1, 20),
	OPTIONAL("ageing", capacity_error, 0, 1),
	OPTIONAL("ageing", capacity_error_days, 0.001, 1e6),
	OPTIONAL("ageing", volts_per_doubling, 0.001, 100),
	OPTIONAL("ageing", sulfation_per_day, 0, 1),
	OPTIONAL("ageing", sulfation_tau_days, 0.01, 1000),
	OPTIONAL("ageing", cycles_full, 1, 1e6),
	OPTIONAL("ageing", cycles_exponent, 0.1, 10),
	OPTIONAL("ageing", r0_growth, 0, 100),
	OPTIONAL("ageing", r0_growth_exponent, 0.1, 10),
	OPTIONAL("ageing", gassing_growth, 0, 100),
	OPTIONAL("ageing", r0_growth_sulfation, 0, 100),
	OPTIONAL("ageing", r0_growth_dry_out, 0, 100),
	OPTIONAL("ageing", r0_exponent_dry_out, 0.01, 10),
	OPTIONAL("ageing", gassing_growth_others, 0, 100),
	OPTIONAL("spread", capacity_sigma, 0, 1),
	OPTIONAL("spread", r0_sigma, 0, 1),
	OPTIONAL("spread", ln_i0_sigma, 0, 5),
	OPTIONAL("spread", rate_sigma, 0, 5),
	OPTIONAL("spread", r0_growth_sigma, 0, 5),
	OPTIONAL("spread", exponent_sigma, 0, 2),
	OPTIONAL("spread", capacity_r0_correlation, -1, 1),
	OPTIONAL("spread", rate_sigma_block, 0, 5),
	OPTIONAL("spread", rate_sigma_string, 0, 5),
	OPTIONAL("spread", rate_sigma_site, 0, 5),
	OPTIONAL("spread", soh_std_factor, 0.1, 10),
	OPTIONAL("spread", evidence_std_factor, 0.1, 10),
	OPTIONAL("spread", future_sigma, 0.001, 5),
	OPTIONAL("spread", wander_sigma, 0, 5),
	OPTIONAL("failures", sudden_per_year, 0, 100),
	OPTIONAL("failures", sudden_worn_factor, 0.01, 1000),
	OPTIONAL("failures", infant_shape, 0.1, 10),
	OPTIONAL("failures", infant_scale_years, 0.01, 1e9),
	LIST("modes", mode_share, false, 1e-6, 1, MODES_MAX, modes),
	LIST("modes", mode_r0_gain, false, 0, 100, MODES_MAX, modes),
	LIST("modes", mode_r0_power, false, 0.01, 100, MODES_MAX, modes),
	LIST("modes", mode_gassing, false, 0, 100, MODES_MAX, modes),
	{0},
};

/* What a file leaves out: no float or boost voltage is "missing", no gassing is none,
 * the rest behaves as the simplest battery does. */
static void set_defaults(struct battery_model *m)
{
	*m = (struct battery_model){0};
	m->float_v = m->float_min_v = m->float_max_v = NAN;
	m->float_clamp_min_v = m->float_clamp_max_v = NAN;
	m->boost_v = m->boost_min_v = m->boost_max_v = NAN;
	m->activation_v = m->activation_a = NAN;
	m->capacity_cap = 1;
	m->depletion_pole = 2;
	m->tail_tau_s = 3600;
	m->acceptance_pole = 1;
	m->r0_growth_sulfation = m->r0_growth_dry_out = m->r0_exponent_dry_out = 1;
	m->gassing_growth_others = 1;
	m->rate_fraction_std = 0.05; /* another maker's table [E] */
	m->soh_std_factor = m->evidence_std_factor = 1;
	m->future_sigma = 0.08; /* [E] */
	m->sudden_worn_factor = m->infant_shape = 1;
	m->infant_scale_years = 1e9;
	m->surface_knee_v = 100;
	m->sulfation_tau_days = 1;
	m->surface_slow_ah = 1;
	m->ageing_exponent = 1;
	m->volts_per_doubling = 100;
	m->cycles_full = 1e6;
	m->cycles_exponent = 1;
	m->r0_growth_exponent = 1;
	m->gassing_ref_v = 0;
}

/* A model that names no modes of failure wears in one way. */
static void set_one_mode(struct battery_model *m)
{
	m->modes = 1;
	m->mode_share[0] = m->mode_r0_gain[0] = m->mode_r0_power[0] = 1;
	m->mode_gassing[0] = 0.25;
}

static bool modes_whole(const struct battery_model *m)
{
	for (int i = 0; i < m->modes; i++)
		if (!(m->mode_share[i] > 0 && m->mode_r0_power[i] > 0))
			return false;
	return true;
}

static bool rising(const double *v, int n)
{
	for (int i = 1; i < n; i++)
		if (!(v[i] > v[i - 1]))
			return false;
	return true;
}

/* What the bounds of single keys cannot say. */
static const char *fault_of(const struct battery_model *m)
{
	const char *fault = NULL;
	if (m->ocv_points < 2 || !rising(m->ocv_soc, m->ocv_points) ||
		!rising(m->ocv_v, m->ocv_points))
		fault = "'ocv_soc' and 'ocv_v' need two or more rising values each";
	else if (!rising(m->rate_h, m->rate_points) || m->rate_points == 1)
		fault = "'rate_h' needs two or more rising values";
	else if (!(m->voltage_hard_min_v <= m->voltage_plausible_min_v &&
			 m->voltage_plausible_min_v < m->voltage_plausible_max_v &&
			 m->voltage_plausible_max_v <= m->voltage_hard_max_v))
		fault = "plausible voltages must lie within the hard limits";
	else if (!(m->temperature_min_c < m->temperature_max_c &&
			 m->resistance_min_mohm < m->resistance_max_mohm))
		fault = "a least value in [limits] is not below its greatest";
	else if (m->capacity_error > 0 && !(m->capacity_error_days > 0))
		fault = "'capacity_error' needs 'capacity_error_days'";
	else if (!modes_whole(m))
		fault = "[modes] needs 'mode_share' and 'mode_r0_power' of every mode";
	return fault;
}

static bool within(const struct inifile_key *k, const double *v, int n)
{
	bool any = k->min == 0 && k->max == 0;
	for (int i = 0; i < n; i++)
		if (!(any ? isfinite(v[i]) : v[i] >= k->min && v[i] <= k->max) &&
			(k->need || !isnan(v[i])))
			return false;
	return true;
}

bool battery_model_sound(const struct battery_model *m)
{
	for (const struct inifile_key *k = KEYS; k->section; k++) {
		const void *at = (const char *)m + k->offset;
		int n = 0;
		if (k->type == INIFILE_LIST)
			n = *(const int *)((const char *)m + k->count);
		else if (k->type == INIFILE_F64)
			n = k->need || *(const double *)at != 0;
		if (!within(k, at, n))
			return false;
	}
	return !fault_of(m);
}

int battery_model_load(const char *path, struct battery_model *m, struct err *err)
{
	set_defaults(m);
	if (inifile_load(path, KEYS, m, err) < 0)
		return -1;
	if (!m->modes)
		set_one_mode(m);
	const char *fault = fault_of(m);
	return fault ? err_set(err, ERR_USAGE, "'%s': %s", path, fault) : 0;
}

int battery_model_named(const char *name, struct battery_model *m, struct err *err)
{
	char file[CODE_MAX + 32], path[4096], lower[CODE_MAX + 1];
	size_t n = strlen(name);

	if (n == 0 || n > CODE_MAX || name[0] == '.' || strchr(name, '/'))
		return err_set(err, ERR_USAGE, "'%s' is not a battery model", name);
	for (size_t i = 0; i <= n; i++)
		lower[i] = (char)tolower((unsigned char)name[i]);
	snprintf(file, sizeof(file), "schemas/models/%s.ini", lower);
	if (share_path(file, path, sizeof(path), NULL) < 0)
		return err_set(err, ERR_USAGE, "unknown battery model '%s': no '%s'",
			name, file);
	return battery_model_load(path, m, err);
}

int battery_model_find(
	const char *name_or_path, struct battery_model *m, struct err *err)
{
	size_t n = strlen(name_or_path);
	bool file = strchr(name_or_path, '/') ||
		    (n > 4 && strcmp(name_or_path + n - 4, ".ini") == 0);
	return file ? battery_model_load(name_or_path, m, err)
		    : battery_model_named(name_or_path, m, err);
}

static void write_value(
	const struct inifile_key *k, const struct battery_model *m, struct buf *b)
{
	const char *at = (const char *)m + k->offset;
	switch (k->type) {
	case INIFILE_TEXT:
		buf_printf(b, "%s = %s\n", k->name, at);
		break;
	case INIFILE_INT:
		buf_printf(b, "%s = %d\n", k->name, *(const int *)at);
		break;
	case INIFILE_F64: {
		double v = *(const double *)at;
		bool absent = isnan(v) || (!k->need && v == 0);
		if (!absent)
			buf_printf(b, "%s = %.6g\n", k->name, v);
		break;
	}
	case INIFILE_LIST: {
		int n = *(const int *)((const char *)m + k->count);
		if (!n)
			break;
		buf_printf(b, "%s =", k->name);
		for (int i = 0; i < n; i++)
			buf_printf(b, " %.6g", ((const double *)at)[i]);
		buf_putc(b, '\n');
		break;
	}
	}
}

void battery_model_write(const struct battery_model *m, struct buf *b)
{
	const char *section = "";
	for (const struct inifile_key *k = KEYS; k->section; k++) {
		if (strcmp(k->section, section) != 0)
			buf_printf(b, "\n[%s]\n", k->section);
		section = k->section;
		write_value(k, m, b);
	}
}

void battery_model_record(const struct battery_model *m, struct rec_battery_model *out)
{
	*out = (struct rec_battery_model){
		.name = str_of(m->name),
		.manufacturer = str_of(m->manufacturer),
		.chemistry = str_of(m->chemistry),
		.nominal_voltage_v = (float)m->nominal_voltage_v,
		.capacity_ah = (float)m->capacity_ah,
		.eol_pct = (float)m->eol_pct,
		.float_min_v = (float)m->float_min_v,
		.float_max_v = (float)m->float_max_v,
		.boost_min_v = (float)m->boost_min_v,
		.boost_max_v = (float)m->boost_max_v,
		.max_charge_a = (float)m->max_charge_a,
		.temp_warning_c = (float)m->temp_warning_c,
		.temp_critical_c = (float)m->temp_critical_c,
		.voltage_hard_min_v = (float)m->voltage_hard_min_v,
		.voltage_hard_max_v = (float)m->voltage_hard_max_v,
		.voltage_plausible_min_v = (float)m->voltage_plausible_min_v,
		.voltage_plausible_max_v = (float)m->voltage_plausible_max_v,
		.temperature_min_c = (float)m->temperature_min_c,
		.temperature_max_c = (float)m->temperature_max_c,
		.resistance_min_mohm = (float)m->resistance_min_mohm,
		.resistance_max_mohm = (float)m->resistance_max_mohm,
		.expected_life_years = (float)m->expected_life_years,
		.datasheet = STR_NIL,
	};
}
