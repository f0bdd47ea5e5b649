/*
 * Ageing of a block on float: a share x of its life is used up at a rate that follows
 * temperature (Arrhenius) and overvoltage, plus what is lost by standing undercharged
 * and the damage of each discharge (Miner's rule); capacity falls along SOH = new − 20
 * x^p, which has the knee near the end of life. Numbers are the model's [ageing] keys.
 */
#ifndef BATTERY_AGEING_H
#define BATTERY_AGEING_H

#include "battery/model.h"

/* How a block came into the world: what no measurement shows. */
struct battery_nature {
	double soh_new_pct;     /* capacity when new over rated */
	double r0_new_mohm;     /* 25 degC, full */
	double i0_factor;       /* its gassing over the model's */
	double rate_per_day;    /* share of life a day at 25 degC on float */
	double r0_scatter;      /* multiplies the growth of its resistance */
	enum cause_names cause; /* what wears it out */
	double rack_k;          /* warmer than the room, by its place in the rack */
};

/* How much faster than at 25 degC on float: temperature of the block, and its voltage
 * above the temperature-compensated float voltage (bounded to half and four times). */
double ageing_stress(
	const struct battery_model *m, double temperature_c, double overvoltage_v);
/* The Arrhenius part alone. */
double ageing_arrhenius(const struct battery_model *m, double temperature_c);
/* The part of the overvoltage, in doublings of ageing, bounded to half and four times.
 */
double ageing_of_doublings(double doublings);
/* The share of life a day takes by sulfation, with 'undercharge' of the capacity
 * missing (0..1). */
double ageing_sulfation_per_day(
	const struct battery_model *m, double undercharge, double temperature_c);
/* The share of life a discharge to the depth dod (0..1) takes. */
double ageing_cycle(const struct battery_model *m, double dod);

/* Capacity at 25 degC and the rated rate, % of rated, after the share 'used'. */
double ageing_soh_pct(
	const struct battery_model *m, const struct battery_nature *n, double used);
/* The share used when the end of life (the model's eol_pct) is reached. */
double ageing_end(const struct battery_model *m, const struct battery_nature *n);
/* Ohmic resistance at 25 degC, full. Sulfation raises it little, dry-out early. */
double ageing_r0_mohm(
	const struct battery_model *m, const struct battery_nature *n, double used);
/* The factor 'a' of the gassing law, the block's own i0 included. Dry-out raises it
 * most. */
double ageing_gassing(
	const struct battery_model *m, const struct battery_nature *n, double used);

#endif
