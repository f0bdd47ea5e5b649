#include "battery/charger.h"

#include <math.h>

/* A discharge deeper than this share of the rating is followed by boost [E]. */
static const double BOOST_AFTER = 0.02;
static const double RECHARGE_C = 0.15; /* limit while recharging, of the rating [E] */
static const double BOOST_DONE_C = 0.005; /* boost ends at this current [E] */
static const int64_t BOOST_LEAST_MS = HOUR_MS, BOOST_MOST_MS = 24 * HOUR_MS; /* [E] */
static const int64_t RESTLESS_MS = 24 * HOUR_MS; /* float is not yet steady [E] */

void charger_init(struct charger *c, int64_t now)
{
	*c = (struct charger){.mode = mode_float,
		.since = now,
		.until = TIME_NIL,
		.load_factor = 1,
		.last_discharge_end = TIME_NIL};
}

static void enter(struct charger *c, enum mode_names mode, int64_t now, int64_t until)
{
	c->mode = mode;
	c->since = now;
	c->until = until;
}

void charger_discharge(struct charger *c, int64_t now, const struct charger_load *load)
{
	enter(c, mode_discharge, now, load->until);
	c->load = *load;
	c->out_ah = 0;
}

bool charger_equalize(struct charger *c, int64_t now, int64_t until)
{
	if (c->mode != mode_float)
		return false;
	enter(c, mode_equalize, now, until);
	return true;
}

void charger_rest(struct charger *c, int64_t now, int64_t until)
{
	enter(c, mode_idle, now, until);
}

struct battery_drive charger_drive(
	const struct charger *c, const struct battery_series *s)
{
	const struct battery_model *m = s->model;
	struct battery_drive d = {.charging = true,
		.limit_a = fmin(m->max_charge_a, RECHARGE_C * m->capacity_ah)};

	switch (c->mode) {
	case mode_discharge:
		return (struct battery_drive){.constant_current = true,
			.current_a = -c->load.load_a * c->load_factor};
	case mode_boost:
	case mode_equalize:
		d.set_v = s->n *
			  (battery_boost_v(m, s->mean_temperature_c) + c->offset_v);
		return d;
	case mode_float:
		d.set_v = s->n *
			  (battery_float_v(m, s->mean_temperature_c) + c->offset_v);
		return d;
	case mode_idle:
	case mode_unknown:
	case mode_count:
		break;
	}
	return (struct battery_drive){.constant_current = true};
}

int64_t charger_step_ms(const struct charger *c, int64_t now)
{
	int64_t into = now - c->since;
	switch (c->mode) {
	case mode_discharge:
		return into < MINUTE_MS ? 2 * SECOND_MS : 10 * SECOND_MS;
	case mode_boost:
	case mode_equalize:
	case mode_idle:
		return into < 10 * MINUTE_MS ? 10 * SECOND_MS : MINUTE_MS;
	case mode_float:
	case mode_unknown:
	case mode_count:
		break;
	}
	if (c->last_discharge_end != TIME_NIL &&
		now - c->last_discharge_end < RESTLESS_MS)
		return into < 10 * MINUTE_MS ? 10 * SECOND_MS : 2 * MINUTE_MS;
	return HOUR_MS;
}

static bool below_cutoff(const struct charger *c, const struct battery_series *s)
{
	if (s->voltage_v <= c->load.cutoff_v)
		return true;
	for (int i = 0; i < s->n; i++)
		if (s->blocks[i].voltage_v < c->load.jar_cutoff_v &&
			!s->blocks[i].shorted && !s->blocks[i].open)
			return true;
	return false;
}

static bool discharge_over(
	struct charger *c, const struct battery_series *s, int64_t now)
{
	bool empty = below_cutoff(c, s);
	if (!empty && c->out_ah < c->load.most_ah &&
		(c->until == TIME_NIL || now < c->until))
		return false;
	c->last_discharge_end = now;
	if (empty && c->until != TIME_NIL && now < c->until)
		enter(c, mode_idle, now, c->until); /* the mains are still away */
	else if (c->out_ah > BOOST_AFTER * s->model->capacity_ah)
		enter(c, mode_boost, now, now + BOOST_MOST_MS);
	else
		enter(c, mode_float, now, TIME_NIL);
	return true;
}

bool charger_update(struct charger *c, const struct battery_series *s, int64_t now)
{
	switch (c->mode) {
	case mode_discharge:
		c->out_ah += c->load.load_a * c->load_factor * s->dt_s / 3600;
		return discharge_over(c, s, now);
	case mode_boost:
		if (now >= c->until ||
			(now - c->since >= BOOST_LEAST_MS &&
				s->current_a < BOOST_DONE_C * s->model->capacity_ah))
			enter(c, mode_float, now, TIME_NIL);
		if (c->mode == mode_float)
			c->last_discharge_end = now; /* float settles from here */
		break;
	case mode_equalize:
		if (now >= c->until) {
			enter(c, mode_float, now, TIME_NIL);
			c->last_discharge_end = now;
		}
		break;
	case mode_idle:
		if (c->until != TIME_NIL && now >= c->until)
			enter(c, mode_boost, now, now + BOOST_MOST_MS);
		break;
	case mode_float:
	case mode_unknown:
	case mode_count:
		break;
	}
	return false;
}
