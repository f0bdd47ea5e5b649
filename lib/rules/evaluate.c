/* One rule against one sample. */
#include "rules/engine_impl.h"

#include <math.h>

struct life *life_of(struct engine *e, int rule, const struct subject *s)
{
	size_t n = (size_t)e->rules_of_type[s->type];
	return &e->lives[s->type][(size_t)s->id * n + (size_t)e->slot[rule]];
}

static bool constraint_holds(const struct when *w, const void *rec)
{
	double v = field_number(w->field, rec);
	bool missing = isnan(v);
	bool equal = !missing &&
		     (w->field->type == T_BITS ? ((int64_t)v >> (int)w->number & 1) != 0
					       : v == w->number);
	switch (w->op) {
	case WHEN_EQ:
		return equal;
	case WHEN_NE:
		return !equal;
	case WHEN_LT:
		return v < w->number;
	case WHEN_GT:
		return v > w->number;
	}
	return false;
}

static bool held_off(const struct engine *e, const struct rule *r,
	const struct subject *s, int64_t ts)
{
	if (!r->hold_off_ms || s->string == IDS_NONE)
		return false;
	int64_t last = e->strings[s->string].disturbed;
	/* A jar whose clock is ahead must not hold off its string for good. */
	return last != TIME_NIL && ts - last < r->hold_off_ms && last - ts < HOUR_MS;
}

/* Its own subject's alert, or its string's, explains this one. */
static bool explained(struct engine *e, const struct rule *r, const struct subject *s)
{
	for (int i = 0; i < r->nunless; i++) {
		struct subject of = *s;
		if (e->rules->rules[r->unless[i]].subject_type != s->type) {
			if (s->string == IDS_NONE)
				continue;
			of = subject_string(e, s->string);
		}
		if (life_of(e, r->unless[i], &of)->phase >= LIFE_SUPPRESSED)
			return true;
	}
	return false;
}

static bool constrained(const struct rule *r, const void *rec)
{
	for (int i = 0; rec && i < r->nwhen; i++)
		if (!constraint_holds(&r->when[i], rec))
			return true;
	return false;
}

/* NaN: missing, or not for this rule. An absent bit set is an empty one. */
static double value_of(struct engine *e, const struct rule *r, const struct subject *s,
	const void *rec, const struct kind_rules *k, int64_t ts)
{
	if (rec && k->quality && r->ignore_quality) {
		double q = field_number(k->quality, rec);
		if (!isnan(q) && ((uint32_t)(int64_t)q & r->ignore_quality))
			return NAN;
	}
	if (held_off(e, r, s, ts) || planned_holds(e, r, s, ts) || explained(e, r, s))
		return NAN;
	if (r->signal)
		return signal_value(e, r->signal, s, rec, ts);
	double v = field_number(r->field, rec);
	return isnan(v) && r->condition == COND_HAS ? 0 : v;
}

static double system_number(
	const struct engine *e, const struct limit *l, const struct subject *s)
{
	if (s->string == IDS_NONE)
		return NAN;
	const struct roster_system *y =
		roster_system(&e->roster, e->roster.strings[s->string].system);
	if (!y)
		return NAN;
	return (double)(l->base == LIMIT_LOAD ? y->design_load_a
					      : y->required_autonomy_min);
}

static double limit_value(
	struct engine *e, const struct limit *l, const struct subject *s)
{
	uint32_t battery = s->battery;
	switch (l->base) {
	case LIMIT_NONE:
		return NAN;
	case LIMIT_NUMBER:
		return l->add;
	case LIMIT_MODEL:
		if (battery == IDS_NONE && s->string != IDS_NONE)
			battery = e->strings[s->string].member;
		return field_number(l->field, &engine_model(e, battery)->rec) + l->add;
	case LIMIT_AUTONOMY:
	case LIMIT_LOAD:
		return system_number(e, l, s) + l->add;
	}
	return NAN;
}

static bool by_system(const struct limit *l)
{
	return l->base == LIMIT_AUTONOMY || l->base == LIMIT_LOAD;
}

/* The numbers of the rule's limits for this subject. They depend on its model, and are
 * kept from sample to sample; those of the system are looked up each time. */
static const struct level_limits *limits_of(
	struct engine *e, const struct rule *r, int cell, const struct subject *s)
{
	struct resolved *c = &e->resolved[cell];
	uint32_t battery = s->battery;
	if (battery == IDS_NONE && s->string != IDS_NONE)
		battery = e->strings[s->string].member;
	const struct model_info *model = engine_model(e, battery);
	if (c->model == model)
		return c->limits;
	c->model = model;
	for (int i = 0; i < LEVEL_COUNT; i++) {
		const struct rule_level *l = &r->level[i];
		c->limits[i] = (struct level_limits){
			limit_value(e, &l->lo, s),
			limit_value(e, &l->hi, s),
			limit_value(e, &l->clear_lo, s),
			limit_value(e, &l->clear_hi, s),
		};
		if (by_system(&l->lo) || by_system(&l->hi) || by_system(&l->clear_lo) ||
			by_system(&l->clear_hi))
			c->model = NULL;
	}
	return c->limits;
}

/* Most samples leave an idle alert idle: seen at a glance, without asking whether the
 * rule applies. */
static bool nothing_new(
	const struct rule *r, const struct level_limits *lim, const void *rec)
{
	if (!r->field || !rec)
		return false;
	struct verdict v;
	double value = field_number(r->field, rec);
	for (int i = 0; i < LEVEL_COUNT; i++) {
		life_judge(r, (enum level)i, &lim[i], value, &v);
		if (v.over[i])
			return false;
	}
	return true;
}

/* The limit that was crossed: for two-sided conditions the nearer one. */
static double threshold_of(
	const struct rule *r, const struct level_limits *lim, double value)
{
	if (r->condition >= COND_IS)
		return NAN;
	if (r->condition == COND_BELOW ||
		(r->condition == COND_OUTSIDE && value < lim->lo))
		return lim->lo;
	if (r->condition == COND_OUTSIDE && value <= lim->hi)
		return fabs(value - lim->lo) < fabs(value - lim->hi) ? lim->lo
								     : lim->hi;
	return lim->hi;
}

static void count_change(
	struct rule_count *c, enum life_change change, enum life_phase before)
{
	bool was = before >= LIFE_SUPPRESSED;
	c->fired += change == LIFE_FIRED;
	c->suppressed += change == LIFE_HELD;
	c->escalated += change == LIFE_SHIFTED;
	c->resolved += change == LIFE_RESOLVED;
	c->open += (change == LIFE_FIRED || change == LIFE_HELD) && !was;
	c->open -= change == LIFE_RESOLVED;
}

void tell(struct engine *e, int rule, const struct subject *s, struct life *l,
	enum life_change change, const struct finding *f)
{
	if (!isnan(f->value)) {
		l->value = (float)f->value;
		l->threshold = (float)f->threshold;
	}
	if (change == LIFE_FIRED) {
		l->fired = f->ts;
		group_fired(e, rule, s, l, f->ts);
	}
	announce(e, rule, s, l, change, f);
	if (change == LIFE_SHIFTED)
		incident_shifted(e, l, f->ts);
	if (change == LIFE_RESOLVED) {
		cause_over(e, rule, s, f->ts);
		incident_left(e, l, f->ts);
	}
	if (change != LIFE_STARTED && change != LIFE_LAPSED)
		health_update(e, s, f->ts);
	if (e->rules->rules[rule].distrust && s->type == SUBJECT_STRING)
		health_of_batteries(e, s->string, f->ts);
}

static int day_of(struct engine *e, int64_t ts)
{
	int64_t day = time_whole(ts, DAY_MS);
	if (e->day_name == 0 || day != e->day) {
		struct civil c;
		time_to_civil(ts, &c);
		e->day = day;
		e->day_name = 100 * c.month + c.day;
	}
	return e->day_name;
}

/* The rule as it is for the subject at that time; NULL: not in force there. *cell:
 * where its limits are kept. */
static const struct rule *rule_for(
	struct engine *e, int rule, const struct subject *s, int64_t ts, int *cell)
{
	*cell = rule;
	if (!e->rules->varied[rule])
		return &e->rules->rules[rule];
	int i = rule_variant(e->rules, rule, s->code, day_of(e, ts));
	if (i < 0)
		return &e->rules->rules[rule];
	*cell = RULES_MAX + i;
	return e->rules->variants[i].enabled ? &e->rules->variants[i].r : NULL;
}

/* An alert that was shelved before it came is suppressed from the beginning. */
static enum life_change shelve_new(
	struct engine *e, int rule, const struct subject *s, struct life *l, int64_t ts)
{
	char id[ID_SIZE];
	alert_id(e, rule, s->code, l->start, id);
	int64_t until = shelved_until(e, id);
	if (until == TIME_NIL || until <= ts)
		return LIFE_FIRED;
	l->shelved = until;
	l->phase = LIFE_SUPPRESSED;
	return LIFE_HELD;
}

void evaluate(struct engine *e, int rule, const struct subject *s, const void *rec,
	const struct kind_rules *k, int64_t ts)
{
	int cell;
	const struct rule *r = rule_for(e, rule, s, ts, &cell);
	if (!r) {
		close_alert(e, rule, s, ts, "resolved, the rule is not in force now");
		return;
	}
	const struct level_limits *lim = limits_of(e, r, cell, s);
	struct life *l = life_of(e, rule, s);
	enum life_phase before = l->phase;
	if (before == LIFE_IDLE && nothing_new(r, lim, rec))
		return;
	bool outside = constrained(r, rec);
	if (outside && (!r->otherwise_clear || before == LIFE_IDLE))
		return;
	double v = value_of(e, r, s, rec, k, ts);
	if (isnan(v))
		return;
	struct verdict verdict = {.clear = {true, true}};
	for (int i = 0; i < LEVEL_COUNT && !outside; i++)
		life_judge(r, (enum level)i, &lim[i], v, &verdict);
	if (before == LIFE_IDLE && !verdict.over[0] && !verdict.over[1])
		return;
	bool quiet = (!r->urgent && e->n_mutes > 0 && muted(e, s->code, ts)) ||
		     (before >= LIFE_SUPPRESSED && ts < l->shelved);
	enum life_change change = life_step(l, r, ts, &verdict, quiet);
	if (change == LIFE_FIRED && e->n_shelves > 0 && before < LIFE_SUPPRESSED)
		change = shelve_new(e, rule, s, l, ts);
	if (change == LIFE_SAME)
		return;
	count_change(&e->counts[rule], change, before);
	enum level at =
		r->level[LEVEL_CRITICAL].used && (l->level == LEVEL_CRITICAL ||
							 !r->level[LEVEL_WARNING].used)
			? LEVEL_CRITICAL
			: LEVEL_WARNING;
	struct finding f = {ts, v, threshold_of(r, &lim[at], v), NULL};
	tell(e, rule, s, l, change, &f);
}

void close_alert(struct engine *e, int rule, const struct subject *s, int64_t ts,
	const char *why)
{
	struct life *l = life_of(e, rule, s);
	enum life_phase before = l->phase;
	enum life_change change = life_reset(l);
	if (change == LIFE_SAME)
		return;
	count_change(&e->counts[rule], change, before);
	struct finding f = {ts, NAN, NAN, why};
	tell(e, rule, s, l, change, &f);
}

void retire(struct engine *e, const struct subject *s, int64_t ts)
{
	for (int i = 0; i < e->rules_of_type[s->type]; i++)
		close_alert(e, e->by_type[s->type][i], s, ts,
			"resolved, the battery was replaced");
}
