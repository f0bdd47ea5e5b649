#include "battery/life.h"

#include "battery/gassing.h"

#include <math.h>

static const double HARD_TO_REPLACED_DAYS = 8; /* a failure is seen at once */

static const double RISE_MOST_K = 5; /* beyond is runaway, which nobody plans */

/* One block on its way: where it is now, where it ends. */
struct way {
	const struct battery_nature *nature; /* of the unit there then */
	double used, end, ln_gassing, temperature_c;
	double per_day;  /* share of life used, lately */
	double replaced; /* day; INFINITY: not planned */
};

/* Temperatures and the spread of float voltages, at a room of room_c. */
static double spread(const struct battery_series *s, struct way *w, double room_c)
{
	const struct battery_model *m = s->model;
	double float_v = battery_float_v(m, room_c), mean, rise_k = 0;

	/* The current is common, and so is the heat; it and the current settle. */
	for (int round = 0; round < 3; round++) {
		mean = 0;
		for (int i = 0; i < s->n; i++) {
			const struct battery_nature *n = w[i].nature;
			w[i].temperature_c = room_c + n->rack_k + rise_k;
			/* but for a constant, which is that of all */
			w[i].ln_gassing = log(ageing_gassing(m, n, w[i].used)) +
					  m->gassing_ct_per_k * w[i].temperature_c;
			mean += w[i].ln_gassing / s->n;
		}
		double current_a = battery_gassing_a(m, 1, float_v, 0) * exp(mean);
		rise_k = fmin(RISE_MOST_K,
			float_v * current_a * m->thermal_resistance_k_per_w);
	}
	return mean;
}

/* Share of life a block uses in a day on float. */
static double rate(const struct battery_series *s, const struct way *w, double mean_ln,
	double string_float_v)
{
	const struct battery_model *m = s->model;
	double own_v = string_float_v -
		       m->cells / m->gassing_cu_per_v * (w->ln_gassing - mean_ln);
	double over = own_v - battery_float_v(m, w->temperature_c);
	return w->nature->rate_per_day * ageing_stress(m, w->temperature_c, over);
}

static double mean_temperature(const struct battery_series *s, const struct way *w)
{
	double sum = 0;
	for (int i = 0; i < s->n; i++)
		sum += w[i].temperature_c / s->n;
	return sum;
}

/* When a block that is worn out on that day will have been replaced. */
static double replacement(const struct life_upkeep *u, double day)
{
	const double year = 365;
	double years = ceil(fmax(0, day - u->next_test_days) / year);
	return u->next_test_days + years * year + u->found_to_replaced_days;
}

/* Puts the successors in whose day has come. */
static void replace(const struct battery_series *s, const struct life_upkeep *u,
	struct way *w, double day, double *out)
{
	for (int i = 0; i < s->n; i++) {
		if (day < w[i].replaced)
			continue;
		if (out[i] == INFINITY && w[i].per_day > 0) /* as if it had stayed */
			out[i] = day + (w[i].end - w[i].used) / w[i].per_day;
		w[i].nature = &u->successors[i];
		w[i].used = 0;
		w[i].end = ageing_end(s->model, w[i].nature);
		w[i].replaced = INFINITY; /* the next one is too far away */
	}
}

/* Moves all blocks on by 'days'. Returns how many are still alive. */
static int advance(const struct battery_series *s, struct way *w,
	const struct life_path *path, int k, double begin, double days,
	const struct life_upkeep *u, double *out)
{
	const struct battery_model *m = s->model;
	double mean = spread(s, w, path->room_c[k]);
	double float_v = battery_float_v(m, mean_temperature(s, w));
	/* Hot hours count more than the mean temperature says (Jensen). */
	double uneven = path->stress[k] / ageing_arrhenius(m, path->room_c[k]);
	int alive = 0;

	for (int i = 0; i < s->n; i++) {
		double r = rate(s, &w[i], mean, float_v) * uneven + u->cycling_per_day;
		double next = w[i].used + r * days;
		bool first = w[i].nature == &s->blocks[i].nature;
		if (first && out[i] == INFINITY && next >= w[i].end) {
			out[i] = begin + (w[i].end - w[i].used) / r;
			w[i].replaced = fmin(w[i].replaced, replacement(u, out[i]));
		}
		w[i].used = next;
		w[i].per_day = r;
		alive += out[i] == INFINITY;
	}
	return alive;
}

void life_forecast(const struct battery_series *s, const struct life_path *path,
	int64_t now, const struct life_upkeep *upkeep, double *days)
{
	const int64_t step_ms = LIFE_STEP_DAYS * DAY_MS;
	struct way w[SERIES_MAX];
	int64_t t = now < path->from ? path->from : now;

	for (int i = 0; i < s->n; i++) {
		const struct battery_nature *n = &s->blocks[i].nature;
		w[i] = (struct way){.nature = n,
			.used = s->blocks[i].used,
			.end = ageing_end(s->model, n),
			.replaced = fmin(upkeep->replace_days[i],
				upkeep->hard_failure_days[i] + HARD_TO_REPLACED_DAYS)};
		days[i] = w[i].used >= w[i].end ? 0 : INFINITY;
		if (days[i] == 0)
			w[i].replaced = fmin(w[i].replaced, replacement(upkeep, 0));
	}
	for (int64_t k = (t - path->from) / step_ms; k < LIFE_STEPS; k++) {
		int64_t until = path->from + (k + 1) * step_ms;
		double begin = (double)(t - now) / (double)DAY_MS;
		replace(s, upkeep, w, begin, days);
		double length = (double)(until - t) / (double)DAY_MS;
		if (advance(s, w, path, (int)k, begin, length, upkeep, days) == 0)
			break;
		t = until;
	}
}
