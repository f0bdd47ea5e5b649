/*
 * Blocks in series behind one charger: they share the current, not the voltage. One
 * step solves the common current so that the block voltages add up to the charger's
 * set-point (or takes the current as given), with, per block,
 *
 *	V = v + I·R0 + V2 − depletion		terminal voltage
 *	dq(v − E)/dt = I − Igas(v) − Imain(v − E) − Itail
 *						charge on the surface
 *	E = OCV + Vch				to where it relaxes
 *	dV2/dt = (I·R2 − V2) / tau2		diffusion, the slow branch
 *	dSOC/dt = Imain / (3600 Q)
 *
 * q is the charge of a capacitance that falls off above a knee, q(o) = C o / (1 + o/k)
 * for o > 0: the last volt before gassing holds next to nothing. Vch is the part of
 * the surface charge that goes slowly: it builds up within the hour on charge, goes at
 * rest over minutes, hours and days alike (the logarithmic tail that is measured), and
 * under load with the charge that is drawn. Itail, on charge, is what is left of a
 * small share of earlier discharges over tail_tau. Imain is a Tafel law on discharge,
 * 2 Ia sinh(o/Va), and an acceptance that falls with the room left on charge,
 * o / (Ra + Rs SOC/(1 − SOC)); on float it dies out, and what flows is gassing, which
 * gives each block its voltage. Current is positive when it charges. The scheme is
 * implicit (Newton), so that a step may be an hour long. Noise belongs to sensors:
 * there is none here.
 */
#ifndef BATTERY_SERIES_H
#define BATTERY_SERIES_H

#include "battery/ageing.h"

enum {
	SERIES_MAX = 64, /* blocks in a string */
	DEPLETION_PARTS = 3,
	SURFACE_PARTS = 3,
};

struct battery_block {
	struct battery_nature nature;
	double used;                         /* share of life */
	double soc;                          /* 0..1, of the capacity it has now */
	double surface_v;                    /* v */
	double charged_v[SURFACE_PARTS];     /* what charging adds to the OCV */
	double slow_v;                       /* V2 */
	double depletion_v[DEPLETION_PARTS]; /* drop at the empty end, fast part first
					      */
	double tail_ah;                      /* what comes back slowly */
	double undercharge; /* 1 - SOC, over the last days: sulfation takes its time */
	double temperature_c;
	double voltage_v, gassing_a; /* of the last step */
	bool shorted, open;          /* hard failures: a cell shorted, a strap broken */
	bool vented;                 /* burst by thermal runaway: hardly conducts */
	double r0_drift, heat_w; /* done to it: resistance over its own, inner heat */
	/* follow from 'used'; battery_block_refresh */
	double capacity_ah, r0_mohm, gassing_scale;
	double sum_k_s, sum_v_s; /* since the last refresh: temperature, voltage */
};

struct battery_series {
	const struct battery_model *model;
	struct battery_block *blocks;
	int n;
	double current_a, voltage_v; /* of the last step */
	double mean_temperature_c, hottest_c;
	double since_refresh_s;
	/* constants of the last step length */
	double dt_s, keep_slow, keep_heat, keep_onset, keep_tail;
	double keep_recovery[DEPLETION_PARTS];
	double keep_charged[SURFACE_PARTS]; /* its build-up is as fast as the first */
};

/* What holds the string: a charger (set_v across it, at most limit_a) or a current. */
struct battery_drive {
	bool constant_current;
	double current_a; /* constant current */
	double set_v, limit_a;
	bool charging; /* false: on load or at rest, where surface charge dissipates */
};

/* Sets what follows from nature and 'used' (and the hard failures). */
void battery_block_refresh(const struct battery_model *m, struct battery_block *b);

/* Puts all blocks on float at temperature_c as if they had been there for weeks. */
void battery_series_settle(
	struct battery_series *s, double set_v, double temperature_c);

/*
 * The logarithm of the current of n blocks on float at set_v in all: their voltages are
 * (ln I - ln_scale) / (cu / cells), ln_scale the logarithm of a block's gassing current
 * at 0 V. One that this would put below floor_v, its open-circuit voltage, stays there:
 * it gasses more than the current, and discharges itself.
 */
double battery_float_ln_a(const struct battery_model *m, int n, const double *ln_scale,
	const double *floor_v, double set_v);

/* Advances by dt_s > 0 in a room of room_c. Ages the blocks (in steps of about an
 * hour). */
void battery_series_step(struct battery_series *s, const struct battery_drive *drive,
	double room_c, double dt_s);

/* A factor that falls or rises per kelvin above 25 degC, 0.3 at the least: a resistance
 * never comes to nothing. */
double battery_warmth(double per_k, double temperature_c);

/* The float voltage of one block, compensated for temperature and clamped. */
double battery_float_v(const struct battery_model *m, double temperature_c);
double battery_boost_v(const struct battery_model *m, double temperature_c);

#endif
