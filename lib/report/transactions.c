/* Events, tests, alerts, features and predictions: each against itself. */
#include "report/fleet.h"

#include <math.h>
#include <stdlib.h>

/* A discharge in amperes times hours is the capacity, corrected to 25 degC by at most
 * 0.6 %/K; the cut-off is 1.6 to 1.95 V a cell (1.75 to 1.80 V usual). */
static const double CAPACITY_TOLERANCE = 0.15;
static const double CUTOFF_LEAST_V = 1.6, CUTOFF_MOST_V = 1.95;
static const double PCT_TOLERANCE = 1;
static const double END_OF_LIFE_PCT = 80;   /* IEEE 1188: replace below */
static const double BOUND_TOLERANCE = 1e-3; /* what rounding may do */

struct test {
	double rate_a, minutes, rated_ah;
};

struct context {
	struct quality *q;
	struct fleet_facts *f;
	struct test *tests; /* by number of the key */
	size_t ntests;
};

static bool is(const struct table *t, const char *column, const char *word)
{
	return str_is(t->cell[layout_column(t->id, column)], word);
}

static int take_event(struct context *c, struct table *t)
{
	uint32_t who = REF(t, "battery_id");
	if (!is(t, "event_type", "replacement") || !is(t, "status", "completed") ||
		who == IDS_NONE)
		return 0;
	const struct battery *b = &c->f->batteries[who];
	c->q->checks[CHECK_REPLACEMENTS].checked++;
	if (!b->replaced && !b->successor && b->replaced_at == TIME_NIL)
		finding(c->q, CHECK_REPLACEMENTS, t->name, t->line,
			"%s was replaced, but battery.csv has no other block there",
			b->code);
	return 0;
}

static void check_cutoff(
	struct context *c, const struct table *t, const struct string *s)
{
	double cells = s->nominal_v / 2;
	double volts = NUMBER(t, "cutoff_voltage_v");
	if (!(cells > 0) || isnan(volts))
		return;
	if (volts < CUTOFF_LEAST_V * cells || volts > CUTOFF_MOST_V * cells)
		finding(c->q, CHECK_TESTS, t->name, t->line,
			"cut-off %g V of a string of %g cells: %.2f V a cell", volts,
			cells, volts / cells);
}

static int take_capacity(struct context *c, struct table *t)
{
	uint32_t number = REF(t, "test_id"), string = REF(t, "string_id");
	if (number == IDS_NONE || t->repeated)
		return 0;
	struct test *v = realloc(c->tests, (number + 1) * sizeof(*v));
	if (!v)
		return -1;
	c->tests = v;
	c->ntests = number + 1;
	const struct string *s = string == IDS_NONE ? NULL : &c->f->strings[string];
	const struct model *m =
		s && s->model != IDS_NONE ? &c->f->models[s->model] : NULL;
	v[number] = (struct test){NUMBER(t, "discharge_rate_a"),
		NUMBER(t, "discharge_duration_min"), m ? m->capacity_ah : NAN};
	c->q->checks[CHECK_TESTS].checked++;
	if (s)
		check_cutoff(c, t, s);
	return 0;
}

static int take_capacity_calc(struct context *c, struct table *t)
{
	uint32_t number = REF(t, "test_id");
	double ah = NUMBER(t, "measured_capacity_ah");
	double pct = NUMBER(t, "capacity_pct_of_rated");
	if (number == IDS_NONE)
		return 0;
	const struct test *test = &c->tests[number];
	double drawn = test->rate_a * test->minutes / 60;
	if (fabs(ah / drawn - 1) > CAPACITY_TOLERANCE)
		finding(c->q, CHECK_TESTS, t->name, t->line,
			"%g Ah measured, %.1f Ah drawn", ah, drawn);
	if (fabs(100 * ah / test->rated_ah - pct) > PCT_TOLERANCE)
		finding(c->q, CHECK_TESTS, t->name, t->line,
			"%g Ah of %g Ah is not %g %%", ah, test->rated_ah, pct);
	if ((is(t, "pass_fail", "pass") && pct < END_OF_LIFE_PCT) ||
		(is(t, "pass_fail", "fail") && pct >= 100))
		finding(c->q, CHECK_TESTS, t->name, t->line,
			"%g %% of rated is no %.*s", pct,
			STR_ARG(t->cell[COLUMN(t, "pass_fail")]));
	return 0;
}

static int take_impedance(struct context *c, struct table *t)
{
	double siemens = NUMBER(t, "conductance_s"),
	       mohm = NUMBER(t, "resistance_mohm");
	c->q->checks[CHECK_RESISTANCE].checked++;
	if (fabs(siemens * mohm / 1000 - 1) > 0.01)
		finding(c->q, CHECK_RESISTANCE, t->name, t->line,
			"%g S is not the inverse of %g mohm", siemens, mohm);
	return 0;
}

static int take_nothing(struct context *c, struct table *t)
{
	return 0;
}

static bool above(double a, double b)
{
	return a > b + BOUND_TOLERANCE * (1 + fabs(b));
}

static int take_feature(struct context *c, struct table *t)
{
	double mean = NUMBER(t, "v_mean");
	c->q->checks[CHECK_PREDICTIONS].checked++;
	if (above(NUMBER(t, "v_min"), mean) || above(mean, NUMBER(t, "v_max")))
		finding(c->q, CHECK_PREDICTIONS, t->name, t->line,
			"mean voltage %g V is not within %g to %g V", mean,
			NUMBER(t, "v_min"), NUMBER(t, "v_max"));
	if (above(NUMBER(t, "t_mean"), NUMBER(t, "t_max")))
		finding(c->q, CHECK_PREDICTIONS, t->name, t->line,
			"mean temperature above the highest");
	return 0;
}

static int take_alert(struct context *c, struct table *t)
{
	int64_t from = TIME(t, "triggered_at"), to = TIME(t, "resolved_at");
	c->q->checks[CHECK_DATES].checked++;
	if (from != TIME_NIL && to != TIME_NIL && to < from)
		finding(c->q, CHECK_DATES, t->name, t->line,
			"resolved before it was triggered");
	return 0;
}

static int take_prediction(struct context *c, struct table *t)
{
	double days = NUMBER(t, "rul_days");
	int64_t at = TIME(t, "predicted_at"), first = c->f->first_sample;
	c->q->checks[CHECK_PREDICTIONS].checked++;
	if (above(NUMBER(t, "rul_lower_ci_days"), days) ||
		above(days, NUMBER(t, "rul_upper_ci_days")))
		finding(c->q, CHECK_PREDICTIONS, t->name, t->line,
			"%g days are not within %g to %g", days,
			NUMBER(t, "rul_lower_ci_days"), NUMBER(t, "rul_upper_ci_days"));
	if (above(NUMBER(t, "failure_probability_30d"),
		    NUMBER(t, "failure_probability_90d")))
		finding(c->q, CHECK_PREDICTIONS, t->name, t->line,
			"failing within 30 days is likelier than within 90");
	if (at != TIME_NIL && first != TIME_NIL && at < first - DAY_MS)
		finding(c->q, CHECK_PREDICTIONS, t->name, t->line,
			"predicted before the first sample");
	return 0;
}

static int read_file(struct context *c, enum layout_id id,
	int (*take)(struct context *, struct table *), struct err *err)
{
	struct table t;
	int r = table_open(&t, c->q, &c->f->keys, c->q->dir, id, err);
	while (r > 0 && (r = table_next(&t, err)) > 0)
		if (take(c, &t) < 0)
			r = err_nomem(err);
	table_close(&t);
	return r;
}

int transactions_read(struct quality *q, struct fleet_facts *f, struct err *err)
{
	static const struct {
		enum layout_id id;
		int (*take)(struct context *, struct table *);
	} files[] = {{LAYOUT_EVENT, take_event}, {LAYOUT_CAPACITY, take_capacity},
		{LAYOUT_CAPACITY_CALC, take_capacity_calc},
		{LAYOUT_IMPEDANCE, take_impedance},
		{LAYOUT_IMPEDANCE_CALC, take_nothing}, {LAYOUT_FEATURE, take_feature},
		{LAYOUT_ALERT, take_alert}, {LAYOUT_RUL, take_prediction}};
	struct context c = {.q = q, .f = f};
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(*files); i++)
		r = read_file(&c, files[i].id, files[i].take, err);
	free(c.tests);
	return r;
}
