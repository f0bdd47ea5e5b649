#include "window/timeline.h"

#include <math.h>

#define BASELINE_MS (7 * DAY_MS)
#define NO_HOUR INT32_MIN
#define RING_START 16

/* Fractions of the rated capacity (per hour) that make a current a finished charge, a
 * surge. */
#define FLOAT_RATE 0.01f
#define SURGE_RATE 0.25f

static struct pane *daily(struct timeline *s)
{
	return (struct pane *)(s + 1);
}

static uint16_t ring_max(const struct timeline_config *c)
{
	return c->daily ? RING_DAILY : RING_HOURLY;
}

static struct sample *ring(struct timeline *s, const struct timeline_config *c)
{
	return (struct sample *)(daily(s) + (c->daily ? DAILY_PANES : 0));
}

static struct sample *ring_at(
	struct timeline *s, const struct timeline_config *c, unsigned i)
{
	unsigned at = s->head + i;
	return ring(s, c) + (at >= s->wrap ? at - s->wrap : at);
}

size_t timeline_fixed_size(const struct timeline_config *c)
{
	return sizeof(struct timeline) +
	       (c->daily ? DAILY_PANES * sizeof(struct pane) : 0);
}

size_t timeline_size(const struct timeline_config *c)
{
	return timeline_fixed_size(c) + ring_max(c) * sizeof(struct sample);
}

size_t timeline_used_size(const struct timeline *s, const struct timeline_config *c)
{
	return timeline_fixed_size(c) + s->wrap * sizeof(struct sample);
}

bool timeline_sound(const struct timeline *s, const struct timeline_config *c)
{
	return s->wrap >= RING_START && s->wrap <= ring_max(c) && s->head < s->wrap &&
	       s->len <= s->wrap &&
	       (s->typical_ms > 0 || s->intervals < RECENT_INTERVALS);
}

void timeline_init(struct timeline *s, const struct timeline_config *c)
{
	*s = (struct timeline){
		.newest = TIME_NIL,
		.frontier = TIME_NIL,
		.wrap = RING_START,
		.band = {NAN, NAN, NAN},
	};
	for (int i = 0; i < HOURLY_PANES; i++)
		pane_init(&s->hourly[i], NO_HOUR);
	for (int i = 0; c->daily && i < DAILY_PANES; i++)
		pane_init(&daily(s)[i], NO_HOUR);
}

static unsigned slot(int32_t n, int slots)
{
	int m = n % slots;
	return (unsigned)(m < 0 ? m + slots : m);
}

/* The pane of that hour, begun if it is new. */
static struct pane *pane_of(struct timeline *s, int32_t hour)
{
	struct pane *p = &s->hourly[slot(hour, HOURLY_PANES)];
	if (p->hour != hour)
		pane_init(p, hour);
	return p;
}

const struct pane *timeline_hour(const struct timeline *s, int32_t hour)
{
	const struct pane *p = &s->hourly[slot(hour, HOURLY_PANES)];
	return p->hour == hour ? p : NULL;
}

const struct pane *timeline_day(const struct timeline *s, int32_t day)
{
	const struct pane *p = (const struct pane *)(s + 1) + slot(day, DAILY_PANES);
	return p->hour == day * 24 ? p : NULL;
}

/* The lower median of the first n recent intervals. */
static int32_t median_interval(const struct timeline *s, unsigned n)
{
	int32_t v[RECENT_INTERVALS];
	for (unsigned i = 0; i < n; i++) {
		unsigned at = i;
		for (; at > 0 && v[at - 1] > s->recent_ms[i]; at--)
			v[at] = v[at - 1];
		v[at] = s->recent_ms[i];
	}
	return v[(n - 1) / 2];
}

static void note_interval(struct timeline *s, int64_t ms)
{
	s->recent_ms[s->intervals++ % RECENT_INTERVALS] =
		ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
	if (s->intervals % RECENT_INTERVALS == 0)
		s->typical_ms = median_interval(s, RECENT_INTERVALS);
}

static bool is_gap(
	const struct timeline *s, const struct timeline_config *c, int64_t ms)
{
	return ms > c->max_gap_ms ||
	       (s->typical_ms > 0 && ms > 3 * (int64_t)s->typical_ms);
}

/* Holds the held sample's values from 'from' to 'to', within the hour in progress. */
static void hold(struct timeline *s, int64_t from, int64_t to)
{
	struct pane *p = pane_of(s, s->end_hour - 1);
	pane_hold(p, &s->held, to - from, &s->band);
	if (!current_usable(s->held.current_a))
		return;
	int64_t charge =
		fixed_point((double)s->held.current_a, PANE_I_UNITS) * (to - from);
	if (charge > 0 || s->discharging)
		s->depth -= charge;
	if (s->depth < 0)
		s->depth = 0;
	uint32_t mah = (uint32_t)(s->depth / (int64_t)(PANE_CHARGE_PER_AH / 1e3));
	p->depth_max = mah > p->depth_max ? mah : p->depth_max;
}

/* The last hour of a day is complete: its hours make a daily pane. */
static void keep_day(struct timeline *s, int32_t day)
{
	struct pane *d = &daily(s)[slot(day, DAILY_PANES)];
	pane_init(d, day * 24);
	for (int32_t h = day * 24; h < day * 24 + 24; h++)
		if (timeline_hour(s, h))
			pane_merge(d, timeline_hour(s, h));
}

static void close_hour(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks)
{
	hooks->close(hooks->arg, s, s->end_hour);
	if (c->daily && slot(s->end_hour, 24) == 0)
		keep_day(s, s->end_hour / 24 - 1);
	s->end_hour++;
}

/* Brings the timeline to the time 'to', holding the last sample or leaving a gap. */
static void advance(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks, int64_t to, bool gap)
{
	const int32_t longest =
		(DAILY_PANES + 2) * 24; /* after it all panes are empty */
	int32_t to_hour = (int32_t)floor_div(to, HOUR_MS);
	int64_t from = s->held.ts;
	int32_t closed = 0;
	for (; s->end_hour <= to_hour; closed++) {
		if (closed > longest) {
			s->end_hour = to_hour + 1;
			return;
		}
		if (!gap)
			hold(s, from, s->end_hour * HOUR_MS);
		from = s->end_hour * HOUR_MS;
		close_hour(s, c, hooks);
	}
	if (!gap && to > from)
		hold(s, from, to);
}

static void count_events(struct timeline *s, const struct sample *x, bool gap)
{
	struct pane *p = pane_of(s, s->end_hour - 1);
	float capacity = s->band.capacity_ah;
	bool known = current_usable(x->current_a);
	bool discharging = sample_discharging(x, &s->band);
	if (discharging && !s->discharging && p->discharges < UINT16_MAX)
		p->discharges++;
	s->discharging = discharging;
	if (!known || !(capacity > 0))
		return;
	if (x->mode == mode_float && fabsf(x->current_a) < FLOAT_RATE * capacity)
		s->depth = 0;
	if (s->started && !gap && current_usable(s->held.current_a) &&
		fabsf(x->current_a) - fabsf(s->held.current_a) >=
			SURGE_RATE * capacity &&
		p->surges < UINT16_MAX)
		p->surges++;
}

static void count_sample(struct timeline *s, const struct sample *x)
{
	pane_sample(pane_of(s, s->end_hour - 1), x);
	if (x->ts < s->first + BASELINE_MS && resistance_usable(x->resistance_mohm)) {
		s->baseline_n++;
		s->baseline_sum +=
			fixed_point((double)x->resistance_mohm, PANE_R_UNITS);
	}
}

/* A sample leaves the ring: no older one can come any more. */
static void release(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks)
{
	struct sample x = *ring_at(s, c, 0);
	bool gap = false;
	s->head = s->head + 1 == s->wrap ? 0 : s->head + 1;
	s->len--;
	hooks->fill(hooks->arg, s, &x);
	if (!s->started) {
		s->first = x.ts;
		s->end_hour = (int32_t)floor_div(x.ts, HOUR_MS) + 1;
	} else {
		int64_t ms = x.ts - s->held.ts;
		gap = is_gap(s, c, ms);
		struct pane *p = pane_of(s, s->end_hour - 1);
		p->gaps += gap && p->gaps < UINT16_MAX;
		advance(s, c, hooks, x.ts, gap);
		note_interval(s, ms);
	}
	count_events(s, &x, gap);
	count_sample(s, &x);
	s->held = x;
	s->started = true;
}

/* Doubles the part of the ring in use, up to all of it. */
static void widen(struct timeline *s, const struct timeline_config *c)
{
	unsigned next = s->wrap * 2u;
	if (next * 2 > ring_max(c))
		next = ring_max(c);
	/* What had wrapped round follows the rest again. */
	memcpy(ring(s, c) + s->wrap, ring(s, c), s->head * sizeof(struct sample));
	s->wrap = (uint16_t)next;
}

static int missing(const struct sample *x)
{
	return isnan(x->voltage_v) + isnan(x->temperature_c) + isnan(x->current_a) +
	       isnan(x->resistance_mohm);
}

static int compare_values(float a, float b)
{
	return (a > b) - (a < b); /* 0 with NaN */
}

/* A total order of samples of one time: negative when a is to be kept. */
static int prefer(const struct sample *a, const struct sample *b)
{
	int order = missing(a) - missing(b);
	if (order == 0)
		order = isnan(a->voltage_v) - isnan(b->voltage_v);
	if (order == 0)
		order = isnan(a->temperature_c) - isnan(b->temperature_c);
	if (order == 0)
		order = isnan(a->current_a) - isnan(b->current_a);
	if (order == 0)
		order = compare_values(a->voltage_v, b->voltage_v);
	if (order == 0)
		order = compare_values(a->temperature_c, b->temperature_c);
	if (order == 0)
		order = compare_values(a->current_a, b->current_a);
	if (order == 0)
		order = compare_values(a->resistance_mohm, b->resistance_mohm);
	return order ? order : (int)(a->mode - b->mode);
}

bool timeline_same(const struct sample *a, const struct sample *b)
{
	return prefer(a, b) == 0;
}

int64_t timeline_step(const struct timeline *s)
{
	if (s->typical_ms || s->intervals == 0)
		return s->typical_ms;
	return s->recent_ms[(s->intervals - 1) % RECENT_INTERVALS];
}

/* Puts x into its place in the ring, which has room. */
static enum timeline_verdict insert(struct timeline *s, const struct timeline_config *c,
	const struct sample *x, struct sample *other)
{
	unsigned at = s->len;
	while (at > 0 && ring_at(s, c, at - 1)->ts > x->ts)
		at--;
	if (at > 0 && ring_at(s, c, at - 1)->ts == x->ts) {
		struct sample *same = ring_at(s, c, at - 1);
		*other = *same;
		if (prefer(x, same) >= 0)
			return TIMELINE_DUPLICATE;
		*same = *x;
		return TIMELINE_REPLACED;
	}
	for (unsigned i = s->len; i > at; i--)
		*ring_at(s, c, i) = *ring_at(s, c, i - 1);
	*ring_at(s, c, at) = *x;
	s->len++;
	return TIMELINE_NEW;
}

enum timeline_verdict timeline_add(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks, const struct sample *sample,
	struct sample *other)
{
	if (sample->ts < s->frontier)
		return TIMELINE_LATE;
	if (s->len == s->wrap && s->wrap < ring_max(c))
		widen(s, c);
	if (s->len == s->wrap) {
		int64_t oldest = ring_at(s, c, 0)->ts;
		if (sample->ts < oldest)
			return TIMELINE_LATE;
		if (sample->ts > oldest) {
			s->frontier = oldest + 1;
			release(s, c, hooks);
		}
	}
	enum timeline_verdict verdict = insert(s, c, sample, other);
	if (sample->ts > s->newest)
		s->newest = sample->ts;
	if (s->newest - c->lateness_ms > s->frontier)
		s->frontier = s->newest - c->lateness_ms;
	while (s->len > 0 && ring_at(s, c, 0)->ts < s->frontier)
		release(s, c, hooks);
	return verdict;
}

void timeline_end(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks)
{
	while (s->len > 0)
		release(s, c, hooks);
	if (!s->started || s->intervals == 0)
		return;
	s->frontier = s->held.ts + 1;
	int64_t typical = s->typical_ms;
	if (typical == 0)
		typical = median_interval(s, s->intervals);
	int64_t until = floor_div(s->held.ts + typical, HOUR_MS) * HOUR_MS;
	if (typical <= c->max_gap_ms && until > s->held.ts)
		advance(s, c, hooks, until, false);
}
