#include "stream/outlet_internal.h"

#include "base/parse.h"

#include <errno.h>
#include <stdio.h>

enum {
	CHUNK_MAX = 256 * 1024, /* bytes of records in one answer */
	SCAN_MAX = 65536,       /* topics looked at for one answer */
	ASKERS_MAX = 4,         /* answers before the stream goes on */
	WAITING_MAX = 256,      /* questions, and answers to one asker, that wait */
	ID_MAX = 256,
};

struct question {
	uint8_t id[ID_MAX]; /* how the socket calls who asks */
	size_t id_len;
	bool closed;
	size_t position;
	char prefixes[TOPICS_MAX][sizeof(((struct endpoint *)0)->topics[0])];
	int nprefixes;
};

static int failed(const struct outlet *o, const char *what, struct err *err)
{
	return err_set(err, ERR_IO, "cannot %s for the snapshots of '%s': %s", what,
		o->name, zmq_strerror(errno));
}

int snapshot_open(
	struct outlet *o, const struct endpoint *e, void *zmq, struct err *err)
{
	int hwm = WAITING_MAX, linger = 0;
	int64_t max = sizeof(((struct question *)0)->prefixes[0]);
	o->snapshot = zmq_socket(zmq, ZMQ_ROUTER);
	if (!o->snapshot)
		return failed(o, "make a socket", err);
	zmq_setsockopt(o->snapshot, ZMQ_SNDHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(o->snapshot, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(o->snapshot, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(o->snapshot, ZMQ_MAXMSGSIZE, &max, sizeof(max));
	if ((e->snapshot_bind ? zmq_bind : zmq_connect)(o->snapshot, e->snapshot) == 0)
		return 0;
	return err_set(err, ERR_IO, "cannot %s '%s': %s",
		e->snapshot_bind ? "bind" : "connect to", e->snapshot,
		zmq_strerror(errno));
}

/* Part i of a question. Returns whether it can be one. */
static bool take_part(struct question *q, int i, struct str part)
{
	int64_t n;
	if (i == 0) {
		q->id_len = part.len < ID_MAX ? part.len : ID_MAX;
		memcpy(q->id, part.s, q->id_len);
		return true;
	}
	if (i == 1) {
		q->closed = str_is(part, "changes");
		return q->closed || str_is(part, "snapshot");
	}
	if (i == 2) {
		if (parse_i64(part, 0, UINT32_MAX, &n) < 0)
			return false;
		q->position = (size_t)n;
		return true;
	}
	return q->nprefixes < TOPICS_MAX &&
	       str_copy(q->prefixes[q->nprefixes++], sizeof(q->prefixes[0]), part);
}

/* Returns 1 with a question, 0 when nobody asks, 2 when it was none, -1 on error. */
static int take_question(struct outlet *o, struct question *q, struct err *err)
{
	bool good = true;
	int i = 0, more = 1;
	*q = (struct question){0};
	for (; more; i++) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		int n = zmq_msg_recv(&part, o->snapshot, ZMQ_DONTWAIT);
		if (n < 0) {
			zmq_msg_close(&part);
			if (errno == EAGAIN || errno == EINTR)
				return 0;
			return failed(o, "receive", err);
		}
		struct str text = {zmq_msg_data(&part), (uint32_t)n};
		good = good && take_part(q, i, text);
		more = zmq_msg_more(&part);
		zmq_msg_close(&part);
	}
	return good && i > 2 ? 1 : 2;
}

/* Who asks may have gone: what cannot be sent to it is nobody's loss. */
static void put(struct outlet *o, const void *p, size_t n, bool more)
{
	zmq_send(o->snapshot, p, n, ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0));
}

static void put_number(struct outlet *o, size_t n, bool more)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%zu", n);
	put(o, text, (size_t)len, more);
}

static bool wanted(const struct question *q, const struct topic *t)
{
	for (int i = 0; i < q->nprefixes; i++)
		if (strncmp(t->text, q->prefixes[i], strlen(q->prefixes[i])) == 0)
			return true;
	return q->nprefixes == 0;
}

/* Where the answer to q ends: its size is found by adding up what it would hold. */
static size_t end_of_chunk(const struct outlet *o, const struct question *q)
{
	size_t i = q->position, size = 0;
	for (; i < o->topic_keys.n && size < CHUNK_MAX && i - q->position < SCAN_MAX;
		i++)
		if (o->topics[i].text && wanted(q, &o->topics[i]))
			size += latest_size(&o->topics[i].latest);
	return i;
}

static void put_message(
	struct outlet *o, const struct topic *t, const uint8_t *p, size_t n)
{
	uint8_t header[MESSAGE_HEADER_MAX];
	put(o, t->text, t->len, true);
	put(o, header, outlet_header(o, t->seq, header), true);
	put(o, p, n, true);
}

static int answer(struct outlet *o, const struct question *q, struct err *err)
{
	struct topic *schema = pub_schema_topic(o);
	size_t end = end_of_chunk(o, q);
	if (!schema)
		return err_nomem(err);
	put(o, q->id, q->id_len, true);
	put_number(o, q->position, true);
	if (q->position == 0 && o->preamble.len)
		put_message(o, schema, o->preamble.data, o->preamble.len);
	for (size_t i = q->position; i < end; i++) {
		const struct topic *t = &o->topics[i];
		if (!t->text || !wanted(q, t))
			continue;
		buf_clear(&o->chunk);
		latest_write(&t->latest, q->closed, t->schema, &o->chunk);
		if (o->chunk.failed)
			return err_nomem(err);
		if (o->chunk.len)
			put_message(o, t, o->chunk.data, o->chunk.len);
	}
	/* The next position comes last: then the answer is whole. */
	if (end < o->topic_keys.n)
		put_number(o, end, false);
	else
		put(o, "", 0, false);
	return 0;
}

int snapshot_serve(struct outlet *o, struct err *err)
{
	struct question q;
	for (int i = 0; i < ASKERS_MAX; i++) {
		int k = take_question(o, &q, err);
		if (k <= 0)
			return k;
		if (k == 1 && answer(o, &q, err) < 0)
			return -1;
	}
	return 0;
}
