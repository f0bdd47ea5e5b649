#include "site/weather.h"

#include "base/rng.h"

#include <math.h>

static const double PI = 3.14159265358979323846;
static const double ANOMALY_SIGMA_K = 1.2, ANOMALY_KEEP = 0.8; /* a day [E] */
enum { ANOMALY_DAYS = 24 }; /* 0.8^24 = 0.5 %: what is older no longer matters */
static const int64_t ROOM_STEP_MS = HOUR_MS;
/* Air conditioning [E]: rates a year of one failure of each sort, hot season x1.5 */
static const double FAULTS_PER_YEAR = 0.15, DEGRADED_PER_YEAR = 0.5;
static const double TAU_RUNNING_H = 0.5, TAU_DEGRADED_H = 3, TAU_FAULT_H = 6;
static const double ABOVE_OUTDOORS_K = 5; /* a room of machines, nothing cooling [E] */

void weather_init(
	struct weather *w, const struct climate *c, uint64_t key, double utc_offset_h)
{
	*w = (struct weather){.climate = c,
		.key = key,
		.utc_offset_ms = (int64_t)(utc_offset_h * (double)HOUR_MS),
		.day = INT64_MIN};
}

static double anomaly_k(uint64_t key, int64_t day)
{
	double sum = 0, weight = sqrt(1 - ANOMALY_KEEP * ANOMALY_KEEP);
	for (int k = 0; k < ANOMALY_DAYS; k++, weight *= ANOMALY_KEEP)
		sum += weight * rng_normal(key, (uint64_t)(day - k));
	return ANOMALY_SIGMA_K * sum;
}

/* Monthly values hold for the middle of the month, linear between. */
static double monthly(const double *v, const struct civil *c)
{
	double x = c->day <= 15 ? (c->day + 15) / 30. : (c->day - 15) / 30.;
	int a = c->day <= 15 ? (c->month + 10) % 12 : c->month - 1;
	return v[a] + (v[(a + 1) % 12] - v[a]) * fmin(1, x);
}

/* -1 at 6 h (coldest) to 1 at 15 h (hottest), half cosines between. */
static double diurnal(double hour)
{
	double h = hour < 6 ? hour + 24 : hour;
	return h <= 15 ? -cos(PI * (h - 6) / 9) : cos(PI * (h - 15) / 15);
}

struct outdoors weather_at(struct weather *w, int64_t ts)
{
	struct civil c;
	struct outdoors o;
	int64_t local = ts + w->utc_offset_ms, day = time_whole(local, DAY_MS);

	if (day != w->day) {
		w->anomaly_k[0] = anomaly_k(w->key, day);
		w->anomaly_k[1] = anomaly_k(w->key, day + 1);
		w->day = day;
	}
	time_to_civil(local, &c);
	double part = (double)(local - day * DAY_MS) / (double)DAY_MS;
	double high = monthly(w->climate->max_c, &c),
	       low = monthly(w->climate->min_c, &c);
	double swing = 0.5 * (high - low) * diurnal(24 * part);
	double anomaly = w->anomaly_k[0] + part * (w->anomaly_k[1] - w->anomaly_k[0]);
	o.temperature_c = 0.5 * (high + low) + swing + anomaly + w->offset_k;
	/* the same water in warmer air */
	double rh = monthly(w->climate->rh_pct, &c) - 3.5 * (swing + anomaly);
	o.humidity_pct = fmin(100, fmax(15, rh));
	return o;
}

void room_init(struct room *r, uint64_t key, int64_t now)
{
	double setpoint = 24 + rng_uniform(key, 0); /* 24-25 degC */
	*r = (struct room){.temperature_c = setpoint,
		.humidity_pct = 50,
		.hvac = hvac_running,
		.key = rng_key(key, 1),
		.now = now,
		.fault_from = TIME_NIL,
		.fault_until = TIME_NIL,
		.setpoint_c = setpoint};
}

/* At the start of a day: does the air conditioning fail on it? */
static void plan_day(struct room *r, const struct weather *w, int64_t day)
{
	struct civil c;
	uint64_t key = rng_key(r->key, (uint64_t)day);
	time_to_civil(day * DAY_MS + w->utc_offset_ms, &c);
	double season = c.month >= 3 && c.month <= 5 ? 1.5 : 1;
	double fault = season * FAULTS_PER_YEAR / 365.25;
	double either = fault + season * DEGRADED_PER_YEAR / 365.25;

	if (r->fault_until != TIME_NIL || rng_uniform(key, 0) >= 1 - exp(-either))
		return;
	double length_ms;
	if (rng_uniform(key, 1) < fault / either) {
		r->fault_hvac = hvac_fault;
		length_ms = 6 * exp(0.8 * rng_normal(key, 2)) * (double)HOUR_MS;
	} else {
		r->fault_hvac = hvac_degraded;
		length_ms = (5 + 9 * rng_uniform(key, 2)) * (double)DAY_MS;
		r->fault_k = 2 + 3 * rng_uniform(key, 3);
	}
	r->fault_from = day * DAY_MS + (int64_t)(rng_uniform(key, 4) * (double)DAY_MS);
	r->fault_until = r->fault_from + (int64_t)length_ms;
}

static void step(struct room *r, struct weather *w, int64_t to)
{
	double hours = (double)(to - r->now) / (double)HOUR_MS;
	struct outdoors out = weather_at(w, to);
	double goal = r->setpoint_c + r->offset_k, tau_h = TAU_RUNNING_H;
	double humidity = 45 + 0.08 * (out.humidity_pct - 50);

	if (r->hvac == hvac_degraded) {
		goal += r->forced == hvac_degraded ? r->forced_k : r->fault_k;
		tau_h = TAU_DEGRADED_H;
		humidity += 8;
	} else if (r->hvac == hvac_fault || r->hvac == hvac_standby) {
		goal = out.temperature_c + ABOVE_OUTDOORS_K + r->offset_k;
		tau_h = TAU_FAULT_H;
		humidity = fmin(85, out.humidity_pct);
	} else {
		goal += 0.02 * (out.temperature_c - 28); /* a little comes through */
	}
	double keep = exp(-hours / tau_h);
	r->temperature_c = goal + (r->temperature_c - goal) * keep;
	r->humidity_pct = humidity + (r->humidity_pct - humidity) * keep;
	r->now = to;
}

static void switch_hvac(struct room *r)
{
	if (r->fault_until != TIME_NIL && r->now >= r->fault_until)
		r->fault_from = r->fault_until = TIME_NIL;
	if (r->forced != hvac_running)
		r->hvac = r->forced;
	else if (r->fault_until != TIME_NIL && r->now >= r->fault_from)
		r->hvac = r->fault_hvac;
	else
		r->hvac = r->standby ? hvac_standby : hvac_running;
}

/* On the hour: is there anything to cool? */
static void look_outside(struct room *r, struct weather *w)
{
	double without_c = weather_at(w, r->now).temperature_c + ABOVE_OUTDOORS_K;
	r->standby = without_c < r->setpoint_c && r->offset_k == 0;
}

bool room_failed(enum hvac_names hvac)
{
	return hvac == hvac_degraded || hvac == hvac_fault;
}

static int64_t earlier(int64_t a, int64_t b, int64_t after)
{
	return b != TIME_NIL && b > after && b < a ? b : a;
}

void room_advance(struct room *r, struct weather *w, int64_t to)
{
	while (r->now < to) {
		int64_t day = time_whole(r->now, DAY_MS);
		if (r->now == day * DAY_MS)
			plan_day(r, w, day);
		if (r->now % ROOM_STEP_MS == 0)
			look_outside(r, w);
		switch_hvac(r);
		int64_t next = earlier(to, (day + 1) * DAY_MS, r->now);
		next = earlier(next,
			(time_whole(r->now, ROOM_STEP_MS) + 1) * ROOM_STEP_MS, r->now);
		next = earlier(next, r->fault_from, r->now);
		next = earlier(next, r->fault_until, r->now);
		step(r, w, next);
	}
	switch_hvac(r);
}
