#include "stream/join.h"

#include "base/diag.h"
#include "base/now.h"
#include "record/kinds.h"

#include <errno.h>
#include <stdlib.h>

enum {
	ANSWER_MS = 5000,  /* no piece of the answer for so long: asked anew */
	AGAIN_MS = 5000,   /* between two questions for what changed */
	POSITION_MAX = 24, /* bytes of a position */
	PIECES_MAX = 4,    /* answers that wait; one is asked for at a time */
	MESSAGE_MAX = 16 * RECORD_MAX,
};

enum state { NOT_ASKING, TO_ASK, ASKED };

struct join {
	void *socket;
	struct endpoint ep;
	enum state state;
	bool first, more, told;
	int64_t not_before, since; /* monotonic ms */
	char position[POSITION_MAX];
	bool in_answer; /* parts of it are still to be read */
};

struct join *join_new(const struct endpoint *e, void *zmq, struct err *err)
{
	int linger = 0, only_connected = 1, hwm = PIECES_MAX;
	int64_t max = MESSAGE_MAX;
	struct join *j = calloc(1, sizeof(*j));
	if (!j) {
		err_nomem(err);
		return NULL;
	}
	j->ep = *e;
	j->socket = zmq_socket(zmq, ZMQ_DEALER);
	if (j->socket) {
		zmq_setsockopt(j->socket, ZMQ_LINGER, &linger, sizeof(linger));
		zmq_setsockopt(j->socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
		zmq_setsockopt(j->socket, ZMQ_MAXMSGSIZE, &max, sizeof(max));
		zmq_setsockopt(j->socket, ZMQ_IMMEDIATE, &only_connected,
			sizeof(only_connected));
	}
	if (j->socket && (e->snapshot_bind ? zmq_bind : zmq_connect)(
				 j->socket, e->snapshot) == 0)
		return j;
	err_set(err, ERR_IO, "cannot connect to '%s': %s", e->snapshot,
		zmq_strerror(errno));
	join_free(j);
	return NULL;
}

void join_free(struct join *j)
{
	if (!j)
		return;
	if (j->socket)
		zmq_close(j->socket);
	free(j);
}

static bool read_part(struct join *j, zmq_msg_t *part, bool first)
{
	return zmq_msg_recv(part, j->socket, first ? ZMQ_DONTWAIT : 0) >= 0;
}

static void skip_answer(struct join *j, zmq_msg_t *part)
{
	while (zmq_msg_more(part) && read_part(j, part, false))
		;
}

/* What is left of an answer that is asked for anew. */
static void drop_answer(struct join *j)
{
	zmq_msg_t part;
	if (!j->in_answer)
		return;
	zmq_msg_init(&part);
	if (read_part(j, &part, false))
		skip_answer(j, &part);
	zmq_msg_close(&part);
	j->in_answer = false;
}

static void begin(struct join *j, bool first, int64_t when)
{
	drop_answer(j);
	j->state = TO_ASK;
	j->first = first;
	j->since = now_coarse_ms();
	j->not_before = when;
	str_copy(j->position, sizeof(j->position), str_of("0"));
}

void join_ask(struct join *j, bool first)
{
	if (first)
		begin(j, true, 0);
	else if (j->state == NOT_ASKING)
		begin(j, false, j->not_before);
	else
		j->more = true;
}

bool join_holds(const struct join *j)
{
	return j->first && j->state != NOT_ASKING;
}

static bool put(struct join *j, const char *text, bool more)
{
	return zmq_send(j->socket, text, strlen(text),
		       ZMQ_DONTWAIT | (more ? ZMQ_SNDMORE : 0)) >= 0;
}

/* Sends the question, if there is somebody to answer it. */
static void send_question(struct join *j)
{
	int n = j->ep.ntopics;
	if (now_coarse_ms() < j->not_before)
		return;
	if (!put(j, j->first ? "snapshot" : "changes", true))
		return;
	put(j, j->position, n > 0);
	for (int i = 0; i < n; i++)
		put(j, j->ep.topics[i], i + 1 < n);
	j->state = ASKED;
	j->since = now_coarse_ms();
}

/* No answer: the feed goes on, the question stays. */
static void lose_patience(struct join *j)
{
	if (j->state == NOT_ASKING || now_coarse_ms() - j->since < ANSWER_MS)
		return;
	if (!j->told)
		diag("no snapshot from '%s' yet; going on without it, asking again",
			j->ep.snapshot);
	j->told = true;
	begin(j, false, now_coarse_ms() + (j->state == ASKED ? AGAIN_MS : 0));
}

static void finish(struct join *j)
{
	j->state = NOT_ASKING;
	j->told = false;
	j->not_before = j->first ? 0 : now_coarse_ms() + AGAIN_MS;
	if (j->more)
		begin(j, false, j->not_before);
	j->more = false;
}

/* The last part says where to ask on. */
static void take_position(struct join *j, zmq_msg_t *part)
{
	struct str next = {zmq_msg_data(part), (uint32_t)zmq_msg_size(part)};
	j->in_answer = false;
	if (next.len == 0) {
		finish(j);
		return;
	}
	str_copy(j->position, sizeof(j->position), next);
	j->state = TO_ASK;
	j->not_before = 0;
	send_question(j);
}

/* Opens the next answer. One to an earlier question is none. */
static bool open_answer(struct join *j, zmq_msg_t *part)
{
	while (read_part(j, part, true)) {
		struct str position = {
			zmq_msg_data(part), (uint32_t)zmq_msg_size(part)};
		if (j->state == ASKED && zmq_msg_more(part) &&
			str_is(position, j->position)) {
			j->since = now_coarse_ms();
			return true;
		}
		skip_answer(j, part);
	}
	return false;
}

bool join_receive(struct join *j, zmq_msg_t *topic, zmq_msg_t *head, zmq_msg_t *body)
{
	lose_patience(j);
	if (j->state == TO_ASK)
		send_question(j);
	for (;;) {
		if (!j->in_answer && !open_answer(j, topic))
			return false;
		j->in_answer = true;
		if (!read_part(j, topic, false))
			return false;
		if (!zmq_msg_more(topic)) {
			take_position(j, topic);
			continue;
		}
		if (read_part(j, head, false) && zmq_msg_more(head) &&
			read_part(j, body, false) && zmq_msg_more(body))
			return true;
		/* Not as agreed: what we have is all we believe. */
		j->in_answer = false;
	}
}

void join_poll_item(const struct join *j, zmq_pollitem_t *item)
{
	*item = (zmq_pollitem_t){.socket = j->socket, .events = ZMQ_POLLIN};
}
