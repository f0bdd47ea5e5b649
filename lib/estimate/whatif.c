#include "estimate/whatif.h"

#include "battery/rate.h"
#include "estimate/openloop.h"

#include <math.h>
#include <stdbool.h>

static const double STEP_S = 10, Z90 = 1.645;

struct run {
	const struct battery_model *m;
	struct openloop loop;
	struct whatif_point now;
	double room_c;
	double every_min, next_min;
	whatif_fn *fn;
	void *ctx;
};

static void tell(struct run *r)
{
	if (r->fn)
		r->fn(r->ctx, &r->now);
}

static void begin(
	struct run *r, const struct battery_model *m, const struct whatif_state *s)
{
	double row[EKF_N];
	double t = s->temperature_c;
	r->m = m;
	openloop_start(&r->loop, m, fmin(fmax(s->soc, 0), 1), NAN, t);
	if (!isnan(s->r0_mohm))
		r->loop.x[EKF_LNR0] = log(fmax(s->r0_mohm, 0.01) * 1e-3);
	r->loop.x[EKF_LNQ] = log(fmax(s->capacity_ah, 0.01 * m->capacity_ah));
	r->now = (struct whatif_point){
		0, r->loop.x[EKF_SOC], circuit_voltage_v(m, r->loop.x, 0, t, row), t};
	r->room_c = t;
	r->next_min = r->every_min;
	tell(r);
}

/* Losses are what the voltage lacks to that at rest, and heat goes to the room. */
static void warm(struct run *r, double load_a, double room_c, double dt_s)
{
	const struct battery_model *m = r->m;
	double row[EKF_N];
	double rest = circuit_voltage_v(m, r->loop.x, 0, r->now.temperature_c, row) -
		      r->loop.x[EKF_V1] - r->loop.x[EKF_V2];
	double lost_w = fmax(rest - r->now.voltage_v, 0) * load_a;
	double settles = room_c + lost_w * m->thermal_resistance_k_per_w;
	double tau = m->thermal_resistance_k_per_w * m->heat_capacity_j_per_k;
	double keep = tau > 0 ? exp(-dt_s / tau) : 0;
	r->now.temperature_c = settles + (r->now.temperature_c - settles) * keep;
}

/* Has it given what it can at this load? */
static bool spent(const struct run *r, double load_a)
{
	double got = battery_rate_fraction(r->m, load_a, r->m->capacity_ah) *
		     battery_temperature_factor(r->m, r->now.temperature_c);
	return r->now.soc <= fmax(1 - got, 0);
}

/* Returns true at the cut-off. */
static bool step(struct run *r, double load_a, double room_c, double dt_s)
{
	struct openloop_drive d = {dt_s, -load_a, -load_a, r->now.temperature_c};
	r->now.voltage_v = openloop_step(&r->loop, r->m, &d);
	r->now.soc = fmax(r->loop.x[EKF_SOC], 0);
	r->now.minute += dt_s / 60;
	warm(r, load_a, room_c, dt_s);
	return load_a > 0 && (r->now.voltage_v <= r->m->cutoff_v || spent(r, load_a));
}

/* Minutes to the cut-off; infinite when the profile ends before. */
static double run(struct run *r, const struct whatif_part *parts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		double left_s = parts[i].minutes * 60;
		double room = isnan(parts[i].room_c) ? r->room_c : parts[i].room_c;
		while (left_s > 1e-6) {
			double dt = fmin(left_s, STEP_S);
			left_s -= dt;
			if (step(r, parts[i].load_a, room, dt)) {
				tell(r);
				return r->now.minute;
			}
			if (r->now.minute >= r->next_min - 1e-9) {
				tell(r);
				r->next_min += r->every_min;
			}
		}
	}
	return INFINITY;
}

void whatif_run(const struct battery_model *m, const struct whatif_state *s,
	const struct whatif_part *parts, size_t n, double every_min, whatif_fn *fn,
	void *ctx, struct whatif *out)
{
	struct whatif_state worse[] = {*s, *s, *s};
	worse[0].soc -= s->soc_std;
	worse[1].capacity_ah -= s->capacity_std_ah;
	worse[2].r0_mohm += s->r0_std_mohm;
	struct run r = {.every_min = every_min, .fn = fn, .ctx = ctx};
	double all = 0, var = 0;
	for (size_t i = 0; i < n; i++)
		all += parts[i].minutes;
	begin(&r, m, s);
	double t = run(&r, parts, n), reached = fmin(t, all);
	for (int i = 0; i < 3; i++) {
		struct run q = {.every_min = INFINITY};
		begin(&q, m, &worse[i]);
		double d = reached - fmin(run(&q, parts, n), reached);
		var += d * d;
	}
	double by_table = isfinite(t) || var > 0 ? m->rate_fraction_std * reached : 0;
	double std = sqrt(var + by_table * by_table);
	out->minutes = isfinite(t) ? t : NAN;
	out->lower_min = isfinite(t) || std > 0 ? fmax(reached - Z90 * std, 0) : NAN;
	out->upper_min = isfinite(t) && t + Z90 * std <= all ? t + Z90 * std : NAN;
}
