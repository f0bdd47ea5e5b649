#include "battery/life.h"

#include "battery/gassing.h"

#include <math.h>

/* One block on its way: where it is now, where it ends. */
struct way {
	double used, end, ln_gassing, temperature_c;
};

/* Temperatures and the spread of float voltages, at a room of room_c. */
static double spread(const struct battery_series *s, struct way *w, double room_c)
{
	const struct battery_model *m = s->model;
	double mean = 0;
	double float_v = battery_float_v(m, room_c);

	for (int i = 0; i < s->n; i++) {
		const struct battery_nature *n = &s->blocks[i].nature;
		double scale = ageing_gassing(m, n, w[i].used);
		double t = room_c + n->rack_k;
		double rise_k = float_v * battery_gassing_a(m, scale, float_v, t) *
				m->thermal_resistance_k_per_w;
		w[i].temperature_c = t + fmin(5, rise_k);
		/* but for a constant, which is that of all */
		w[i].ln_gassing = log(scale) + m->gassing_ct_per_k * w[i].temperature_c;
		mean += w[i].ln_gassing / s->n;
	}
	return mean;
}

/* Share of life a block uses in a day. */
static double rate(const struct battery_series *s, int i, const struct way *w,
	double mean_ln, double string_float_v, double cycling)
{
	const struct battery_model *m = s->model;
	double own_v = string_float_v -
		       m->cells / m->gassing_cu_per_v * (w->ln_gassing - mean_ln);
	double over = own_v - battery_float_v(m, w->temperature_c);
	return s->blocks[i].nature.rate_per_day *
		       ageing_stress(m, w->temperature_c, over) +
	       cycling;
}

static double mean_temperature(const struct battery_series *s, const struct way *w)
{
	double sum = 0;
	for (int i = 0; i < s->n; i++)
		sum += w[i].temperature_c / s->n;
	return sum;
}

/* Moves all blocks on by 'days'. Returns how many are still alive. */
static int advance(const struct battery_series *s, struct way *w,
	const struct life_path *path, int k, double begin, double days, double cycling,
	double *out)
{
	const struct battery_model *m = s->model;
	double mean = spread(s, w, path->room_c[k]);
	double float_v = battery_float_v(m, mean_temperature(s, w));
	/* Hot hours count more than the mean temperature says (Jensen). */
	double uneven = path->stress[k] / ageing_arrhenius(m, path->room_c[k]);
	int alive = 0;

	for (int i = 0; i < s->n; i++) {
		double r = rate(s, i, &w[i], mean, float_v, cycling) * uneven;
		double next = w[i].used + r * days;
		if (out[i] == INFINITY && next >= w[i].end)
			out[i] = begin + (w[i].end - w[i].used) / r;
		w[i].used = fmin(next, w[i].end);
		alive += out[i] == INFINITY;
	}
	return alive;
}

void life_forecast(const struct battery_series *s, const struct life_path *path,
	int64_t now, double deep_per_year, double *days)
{
	const int64_t step_ms = LIFE_STEP_DAYS * DAY_MS;
	const double cycling = deep_per_year / 365.25 * ageing_cycle(s->model, 1);
	struct way w[SERIES_MAX];
	int64_t t = now < path->from ? path->from : now;

	for (int i = 0; i < s->n; i++) {
		w[i] = (struct way){.used = s->blocks[i].used,
			.end = ageing_end(s->model, &s->blocks[i].nature)};
		days[i] = w[i].used >= w[i].end ? 0 : INFINITY;
	}
	for (int64_t k = (t - path->from) / step_ms; k < LIFE_STEPS; k++) {
		int64_t until = path->from + (k + 1) * step_ms;
		double length = (double)(until - t) / (double)DAY_MS;
		if (advance(s, w, path, (int)k, (double)(t - now) / (double)DAY_MS,
			    length, cycling, days) == 0)
			break;
		t = until;
	}
}
