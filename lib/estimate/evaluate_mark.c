/* The time left to the cut-off, sampled. */
#include "estimate/evaluate_parts.h"
#include "estimate/twin_parts.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double SHAPE_STD = 0.03; /* of the charge left, by the knee's shape [E] */
static const double LONGEST_H = 100, STEP_S = 60;
enum { WAYS = 400 };
static const double LOWER = 0.05, UPPER = 0.95;
/* Streams of random numbers: the same record gives the same answer. */
enum { OF_STATE = 1, OF_NOISE };

/* How one sample of the belief goes on. */
struct way {
	struct openloop o;
	const struct battery_model *m;
	struct twin_noise noise;
	double cutoff_v;
	uint64_t key, drawn;
	int below; /* samples in a row at the cut-off */
};

/* The load in the mean, for what comes after the record. */
static double mean_load_a(const struct trace *t, const struct trace_span *d)
{
	return -d->out_ah /
	       (evaluate_seconds(&t->points[d->from + 1], &t->points[d->to - 1]) /
		       3600);
}

/* True once the voltage, as it would be measured, is at the cut-off twice in a row. */
static bool ends(struct way *y, double voltage_v, double dt_s)
{
	double keep = exp(-dt_s / y->noise.bias_s);
	double *bias = &y->o.x[EKF_BIAS], before = *bias;
	*bias = keep * before + sqrt(1 - keep * keep) * y->noise.bias_v *
					rng_normal(y->key, y->drawn++);
	voltage_v += *bias - before;
	voltage_v += y->noise.sample_v * rng_normal(y->key, y->drawn++);
	y->below = voltage_v <= y->cutoff_v ? y->below + 1 : 0;
	return y->below == 2;
}

/* Hours from point i until it ends, under the load as it was. */
static double hours_left(
	struct way *y, const struct trace *t, const struct trace_span *d, size_t i)
{
	const struct trace_point *start = &t->points[i], *p = start;
	for (i++; i < d->to; i++) {
		p = &t->points[i];
		if (ends(y, evaluate_step(&y->o, y->m, p), evaluate_seconds(p - 1, p)))
			return evaluate_seconds(start, p - 1) / 3600;
	}
	double h = evaluate_seconds(start, p) / 3600, mean_a = mean_load_a(t, d);
	struct openloop_drive on = {STEP_S, mean_a, mean_a, p->temperature_c};
	while (h < LONGEST_H && mean_a < 0 &&
		!ends(y, openloop_step(&y->o, y->m, &on), STEP_S))
		h += STEP_S / 3600;
	return h;
}

/* The lower triangle L of L L' = p; a state without variance has a row of zeros. */
static void root_of(const double p[EKF_N][EKF_N], double l[EKF_N][EKF_N])
{
	memset(l, 0, sizeof(double[EKF_N][EKF_N]));
	for (int i = 0; i < EKF_N; i++)
		for (int j = 0; j <= i; j++) {
			double rest = p[i][j];
			for (int k = 0; k < j; k++)
				rest -= l[i][k] * l[j][k];
			if (i == j)
				l[i][i] = sqrt(fmax(rest, 0));
			else
				l[i][j] = l[j][j] > 0 ? rest / l[j][j] : 0;
		}
}

static void scatter(struct openloop *o, const double l[EKF_N][EKF_N], uint64_t key)
{
	double z[EKF_N];
	for (int j = 0; j < EKF_N; j++) {
		z[j] = rng_normal(key, (uint64_t)j);
		for (int i = j; i < EKF_N; i++) {
			double shift = l[i][j] * z[j];
			if (i == EKF_DEEP)
				o->surface.deep_v = fmax(0, o->surface.deep_v + shift);
			else
				o->x[i] += shift;
		}
	}
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct evaluate_mark evaluate_mark_at(const struct trace *t, const struct trace_span *d,
	size_t i, size_t end, const struct battery_model *m, const struct twin *w,
	double cutoff_v)
{
	double l[EKF_N][EKF_N], h[WAYS];
	double shape = SHAPE_STD / fmax(w->ekf.x[EKF_SOC], 0.1);
	root_of(w->ekf.p, l);
	for (int k = 0; k < WAYS; k++) {
		uint64_t key = rng_key(OF_STATE, (uint64_t)k);
		struct way y = {.o = evaluate_state(w),
			.m = m,
			.noise = twin_noise(m, &TWIN_TUNING),
			.cutoff_v = cutoff_v,
			.key = rng_key(OF_NOISE, (uint64_t)k)};
		scatter(&y.o, l, key);
		double own = 1 + shape * rng_normal(key, EKF_N);
		h[k] = hours_left(&y, t, d, i) * fmax(own, 0);
	}
	qsort(h, WAYS, sizeof(*h), by_size);
	return (struct evaluate_mark){
		.real_h = evaluate_seconds(&t->points[i], &t->points[end]) / 3600,
		.predicted_h = (h[WAYS / 2 - 1] + h[WAYS / 2]) / 2,
		.lower_h = h[(int)(LOWER * WAYS)],
		.upper_h = h[(int)(UPPER * WAYS) - 1]};
}

size_t evaluate_cutoff(
	const struct trace *t, const struct trace_span *d, double cutoff_v)
{
	for (size_t i = d->from + 2; i < d->to; i++)
		if (t->points[i].voltage_v <= cutoff_v &&
			t->points[i - 1].voltage_v <= cutoff_v)
			return i - 1;
	return d->to - 1;
}
