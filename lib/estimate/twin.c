#include "estimate/twin_parts.h"
#include "base/timefmt.h"
#include "battery/ocv.h"
#include "record/kinds.h"

#include <math.h>

/* Fact sheet, section 6, but for the correlation time and the table's std [E]. */
const struct twin_tuning TWIN_TUNING = {
	.sensor_v = 0.03,
	.polarisation = 0.2,
	.correlation_s = 600,
	.bias_v = 0.06,
	.bias_s = 30 * 86400,
	.noise_soc = 1e-9,
	.noise_v = 1e-7,
	.noise_lnr0 = 1e-12,
	.current_gain = 0.01,
	.table_soc = 0.01,
	.max_gap_ms = 6 * HOUR_MS,
};

static const double BELIEF_DAYS = 5; /* old, at most: SOH falls .1 % meanwhile */
enum { REJECTS_MOST = 10, BACKWARDS_MOST = 10 }; /* fact sheet, section 6 */
/* Of a current sensor, of C per hour: +-0.2-1 A of 100 A (fact sheet, section 6). */
static const double OFFSET_MOST = 0.01;
enum { OFFSET_SAMPLES = 200 };            /* that it is the mean of [E] */
static const double FLOAT_SOC_STD = 0.01; /* after a day (fact sheet, section 6) */
static const int64_t FLOAT_AFTER_MS = DAY_MS;
static const double BOOST_OVER_FLOAT_V = 0.4, TAIL_SOC_STD = 0.02; /* [E] */
static const int64_t TAIL_AFTER_MS = HOUR_MS;                      /* [E] */
static const int64_t TEMPERATURE_AGE_MS = HOUR_MS; /* a block takes hours [E] */
/* Of the resistance measured new against later readings, and of the model's [E]. */
static const double BASELINE_STD = 0.003, MODEL_R0_STD = 0.12;
/* Variance that ageing gives ln R0 a day, whatever the regime: 15 % in the six years of
 * a life that raises it by 40 % [E]. */
static const double R0_AGEING_VAR = 0.06 * 0.06 / 365;

void twin_init(struct twin *w, const struct battery_model *m,
	const struct twin_origin *o, int reset)
{
	double celsius = isnan(o->temperature_c) ? 25 : o->temperature_c;
	double r0_sigma = m->r0_sigma > 0 ? m->r0_sigma : 0.065;
	bool measured = o->initial_resistance_mohm > 0;
	struct wear_start start = {.age_days = o->age_days,
		.acceleration = wear_acceleration(m, celsius),
		.initial_capacity_ah = o->initial_capacity_ah,
		.resistance_var = square(
			measured ? BASELINE_STD : hypot(r0_sigma, MODEL_R0_STD))};
	*w = (struct twin){.reset = reset & 15,
		.temperature_c = (float)celsius,
		.heat = (float)start.acceleration,
		.temperature_ts = TIME_NIL,
		.low_since = TIME_NIL,
		.clock_ts = TIME_NIL,
		.r0_ts = TIME_NIL,
		.tafel_ts = TIME_NIL,
		.residual_v = NAN,
		.available = 1,
		.nis = 1,
		.error_v = NAN};
	wear_init(&w->wear, m, &start);
	w->baseline_mohm = (float)(measured ? o->initial_resistance_mohm : m->r0_mohm);
	double x[EKF_N] = {[EKF_SOC] = 0.5, [EKF_LNR0] = log(w->baseline_mohm * 1e-3)};
	double bias_v = m->model_error_v > 0 ? m->model_error_v : TWIN_TUNING.bias_v;
	double std[EKF_N] = {0.3, 0.02, 0.1, fmax(0.15, m->r0_sigma), 0.1, bias_v};
	ekf_init(&w->ekf, x, std);
	twin_set_capacity(w, m);
	w->ln_i0 = logf((float)(m->gassing_i0_a > 0 ? m->gassing_i0_a : 1e-6));
	double i0_sigma = m->ln_i0_sigma > 0 ? m->ln_i0_sigma : 0.25;
	/* Gassing of a worn block is five times a new one's. */
	w->ln_i0_var = (float)square(hypot(i0_sigma, 0.5));
}

static void take_temperature(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s)
{
	float celsius = 25;
	if (!isnan(s->temperature_c)) {
		celsius = (float)s->temperature_c;
		w->temperature_ts = s->ts;
	} else if (w->temperature_ts != TIME_NIL &&
		   s->ts - w->temperature_ts <= TEMPERATURE_AGE_MS) {
		return;
	}
	if (celsius != w->temperature_c) {
		w->temperature_c = celsius;
		w->heat = (float)wear_acceleration(m, celsius);
	}
}

static void pass_time(struct twin *w, const struct battery_model *m, double dt_s)
{
	double days = dt_s * 1000 / DAY_MS;
	bool loaded = w->regime == TWIN_DISCHARGE;
	double stress = loaded ? (double)w->heat
			       : wear_stress(m, w->temperature_c, w->voltage_v);
	w->pending_days += days;
	w->pending_stress += days * stress;
	w->pending_heat += days * (double)w->heat;
	w->ekf.p[EKF_LNR0][EKF_LNR0] += R0_AGEING_VAR * days;
	if (w->pending_days > BELIEF_DAYS)
		twin_believe(w, m);
}

/* A clock that went back and stays there is believed after a while. */
static enum twin_result backwards(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a)
{
	bool steady = w->clock_ts != TIME_NIL && s->ts > w->clock_ts;
	w->backwards_in_row = steady ? (uint16_t)(w->backwards_in_row + 1) : 1;
	w->clock_ts = s->ts;
	if (w->backwards_in_row <= BACKWARDS_MOST || isnan(s->voltage_v))
		return TWIN_BACKWARDS;
	w->r0_ts = w->tafel_ts = w->temperature_ts = TIME_NIL;
	twin_begin(w, m, s, current_a);
	w->reset = twin_reset_clock;
	return TWIN_USED;
}

/*
 * The current less the sensor's offset. While it is low the milliampere sensor knows
 * better; without one, nothing flows out of a battery on surplus voltage.
 */
static double true_current(const struct twin *w, const struct battery_model *m,
	const struct twin_sample *s)
{
	if (isnan(s->current_a))
		return 0;
	double current_a = s->current_a - w->offset_a;
	if (fabs(s->current_a) >= TWIN_RATE_LOW * m->capacity_ah)
		return current_a;
	if (!isnan(s->float_a))
		return s->float_a;
	bool surplus = w->surface_ah > 0 ||
		       twin_is_surplus(m, s->voltage_v, current_a, w->temperature_c);
	return surplus ? fmax(current_a, 0) : current_a;
}

/* A Hall sensor's offset shows on float, where the true current is next to nothing. */
static void measure_offset(
	struct twin *w, const struct battery_model *m, const struct twin_sample *s)
{
	if (isnan(s->current_a))
		return;
	double gassing = circuit_gassing_a(
		m, w->ln_i0, m->capacity_ah, s->voltage_v, w->temperature_c);
	double flows = s->float_a >= 0 ? s->float_a : fmin(gassing, OFFSET_MOST);
	double z = (s->current_a - flows) / m->capacity_ah;
	z = fmin(fmax(z, -OFFSET_MOST), OFFSET_MOST) * m->capacity_ah;
	if (w->offset_n < OFFSET_SAMPLES)
		w->offset_n++;
	w->offset_a += (float)(z - (double)w->offset_a) / w->offset_n;
}

/* Float for long enough: everything but gassing stands still. True while it does. */
static bool on_float(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a)
{
	bool low = fabs(current_a) < TWIN_RATE_LOW * m->capacity_ah &&
		   w->surface_ah > 0 &&
		   twin_is_surplus(m, s->voltage_v, current_a, w->temperature_c);
	if (!low) {
		w->low_since = TIME_NIL;
		return false;
	}
	if (w->low_since == TIME_NIL)
		w->low_since = s->ts;
	/* The tail of a boost charge: full, but not to the last per cent. */
	if (s->voltage_v > m->float_v + BOOST_OVER_FLOAT_V &&
		s->ts - w->low_since >= TAIL_AFTER_MS && w->ekf.x[EKF_SOC] > 0.8 &&
		w->ekf.p[EKF_SOC][EKF_SOC] > square(1.1 * TAIL_SOC_STD))
		ekf_set(&w->ekf, EKF_SOC, 1, square(TAIL_SOC_STD));
	return s->ts - w->low_since >= FLOAT_AFTER_MS;
}

static void stand_on_float(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a)
{
	if (w->regime != TWIN_FLOAT || fabs(s->voltage_v - w->voltage_v) > 0.05) {
		double r0 = exp(w->ekf.x[EKF_LNR0]);
		double v2 = s->voltage_v - battery_ocv_v(m, 1, w->temperature_c) -
			    current_a * r0;
		ekf_set(&w->ekf, EKF_SOC, 1, square(FLOAT_SOC_STD));
		w->slow_v = 0;
		ekf_set(&w->ekf, EKF_DEEP, 0, 0);
		ekf_set(&w->ekf, EKF_V1, 0, square(0.02));
		ekf_set(&w->ekf, EKF_V2, v2, square(0.05));
		w->residual_v = 0;
		w->error_v = NAN;
		w->regime = TWIN_FLOAT;
	}
	w->surface_ah = (float)twin_surface_ah(m);
	w->rejected_in_row = 0;
	twin_measure_gassing(w, m, s);
}

static enum twin_regime regime_of(
	const struct twin *w, const struct battery_model *m, double current_a)
{
	if (current_a < -TWIN_RATE_FLOWING * m->capacity_ah)
		return TWIN_DISCHARGE;
	if (w->surface_ah > 0)
		return TWIN_SURPLUS;
	return current_a > TWIN_RATE_FLOWING * m->capacity_ah ? TWIN_CHARGE : TWIN_REST;
}

static void filter(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double dt_s)
{
	if (twin_is_surplus(m, s->voltage_v, current_a, w->temperature_c))
		w->surface_ah = (float)twin_surface_ah(m);
	if (w->regime == TWIN_FLOAT) /* variances have stood still: a little for it */
		ekf_inflate(&w->ekf, EKF_SOC, square(FLOAT_SOC_STD));
	double mean_a =
		circuit_mean_a(m, (double)w->step.dt_s, w->current_a, current_a, dt_s);
	twin_follow_discharge(w, m, s, mean_a, dt_s);
	twin_predict(w, m, k, s, current_a, mean_a, dt_s);
	twin_clamp_soc(w, w->surface_ah > 0);
	w->regime = (uint8_t)regime_of(w, m, current_a);
	if (isnan(s->voltage_v))
		return;
	if (twin_correct(w, m, k, s, current_a, dt_s)) {
		w->rejected_in_row = 0;
	} else if (++w->rejected_in_row >= REJECTS_MOST) {
		twin_begin(w, m, s, current_a);
		w->reset = twin_reset_divergence;
	}
}

/* What may be said of the slow states now. */
static void observe(struct twin *w, const struct battery_model *m, int64_t ts)
{
	if (w->discharge.on && w->discharge.out_ah > TWIN_DEPTH_LEAST * m->capacity_ah)
		w->observable |= BIT(observable_capacity);
	if (w->r0_ts != TIME_NIL && ts - w->r0_ts < 2 * HOUR_MS)
		w->observable |= BIT(observable_resistance);
	if (w->regime == TWIN_FLOAT && w->tafel_ts != TIME_NIL &&
		ts - w->tafel_ts <= HOUR_MS)
		w->observable |= BIT(observable_gassing);
}

enum twin_result twin_step(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s)
{
	double current_a = true_current(w, m, s);
	if (w->started && s->ts <= w->ts)
		return backwards(w, m, s, current_a);
	take_temperature(w, m, s);
	twin_measure_resistance(w, m, s);
	if (isnan(s->voltage_v) && (isnan(s->current_a) || !w->started))
		return TWIN_USED;
	if (!w->started) {
		twin_begin(w, m, s, current_a);
		return TWIN_USED;
	}
	double dt_s = (double)(s->ts - w->ts) / 1000;
	w->backwards_in_row = 0;
	w->observable = 0;
	pass_time(w, m, dt_s);
	if (s->ts - w->ts > k->max_gap_ms) {
		if (isnan(s->voltage_v))
			return TWIN_USED;
		twin_begin(w, m, s, current_a);
		w->reset = twin_reset_gap;
		return TWIN_USED;
	}
	struct twin_sample u = *s; /* without the sensor's offset */
	if (!isnan(u.current_a))
		u.current_a = current_a;
	if (on_float(w, m, &u, current_a)) {
		measure_offset(w, m, s);
		stand_on_float(w, m, &u, current_a);
	} else {
		filter(w, m, k, &u, current_a, dt_s);
	}
	observe(w, m, s->ts);
	w->ts = s->ts;
	w->current_a = (float)current_a;
	if (!isnan(s->voltage_v))
		w->voltage_v = (float)s->voltage_v;
	return TWIN_USED;
}
