/*
 * Steps of the twin's filter a second of processor time, without reading or writing
 * records: a discharge at the 10 h rate, sampled each second, and float. Best of five.
 * Prints 'what|unit|ours' for scripts/bench.
 */
#include "base/rng.h"
#include "base/timefmt.h"
#include "estimate/twin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { N = 400000, ROUNDS = 5, DISCHARGE_S = 30000 };

static double cpu_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double noise_v(int i)
{
	return 0.02 * (rng_uniform(1, (uint64_t)i) - 0.5);
}

static void under_load(struct twin_sample *s, int i)
{
	double used = i % DISCHARGE_S / (double)DISCHARGE_S;
	s->ts = i * SECOND_MS + i / DISCHARGE_S * DAY_MS; /* a new one each day */
	s->voltage_v = 12.65 - 1.2 * used + noise_v(i);
	s->current_a = -12;
}

static void on_float(struct twin_sample *s, int i)
{
	s->ts = i * SECOND_MS;
	s->voltage_v = 13.65 + noise_v(i);
	s->current_a = 0.02;
}

static double rate(
	const struct battery_model *m, void (*sample)(struct twin_sample *, int))
{
	struct twin_origin o = {1000, NAN, NAN, 25};
	struct twin_sample s = {
		.temperature_c = 25, .resistance_mohm = NAN, .float_a = NAN};
	struct twin w;
	twin_init(&w, m, &o, 0);
	double start = cpu_s();
	for (int i = 0; i < N; i++) {
		sample(&s, i);
		twin_step(&w, m, &TWIN_TUNING, &s);
	}
	double took = cpu_s() - start;
	if (!(w.ekf.x[EKF_SOC] > -0.1 && w.ekf.p[EKF_SOC][EKF_SOC] > 0)) {
		fprintf(stderr, "steps: the filter has failed\n");
		exit(1);
	}
	return N / took / 1000;
}

int main(void)
{
	struct battery_model m;
	struct err err = {0};
	double load = 0, idle = 0;
	if (battery_model_named("HX12-120", &m, &err) < 0) {
		fprintf(stderr, "steps: %s\n", err.msg);
		return 1;
	}
	for (int i = 0; i < ROUNDS; i++) {
		load = fmax(load, rate(&m, under_load));
		idle = fmax(idle, rate(&m, on_float));
	}
	printf("twin: steps of its filter, under load|1000/s|%.0f\n", load);
	printf("    the same, on float|1000/s|%.0f\n", idle);
	return 0;
}
