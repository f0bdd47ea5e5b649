#include "rules/life.h"

#include <math.h>

static bool over_number(enum condition c, double lo, double hi, double v)
{
	if (c == COND_ABOVE)
		return v > hi;
	if (c == COND_BELOW)
		return v < lo;
	if (c == COND_ABS_ABOVE)
		return fabs(v) > hi;
	return v < lo || v > hi;
}

static bool clear_number(enum condition c, double lo, double hi, double v)
{
	if (c == COND_ABOVE)
		return v <= hi;
	if (c == COND_BELOW)
		return v >= lo;
	if (c == COND_ABS_ABOVE)
		return fabs(v) <= hi;
	return v >= lo && v <= hi;
}

void life_judge(const struct rule *r, enum level level, const struct level_limits *lim,
	double value, struct verdict *out)
{
	const struct rule_level *l = &r->level[level];
	if (!l->used) {
		out->over[level] = false;
		out->clear[level] = true;
	} else if (r->condition == COND_IS) {
		out->over[level] =
			value >= 0 && value < 32 && (l->words >> (unsigned)value & 1);
		out->clear[level] = !out->over[level];
	} else if (r->condition == COND_HAS) {
		out->over[level] =
			!isnan(value) && ((uint32_t)(int64_t)value & l->words) != 0;
		out->clear[level] = !out->over[level];
	} else {
		out->over[level] = over_number(r->condition, lim->lo, lim->hi, value);
		out->clear[level] =
			!out->over[level] &&
			clear_number(r->condition, lim->clear_lo, lim->clear_hi, value);
	}
}

/* since, on, clear of each level, from the verdict. */
static void note(struct life *l, int64_t ts, const struct verdict *v)
{
	for (int i = 0; i < LEVEL_COUNT; i++) {
		if (v->over[i] && !l->on[i]) {
			l->on[i] = true;
			l->since[i] = ts;
		}
		if (!v->clear[i])
			l->clear[i] = TIME_NIL;
		else if (l->clear[i] == TIME_NIL)
			l->clear[i] = ts;
	}
}

/* Before firing a level's condition must hold without a break. */
static void drop_interrupted(struct life *l, const struct verdict *v)
{
	for (int i = 0; i < LEVEL_COUNT; i++)
		if (!v->over[i])
			l->on[i] = false;
}

static bool held(const struct life *l, const struct rule *r, int level, int64_t ts)
{
	return l->on[level] && ts - l->since[level] >= r->for_ms;
}

static bool cleared(const struct life *l, const struct rule *r, int level, int64_t ts)
{
	return l->clear[level] != TIME_NIL && ts - l->clear[level] >= r->keep_ms;
}

static void begin(struct life *l, int64_t ts)
{
	*l = (struct life){
		.start = ts, .seen = ts, .shelved = TIME_NIL, .phase = LIFE_PENDING};
	for (int i = 0; i < LEVEL_COUNT; i++)
		l->clear[i] = TIME_NIL;
}

static enum life_change fire(
	struct life *l, const struct rule *r, int64_t ts, bool quiet)
{
	bool critical = held(l, r, LEVEL_CRITICAL, ts);
	if (!critical && !held(l, r, LEVEL_WARNING, ts))
		return LIFE_SAME;
	l->level = critical ? LEVEL_CRITICAL : LEVEL_WARNING;
	if (quiet && l->phase == LIFE_SUPPRESSED)
		return LIFE_SAME;
	l->phase = quiet ? LIFE_SUPPRESSED : LIFE_FIRING;
	return quiet ? LIFE_HELD : LIFE_FIRED;
}

/* Not to fire again and again on noise, a critical level lets go only when it has been
 * clear for 'keep'. */
static enum life_change shift(struct life *l, const struct rule *r, int64_t ts)
{
	if (l->level == LEVEL_WARNING && held(l, r, LEVEL_CRITICAL, ts)) {
		l->level = LEVEL_CRITICAL;
		return LIFE_SHIFTED;
	}
	if (l->level == LEVEL_CRITICAL && r->level[LEVEL_WARNING].used &&
		cleared(l, r, LEVEL_CRITICAL, ts)) {
		l->level = LEVEL_WARNING;
		l->on[LEVEL_CRITICAL] = false;
		return LIFE_SHIFTED;
	}
	return LIFE_SAME;
}

static enum life_change step_pending(struct life *l, const struct rule *r, int64_t ts,
	const struct verdict *v, bool suppressed)
{
	drop_interrupted(l, v);
	if (!l->on[LEVEL_WARNING] && !l->on[LEVEL_CRITICAL]) {
		l->phase = LIFE_IDLE;
		return LIFE_LAPSED;
	}
	return fire(l, r, ts, suppressed);
}

static enum life_change step_open(struct life *l, const struct rule *r, int64_t ts,
	const struct verdict *v, bool suppressed)
{
	if (cleared(l, r, LEVEL_WARNING, ts) && cleared(l, r, LEVEL_CRITICAL, ts)) {
		l->phase = LIFE_IDLE;
		return LIFE_RESOLVED;
	}
	if (l->level == LEVEL_WARNING && !v->over[LEVEL_CRITICAL])
		l->on[LEVEL_CRITICAL] = false;
	if (l->phase == LIFE_SUPPRESSED && !suppressed) {
		shift(l, r, ts);
		l->phase = LIFE_FIRING;
		return LIFE_FIRED;
	}
	enum life_change c = shift(l, r, ts);
	return l->phase == LIFE_SUPPRESSED ? LIFE_SAME : c;
}

enum life_change life_step(struct life *l, const struct rule *r, int64_t ts,
	const struct verdict *v, bool suppressed)
{
	bool over = v->over[LEVEL_WARNING] || v->over[LEVEL_CRITICAL];
	if (l->phase == LIFE_IDLE) {
		if (!over || ts < l->seen)
			return LIFE_SAME;
		begin(l, ts);
		note(l, ts, v);
		enum life_change c = fire(l, r, ts, suppressed);
		return c == LIFE_SAME ? LIFE_STARTED : c;
	}
	if (ts < l->seen)
		return LIFE_SAME;
	if (l->phase == LIFE_PENDING && ts - l->seen > r->for_ms + LIFE_GAP_MS) {
		if (!over) {
			l->phase = LIFE_IDLE;
			l->seen = ts;
			return LIFE_LAPSED;
		}
		begin(l, ts);
	}
	l->seen = ts;
	note(l, ts, v);
	return l->phase == LIFE_PENDING ? step_pending(l, r, ts, v, suppressed)
					: step_open(l, r, ts, v, suppressed);
}

enum life_change life_reset(struct life *l)
{
	bool open = l->phase == LIFE_FIRING || l->phase == LIFE_SUPPRESSED;
	l->phase = LIFE_IDLE;
	return open ? LIFE_RESOLVED : LIFE_SAME;
}
