/*
 * Joining a feed late: asks the publisher's snapshot socket for the last values, piece
 * by piece (outlet_internal.h says how). A publisher that does not answer is asked
 * again now and then; the feed waits for it only so long.
 */
#ifndef STREAM_JOIN_H
#define STREAM_JOIN_H

#include "stream/endpoint.h"

#include <zmq.h>

struct join;

/* Connects to e->snapshot. NULL with ERR_IO. */
struct join *join_new(const struct endpoint *e, void *zmq, struct err *err);
void join_free(struct join *j);
/* Asks, now for the first time or soon for what changed. While it is being answered, a
 * further question waits. */
void join_ask(struct join *j, bool first);
/* Whether the feed is to wait for the answer. */
bool join_holds(const struct join *j);
/* The next message of the answer; false: none now. To be called even when nothing is
 * awaited: questions go out from here. */
bool join_receive(struct join *j, zmq_msg_t *topic, zmq_msg_t *head, zmq_msg_t *body);
void join_poll_item(const struct join *j, zmq_pollitem_t *item);

#endif
