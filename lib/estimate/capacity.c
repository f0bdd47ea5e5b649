/* Capacity: what discharges and capacity tests tell the ageing filter. */
#include "estimate/twin_parts.h"
#include "battery/rate.h"

#include <math.h>

/* Of SOC at both ends: std of Q is sqrt2 of it over the depth (fact sheet, section 6).
 */
static const double SOC_STD_DISCHARGE = 0.015;
static const double START_STD_MOST = 0.05;  /* that learns at all [E] */
static const double PAUSE_LONGEST_S = 1800; /* within one discharge [E] */
static const double CUTOFF_NEAR_V = 0.05;   /* the knee is steep there [E] */
static const double SOC_FULL = 0.9;         /* no sample has seen a discharge [E] */
static const double CUTOFF_STD = 0.03; /* of a capacity discharged to the cut-off [E] */

void twin_age_until_now(struct twin *w, const struct battery_model *m)
{
	if (w->pending_days <= 0)
		return;
	wear_advance(&w->wear, m, w->ts, w->pending_days, w->pending_stress,
		w->pending_heat);
	w->pending_days = w->pending_stress = w->pending_heat = 0;
}

void twin_believe(struct twin *w, const struct battery_model *m)
{
	double soh, std;
	twin_age_until_now(w, m);
	wear_soh(&w->wear, m, &soh, &std);
	w->soh = (float)soh;
	w->soh_std = (float)std;
}

void twin_set_capacity(struct twin *w, const struct battery_model *m)
{
	twin_believe(w, m);
	ekf_set(&w->ekf, EKF_LNQ, log((double)w->soh * m->capacity_ah),
		square((double)(w->soh_std / w->soh)));
}

static void discharge_begin(struct twin *w, const struct battery_model *m)
{
	twin_set_capacity(w, m);
	double std = sqrt(w->ekf.p[EKF_SOC][EKF_SOC]);
	w->discharge = (struct twin_discharge){.on = true,
		.learns = std <= START_STD_MOST,
		.soc_start = (float)w->ekf.x[EKF_SOC],
		.soc_start_std = (float)std,
		.lnq = (float)w->ekf.x[EKF_LNQ],
		.lnq_var = (float)w->ekf.p[EKF_LNQ][EKF_LNQ]};
}

/*
 * What the joint filter learned of ln Q, as the one measurement that would have taught
 * it so, is given to the ageing filter; but never as surer than the SOC of both ends
 * allows, for their errors do not average out.
 */
static void discharge_end(struct twin *w, const struct battery_model *m)
{
	struct twin_discharge d = w->discharge;
	double depth = d.out_ah / m->capacity_ah;
	double var = w->ekf.p[EKF_LNQ][EKF_LNQ];
	w->discharge.on = false;
	if (!d.counted)
		wear_cycle(&w->wear, m, depth);
	if (d.learns && depth >= TWIN_DEPTH_LEAST && var < 0.95 * d.lnq_var) {
		double weight = 1 - var / d.lnq_var;
		double z = d.lnq + (w->ekf.x[EKF_LNQ] - d.lnq) / weight;
		double r = var / weight;
		double least = 2 * square(SOC_STD_DISCHARGE / depth);
		double soh = exp(z) / m->capacity_ah;
		twin_age_until_now(w, m);
		wear_capacity(&w->wear, soh, square(soh) * fmax(r, least));
	}
	twin_set_capacity(w, m);
}

static void learn_capacity(
	struct twin *w, const struct battery_model *m, double measured_ah, double std)
{
	if (!(measured_ah > 0.05 * m->capacity_ah && measured_ah < 2 * m->capacity_ah))
		return;
	double soh = measured_ah / m->capacity_ah;
	twin_age_until_now(w, m);
	wear_capacity(&w->wear, soh, square(soh * std));
	twin_set_capacity(w, m);
}

/* A discharge that began below full says that much less of the whole capacity; on long
 * float full is full, by definition of the capacity. */
static void learn_from(struct twin *w, const struct battery_model *m,
	const struct twin_discharge *d, double measured_ah, double std)
{
	double begun = d->soc_start, begun_std = d->soc_start_std;
	if (begun > 0.99 && begun_std < 0.015)
		begun_std = 0;
	learn_capacity(w, m, measured_ah / begun, hypot(std, begun_std / begun));
}

/* From full to the cut-off: the charge got is the capacity, by the rate table. */
static void discharge_cutoff(struct twin *w, const struct battery_model *m)
{
	struct twin_discharge *d = &w->discharge;
	bool full = d->soc_start > 0.97 && d->soc_start_std <= 0.035;
	if (!full || !d->learns || d->out_ah < TWIN_DEPTH_LEAST * m->capacity_ah)
		return;
	/* Capacity is what the rated current gets out, however small it has become. */
	double got = battery_rate_fraction(m, w->available_a, m->capacity_ah) *
		     battery_temperature_factor(m, w->temperature_c);
	double std = CUTOFF_STD;
	if (w->available_a > 0.15 * m->capacity_ah)
		std = hypot(std, 0.05); /* the rate table is another maker's */
	learn_from(w, m, d, d->out_ah / got, std);
	d->learns = false;
	d->told = true;
}

void twin_capacity(
	struct twin *w, const struct battery_model *m, double measured_ah, double std)
{
	struct twin_discharge *d = &w->discharge;
	/* The test knows better what the discharge it is of has told, or would. */
	if (d->told)
		wear_withdraw_capacity(&w->wear);
	d->learns = d->told = false;
	if (d->on)
		discharge_end(w, m);
	if (d->out_ah > 0.5 * measured_ah && d->soc_start > 0.2F)
		learn_from(w, m, d, measured_ah, std);
	else
		learn_capacity(w, m, measured_ah, std);
}

void twin_tested(
	struct twin *w, const struct battery_model *m, int64_t ts, double out_ah)
{
	struct twin_discharge *d = &w->discharge;
	bool unseen = w->started && !d->on && w->ekf.x[EKF_SOC] > SOC_FULL;
	bool in_part = d->on && (double)d->out_ah < out_ah;
	if (d->counted || ts < w->ts || !(out_ah > 0) || !(unseen || in_part))
		return;
	wear_cycle(&w->wear, m, out_ah / m->capacity_ah);
	d->counted = true;
}

void twin_follow_discharge(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double mean_a, double dt_s)
{
	struct twin_discharge *d = &w->discharge;
	bool flows = s->current_a < -0.01 * m->capacity_ah;
	if (!d->on && flows)
		discharge_begin(w, m);
	if (!d->on) {
		d->counted = false;
		return;
	}
	if (mean_a < 0)
		d->out_ah -= (float)(mean_a * dt_s / 3600);
	d->pause_s = flows ? 0 : d->pause_s + (float)dt_s;
	if (s->current_a > TWIN_RATE_FLOWING * m->capacity_ah ||
		d->pause_s > PAUSE_LONGEST_S)
		discharge_end(w, m);
	else if (flows && s->voltage_v <= m->cutoff_v + CUTOFF_NEAR_V)
		discharge_cutoff(w, m);
}
