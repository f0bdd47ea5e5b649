/*
 * The filter's algebra against answers known in closed form, and the circuit's
 * derivatives against numerical ones.
 */
#include "battery/model.h"
#include "estimate/circuit.h"
#include "estimate/ekf.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "near.h"

/* Uniform in -1..1 by a linear congruence (Knuth's MMIX constants). */
static double rnd(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(int64_t)*state / 9.3e18;
}

static const struct ekf_transition STILL = {
	.v1_v1 = 1, .v2_v2 = 1, .bias_bias = 1, .deep_deep = 1};

/* Random walk seen through noise: P- solves P^2 - qP - qr = 0 (scalar Riccati). */
static void test_riccati_steady_state(void **state)
{
	(void)state;
	const double q = 1e-6, r = 4e-4;
	const double x[EKF_N] = {0}, std[EKF_N] = {1, 1, 1, 1, 1, 1};
	const double h[EKF_N] = {[EKF_LNR0] = 1};
	struct ekf f;
	struct ekf_transition t = STILL;
	t.noise[EKF_LNR0] = q;
	ekf_init(&f, x, std);
	double prior = 0, gain = 0;
	for (int i = 0; i < 5000; i++) {
		ekf_predict(&f, &t);
		prior = f.p[EKF_LNR0][EKF_LNR0];
		gain = prior / ekf_innovation_variance(&f, h, r);
		ekf_update(&f, h, r, 0, EKF_ALL);
	}
	double exact = (q + sqrt(q * q + 4 * q * r)) / 2;
	assert_true(fabs(prior / exact - 1) < 1e-9);
	assert_true(fabs(gain - exact / (exact + r)) < 1e-9);
	assert_true(fabs(f.p[EKF_LNR0][EKF_LNR0] - (1 - gain) * exact) < 1e-12);
}

/* A constant pair seen n times: the batch least-squares answer, by the 2x2 inverse. */
static void test_equals_batch_least_squares(void **state)
{
	(void)state;
	const double x0[EKF_N] = {[EKF_SOC] = 0.4, [EKF_LNQ] = 0.1};
	const double std[EKF_N] = {0.2, 0, 0, 0, 0.3, 0};
	const double r = 0.01;
	struct ekf f;
	uint64_t seed = 7;
	ekf_init(&f, x0, std);
	double a = 1 / 0.04, b = 0, c = 1 / 0.09; /* information matrix */
	double u = 0.4 / 0.04, v = 0.1 / 0.09;
	for (int i = 0; i < 50; i++) {
		double h[EKF_N] = {[EKF_SOC] = rnd(&seed), [EKF_LNQ] = rnd(&seed)};
		double z = rnd(&seed);
		double y = z - h[EKF_SOC] * f.x[EKF_SOC] - h[EKF_LNQ] * f.x[EKF_LNQ];
		ekf_update(&f, h, r, y, EKF_ALL);
		a += h[EKF_SOC] * h[EKF_SOC] / r;
		b += h[EKF_SOC] * h[EKF_LNQ] / r;
		c += h[EKF_LNQ] * h[EKF_LNQ] / r;
		u += h[EKF_SOC] * z / r;
		v += h[EKF_LNQ] * z / r;
	}
	double det = a * c - b * b;
	assert_true(fabs(f.x[EKF_SOC] - (c * u - b * v) / det) < 1e-10);
	assert_true(fabs(f.x[EKF_LNQ] - (a * v - b * u) / det) < 1e-10);
	assert_true(fabs(f.p[EKF_SOC][EKF_SOC] - c / det) < 1e-10);
	assert_true(fabs(f.p[EKF_SOC][EKF_LNQ] + b / det) < 1e-10);
}

/* A considered state keeps value and variance; the others know less for it. */
static void test_considered_state_stays(void **state)
{
	(void)state;
	const double x[EKF_N] = {0.5}, std[EKF_N] = {0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
	const double h[EKF_N] = {1, 1, 1, 0, 0, 1};
	struct ekf all, some;
	ekf_init(&all, x, std);
	some = all;
	ekf_update(&all, h, 1e-4, 0.05, EKF_ALL);
	ekf_update(&some, h, 1e-4, 0.05, EKF_ALL & ~EKF_BIT(EKF_SOC));
	assert_true(some.x[EKF_SOC] == 0.5);
	assert_true(fabs(some.p[EKF_SOC][EKF_SOC] - 0.01) < 1e-15);
	assert_true(all.p[EKF_SOC][EKF_SOC] < 0.01);
	assert_true(some.x[EKF_V1] > 0);
	assert_true(some.p[EKF_V1][EKF_SOC] < 0); /* V1 took what may be SOC's */
}

/* Cholesky of P with a breath of slack for rounding. */
static void assert_positive(const struct ekf *f)
{
	double l[EKF_N][EKF_N] = {{0}};
	for (int i = 0; i < EKF_N; i++)
		for (int j = 0; j <= i; j++) {
			assert_true(f->p[i][j] == f->p[j][i]);
			double s = f->p[i][j];
			for (int k = 0; k < j; k++)
				s -= l[i][k] * l[j][k];
			if (i == j) {
				assert_true(s > -1e-12 * f->p[i][i]);
				l[i][i] = sqrt(fmax(s, 1e-300));
			} else {
				l[i][j] = s / l[j][j];
			}
		}
}

static void test_covariance_stays_positive(void **state)
{
	(void)state;
	const double x[EKF_N] = {0.5},
		     std[EKF_N] = {0.3, 0.02, 0.1, 0.15, 0.1, 0.06, 0.05};
	struct ekf f;
	uint64_t seed = 42;
	ekf_init(&f, x, std);
	for (int i = 0; i < 20000; i++) {
		struct ekf_transition t = {.soc_lnq = 0.1 * rnd(&seed),
			.v1_v1 = fabs(rnd(&seed)),
			.v2_v2 = fabs(rnd(&seed)),
			.v2_soc = 0.2 * rnd(&seed),
			.bias_bias = 1 - 0.01 * fabs(rnd(&seed)),
			.deep_deep = fabs(rnd(&seed))};
		double h[EKF_N];
		for (int j = 0; j < EKF_N; j++) {
			t.noise[j] = 1e-6 * fabs(rnd(&seed));
			h[j] = rnd(&seed);
		}
		ekf_predict(&f, &t);
		unsigned mask = (unsigned)(seed >> 40) & EKF_ALL;
		double r = pow(10, -2 - 8 * fabs(rnd(&seed)));
		ekf_update(&f, h, r, 0.1 * rnd(&seed), mask);
		/* Bounds that P cannot exceed show that it does not run away either. */
		for (int j = 0; j < EKF_N; j++)
			assert_true(isfinite(f.x[j]) && f.p[j][j] < 1e3);
		assert_positive(&f);
	}
}

/* The variance of y' = y + 2 x is that of the sum, and x stays as it was. */
static void test_shear(void **state)
{
	(void)state;
	const double x[EKF_N] = {0.5}, std[EKF_N] = {0.3, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1};
	const double h[EKF_N] = {[EKF_SOC] = 1, [EKF_BIAS] = 1};
	struct ekf f;
	ekf_init(&f, x, std);
	ekf_update(&f, h, 0.01, 0, EKF_ALL);
	double xx = f.p[EKF_SOC][EKF_SOC], xy = f.p[EKF_SOC][EKF_BIAS];
	double yy = f.p[EKF_BIAS][EKF_BIAS];
	assert_true(xy < 0);
	ekf_shear(&f, EKF_BIAS, EKF_SOC, 2);
	near(f.p[EKF_SOC][EKF_SOC], xx, 0);
	near(f.p[EKF_BIAS][EKF_SOC], xy + 2 * xx, 1e-15);
	near(f.p[EKF_BIAS][EKF_BIAS], yy + 4 * xy + 4 * xx, 1e-15);
	assert_positive(&f);
	ekf_shear(&f, EKF_BIAS, EKF_SOC, -2);
	near(f.p[EKF_BIAS][EKF_BIAS], yy, 1e-15);
}

/*
 * A battery's life of samples: a minute each of discharge, rest and charge as the
 * circuit would have them, ten million of them, or EKF_STEPS (10^8 take ten seconds).
 */
static void test_covariance_over_a_life(void **state)
{
	(void)state;
	const double x[EKF_N] = {0.8, 0, 0, -5.5, 4.8, 0};
	const double std[EKF_N] = {0.1, 0.02, 0.1, 0.15, 0.05, 0.06, 0.02};
	const char *more = getenv("EKF_STEPS");
	long steps = more ? atol(more) : 10000000;
	struct ekf f;
	uint64_t seed = 3;
	ekf_init(&f, x, std);
	for (long i = 0; i < steps; i++) {
		double a = i / 600 % 3 == 0 ? -12 : i / 600 % 3 == 1 ? 0 : 12;
		struct ekf_transition t = {.soc_lnq = -a / 60 / 120,
			.v1_v1 = 0.135,
			.v2_v2 = 0.887,
			.v2_soc = a < 0 ? 0.02 : 0,
			.bias_bias = 1 - 60 / (60 + 7200.0),
			.deep_deep = a < 0 ? 0.98 : 1,
			.noise = {6e-8, 6e-6, 6e-6, 6e-11, 0, 1e-6, a < 0 ? 1e-6 : 0}};
		double h[EKF_N] = {1.2, 1, 1, 0.0042 * a, 0, 1, 1};
		unsigned mask = EKF_ALL & ~EKF_BIT(EKF_LNR0);
		ekf_predict(&f, &t);
		if (a >= 0)
			mask &= ~EKF_BIT(EKF_LNQ);
		if (i % 20 == 0) /* a step of the current shows R0 */
			mask = EKF_BIT(EKF_LNR0);
		ekf_update(&f, h, 2.5e-5, 0.005 * rnd(&seed), mask);
		if (i % 1000 == 0)
			assert_positive(&f);
	}
	for (int j = 0; j < EKF_N; j++)
		assert_true(isfinite(f.x[j]) && f.p[j][j] > 0 && f.p[j][j] < 1);
}

static const double STATES[][EKF_N] = {{0.85, -0.2, -0.03, -5.4, 4.7, 0.01},
	{0.5, 0.1, 0.2, -5.5, 4.6, -0.02}, {0.12, -0.3, -0.2, -5.2, 4.8, 0}};
static const double CURRENTS[] = {-60, -12, -1, 0, 20};

static void load(struct battery_model *m)
{
	struct err err = {0};
	assert_int_equal(battery_model_named("hx12-120", m, &err), 0);
}

static void test_voltage_derivatives(void **state)
{
	(void)state;
	struct battery_model m;
	load(&m);
	for (size_t n = 0; n < sizeof(STATES) / sizeof(*STATES); n++)
		for (size_t c = 0; c < sizeof(CURRENTS) / sizeof(*CURRENTS); c++)
			for (int j = 0; j < EKF_N; j++) {
				double h[EKF_N], unused[EKF_N], x[EKF_N];
				/* The OCV is a table: its slope is smoothed over
				 * segments. */
				double e = j == EKF_SOC ? 0.03 : 1e-6;
				circuit_voltage_v(&m, STATES[n], CURRENTS[c], 30, h);
				memcpy(x, STATES[n], sizeof(x));
				x[j] += e;
				double up = circuit_voltage_v(
					&m, x, CURRENTS[c], 30, unused);
				x[j] -= 2 * e;
				double down = circuit_voltage_v(
					&m, x, CURRENTS[c], 30, unused);
				double slope = (up - down) / (2 * e);
				double tolerance =
					j == EKF_SOC ? 0.05 * fabs(slope) + 0.03 : 1e-6;
				assert_true(fabs(slope - h[j]) < tolerance);
			}
}

static void test_transition_derivatives(void **state)
{
	(void)state;
	struct battery_model m;
	struct circuit_step step = {0};
	load(&m);
	circuit_step_set(&step, &m, 60);
	for (size_t n = 0; n < sizeof(STATES) / sizeof(*STATES); n++)
		for (size_t c = 0; c < sizeof(CURRENTS) / sizeof(*CURRENTS); c++) {
			struct circuit_drive d = {.mean_a = CURRENTS[c],
				.end_a = CURRENTS[c],
				.gassing_a = 0.02,
				.temperature_c = 28,
				.available = 0.9};
			struct ekf_transition t, unused;
			double f[EKF_N][EKF_N] = {{0}}, x[EKF_N];
			memcpy(x, STATES[n], sizeof(x));
			circuit_predict(&m, &step, &d, x, &t);
			for (int i = 0; i < EKF_N; i++)
				f[i][i] = 1;
			f[EKF_V1][EKF_V1] = t.v1_v1;
			f[EKF_V2][EKF_V2] = t.v2_v2;
			f[EKF_V2][EKF_SOC] = t.v2_soc;
			f[EKF_SOC][EKF_LNQ] = t.soc_lnq;
			for (int j = 0; j < EKF_N; j++) {
				double up[EKF_N], down[EKF_N];
				memcpy(up, STATES[n], sizeof(up));
				memcpy(down, STATES[n], sizeof(down));
				up[j] += 1e-6;
				down[j] -= 1e-6;
				circuit_predict(&m, &step, &d, up, &unused);
				circuit_predict(&m, &step, &d, down, &unused);
				for (int i = 0; i < EKF_N; i++) {
					double slope = (up[i] - down[i]) / 2e-6;
					assert_true(fabs(slope - f[i][j]) < 1e-6);
				}
			}
		}
}

/* Signs: discharging pulls the voltage down, charging up, and charge moves SOC. */
static void test_signs(void **state)
{
	(void)state;
	struct battery_model m;
	struct circuit_step step = {0};
	load(&m);
	circuit_step_set(&step, &m, 36);
	for (int side = -1; side <= 1; side += 2) {
		double x[EKF_N] = {0.5, 0, 0, log(4.2e-3), log(120), 0}, h[EKF_N];
		struct circuit_drive d = {.mean_a = side * 12.0,
			.end_a = side * 12.0,
			.temperature_c = 25,
			.available = 1};
		struct ekf_transition t;
		double rest = circuit_voltage_v(&m, x, 0, 25, h);
		circuit_predict(&m, &step, &d, x, &t);
		/* 12 A for 36 s is 0.12 Ah of 120. */
		assert_true(fabs(x[EKF_SOC] - 0.5 - side * 0.001) < 1e-12);
		double v = circuit_voltage_v(&m, x, side * 12.0, 25, h);
		assert_true((v - rest) * side > 0.1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_riccati_steady_state),
		cmocka_unit_test(test_equals_batch_least_squares),
		cmocka_unit_test(test_considered_state_stays),
		cmocka_unit_test(test_covariance_stays_positive),
		cmocka_unit_test(test_shear),
		cmocka_unit_test(test_covariance_over_a_life),
		cmocka_unit_test(test_voltage_derivatives),
		cmocka_unit_test(test_transition_derivatives),
		cmocka_unit_test(test_signs)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
