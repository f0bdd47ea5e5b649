#include "ingest/order.h"

#include <stdlib.h>

void order_init(struct order *o, int64_t fault_ms)
{
	*o = (struct order){
		.fault_ms = fault_ms, .front = TIME_NIL, .second = TIME_NIL};
	o->waiting_end = &o->waiting;
	o->ready_end = &o->ready;
}

static int32_t remember(struct identity *who, int64_t ts)
{
	int32_t bits = 0;
	uint32_t n = who->nrecent < RECENT ? who->nrecent : RECENT;
	for (uint32_t i = 0; i < n; i++)
		if (who->recent[i] == ts)
			bits |= BIT(quality_duplicate);
	if (who->newest != TIME_NIL && ts < who->newest)
		bits |= BIT(quality_time_backwards);
	who->recent[who->nrecent++ % RECENT] = ts;
	if (who->nrecent == 2 * RECENT)
		who->nrecent = RECENT;
	if (who->newest == TIME_NIL || ts > who->newest)
		who->newest = ts;
	return bits;
}

static int32_t believe(struct order *o, struct identity *who, int64_t ts)
{
	if (who == o->front_who) {
		if (ts > o->front)
			o->front = ts;
	} else if (o->front == TIME_NIL || ts > o->front) {
		o->second = o->front;
		o->front = ts;
		o->front_who = who;
	} else if (o->second == TIME_NIL || ts > o->second) {
		o->second = ts;
	}
	return remember(who, ts);
}

/* A step of more than fault_ms over what the identity itself had. */
static bool jumps(const struct order *o, const struct identity *who, int64_t ts)
{
	return who->newest == TIME_NIL || ts - who->newest > o->fault_ms;
}

static bool ahead_of_others(
	const struct order *o, const struct identity *who, int64_t ts)
{
	int64_t others = who == o->front_who ? o->second : o->front;
	return others != TIME_NIL && ts - others > o->fault_ms;
}

/* Moves the waiting rows of 'who' to the ready queue. */
static void decide(struct order *o, struct identity *who, bool fault)
{
	struct held **p = &o->waiting;
	while (*p) {
		struct held *h = *p;
		if (h->who != who) {
			p = &h->next;
			continue;
		}
		*p = h->next;
		h->next = NULL;
		h->fault = fault;
		*o->ready_end = h;
		o->ready_end = &h->next;
		o->nwaiting--;
	}
	o->waiting_end = p;
	who->held_from = TIME_NIL;
	who->held = who->contradictions = 0;
}

/*
 * What a row says about those that wait: the same jump confirms them, a row in the old
 * time contradicts them.
 */
static void weigh(struct order *o, struct identity *who, int64_t ts)
{
	struct held *h = o->waiting;
	while (h) {
		struct identity *other = h->who;
		h = h->next;
		if (other == who || other->held_from == TIME_NIL)
			continue;
		bool reaches = ts >= other->held_from - o->fault_ms;
		if (reaches && jumps(o, who, ts)) {
			decide(o, other, false);
			h = o->waiting;
		} else if (!reaches && ++other->contradictions >= HOLD_EACH) {
			decide(o, other, true);
			h = o->waiting;
		} else { /* once for each identity, not for each of its rows */
			while (h && h->who == other)
				h = h->next;
		}
	}
}

static int hold(struct order *o, struct identity *who, int64_t ts, const void *rec,
	size_t size, int64_t line, struct str original, struct err *err)
{
	struct held *h = o->spare;
	if (h)
		o->spare = h->next;
	else if (!(h = malloc(sizeof(*h))))
		return err_nomem(err);
	*h = (struct held){.who = who, .ts = ts, .line = line};
	memcpy(&h->rec, rec, size);
	h->text = (uint16_t)(original.len < HOLD_TEXT ? original.len : HOLD_TEXT);
	if (h->text)
		memcpy(h->original, original.s, h->text);
	if (who->held_from == TIME_NIL)
		who->held_from = ts;
	*o->waiting_end = h;
	o->waiting_end = &h->next;
	o->nwaiting++;
	if (++who->held >= HOLD_EACH)
		decide(o, who, who->contradictions > 0);
	else if (o->nwaiting >= HOLD_ALL)
		decide(o, o->waiting->who, o->waiting->who->contradictions > 0);
	return 0;
}

int order_row(struct order *o, struct identity *who, int64_t ts, const void *rec,
	size_t size, int64_t line, struct str original, int32_t *quality,
	struct err *err)
{
	if (o->waiting)
		weigh(o, who, ts);
	if (who->held_from != TIME_NIL && ts < who->held_from - o->fault_ms)
		decide(o, who, true); /* it came back by itself */
	/* What was just decided for this identity must be believed before it. */
	bool wait = who->held_from != TIME_NIL ||
		    (jumps(o, who, ts) && ahead_of_others(o, who, ts));
	if (o->ready) /* not yet in 'front': judged anew behind them */
		for (struct held *h = o->ready; h && wait; h = h->next)
			wait = h->fault || ts - h->ts > o->fault_ms;
	if (wait)
		return hold(o, who, ts, rec, size, line, original, err);
	*quality |= believe(o, who, ts);
	return 1;
}

struct held *order_ready(struct order *o, int32_t *quality)
{
	struct held *h = o->ready;
	if (!h)
		return NULL;
	o->ready = h->next;
	if (!o->ready)
		o->ready_end = &o->ready;
	if (!h->fault)
		*quality |= believe(o, h->who, h->ts);
	return h;
}

void order_done(struct order *o, struct held *h)
{
	h->next = o->spare;
	o->spare = h;
}

void order_finish(struct order *o)
{
	while (o->waiting)
		decide(o, o->waiting->who, o->waiting->who->contradictions > 0);
}

static void free_list(struct held *h)
{
	while (h) {
		struct held *next = h->next;
		free(h);
		h = next;
	}
}

void order_release(struct order *o)
{
	free_list(o->waiting);
	free_list(o->ready);
	free_list(o->spare);
	order_init(o, o->fault_ms);
}
