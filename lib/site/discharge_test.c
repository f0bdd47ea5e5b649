/* Discharge tests of a string: the yearly one of its capacity, and partial ones. */
#include "battery/rate.h"
#include "site/plant.h"

#include <math.h>
#include <stdio.h>

static const double STOP_JAR_V = 9.0; /* protects a weak jar from reversal [E] */
static const int64_t REST_AFTER_MS = HOUR_MS;    /* the load bank is taken off [E] */
static const int64_t WINDOW_MS = 3 * DAY_MS / 2; /* test and recharge [E] */
/* A string that could not carry its load has its capacity measured as soon as it is
 * charged [E]. */
static const int64_t MEASURE_AFTER_DAYS = 7;

static struct charger_load load_of(const struct plant *p, const struct plant_string *s,
	int64_t ts, enum discharge_test test)
{
	const struct battery_model *m = p->model;
	struct charger_load l = {.load_a = m->capacity_ah / m->capacity_rate_h,
		.until = TIME_NIL,
		.most_ah = INFINITY,
		.cutoff_v = s->series.n * m->cutoff_v,
		.jar_cutoff_v = STOP_JAR_V};
	if (test == TEST_PARTIAL) {
		l.load_a =
			upkeep_load_share(p, s, ts) * plant_design_load_a(p, s->system);
		l.most_ah = p->fleet->discharge_test_pct / 100 * m->capacity_ah;
	}
	return l;
}

static void describe(const struct plant *p, enum discharge_test test, const char *more,
	char note[NOTE_MAX])
{
	if (test == TEST_CAPACITY)
		snprintf(note, NOTE_MAX, "capacity test%s", more);
	else
		snprintf(note, NOTE_MAX, "discharge test to %g %% of rated%s",
			p->fleet->discharge_test_pct, more);
}

void discharge_test_begin(
	struct plant *p, struct plant_string *s, int64_t ts, enum discharge_test test)
{
	struct charger_load load = load_of(p, s, ts, test);
	if (s->charger.mode != mode_float)
		return; /* an outage came between: the test is left out */
	struct happening *w = plant_happens(p, ts, HAPPENS_WINDOW, s->site, s);
	w->end_ts = ts + WINDOW_MS;
	describe(p, test, " and recharge", w->note);
	struct happening *h = upkeep_event(p, s, ts, event_type_capacity_test,
		event_status_in_progress, load.load_a);
	describe(p, test, "", h->note);
	charger_discharge(&s->charger, ts, &load);
	s->testing = test;
	for (int i = 0; i < s->series.n; i++)
		s->jars[i].test_ah = NAN;
}

void discharge_test_watch(const struct plant *p, struct plant_string *s)
{
	for (int i = 0; i < s->series.n; i++)
		if (isnan(s->jars[i].test_ah) && s->charger.mode == mode_discharge &&
			s->blocks[i].voltage_v < p->model->cutoff_v)
			s->jars[i].test_ah = s->charger.out_ah;
}

/* What was taken out until the cut-off as a capacity, % of rated: at the rated rate and
 * 25 degC (the rate- and temperature-adjusted methods of IEEE 1188 [R]). */
static double percent(const struct plant *p, const struct plant_string *s, double ah)
{
	const struct battery_model *m = p->model;
	double part = battery_temperature_factor(m, s->series.mean_temperature_c);
	if (s->testing == TEST_PARTIAL)
		part *= battery_rate_fraction(
			m, s->charger.load.load_a, m->capacity_ah);
	return 100 * ah / part / m->capacity_ah;
}

static enum test_result_names verdict(const struct battery_model *m, double pct)
{
	double halfway = (100 + m->eol_pct) / 2;
	return pct < m->eol_pct ? test_result_fail
	       : pct < halfway  ? test_result_marginal
				: test_result_pass;
}

/* jar -1: the string. ah NaN: the test ended before the cut-off, nothing is measured.
 */
static struct test_report *report(
	struct plant *p, struct plant_string *s, int64_t ts, int jar, double ah)
{
	struct happening *h = plant_happens(p, ts, HAPPENS_CAPACITY, s->site, s);
	h->jar = jar;
	h->value = ah;
	h->test = (struct test_report){.test = s->testing,
		.rate_a = s->charger.load.load_a,
		.minutes = 60 * ah / s->charger.load.load_a,
		.ambient_c = p->sites[s->site].room.temperature_c,
		.pct = percent(p, s, ah)};
	h->test.result = isnan(ah) ? test_result_pass : verdict(p->model, h->test.pct);
	return &h->test;
}

/* The jars that were empty before the string, and what follows for them. */
static void report_jars(struct plant *p, struct plant_string *s, int64_t ts)
{
	for (int i = 0; i < s->series.n; i++) {
		struct plant_jar *j = &s->jars[i];
		if (!(j->test_ah > 0))
			continue;
		double pct = report(p, s, ts, i, j->test_ah)->pct;
		if (pct < p->model->eol_pct && j->replace_at == TIME_NIL)
			j->replace_at = ts + TEST_REPLACE_AFTER_DAYS * DAY_MS;
	}
}

static void report_string(
	struct plant *p, struct plant_string *s, int64_t began, int64_t ts)
{
	bool done = s->charger.out_ah >= s->charger.load.most_ah;
	struct test_report *r = report(p, s, ts, -1, done ? NAN : s->charger.out_ah);

	r->minutes = (double)(ts - began) / (double)MINUTE_MS;
	if (s->testing == TEST_PARTIAL && !done) {
		r->result = test_result_fail; /* whatever capacity that was */
		s->retest_day = ts / DAY_MS + MEASURE_AFTER_DAYS;
	} else if (s->testing == TEST_CAPACITY) {
		s->last_capacity_test = ts;
		if (r->result == test_result_fail)
			s->retest_day = ts / DAY_MS + TEST_AGAIN_AFTER_DAYS;
	}
}

void discharge_test_end(
	struct plant *p, struct plant_string *s, int64_t began, int64_t ended)
{
	report_string(p, s, began, ended);
	report_jars(p, s, ended);
	struct happening *h = upkeep_event(p, s, ended, event_type_capacity_test,
		event_status_completed, s->charger.out_ah);
	h->start = began;
	h->end_ts = ended;
	describe(p, s->testing, "", h->note);
	if (s->testing == TEST_CAPACITY)
		charger_rest(&s->charger, ended, ended + REST_AFTER_MS);
	s->testing = TEST_NONE;
}
