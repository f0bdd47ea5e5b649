/* What samples tell beyond the rules: intervals, discharges, rooms, running means. */
#include "rules/engine_impl.h"

#include <math.h>

#define USABLE(q, bits) ((q) == BITS_NIL || !((q) & (bits)))

/* The usual interval follows slowly; one outage must not make silence look usual. */
static void note_time(int64_t *seen, float *interval_ms, int64_t ts)
{
	if (*seen == TIME_NIL) {
		*seen = ts;
		return;
	}
	if (ts <= *seen)
		return;
	float gap = (float)(ts - *seen);
	if (*interval_ms == 0)
		*interval_ms = fminf(gap, (float)HOUR_MS);
	else
		*interval_ms += (fminf(gap, 8 * *interval_ms) - *interval_ms) / 8;
	*seen = ts;
}

/* Resistance at 25 degC, first-order mean with a time constant of an hour
 * (implicit step): single
 * readings scatter by several per cent. */
static void note_resistance(
	struct engine *e, const struct subject *s, const struct rec_telemetry *t)
{
	struct battery_state *b = &e->batteries[s->battery];
	if (isnan(t->resistance_mohm) || isnan(t->temperature_c) ||
		!USABLE(t->quality, BIT(quality_resistance_range) |
					    BIT(quality_temperature_range) |
					    BIT(quality_sentinel)))
		return;
	const struct battery_model *m = &engine_model(e, s->battery)->file;
	double law = 1 + m->r0_per_k * ((double)t->temperature_c - 25);
	float r = (float)((double)t->resistance_mohm / fmax(law, 0.2));
	if (b->resistance_ts == TIME_NIL) {
		b->resistance_mohm = r;
	} else if (t->ts > b->resistance_ts) {
		double dt = (double)(t->ts - b->resistance_ts) / (double)HOUR_MS;
		b->resistance_mohm += (float)(dt / (1 + dt)) * (r - b->resistance_mohm);
	} else {
		return;
	}
	b->resistance_ts = t->ts;
}

/* What devices send when they have no value: 16 bits of ones, those over 100, minus
 * one. */
bool is_sentinel(double v)
{
	return v == 65535 || v == -1 || fabs(v - 655.35) < 1e-4;
}

static int range(double v, double lo, double hi, int bit)
{
	if (isnan(v))
		return 0;
	return is_sentinel(v) ? BIT(quality_sentinel) : v < lo || v > hi ? bit : 0;
}

int doubts_of_jar(struct engine *e, uint32_t battery, const struct rec_telemetry *t)
{
	const struct rec_battery_model *m = &engine_model(e, battery)->rec;
	return range((double)t->voltage_v, (double)m->voltage_hard_min_v,
		       (double)m->voltage_hard_max_v, BIT(quality_voltage_range)) |
	       range((double)t->temperature_c, (double)m->temperature_min_c,
		       (double)m->temperature_max_c, BIT(quality_temperature_range)) |
	       range((double)t->resistance_mohm, (double)m->resistance_min_mohm,
		       (double)m->resistance_max_mohm, BIT(quality_resistance_range));
}

int doubts_of_string(
	struct engine *e, uint32_t string, const struct rec_string_telemetry *t)
{
	const struct string_state *g = &e->strings[string];
	const struct rec_battery_model *m = &engine_model(e, g->member)->rec;
	struct subject s = subject_string(e, string);
	double mean = jar_mean(e, &s, t);
	int doubts = range((double)t->voltage_v, -HUGE_VAL, HUGE_VAL, 0) |
		     range((double)t->float_current_a, -HUGE_VAL, HUGE_VAL, 0);
	/* A string that nobody has counted has any voltage. */
	if (e->roster.strings[string].batteries > 0 && !doubts)
		doubts |= range(mean, (double)m->voltage_hard_min_v,
			(double)m->voltage_hard_max_v, BIT(quality_voltage_range));
	return doubts;
}

/* After a discharge, a boost or an equalizing charge the voltage settles for days. */
static void note_mode(struct string_state *g, int mode, int64_t ts)
{
	if (mode != mode_discharge && mode != mode_boost && mode != mode_equalize)
		return;
	if (g->disturbed == TIME_NIL || ts > g->disturbed)
		g->disturbed = ts;
}

static void note_temperature(struct string_state *g, const struct rec_telemetry *t)
{
	if (isnan(t->temperature_c) ||
		!USABLE(t->quality,
			BIT(quality_temperature_range) | BIT(quality_sentinel)))
		return;
	if (isnan(g->temperature_c))
		g->temperature_c = t->temperature_c;
	else
		g->temperature_c +=
			(t->temperature_c - g->temperature_c) / (float)(2 * g->jars);
}

/* The warmest jar of the string; one that was is forgotten after minutes. */
static void note_hot(
	struct engine *e, const struct subject *s, const struct rec_telemetry *t)
{
	struct string_state *g = &e->strings[s->string];
	if (isnan(t->temperature_c) ||
		!USABLE(t->quality,
			BIT(quality_temperature_range) | BIT(quality_sentinel)))
		return;
	double rise = temperature_rise(e, s, t);
	if (isnan(rise))
		return;
	if (!(rise < (double)g->hot_k) || g->hot_ts == TIME_NIL ||
		t->ts - g->hot_ts > STRING_FRESH_MS) {
		g->hot_k = (float)rise;
		g->hot_ts = t->ts;
	}
}

static void on_telemetry(
	struct engine *e, const struct subject *s, const struct rec_telemetry *t)
{
	struct battery_state *b = &e->batteries[s->battery];
	int64_t before = b->seen;
	note_time(&b->seen, &b->interval_ms, t->ts);
	note_resistance(e, s, t);
	if (s->string != IDS_NONE) {
		struct string_state *g = &e->strings[s->string];
		note_mode(g, t->mode, t->ts);
		planned_note(g, t->mode, t->ts);
		note_temperature(g, t);
		note_hot(e, s, t);
	}
	watermark_note(&e->mark, s->id * 3, before, t->ts);
}

static float follow(float mean, float v, int64_t dt, int64_t tau)
{
	if (isnan(mean))
		return v;
	return mean + (float)(1 - exp(-(double)dt / (double)tau)) * (v - mean);
}

/* The float current takes three days after a discharge to be one. It doubles within
 * 11.6 K (Schiffer), so it is compared at 25 degC. What has grown by half is no base
 * any more. */
#define FLOAT_SETTLED_MS (72 * HOUR_MS)
static void note_float(struct string_state *g, const struct rec_string_telemetry *t)
{
	if (isnan(t->float_current_a) || t->mode != mode_float ||
		!USABLE(t->quality, BIT(quality_sentinel) | BIT(quality_stuck) |
					    BIT(quality_current_range)) ||
		(g->disturbed != TIME_NIL && t->ts - g->disturbed < FLOAT_SETTLED_MS) ||
		(g->float_ts != TIME_NIL && t->ts <= g->float_ts))
		return;
	int64_t dt = g->float_ts == TIME_NIL ? 0 : t->ts - g->float_ts;
	double celsius = isnan(g->temperature_c) ? 25 : (double)g->temperature_c;
	float a = t->float_current_a * (float)exp(-0.06 * (celsius - 25));
	g->float_a = follow(g->float_a, a, dt, HOUR_MS);
	if (isnan(g->float_base_a) || g->float_a < 1.5F * g->float_base_a)
		g->float_base_a = follow(g->float_base_a, a, dt, 7 * DAY_MS);
	g->float_since = g->float_since == TIME_NIL ? t->ts : g->float_since;
	g->float_ts = t->ts;
}

static void on_string(
	struct engine *e, const struct subject *s, const struct rec_string_telemetry *t)
{
	struct string_state *g = &e->strings[s->string];
	int64_t before = g->seen;
	note_time(&g->seen, &g->interval_ms, t->ts);
	note_mode(g, t->mode, t->ts);
	planned_note(g, t->mode, t->ts);
	note_float(g, t);
	g->jar_mean_v =
		USABLE(t->quality, BIT(quality_voltage_range) | BIT(quality_sentinel))
			? (float)jar_mean(e, s, t)
			: NAN;
	watermark_note(&e->mark, s->id * 3 + 1, before, t->ts);
}

/* A jar of 33 kJ/K behind 0.7-1.0 K/W follows its room by hours: 6-9 of them [E]. */
#define JAR_LAG_MS (7 * HOUR_MS)

static void note_felt(struct site_state *room, int64_t dt)
{
	if (isnan(room->felt_c) || dt <= 0)
		room->felt_c = isnan(room->felt_c) ? room->temperature_c : room->felt_c;
	else
		room->felt_c += (float)(1 - exp(-(double)dt / (double)JAR_LAG_MS)) *
				(room->temperature_c - room->felt_c);
}

/* No room is that warm, or cold. */
#define ROOM_MAX_C 80

/* The room of a site is the running mean over its sensors' samples. */
static int on_environment(
	struct engine *e, const struct subject *s, const struct rec_environment *t)
{
	int64_t before = e->other_seen[s->id];
	if (before == TIME_NIL || t->ts > before)
		e->other_seen[s->id] = t->ts;
	watermark_note(&e->mark, s->id * 3 + 2, before, t->ts);
	uint32_t site = engine_sensor_site(e, t->sensor);
	if (site == IDS_NONE)
		return -1;
	struct site_state *room = &e->site_states[site];
	if (before == TIME_NIL)
		room->sensors++;
	if (isnan(t->temperature_c) || is_sentinel((double)t->temperature_c) ||
		fabs((double)t->temperature_c) > ROOM_MAX_C)
		return 0;
	if (isnan(room->temperature_c) || t->ts - room->ts > ROOM_FRESH_MS)
		room->temperature_c = t->temperature_c;
	else
		room->temperature_c +=
			(t->temperature_c - room->temperature_c) /
			(float)(room->sensors > 1 ? 2 * room->sensors : 1);
	note_felt(room, room->ts == TIME_NIL ? 0 : t->ts - room->ts);
	if (room->ts == TIME_NIL || t->ts > room->ts)
		room->ts = t->ts;
	return 0;
}

/* Its beginning; the same outage is told of again when it ends. */
static void on_event(
	struct engine *e, const struct subject *s, const struct rec_event *v)
{
	struct place p;
	if (v->type != event_type_outage || v->ts == TIME_NIL ||
		v->status == event_status_scheduled ||
		v->status == event_status_cancelled || !place_of(e, s, &p) ||
		p.scope != SCOPE_SITE)
		return;
	struct site_state *site = &e->site_states[p.id];
	int oldest = 0;
	for (int i = 0; i < site->n_outages; i++) {
		if (site->outages[i] == v->ts)
			return;
		oldest = site->outages[i] < site->outages[oldest] ? i : oldest;
	}
	if (site->n_outages < OUTAGES_KEPT)
		oldest = site->n_outages++;
	site->outages[oldest] = v->ts;
}

static void on_twin(
	struct engine *e, const struct subject *s, const struct rec_twin_state *t)
{
	struct health *h = &e->batteries[s->battery].health;
	if (!isnan(t->soh_pct)) {
		h->soh_pct = t->soh_pct;
		h->soh_std_pct = t->soh_std_pct;
	}
}

/* The reference moves on a day behind the latest, so that a drop is seen for a day. */
static void on_rul(struct engine *e, const struct subject *s, const struct rec_rul *r)
{
	struct battery_state *b = &e->batteries[s->battery];
	if (isnan(r->rul_days) || r->horizon_unit == horizon_unit_cycles ||
		(r->flags & BIT(rul_flags_starved)) || r->source < 0 ||
		r->source >= rul_source_count)
		return;
	int64_t *seen = &b->rul_seen[r->source];
	if (*seen == TIME_NIL || r->ts > *seen)
		*seen = r->ts;
	if (isnan(best_rul(e, s, r)))
		return;
	b->health.rul_days = r->rul_days;
	b->health.rul_upper_days = r->upper_days;
	b->health.rul_ts = r->ts;
	if (b->health.rul_first_ts == TIME_NIL)
		b->health.rul_first_ts = r->ts;
	/* Another source that says less is no drop. */
	if (b->rul_source != r->source) {
		b->rul_source = r->source;
		b->rul_now = NAN;
		b->rul_ref_ts = b->rul_now_ts = TIME_NIL;
	}
	if (b->rul_now_ts == TIME_NIL || r->ts - b->rul_now_ts >= DAY_MS) {
		b->rul_ref = b->rul_now;
		b->rul_ref_ts = b->rul_now_ts;
		b->rul_now = r->rul_days;
		b->rul_now_ts = r->ts;
	}
}

/* What the battery was like when it was new here, for a month. */
static void on_feature(
	struct engine *e, const struct subject *s, const struct rec_feature *f)
{
	struct battery_state *b = &e->batteries[s->battery];
	double v = day_imbalance(f);
	if (isnan(v))
		return;
	if (b->imbalance_since == TIME_NIL)
		b->imbalance_since = f->ts;
	if (f->ts - b->imbalance_since < IMBALANCE_BASE_MS)
		b->imbalance_base_v +=
			((float)v - b->imbalance_base_v) / (float)++b->imbalance_n;
}

int observe(struct engine *e, const struct subject *s, int kind, const void *rec,
	int64_t ts)
{
	if (kind == KIND_telemetry)
		on_telemetry(e, s, rec);
	else if (kind == KIND_string_telemetry)
		on_string(e, s, rec);
	else if (kind == KIND_environment)
		return on_environment(e, s, rec);
	else if (kind == KIND_twin_state)
		on_twin(e, s, rec);
	else if (kind == KIND_rul)
		on_rul(e, s, rec);
	else if (kind == KIND_feature)
		on_feature(e, s, rec);
	else if (kind == KIND_event)
		on_event(e, s, rec);
	return 0;
}
