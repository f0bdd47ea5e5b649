/*
 * Every statistic of a feature record against a second computation: GSL and plain loops
 * over the raw samples of the window, in floating point, that know nothing of panes,
 * rings or fixed-point sums.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gsl/gsl_fit.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#include "window/windows.h"

#define T0 (INT64_C(496008) * HOUR_MS) /* a midnight */
#define J1 "DC-CNX-01-UPS-01-S1-J01"
#define J2 "DC-CNX-01-UPS-01-S1-J02"
#define S1 "DC-CNX-01-UPS-01-S1"
#define STEP_MS (10 * MINUTE_MS)
#define CAPACITY_AH 120.0
#define FLOAT_MIN_V 13.5f
#define FLOAT_MAX_V 13.8f
#define INSTALLED (T0 - 1000 * DAY_MS - 7 * HOUR_MS)
#define BASELINE_MOHM 3.9f

enum { STEPS = 32 * 144, VALUES_MAX = STEPS };

/* What is sampled at one step; string and room a little earlier than the jars. */
struct step {
	bool dropped;
	int64_t ts;
	struct rec_telemetry jar[2];
	struct rec_string_telemetry string;
	struct rec_environment room;
};
static struct step steps[STEPS];
static int rows_seen[721], sags_seen;

/* ---- the samples ---- */

static double noise(gsl_rng *rng, double size)
{
	return size * (2 * gsl_rng_uniform(rng) - 1);
}

/* A discharge of an hour and a half now and then, then a recharge, else float. */
static int mode_of(int i)
{
	int phase = i % 250;
	return phase < 9 ? mode_discharge : phase < 40 ? mode_boost : mode_float;
}

static double current_of(gsl_rng *rng, int mode)
{
	return mode == mode_discharge ? -40 + noise(rng, 5)
	       : mode == mode_boost   ? 15 + noise(rng, 2)
				      : noise(rng, 1);
}

static void make_jar(
	gsl_rng *rng, struct rec_telemetry *t, const struct step *s, int jar)
{
	double day = (double)(s->ts - T0) / DAY_MS;
	int mode = s->string.mode;
	double volts = mode == mode_discharge ? 12 : mode == mode_boost ? 14.2 : 13.65;
	*t = (struct rec_telemetry){.ts = s->ts,
		.battery = str_of(jar ? J2 : J1),
		.voltage_v = (float)(volts + noise(rng, 0.3)),
		.current_a = (float)((double)s->string.current_a + noise(rng, 0.01)),
		.temperature_c = (float)(31 + 6 * sin(6.28 * day) + noise(rng, 7)),
		.resistance_mohm =
			(float)(round(1e3 * (4 + 0.02 * day + noise(rng, 0.2))) / 1e3),
		.mode = mode};
	switch (gsl_rng_uniform_int(rng, 9)) {
	case 0:
		t->current_a = NAN; /* takes the string's */
		break;
	case 1:
		t->mode = ENUM_NIL; /* as well */
		break;
	case 2:
		t->resistance_mohm = 0; /* no measurement */
		t->temperature_c = NAN;
		break;
	case 3:
		t->voltage_v = NAN;
		break;
	default:
		break;
	}
}

static void make_steps(gsl_rng *rng)
{
	int missing = 0;
	for (int i = 0; i < STEPS; i++) {
		struct step *s = &steps[i];
		*s = (struct step){.ts = T0 + i * STEP_MS + 61000 +
					 (int64_t)gsl_rng_uniform_int(rng, 4000)};
		s->string = (struct rec_string_telemetry){.ts = s->ts - 60500,
			.string = str_of(S1),
			.mode = mode_of(i),
			.ripple_voltage_rms_v = (float)(0.2 + noise(rng, 0.1)),
			.thd_pct = (float)(3 + noise(rng, 1)),
			.float_current_a = (float)(0.05 + noise(rng, 0.02))};
		s->string.current_a = (float)current_of(rng, s->string.mode);
		s->room = (struct rec_environment){.ts = s->ts - 60800,
			.sensor = str_of("DC-CNX-01-ENV01"),
			.temperature_c = (float)(24 + noise(rng, 2))};
		make_jar(rng, &s->jar[0], s, 0);
		make_jar(rng, &s->jar[1], s, 1);
		/* One in a while is missing, or five: that is a gap. Never two. */
		if (i > 20 && missing == 0 && !steps[i - 1].dropped &&
			gsl_rng_uniform_int(rng, 40) == 0)
			missing = gsl_rng_uniform_int(rng, 3) ? 1 : 5;
		s->dropped = missing > 0;
		missing -= missing > 0;
	}
}

/* ---- the second computation ---- */

struct span {
	int64_t from, to;
};

/* The jar's samples that came, with what they take from their string. */
static struct rec_telemetry came[STEPS];
static int came_n;
/* The same with the last value of what each lacks, but over a gap. */
static struct rec_telemetry standing[STEPS];

static void stand(int i)
{
	standing[i] = came[i];
	if (i == 0 || came[i].ts - came[i - 1].ts > 35 * MINUTE_MS)
		return;
	if (isnan(came[i].voltage_v))
		standing[i].voltage_v = standing[i - 1].voltage_v;
	if (isnan(came[i].temperature_c))
		standing[i].temperature_c = standing[i - 1].temperature_c;
}

static void gather(void)
{
	came_n = 0;
	for (int i = 0; i < STEPS; i++) {
		if (steps[i].dropped)
			continue;
		struct rec_telemetry t = steps[i].jar[0];
		t.current_a =
			isnan(t.current_a) ? steps[i].string.current_a : t.current_a;
		t.mode = t.mode == ENUM_NIL ? steps[i].string.mode : t.mode;
		t.resistance_mohm = t.resistance_mohm > 0 ? t.resistance_mohm : NAN;
		came[came_n] = t;
		stand(came_n++);
	}
}

static bool inside(struct span w, int64_t ts)
{
	return ts >= w.from && ts < w.to;
}

static float voltage(const struct rec_telemetry *t)
{
	return t->voltage_v;
}
static float temperature(const struct rec_telemetry *t)
{
	return t->temperature_c;
}
static float current(const struct rec_telemetry *t)
{
	return t->current_a;
}
static float resistance(const struct rec_telemetry *t)
{
	return t->resistance_mohm;
}

/* The values of one quantity in a window, and their times in days since its start. */
static double values[VALUES_MAX], times[VALUES_MAX];

static size_t collect(struct span w, float (*quantity)(const struct rec_telemetry *))
{
	size_t n = 0;
	for (int i = 0; i < came_n; i++) {
		double v = (double)quantity(&came[i]);
		if (!inside(w, came[i].ts) || isnan(v))
			continue;
		times[n] = (double)((came[i].ts - w.from) / SECOND_MS) / 86400;
		values[n++] = v;
	}
	return n;
}

/* Milliseconds of the window over which sample i holds: none where a gap follows. */
static double held_ms(struct span w, int i)
{
	if (i + 1 == came_n || came[i + 1].ts - came[i].ts > 35 * MINUTE_MS)
		return 0;
	int64_t from = came[i].ts > w.from ? came[i].ts : w.from;
	int64_t to = came[i + 1].ts < w.to ? came[i + 1].ts : w.to;
	return to > from ? (double)(to - from) : 0;
}

/* The sum of a weight over the time of the window, in hours. */
static double integral(struct span w, double (*weight)(const struct rec_telemetry *))
{
	double sum = 0;
	for (int i = 0; i < came_n; i++)
		sum += held_ms(w, i) * weight(&standing[i]) / HOUR_MS;
	return sum;
}

static double any(const struct rec_telemetry *t)
{
	return t != NULL;
}
static double above_30(const struct rec_telemetry *t)
{
	return t->temperature_c > 30;
}
static double above_35(const struct rec_telemetry *t)
{
	return t->temperature_c > 35;
}
static double above_40(const struct rec_telemetry *t)
{
	return t->temperature_c > 40;
}

static double arrhenius(const struct rec_telemetry *t)
{
	const double charge = 1.602176634e-19, boltzmann = 1.380649e-23;
	if (isnan(t->temperature_c))
		return 0;
	return exp(0.6 * charge / boltzmann *
		   (1 / 298.15 - 1 / (273.15 + (double)t->temperature_c)));
}

static bool discharging(const struct rec_telemetry *t)
{
	return t->mode == mode_discharge || (double)t->current_a < -0.02 * CAPACITY_AH;
}

static double out_a(const struct rec_telemetry *t)
{
	return discharging(t) ? -(double)t->current_a : 0;
}

static double in_a(const struct rec_telemetry *t)
{
	return discharging(t) ? 0 : (double)t->current_a;
}

static double below_float(const struct rec_telemetry *t)
{
	return t->mode == mode_float && t->voltage_v < FLOAT_MIN_V;
}

static double above_float(const struct rec_telemetry *t)
{
	return t->mode == mode_float && t->voltage_v > FLOAT_MAX_V;
}

/* ---- comparing ---- */

static const struct rec_feature *row; /* the one that is looked at */

static void same(const char *what, double got, double want, double tol)
{
	if (isnan(got) && isnan(want))
		return;
	if (!(fabs(got - want) <= tol))
		fail_msg("%s of %d h until hour %lld: %.9g, but %.9g", what,
			row->window_h, (long long)((row->ts - T0) / HOUR_MS), got,
			want);
}

static void missing(float x)
{
	assert_true(isnan(x));
}

static void check_voltage(struct span w)
{
	size_t n = collect(w, voltage);
	if (n == 0)
		return missing(row->v_mean_v);
	double most = gsl_stats_max(values, 1, n), least = gsl_stats_min(values, 1, n);
	same("v_mean", (double)row->v_mean_v, gsl_stats_mean(values, 1, n), 1e-5);
	same("v_std", (double)row->v_std_v, n < 2 ? NAN : gsl_stats_sd(values, 1, n),
		1e-5);
	same("v_min", (double)row->v_min_v, least, 0);
	same("v_max", (double)row->v_max_v, most, 0);
	same("v_range", (double)row->v_range_v, most - least, 1e-6);
}

static void check_temperature(struct span w)
{
	size_t n = collect(w, temperature);
	if (n == 0)
		return missing(row->t_mean_c);
	same("t_mean", (double)row->t_mean_c, gsl_stats_mean(values, 1, n), 1e-4);
	same("t_std", (double)row->t_std_c, n < 2 ? NAN : gsl_stats_sd(values, 1, n),
		1e-4);
	same("t_max", (double)row->t_max_c, gsl_stats_max(values, 1, n), 0);
	same("above 30", (double)row->hours_above_30c, integral(w, above_30), 1e-4);
	same("above 35", (double)row->hours_above_35c, integral(w, above_35), 1e-4);
	same("above 40", (double)row->hours_above_40c, integral(w, above_40), 1e-4);
	double ageing = integral(w, arrhenius);
	same("arrhenius", (double)row->arrhenius_hours, ageing, 2e-6 * ageing);
}

static void check_resistance(struct span w)
{
	double c0, slope, cov00, cov01, cov11, sumsq;
	size_t n = collect(w, resistance);
	if (n == 0)
		return missing(row->r_mean_mohm);
	double mean = gsl_stats_mean(values, 1, n);
	same("r_latest", (double)row->r_latest_mohm, values[n - 1], 0);
	same("r_mean", (double)row->r_mean_mohm, mean, 1e-6);
	same("r_baseline", (double)row->r_baseline_pct,
		100 * mean / (double)BASELINE_MOHM, 1e-4);
	same("conductance", (double)row->conductance_s, 1000 / mean, 1e-4);
	if (n < 3)
		return;
	gsl_fit_linear(
		times, 1, values, 1, n, &c0, &slope, &cov00, &cov01, &cov11, &sumsq);
	double error = sqrt(cov11);
	same("slope", (double)row->r_slope_mohm_per_day, slope, 1e-4 * error + 1e-7);
	same("slope's error", (double)row->r_slope_stderr, error, 1e-4 * error);
}

static void check_current(struct span w)
{
	size_t n = collect(w, current);
	double out = integral(w, out_a), in = integral(w, in_a);
	double most = 0;
	for (size_t i = 0; i < n; i++)
		most = fmax(most, fabs(values[i]));
	same("i_mean", (double)row->i_mean_a, gsl_stats_mean(values, 1, n), 1e-4);
	same("i_std", (double)row->i_std_a, n < 2 ? NAN : gsl_stats_sd(values, 1, n),
		1e-4);
	same("i_abs_max", (double)row->i_abs_max_a, most, 0);
	same("ah_out", (double)row->ah_out, out, 1e-4 + 1e-6 * out);
	same("ah_in", (double)row->ah_in, fmax(in, 0), 1e-3 + 1e-6 * fabs(in));
	same("cycles", (double)row->equivalent_cycles, out / CAPACITY_AH, 1e-5);
	same("below float", (double)row->minutes_below_float,
		60 * integral(w, below_float), 1e-2);
	same("above float", (double)row->minutes_above_float,
		60 * integral(w, above_float), 1e-2);
}

static bool is_surge(int i)
{
	return i > 0 && came[i].ts - came[i - 1].ts <= 35 * MINUTE_MS &&
	       fabs((double)came[i].current_a) - fabs((double)came[i - 1].current_a) >=
		       0.25 * CAPACITY_AH;
}

static void check_events(struct span w)
{
	int n = 0, discharges = 0, surges = 0, gaps = 0;
	for (int i = 0; i < came_n; i++) {
		if (!inside(w, came[i].ts))
			continue;
		n++;
		discharges +=
			discharging(&came[i]) && (i == 0 || !discharging(&came[i - 1]));
		surges += is_surge(i);
		gaps += i + 1 < came_n && came[i + 1].ts - came[i].ts > 35 * MINUTE_MS;
	}
	same("count", (double)row->count, n, 0);
	same("discharges", row->discharge_events, discharges, 0);
	same("surges", row->surge_events, surges, 0);
	same("gaps", row->gap_count, gaps, 0);
	same("coverage", (double)row->coverage, integral(w, any) / row->window_h, 1e-6);
}

/* The charge missing since the last full charge, at its deepest within the window. */
static double deepest_ah(struct span w)
{
	double depth = 0, deepest = 0;
	for (int i = 0; i < came_n && came[i].ts < w.to; i++) {
		double a = (double)came[i].current_a;
		double before = held_ms((struct span){T0, w.from}, i);
		double within = held_ms(w, i);
		if (came[i].mode == mode_float && fabs(a) < 0.01 * CAPACITY_AH)
			depth = 0;
		if (a < 0 && !discharging(&came[i]))
			continue; /* noise on float takes nothing out */
		depth = fmax(depth - a * before / HOUR_MS, 0);
		deepest = within > 0 ? fmax(deepest, depth) : deepest;
		depth = fmax(depth - a * within / HOUR_MS, 0);
		deepest = within > 0 ? fmax(deepest, depth) : deepest;
	}
	return deepest;
}

/* Mean of (own - theirs) over the parts of the window, weighted by own samples. */
struct pairing {
	double own, theirs;
	int own_n, theirs_n;
};

static void pair_voltage(struct pairing *p, const struct step *s)
{
	for (int jar = 0; jar < 2; jar++) {
		double v = (double)s->jar[jar].voltage_v;
		p->own += jar == 0 && !isnan(v) ? v : 0;
		p->own_n += jar == 0 && !isnan(v);
		p->theirs += isnan(v) ? 0 : v;
		p->theirs_n += !isnan(v);
	}
}

static void pair_temperature(struct pairing *p, const struct step *s)
{
	double t = (double)s->jar[0].temperature_c;
	p->own += isnan(t) ? 0 : t;
	p->own_n += !isnan(t);
}

static double difference(struct span w, bool rise)
{
	int64_t part = w.to - w.from > DAY_MS ? DAY_MS : HOUR_MS;
	double sum = 0;
	int n = 0;
	for (int64_t at = w.from; at < w.to; at += part) {
		struct span now = {at, at + part};
		struct pairing p = {0};
		for (int i = 0; i < STEPS; i++) {
			const struct step *s = &steps[i];
			if (rise && inside(now, s->room.ts)) {
				p.theirs += (double)s->room.temperature_c;
				p.theirs_n++;
			}
			if (!s->dropped && inside(now, s->ts))
				(rise ? pair_temperature : pair_voltage)(&p, s);
		}
		/* a mean of its own alone is none to compare with */
		if (p.own_n > 0 && p.theirs_n > (rise ? 0 : p.own_n)) {
			sum += p.own - p.own_n * p.theirs / p.theirs_n;
			n += p.own_n;
		}
	}
	return n > 0 ? sum / n : NAN;
}

static void check_shared(struct span w)
{
	double ripple = 0, thd = 0;
	int n = 0;
	for (int i = 0; i < STEPS; i++) {
		if (!inside(w, steps[i].string.ts))
			continue;
		ripple += (double)steps[i].string.ripple_voltage_rms_v;
		thd += (double)steps[i].string.thd_pct;
		n++;
	}
	same("ripple", (double)row->ripple_mean_v, ripple / n, 1e-5);
	same("thd", (double)row->thd_mean_pct, thd / n, 1e-4);
	same("imbalance", (double)row->v_imbalance_v, difference(w, false), 2e-5);
	same("rise", (double)row->t_rise_k, difference(w, true), 2e-4);
}

/* The last hour in which every sample is a discharge, a tenth of the capacity deep. */
static double last_sag(int64_t until)
{
	for (int64_t at = until - HOUR_MS; at >= T0; at -= HOUR_MS) {
		struct span hour = {at, at + HOUR_MS};
		int n = 0, on = 0;
		for (int i = 0; i < came_n; i++) {
			n += inside(hour, came[i].ts);
			on += inside(hour, came[i].ts) && discharging(&came[i]);
		}
		if (n > 0 && on == n && deepest_ah(hour) >= 0.1 * CAPACITY_AH &&
			!isnan(difference(hour, false)))
			return difference(hour, false);
	}
	return NAN;
}

static void check_float_current(struct span w)
{
	double sum = 0;
	int n = 0;
	for (int i = 0; i < STEPS; i++) {
		const struct rec_string_telemetry *t = &steps[i].string;
		if (!inside(w, t->ts) || t->mode != mode_float)
			continue;
		sum += (double)t->float_current_a;
		n++;
	}
	double warmer = (double)row->t_mean_c - 25;
	same("float current", (double)row->float_current_ma,
		n ? 1000 * sum / n * exp(-0.06 * warmer) : NAN, 1e-3);
}

/* Capacity tests in the order they are told; the jar's own before the string's. */
static const struct {
	int64_t ts;
	const char *subject;
	float pct;
} TESTS[] = {
	{INSTALLED - DAY_MS, J1, 99}, /* of the block before */
	{T0 + 5 * DAY_MS + HOUR_MS, S1, 90},
	{T0 + 5 * DAY_MS + HOUR_MS, J2, 92},
	{T0 + 9 * DAY_MS, S1, 91},
	{T0 + 9 * DAY_MS, J1, 93},
	{T0 + 20 * DAY_MS + 7, S1, 88},
};

static void check_tests(void)
{
	int last = -1;
	for (int i = 0; i < (int)(sizeof(TESTS) / sizeof(*TESTS)); i++)
		if (strcmp(TESTS[i].subject, J2) != 0 && TESTS[i].ts >= INSTALLED &&
			TESTS[i].ts <= row->ts)
			last = i;
	same("test", (double)row->capacity_test_pct,
		last < 0 ? NAN : (double)TESTS[last].pct, 0);
	same("days since", (double)row->capacity_test_days,
		last < 0 ? NAN
			 : floor((double)(row->ts - TESTS[last].ts) / HOUR_MS) / 24,
		1e-5);
}

static void check_calendar(void)
{
	time_t seconds = row->ts / SECOND_MS;
	struct tm tm;
	assert_non_null(gmtime_r(&seconds, &tm));
	double year = 2 * M_PI * (tm.tm_yday + tm.tm_hour / 24.0) / 365.2425;
	same("season", (double)row->season_sin, sin(year), 1e-6);
	same("season", (double)row->season_cos, cos(year), 1e-6);
	same("age", (double)row->age_days, (double)(row->ts - INSTALLED) / DAY_MS,
		1e-3);
}

static void check_row(void *arg, const struct rec_feature *f)
{
	if (!str_is(f->battery, J1))
		return;
	row = f;
	struct span w = {f->ts - f->window_h * HOUR_MS, f->ts};
	rows_seen[f->window_h]++;
	/* every row of days, of the hourly ones a share: it takes its time */
	if (f->window_h <= 24 && f->ts / HOUR_MS % 7 != 3)
		return;
	check_events(w);
	check_voltage(w);
	check_temperature(w);
	check_resistance(w);
	check_current(w);
	same("deepest", (double)row->deepest_dod_pct, 100 * deepest_ah(w) / CAPACITY_AH,
		2e-3);
	same("sag", (double)row->discharge_imbalance_v, last_sag(w.to), 2e-5);
	sags_seen += !isnan(row->discharge_imbalance_v);
	check_shared(w);
	check_float_current(w);
	check_tests();
	check_calendar();
}

/* ---- the test ---- */

static void use(struct windows *w, int kind, const void *rec)
{
	assert_int_equal(windows_add(w, kind, rec), WINDOWS_USED);
}

static void books(struct windows *w)
{
	struct rec_battery_model m = {.name = str_of("HX12-120"),
		.capacity_ah = (float)CAPACITY_AH,
		.float_min_v = FLOAT_MIN_V,
		.float_max_v = FLOAT_MAX_V};
	struct rec_battery b = {.code = str_of(J1),
		.model = str_of("HX12-120"),
		.unit = 0,
		.installed = INSTALLED,
		.initial_resistance_mohm = BASELINE_MOHM};
	use(w, KIND_battery_model, &m);
	use(w, KIND_battery, &b);
}

/* Tells the tests that have been since the last step. */
static void tell_tests(struct windows *w, int64_t from, int64_t until)
{
	for (size_t i = 0; i < sizeof(TESTS) / sizeof(*TESTS); i++) {
		struct rec_capacity_test t = {.ts = TESTS[i].ts,
			.subject = str_of(TESTS[i].subject),
			.pct_of_rated = TESTS[i].pct};
		if (t.ts >= from && t.ts < until)
			use(w, KIND_capacity_test, &t);
	}
}

static void every_statistic(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct windows_config c = {.windows_h = {1, 24, 168, 720},
		.every_h = 1,
		.lateness_ms = 5 * MINUTE_MS,
		.max_gap_ms = 2 * HOUR_MS,
		.emit = check_row};
	struct windows *w = windows_new(&c);
	assert_non_null(w);
	books(w);
	make_steps(rng);
	gather();
	for (int i = 0; i < STEPS; i++) {
		tell_tests(w, i ? steps[i - 1].ts : TIME_MIN, steps[i].ts);
		use(w, KIND_environment, &steps[i].room);
		use(w, KIND_string_telemetry, &steps[i].string);
		for (int jar = 0; jar < 2 && !steps[i].dropped; jar++)
			use(w, KIND_telemetry, &steps[i].jar[jar]);
	}
	assert_true(rows_seen[1] > 700 && rows_seen[24] > 700);
	assert_int_equal(rows_seen[168], 31);
	assert_int_equal(rows_seen[720], 31);
	assert_true(sags_seen > 100);
	windows_free(w);
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_statistic),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
