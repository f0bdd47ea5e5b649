#include "stream/flow_internal.h"

#include "base/diag.h"
#include "base/now.h"
#include "stream/signals.h"

enum {
	SILENCE_MS = 3000,
	LIVE_POLL_MS = 200, /* a signal between test and poll is noticed after this */
};

/* A socket connects to what is not there without a word: somebody must say it. */
static void tell_silence(struct flow *f)
{
	if (f->told_silence || !f->live || f->seen ||
		now_coarse_ms() - f->started < SILENCE_MS)
		return;
	f->told_silence = true;
	for (int i = 0; i < f->nreaders; i++)
		if (inlet_is_socket(f->readers[i].inlet) && f->readers[i].records == 0)
			diag("nothing from '%s' yet; waiting",
				inlet_name(f->readers[i].inlet));
}

/* Waits for any input (or subscriber) for at most timeout_ms. Returns false when the
 * time is over. */
bool flow_wait_inputs(struct flow *f, int64_t deadline)
{
	zmq_pollitem_t items[4 * ENDPOINTS_MAX];
	int n = 0;
	for (int i = 0; i < f->nreaders; i++)
		if (!f->readers[i].eof && !f->has_head[i])
			n += inlet_poll_items(f->readers[i].inlet, &items[n]);
	for (int i = 0; i < f->noutlets; i++)
		n += outlet_poll_items(f->outlets[i], &items[n]);
	int64_t left = deadline < 0 ? -1 : deadline - now_coarse_ms();
	if (deadline >= 0 && left <= 0)
		return false;
	long timeout = left < 0 ? -1 : (long)left;
	if (f->live && (timeout < 0 || timeout > LIVE_POLL_MS))
		timeout = LIVE_POLL_MS;
	zmq_poll(items, n, timeout);
	tell_silence(f);
	for (int i = f->noutlets - 1; i >= 0; i--) {
		struct err err = {0};
		if (outlet_idle(f->outlets[i], &err) < 0)
			flow_lose_outlet(f, i, &err);
	}
	return true;
}

/* One step on input i. Origins are absorbed here. Returns a read_result or -1 with the
 * flow failed. */
int flow_step(struct flow *f, int i, struct record *rec)
{
	for (;;) {
		struct reader *r = &f->readers[i];
		int k = reader_next(r, rec, &f->err);
		if (k == READ_ORIGIN &&
			flow_absorb_origin(f, r->origin, r->origin_len) == 0)
			continue;
		if (k == READ_ORIGIN)
			err_prefix(&f->err, "%s", inlet_name(r->inlet));
		if (k < 0 || k == READ_ORIGIN) {
			f->failed = true;
			return -1;
		}
		return k;
	}
}

/* Inputs that are files or pipes: the earliest of their next records. Ties go to the
 * first input. */
static int next_by_time(struct flow *f, struct record *rec, int *waiting)
{
	int best = -1;
	int64_t best_ts = 0;
	*waiting = 0;
	for (int i = 0; i < f->nreaders; i++) {
		if (!f->has_head[i]) {
			int k = flow_step(f, i, &f->heads[i]);
			if (k < 0)
				return -1;
			*waiting += k == READ_WAIT;
			if (k != READ_RECORD)
				continue;
			f->has_head[i] = true;
		}
		if (f->nreaders == 1) {
			best = i;
			break;
		}
		const struct record *h = &f->heads[i];
		int64_t ts = record_peek_ts(h->schema, h->raw, h->len);
		if (best < 0 || ts < best_ts) {
			best = i;
			best_ts = ts;
		}
	}
	if (*waiting || best < 0)
		return READ_EOF;
	*rec = f->heads[best];
	f->has_head[best] = false;
	return READ_RECORD;
}

/* Inputs with a socket among them: whoever has something, in turn. */
static int next_by_arrival(struct flow *f, struct record *rec, int *waiting)
{
	*waiting = 0;
	for (int n = 0; n < f->nreaders; n++) {
		int i = f->turn++ % f->nreaders;
		int k = flow_step(f, i, rec);
		if (k < 0)
			return -1;
		if (k == READ_RECORD)
			return k;
		*waiting += k == READ_WAIT;
	}
	return READ_EOF;
}

static void note_endings(struct flow *f)
{
	for (int i = 0; i < f->nreaders; i++) {
		f->truncated |= f->readers[i].truncated || f->readers[i].cutoffs > 0;
		f->interrupted |= f->readers[i].interrupted;
	}
	f->finished = true;
}

/* After a signal: sockets have nothing more, but a file or pipe must be read to its
 * end. */
static bool drained(const struct flow *f)
{
	if (!f->live || !signals_seen())
		return false;
	for (int i = 0; i < f->nreaders; i++)
		if (!f->readers[i].eof && !inlet_is_socket(f->readers[i].inlet))
			return false;
	return true;
}

static bool count_reached(const struct flow *f)
{
	return f->fo->count && f->seen >= f->fo->count;
}

/* Returns 1, 0, 2 (deadline, ms of the monotonic clock, is over) or -1. */
static int next_until(struct flow *f, struct record *rec, int64_t deadline)
{
	int waiting;
	if (f->finished || f->failed)
		return f->failed ? -1 : 0;
	if (count_reached(f)) {
		f->finished = true;
		return 0;
	}
	for (;;) {
		int k = f->live ? next_by_arrival(f, rec, &waiting)
				: next_by_time(f, rec, &waiting);
		if (k < 0)
			return -1;
		if (k == READ_RECORD) {
			f->seen++;
			f->ledger.kinds[rec->kind].in++;
			flow_flush_in_time(f);
			return 1;
		}
		if (waiting == 0) {
			note_endings(f);
			return 0;
		}
		if (drained(f)) {
			note_endings(f);
			f->interrupted = true;
			return 0;
		}
		flow_flush(f);
		if (f->failed)
			return -1;
		if (!flow_wait_inputs(f, deadline))
			return 2;
	}
}

int flow_next(struct flow *f, struct record *rec)
{
	return next_until(f, rec, -1);
}

int flow_next_wait(struct flow *f, struct record *rec, int64_t timeout_ms)
{
	return next_until(f, rec, now_coarse_ms() + timeout_ms);
}

bool flow_interrupted(const struct flow *f)
{
	return signals_seen() || f->failed ||
	       (f->fo->count && f->written >= f->fo->count);
}

bool flow_whole(const struct flow *f)
{
	return f->finished && !f->failed && !f->interrupted &&
	       (!f->truncated || f->fo->allow_truncated);
}

bool flow_sleep_until(struct flow *f, int64_t epoch_ms)
{
	flow_flush(f);
	for (;;) {
		int64_t left = epoch_ms - now_wall_ms();
		if (left <= 0 || f->failed)
			return !flow_interrupted(f);
		if (signals_wait(-1, left) < 0)
			return false;
	}
}
