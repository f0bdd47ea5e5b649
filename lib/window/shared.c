#include "window/shared.h"

#include <math.h>
#include <stdlib.h>

#define NEVER INT32_MIN

void means_init(struct means *m)
{
	*m = (struct means){0};
	for (int i = 0; i < MEAN_SLOTS; i++)
		m->hour[i].at = m->day[i].at = NEVER;
}

static void slot_add(
	struct mean_slot *slots, int32_t at, int64_t value, unsigned who, int n)
{
	struct mean_slot *s = &slots[(uint32_t)at % MEAN_SLOTS];
	if (s->at > at)
		return;
	if (s->at < at)
		*s = (struct mean_slot){.at = at};
	s->n += (uint32_t)n;
	s->sum += n * value;
	s->who |= UINT64_C(1) << who % 64;
}

void means_add(struct means *m, int64_t ts, int64_t value, unsigned who, int n)
{
	int32_t hour = (int32_t)floor_div(ts, HOUR_MS);
	slot_add(m->hour, hour, value, who, n);
	slot_add(m->day, (int32_t)floor_div(hour, 24), value, who, n);
}

static const struct mean_slot *slot_get(const struct mean_slot *slots, int32_t at)
{
	const struct mean_slot *s = &slots[(uint32_t)at % MEAN_SLOTS];
	return s->at == at && s->n > 0 ? s : NULL;
}

const struct mean_slot *means_hour(const struct means *m, int32_t hour)
{
	return slot_get(m->hour, hour);
}

const struct mean_slot *means_day(const struct means *m, int32_t day)
{
	return slot_get(m->day, day);
}

/* Index of the first entry after ts. */
static uint32_t after(const struct history *h, int64_t ts)
{
	uint32_t at = h->head + h->n;
	while (at > h->head && h->v[at - 1].ts > ts)
		at--;
	return at;
}

/* Forgets the past, but for the last entry before it: that one still holds. */
static void forget(struct history *h, int64_t before)
{
	while (h->n > 1 && (h->v[h->head + 1].ts < before || h->n >= HISTORY_MAX)) {
		h->head++;
		h->n--;
	}
}

static int make_room(struct history *h)
{
	if (h->head + h->n < h->cap)
		return 0;
	if (h->head >= 16 && h->head >= h->n) {
		memmove(h->v, h->v + h->head, h->n * sizeof(*h->v));
		h->head = 0;
		return 0;
	}
	uint32_t cap = h->cap ? h->cap * 2 : 64;
	struct past *v = realloc(h->v, cap * sizeof(*v));
	if (!v)
		return -1;
	h->v = v;
	h->cap = cap;
	return 0;
}

enum history_verdict history_add(
	struct history *h, const struct past *p, int64_t lateness_ms, int64_t keep_ms)
{
	if (h->n > 0 && p->ts < h->newest - lateness_ms)
		return HISTORY_LATE;
	if (h->n >= HISTORY_MAX - 1 && p->ts < h->v[h->head].ts)
		return HISTORY_LATE; /* more samples within the lateness than are kept
				      */
	uint32_t at = after(h, p->ts);
	if (at > h->head && h->v[at - 1].ts == p->ts)
		return HISTORY_DUPLICATE;
	uint32_t offset = at - h->head;
	if (make_room(h) < 0)
		return HISTORY_NO_MEMORY;
	at = h->head + offset;
	memmove(h->v + at + 1, h->v + at, (h->n - offset) * sizeof(*h->v));
	h->v[at] = *p;
	if (h->n == 0 || p->ts > h->newest) {
		h->step = h->n ? p->ts - h->newest : 0;
		h->newest = p->ts;
	}
	h->n++;
	forget(h, h->newest - 2 * lateness_ms - keep_ms);
	return HISTORY_NEW;
}

const struct past *history_at(const struct history *h, int64_t ts, int64_t max_age_ms)
{
	uint32_t at = after(h, ts);
	if (at == h->head || ts - h->v[at - 1].ts > max_age_ms)
		return NULL;
	return &h->v[at - 1];
}

void history_release(struct history *h)
{
	free(h->v);
	*h = (struct history){0};
}

void tests_init(struct tests *t)
{
	*t = (struct tests){{NEVER, NEVER}, {NAN, NAN}};
}

void tests_add(struct tests *t, int64_t ts, float pct)
{
	int32_t hour = (int32_t)floor_div(ts + HOUR_MS - 1, HOUR_MS);
	for (int i = 0; i < 2; i++) {
		if (hour == t->hour[i]) {
			t->pct[i] = pct < t->pct[i] ? pct : t->pct[i];
			return;
		}
	}
	if (hour > t->hour[0]) {
		*t = (struct tests){{hour, t->hour[0]}, {pct, t->pct[0]}};
	} else if (hour > t->hour[1]) {
		t->hour[1] = hour;
		t->pct[1] = pct;
	}
}

int tests_find(const struct tests *t, int64_t from, int32_t end_hour)
{
	for (int i = 0; i < 2; i++)
		if (t->hour[i] != NEVER && t->hour[i] * HOUR_MS >= from &&
			t->hour[i] <= end_hour)
			return i;
	return -1;
}
