/* Slow sensors: ohmic resistance and float current. */
#include "estimate/twin_parts.h"
#include "base/timefmt.h"
#include "record/kinds.h"

#include <math.h>

void twin_measure_resistance(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s)
{
	/* Readings minutes apart say the same thing again. */
	if (!(s->resistance_mohm > 0) ||
		(w->ratio_ts != TIME_NIL && s->ts < w->ratio_ts + 10 * MINUTE_MS))
		return;
	w->ratio_ts = s->ts;
	double heat = fmax(0.3, 1 + m->r0_per_k * (w->temperature_c - 25));
	double ln_r = log(s->resistance_mohm / heat);
	w->ln_ratio_n = fminf(w->ln_ratio_n + 1, 300);
	w->ln_ratio +=
		(float)(ln_r - log(w->baseline_mohm) - w->ln_ratio) / w->ln_ratio_n;
	if (w->r0_ts != TIME_NIL && s->ts < w->r0_ts + HOUR_MS)
		return;
	w->r0_ts = s->ts;
	const double h[EKF_N] = {[EKF_LNR0] = 1};
	double y = ln_r + log(1e-3) - w->ekf.x[EKF_LNR0];
	if (square(y) < NIS_REJECT * ekf_innovation_variance(&w->ekf, h, square(0.1)) ||
		w->ln_ratio_n > 10)
		ekf_update(&w->ekf, h, square(0.1), y, EKF_BIT(EKF_LNR0));
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
	double z = circuit_ln_i0(m, m->capacity_ah, i, s->voltage_v, w->temperature_c);
	/* Current, voltage (11/V a cell) and temperature errors, which last. */
	double r = square(fine ? 0.15 : 0.4);
	w->ln_i0_var += 1e-5; /* an hour's ageing */
	double gain = w->ln_i0_var / (w->ln_i0_var + r);
	w->ln_i0 += gain * (z - w->ln_i0);
	w->ln_i0_var = square(1 - gain) * w->ln_i0_var + square(gain) * r;
}
