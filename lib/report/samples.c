/* The samples: strings and the states of jars in step with the jars, by time. */
#include "report/series.h"

#include "record/schema.h"

#include <math.h>

/*
 * Limits. A string's sample serves its jars for a minute, as in ingest. Charge is
 * balanced over days: a current sensor is off by up to 0.4 A, 8 % of 120 Ah a day.
 */
enum { JOIN_MS = 60000, SETTLED_H = 72 };
static const double BALANCE_H = 24;
static const double BALANCE_PCT = 10;
static const double CURRENT_OFFSET_A = 0.4;
/* Of health, above the least so far: more than rounding; more than an estimate is put
 * right by when a discharge tells. */
static const double RISE_PCT = 0.5, RISE_FAR_PCT = 5;
static const double COLLAPSE_PCT = 10; /* of health, within a day */
static const double SUM_TOLERANCE = 0.01;
static const double CONDUCTANCE_TOLERANCE = 0.01;
static const double BOOST_LEAST_A = -1; /* a sensor's offset, not a discharge */

struct reader {
	struct quality *q;
	struct fleet_facts *f;
	struct series strings, calc, jars;
};

static double capacity_of(const struct fleet_facts *f, const struct battery *b)
{
	return b->model == IDS_NONE ? NAN : f->models[b->model].capacity_ah;
}

/* Jars that were sampled together with their string. */
static void close_moment(struct reader *r, struct string *s)
{
	struct sums *v = &s->moment.voltage_v;
	double series = series_of(r->f, s);
	bool together = v->n > 0 && s->moment.ts == s->ts;
	if (together && (double)v->n == series && s->voltage_v > 0) {
		r->q->checks[CHECK_STRING_SUM].checked++;
		if (fabs(v->sum - s->voltage_v) > SUM_TOLERANCE * s->voltage_v)
			finding(r->q, CHECK_STRING_SUM, r->strings.t.name,
				s->sample_line, "jars add up to %.2f V, string %.2f V",
				v->sum, s->voltage_v);
	}
	if (together && s->mode == mode_float) {
		sums_add(&s->float_v, s->voltage_v / series);
		sums_add(&s->float_t, sums_mean(&s->moment.temperature_c));
		sums_add(&s->spread, sums_sd(v));
	}
	s->moment.ts = TIME_NIL;
	*v = s->moment.temperature_c = (struct sums){0};
}

static void check_sign(struct reader *r, const struct string *s)
{
	bool charging = s->mode == mode_boost || s->mode == mode_equalize;
	bool discharging = s->mode == mode_discharge;
	if (isnan(s->current_a) || !(charging || discharging))
		return;
	r->q->checks[CHECK_SIGN].checked++;
	if (discharging ? s->current_a >= 0 : s->current_a < BOOST_LEAST_A)
		finding(r->q, CHECK_SIGN, r->strings.t.name, s->sample_line,
			"%.2f A in mode %s", s->current_a,
			discharging ? "discharge" : "boost or equalize");
}

static void take_string(struct reader *r)
{
	struct series *c = &r->strings;
	struct string *s = &r->f->strings[c->who];
	const struct field_info *mode =
		&kind_info(KIND_string_telemetry)->fields[F_string_telemetry_mode];
	close_moment(r, s);
	s->ts = c->ts;
	s->sample_line = c->t.line;
	s->voltage_v = NUMBER(&c->t, "voltage_v");
	s->current_a = NUMBER(&c->t, "current_a");
	s->mode = name_value(mode->names, c->t.cell[COLUMN(&c->t, "mode")]);
	if (s->mode != mode_float) {
		s->off_float = s->ts;
		r->f->off_float_samples++;
	} else if (s->off_float == TIME_NIL ||
		   s->ts - s->off_float >= SETTLED_H * HOUR_MS) {
		sums_add(&s->float_a, s->current_a);
	}
	check_sign(r, s);
	series_take(c);
}

/* Health: how it went on since the last known. */
static void follow_health(
	struct reader *r, struct battery *b, const struct series *c, double soh)
{
	if (isnan(soh))
		return;
	sums_add(&b->soh_pct, soh);
	if (isnan(b->soh_least) || soh < b->soh_least)
		b->soh_least = soh;
	b->rises_far |= soh > b->soh_least + RISE_FAR_PCT;
	if (!b->rises && soh > b->soh_least + RISE_PCT) {
		b->rises = true;
		finding(r->q, CHECK_SOH, c->t.name, c->t.line,
			"%s rises from %.2f %% to %.2f %%", b->code, b->soh_least, soh);
	}
	if (!b->collapsed && soh < b->soh_reference - COLLAPSE_PCT) {
		b->collapsed = true;
		finding(r->q, CHECK_SOH, c->t.name, c->t.line,
			"%s falls from %.2f %% to %.2f %% within a day", b->code,
			b->soh_reference, soh);
	}
	if (b->soh_day == TIME_NIL || c->ts - b->soh_day >= DAY_MS) {
		b->soh_day = c->ts;
		b->soh_reference = soh;
	}
}

static void take_calc(struct reader *r)
{
	struct series *c = &r->calc;
	struct battery *b = &r->f->batteries[c->who];
	b->calc_soc = NUMBER(&c->t, "soc_pct");
	b->calc_ts = c->ts;
	follow_health(r, b, c, NUMBER(&c->t, "soh_pct"));
	series_take(c);
}

/* Whether the charge went where the current says, from the window's beginning. */
static void settle_balance(struct reader *r, struct battery *b, double soc_pct)
{
	const struct balance *w = &b->balance;
	double capacity = capacity_of(r->f, b);
	double hours = (double)(w->last - w->from) / (double)HOUR_MS;
	if (!(capacity > 0) || hours < 1)
		return;
	double tolerance = BALANCE_PCT + 100 * CURRENT_OFFSET_A * hours / capacity;
	double change = soc_pct - w->soc_pct;
	r->q->checks[CHECK_CHARGE].checked++;
	if (change >= -(tolerance + 150 * w->ah_out / capacity) &&
		change <= tolerance + 150 * w->ah_in / capacity)
		return;
	b->unbalanced = true;
	finding(r->q, CHECK_CHARGE, r->jars.t.name, r->jars.t.line,
		"%s: state of charge %.1f %% to %.1f %% within %.0f h, while %.1f Ah "
		"went "
		"in and %.1f Ah out",
		b->code, w->soc_pct, soc_pct, hours, w->ah_in, w->ah_out);
}

static void balance_charge(
	struct reader *r, struct battery *b, double soc_pct, double current_a)
{
	struct balance *w = &b->balance;
	int64_t ts = r->jars.ts;
	int64_t longest = 3 * (r->jars.interval_ms ? r->jars.interval_ms : MINUTE_MS);
	bool lost = w->from == TIME_NIL || ts - w->last > longest || ts < w->last ||
		    isnan(current_a);
	if (!lost) {
		double ah = current_a * (double)(ts - w->last) / (double)HOUR_MS;
		w->ah_in += fmax(0, ah);
		w->ah_out += fmax(0, -ah);
		w->last = ts;
	}
	if (isnan(soc_pct)) {
		w->from = lost ? TIME_NIL : w->from;
		return;
	}
	if (!lost && (double)(ts - w->from) < BALANCE_H * (double)HOUR_MS)
		return;
	if (!lost)
		settle_balance(r, b, soc_pct);
	*w = (struct balance){.from = ts, .last = ts, .soc_pct = soc_pct};
}

static void check_first(struct reader *r, struct battery *b)
{
	struct series *c = &r->jars;
	if (b->first != TIME_NIL)
		return;
	b->first = c->ts;
	if (b->installed != TIME_NIL && c->ts < b->installed)
		finding(r->q, CHECK_DATES, c->t.name, c->t.line,
			"sampled before it was installed");
}

static void check_conductance(struct reader *r, const struct table *t)
{
	double siemens = NUMBER(t, "conductance_s"),
	       mohm = NUMBER(t, "resistance_mohm");
	if (isnan(siemens) || isnan(mohm))
		return;
	r->q->checks[CHECK_RESISTANCE].checked++;
	if (fabs(siemens * mohm / 1000 - 1) > CONDUCTANCE_TOLERANCE)
		finding(r->q, CHECK_RESISTANCE, t->name, t->line,
			"%g S is not the inverse of %g mohm", siemens, mohm);
}

static void join_moment(struct reader *r, struct string *s, const struct table *t)
{
	int64_t ts = r->jars.ts;
	if (s->moment.ts != TIME_NIL && s->moment.ts != ts)
		close_moment(r, s);
	s->moment.ts = ts;
	sums_add(&s->moment.voltage_v, NUMBER(t, "voltage_v"));
	sums_add(&s->moment.temperature_c, NUMBER(t, "temperature_c"));
}

static void take_jar(struct reader *r)
{
	struct series *c = &r->jars;
	struct fleet_facts *f = r->f;
	struct battery *b = &f->batteries[c->who];
	double volts = NUMBER(&c->t, "voltage_v"), soc = NUMBER(&c->t, "soc_pct");
	double current = NAN;
	check_first(r, b);
	b->last = c->ts;
	sums_add(&b->temperature_c, NUMBER(&c->t, "temperature_c"));
	sums_add(&b->resistance_mohm, NUMBER(&c->t, "resistance_mohm"));
	check_conductance(r, &c->t);
	follow_health(r, b, c, NUMBER(&c->t, "soh_pct"));
	if (isnan(soc) && b->calc_ts == c->ts)
		soc = b->calc_soc;
	struct string *s = b->string == IDS_NONE ? NULL : &f->strings[b->string];
	if (s && s->ts != TIME_NIL && c->ts >= s->ts && c->ts - s->ts <= JOIN_MS) {
		f->joined++;
		current = s->current_a;
		join_moment(r, s, &c->t);
		if (s->mode == mode_discharge || s->mode == mode_idle)
			pair_add(&f->voltage_soc, soc, volts);
	}
	balance_charge(r, b, soc, current);
	if (f->first_sample == TIME_NIL || c->ts < f->first_sample)
		f->first_sample = c->ts;
	if (f->last_sample == TIME_NIL || c->ts > f->last_sample)
		f->last_sample = c->ts;
	series_take(c);
}

/* Takes rows of c that are not later than ts. */
static int catch_up(struct reader *r, struct series *c, int64_t ts,
	void (*take)(struct reader *r), struct err *err)
{
	int k;
	while ((k = series_peek(c, err)) > 0 && c->ts <= ts)
		take(r);
	return k < 0 ? -1 : 0;
}

static int walk(struct reader *r, struct err *err)
{
	int k;
	while ((k = series_peek(&r->jars, err)) > 0) {
		if (catch_up(r, &r->strings, r->jars.ts, take_string, err) < 0 ||
			catch_up(r, &r->calc, r->jars.ts, take_calc, err) < 0)
			return -1;
		take_jar(r);
	}
	if (k < 0 || catch_up(r, &r->strings, TIME_MAX, take_string, err) < 0 ||
		catch_up(r, &r->calc, TIME_MAX, take_calc, err) < 0)
		return -1;
	for (size_t i = 0; i < r->f->nstrings; i++)
		close_moment(r, &r->f->strings[i]);
	return 0;
}

/* A file of which only its cells, order and gaps are checked. */
static int read_alone(
	struct quality *q, struct fleet_facts *f, enum layout_id id, struct err *err)
{
	struct series s;
	int r = series_open(&s, q, f, id, true, err);
	while (r == 0 && (r = series_peek(&s, err)) > 0) {
		series_take(&s);
		r = 0;
	}
	series_close(&s);
	return r < 0 ? -1 : 0;
}

int samples_read(struct quality *q, struct fleet_facts *f, struct err *err)
{
	struct reader r = {.q = q, .f = f};
	int k = series_open(&r.strings, q, f, LAYOUT_STRING_RAW, true, err);
	if (k == 0)
		k = series_open(&r.calc, q, f, LAYOUT_JAR_CALC, false, err);
	if (k == 0)
		k = series_open(&r.jars, q, f, LAYOUT_JAR_RAW, true, err);
	if (k == 0)
		k = walk(&r, err);
	series_close(&r.strings);
	series_close(&r.calc);
	series_close(&r.jars);
	if (k < 0 || read_alone(q, f, LAYOUT_STRING_CALC, err) < 0)
		return -1;
	return read_alone(q, f, LAYOUT_ENVIRONMENT, err);
}
