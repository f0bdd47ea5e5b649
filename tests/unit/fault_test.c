/* Sensor faults: rates and lengths as asked for, and only in what is measured. */
#include "base/rng.h"
#include "site/sense.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>

#include "fleet_util.h"
#include "near.h"

static struct sensors sensors;

static int load(void **state)
{
	struct err err = {0};
	char path[4096];
	if (load_fleet(state) < 0 ||
		share_path("schemas/models/sensors.ini", path, sizeof(path), &err) <
			0 ||
		sensors_load(path, &sensors, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

/* 2,000 sensors over a year each, looked at every quarter of an hour. */
static void rates_and_lengths(void **state)
{
	const struct fault_rates r = {.gap_per_year = 1,
		.stuck_per_year = 0.5,
		.offset_per_year = 0.25,
		.gap_median_h = 2,
		.stuck_median_h = 24,
		.offset_median_h = 48,
		.sigma = 0.5};
	int begun[4] = {0}, other[4] = {0};
	double hours[4] = {0};
	for (uint64_t sensor = 0; sensor < 2000; sensor++) {
		int64_t last = 0;
		for (int i = 0; i < 365 * 96; i++) {
			int64_t ts = START + i * 15 * MINUTE_MS;
			struct fault f = fault_at(&r, rng_key(9, sensor), 3, ts);
			if (f.sort == FAULT_NONE) {
				i += 3; /* gaps are longer than an hour, mostly */
				continue;
			}
			assert_true(ts >= f.from && ts < f.until);
			assert_true(f.until - f.from <= FAULT_LONGEST_MS);
			assert_in_range(f.channel, 0, 2);
			if (f.from == last)
				continue;
			last = f.from;
			begun[f.sort]++;
			other[f.sort] += f.channel > 0;
			hours[f.sort] += (double)(f.until - f.from) / HOUR_MS;
		}
	}
	/* Poisson: a standard deviation of 45, 32, 22; at most one in 16 days */
	near(begun[FAULT_GAP], 2000 * 0.96, 150);
	near(begun[FAULT_STUCK], 1000 * 0.96, 110);
	near(begun[FAULT_OFFSET], 500 * 0.96, 75);
	near((double)other[FAULT_GAP] / begun[FAULT_GAP], 2. / 3, 0.05);
	/* the mean of a log-normal is exp(sigma^2 / 2) of its median */
	near(hours[FAULT_STUCK] / begun[FAULT_STUCK], 24 * exp(0.125), 2);
	near(hours[FAULT_OFFSET] / begun[FAULT_OFFSET], 48 * exp(0.125), 5);
}

/* A sensor that always has the one fault. */
static struct fault_rates always(enum fault_sort sort)
{
	struct fault_rates r = {
		.gap_median_h = 1e6, .stuck_median_h = 1e6, .offset_median_h = 1e6};
	r.gap_per_year = sort == FAULT_GAP ? 1000 : 0;
	r.stuck_per_year = sort == FAULT_STUCK ? 1000 : 0;
	r.offset_per_year = sort == FAULT_OFFSET ? 1000 : 0;
	return r;
}

struct reading {
	int lost, voltage_repeats, temperature_repeats;
	double worst_v, worst_k;
};

/* 200 readings of one jar that is held, so that only its sensor moves. */
static struct reading read_jar(const struct sensors *s, struct plant *p)
{
	struct reading r = {0};
	struct sense_hold hold = {0};
	float last_v = NAN, last_t = NAN;
	int64_t now = p->now;
	const struct battery_block *b = &p->strings[0].blocks[3];
	for (int i = 0; i < 200; i++, p->now += MINUTE_MS) {
		struct rec_telemetry t;
		if (!sense_jar(s, p, &p->strings[0], 3, 0, &hold, &t)) {
			r.lost++;
			continue;
		}
		r.voltage_repeats += t.voltage_v == last_v;
		r.temperature_repeats += t.temperature_c == last_t;
		r.worst_v = fmax(r.worst_v, fabs(t.voltage_v - b->voltage_v));
		r.worst_k = fmax(r.worst_k, fabs(t.temperature_c - b->temperature_c));
		last_v = t.voltage_v;
		last_t = t.temperature_c;
	}
	p->now = now;
	return r;
}

static void each_sort(void **state)
{
	struct err err = {0};
	struct sensors s = sensors;
	struct plant *p = plant_new(&fleet, &model, 4, 24, START, NULL, NULL, &err);
	assert_non_null(p);
	p->now += 40 * DAY_MS; /* well within a fault */

	s.jar_faults = (struct fault_rates){0};
	struct reading r = read_jar(&s, p);
	assert_true(r.lost == 0 && r.voltage_repeats < 40 && r.worst_v < 0.05 &&
		    r.worst_k < 1.5);
	s.jar_faults = always(FAULT_GAP);
	assert_int_equal(read_jar(&s, p).lost, 200);
	s.jar_faults = always(FAULT_STUCK);
	r = read_jar(&s, p);
	assert_int_equal(r.lost, 0);
	/* the one reading or the other */
	assert_true((r.voltage_repeats == 199) != (r.temperature_repeats == 199));
	s.jar_faults = always(FAULT_OFFSET);
	s.voltage_fault_v = 100;
	s.temperature_fault_k = 1000;
	r = read_jar(&s, p);
	assert_true(r.worst_v > 0.5 || r.worst_k > 5);
	plant_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_and_lengths),
		cmocka_unit_test(each_sort),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
