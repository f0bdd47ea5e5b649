#include "stream/outlet_internal.h"

#include "base/code.h"
#include "stream/signals.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* The end is told again this often, for this long, while subscribers are there. */
enum { END_AGAIN_MS = 100, END_WAIT_MS = 3000 };

static void topic_text(
	char *dst, size_t size, const char *run, const char *kind, struct str subject)
{
	struct code_parts c = code_split(subject);
	const struct str parts[] = {c.site, c.system, c.string, c.jar, c.sensor};
	int n = snprintf(
		dst, size, "%s%s%s%s/", *run ? "run/" : "", run, *run ? "/" : "", kind);
	for (int i = 0; i < 5 && n > 0 && (size_t)n < size; i++)
		if (parts[i].s)
			n += snprintf(
				dst + n, size - (size_t)n, "%.*s/", STR_ARG(parts[i]));
}

static struct topic *new_topic(struct outlet *o, uint32_t id, const char *text)
{
	if (id >= o->cap_topics) {
		size_t cap = o->cap_topics ? o->cap_topics * 2 : 256;
		struct topic *v = realloc(o->topics, cap * sizeof(*v));
		if (!v)
			return NULL;
		memset(v + o->cap_topics, 0, (cap - o->cap_topics) * sizeof(*v));
		o->topics = v;
		o->cap_topics = cap;
	}
	o->topics[id].text = strdup(text);
	o->topics[id].len = (uint32_t)strlen(text);
	return o->topics[id].text ? &o->topics[id] : NULL;
}

/* The topic of a kind and subject; its text is made once. NULL when out of memory. */
static struct topic *topic_of(struct outlet *o, int kind, const char *name,
	struct str subject, const char *run)
{
	char key[1 + CODE_MAX], text[512];
	uint32_t n = subject.len < CODE_MAX ? subject.len : CODE_MAX;
	key[0] = (char)kind;
	if (n)
		memcpy(key + 1, subject.s, n);
	uint32_t id = ids_intern(&o->topic_keys, (struct str){key, n + 1});
	if (id == IDS_NONE)
		return NULL;
	if (id < o->cap_topics && o->topics[id].text)
		return &o->topics[id];
	topic_text(text, sizeof(text), run, name, subject);
	return new_topic(o, id, text);
}

struct topic *pub_schema_topic(struct outlet *o)
{
	return topic_of(o, KIND_schema, "schema", STR_NIL, "");
}

static int send_schema(struct outlet *o, const uint8_t *p, size_t n, struct err *err)
{
	struct topic *t = pub_schema_topic(o);
	return t ? outlet_send(o, t, ++t->seq, p, n, err) : err_nomem(err);
}

static int send_end(struct outlet *o, struct err *err)
{
	struct topic *t = topic_of(o, KIND_end, "end", STR_NIL, "");
	return t ? outlet_send(o, t, 1, o->end.data, o->end.len, err) : err_nomem(err);
}

static int publish(struct outlet *o, int kind, const uint8_t *p, size_t n,
	const struct schema *s, const char *run, struct err *err)
{
	if (kind == KIND_origin || kind == KIND_schema) {
		buf_append(&o->preamble, p, n);
		if (o->preamble.failed)
			return err_nomem(err);
		return send_schema(o, p, n, err);
	}
	if (kind == KIND_end) {
		buf_append(&o->end, p, n);
		return o->end.failed ? err_nomem(err) : send_end(o, err);
	}
	struct topic *t = topic_of(o, kind, s ? s->name : "unknown",
		s ? record_peek_subject(s, p, n) : STR_NIL, run);
	if (!t)
		return err_nomem(err);
	t->schema = s;
	if (o->snapshot && s && latest_keeps(kind) &&
		latest_put(&t->latest, s, p, n, err) < 0)
		return -1;
	return outlet_send(o, t, ++t->seq, p, n, err);
}

/* Takes one subscription message. Returns 1 when there was one, 0 when not, -1 on
 * error. */
static int take_subscription(struct outlet *o, int flags, struct err *err)
{
	uint8_t text[256];
	int n = zmq_recv(o->socket, text, sizeof(text), flags);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n < 0)
		return err_set(err, ERR_IO, "cannot receive from '%s': %s", o->name,
			zmq_strerror(errno));
	/* Subscribers ask for schema/ last: then they are there. */
	if (n != 8 || memcmp(text + 1, "schema/", 7) != 0)
		return 1;
	o->subscribers += text[0] == 1 ? 1 : -1;
	if (text[0] != 1 || o->preamble.len == 0)
		return 1;
	int r = send_schema(o, o->preamble.data, o->preamble.len, err);
	return r < 0 ? -1 : 1;
}

int pub_idle(struct outlet *o, struct err *err)
{
	int r;
	while ((r = take_subscription(o, ZMQ_DONTWAIT, err)) > 0)
		;
	return r < 0 || !o->snapshot ? r : snapshot_serve(o, err);
}

static int wait_for_subscribers(struct outlet *o, struct err *err)
{
	while (o->subscribers < o->wait_subscribers) {
		if (take_subscription(o, 0, err) < 0)
			return -1;
		if (signals_seen())
			return err_set(err, ERR_IO,
				"'%s': stopped while waiting for %lld subscribers",
				o->name, (long long)o->wait_subscribers);
	}
	return 0;
}

int pub_write(struct outlet *o, const uint8_t *p, size_t n,
	const struct schema *const *schemas, const char *run, struct err *err)
{
	if (wait_for_subscribers(o, err) < 0 || pub_idle(o, err) < 0)
		return -1;
	while (n) {
		int kind = 0;
		int64_t len = record_frame(p, n, &kind, err);
		if (len <= 0)
			return -1;
		if (publish(o, kind, p, (size_t)len, schemas[kind], run, err) < 0)
			return -1;
		p += len;
		n -= (size_t)len;
	}
	return 0;
}

/*
 * A subscriber whose queue was full has missed the end, and nobody can tell: libzmq
 * drops in silence. So the end is told again until the subscribers have left or the
 * time is over; who has seen it knows it by its number.
 */
void pub_finish(struct outlet *o)
{
	struct err err;
	for (int ms = 0; o->end.len && o->subscribers > 0 && ms < END_WAIT_MS;
		ms += END_AGAIN_MS) {
		zmq_pollitem_t item = {.socket = o->socket, .events = ZMQ_POLLIN};
		zmq_poll(&item, 1, END_AGAIN_MS);
		if (pub_idle(o, &err) < 0 || send_end(o, &err) < 0)
			return;
	}
}

void pub_release(struct outlet *o)
{
	for (size_t i = 0; i < o->cap_topics; i++) {
		latest_release(&o->topics[i].latest);
		free(o->topics[i].text);
	}
	buf_release(&o->chunk);
	free(o->topics);
	ids_release(&o->topic_keys);
	buf_release(&o->preamble);
	buf_release(&o->end);
}
