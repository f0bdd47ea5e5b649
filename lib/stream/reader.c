#include "stream/reader.h"

#include "base/diag.h"
#include "base/now.h"

#include <stdlib.h>

enum { TELL_MS = 60000 }; /* between two words about losses */

int reader_open(struct reader *r, const struct endpoint *e, uint32_t number, void *zmq,
	struct schemas *schemas, struct err *err)
{
	*r = (struct reader){.ep = *e, .number = number, .schemas = schemas};
	r->inlet = inlet_open(e, zmq, err);
	return r->inlet ? 0 : -1;
}

/* Selects the channel of a feed, making it when the feed is new. */
static int select_channel(struct reader *r, struct str feed, struct err *err)
{
	uint32_t id = ids_find(&r->feeds, feed);
	if (id == IDS_NONE && r->feeds.n >= FEEDS_MAX)
		return err_set(err, ERR_DATA,
			"'%s': more than %d feeds; restart to forget old ones",
			inlet_name(r->inlet), FEEDS_MAX);
	id = ids_intern(&r->feeds, feed);
	if (id == IDS_NONE)
		return err_nomem(err);
	if (id >= r->cap_channels) {
		size_t cap = r->cap_channels ? r->cap_channels * 2 : 4;
		struct channel **v = realloc(r->channels, cap * sizeof(*v));
		if (!v)
			return err_nomem(err);
		memset(v + r->cap_channels, 0, (cap - r->cap_channels) * sizeof(*v));
		r->channels = v;
		r->cap_channels = cap;
	}
	if (!r->channels[id] && !(r->channels[id] = calloc(1, sizeof(struct channel))))
		return err_nomem(err);
	r->channel = r->channels[id];
	return 0;
}

/* Who is too slow is told so while it is, not only at the end. */
static void lose(struct reader *r, uint64_t n)
{
	int64_t now = now_coarse_ms();
	r->gaps += (int64_t)n;
	if (r->gaps_told && now - r->told_at < TELL_MS)
		return;
	diag("%s: %lld messages missed by now", inlet_name(r->inlet),
		(long long)r->gaps);
	r->gaps_told = r->gaps;
	r->told_at = now;
}

/* PULL: the messages of a feed are numbered. */
static void note_pulled(struct reader *r, uint64_t seq)
{
	uint64_t *last = &r->channel->last_seq;
	if (seq && *last && seq > *last + 1)
		lose(r, seq - *last - 1);
	if (seq)
		*last = seq;
}

/* The progress of the message's topic. NULL: not kept, or out of memory (err set). */
static struct progress *progress_of(struct reader *r, struct err *err)
{
	struct channel *c = r->channel;
	uint32_t id = ids_find(&c->topics, r->message.topic);
	if (id == IDS_NONE && c->topics.n >= TOPICS_SEEN_MAX)
		return NULL; /* gaps of later topics go uncounted rather than memory
				unbounded */
	if (id == IDS_NONE)
		id = ids_intern(&c->topics, r->message.topic);
	if (id == IDS_NONE) {
		err_nomem(err);
		return NULL;
	}
	if (id >= c->cap_progress) {
		size_t cap = c->cap_progress ? c->cap_progress * 2 : 64;
		struct progress *v = realloc(c->progress, cap * sizeof(*v));
		if (!v) {
			err_nomem(err);
			return NULL;
		}
		memset(v + c->cap_progress, 0, (cap - c->cap_progress) * sizeof(*v));
		c->progress = v;
		c->cap_progress = cap;
	}
	return &c->progress[id];
}

/* A message as published: whether to take it. */
static bool take_published(struct reader *r, struct progress *p, uint64_t seq)
{
	if (*r->ep.snapshot && seq <= p->seq)
		return false; /* the snapshot had it */
	if (p->seq && seq > p->seq + 1) {
		lose(r, seq - p->seq - 1);
		p->hole = 1;
		inlet_ask(r->inlet, false);
	} else if (p->seq == 0 && seq > 1) {
		p->hole = 1;
	}
	p->seq = seq;
	return true;
}

/* What a snapshot says of a topic: whether to take it. */
static bool take_snapshot(struct reader *r, struct progress *p, uint64_t seq)
{
	if (seq < p->seq && p->hole)
		inlet_ask(r->inlet, false); /* overtaken: a newer one will do */
	if (seq < p->seq || (seq == p->seq && !p->hole))
		return false;
	/* All schema records so far are told together: none is missed. */
	if (p->seq && seq > p->seq + 1 && !str_is(r->message.topic, "schema/"))
		lose(r, seq - p->seq - 1);
	p->seq = seq;
	p->hole = 0;
	return true;
}

/* Looks at the number of a message: 1 take it, 0 known already, -1 error. */
static int note_sequence(struct reader *r, struct err *err)
{
	uint64_t seq = r->message.seq;
	if (r->ep.role != EP_SUB) {
		note_pulled(r, seq);
		return 1;
	}
	if (str_is(r->message.topic, "schema/") && !r->channel->asked) {
		r->channel->asked = true;
		inlet_ask(r->inlet, true);
	}
	if (*r->ep.snapshot && !r->channel->asked && !str_is(r->message.topic, "end/"))
		return 0; /* before we have joined */
	err->class = ERR_NONE;
	struct progress *p = seq ? progress_of(r, err) : NULL;
	if (!p)
		return err->class ? -1 : 1;
	return r->message.snapshot ? take_snapshot(r, p, seq)
				   : take_published(r, p, seq);
}

static int bad(const struct reader *r, struct err *err)
{
	return err_prefix(err, "%s: record %lld", inlet_name(r->inlet),
		(long long)r->records + 1);
}

/* What a peer sends is not ours to trust: its message is dropped and counted, the
 * stream goes on. */
static bool drop_message(struct reader *r, const struct err *err)
{
	if (!inlet_is_socket(r->inlet))
		return false;
	if (r->malformed++ == 0)
		diag("%s: message dropped: %s", inlet_name(r->inlet), err->msg);
	r->pos = r->buf.len;
	return true;
}

/* Gets more bytes. Returns READ_EOF, READ_WAIT, READ_RECORD (there are more) or -1. */
static int more(struct reader *r, struct err *err)
{
	bool socket = inlet_is_socket(r->inlet);
	size_t left = r->buf.len - r->pos;
	if (socket && left) {
		err_set(err, ERR_DATA, "it ends inside a record");
		drop_message(r, err);
	}
	buf_consume(&r->buf, r->pos);
	r->pos = 0;
	int k = inlet_fill(r->inlet, &r->buf, &r->message, err);
	if (k == INLET_EOF) {
		r->eof = true;
		r->torn = left;
		r->truncated = left || !r->channel || !r->channel->ended;
		return READ_EOF;
	}
	if (k == INLET_WAIT)
		return READ_WAIT;
	if (k < 0)
		return -1;
	if (!r->channel || socket) {
		if (select_channel(r, socket ? r->message.feed : str_of(""), err) < 0)
			return -1;
		k = socket ? note_sequence(r, err) : 1;
		if (k < 0)
			return -1;
		if (k == 0)
			r->pos = r->buf.len;
	}
	return READ_RECORD;
}

/* Holds what an end record says of one kind against what came. A feed may skip, and is
 * then said to have; a file or pipe may not. Returns 0 or -1. */
static int settle(struct reader *r, int kind, int64_t said, struct err *err)
{
	int64_t came = r->channel->counts[kind];
	r->channel->counts[kind] = 0;
	if (came == said || r->ep.ntopics || *r->ep.snapshot)
		return 0; /* who asks for part of a feed gets part of it */
	if (!inlet_is_socket(r->inlet))
		return err_set(err, ERR_DATA,
			"the end record counts %lld of kind %d, but %lld came",
			(long long)said, kind, (long long)came);
	r->unseen += said > came ? said - came : came - said;
	r->cutoffs += r->ep.role == EP_PULL;
	return 0;
}

static int take_end(struct reader *r, const uint8_t *p, size_t n, struct err *err)
{
	struct rec_end end;
	struct channel *c = r->channel;
	if (r->message.seq && r->message.seq == c->end_seq)
		return 0; /* told again for those who missed it */
	if (r->ep.role == EP_SUB)
		c->end_seq = r->message.seq;
	if (frame_decode(KIND_end, p, n, &end, err) < 0)
		return -1;
	for (int i = 0; i < end.counts.n; i++)
		if (settle(r, end.counts.v[i].kind, end.counts.v[i].count, err) < 0)
			return -1;
	for (int k = 0; k <= KIND_MAX; k++)
		if (c->counts[k] && settle(r, k, 0, err) < 0)
			return -1;
	c->ended = true;
	c->origin = false;
	r->ends++;
	r->interrupted |= end.reason == end_reason_interrupted;
	return 0;
}

static int take_schema(struct reader *r, const uint8_t *p, size_t n, struct err *err)
{
	struct schema *s = schemas_add(r->schemas, p, n, err);
	if (!s)
		return -1;
	r->channel->schemas[s->kind] = s;
	return 0;
}

/* Handles the frame record at p. Returns READ_ORIGIN, READ_WAIT ("go on") or -1. */
static int take_frame(
	struct reader *r, int kind, const uint8_t *p, size_t n, struct err *err)
{
	struct channel *c = r->channel;
	if (kind == KIND_origin) {
		if (c->origin &&
			r->ep.role != EP_SUB) { /* cat of a stream that was cut off */
			r->cutoffs++;
			memset(c->counts, 0, sizeof(c->counts));
		}
		c->origin = true;
		c->ended = false;
		r->origin = p;
		r->origin_len = n;
		return READ_ORIGIN;
	}
	if (!c->origin && r->ep.role != EP_SUB)
		return err_set(
			err, ERR_DATA, "no origin record: not a floatline stream");
	int k = kind == KIND_end ? take_end(r, p, n, err) : take_schema(r, p, n, err);
	return k < 0 ? -1 : READ_WAIT;
}

/* Handles the record of n bytes at p. Returns READ_RECORD, READ_ORIGIN, READ_WAIT ("go
 * on") or -1. */
static int take(struct reader *r, int kind, const uint8_t *p, size_t n,
	struct record *rec, struct err *err)
{
	struct channel *c = r->channel;
	if (kind_is_frame(kind))
		return take_frame(r, kind, p, n, err);
	const struct schema *s = c->schemas[kind];
	if ((!s || !c->origin) && r->ep.role == EP_SUB) {
		r->unknown++; /* joined late: neither its run nor its layout is known
				 yet */
		return READ_WAIT;
	}
	if (!c->origin)
		return err_set(err, ERR_DATA,
			c->ended ? "a record after the end record"
				 : "no origin record: not a floatline stream");
	if (!s)
		return err_set(
			err, ERR_DATA, "kind %d has no schema record before it", kind);
	c->counts[kind]++;
	*rec = (struct record){.kind = kind,
		.raw = p,
		.len = n,
		.schema = s,
		.input = r->number,
		.number = r->records + 1};
	return READ_RECORD;
}

int reader_next(struct reader *r, struct record *rec, struct err *err)
{
	for (;;) {
		int kind = 0;
		const uint8_t *p = r->buf.data + r->pos;
		int64_t n =
			r->eof ? 0 : record_frame(p, r->buf.len - r->pos, &kind, err);
		if (n < 0 && drop_message(r, err))
			continue;
		if (n < 0)
			return bad(r, err);
		if (n == 0) {
			int k = r->eof ? READ_EOF : more(r, err);
			if (k != READ_RECORD)
				return k;
			continue;
		}
		int k = take(r, kind, p, (size_t)n, rec, err);
		if (k < 0 && drop_message(r, err))
			continue;
		if (k < 0)
			return bad(r, err);
		r->pos += (size_t)n;
		r->records++;
		if (k != READ_WAIT)
			return k;
		if (r->ep.producers && r->ends >= r->ep.producers) {
			r->eof = true;
			return READ_EOF;
		}
	}
}

void reader_close(struct reader *r)
{
	inlet_close(r->inlet);
	buf_release(&r->buf);
	for (size_t i = 0; i < r->cap_channels && r->channels[i]; i++) {
		ids_release(&r->channels[i]->topics);
		free(r->channels[i]->progress);
		free(r->channels[i]);
	}
	free(r->channels);
	ids_release(&r->feeds);
	*r = (struct reader){0};
}
