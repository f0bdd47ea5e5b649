/* Signals: what a rule can look at beyond the fields. */
#include "rules/engine_impl.h"

#include <math.h>

/*
 * Float set-point of a jar at temperature_c, V: float_v + comp·(T − 25), clamped. The
 * numbers are the battery model's; NaN for a type that is not floated.
 */
static double set_point_v(const struct model_info *m, double temperature_c)
{
	const struct battery_model *f = &m->file;
	if (f->float_v <= 0 || isnan(temperature_c))
		return NAN;
	double v = f->float_v + f->float_comp_v_per_k * (temperature_c - 25);
	if (f->float_clamp_max_v > 0)
		v = fmin(fmax(v, f->float_clamp_min_v), f->float_clamp_max_v);
	return v;
}

/* Over the room as the jar has felt it, so that a room that cools or warms within hours
 * makes no jar suspect. */
double temperature_rise(
	const struct engine *e, const struct subject *s, const struct rec_telemetry *t)
{
	uint32_t site = s->string == IDS_NONE ? IDS_NONE : e->strings[s->string].site;
	if (site == IDS_NONE)
		return NAN;
	const struct site_state *room = &e->site_states[site];
	if (room->ts == TIME_NIL || t->ts - room->ts > ROOM_FRESH_MS)
		return NAN;
	return (double)t->temperature_c - (double)room->felt_c;
}

static double resistance_drift(const struct engine *e, const struct subject *s)
{
	double base = (double)e->roster.batteries[s->battery].initial_resistance_mohm;
	if (!(base > 0))
		return NAN;
	return 100 * ((double)e->batteries[s->battery].resistance_mohm / base - 1);
}

/* Until a usual interval is known, silence counts as it is. */
static double silence(const struct engine *e, int64_t seen, float interval_ms)
{
	int64_t gap = seen == TIME_NIL ? 0 : e->mark.now - seen;
	if (gap <= 0 || (float)gap <= 3 * interval_ms)
		return 0;
	return (double)gap / 1000;
}

double jar_mean(const struct engine *e, const struct subject *s,
	const struct rec_string_telemetry *t)
{
	int n = e->roster.strings[s->string].batteries;
	if (n <= 0)
		n = e->strings[s->string].jars;
	return n > 0 ? (double)t->voltage_v / n : NAN;
}

static double jar_mean_25c(
	struct engine *e, const struct subject *s, const struct rec_string_telemetry *t)
{
	const struct string_state *g = &e->strings[s->string];
	const struct model_info *m = engine_model(e, g->member);
	double mean = jar_mean(e, s, t);
	if (isnan(g->temperature_c))
		return mean;
	return mean + set_point_v(m, 25) - set_point_v(m, (double)g->temperature_c);
}

static double mean_deviation(
	const struct engine *e, const struct subject *s, const struct rec_telemetry *t)
{
	if (s->string == IDS_NONE)
		return NAN;
	const struct string_state *g = &e->strings[s->string];
	if (g->seen == TIME_NIL || t->ts - g->seen > STRING_FRESH_MS)
		return NAN;
	return (double)t->voltage_v - (double)g->jar_mean_v;
}

/* Less than a day of it is no base; a jar that is no warmer than its room runs nowhere.
 */
#define FLOAT_BASE_MS DAY_MS
#define RUNAWAY_WARM_K 5

static double runaway_ratio(const struct engine *e, const struct subject *s, int64_t ts)
{
	const struct string_state *g = &e->strings[s->string];
	if (g->float_since == TIME_NIL || ts - g->float_since < FLOAT_BASE_MS ||
		!(g->float_base_a > 0))
		return NAN;
	bool warm = g->hot_ts != TIME_NIL && ts - g->hot_ts <= STRING_FRESH_MS &&
		    g->hot_k >= RUNAWAY_WARM_K;
	return warm ? (double)g->float_a / (double)g->float_base_a : 1;
}

static double outages_24h(struct engine *e, const struct subject *s, int64_t now)
{
	struct place p;
	int n = 0;
	if (!place_of(e, s, &p) || p.scope != SCOPE_SITE)
		return NAN;
	const struct site_state *site = &e->site_states[p.id];
	for (int i = 0; i < site->n_outages; i++)
		n += now - site->outages[i] < DAY_MS;
	return n;
}

/* Sources from worst to best; a better one silences the others for a week. */
static const int8_t RUL_ORDER[] = {rul_source_ml, rul_source_twin, rul_source_fused};

double best_rul(
	const struct engine *e, const struct subject *s, const struct rec_rul *r)
{
	const struct battery_state *b = &e->batteries[s->battery];
	for (int i = 2; i >= 0 && RUL_ORDER[i] != r->source; i--) {
		int64_t seen = b->rul_seen[RUL_ORDER[i]];
		if (seen != TIME_NIL && r->ts - seen < RUL_FRESH_MS)
			return NAN;
	}
	return (double)r->rul_days;
}

/* Near the end of life a share means little. */
#define RUL_SHORT_DAYS 30
/* The first estimates of a battery settle; that is no drop. */
#define RUL_SETTLED_MS (2 * DAY_MS)

static double rul_drop(
	const struct engine *e, const struct subject *s, const struct rec_rul *r)
{
	const struct battery_state *b = &e->batteries[s->battery];
	if (b->rul_ref_ts == TIME_NIL ||
		b->rul_ref_ts - b->health.rul_first_ts < RUL_SETTLED_MS ||
		isnan(best_rul(e, s, r)))
		return NAN;
	double passed = (double)(r->ts - b->rul_ref_ts) / (double)DAY_MS;
	double promised = (double)b->rul_ref - passed;
	if (!(promised > RUL_SHORT_DAYS))
		return NAN;
	return 100 * (promised - (double)r->rul_days) / promised;
}

/* A day's distance from its string's mean voltage, without a discharge; else NaN. */
double day_imbalance(const struct rec_feature *f)
{
	if (f->window_h != 24 || !(f->coverage > 0.5f) ||
		(f->discharge_events != INT_NIL && f->discharge_events > 0))
		return NAN;
	return (double)f->v_imbalance_v;
}

static double imbalance_drift(
	const struct engine *e, const struct subject *s, const struct rec_feature *f)
{
	const struct battery_state *b = &e->batteries[s->battery];
	if (b->imbalance_since == TIME_NIL ||
		f->ts - b->imbalance_since < IMBALANCE_BASE_MS)
		return NAN;
	return day_imbalance(f) - (double)b->imbalance_base_v;
}

static double string_signal(struct engine *e, const struct signal *g,
	const struct subject *s, const struct rec_string_telemetry *t)
{
	if (g->id == SIGNAL_JAR_MEAN_V)
		return jar_mean(e, s, t);
	if (g->id == SIGNAL_JAR_MEAN_25C_V)
		return jar_mean_25c(e, s, t);
	if (g->id == SIGNAL_RIPPLE_PCT)
		return t->voltage_v > 0 ? 100 * (double)t->ripple_voltage_rms_v /
						  (double)t->voltage_v
					: NAN;
	const struct model_info *m = engine_model(e, e->strings[s->string].member);
	double ah = (double)m->rec.capacity_ah;
	return ah > 0 ? 1000 * (double)t->float_current_a / ah : NAN;
}

double signal_value(struct engine *e, const struct signal *g, const struct subject *s,
	const void *rec, int64_t ts)
{
	const struct rec_telemetry *t = rec;
	switch (g->id) {
	case SIGNAL_FLOAT_DEVIATION_V:
		return (double)t->voltage_v - set_point_v(engine_model(e, s->battery),
						      (double)t->temperature_c);
	case SIGNAL_TEMPERATURE_RISE_K:
		return temperature_rise(e, s, t);
	case SIGNAL_RESISTANCE_DRIFT_PCT:
		return resistance_drift(e, s);
	case SIGNAL_SILENCE_S:
		return silence(e, e->batteries[s->battery].seen,
			e->batteries[s->battery].interval_ms);
	case SIGNAL_STRING_SILENCE_S:
		return silence(e, e->strings[s->string].seen,
			e->strings[s->string].interval_ms);
	case SIGNAL_MEAN_DEVIATION_V:
		return mean_deviation(e, s, t);
	case SIGNAL_RUNAWAY_RATIO:
		return runaway_ratio(e, s, ts);
	case SIGNAL_OUTAGES_24H:
		return outages_24h(e, s, ts);
	case SIGNAL_BEST_RUL_DAYS:
		return best_rul(e, s, rec);
	case SIGNAL_RUL_DROP_PCT:
		return rul_drop(e, s, rec);
	case SIGNAL_IMBALANCE_DRIFT_V:
		return imbalance_drift(e, s, rec);
	case SIGNAL_JAR_MEAN_V:
	case SIGNAL_JAR_MEAN_25C_V:
	case SIGNAL_RIPPLE_PCT:
	case SIGNAL_FLOAT_CURRENT_MA_PER_AH:
		return string_signal(e, g, s, rec);
	case SIGNAL_COUNT:
		break;
	}
	return NAN;
}
