#include "battery/life.h"

#include "battery/gassing.h"
#include "battery/ocv.h"

#include <math.h>

static const double HARD_TO_REPLACED_DAYS = 8; /* a failure is seen at once [E] */

static const double RISE_MOST_K = 5; /* beyond is runaway, which nobody plans */

/* The blocks of a string on their way: where each is now, where it ends. */
struct way {
	const struct battery_nature *nature; /* of the unit there then */
	double used, end, soc, temperature_c, own_v, leak_a;
	double per_day;  /* share of life used, lately */
	double replaced; /* day; INFINITY: not planned */
};

/* Temperatures, float voltages and self-discharge, in a room of room_c. */
static void spread(const struct battery_series *s, struct way *w, double room_c)
{
	const struct battery_model *m = s->model;
	double per_v = m->gassing_cu_per_v / m->cells, ln_a = 0, rise_k = 0;
	double ln_scale[SERIES_MAX] = {0}, ocv_v[SERIES_MAX] = {0};

	/* The current is common, and so is the heat; it and the current settle. */
	for (int round = 0; round < 3; round++) {
		double mean_c = 0;
		for (int i = 0; i < s->n; i++) {
			const struct battery_nature *n = w[i].nature;
			double t = room_c + n->rack_k + rise_k;
			double wear = ageing_gassing(m, n, w[i].used);
			w[i].temperature_c = t;
			ln_scale[i] = log(battery_gassing_a(m, wear, 0, t));
			ocv_v[i] = battery_ocv_v(m, w[i].soc, t);
			mean_c += t / s->n;
		}
		double float_v = battery_float_v(m, mean_c);
		ln_a = battery_float_ln_a(m, s->n, ln_scale, ocv_v, s->n * float_v);
		rise_k = fmin(RISE_MOST_K,
			float_v * exp(ln_a) * m->thermal_resistance_k_per_w);
	}
	for (int i = 0; i < s->n; i++) {
		w[i].own_v = fmax((ln_a - ln_scale[i]) / per_v, ocv_v[i]);
		w[i].leak_a = exp(ln_scale[i] + per_v * w[i].own_v) - exp(ln_a);
	}
}

/* Share of life a block uses in a day on float. 'uneven': hot hours count more than the
 * mean temperature says (Jensen). */
static double rate(const struct battery_model *m, const struct way *w, double uneven)
{
	double over = w->own_v - battery_float_v(m, w->temperature_c);
	return uneven *
	       (w->nature->rate_per_day * ageing_stress(m, w->temperature_c, over) +
		       ageing_sulfation_per_day(m, 1 - w->soc, w->temperature_c));
}

/* A block that leaks more than float gives discharges itself, until the next
 * equalising charge. */
static void discharge(const struct battery_model *m, struct way *w,
	const struct life_upkeep *u, double begin, double days)
{
	double ah = m->capacity_ah / 100 * ageing_soh_pct(m, w->nature, w->used);
	double every = u->equalize_every_days;
	w->soc = fmax(0, w->soc - w->leak_a * 24 * days / ah);
	if (every > 0 && floor((begin + days - u->next_equalize_days) / every) >
				 floor((begin - u->next_equalize_days) / every))
		w->soc = 1;
}

/* Did the test on that day find a worn block? Then there is another one. */
static bool failed(const struct battery_series *s, const struct way *w,
	const double *out, double test)
{
	for (int i = 0; i < s->n; i++)
		if (out[i] <= test && w[i].replaced > test)
			return true;
	return false;
}

/* How many tests besides the yearly ones fall within 'days' from begin. */
static int further_tests(const struct battery_series *s, const struct way *w,
	const struct life_upkeep *u, const double *out, double begin, double days)
{
	const double year = 365;
	double years = floor((begin - u->retest_after_days - u->next_test_days) / year);
	double again = u->next_test_days + (years + 1) * year + u->retest_after_days;
	int n = u->retest_days >= begin && u->retest_days < begin + days;

	if (years >= -1 && again < begin + days &&
		failed(s, w, out, again - u->retest_after_days))
		n++;
	return n;
}

/* When a block that is worn out on that day will have been replaced. */
static double replacement(const struct battery_series *s, const struct way *w,
	const struct life_upkeep *u, const double *out, double day)
{
	const double year = 365;
	double years = ceil(fmax(0, day - u->next_test_days) / year);
	double test = u->next_test_days + years * year, last = test - year;

	if (day <= u->retest_days)
		test = fmin(test, u->retest_days);
	else if (years > 0 && day <= last + u->retest_after_days &&
		 failed(s, w, out, last))
		test = last + u->retest_after_days;
	return test + u->found_to_replaced_days;
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
		w[i].soc = 1;
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
	double uneven = path->stress[k] / ageing_arrhenius(m, path->room_c[k]);
	int alive = 0;
	double tested =
		ageing_cycle(m, 1) * further_tests(s, w, u, out, begin, days) / days;

	spread(s, w, path->room_c[k]);
	for (int i = 0; i < s->n; i++) {
		double r = rate(m, &w[i], uneven) + u->cycling_per_day + tested;
		double next = w[i].used + r * days;
		bool first = w[i].nature == &s->blocks[i].nature;
		if (first && out[i] == INFINITY && next >= w[i].end) {
			out[i] = begin + (w[i].end - w[i].used) / r;
			w[i].replaced =
				fmin(w[i].replaced, replacement(s, w, u, out, out[i]));
		}
		w[i].used = next;
		w[i].per_day = r;
		discharge(m, &w[i], u, begin, days);
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
			.soc = s->blocks[i].soc,
			.end = ageing_end(s->model, n),
			.replaced = fmin(upkeep->replace_days[i],
				upkeep->hard_failure_days[i] + HARD_TO_REPLACED_DAYS)};
		days[i] = w[i].used >= w[i].end ? 0 : INFINITY;
		if (days[i] == 0)
			w[i].replaced =
				fmin(w[i].replaced, replacement(s, w, upkeep, days, 0));
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
