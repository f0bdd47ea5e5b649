#include "battery/ageing.h"

#include <math.h>

static const double BOLTZMANN_EV = 8.617333262e-5; /* eV/K [S CODATA 2018] */

double ageing_arrhenius(const struct battery_model *m, double temperature_c)
{
	return exp(m->activation_ev / BOLTZMANN_EV *
		   (1 / 298.15 - 1 / (temperature_c + 273.15)));
}

double ageing_of_doublings(double doublings)
{
	return exp2(fmax(-1, fmin(2, doublings)));
}

double ageing_stress(
	const struct battery_model *m, double temperature_c, double overvoltage_v)
{
	double doublings = overvoltage_v / m->cells / m->volts_per_doubling;
	return ageing_arrhenius(m, temperature_c) * ageing_of_doublings(doublings);
}

double ageing_sulfation_per_day(
	const struct battery_model *m, double undercharge, double temperature_c)
{
	double x = fmax(0, fmin(1, undercharge));
	return m->sulfation_per_day * x * x * ageing_arrhenius(m, temperature_c);
}

double ageing_cycle(const struct battery_model *m, double dod)
{
	return pow(fmax(0, dod), m->cycles_exponent) / m->cycles_full;
}

double ageing_soh_pct(
	const struct battery_model *m, const struct battery_nature *n, double used)
{
	double fade = (100 - m->eol_pct) * pow(fmax(0, used), m->ageing_exponent);
	return fmax(1, n->soh_new_pct - fade);
}

double ageing_end(const struct battery_model *m, const struct battery_nature *n)
{
	double room = (n->soh_new_pct - m->eol_pct) / (100 - m->eol_pct);
	return room > 0 ? pow(room, 1 / m->ageing_exponent) : 0;
}

double ageing_r0_mohm(
	const struct battery_model *m, const struct battery_nature *n, double used)
{
	double fade = n->soh_new_pct - ageing_soh_pct(m, n, used);
	double x = fade / (100 - m->eol_pct);
	double growth = m->r0_growth * pow(x, m->r0_growth_exponent);

	if (n->cause == cause_sulfation)
		growth *= m->r0_growth_sulfation;
	else if (n->cause == cause_dry_out)
		growth = m->r0_growth * m->r0_growth_dry_out *
			 pow(x, m->r0_exponent_dry_out * m->r0_growth_exponent);
	return n->r0_new_mohm * (1 + growth * n->r0_scatter);
}

double ageing_gassing(
	const struct battery_model *m, const struct battery_nature *n, double used)
{
	double share = n->cause == cause_dry_out ? 1 : m->gassing_growth_others;
	/* Late in life: water loss feeds on itself. */
	double x2 = fmin(used, 1.1) * fmin(used, 1.1);
	return n->i0_factor * (1 + m->gassing_growth * share * x2 * x2);
}
