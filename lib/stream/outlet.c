#include "stream/outlet_internal.h"

#include "record/mp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_file(struct outlet *o, const struct endpoint *e, struct err *err)
{
	bool std = strcmp(e->address, "-") == 0;
	str_copy(o->name, sizeof(o->name), str_of(std ? "<stdout>" : e->address));
	if (std && isatty(STDOUT_FILENO))
		return err_set(err, ERR_USAGE,
			"will not write binary records to a terminal; pipe into "
			"'decode' or use -o FILE");
	o->fd = std ? STDOUT_FILENO
		    : open(e->address, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	struct stat st;
	if (o->fd < 0 || fstat(o->fd, &st) < 0)
		return err_errno(err, "cannot open '%s' for writing", o->name);
	if (S_ISFIFO(st.st_mode))
		(void)fcntl(o->fd, F_SETPIPE_SZ,
			1 << 20); /* fewer switches; refused is fine */
	return 0;
}

static int make_feed(struct outlet *o, struct err *err)
{
	uint64_t id;
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return err_errno(err, "cannot draw a feed id");
	snprintf(o->feed, sizeof(o->feed), "%016llx", (unsigned long long)id);
	return 0;
}

static int socket_failed(const struct outlet *o, const char *what, struct err *err)
{
	return err_set(
		err, ERR_IO, "cannot %s '%s': %s", what, o->name, zmq_strerror(errno));
}

static int open_socket(
	struct outlet *o, const struct endpoint *e, void *zmq, struct err *err)
{
	int hwm = (int)e->hwm, verbose = 1;
	str_copy(o->name, sizeof(o->name), str_of(e->address));
	o->pub = e->role == EP_PUB;
	o->wait_subscribers = e->subscribers;
	if (make_feed(o, err) < 0)
		return -1;
	o->socket = zmq_socket(zmq, o->pub ? ZMQ_XPUB : ZMQ_PUSH);
	if (!o->socket)
		return socket_failed(o, "make a socket for", err);
	zmq_setsockopt(o->socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
	if (o->pub) /* every subscription and its end is told, not only a topic's first
		     */
		zmq_setsockopt(o->socket, ZMQ_XPUB_VERBOSER, &verbose, sizeof(verbose));
	else if (push_watch(o, zmq, err) < 0)
		return -1;
	if ((e->bind ? zmq_bind : zmq_connect)(o->socket, e->address) < 0)
		return socket_failed(o, e->bind ? "bind" : "connect to", err);
	return *e->snapshot ? snapshot_open(o, e, zmq, err) : 0;
}

struct outlet *outlet_open(const struct endpoint *e, void *zmq, struct err *err)
{
	struct outlet *o = calloc(1, sizeof(*o));
	if (!o) {
		err_nomem(err);
		return NULL;
	}
	o->fd = -1;
	if ((e->role == EP_FILE ? open_file(o, e, err) : open_socket(o, e, zmq, err)) ==
		0)
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

/* Sends one part. A full queue waits, as long as there is somebody to wait for. */
static int send_part(
	struct outlet *o, const void *p, size_t n, bool more, struct err *err)
{
	for (;;) {
		if (zmq_send(o->socket, p, n, more ? ZMQ_SNDMORE : 0) >= 0)
			return 0;
		if (errno != EINTR && errno != EAGAIN)
			return socket_failed(o, "send to", err);
		if (!o->pub && push_check(o, err) < 0)
			return -1;
	}
}

size_t outlet_header(
	const struct outlet *o, uint64_t seq, uint8_t header[MESSAGE_HEADER_MAX])
{
	uint8_t *end = mp_put_array(header, 2);
	end = mp_put_str(end, o->feed, (uint32_t)strlen(o->feed));
	return (size_t)(mp_put_uint(end, seq) - header);
}

int outlet_send(struct outlet *o, const struct topic *topic, uint64_t seq,
	const uint8_t *p, size_t n, struct err *err)
{
	uint8_t header[MESSAGE_HEADER_MAX];
	size_t header_len = outlet_header(o, seq, header);
	if (topic && send_part(o, topic->text, topic->len, true, err) < 0)
		return -1;
	if (send_part(o, header, header_len, true, err) < 0)
		return -1;
	return send_part(o, p, n, false, err);
}

int outlet_idle(struct outlet *o, struct err *err)
{
	return o->pub ? pub_idle(o, err) : o->socket ? push_check(o, err) : 0;
}

void outlet_ending(struct outlet *o)
{
	o->ended = true;
}

int outlet_write(struct outlet *o, const uint8_t *p, size_t n,
	const struct schema *const *schemas, const char *run, struct err *err)
{
	if (!o->socket)
		return write_file(o, p, n, err);
	return o->pub ? pub_write(o, p, n, schemas, run, err)
		      : push_write(o, p, n, err);
}

int outlet_poll_items(const struct outlet *o, zmq_pollitem_t *items)
{
	if (!o->pub)
		return 0;
	items[0] = (zmq_pollitem_t){.socket = o->socket, .events = ZMQ_POLLIN};
	items[1] = (zmq_pollitem_t){.socket = o->snapshot, .events = ZMQ_POLLIN};
	return o->snapshot ? 2 : 1;
}

const char *outlet_name(const struct outlet *o)
{
	return o->name;
}

/* A pusher waits for its reader as a pipe does; a publisher for a slow one only so
 * long. */
static void close_socket(struct outlet *o, int64_t linger_ms)
{
	int forever = !o->pub || linger_ms == 0;
	int linger = forever ? -1 : linger_ms > INT32_MAX ? INT32_MAX : (int)linger_ms;
	if (!o->pub && o->reader_left)
		linger = 0;
	if (o->pub)
		pub_finish(o);
	if (o->monitor) {
		zmq_socket_monitor(o->socket, NULL, 0);
		zmq_close(o->monitor);
	}
	if (o->snapshot)
		zmq_close(o->snapshot);
	zmq_setsockopt(o->socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_close(o->socket);
}

int outlet_close(struct outlet *o, int64_t linger_ms, struct err *err)
{
	int r = 0;
	if (!o)
		return 0;
	if (o->socket)
		close_socket(o, linger_ms);
	if (o->fd >= 0 && close(o->fd) < 0 && errno != EINTR)
		r = err_errno(err, "cannot write '%s'", o->name);
	pub_release(o);
	free(o);
	return r;
}
