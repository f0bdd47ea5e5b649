#include "stream/inlet.h"

#include "record/kinds.h"
#include "record/mp.h"
#include "stream/join.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { CHUNK = 256 * 1024, MESSAGE_MAX = 16 * RECORD_MAX };

struct inlet {
	char name[ADDRESS_MAX];
	int fd; /* -1: a socket */
	bool regular;
	void *socket;
	struct join *join;     /* asks for what was missed; NULL: does not */
	zmq_msg_t head, topic; /* of the last message */
	bool has_parts;
	bool probed, packed, unpack_ended;
	z_stream z;
	struct buf raw; /* packed bytes not yet unpacked */
};

static struct inlet *open_file(
	struct inlet *in, const struct endpoint *e, struct err *err)
{
	bool std = strcmp(e->address, "-") == 0;
	str_copy(in->name, sizeof(in->name), str_of(std ? "<stdin>" : e->address));
	in->fd = std ? STDIN_FILENO : open(e->address, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (in->fd < 0 || fstat(in->fd, &st) < 0) {
		err_errno(err, "cannot open '%s'", in->name);
		return NULL;
	}
	if (S_ISDIR(st.st_mode)) {
		err_set(err, ERR_IO, "cannot read '%s': it is a directory", in->name);
		return NULL;
	}
	in->regular = S_ISREG(st.st_mode);
	if (S_ISFIFO(st.st_mode))
		(void)fcntl(in->fd, F_SETPIPE_SZ,
			1 << 20); /* fewer switches; refused is fine */
	return in;
}

static void subscribe_to(void *socket, const char *topic)
{
	zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic));
}

/* schema/ comes last: a publisher counts a subscriber as there when it asks for that.
 */
static void subscribe(void *socket, const struct endpoint *e)
{
	for (int i = 0; i < e->ntopics; i++)
		subscribe_to(socket, e->topics[i]);
	if (e->ntopics == 0)
		subscribe_to(socket, "");
	subscribe_to(socket, "end/");
	subscribe_to(socket, "schema/");
}

static struct inlet *open_socket(
	struct inlet *in, const struct endpoint *e, void *zmq, struct err *err)
{
	int hwm = (int)e->hwm, linger = 0;
	int64_t max = MESSAGE_MAX;
	str_copy(in->name, sizeof(in->name), str_of(e->address));
	in->socket = zmq_socket(zmq, e->role == EP_PULL ? ZMQ_PULL : ZMQ_SUB);
	if (!in->socket) {
		err_set(err, ERR_IO, "cannot make a socket for '%s': %s", in->name,
			zmq_strerror(errno));
		return NULL;
	}
	zmq_setsockopt(in->socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(in->socket, ZMQ_LINGER, &linger, sizeof(linger));
	zmq_setsockopt(in->socket, ZMQ_MAXMSGSIZE, &max, sizeof(max));
	if ((e->bind ? zmq_bind : zmq_connect)(in->socket, e->address) < 0) {
		err_set(err, ERR_IO, "cannot %s '%s': %s",
			e->bind ? "bind" : "connect to", e->address,
			zmq_strerror(errno));
		return NULL;
	}
	if (e->role == EP_SUB)
		subscribe(in->socket, e);
	if (e->role == EP_SUB && *e->snapshot) {
		in->join = join_new(e, zmq, err);
		return in->join ? in : NULL;
	}
	return in;
}

struct inlet *inlet_open(const struct endpoint *e, void *zmq, struct err *err)
{
	struct inlet *in = calloc(1, sizeof(*in));
	if (!in) {
		err_nomem(err);
		return NULL;
	}
	in->fd = -1;
	if (e->role == EP_FILE ? open_file(in, e, err) : open_socket(in, e, zmq, err))
		return in;
	inlet_close(in);
	return NULL;
}

/* Reads once. Returns bytes read, 0 at the end, -1 on error, -2 when nothing is there
 * now. */
static ssize_t read_some(struct inlet *in, struct buf *into, struct err *err)
{
	if (!in->regular) {
		struct pollfd p = {.fd = in->fd, .events = POLLIN};
		int r = poll(&p, 1, 0);
		if (r == 0 || (r < 0 && errno == EINTR))
			return -2;
	}
	if (buf_reserve(into, CHUNK) < 0)
		return err_nomem(err);
	ssize_t n = read(in->fd, into->data + into->len, CHUNK);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -2;
	if (n < 0)
		return err_errno(err, "cannot read '%s'", in->name);
	into->len += (size_t)n;
	return n;
}

static int unpack_error(struct inlet *in, const char *what, struct err *err)
{
	return err_set(err, ERR_DATA, "'%s': %s gzip data", in->name, what);
}

/* Unpacks from in->raw until it is used up or 'into' has a chunk more. Returns 0 or -1.
 */
static int unpack(struct inlet *in, struct buf *into, struct err *err)
{
	if (buf_reserve(into, CHUNK) < 0)
		return err_nomem(err);
	in->z.next_in = in->raw.data;
	in->z.avail_in = (uInt)in->raw.len;
	in->z.next_out = into->data + into->len;
	in->z.avail_out = CHUNK;
	while (in->z.avail_in && in->z.avail_out) {
		if (in->unpack_ended) { /* another member follows */
			inflateReset(&in->z);
			in->unpack_ended = false;
		}
		int r = inflate(&in->z, Z_NO_FLUSH);
		if (r == Z_STREAM_END)
			in->unpack_ended = true;
		else if (r != Z_OK && r != Z_BUF_ERROR)
			return unpack_error(in, "broken", err);
		else if (r == Z_BUF_ERROR)
			break;
	}
	into->len += CHUNK - in->z.avail_out;
	buf_consume(&in->raw, in->raw.len - in->z.avail_in);
	return 0;
}

static int fill_packed(struct inlet *in, struct buf *into, struct err *err)
{
	size_t before = into->len;
	for (;;) {
		if (in->raw.len && unpack(in, into, err) < 0)
			return -1;
		if (into->len > before)
			return INLET_DATA;
		ssize_t n = read_some(in, &in->raw, err);
		if (n == -2)
			return INLET_WAIT;
		if (n < 0)
			return -1;
		if (n == 0)
			return in->unpack_ended ? INLET_EOF
						: unpack_error(in, "cut off", err);
	}
}

/* The first bytes tell whether the file is packed: a record never starts with 0x1f. */
static int probe(struct inlet *in, struct buf *into, struct err *err)
{
	ssize_t n = read_some(in, &in->raw, err);
	if (n == -2)
		return INLET_WAIT;
	if (n < 0)
		return -1;
	in->probed = true;
	in->packed = in->raw.len && in->raw.data[0] == 0x1f;
	if (in->packed && inflateInit2(&in->z, 15 + 16) != Z_OK)
		return err_nomem(err);
	if (in->packed)
		return fill_packed(in, into, err);
	buf_append(into, in->raw.data, in->raw.len);
	buf_clear(&in->raw);
	return n == 0 ? INLET_EOF : INLET_DATA;
}

static int fill_file(struct inlet *in, struct buf *into, struct err *err)
{
	if (!in->probed)
		return probe(in, into, err);
	if (in->packed)
		return fill_packed(in, into, err);
	ssize_t n = read_some(in, into, err);
	return n == -2 ? INLET_WAIT : n < 0 ? -1 : n == 0 ? INLET_EOF : INLET_DATA;
}

static void drop_parts(struct inlet *in)
{
	if (in->has_parts) {
		zmq_msg_close(&in->head);
		zmq_msg_close(&in->topic);
	}
	in->has_parts = false;
}

/* Reads [feed, seq] from the header part. A message without one is from feed "". */
static void read_header(struct inlet *in, struct inlet_message *m)
{
	const uint8_t *p = zmq_msg_data(&in->head);
	struct mp_in k = {p, p + zmq_msg_size(&in->head), false};
	m->feed = (struct str){"", 0};
	m->seq = 0;
	if (zmq_msg_size(&in->head) == 0 || mp_array(&k) != 2)
		return;
	struct str feed;
	feed.s = mp_str(&k, &feed.len);
	int64_t seq = mp_int(&k);
	if (!k.bad && feed.len <= CODE_MAX) {
		m->feed = feed;
		m->seq = (uint64_t)seq;
	}
}

/*
 * Parts are [records], [header, records] or [topic, header, records]; the last is
 * always the records, so that a producer in any language can send bare ones.
 */
static int receive(struct inlet *in, zmq_msg_t *part, struct err *err)
{
	for (int parts = 0;; parts++) {
		if (zmq_msg_recv(part, in->socket, parts ? 0 : ZMQ_DONTWAIT) < 0) {
			if (errno == EAGAIN || errno == EINTR)
				return INLET_WAIT;
			return err_set(err, ERR_IO, "cannot receive from '%s': %s",
				in->name, zmq_strerror(errno));
		}
		if (!zmq_msg_more(part))
			return INLET_DATA;
		zmq_msg_move(&in->topic, &in->head);
		zmq_msg_move(&in->head, part);
	}
}

/* What is published first: a snapshot that is older then is known to be. Where it has
 * to come first, it alone. */
static int receive_any(
	struct inlet *in, zmq_msg_t *part, bool *snapshot, struct err *err)
{
	int k = INLET_WAIT;
	if (!in->join || !join_holds(in->join))
		k = receive(in, part, err);
	if (k != INLET_WAIT || !in->join)
		return k;
	*snapshot = join_receive(in->join, &in->topic, &in->head, part);
	return *snapshot ? INLET_DATA : INLET_WAIT;
}

static int fill_socket(
	struct inlet *in, struct buf *into, struct inlet_message *m, struct err *err)
{
	zmq_msg_t part;
	drop_parts(in);
	zmq_msg_init(&in->head);
	zmq_msg_init(&in->topic);
	zmq_msg_init(&part);
	in->has_parts = true;
	int k = receive_any(in, &part, &m->snapshot, err);
	if (k == INLET_DATA) {
		m->topic = (struct str){
			zmq_msg_data(&in->topic), (uint32_t)zmq_msg_size(&in->topic)};
		read_header(in, m);
		buf_append(into, zmq_msg_data(&part), zmq_msg_size(&part));
	}
	zmq_msg_close(&part);
	return into->failed ? err_nomem(err) : k;
}

int inlet_fill(
	struct inlet *in, struct buf *into, struct inlet_message *m, struct err *err)
{
	*m = (struct inlet_message){0};
	return in->socket ? fill_socket(in, into, m, err) : fill_file(in, into, err);
}

void inlet_ask(struct inlet *in, bool first)
{
	if (in->join)
		join_ask(in->join, first);
}

int inlet_poll_items(const struct inlet *in, zmq_pollitem_t *items)
{
	int n = 0;
	if (!in->join || !join_holds(in->join))
		items[n++] = (zmq_pollitem_t){
			.socket = in->socket, .fd = in->fd, .events = ZMQ_POLLIN};
	if (in->join)
		join_poll_item(in->join, &items[n++]);
	return n;
}

const char *inlet_name(const struct inlet *in)
{
	return in->name;
}

bool inlet_is_socket(const struct inlet *in)
{
	return in->socket != NULL;
}

bool inlet_reads(const struct inlet *in, const struct stat *st)
{
	struct stat own;
	return in->fd >= 0 && fstat(in->fd, &own) == 0 && S_ISREG(own.st_mode) &&
	       own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

void inlet_close(struct inlet *in)
{
	if (!in)
		return;
	drop_parts(in);
	join_free(in->join);
	if (in->socket)
		zmq_close(in->socket);
	if (in->fd > STDERR_FILENO)
		close(in->fd);
	if (in->packed)
		inflateEnd(&in->z);
	buf_release(&in->raw);
	free(in);
}
