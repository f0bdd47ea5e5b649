#include "estimate/belief.h"
#include "estimate/twin_parts.h"
#include "record/schema.h"

#include <math.h>

/* AC readings and DC steps never agree better than this [E]. */
static const double R0_STD_LEAST = 0.03;
static const double GASSING_AT_V = 13.65; /* the float voltage [S C&D, CSB] */

void twin_soc(const struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, double *soc, double *std)
{
	(void)m;
	*soc = fmin(fmax(w->ekf.x[EKF_SOC], 0), 1);
	double var = w->ekf.p[EKF_SOC][EKF_SOC];
	/* On long float SOC is not read off the table. */
	if (w->regime != TWIN_FLOAT)
		var += square(k->table_soc);
	*std = sqrt(var);
}

void twin_soh(const struct twin *w, double *soh, double *std)
{
	*soh = (double)w->soh;
	*std = (double)w->soh_std;
}

/* Capacity in Ah: of the discharge going on once it tells, else of the ageing filter.
 */
static void capacity(
	const struct twin *w, const struct battery_model *m, double *ah, double *std)
{
	double soh;
	twin_soh(w, &soh, std);
	*ah = soh * m->capacity_ah;
	*std *= m->capacity_ah * m->soh_std_factor;
	double now = exp(w->ekf.x[EKF_LNQ]);
	double now_std = now * sqrt(w->ekf.p[EKF_LNQ][EKF_LNQ]);
	if (w->discharge.on && (w->observable & BIT(observable_capacity)) &&
		now_std < *std) {
		*ah = now;
		*std = now_std;
	}
}

static void fill_circuit(
	const struct twin *w, const struct battery_model *m, struct rec_twin_state *out)
{
	double r0 = exp(w->ekf.x[EKF_LNR0]);
	double std = hypot(sqrt(w->ekf.p[EKF_LNR0][EKF_LNR0]), R0_STD_LEAST);
	/* The slope of the overvoltages at the current that flows. */
	double d = fmax(1e-3 * m->capacity_ah, 0.01 * fabs(w->current_a)), unused;
	double i = w->current_a, t = w->temperature_c;
	double r1 =
		(circuit_eta1_v(m, i + d, t) - circuit_eta1_v(m, i - d, t)) / (2 * d);
	double side = i > 0 ? 1 : -1;
	double r2 = (circuit_eta2_v(m, w->ekf.x[EKF_SOC], i + side * d, 1, &unused) -
			    circuit_eta2_v(m, w->ekf.x[EKF_SOC], i + side * d / 2, 1,
				    &unused)) /
		    (side * d / 2);
	out->r0_mohm = (float)(1e3 * r0);
	out->r0_std_mohm = (float)(1e3 * r0 * std);
	out->r1_mohm = (float)(1e3 * r1);
	out->r2_mohm = (float)(1e3 * r2);
	if (r1 > 0)
		out->c1_f = (float)(m->tau1_s / r1);
	if (r2 > 0)
		out->c2_f = (float)(m->tau2_s / r2);
	if (m->gassing_i0_a > 0)
		out->gassing_ma =
			(float)(1e3 * circuit_gassing_a(m, w->ln_i0, m->capacity_ah,
					      GASSING_AT_V, 25));
}

void belief_state(const struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, double load_a, struct rec_twin_state *out)
{
	double soc, soc_std, ah, ah_std;
	struct autonomy a;
	record_clear(kind_info(KIND_twin_state), out);
	twin_soc(w, m, k, &soc, &soc_std);
	capacity(w, m, &ah, &ah_std);
	out->ts = w->ts;
	out->soc_pct = (float)(100 * soc);
	out->soc_std_pct = (float)(100 * soc_std);
	out->capacity_ah = (float)ah;
	out->capacity_std_ah = (float)ah_std;
	out->soh_pct = (float)(100 * ah / m->capacity_ah);
	out->soh_std_pct = (float)(100 * ah_std / m->capacity_ah);
	fill_circuit(w, m, out);
	out->voltage_error_v = w->error_v;
	out->voltage_rmse_v = w->error_square > 0 ? sqrtf(w->error_square) : NAN;
	out->nis = w->error_square > 0 ? w->nis : NAN;
	out->observable = w->observable;
	/* On long float full is full, by definition of the capacity. */
	double charge_std = w->regime == TWIN_FLOAT ? 0 : soc_std;
	autonomy_estimate(m,
		&(struct autonomy_state){soc, charge_std, ah, ah_std, w->temperature_c},
		load_a, &a);
	out->autonomy_min = (float)a.minutes;
	out->autonomy_lower_min = (float)a.lower_min;
	out->autonomy_upper_min = (float)a.upper_min;
	out->autonomy_load_a = (float)load_a;
	out->reset = w->reset;
}

void belief_rul(const struct twin *w, const struct battery_model *m,
	struct rec_rul *out, struct wear_rate *rate)
{
	struct wear a = w->wear; /* as it is now */
	struct wear_rul r;
	if (w->pending_days > 0)
		wear_advance(&a, m, w->ts, w->pending_days, w->pending_stress,
			w->pending_heat);
	wear_rul(&a, m, w->ts, &r);
	record_clear(kind_info(KIND_rul), out);
	out->ts = w->ts;
	out->source = rul_source_twin;
	out->rul_days = (float)r.days;
	out->lower_days = (float)r.lower_days;
	out->upper_days = (float)r.upper_days;
	out->p_fail_30d = (float)r.fail_30d;
	out->p_fail_90d = (float)r.fail_90d;
	out->confidence = (float)(1 / (1 + square(r.ln_std / wear_prior_ln_std(m))));
	bool starved = !wear_informed(&a);
	out->flags = starved ? BIT(rul_flags_starved) : 0;
	out->horizon_unit = horizon_unit_days;
	out->model = str_of(m->name);
	*rate = r.rate;
}
