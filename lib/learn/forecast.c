#include "learn/forecast.h"

#include "base/grow.h"
#include "base/ids.h"
#include "base/rng.h"
#include "learn/arm.h"
#include "learn/calendar.h"

#include <math.h>
#include <stdlib.h>

/* How far stream time may go on before a block begun is predicted. */
#define BLOCK_SLACK_MS SECOND_MS
/* What is left of the model's weight a little outside the range it was trained on. [E]
 */
#define LEAN (1.0 / 3.0)

/* What is known of the unit at a position. */
struct battery {
	int32_t unit;
	int64_t feature_ts;    /* of the last row given to the model */
	int64_t emitted_ts;    /* of the last fused record */
	struct estimate twin;  /* of word.rul_ts */
	struct twin_word word; /* the same and the twin's state, as features */
};

static struct battery new_battery(void)
{
	return (struct battery){.feature_ts = TIME_NIL,
		.emitted_ts = TIME_NIL,
		.word = twin_word_none()};
}

struct forecast {
	struct forecast_options o;
	forecast_emit *emit;
	void *to;
	struct arm arm[FORECAST_ARMS];
	struct ids ids;
	struct battery *batteries;
	size_t cap;
	struct calendar calendar;
	struct forecast_counts counts;
	int64_t now; /* latest time seen */
};

const char *fallback_name(enum fallback f)
{
	static const char *const names[FALLBACK_COUNT] = {
		"no_model", "stale", "starved", "out_of_range"};
	return names[f];
}

struct forecast *forecast_new(const struct forecast_options *o, forecast_emit *emit,
	void *to, struct err *err)
{
	struct forecast *f = calloc(1, sizeof(*f));
	if (!f) {
		err_nomem(err);
		return NULL;
	}
	f->o = *o;
	f->emit = emit;
	f->to = to;
	f->now = TIME_NIL;
	return f;
}

void forecast_free(struct forecast *f)
{
	if (!f)
		return;
	for (int i = 0; i < FORECAST_ARMS; i++)
		arm_release(&f->arm[i]);
	ids_release(&f->ids);
	calendar_release(&f->calendar);
	free(f->batteries);
	free(f);
}

int forecast_use(struct forecast *f, int arm, const struct model *m, struct booster *b,
	struct err *err)
{
	struct arm next;
	if (arm_use(&next, m, b, f->o.block, f->o.drift_ms, err) < 0)
		return -1;
	if (forecast_give_up(f, arm, err) < 0) {
		arm_release(&next);
		return -1;
	}
	f->arm[arm] = next;
	return 0;
}

const struct model *forecast_model(const struct forecast *f, int arm)
{
	return arm_model(&f->arm[arm]);
}

const struct forecast_counts *forecast_counts(const struct forecast *f)
{
	return &f->counts;
}

const struct drift_figure *forecast_drift(const struct forecast *f, int arm)
{
	return f->arm[arm].periods ? f->arm[arm].figures : NULL;
}

/* FNV-1a leaves the high bits of like codes alike; rng_uniform mixes them. */
static double place_of(struct str code)
{
	return rng_uniform(hash_bytes(code.s, code.len), 0);
}

/* The arm that serves a battery, which may have no model. */
static int arm_of(const struct forecast *f, struct str code)
{
	return f->arm[1].predictor && place_of(code) < f->o.second_share;
}

static struct rec_rul blank(
	const struct forecast *f, uint32_t id, int64_t ts, int source)
{
	struct rec_rul r;
	record_clear(kind_info(KIND_rul), &r);
	r.ts = ts;
	r.battery = str_of(ids_name(&f->ids, id));
	r.unit = f->batteries[id].unit;
	r.source = source;
	r.flags = 0;
	r.horizon_unit = horizon_unit_days;
	return r;
}

static void set_estimate(
	const struct forecast *f, struct rec_rul *r, const struct estimate *e)
{
	r->rul_days = (float)e->rul;
	r->lower_days = (float)e->lower;
	r->upper_days = (float)e->upper;
	r->p_fail_30d = (float)e->p_fail_30d;
	r->p_fail_90d = (float)e->p_fail_90d;
	r->confidence = isnan(e->confidence) ? 0 : (float)e->confidence;
	r->replace_by = replace_by(&f->calendar, r->battery, r->ts, e->lower);
}

/* What the model says of itself in a record. */
static void set_model(
	struct rec_rul *r, const struct arm *a, const struct prediction *p)
{
	r->model = str_of(arm_model(a)->id);
	r->factors = p->factors;
}

static int32_t doubts(const struct prediction *p)
{
	return (p->beyond > RANGE_SLACK ? BIT(rul_flags_out_of_range) : 0) |
	       (p->starved ? BIT(rul_flags_starved) : 0);
}

/* How much of its weight the model keeps. */
static double trust(const struct prediction *p)
{
	if (p->starved || p->beyond > RANGE_FAR)
		return 0;
	return p->beyond > RANGE_SLACK ? LEAN : 1;
}

static bool fresh(const struct forecast *f, int64_t then, int64_t now)
{
	return then != TIME_NIL && now - then <= f->o.max_age_ms;
}

/* The model's beat and that of the fused records are two: a word of the twin alone,
 * given before the features of that hour came, must not silence them. */
static bool due(const struct forecast *f, int64_t last, int64_t ts)
{
	return last == TIME_NIL || ts - last >= f->o.every_ms;
}

static enum fallback why_fallen(const struct arm *a, const struct prediction *ml)
{
	if (!a->predictor)
		return FALLBACK_NO_MODEL;
	if (!ml)
		return FALLBACK_STALE;
	return ml->starved ? FALLBACK_STARVED : FALLBACK_OUT_OF_RANGE;
}

static void count_fused(struct forecast *f, const struct rec_rul *r,
	const struct arm *a, const struct prediction *ml)
{
	struct forecast_counts *c = &f->counts;
	c->fused++;
	if (isnan(r->rul_days))
		c->nothing++;
	else if (r->flags & BIT(rul_flags_fallback))
		c->fallback[why_fallen(a, ml)]++;
	c->conflict += !!(r->flags & BIT(rul_flags_conflict));
	c->out_of_range += !!(r->flags & BIT(rul_flags_out_of_range));
	c->starved += !!(r->flags & BIT(rul_flags_starved));
}

/* The rule for one estimate of the model. */
static struct fusion rule_of(
	const struct forecast *f, const struct arm *a, const struct prediction *ml)
{
	struct fusion rule = f->o.fusion;
	if (rule.rule == FUSION_EVIDENCE && ml) {
		double w = weights_of(&arm_model(a)->weights, ml->e.rul);
		rule.weight = isnan(w) ? rule.weight : w;
	}
	return rule;
}

/* The bounds that estimates by the model's own weights were seen to need. */
static void bound_by_evidence(const struct model *m, const struct prediction *ml,
	bool conflict, struct estimate *e)
{
	if (ml->kind == CALIB_SILENT || m->fused[ml->kind].n == 0)
		return;
	model_fused(m, ml->kind, ml->width, e);
	if (conflict)
		e->confidence *= 0.5;
}

/* ml is NULL when the model has nothing to say. */
static void emit_fused(struct forecast *f, const struct arm *a, uint32_t id, int64_t ts,
	const struct prediction *ml)
{
	struct battery *b = &f->batteries[id];
	struct rec_rul r = blank(f, id, ts, rul_source_fused);
	double weight;
	bool twin = fresh(f, b->word.rul_ts, ts);
	if (!a->predictor)
		r.flags |= BIT(rul_flags_model_missing);
	if (ml)
		r.flags |= doubts(ml);
	else if (!twin)
		r.flags |= BIT(rul_flags_starved);
	struct fusion rule = rule_of(f, a, ml);
	struct estimate e = fusion_of(&rule, ml ? &ml->e : &ESTIMATE_NONE,
		twin ? &b->twin : &ESTIMATE_NONE, ml ? trust(ml) : 0,
		fresh(f, b->word.state_ts, ts) ? b->word.v[TWIN_NIS] : NAN, &weight,
		&r.flags);
	r.weight_ml = (float)weight;
	if (ml && weight > 0)
		set_model(&r, a, ml);
	if (ml && twin && rule.rule == FUSION_EVIDENCE && trust(ml) >= 1)
		bound_by_evidence(
			arm_model(a), ml, r.flags & BIT(rul_flags_conflict), &e);
	set_estimate(f, &r, &e);
	/* Having had nothing to say must not silence who has. */
	if (!isnan(r.rul_days))
		b->emitted_ts = ts;
	count_fused(f, &r, a, ml);
	f->emit(f->to, KIND_rul, &r);
}

static void emit_ml(struct forecast *f, int arm, uint32_t id, int64_t ts,
	const struct prediction *ml)
{
	struct rec_rul r = blank(f, id, ts, rul_source_ml);
	r.flags = doubts(ml);
	r.weight_ml = 1;
	set_model(&r, &f->arm[arm], ml);
	set_estimate(f, &r, &ml->e);
	f->counts.learned[arm]++;
	f->emit(f->to, KIND_rul, &r);
}

static int flush_arm(struct forecast *f, int arm, struct err *err)
{
	struct arm *a = &f->arm[arm];
	struct block *k = &a->block;
	size_t n = k->n;
	k->n = 0;
	if (n == 0)
		return 0;
	if (predictor_run(a->predictor, k->x, k->coverage, n, k->out, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		emit_ml(f, arm, k->battery[i], k->ts[i], &k->out[i]);
		emit_fused(f, a, k->battery[i], k->ts[i], &k->out[i]);
	}
	return 0;
}

int forecast_flush(struct forecast *f, struct err *err)
{
	for (int i = 0; i < FORECAST_ARMS; i++)
		if (flush_arm(f, i, err) < 0)
			return -1;
	return 0;
}

static void judge_drift(struct forecast *f, struct arm *a, int64_t ts)
{
	struct rec_alert alert;
	if (arm_judge(a, ts, &alert))
		f->emit(f->to, KIND_alert, &alert);
}

int forecast_end(struct forecast *f, struct err *err)
{
	if (forecast_flush(f, err) < 0)
		return -1;
	for (int i = 0; i < FORECAST_ARMS; i++)
		judge_drift(f, &f->arm[i], f->now);
	return 0;
}

int forecast_give_up(struct forecast *f, int arm, struct err *err)
{
	struct arm *a = &f->arm[arm];
	struct rec_alert alert;
	int r = forecast_flush(f, err);
	if (a->predictor &&
		drift_alert_withdraw(&a->alert, arm_model(a), f->now, &alert))
		f->emit(f->to, KIND_alert, &alert);
	arm_release(a);
	return r;
}

int forecast_time(struct forecast *f, int64_t ts, struct err *err)
{
	if (ts <= f->now)
		return 0;
	f->now = ts;
	for (int i = 0; i < FORECAST_ARMS; i++) {
		const struct block *k = &f->arm[i].block;
		if (k->n && ts - k->opened > BLOCK_SLACK_MS)
			return forecast_flush(f, err);
	}
	return 0;
}

static struct battery *battery_of(struct forecast *f, struct str code, int32_t unit,
	uint32_t *id, struct err *err)
{
	size_t known = f->ids.n;
	*id = ids_intern(&f->ids, code);
	if (*id == IDS_NONE ||
		grow(&f->batteries, &f->cap, *id, sizeof(*f->batteries)) < 0) {
		err_nomem(err);
		return NULL;
	}
	struct battery *b = &f->batteries[*id];
	if (*id == known)
		*b = new_battery();
	if (b->unit != unit) {
		/* Rows of the former unit may be waiting. */
		if (b->feature_ts != TIME_NIL && forecast_flush(f, err) < 0)
			return NULL;
		*b = new_battery();
		b->unit = unit;
	}
	return b;
}

/* The block must be of one window end, and have room. */
static bool block_closes(const struct block *k, int64_t ts)
{
	return k->n == k->cap || (k->n && k->ts[0] != ts);
}

static int take(struct forecast *f, struct arm *a, const struct rec_feature *r,
	uint32_t id, struct err *err)
{
	if (a->drift && drift_period_over(a->drift, r->ts))
		judge_drift(f, a, r->ts);
	if (block_closes(&a->block, r->ts) && forecast_flush(f, err) < 0)
		return -1;
	struct battery *b = &f->batteries[id];
	b->feature_ts = b->emitted_ts = r->ts;
	struct twin_word word = twin_word_at(&b->word, r->ts);
	return arm_take(a, r, &word, id, f->now, err);
}

int forecast_feature(struct forecast *f, const struct rec_feature *r, struct err *err)
{
	uint32_t id;
	struct arm *a = &f->arm[arm_of(f, r->battery)];
	const struct model *m = arm_model(a);
	if (r->window_h != (m ? m->window_h : f->o.window_h))
		return 0;
	struct battery *b = battery_of(f, r->battery, r->unit, &id, err);
	if (!b)
		return -1;
	if (!due(f, m ? b->feature_ts : b->emitted_ts, r->ts))
		return 0;
	if (m)
		return take(f, a, r, id, err);
	emit_fused(f, a, id, r->ts, NULL);
	return 0;
}

/* The twin's words, with its bounds about its estimate. */
static struct estimate heard(const struct rec_rul *r)
{
	struct estimate e = {(double)r->rul_days, (double)r->lower_days,
		(double)r->upper_days, (double)r->p_fail_30d, (double)r->p_fail_90d,
		(double)r->confidence};
	if (!isnan(e.lower))
		e.lower = fmin(e.lower, e.rul);
	if (!isnan(e.upper))
		e.upper = fmax(e.upper, e.rul);
	if (isnan(e.confidence))
		e.confidence = estimate_confidence(e.rul, e.lower, e.upper);
	return e;
}

int forecast_twin(struct forecast *f, const struct rec_rul *r, struct err *err)
{
	uint32_t id;
	struct battery *b = battery_of(f, r->battery, r->unit, &id, err);
	if (!b)
		return -1;
	b->twin = heard(r);
	twin_word_rul(&b->word, r);
	/* Where the features have dried up the twin speaks, on its own beat. */
	if (!fresh(f, b->feature_ts, r->ts) && due(f, b->emitted_ts, r->ts))
		emit_fused(f, &f->arm[arm_of(f, r->battery)], id, r->ts, NULL);
	return 0;
}

int forecast_state(struct forecast *f, const struct rec_twin_state *r, struct err *err)
{
	uint32_t id;
	struct battery *b = battery_of(f, r->battery, r->unit, &id, err);
	if (!b)
		return -1;
	twin_word_state(&b->word, r);
	return 0;
}

int forecast_window(
	struct forecast *f, const struct rec_maintenance_window *r, struct err *err)
{
	return calendar_take(&f->calendar, r, err);
}
