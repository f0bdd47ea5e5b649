/*
 * An outlet takes bytes out: to a file or pipe, or to a ZeroMQ socket.
 *
 * PUSH sends what it is given as one message [header, records]; PUB sends each record
 * as [topic, header, record], where the header is msgpack [feed id, sequence number].
 * The sequence of PUSH counts messages; the sequence of PUB counts per topic, so that a
 * subscriber to a few topics can tell its own losses. Topics are
 * KIND/SITE/SYSTEM/STRING/JAR/, under run/ID/ for a simulation; schema records and the
 * origin go out under schema/ and again whenever a subscriber comes; the end record
 * under end/. A slow subscriber loses records; the
 * end is told again, for a few seconds, to those who are still there.
 *
 * PUSH is a pipe over a socket, for one reader: it waits for the reader to come, waits
 * while the reader is slow, and fails when the reader leaves before the end.
 */
#ifndef STREAM_OUTLET_H
#define STREAM_OUTLET_H

#include "record/codec.h"
#include "stream/endpoint.h"

#include <zmq.h>

struct outlet;

/* Opens e. Returns NULL with ERR_IO, or ERR_USAGE: standard output is a terminal. */
struct outlet *outlet_open(const struct endpoint *e, void *zmq, struct err *err);
/*
 * Writes n bytes of whole records. schemas: by kind, what describes them; run "" for
 * production. Returns 0, or -1 with ERR_IO; errno is EPIPE when the reader of a pipe
 * has gone.
 */
int outlet_write(struct outlet *o, const uint8_t *p, size_t n,
	const struct schema *const *schemas, const char *run, struct err *err);
/* What is written next ends the stream: a PUSH reader that leaves after it has all it
 * needs. */
void outlet_ending(struct outlet *o);
/* Gives a publisher the chance to serve new subscribers while nothing is sent. Returns
 * 0 or -1. */
int outlet_idle(struct outlet *o, struct err *err);
/* Fills the poll items that tell when a subscription or a question has come. Returns
 * how many, at most 2; none: not a publisher. */
int outlet_poll_items(const struct outlet *o, zmq_pollitem_t *items);
/* PUSH: a reader is there and takes the next message without a wait. */
bool outlet_ready(struct outlet *o);
/* PUSH: what was not sent yet is given up; outlet_close does not wait for it. */
void outlet_abandon(struct outlet *o);
const char *outlet_name(const struct outlet *o);
/*
 * Closes; a file is checked for late errors. linger_ms: how long unsent messages may
 * take. Returns 0, or -1 with ERR_IO. Accepts NULL.
 */
int outlet_close(struct outlet *o, int64_t linger_ms, struct err *err);

#endif
