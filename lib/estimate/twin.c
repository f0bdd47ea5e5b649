#include "estimate/twin_parts.h"
#include "base/timefmt.h"
#include "battery/ocv.h"
#include "battery/rate.h"
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

enum { REJECTS_MOST = 10, BACKWARDS_MOST = 10 };
/* Currents in units of the rated capacity per hour. */
static const double RATE_LOW = 0.02, RATE_STEP = 0.05;
static const double OFFSET_MOST = 0.01;        /* of a current sensor, of C per hour */
static const double SURPLUS_V = 0.12;          /* over the full battery's OCV */
static const double CHARGING_SURPLUS_V = 0.25; /* over float, while current flows */
static const double SURFACE_PART =
	0.02; /* of capacity: discharging it ends surface charge */
static const double FLOAT_SOC_STD = 0.01;
static const int64_t FLOAT_AFTER_MS = DAY_MS;
static const double BOOST_OVER_FLOAT_V = 0.4, TAIL_SOC_STD = 0.02;
static const int64_t TAIL_AFTER_MS = HOUR_MS;
static const int64_t TEMPERATURE_AGE_MS = HOUR_MS;
/* Longer than this, what flowed between two samples is not known. */
static const double LONG_S = 900;
static const double LONG_SOC_PER_H = 0.05;
static const double STEP_LONGEST_S = 10; /* a slower sample mixes R0 with V1 */
static const double LOW_SOC = 0.15, LOW_SOC_V = 0.2; /* the knee is not modelled well */
static const double SURFACE_F_PER_AH = 10;
static const double BASELINE_STD =
	0.12; /* of the model's R0 for a unit not measured new */
static const double SOC_MIN = -0.05, SOC_MAX = 1.05;

static double surface_ah(const struct battery_model *m)
{
	return SURFACE_PART * m->capacity_ah;
}

void twin_init(struct twin *w, const struct battery_model *m,
	const struct twin_origin *o, int reset)
{
	double celsius = isnan(o->temperature_c) ? 25 : o->temperature_c;
	struct wear_start start = {.age_days = o->age_days,
		.acceleration = wear_acceleration(m, celsius),
		.initial_capacity_ah = o->initial_capacity_ah};
	*w = (struct twin){.reset = (uint8_t)reset,
		.temperature_c = (float)celsius,
		.acceleration = (float)start.acceleration,
		.temperature_ts = TIME_NIL,
		.low_since = TIME_NIL,
		.clock_ts = TIME_NIL,
		.ratio_ts = TIME_NIL,
		.r0_ts = TIME_NIL,
		.tafel_ts = TIME_NIL,
		.residual_v = NAN,
		.available = 1,
		.nis = 1,
		.error_v = NAN};
	wear_init(&w->wear, m, &start);
	double r0_sigma = m->r0_sigma > 0 ? m->r0_sigma : 0.065;
	bool measured = o->initial_resistance_mohm > 0;
	w->baseline_mohm = (float)(measured ? o->initial_resistance_mohm : m->r0_mohm);
	w->baseline_var =
		(float)square(measured ? 0.03 : hypot(r0_sigma, BASELINE_STD));
	double x[EKF_N] = {[EKF_SOC] = 0.5, [EKF_LNR0] = log(w->baseline_mohm * 1e-3)};
	double std[EKF_N] = {0.3, 0.02, 0.1, 0.15, 0.1, TWIN_TUNING.bias_v};
	ekf_init(&w->ekf, x, std);
	twin_set_capacity(w, m);
	w->ln_i0 = log(m->gassing_i0_a > 0 ? m->gassing_i0_a : 1e-6);
	double i0_sigma = m->ln_i0_sigma > 0 ? m->ln_i0_sigma : 0.25;
	/* Gassing of a worn block is five times a new one's. */
	w->ln_i0_var = square(hypot(i0_sigma, 0.5));
}

/* ---- the fast filter ---- */

/*
 * The voltage stands above what the full battery has at rest, and no charge current
 * explains it. A small current counts as none whatever its sign: no battery discharges
 * at such a voltage, so it is the sensor's offset.
 */
static bool is_surplus(const struct battery_model *m, double voltage_v,
	double current_a, double celsius)
{
	double low = RATE_LOW * m->capacity_ah;
	if (!(current_a > -low) ||
		!(voltage_v > battery_ocv_v(m, 1, celsius) + SURPLUS_V))
		return false;
	return current_a < low || voltage_v > m->float_v + CHARGING_SURPLUS_V;
}

/* Starts the fast states from one sample alone. Capacity, R0 and Tafel scale stay. */
static void begin(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a)
{
	double celsius = w->temperature_c, soc, std, v1, v2, v2_std = 0.1, unused;
	double r0 = exp(w->ekf.x[EKF_LNR0]);
	w->discharge.on = false;
	w->surface_ah = 0;
	w->low_since = TIME_NIL;
	w->rejected_in_row = w->backwards_in_row = 0;
	w->residual_v = NAN;
	w->regime = TWIN_REST;
	if (is_surplus(m, s->voltage_v, current_a, celsius)) {
		soc = 0.98;
		std = 0.03;
		v1 = 0;
		v2 = s->voltage_v - battery_ocv_v(m, soc, celsius) - current_a * r0;
		w->regime = TWIN_SURPLUS;
		w->surface_ah = (float)surface_ah(m);
	} else {
		bool rest = fabs(current_a) < 0.01 * m->capacity_ah;
		soc = circuit_soc_from_voltage(m, s->voltage_v, current_a, celsius, r0);
		std = rest ? 0.10 : 0.15;
		v1 = circuit_eta1_v(m, current_a, celsius);
		v2 = circuit_eta2_v(m, soc, current_a, 1, &unused);
		v2_std = fmax(v2_std, 0.3 * fabs(v2));
	}
	ekf_set(&w->ekf, EKF_SOC, soc, square(std));
	ekf_set(&w->ekf, EKF_V1, v1, square(fmax(0.02, 0.3 * fabs(v1))));
	ekf_set(&w->ekf, EKF_V2, v2, square(v2_std));
	ekf_inflate(&w->ekf, EKF_LNR0, square(0.15));
	twin_set_capacity(w, m);
	w->started = true;
	w->ts = s->ts;
	w->voltage_v = (float)s->voltage_v;
	w->current_a = (float)current_a;
}

/* The part of the capacity this current can get; kept while the current hardly moves.
 */
static double available(struct twin *w, const struct battery_model *m, double current_a)
{
	double a = -current_a;
	if (a < 0.01 * m->capacity_ah)
		return 1;
	if (fabs(a - w->available_a) > 0.02 * a) {
		double q = exp(w->ekf.x[EKF_LNQ]);
		w->available = (float)battery_rate_fraction(m, a, q);
		w->available_a = (float)a;
	}
	return w->available;
}

/* Surface charge goes with the charge drawn: a capacitor on top of the circuit. */
static void drain_surface(struct twin *w, const struct battery_model *m, double mean_a,
	double target_v, double dt_s, double *noise)
{
	double farad =
		m->surface_f > 0 ? m->surface_f : SURFACE_F_PER_AH * m->capacity_ah;
	double surplus = w->ekf.x[EKF_V2] - target_v;
	if (mean_a < 0) {
		w->surface_ah += (float)(mean_a * dt_s / 3600);
		if (surplus > 0) {
			double gone = fmin(surplus, -mean_a * dt_s / farad);
			w->ekf.x[EKF_V2] -= gone;
			*noise += square(gone);
		}
	}
	w->surface_ah -= (float)(surface_ah(m) * dt_s * 1000 / DAY_MS);
}

static void predict(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double dt_s)
{
	double celsius = w->temperature_c, delta = current_a - w->current_a;
	double mean = 0.5 * (current_a + w->current_a);
	double q = exp(w->ekf.x[EKF_LNQ]);
	double v = isnan(s->voltage_v) ? w->voltage_v : s->voltage_v;
	struct circuit_drive drive = {.mean_a = mean,
		.end_a = current_a,
		.temperature_c = celsius,
		.available = available(w, m, current_a)};
	struct ekf_transition t;
	double extra_v2 = 0;
	if (mean > 0)
		drive.gassing_a =
			fmin(mean, circuit_gassing_a(m, w->ln_i0, q, v, celsius));
	circuit_step_set(&w->step, m, dt_s);
	if (w->surface_ah > 0)
		drain_surface(w, m, mean, 0, dt_s, &extra_v2);
	circuit_predict(m, &w->step, &drive, w->ekf.x, &t);
	double hours = dt_s / 3600;
	t.noise[EKF_SOC] = k->noise_soc * dt_s +
			   square(k->current_gain * mean / q) * hours +
			   square(delta * hours / q) / 12;
	t.noise[EKF_V1] = k->noise_v * dt_s;
	t.noise[EKF_V2] = k->noise_v * dt_s + extra_v2;
	t.noise[EKF_LNR0] = k->noise_lnr0 * dt_s;
	t.bias_bias = 1 - dt_s / (dt_s + k->bias_s);
	w->ekf.x[EKF_BIAS] *= t.bias_bias;
	t.noise[EKF_BIAS] = square(k->bias_v) * (1 - square(t.bias_bias));
	bool idle =
		fmax(fabs(current_a), fabs(w->current_a)) < RATE_LOW * m->capacity_ah;
	if (isnan(s->current_a) || (dt_s > LONG_S && !idle))
		t.noise[EKF_SOC] += square(LONG_SOC_PER_H) * hours * fmax(hours, 1);
	/* When in the interval the current stepped is not known. */
	if (fabs(delta) > TWIN_RATE_FLOWING * m->capacity_ah) {
		double step = circuit_eta1_v(m, current_a, celsius) -
			      circuit_eta1_v(m, w->current_a, celsius);
		t.noise[EKF_V1] += square(step * (1 - w->step.decay1)) / 12;
	}
	/* In surplus V2 stands for what no branch describes, and must follow. */
	if (w->surface_ah > 0)
		t.noise[EKF_V2] += fmin(square(0.05) / 60 * dt_s, square(0.2));
	ekf_predict(&w->ekf, &t);
}

/*
 * A step of the current within a few seconds shows R0: the difference of two voltages,
 * in which the slow errors of the model cancel.
 */
static void measure_step(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double predicted_v, double dt_s)
{
	double delta = s->current_a - w->current_a, celsius = w->temperature_c;
	if (!(fabs(delta) >= RATE_STEP * m->capacity_ah) || dt_s > STEP_LONGEST_S ||
		isnan(w->residual_v) || w->surface_ah > 0)
		return;
	double y = s->voltage_v - predicted_v - w->residual_v;
	double fast = (circuit_eta1_v(m, s->current_a, celsius) -
			      circuit_eta1_v(m, w->current_a, celsius)) *
		      (1 - w->step.decay1);
	double r = 2 * square(0.01) + square(0.5 * fast);
	const double h[EKF_N] = {
		[EKF_LNR0] = delta * exp(w->ekf.x[EKF_LNR0]) *
			     circuit_r0_factor(m, w->ekf.x[EKF_SOC], celsius, NULL)};
	if (square(y) > NIS_REJECT * ekf_innovation_variance(&w->ekf, h, r))
		return;
	ekf_update(&w->ekf, h, r, y, EKF_BIT(EKF_LNR0));
	w->observable |= BIT(observable_resistance);
}

static void clamp_soc(struct twin *w, bool surplus)
{
	double *soc = &w->ekf.x[EKF_SOC];
	/* More charge than fits has gone into gas. */
	double most = surplus ? 1 : SOC_MAX;
	if (*soc <= most && *soc >= SOC_MIN)
		return;
	*soc = *soc > most ? most : SOC_MIN;
	ekf_inflate(&w->ekf, EKF_SOC, square(0.02));
}

/* Returns false when the sample was rejected by the gate. */
static bool correct(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double dt_s)
{
	double h[EKF_N], celsius = w->temperature_c;
	bool surplus = w->surface_ah > 0;
	double predicted = circuit_voltage_v(m, w->ekf.x, current_a, celsius, h);
	if (fabs(current_a - w->current_a) >= RATE_STEP * m->capacity_ah) {
		measure_step(w, m, s, predicted, dt_s);
		predicted = circuit_voltage_v(m, w->ekf.x, current_a, celsius, h);
	}
	double low = fmax(0, fmin(1, (LOW_SOC - w->ekf.x[EKF_SOC]) / LOW_SOC));
	double over = fabs(w->ekf.x[EKF_V1]) + fabs(w->ekf.x[EKF_V2]);
	double r = square(k->sensor_v) + square(LOW_SOC_V * low);
	if (!surplus)
		r += square(k->polarisation * over);
	double y = s->voltage_v - predicted;
	double nis = square(y) / ekf_innovation_variance(&w->ekf, h, r);
	w->error_v = (float)y;
	w->error_square += 0.02f * ((float)square(y) - w->error_square);
	w->nis += 0.02f * ((float)fmin(nis, 100) - w->nis);
	if (nis > NIS_REJECT && surplus) {
		/* V2 is a slack variable there: it is put where the voltage is. */
		ekf_set(&w->ekf, EKF_V2, w->ekf.x[EKF_V2] + y, square(0.1));
		w->residual_v = 0;
		return true;
	}
	if (nis > NIS_REJECT)
		return false;
	unsigned mask = EKF_BIT(EKF_V1) | EKF_BIT(EKF_V2);
	if (!surplus) {
		mask |= EKF_BIT(EKF_SOC) | EKF_BIT(EKF_BIAS);
		w->observable |= BIT(observable_soc);
		r *= fmax(1, k->correlation_s / dt_s);
	}
	if (!surplus && w->discharge.on && w->discharge.learns)
		mask |= EKF_BIT(EKF_LNQ);
	if (nis > NIS_DEWEIGHT)
		r *= nis / NIS_DEWEIGHT * 4;
	ekf_update(&w->ekf, h, r, y, mask);
	w->residual_v = (float)(s->voltage_v -
				circuit_voltage_v(m, w->ekf.x, current_a, celsius, h));
	clamp_soc(w, surplus);
	return true;
}

/* ---- one sample ---- */

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
		w->acceleration = (float)wear_acceleration(m, celsius);
	}
}

static void pass_time(struct twin *w, double dt_s)
{
	double days = dt_s * 1000 / DAY_MS;
	w->days += days;
	w->aged_days += days * w->acceleration;
	w->pending_days += days;
	w->pending_aged_days += days * w->acceleration;
	if (w->pending_days > 1)
		twin_age_until_now(w);
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
	w->ratio_ts = w->r0_ts = w->tafel_ts = w->temperature_ts = TIME_NIL;
	begin(w, m, s, current_a);
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
	if (fabs(s->current_a) >= RATE_LOW * m->capacity_ah)
		return current_a;
	if (!isnan(s->float_a))
		return s->float_a;
	bool surplus = w->surface_ah > 0 ||
		       is_surplus(m, s->voltage_v, current_a, w->temperature_c);
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
	w->offset_n = fminf(w->offset_n + 1, 200);
	w->offset_a += (float)(z - w->offset_a) / w->offset_n;
}

/* Float for long enough: everything but gassing stands still. True while it does. */
static bool on_float(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a)
{
	bool low = fabs(current_a) < RATE_LOW * m->capacity_ah && w->surface_ah > 0 &&
		   is_surplus(m, s->voltage_v, current_a, w->temperature_c);
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
		ekf_set(&w->ekf, EKF_V1, 0, square(0.02));
		ekf_set(&w->ekf, EKF_V2, v2, square(0.05));
		w->residual_v = 0;
		w->regime = TWIN_FLOAT;
	}
	w->surface_ah = (float)surface_ah(m);
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
	if (is_surplus(m, s->voltage_v, current_a, w->temperature_c))
		w->surface_ah = (float)surface_ah(m);
	if (w->regime == TWIN_FLOAT) /* variances have stood still: a little for it */
		ekf_inflate(&w->ekf, EKF_SOC, square(FLOAT_SOC_STD));
	twin_follow_discharge(w, m, s, 0.5 * (current_a + w->current_a), dt_s);
	predict(w, m, k, s, current_a, dt_s);
	clamp_soc(w, w->surface_ah > 0);
	w->regime = (uint8_t)regime_of(w, m, current_a);
	if (isnan(s->voltage_v))
		return;
	if (correct(w, m, k, s, current_a, dt_s)) {
		w->rejected_in_row = 0;
	} else if (++w->rejected_in_row >= REJECTS_MOST) {
		begin(w, m, s, current_a);
		w->reset = twin_reset_divergence;
	}
}

/* What may be said of the slow states now. */
static void observe(struct twin *w, const struct battery_model *m, int64_t ts)
{
	if (w->discharge.on && w->discharge.out_ah > TWIN_DEPTH_LEAST * m->capacity_ah)
		w->observable |= BIT(observable_capacity);
	if (w->ratio_ts != TIME_NIL && ts - w->ratio_ts < HOUR_MS)
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
		begin(w, m, s, current_a);
		return TWIN_USED;
	}
	double dt_s = (double)(s->ts - w->ts) / 1000;
	w->backwards_in_row = 0;
	w->observable = 0;
	pass_time(w, dt_s);
	if (s->ts - w->ts > k->max_gap_ms) {
		if (isnan(s->voltage_v))
			return TWIN_USED;
		begin(w, m, s, current_a);
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
