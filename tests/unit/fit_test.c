/*
 * Identification: from a record the circuit itself has made, the parameters must come
 * back; from one that cannot show them it must say so.
 */
#include "battery/ocv.h"
#include "battery/rate.h"
#include "estimate/evaluate.h"
#include "estimate/fit_parts.h"
#include "estimate/surface.h"

#include <gsl/gsl_errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "near.h"

static struct battery_model hx12;
static const int64_t T0 = INT64_C(1788000000000);

static int load(void **state)
{
	struct err err = {0};
	(void)state;
	gsl_set_error_handler_off();
	return battery_model_named("hx12-120", &hx12, &err);
}

/* Uniform in -1..1, of variance 1/3 (Knuth's MMIX constants). */
static double rnd(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (double)(int64_t)*seed / 9.3e18;
}

/* A discharge from rest at full to the cut-off in steps of current, then a rest. */
static void make_record(
	const struct battery_model *m, double amps, double noise_v, struct trace *t)
{
	struct openloop o;
	uint64_t seed = 5;
	double a = 0, v = battery_ocv_v(m, 1, 25);
	bool ended = false;
	openloop_start(&o, m, 1, NAN, 25);
	int rest = 0;
	for (int i = 0; rest < 600; i++) {
		double next = i < 10 || ended ? 0 : -amps * (1 + i / 60 % 3);
		struct openloop_drive d = {60, 0.5 * (a + next), next, 25};
		v = openloop_step(&o, m, &d);
		a = next;
		double noise = noise_v * rnd(&seed);
		assert_int_equal(trace_add(t, T0 + i * 60000LL, v + noise, a, 25), 0);
		ended |= i > 10 && v <= m->cutoff_v;
		rest += ended;
	}
	trace_prepare(t, m);
}

static const struct fit_parameter *find(const struct fit *r, const char *name)
{
	for (int j = 0; j < r->n; j++)
		if (strcmp(r->parameters[j].name, name) == 0)
			return &r->parameters[j];
	fail_msg("no parameter '%s'", name);
	return NULL;
}

static void test_own_circuit_comes_back(void **state)
{
	(void)state;
	struct battery_model truth = hx12;
	struct trace t = {0};
	struct fit r;
	struct err err = {0};
	truth.r0_mohm *= 1.6;
	truth.depletion_v *= 0.7;
	truth.tau2_s *= 1.5;
	truth.slow_mohm = 10;
	truth.depletion_slow = 0.4;
	truth.slow_tau_s = 2500;
	for (int i = 0; i < truth.ocv_points; i++)
		truth.ocv_v[i] += 0.05 * truth.ocv_soc[i] - 0.02;
	make_record(&truth, 6, 0.002, &t);
	if (fit_model(&t, &hx12, &r, &err))
		fail_msg("%s", err.msg);
	assert_true(r.converged);
	assert_true(r.discharge.n > 100 && r.rest.n > 500 && r.charge.n == 0);
	assert_true(fit_rms_v(&r.discharge) < 0.004 && fit_rms_v(&r.rest) < 0.004);
	near(find(&r, "r0")->value, truth.r0_mohm, 0.2 * truth.r0_mohm);
	near(find(&r, "tau2")->value, truth.tau2_s, 0.25 * truth.tau2_s);
	near(find(&r, "depletion_slow")->value, 0.4, 0.1);
	near(battery_ocv_v(&r.model, 0.5, 25), battery_ocv_v(&truth, 0.5, 25), 0.03);
	near(battery_ocv_v(&r.model, 0.9, 25), battery_ocv_v(&truth, 0.9, 25), 0.02);
	assert_true(r.model.model_error_v < 0.006);
	trace_release(&t);
}

/* One constant current and no rest: nothing tells R0 from the branches. */
static void test_what_is_not_seen_is_said(void **state)
{
	(void)state;
	struct trace t = {0};
	struct fit r;
	struct err err = {0};
	struct openloop o;
	openloop_start(&o, &hx12, 0.9, NAN, 25);
	for (int i = 0; i < 120; i++) {
		struct openloop_drive d = {60, -12, -12, 25};
		double v = openloop_step(&o, &hx12, &d);
		if (i > 60)
			trace_add(&t, T0 + i * 60000LL, v, -12, 25);
	}
	trace_prepare(&t, &hx12);
	assert_int_equal(fit_model(&t, &hx12, &r, &err), 0);
	assert_int_equal(r.complete, 0);
	assert_true(find(&r, "capacity")->doubts & FIT_UNSEEN);
	assert_true(find(&r, "r0")->doubts & (FIT_UNSEEN | FIT_CORRELATED));
	assert_true(find(&r, "slow")->doubts & (FIT_UNSEEN | FIT_CORRELATED));
	trace_release(&t);
}

static void test_no_discharge_is_an_error(void **state)
{
	(void)state;
	struct trace t = {0};
	struct fit r;
	struct err err = {0};
	for (int i = 0; i < 100; i++)
		trace_add(&t, T0 + i * 60000LL, 12.8, 0, 25);
	trace_prepare(&t, &hx12);
	assert_int_equal(fit_model(&t, &hx12, &r, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
	assert_non_null(strstr(err.msg, "no discharge"));
	trace_release(&t);
}

/* A room that cools from 25 to 15 degC meanwhile: 20 degC is what its capacity is of.
 */
static void test_capacity_of_a_cooling_block(void **state)
{
	(void)state;
	struct trace t = {0};
	struct trace_span d;
	size_t at = 0;
	double full_v = battery_ocv_v(&hx12, 1, 25);
	trace_add(&t, T0, full_v, 0, 25);
	for (int i = 1; i <= 600; i++)
		trace_add(&t, T0 + i * 60000LL, i < 590 ? 12 : hx12.cutoff_v, -12,
			25 - i / 60.0);
	trace_prepare(&t, &hx12);
	assert_true(trace_discharge(&t, &hx12, 0.5, &at, &d));
	near(trace_mean_celsius(&t, &d), 20, 0.1);
	double part = battery_rate_fraction(&hx12, 12, 120) *
		      battery_temperature_factor(&hx12, 20);
	near(fit_complete_ah(&t, &hx12, &d), d.out_ah / part, 0.1);
	trace_release(&t);
}

/* An error of 20 mV that lasts an hour, seen with 3 mV of noise: all three come back.
 */
static void test_noise_comes_back(void **state)
{
	(void)state;
	struct trace t = {0};
	struct battery_model m = hx12;
	struct err err = {0};
	const double keep = exp(-60.0 / 3600);
	uint64_t seed = 11;
	double e = 0;
	enum { N = 20000 };
	double *modelled = calloc(N, sizeof(*modelled));
	assert_non_null(modelled);
	for (int i = 0; i < N; i++) {
		e = keep * e + 0.02 * sqrt(3 * (1 - keep * keep)) * rnd(&seed);
		modelled[i] = i % 7 ? 12.5 : NAN; /* what does not count is left out */
		trace_add(&t, T0 + i * 60000LL, 12.5 + e + 0.003 * sqrt(3) * rnd(&seed),
			-12, 25);
	}
	trace_prepare(&t, &m);
	assert_int_equal(fit_noise(&t, modelled, &m, &err), 0);
	near(m.model_error_v, 0.02, 0.003);
	near(m.model_error_s, 3600, 900);
	near(m.voltage_noise_v, 0.003, 0.0003);
	free(modelled);
	trace_release(&t);
}

/*
 * What models really leave over: an error that swings smoothly, here 25 mV in eight
 * hours. From minute to minute it hardly moves; that must not be taken for one that
 * lasts days.
 */
static void test_smooth_error_lasts_hours(void **state)
{
	(void)state;
	struct trace t = {0};
	struct battery_model m = hx12;
	struct err err = {0};
	uint64_t seed = 5;
	enum { N = 60 * 48 };
	double modelled[N];
	for (int i = 0; i < N; i++) {
		double e = 0.025 * sqrt(2) * sin(2 * M_PI * i / 480.0);
		modelled[i] = 12.5;
		trace_add(&t, T0 + i * 60000LL, 12.5 + e + 0.003 * sqrt(3) * rnd(&seed),
			-12, 25);
	}
	trace_prepare(&t, &m);
	assert_int_equal(fit_noise(&t, modelled, &m, &err), 0);
	near(m.model_error_v, 0.025, 0.008);
	assert_true(m.model_error_s > 3600 && m.model_error_s < 5 * 3600);
	/* What the error is supposed to do within a minute is no noise of the sample.
	 */
	assert_true(m.voltage_noise_v > 0.001 && m.voltage_noise_v < 0.0033);
	trace_release(&t);
}

/* Surface charge goes with the charge drawn, whatever the current; rest keeps it. */
static void test_surface_charge(void **state)
{
	(void)state;
	struct battery_model m = hx12;
	struct surface fast, slow;
	m.surface_ah = 0.1;
	m.surface_deep = 0.4;
	m.surface_deep_ah = 10;
	surface_set(&fast, &m, 0.5);
	slow = fast;
	near(surface_v(&fast), 0.5, 1e-12);
	for (int i = 0; i < 36; i++)
		surface_step(&fast, &m, -100, 1);
	for (int i = 0; i < 360; i++)
		surface_step(&slow, &m, -10, 1);
	/* 1 Ah: e^-10 of the quick part, e^-0.1 of the deep one; a day's fading beside
	 */
	near(fast.quick_v, 0.3 * exp(-10), 1e-7);
	near(fast.deep_v, 0.2 * exp(-0.1), 1e-4);
	near(slow.deep_v, fast.deep_v, 1e-3);
	/* Without a measurement it is a capacitor: 1,200 F lose 0.1 V in 120 As. */
	surface_set(&fast, &hx12, 0.5);
	surface_step(&fast, &hx12, -120, 1);
	near(surface_v(&fast), 0.4, 1e-4);
}

/* What was written is what is read. */
static void test_model_round_trip(void **state)
{
	(void)state;
	struct battery_model m = hx12, back;
	struct err err = {0};
	struct buf b = {0};
	char path[] = "/tmp/fit_test_XXXXXX.ini";
	int fd = mkstemps(path, 4);
	m.slow_mohm = 12.5;
	m.slow_tau_s = 2100;
	m.acceptance_pole = 0.85;
	m.model_error_v = 0.0123;
	battery_model_write(&m, &b);
	assert_int_equal(write(fd, b.data, b.len), (ssize_t)b.len);
	close(fd);
	int r = battery_model_find(path, &back, &err);
	unlink(path);
	if (r)
		fail_msg("%s", err.msg);
	assert_string_equal(back.name, m.name);
	assert_int_equal(back.ocv_points, m.ocv_points);
	near(back.ocv_v[5], m.ocv_v[5], 1e-4);
	near(back.slow_tau_s, 2100, 1e-9);
	near(back.acceptance_pole, 0.85, 1e-9);
	near(back.model_error_v, 0.0123, 1e-9);
	near(back.weibull_shape, m.weibull_shape, 1e-9);
	buf_release(&b);
}

/* On its own circuit the twin predicts what happens, from a start 15 % wrong. */
static void test_evaluation(void **state)
{
	(void)state;
	struct trace t = {0};
	struct trace_span d;
	struct evaluation e;
	size_t at = 0;
	struct battery_model m = hx12;
	m.model_error_v = 0.01;
	make_record(&m, 6, 0.002, &t);
	assert_true(trace_discharge(&t, &m, 0.2, &at, &d));
	assert_true(d.from_full && d.to_cutoff);
	evaluate_discharge(&t, &d, &m, -0.15, NULL, NULL, &e);
	assert_true(e.soc_rmse < 0.05);
	assert_true(e.ahead_n > 100 && e.ahead_v < e.held_v);
	assert_true(e.open_v < 0.02);
	assert_true(e.reaches_cutoff);
	for (int k = 0; k < EVALUATE_MARKS; k++)
		near(e.mark[k].predicted_h, e.mark[k].real_h, 0.15 * e.mark[k].real_h);
	assert_false(trace_discharge(&t, &m, 0.2, &at, &d));
	trace_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_circuit_comes_back),
		cmocka_unit_test(test_what_is_not_seen_is_said),
		cmocka_unit_test(test_no_discharge_is_an_error),
		cmocka_unit_test(test_capacity_of_a_cooling_block),
		cmocka_unit_test(test_noise_comes_back),
		cmocka_unit_test(test_smooth_error_lasts_hours),
		cmocka_unit_test(test_surface_charge),
		cmocka_unit_test(test_model_round_trip),
		cmocka_unit_test(test_evaluation)};
	return cmocka_run_group_tests(tests, load, NULL);
}
