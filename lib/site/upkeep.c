/* Upkeep: the maintenance calendar, tests and replacements of a string. */
#include "base/rng.h"
#include "site/plant.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Days between: quarterly ohmic, yearly capacity [R IEEE 1188], the others [E]. */
static const int IMPEDANCE_DAYS = 91, EQUALIZE_DAYS = 91, CAPACITY_DAYS = 365,
		 GENERATOR_DAYS = 30;
static const int64_t EQUALIZE_MS = 8 * HOUR_MS; /* [E] */
static const double LOAD_STOP_V = 10.0;         /* a UPS drops its load, a block [E] */

/* Days since a round that comes every so many days was last due. */
static int64_t since_due(int64_t day, uint64_t key, uint64_t counter, int every)
{
	return (day + (int64_t)(rng_bits(key, counter) % (uint64_t)every)) % every;
}

static bool due(int64_t day, uint64_t key, uint64_t counter, int every)
{
	return since_due(day, key, counter, every) == 0;
}

static bool capacity_test_due(const struct plant_string *s, int64_t day)
{
	return due(day, s->key, 13, CAPACITY_DAYS);
}

/* Counted from the yearly capacity test, which takes the place of the last one. */
static bool partial_test_due(
	const struct fleet *f, const struct plant_string *s, int64_t day)
{
	int every = f->discharge_test_days;
	int64_t into = since_due(day, s->key, 13, CAPACITY_DAYS);
	return f->discharge_test_pct > 0 && into > 0 && into % every == 0 &&
	       into + every / 2 <= CAPACITY_DAYS;
}

double upkeep_cycling_per_day(const struct plant *p)
{
	const struct fleet *f = p->fleet;
	double year = ageing_cycle(p->model, 1);
	int partial = f->discharge_test_pct > 0
			      ? (CAPACITY_DAYS - f->discharge_test_days / 2) /
					f->discharge_test_days
			      : 0;
	year += partial * ageing_cycle(p->model, f->discharge_test_pct / 100);
	return year / CAPACITY_DAYS;
}

/* UTC time of a local hour, on that UTC day. */
static int64_t at_hour(const struct plant_site *site, int64_t day, int hour)
{
	int64_t into = (hour * HOUR_MS - site->utc_offset_ms) % DAY_MS;
	return day * DAY_MS + (into + DAY_MS) % DAY_MS;
}

static void add(struct plant_string *s, int64_t ts, int64_t until, enum task_names what,
	int jar)
{
	int at = s->ntasks;
	if (at == AGENDA_MAX)
		return;
	while (at > s->next && s->agenda[at - 1].ts > ts)
		at--;
	memmove(s->agenda + at + 1, s->agenda + at,
		sizeof(s->agenda[0]) * (size_t)(s->ntasks - at));
	s->agenda[at] = (struct task){ts, until, what, jar};
	s->ntasks++;
}

/* Below the end of life sudden failures come more often: the time until this one goes
 * faster. */
static void wear_out(const struct plant *p, struct plant_string *s, int i, int64_t now)
{
	double eol_ah = p->model->eol_pct / 100 * p->model->capacity_ah;
	struct plant_jar *j = &s->jars[i];
	if (j->worn || s->blocks[i].capacity_ah >= eol_ah)
		return;
	j->worn = true;
	if (j->hard_failure > now)
		j->hard_failure = now + (int64_t)((double)(j->hard_failure - now) /
						  p->model->sudden_worn_factor);
}

void upkeep_plan(struct plant *p, struct plant_string *s, int64_t day)
{
	const struct plant_site *site = &p->sites[s->site];
	s->ntasks = s->next = 0;
	s->day = day;
	for (int i = 0; i < site->noutages; i++)
		add(s, site->outages[i].start, site->outages[i].battery_end,
			TASK_OUTAGE, -1);
	if (due(day, site->key, 10, GENERATOR_DAYS)) {
		int64_t ts = at_hour(site, day, 11);
		int64_t takes = 10 + (int64_t)(rng_bits(site->key, (uint64_t)day) % 20);
		add(s, ts, ts + takes * SECOND_MS, TASK_GENERATOR_TEST, -1);
	}
	if (due(day, s->key, 11, IMPEDANCE_DAYS))
		add(s, at_hour(site, day, 10), TIME_NIL, TASK_IMPEDANCE, -1);
	if (due(day, s->key, 12, EQUALIZE_DAYS))
		add(s, at_hour(site, day, 20), at_hour(site, day, 20) + EQUALIZE_MS,
			TASK_EQUALIZE, -1);
	if (capacity_test_due(s, day) || day == s->retest_day)
		add(s, at_hour(site, day, 8), TIME_NIL, TASK_CAPACITY_TEST, -1);
	if (partial_test_due(p->fleet, s, day))
		add(s, at_hour(site, day, 9), TIME_NIL, TASK_PARTIAL_TEST, -1);
	for (int i = 0; i < s->series.n; i++) {
		const struct plant_jar *j = &s->jars[i];
		wear_out(p, s, i, p->now);
		if (j->replace_at != TIME_NIL && j->replace_at < (day + 1) * DAY_MS)
			add(s, at_hour(site, day, 14), TIME_NIL, TASK_REPLACE, i);
		if (j->hard_failure >= day * DAY_MS &&
			j->hard_failure < (day + 1) * DAY_MS)
			add(s, j->hard_failure, TIME_NIL, TASK_HARD_FAILURE, i);
	}
}

static double days_from(const struct plant *p, int64_t ts)
{
	return (double)(ts - p->now) / (double)DAY_MS;
}

void upkeep_foresee(
	const struct plant *p, const struct plant_string *s, struct life_upkeep *u)
{
	const struct plant_site *site = &p->sites[s->site];
	int64_t day = p->now / DAY_MS;

	u->next_equalize_days = days_from(p, at_hour(site, day, 20)) + EQUALIZE_DAYS -
				(double)since_due(day, s->key, 12, EQUALIZE_DAYS);
	u->equalize_every_days = EQUALIZE_DAYS;
	while (!capacity_test_due(s, day) || at_hour(site, day, 8) < p->now)
		day++;
	u->cycling_per_day = upkeep_cycling_per_day(p);
	u->next_test_days = days_from(p, at_hour(site, day, 8));
	u->found_to_replaced_days = TEST_REPLACE_AFTER_DAYS;
	u->retest_after_days = TEST_AGAIN_AFTER_DAYS;
	u->retest_days = s->retest_day * DAY_MS > p->now
				 ? days_from(p, at_hour(site, s->retest_day, 8))
				 : -INFINITY;
	for (int i = 0; i < s->series.n; i++) {
		const struct plant_jar *j = &s->jars[i];
		u->hard_failure_days[i] = days_from(p, j->hard_failure);
		u->replace_days[i] = j->replace_at == TIME_NIL
					     ? INFINITY
					     : days_from(p, j->replace_at);
		u->successors[i] = unit_successor(p, s, i);
	}
}

static const struct {
	uint64_t counter;
	int every, hour;
	enum event_type_names type;
	const char *note;
} SITE_ROUNDS[ROUNDS] = {
	{20, 30, 14, event_type_inspection, "monthly inspection"},
	{21, 91, 15, event_type_thermal_survey, "quarterly thermal survey"},
	{22, 365, 16, event_type_torque_check, "annual torque check"},
};

void upkeep_plan_site(struct plant_site *site, int64_t day)
{
	for (int i = 0; i < ROUNDS; i++)
		site->rounds[i] = due(day, site->key, SITE_ROUNDS[i].counter,
					  SITE_ROUNDS[i].every)
					  ? at_hour(site, day, SITE_ROUNDS[i].hour)
					  : TIME_NIL;
}

void upkeep_site(struct plant *p, struct plant_site *site, int64_t to)
{
	for (int i = 0; i < ROUNDS; i++) {
		int64_t ts = site->rounds[i];
		if (ts == TIME_NIL || ts < p->now || ts >= to)
			continue;
		struct happening *h =
			plant_happens(p, ts, HAPPENS_EVENT, site - p->sites, NULL);
		h->type = SITE_ROUNDS[i].type;
		h->status = event_status_completed;
		h->end_ts = ts + HOUR_MS;
		snprintf(h->note, sizeof(h->note), "%s", SITE_ROUNDS[i].note);
	}
}

struct happening *upkeep_event(struct plant *p, const struct plant_string *s,
	int64_t ts, enum event_type_names type, enum event_status_names status,
	double value)
{
	struct happening *h = plant_happens(p, ts, HAPPENS_EVENT, s->site, s);
	h->type = type;
	h->status = status;
	h->value = value;
	return h;
}

static void impedance(struct plant *p, struct plant_string *s, int64_t ts)
{
	for (int i = 0; i < s->series.n; i++) {
		struct happening *h =
			plant_happens(p, ts, HAPPENS_IMPEDANCE, s->site, s);
		h->jar = i;
		h->value = s->blocks[i].r0_mohm;
		h->temperature_c = s->blocks[i].temperature_c;
	}
	struct happening *h = upkeep_event(p, s, ts, event_type_impedance_test,
		event_status_completed, s->series.n);
	h->start = ts;
	h->end_ts = ts;
}

double upkeep_load_share(
	const struct plant *p, const struct plant_string *s, int64_t ts)
{
	return 0.5 + 0.3 * rng_uniform(p->sites[s->site].key, (uint64_t)ts);
}

static void discharge(struct plant *p, struct plant_string *s, int64_t ts,
	int64_t until, double share, bool generator_test)
{
	double load = share * plant_design_load_a(p, s->system);
	bool was_testing = s->testing != TEST_NONE;

	if (s->charger.mode == mode_discharge && !was_testing) {
		if (s->charger.until < until) /* still on battery from before */
			s->charger.until = until;
		return;
	}
	if (generator_test && s->charger.mode != mode_float)
		return;
	s->generator_test = generator_test;
	s->testing = TEST_NONE; /* an outage ends a test without a result */
	if (was_testing)
		upkeep_event(p, s, ts, event_type_capacity_test, event_status_cancelled,
			NAN);
	upkeep_event(p, s, ts,
		generator_test ? event_type_generator_test
			       : event_type_battery_discharge,
		event_status_in_progress, load);
	charger_discharge(&s->charger, ts,
		&(struct charger_load){.load_a = load,
			.until = until,
			.most_ah = INFINITY,
			.cutoff_v = s->series.n * LOAD_STOP_V,
			.jar_cutoff_v = -INFINITY});
}

void upkeep_outage(struct plant *p, struct plant_string *s, int64_t ts, int64_t until,
	double share)
{
	discharge(p, s, ts, until, share, false);
}

static void replace(struct plant *p, struct plant_string *s, int i, int64_t ts)
{
	s->jars[i].unit++;
	unit_install(p, s, i, ts);
	/* It comes charged, at the voltage of a block at rest, as warm as the room. */
	s->blocks[i].temperature_c = p->sites[s->site].room.temperature_c;
	s->blocks[i].surface_v = p->model->ocv_v[p->model->ocv_points - 1];
	s->blocks[i].voltage_v = s->blocks[i].surface_v;
	struct happening *h = upkeep_event(p, s, ts, event_type_replacement,
		event_status_completed, s->jars[i].unit);
	h->jar = i;
	h->end_ts = ts;
	snprintf(h->note, sizeof(h->note), "%s replaced by %s", s->jars[i].predecessor,
		s->jars[i].serial);
	h = plant_happens(p, ts, HAPPENS_REPLACEMENT, s->site, s);
	h->jar = i;
	if (s->charger.mode == mode_float)
		s->charger.last_discharge_end =
			ts; /* the string is restless for a day */
}

static void fail_hard(struct plant *p, struct plant_string *s, int i, int64_t ts)
{
	struct plant_jar *j = &s->jars[i];
	s->blocks[i].shorted = j->hard_cause == cause_internal_short;
	s->blocks[i].open = j->hard_cause == cause_open_circuit;
	battery_block_refresh(p->model, &s->blocks[i]);
	j->replace_at =
		ts + (int64_t)(3 + rng_bits(j->key, (uint64_t)j->unit) % 11) * DAY_MS;
	s->charger.last_discharge_end = ts;
}

void upkeep_burst(struct plant *p, struct plant_string *s, int i, int64_t ts)
{
	s->jars[i].hard_failure = ts;
	s->jars[i].hard_cause = cause_thermal_runaway;
	s->blocks[i].vented = true;
	fail_hard(p, s, i, ts);
}

void upkeep_do(struct plant *p, struct plant_string *s, const struct task *t)
{
	switch (t->what) {
	case TASK_OUTAGE:
	case TASK_GENERATOR_TEST:
		discharge(p, s, t->ts, t->until, upkeep_load_share(p, s, t->ts),
			t->what == TASK_GENERATOR_TEST);
		break;
	case TASK_IMPEDANCE:
		impedance(p, s, t->ts);
		break;
	case TASK_EQUALIZE:
		if (charger_equalize(&s->charger, t->ts, t->until)) {
			upkeep_event(p, s, t->ts, event_type_equalize,
				event_status_in_progress, NAN);
		}
		break;
	case TASK_CAPACITY_TEST:
		discharge_test_begin(p, s, t->ts, TEST_CAPACITY);
		break;
	case TASK_PARTIAL_TEST:
		discharge_test_begin(p, s, t->ts, TEST_PARTIAL);
		break;
	case TASK_REPLACE:
		if (s->charger.mode == mode_float)
			replace(p, s, t->jar, t->ts);
		break;
	case TASK_HARD_FAILURE:
		fail_hard(p, s, t->jar, t->ts);
		break;
	}
}

void upkeep_discharge_over(
	struct plant *p, struct plant_string *s, int64_t began, int64_t ended)
{
	double dod = s->charger.out_ah / p->model->capacity_ah;
	for (int i = 0; i < s->series.n; i++)
		s->blocks[i].used += ageing_cycle(p->model, dod);
	if (s->testing) {
		discharge_test_end(p, s, began, ended);
		return;
	}
	struct happening *h = upkeep_event(p, s, ended,
		s->generator_test ? event_type_generator_test
				  : event_type_battery_discharge,
		event_status_completed, s->charger.out_ah);
	h->start = began;
	h->end_ts = ended;
	s->generator_test = false;
}
