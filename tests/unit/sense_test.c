/* Random numbers and sensors: moments, independence of order, noise as specified. */
#include "base/diag.h"
#include "base/rng.h"
#include "site/sense.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "near.h"

static void quantiles(void **state)
{
	/* tables of the normal distribution */
	near(normal_quantile(0.5), 0, 1e-9);
	near(normal_quantile(0.975), 1.959963985, 1e-8);
	near(normal_quantile(0.001), -3.090232306, 1e-8);
	near(normal_quantile(0.9), 1.281551566, 1e-8);
	near(normal_quantile(1e-10), -6.361340902, 1e-7);
}

static void moments(void **state)
{
	const int n = 200000;
	double s1 = 0, s2 = 0, s4 = 0, u = 0, lag = 0, last = 0, poisson = 0;
	for (int i = 0; i < n; i++) {
		double z = rng_normal(99, (uint64_t)i);
		s1 += z / n;
		s2 += z * z / n;
		s4 += z * z * z * z / n;
		lag += z * last / n;
		last = z;
		u += rng_uniform(100, (uint64_t)i) / n;
		poisson += rng_poisson(101, (uint64_t)i, 0.7) / (double)n;
	}
	near(s1, 0, 0.01);
	near(s2, 1, 0.02);
	near(s4, 3, 0.12);
	near(lag, 0, 0.01);
	near(u, 0.5, 0.003);
	near(poisson, 0.7, 0.01);
}

static void streams_differ(void **state)
{
	double same = 0;
	const int n = 50000;
	for (int i = 0; i < n; i++)
		same += rng_normal(rng_key(5, 1), (uint64_t)i) *
			rng_normal(rng_key(5, 2), (uint64_t)i) / n;
	near(same, 0, 0.02);
	assert_true(rng_key(5, 1) != rng_key(6, 1));
	assert_true(rng_key(1, 5) != rng_key(5, 1));
}

struct stats {
	double n, sum, squares;
};

static void put(struct stats *s, double v)
{
	s->n++;
	s->sum += v;
	s->squares += v * v;
}
static double mean(const struct stats *s)
{
	return s->sum / s->n;
}
static double deviation(const struct stats *s)
{
	return sqrt(s->squares / s->n - mean(s) * mean(s));
}

static void noise_as_specified(void **state)
{
	static struct fleet fleet;
	struct battery_model m;
	struct sensors s;
	struct err err = {0};
	char path[4096];
	struct sense_hold holds[2] = {{0}};
	struct stats v = {0}, t = {0}, r = {0}, i = {0}, f = {0};

	assert_int_equal(
		share_path("schemas/fleet/thailand.ini", path, sizeof(path), &err), 0);
	assert_int_equal(fleet_load(path, &fleet, &err), 0);
	assert_int_equal(battery_model_named(fleet.battery_model, &m, &err), 0);
	assert_int_equal(
		share_path("schemas/models/sensors.ini", path, sizeof(path), &err), 0);
	assert_int_equal(sensors_load(path, &s, &err), 0);
	sensors_never_fail(&s);
	struct plant *p = plant_new(&fleet, &m, 4, 24, 0, NULL, NULL, &err);
	assert_non_null(p);
	const struct plant_string *string = &p->strings[0];
	const struct battery_block *b = &string->blocks[7];
	/* the same state, read at many times */
	for (p->now = 0; p->now < 40000 * SECOND_MS; p->now += SECOND_MS) {
		struct rec_string_telemetry whole;
		struct rec_telemetry jar;
		assert_true(sense_string(&s, p, string, &holds[0], &whole));
		assert_true(
			sense_jar(&s, p, string, 7, whole.current_a, &holds[1], &jar));
		put(&v, jar.voltage_v - b->voltage_v);
		put(&t, jar.temperature_c - b->temperature_c);
		put(&r, jar.resistance_mohm / b->r0_mohm);
		put(&i, whole.current_a);
		put(&f, whole.float_current_a - string->series.current_a);
		assert_true(jar.current_a == whole.current_a);
	}
	near(mean(&v), 0, 0.0005);
	near(deviation(&v), 0.010, 0.0005);
	near(mean(&t), 0, 0.01);
	near(deviation(&t), 0.3, 0.015);
	near(mean(&r), 1, 0.02); /* its temperature is near 25 degC */
	near(deviation(&r), 0.02, 0.001);
	near(mean(&i), 0, 0.4); /* offset within 0.3 A, float current */
	near(deviation(&i), 0.5, 0.02);
	near(mean(&f), 0, 0.0005);
	near(deviation(&f), 0.005, 0.0003);
	plant_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles),
		cmocka_unit_test(moments),
		cmocka_unit_test(streams_differ),
		cmocka_unit_test(noise_as_specified),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
