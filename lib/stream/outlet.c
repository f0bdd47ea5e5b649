#include "stream/outlet.h"

#include "base/code.h"
#include "base/ids.h"
#include "record/mp.h"
#include "stream/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct outlet {
	char name[ADDRESS_MAX];
	int fd; /* -1: a socket */
	void *socket;
	bool pub;
	char feed[17];
	uint64_t seq;      /* PUSH: messages sent */
	struct ids topics; /* PUB */
	uint64_t *topic_seq;
	size_t cap_topic_seq;
	struct buf
		preamble; /* PUB: origin and schema records so far, for late joiners */
	int64_t wait_subscribers, subscribers;
};

static struct outlet *open_file(
	struct outlet *o, const struct endpoint *e, struct err *err)
{
	bool std = strcmp(e->address, "-") == 0;
	str_copy(o->name, sizeof(o->name), str_of(std ? "<stdout>" : e->address));
	if (std && isatty(STDOUT_FILENO)) {
		err_set(err, ERR_USAGE,
			"will not write binary records to a terminal; pipe into "
			"'decode' or use -o FILE");
		return NULL;
	}
	o->fd = std ? STDOUT_FILENO
		    : open(e->address, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct stat st;
	if (o->fd < 0 || fstat(o->fd, &st) < 0) {
		err_errno(err, "cannot open '%s' for writing", o->name);
		return NULL;
	}
	if (S_ISFIFO(st.st_mode))
		(void)fcntl(o->fd, F_SETPIPE_SZ,
			1 << 20); /* fewer switches; refused is fine */
	return o;
}

static int make_feed(struct outlet *o, struct err *err)
{
	uint64_t id;
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return err_errno(err, "cannot draw a feed id");
	snprintf(o->feed, sizeof(o->feed), "%016llx", (unsigned long long)id);
	return 0;
}

static struct outlet *open_socket(
	struct outlet *o, const struct endpoint *e, void *zmq, struct err *err)
{
	int hwm = (int)e->hwm, verbose = 1;
	str_copy(o->name, sizeof(o->name), str_of(e->address));
	o->pub = e->role == EP_PUB;
	o->wait_subscribers = e->subscribers;
	if (make_feed(o, err) < 0)
		return NULL;
	o->socket = zmq_socket(zmq, o->pub ? ZMQ_XPUB : ZMQ_PUSH);
	if (!o->socket) {
		err_set(err, ERR_IO, "cannot make a socket for '%s': %s", o->name,
			zmq_strerror(errno));
		return NULL;
	}
	zmq_setsockopt(o->socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
	if (o->pub) /* every subscription is told, not only the first of a topic */
		zmq_setsockopt(o->socket, ZMQ_XPUB_VERBOSE, &verbose, sizeof(verbose));
	if ((e->bind ? zmq_bind : zmq_connect)(o->socket, e->address) < 0) {
		err_set(err, ERR_IO, "cannot %s '%s': %s",
			e->bind ? "bind" : "connect to", e->address,
			zmq_strerror(errno));
		return NULL;
	}
	return o;
}

struct outlet *outlet_open(const struct endpoint *e, void *zmq, struct err *err)
{
	struct outlet *o = calloc(1, sizeof(*o));
	if (!o) {
		err_nomem(err);
		return NULL;
	}
	o->fd = -1;
	if (e->role == EP_FILE ? open_file(o, e, err) : open_socket(o, e, zmq, err))
		return o;
	outlet_close(o, 0, NULL);
	return NULL;
}

static int write_file(struct outlet *o, const uint8_t *p, size_t n, struct err *err)
{
	while (n) {
		ssize_t w = write(o->fd, p, n);
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		} else if (w < 0 && errno == EAGAIN) {
			struct pollfd f = {.fd = o->fd, .events = POLLOUT};
			(void)poll(&f, 1, -1);
		} else if (w == 0 || errno != EINTR) {
			errno = w == 0 ? ENOSPC : errno;
			return err_errno(err, "cannot write '%s'", o->name);
		}
	}
	return 0;
}

/* Sends one part. A full PUSH queue waits (back-pressure); PUB never does. */
static int send_part(
	struct outlet *o, const void *p, size_t n, bool more, struct err *err)
{
	for (;;) {
		if (zmq_send(o->socket, p, n, more ? ZMQ_SNDMORE : 0) >= 0)
			return 0;
		if (errno != EINTR)
			return err_set(err, ERR_IO, "cannot send to '%s': %s", o->name,
				zmq_strerror(errno));
	}
}

static int send_message(struct outlet *o, const char *topic, uint64_t seq,
	const uint8_t *p, size_t n, struct err *err)
{
	uint8_t header[40];
	uint8_t *end = mp_put_array(header, 2);
	end = mp_put_str(end, o->feed, (uint32_t)strlen(o->feed));
	end = mp_put_uint(end, seq);
	if (topic && send_part(o, topic, strlen(topic), true, err) < 0)
		return -1;
	if (send_part(o, header, (size_t)(end - header), true, err) < 0)
		return -1;
	return send_part(o, p, n, false, err);
}

/* The next sequence number of a topic, from 1. */
static uint64_t next_seq(struct outlet *o, const char *topic)
{
	uint32_t id = ids_intern(&o->topics, str_of(topic));
	if (id == IDS_NONE)
		return 0;
	if (id >= o->cap_topic_seq) {
		size_t cap = o->cap_topic_seq ? o->cap_topic_seq * 2 : 256;
		uint64_t *p = realloc(o->topic_seq, cap * sizeof(*p));
		if (!p)
			return 0;
		memset(p + o->cap_topic_seq, 0, (cap - o->cap_topic_seq) * sizeof(*p));
		o->topic_seq = p;
		o->cap_topic_seq = cap;
	}
	return ++o->topic_seq[id];
}

static void make_topic(
	char *dst, size_t size, const char *run, const char *kind, struct str subject)
{
	struct code_parts c = code_split(subject);
	const struct str parts[] = {c.site, c.system, c.string, c.jar};
	int n = snprintf(
		dst, size, "%s%s%s%s/", *run ? "run/" : "", run, *run ? "/" : "", kind);
	for (int i = 0; i < 4 && n > 0 && (size_t)n < size; i++)
		if (parts[i].s)
			n += snprintf(
				dst + n, size - (size_t)n, "%.*s/", STR_ARG(parts[i]));
}

static int publish(struct outlet *o, int kind, const uint8_t *p, size_t n,
	const struct schema *s, const char *run, struct err *err)
{
	char topic[512];
	if (kind == KIND_origin || kind == KIND_schema) {
		buf_append(&o->preamble, p, n);
		if (o->preamble.failed)
			return err_nomem(err);
		return send_message(o, "schema/", next_seq(o, "schema/"), p, n, err);
	}
	if (kind == KIND_end)
		return send_message(o, "end/", next_seq(o, "end/"), p, n, err);
	make_topic(topic, sizeof(topic), run, s ? s->name : "unknown",
		s ? record_peek_subject(s, p, n) : STR_NIL);
	return send_message(o, topic, next_seq(o, topic), p, n, err);
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
	if (n == 0 || text[0] != 1)
		return 1;
	/* Our own subscribers ask for schema/ first: that is one subscriber. */
	o->subscribers += n == 8 && memcmp(text + 1, "schema/", 7) == 0;
	if (o->preamble.len == 0)
		return 1;
	int r = send_message(o, "schema/", next_seq(o, "schema/"), o->preamble.data,
		o->preamble.len, err);
	return r < 0 ? -1 : 1;
}

int outlet_idle(struct outlet *o, struct err *err)
{
	int r = 0;
	while (o->pub && (r = take_subscription(o, ZMQ_DONTWAIT, err)) > 0)
		;
	return r;
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

static int write_pub(struct outlet *o, const uint8_t *p, size_t n,
	const struct schema *const *schemas, const char *run, struct err *err)
{
	if (wait_for_subscribers(o, err) < 0)
		return -1;
	while (n) {
		int kind = 0;
		int64_t len = record_frame(p, n, &kind, err);
		if (len <= 0)
			return -1;
		if (outlet_idle(o, err) < 0 ||
			publish(o, kind, p, (size_t)len, schemas[kind], run, err) < 0)
			return -1;
		p += len;
		n -= (size_t)len;
	}
	return 0;
}

int outlet_write(struct outlet *o, const uint8_t *p, size_t n,
	const struct schema *const *schemas, const char *run, struct err *err)
{
	if (!o->socket)
		return write_file(o, p, n, err);
	if (o->pub)
		return write_pub(o, p, n, schemas, run, err);
	return send_message(o, NULL, ++o->seq, p, n, err);
}

bool outlet_poll_item(const struct outlet *o, zmq_pollitem_t *item)
{
	*item = (zmq_pollitem_t){.socket = o->socket, .events = ZMQ_POLLIN};
	return o->pub;
}

const char *outlet_name(const struct outlet *o)
{
	return o->name;
}

int outlet_close(struct outlet *o, int64_t linger_ms, struct err *err)
{
	int r = 0;
	if (!o)
		return 0;
	if (o->socket) {
		int linger = (int)linger_ms;
		zmq_setsockopt(o->socket, ZMQ_LINGER, &linger, sizeof(linger));
		zmq_close(o->socket);
	}
	if (o->fd >= 0 && close(o->fd) < 0 && errno != EINTR)
		r = err_errno(err, "cannot write '%s'", o->name);
	ids_release(&o->topics);
	free(o->topic_seq);
	buf_release(&o->preamble);
	free(o);
	return r;
}
