#include "window/timeline.h"

#include <math.h>

#define BASELINE_MS (7 * DAY_MS)
#define NO_HOUR INT32_MIN
#define RING_START 16 /* samples in use at first */

/* Fractions of the rated capacity (per hour) that make a current a finished charge, a
 * surge. */
#define FLOAT_RATE 0.01f
#define SURGE_RATE 0.25f

#define CHARGE_PER_MAH ((int64_t)(PANE_CHARGE_PER_AH / 1e3))

/* Stored in four bits of a sample that waits. */
#define MODE_MAX 14

/* What a configuration may ask for fits, with room for samples. */
#define PANES_AND_RING(panes, ring)                                                    \
	(sizeof(struct timeline) + (panes) * sizeof(struct pane) +                     \
		(ring) * sizeof(struct waiting))
_Static_assert(PANES_AND_RING(HOURLY_PANES, RING_MAX) <= TIMELINE_BYTES_MAX,
	"five minutes of one sample a second beside a day of hours");
_Static_assert(PANES_AND_RING(HOURLY_PANES + 1 + 6, RING_MAX) <= TIMELINE_BYTES_MAX,
	"the same beside a week of days");
_Static_assert(PANES_AND_RING(1 + 1 + DAILY_PANES, RING_MAX) <= TIMELINE_BYTES_MAX,
	"the same beside a month of days, without hours");
_Static_assert(PANES_AND_RING(HOURLY_PANES + 1 + DAILY_PANES, RING_LEAST) <=
		       TIMELINE_BYTES_MAX,
	"all windows");
_Static_assert(
	(LATENESS_MAX_H + 1) * HOUR_MS < 1 << 28, "times in the ring are told apart");

static int pane_count(const struct timeline_config *c)
{
	return c->hours + (c->days > 0 ? 1 + c->days : 0);
}

/* The day in progress, of the hours that are complete; only where there are days. */
static struct pane *today(struct timeline *s, const struct timeline_config *c)
{
	return s->panes + c->hours;
}

size_t timeline_fixed_size(const struct timeline_config *c)
{
	return sizeof(struct timeline) + (size_t)pane_count(c) * sizeof(struct pane);
}

unsigned timeline_ring(const struct timeline_config *c)
{
	size_t n =
		(TIMELINE_BYTES_MAX - timeline_fixed_size(c)) / sizeof(struct waiting);
	return n < RING_MAX ? (unsigned)n : RING_MAX;
}

size_t timeline_size(const struct timeline_config *c)
{
	return timeline_fixed_size(c) + timeline_ring(c) * sizeof(struct waiting);
}

size_t timeline_used_size(const struct timeline *s, const struct timeline_config *c)
{
	return timeline_fixed_size(c) + s->wrap * sizeof(struct waiting);
}

bool timeline_sound(const struct timeline *s, const struct timeline_config *c)
{
	return s->wrap >= RING_START && s->wrap <= timeline_ring(c) &&
	       s->head < s->wrap && s->len <= s->wrap &&
	       (s->typical_ms > 0 || s->intervals < RECENT_INTERVALS);
}

void timeline_init(struct timeline *s, const struct timeline_config *c)
{
	memset(s, 0, sizeof(*s)); /* padding as well: the state is its bytes */
	s->newest = s->frontier = TIME_NIL;
	s->wrap = RING_START;
	s->band = (struct band){NAN, NAN, NAN};
	s->sag_v = NAN;
	deep_init(&s->deep);
	for (int i = 0; i < pane_count(c); i++)
		pane_init(&s->panes[i], NO_HOUR);
}

/* ---- the ring ---- */

static struct waiting *ring(struct timeline *s, const struct timeline_config *c)
{
	return (struct waiting *)(s->panes + pane_count(c));
}

static struct waiting *ring_at(
	struct timeline *s, const struct timeline_config *c, unsigned i)
{
	unsigned at = s->head + i;
	return ring(s, c) + (at >= s->wrap ? at - s->wrap : at);
}

/* Nothing in the ring is newer than the newest, nor much older. */
static int64_t waiting_ts(const struct timeline *s, const struct waiting *w)
{
	const uint32_t mask = (UINT32_C(1) << 28) - 1;
	return s->newest - (((uint32_t)s->newest - w->ts) & mask);
}

static struct waiting wait_as(const struct sample *x)
{
	return (struct waiting){
		.ts = (uint32_t)x->ts & ((UINT32_C(1) << 28) - 1),
		.mode = x->mode < 0 || x->mode > MODE_MAX ? MODE_MAX + 1
							  : (uint32_t)x->mode,
		.voltage_v = x->voltage_v,
		.temperature_c = x->temperature_c,
		.current_a = x->current_a,
		.resistance_mohm = x->resistance_mohm,
	};
}

static struct sample waited(const struct timeline *s, const struct waiting *w)
{
	return (struct sample){
		.ts = waiting_ts(s, w),
		.mode = w->mode > MODE_MAX ? ENUM_NIL : (int64_t)w->mode,
		.voltage_v = w->voltage_v,
		.temperature_c = w->temperature_c,
		.current_a = w->current_a,
		.resistance_mohm = w->resistance_mohm,
	};
}

/* ---- panes ---- */

static unsigned slot(int32_t n, int slots)
{
	int m = n % slots;
	return (unsigned)(m < 0 ? m + slots : m);
}

/* The pane of that hour, begun if it is new. */
static struct pane *pane_of(
	struct timeline *s, const struct timeline_config *c, int32_t hour)
{
	struct pane *p = &s->panes[slot(hour, c->hours)];
	if (p->hour != hour)
		pane_init(p, hour);
	return p;
}

/* The hour in progress. */
static struct pane *this_hour(struct timeline *s, const struct timeline_config *c)
{
	return pane_of(s, c, s->end_hour - 1);
}

const struct pane *timeline_hour(
	const struct timeline *s, const struct timeline_config *c, int32_t hour)
{
	const struct pane *p = &s->panes[slot(hour, c->hours)];
	return p->hour == hour ? p : NULL;
}

const struct pane *timeline_day(
	const struct timeline *s, const struct timeline_config *c, int32_t day)
{
	const struct pane *p = s->panes + c->hours;
	if (p->hour == day * 24)
		return p;
	p += 1 + slot(day, c->days);
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
	s->recent_ms[s->intervals % RECENT_INTERVALS] =
		ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
	if (++s->intervals == 0)
		s->intervals = RECENT_INTERVALS; /* not none again */
	if (s->intervals % RECENT_INTERVALS == 0)
		s->typical_ms = median_interval(s, RECENT_INTERVALS);
}

static bool is_gap(
	const struct timeline *s, const struct timeline_config *c, int64_t ms)
{
	return ms > c->max_gap_ms ||
	       (s->typical_ms > 0 && ms > 3 * (int64_t)s->typical_ms);
}

static void note_depth(struct pane *p, int64_t depth)
{
	uint64_t mah = (uint64_t)(depth / CHARGE_PER_MAH);
	p->depth_max = mah > p->depth_max ? mah : p->depth_max;
}

/* Holds the held sample's values from 'from' to 'to', within the hour in progress. */
static void hold(
	struct timeline *s, const struct timeline_config *c, int64_t from, int64_t to)
{
	struct pane *p = this_hour(s, c);
	pane_hold(p, &s->held, to - from, &s->band);
	if (!current_usable(s->held.current_a))
		return;
	int64_t charge =
		fixed_point((double)s->held.current_a, PANE_I_UNITS) * (to - from);
	note_depth(p, s->depth);
	if (charge > 0 || s->discharging)
		s->depth -= charge;
	if (s->depth < 0)
		s->depth = 0;
	if (s->depth > DEPTH_MAX_MAH * CHARGE_PER_MAH)
		s->depth = DEPTH_MAX_MAH * CHARGE_PER_MAH;
	note_depth(p, s->depth);
}

/* The hour in progress is complete: it becomes part of its day. */
static void keep_hour(struct timeline *s, const struct timeline_config *c)
{
	const struct pane *hour = timeline_hour(s, c, s->end_hour - 1);
	int32_t day = (int32_t)floor_div(s->end_hour - 1, 24);
	if (today(s, c)->hour != day * 24)
		pane_init(today(s, c), day * 24);
	if (hour)
		pane_merge(today(s, c), hour);
}

static void close_hour(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks)
{
	if (c->days > 0)
		keep_hour(s, c);
	hooks->close(hooks->arg, s, s->end_hour);
	if (c->days > 0 && slot(s->end_hour, 24) == 0)
		today(s, c)[1 + slot(s->end_hour / 24 - 1, c->days)] = *today(s, c);
	s->end_hour++;
	s->rested = false;
}

/* Over a long silence most hours end no window that has a sample: goes on to the next
 * that may. */
static void skip_silence(
	struct timeline *s, const struct timeline_config *c, int32_t to_hour)
{
	int64_t silent = s->end_hour - floor_div(s->held.ts, HOUR_MS) - 1;
	int32_t next = to_hour + 1;
	if (silent < c->hours)
		return;
	if (c->days > 0 && silent <= 24 * (c->days + 2))
		next = (int32_t)floor_div(s->end_hour + 23, 24) * 24;
	s->end_hour = next <= to_hour ? next : to_hour + 1;
}

/* Brings the timeline to the time 'to', holding the last sample or leaving a gap. */
static void advance(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks, int64_t to, bool gap)
{
	int32_t to_hour = (int32_t)floor_div(to, HOUR_MS);
	int64_t from = s->held.ts;
	while (s->end_hour <= to_hour) {
		if (!gap)
			hold(s, c, from, s->end_hour * HOUR_MS);
		from = s->end_hour * HOUR_MS;
		close_hour(s, c, hooks);
		if (gap)
			skip_silence(s, c, to_hour);
	}
	if (!gap && to > from)
		hold(s, c, from, to);
}

static void count_events(struct timeline *s, const struct timeline_config *c,
	const struct sample *x, bool gap)
{
	struct pane *p = this_hour(s, c);
	float capacity = s->band.capacity_ah;
	bool known = current_usable(x->current_a);
	bool discharging = sample_discharging(x, &s->band);
	if (discharging && !s->discharging && p->discharges < DISCHARGES_MAX)
		p->discharges++;
	s->discharging = discharging;
	s->rested |= !discharging;
	if (!known || !(capacity > 0))
		return;
	if (x->mode == mode_float && fabsf(x->current_a) < FLOAT_RATE * capacity)
		s->depth = 0;
	if (s->started && !gap && current_usable(s->held.current_a) &&
		fabsf(x->current_a) - fabsf(s->held.current_a) >=
			SURGE_RATE * capacity &&
		p->surges < SURGES_MAX)
		p->surges++;
}

static void count_sample(
	struct timeline *s, const struct timeline_config *c, const struct sample *x)
{
	pane_sample(this_hour(s, c), x);
	if (x->ts < s->first + BASELINE_MS && resistance_usable(x->resistance_mohm) &&
		s->baseline_n < (1 << 24) - 1) {
		s->baseline_n++;
		s->baseline_sum +=
			fixed_point((double)x->resistance_mohm, PANE_R_UNITS);
	}
}

/*
 * What x lacks goes on as it was held. When a held value was measured is known to 2^16
 * ms, just over a minute, in 8 bits, enough for CARRY_MAX_MS. A doubted value is not
 * lacking: it ends what was held, and so does a sample without any value.
 */
static void carry(struct timeline *s, const struct timeline_config *c, struct sample *x,
	bool goes_on)
{
	const int64_t most =
		c->max_gap_ms < CARRY_MAX_MS ? c->max_gap_ms : CARRY_MAX_MS;
	const uint8_t now = (uint8_t)(x->ts >> 16), units = (uint8_t)(most >> 16);
	goes_on = goes_on && x->ts - s->held.ts <= most;
	if (goes_on && isnan(x->voltage_v) && (uint8_t)(now - s->v_at) <= units)
		x->voltage_v = s->held.voltage_v;
	else
		s->v_at = now;
	if (goes_on && isnan(x->temperature_c) && (uint8_t)(now - s->t_at) <= units)
		x->temperature_c = s->held.temperature_c;
	else
		s->t_at = now;
	if (goes_on && isnan(x->current_a) && (uint8_t)(now - s->i_at) <= units) {
		x->current_a = s->held.current_a;
		if (x->mode == ENUM_NIL)
			x->mode = s->held.mode;
	} else {
		s->i_at = now;
	}
}

/* A sample leaves the ring: no older one can come any more. */
static void release(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks)
{
	struct sample x = waited(s, ring_at(s, c, 0));
	bool gap = false;
	int64_t ms = 0;
	s->head = s->head + 1 == s->wrap ? 0 : s->head + 1;
	s->len--;
	hooks->fill(hooks->arg, s, &x);
	if (!s->started) {
		s->first = x.ts;
		s->end_hour = (int32_t)floor_div(x.ts, HOUR_MS) + 1;
	} else {
		ms = x.ts - s->held.ts;
		gap = is_gap(s, c, ms);
		struct pane *p = this_hour(s, c);
		if (gap && p->gaps < GAPS_MAX)
			p->gaps++;
		advance(s, c, hooks, x.ts, gap);
		note_interval(s, ms);
	}
	count_sample(s, c, &x);
	carry(s, c, &x, s->started && !gap && sample_usable(&x));
	deep_sample(&s->deep, &x, gap ? 0 : ms, (double)s->depth / PANE_CHARGE_PER_AH,
		&s->band);
	count_events(s, c, &x, gap);
	s->held = x;
	s->started = true;
}

/* Doubles the part of the ring in use, up to all of it. */
static void widen(struct timeline *s, const struct timeline_config *c)
{
	unsigned next = s->wrap * 2u;
	if (next * 2 > timeline_ring(c))
		next = timeline_ring(c);
	/* What had wrapped round follows the rest again. */
	memcpy(ring(s, c) + s->wrap, ring(s, c), s->head * sizeof(struct waiting));
	s->wrap = next;
}

static int missing(const struct sample *x)
{
	return !isfinite(x->voltage_v) + !isfinite(x->temperature_c) +
	       !isfinite(x->current_a) + !isfinite(x->resistance_mohm);
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
		order = !isfinite(a->voltage_v) - !isfinite(b->voltage_v);
	if (order == 0)
		order = !isfinite(a->temperature_c) - !isfinite(b->temperature_c);
	if (order == 0)
		order = !isfinite(a->current_a) - !isfinite(b->current_a);
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
	if (s->typical_ms)
		return s->typical_ms;
	if (s->intervals)
		return s->recent_ms[(s->intervals - 1) % RECENT_INTERVALS];
	return s->started ? s->newest - s->held.ts : 0;
}

/* The place of a sample of that time: behind all that are no newer. */
static unsigned place(struct timeline *s, const struct timeline_config *c, int64_t ts)
{
	unsigned at = s->len;
	while (at > 0 && waiting_ts(s, ring_at(s, c, at - 1)) > ts)
		at--;
	return at;
}

/* Another sample of a time that is in the ring: one of the two stays. */
static enum timeline_verdict settle(struct timeline *s, struct waiting *same,
	const struct sample *x, struct sample *other)
{
	*other = waited(s, same);
	if (prefer(x, other) >= 0)
		return TIMELINE_DUPLICATE;
	*same = wait_as(x);
	return TIMELINE_REPLACED;
}

static void insert(struct timeline *s, const struct timeline_config *c, unsigned at,
	const struct sample *x)
{
	for (unsigned i = s->len; i > at; i--)
		*ring_at(s, c, i) = *ring_at(s, c, i - 1);
	*ring_at(s, c, at) = wait_as(x);
	s->len++;
}

/* Lets out what is older than the lateness when ts is the newest time. */
static void pass_time(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks, int64_t ts)
{
	if (ts <= s->newest)
		return;
	if (ts - c->lateness_ms > s->frontier)
		s->frontier = ts - c->lateness_ms;
	while (s->len > 0 && waiting_ts(s, ring_at(s, c, 0)) < s->frontier)
		release(s, c, hooks);
	s->newest = ts;
}

enum timeline_verdict timeline_add(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks, const struct sample *sample,
	struct sample *other)
{
	if (sample->ts < s->frontier)
		return TIMELINE_LATE;
	pass_time(s, c, hooks, sample->ts);
	unsigned at = place(s, c, sample->ts);
	if (at > 0 && waiting_ts(s, ring_at(s, c, at - 1)) == sample->ts)
		return settle(s, ring_at(s, c, at - 1), sample, other);
	if (s->len == s->wrap && s->wrap < timeline_ring(c))
		widen(s, c);
	if (s->len == s->wrap) {
		if (at == 0)
			return TIMELINE_LATE;
		s->frontier = waiting_ts(s, ring_at(s, c, 0)) + 1;
		release(s, c, hooks);
		hooks->early(hooks->arg);
		at--;
	}
	insert(s, c, at, sample);
	return TIMELINE_NEW;
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
