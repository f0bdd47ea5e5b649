/* The fast states: start, prediction and correction by one sample. */
#include "estimate/twin_parts.h"
#include "base/timefmt.h"
#include "battery/ocv.h"
#include "battery/rate.h"
#include "record/kinds.h"

#include <math.h>

/* Of the capacity per hour: a step of the current that shows R0 (fact sheet, section
 * 6).
 */
static const double RATE_STEP = 0.05;
static const double STEP_LONGEST_S = 90; /* a slower sample mixes R0 with V1 [E] */
static const double LOW_SOC = 0.15,
		    LOW_SOC_V = 0.2; /* the knee is not modelled well [E] */
/*
 * A fitted model's error was measured, and is a state, EKF_BIAS: it lasts for hours as
 * the residuals of fits do [M, UB121000, BBOXX]. What changes from sample to sample is
 * a small part of it. Where it was not, R is a guess at all of it and weighs by its
 * correlation time.
 */
static const double MODEL_ERROR_S = 7200, WHITE_SHARE = 0.25, WHITE_LEAST_V = 0.003;
/* Longer than this, what flowed between two samples is not known [E]. */
static const double LONG_S = 900;
static const double LONG_SOC_PER_H = 0.05;
static const double FAR_SOC = 0.005; /* the OCV is a straight line that far */
enum { ITERATIONS_MOST = 5 };
static const double SOC_MIN = -0.05, SOC_MAX = 1.05; /* fact sheet, section 6 */
static const double CHARGING_SURPLUS_V = 0.25; /* over float, while current flows [E] */
static const double UNKNOWN_LOAD_V = 0.2;      /* drop by a load not measured [E] */
static const double SURPLUS_V = 0.12;          /* over the full battery's OCV [E] */
/* The highest rest hours after charging [M: 13.24 V UB121000, 13.3 V BBOXX]: what float
 * has more goes at once. And how well the deep part of the surface charge is known [E].
 */
static const double REST_V_PER_CELL = 2.21, DEEP_STD = 0.05;
static const double DEEP_CHANGE = 0.1;    /* of it, within the charge it takes [E] */
static const double SURPLUS_HOLD_S = 900; /* the highest V2 is remembered [E] */
/* V^2/s: enough that variances never fade into numbers slow to reckon with; and a deep
 * part as small is gone. */
static const double BRANCH_NOISE = 1e-12, DEEP_LEAST_V = 1e-6;
static const double BRANCH_STD = 0.1; /* of a settled branch, relative [E] */

bool twin_is_surplus(const struct battery_model *m, double voltage_v, double current_a,
	double celsius)
{
	double low = TWIN_RATE_LOW * m->capacity_ah;
	if (!(current_a > -low) ||
		!(voltage_v > battery_ocv_v(m, 1, celsius) + SURPLUS_V))
		return false;
	return current_a < low || voltage_v > m->float_v + CHARGING_SURPLUS_V;
}

void twin_begin(struct twin *w, const struct battery_model *m,
	const struct twin_sample *s, double current_a)
{
	double celsius = w->temperature_c, soc, std, v1, v2, v2_std = 0.1, unused;
	double r0 = exp(w->ekf.x[EKF_LNR0]);
	w->discharge.on = false;
	w->surface_ah = 0;
	w->low_since = TIME_NIL;
	w->rejected_in_row = w->backwards_in_row = 0;
	w->slow_v = w->surplus_v = 0;
	w->residual_v = NAN;
	w->regime = TWIN_REST;
	if (twin_is_surplus(m, s->voltage_v, current_a, celsius)) {
		soc = 0.98;
		std = 0.03;
		v1 = 0;
		v2 = s->voltage_v - battery_ocv_v(m, soc, celsius) - current_a * r0;
		w->regime = TWIN_SURPLUS;
		w->surface_ah = (float)twin_surface_ah(m);
	} else {
		bool rest = fabs(current_a) < 0.01 * m->capacity_ah;
		/* Taken as settled, as the others are. */
		w->slow_v = rest ? 0 : (float)(current_a * m->slow_mohm * 1e-3);
		soc = circuit_soc_from_voltage(
			m, s->voltage_v - w->slow_v, current_a, celsius, r0);
		std = rest ? 0.10 : 0.15;
		v1 = circuit_eta1_v(m, current_a, celsius);
		v2 = circuit_eta2_v(m, soc, current_a, 1, &unused);
		v2_std = fmax(v2_std, 0.3 * fabs(v2));
	}
	ekf_set(&w->ekf, EKF_SOC, soc, square(std));
	ekf_set(&w->ekf, EKF_DEEP, 0, 0);
	ekf_set(&w->ekf, EKF_V1, v1, square(fmax(0.02, 0.3 * fabs(v1))));
	ekf_set(&w->ekf, EKF_V2, v2, square(v2_std));
	ekf_inflate(&w->ekf, EKF_LNR0, square(0.15));
	twin_set_capacity(w, m);
	w->started = true;
	w->ts = s->ts;
	w->voltage_v = (float)s->voltage_v;
	w->current_a = (float)current_a;
}

/*
 * Below the full battery's OCV there is no surplus, whatever current nobody measures;
 * it may pull the voltage down by some tenths of a volt, for which V2 stands.
 */
static void follow_unknown_load(struct twin *w, const struct battery_model *m,
	double voltage_v, struct ekf_transition *t)
{
	if (w->surface_ah > 0 &&
		voltage_v < battery_ocv_v(m, 1, w->temperature_c) - SURPLUS_V) {
		w->surface_ah = 0;
		ekf_set(&w->ekf, EKF_V1, 0, 0);
		ekf_set(&w->ekf, EKF_V2, 0, square(UNKNOWN_LOAD_V));
	}
	if (w->surface_ah <= 0)
		t->noise[EKF_V2] +=
			square(UNKNOWN_LOAD_V) * (1 - square(w->step.decay2));
}

static double white_v(const struct battery_model *m)
{
	return m->voltage_noise_v > 0
		       ? m->voltage_noise_v
		       : fmax(WHITE_SHARE * m->model_error_v, WHITE_LEAST_V);
}

struct twin_noise twin_noise(const struct battery_model *m, const struct twin_tuning *k)
{
	if (!(m->model_error_v > 0))
		return (struct twin_noise){k->bias_v, k->bias_s, k->sensor_v};
	return (struct twin_noise){m->model_error_v,
		m->model_error_s > 0 ? m->model_error_s : MODEL_ERROR_S, white_v(m)};
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

/*
 * Where a discharge begins on surplus voltage, the deep part of the surface charge
 * leaves V2, which follows the rest of it.
 */
static void begin_deep(struct twin *w, const struct battery_model *m, double current_a)
{
	if (!(m->surface_deep > 0) || w->surface_ah <= 0 || w->ekf.x[EKF_DEEP] > 0 ||
		!(current_a < -TWIN_RATE_FLOWING * m->capacity_ah))
		return;
	double most =
		REST_V_PER_CELL * m->cells - battery_ocv_v(m, 1, w->temperature_c);
	struct surface parts;
	surface_set(&parts, m, fmin(fmaxf(w->surplus_v, 0), fmax(most, 0)));
	w->ekf.x[EKF_V2] -= parts.deep_v;
	ekf_set(&w->ekf, EKF_DEEP, parts.deep_v, square(DEEP_STD * parts.deep_v));
}

/* Surface charge goes with the charge drawn. */
static void drain_surface(struct twin *w, const struct battery_model *m, double mean_a,
	double dt_s, double *noise)
{
	/* A sample may catch the load coming beside a current of 0: the rest was
	 * before. */
	w->surplus_v *= (float)exp(-dt_s / SURPLUS_HOLD_S);
	w->surplus_v = fmaxf(w->surplus_v, (float)w->ekf.x[EKF_V2]);
	double surplus = w->ekf.x[EKF_V2];
	if (mean_a < 0) {
		w->surface_ah += (float)(mean_a * dt_s / 3600);
		if (surplus > 0) {
			double gone =
				surplus - surface_quick_v(m, surplus, -mean_a * dt_s);
			w->ekf.x[EKF_V2] -= gone;
			*noise += square(gone);
		}
	}
	w->surface_ah -= (float)(twin_surface_ah(m) * dt_s * 1000 / DAY_MS);
}

/* The surface charge is drawn: V2, which stood for whatever came, is a branch again. */
static void end_surplus(struct twin *w, const struct battery_model *m, double current_a)
{
	double unused, eta1 = circuit_eta1_v(m, current_a, w->temperature_c);
	double eta2 = circuit_eta2_v(m, w->ekf.x[EKF_SOC], current_a, 1, &unused);
	ekf_set(&w->ekf, EKF_V1, eta1, square(BRANCH_STD * eta1));
	ekf_set(&w->ekf, EKF_V2, eta2, square(BRANCH_STD * eta2));
}

void twin_predict(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double mean_a, double dt_s)
{
	double celsius = w->temperature_c, delta = current_a - w->current_a;
	double q = exp(w->ekf.x[EKF_LNQ]);
	double v = isnan(s->voltage_v) ? w->voltage_v : s->voltage_v;
	struct circuit_drive drive = {.mean_a = mean_a,
		.end_a = current_a,
		.temperature_c = celsius,
		.available = available(w, m, current_a)};
	struct ekf_transition t;
	double extra_v2 = 0;
	if (mean_a > 0)
		drive.gassing_a =
			fmin(mean_a, circuit_gassing_a(m, w->ln_i0, q, v, celsius));
	circuit_step_set(&w->step, m, dt_s);
	if (w->surface_ah > 0) {
		drain_surface(w, m, mean_a, dt_s, &extra_v2);
		begin_deep(w, m, current_a);
		if (w->surface_ah <= 0 && mean_a < 0 && m->voltage_noise_v > 0)
			end_surplus(w, m, current_a);
	}
	double settled = circuit_eta3_v(m, w->ekf.x[EKF_SOC], mean_a, drive.available);
	circuit_predict(m, &w->step, &drive, w->ekf.x, &t);
	w->slow_v = (float)openloop_slow_v(m, w->slow_v, settled, dt_s);
	double hours = dt_s / 3600;
	t.noise[EKF_SOC] = k->noise_soc * dt_s +
			   square(k->current_gain * mean_a / q) * hours +
			   square(delta * hours / q) / 12;
	/* Where the error of the whole was identified, that of the branches is in it.
	 */
	double noise_v = m->voltage_noise_v > 0 ? BRANCH_NOISE : k->noise_v;
	t.noise[EKF_V1] = noise_v * dt_s;
	t.noise[EKF_V2] = noise_v * dt_s + extra_v2;
	t.noise[EKF_LNR0] = k->noise_lnr0 * dt_s;
	struct twin_noise noise = twin_noise(m, k);
	t.bias_bias = 1 - dt_s / (dt_s + noise.bias_s);
	w->ekf.x[EKF_BIAS] *= t.bias_bias;
	t.deep_deep = surface_deep_left(m, fmax(-mean_a, 0) * dt_s);
	t.noise[EKF_DEEP] =
		square(DEEP_CHANGE * w->ekf.x[EKF_DEEP]) * (1 - square(t.deep_deep));
	w->ekf.x[EKF_DEEP] *= t.deep_deep;
	t.noise[EKF_BIAS] = square(noise.bias_v) * (1 - square(t.bias_bias));
	bool idle = fmax(fabs(current_a), fabs(w->current_a)) <
		    TWIN_RATE_LOW * m->capacity_ah;
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
	if (isnan(s->current_a))
		follow_unknown_load(w, m, v, &t);
	ekf_predict(&w->ekf, &t);
	if (w->ekf.x[EKF_DEEP] != 0 && fabs(w->ekf.x[EKF_DEEP]) < DEEP_LEAST_V)
		ekf_set(&w->ekf, EKF_DEEP, 0, 0);
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

void twin_clamp_soc(struct twin *w, bool surplus)
{
	double *soc = &w->ekf.x[EKF_SOC];
	/* More charge than fits has gone into gas. */
	double most = surplus ? 1 : SOC_MAX;
	if (*soc <= most && *soc >= SOC_MIN)
		return;
	*soc = *soc > most ? most : SOC_MIN;
	ekf_inflate(&w->ekf, EKF_SOC, square(0.02));
}

/* The terminal voltage the twin expects. */
static double voltage_v(const struct twin *w, const struct battery_model *m,
	double current_a, double h[EKF_N])
{
	return circuit_voltage_v(m, w->ekf.x, current_a, w->temperature_c, h) +
	       (double)w->slow_v;
}

/*
 * The voltage told how much OCV and bias are together. Where the update moved the SOC,
 * the slope of the OCV is another, and the next update would tell the two apart by the
 * difference of the slopes, as no data did. So what is known of the sum is kept: the
 * bias takes what the OCV's curve differs from the straight line of h, in value and in
 * covariance.
 */
static void keep_sum(struct twin *w, const struct battery_model *m, double current_a,
	const double h[EKF_N], double told_v)
{
	double at[EKF_N];
	double v = voltage_v(w, m, current_a, at);
	w->ekf.x[EKF_BIAS] += told_v - v;
	ekf_shear(&w->ekf, EKF_BIAS, EKF_SOC, h[EKF_SOC] - at[EKF_SOC]);
}

static double along(
	const double h[EKF_N], const double from[EKF_N], const double to[EKF_N])
{
	double v = 0;
	for (int j = 0; j < EKF_N; j++)
		v += h[j] * (to[j] - from[j]);
	return v;
}

/*
 * The update. The first after a start may move the SOC far, and is iterated: the slope
 * of the OCV is another there. Once a voltage has 'tied' SOC and bias to one another,
 * it is not: by another slope the same tie would be another. Returns the voltage
 * expected after it.
 */
static double update(struct twin *w, const struct battery_model *m, double measured_v,
	double current_a, double h[EKF_N], double r, double y, unsigned mask, bool tied)
{
	const struct ekf before = w->ekf;
	double soc = before.x[EKF_SOC], line_v = measured_v - y;
	ekf_update(&w->ekf, h, r, y, mask);
	for (int i = 0; !tied && i < ITERATIONS_MOST; i++) {
		if (fabs(w->ekf.x[EKF_SOC] - soc) < FAR_SOC)
			break;
		soc = w->ekf.x[EKF_SOC];
		line_v = voltage_v(w, m, current_a, h) - along(h, before.x, w->ekf.x);
		w->ekf = before;
		ekf_update(&w->ekf, h, r, measured_v - line_v, mask);
	}
	double told_v = line_v + along(h, before.x, w->ekf.x);
	if (mask & EKF_BIT(EKF_SOC))
		keep_sum(w, m, current_a, h, told_v);
	return told_v;
}

bool twin_correct(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s, double current_a,
	double dt_s)
{
	double h[EKF_N];
	bool surplus = w->surface_ah > 0;
	double predicted = voltage_v(w, m, current_a, h);
	if (fabs(current_a - w->current_a) >= RATE_STEP * m->capacity_ah) {
		measure_step(w, m, s, predicted, dt_s);
		predicted = voltage_v(w, m, current_a, h);
	}
	double low = fmax(0, fmin(1, (LOW_SOC - w->ekf.x[EKF_SOC]) / LOW_SOC));
	double over = fabs(w->ekf.x[EKF_V1]) + fabs(w->ekf.x[EKF_V2]);
	double r = square(LOW_SOC_V * low);
	bool measured = m->model_error_v > 0;
	if (measured)
		r += square(white_v(m));
	else
		r += square(k->sensor_v) +
		     (surplus ? 0 : square(k->polarisation * over));
	double y = s->voltage_v - predicted;
	double variance = ekf_innovation_variance(&w->ekf, h, 0);
	double nis = square(y) / (variance + r);
	/* Where V2 follows whatever comes, the error says nothing of the model. */
	w->error_v = surplus ? NAN : (float)y;
	if (!surplus) {
		w->error_square += 0.02f * ((float)square(y) - w->error_square);
		w->nis += 0.02f * ((float)fmin(nis, 100) - w->nis);
	}
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
		mask |= EKF_BIT(EKF_SOC) | EKF_BIT(EKF_BIAS) | EKF_BIT(EKF_DEEP);
		w->observable |= BIT(observable_soc);
		if (!measured)
			r *= fmax(1, k->correlation_s / dt_s);
	}
	if (!surplus && w->discharge.on && w->discharge.learns)
		mask |= EKF_BIT(EKF_LNQ);
	if (nis > NIS_DEWEIGHT)
		r *= nis / NIS_DEWEIGHT * 4;
	bool tied = variance < square(h[EKF_SOC]) * w->ekf.p[EKF_SOC][EKF_SOC];
	w->residual_v = (float)(s->voltage_v - update(w, m, s->voltage_v, current_a, h,
						       r, y, mask, tied));
	twin_clamp_soc(w, surplus);
	return true;
}
