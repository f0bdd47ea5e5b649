/* Slow sensors: ohmic resistance and float current. */
#include "estimate/twin_parts.h"
#include "base/timefmt.h"
#include "record/kinds.h"

#include <math.h>

/* Float current is back at its level so long after a discharge [E fact sheet, 1]. */
static const int64_t SETTLED_AFTER_MS = 3 * DAY_MS;

void twin_measure_resistance(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s)
{
	/* Readings minutes apart say the same thing again. */
	if (!(s->resistance_mohm > 0) ||
		(w->r0_ts != TIME_NIL && s->ts < w->r0_ts + HOUR_MS))
		return;
	w->r0_ts = s->ts;
	double heat = fmax(0.3, 1 + m->r0_per_k * (w->temperature_c - 25));
	double ln_r = log(s->resistance_mohm / heat);
	wear_resistance(&w->wear, exp(ln_r) / (double)w->baseline_mohm);
	const double h[EKF_N] = {[EKF_LNR0] = 1};
	double y = ln_r + log(1e-3) - w->ekf.x[EKF_LNR0];
	if (square(y) < NIS_REJECT * ekf_innovation_variance(&w->ekf, h, square(0.1)) ||
		(w->wear.marks && w->wear.mark[w->wear.marks - 1].ratio_n > 10))
		ekf_update(&w->ekf, h, square(0.1), y, EKF_BIT(EKF_LNR0));
}

void twin_impedance(struct twin *w, const struct battery_model *m, double mohm)
{
	twin_age_until_now(w, m);
	wear_resistance(&w->wear, mohm / (double)w->baseline_mohm);
}

/* On float the current that flows is gassing: it gives the Tafel scale of this block.
 */
void twin_measure_gassing(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s)
{
	if (w->tafel_ts != TIME_NIL && s->ts < w->tafel_ts + HOUR_MS)
		return;
	/* A Hall sensor's offset swamps float current: only what is well above it. */
	bool fine = s->float_a > 0;
	double i = fine ? s->float_a : s->current_a;
	if (!(i > (fine ? 1e-5 : 0.003) * m->capacity_ah) || !(m->gassing_i0_a > 0))
		return;
	w->tafel_ts = s->ts;
	double new_a = circuit_gassing_a(m, log(m->gassing_i0_a), m->capacity_ah,
		s->voltage_v, w->temperature_c);
	if (fine && w->low_since != TIME_NIL && s->ts - w->low_since > SETTLED_AFTER_MS)
		wear_gassing(&w->wear, i / new_a);
	double z = circuit_ln_i0(m, m->capacity_ah, i, s->voltage_v, w->temperature_c);
	/* Current, voltage (11/V a cell) and temperature errors, which last. */
	double r = square(fine ? 0.15 : 0.4);
	double var = (double)w->ln_i0_var + 1e-5; /* an hour's ageing */
	double gain = var / (var + r);
	w->ln_i0 += (float)(gain * (z - (double)w->ln_i0));
	w->ln_i0_var = (float)(square(1 - gain) * var + square(gain) * r);
}
