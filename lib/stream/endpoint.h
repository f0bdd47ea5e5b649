/*
 * Endpoints: what -i and -o take.
 *
 *	-				stdin or stdout
 *	PATH				a file; read through gzip where it is compressed
 *	push:URI pull:URI		ZeroMQ, to one reader, as a pipe
 *	pub:URI  sub:URI		ZeroMQ, every record to every subscriber
 *
 * URI is tcp://host:port, ipc://path or inproc://name. A '*' host or an '@' before the
 *URI binds, anything else connects. After a '?', separated by '&':
 *
 *	topic=PREFIX	sub: only these topics (repeatable; default all)
 *	snapshot=URI	pub: serve there what late subscribers have missed;
 *			sub: ask there for it, and begin with it
 *	producers=N	pull, sub: end after N end records; without it the input is live
 *and never ends hwm=N		high-water mark in messages (default 1000) subscribers=N
 *pub: wait for so many subscribers before the first message
 *
 * An unknown option or role is an error, never ignored.
 */
#ifndef STREAM_ENDPOINT_H
#define STREAM_ENDPOINT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum endpoint_role { EP_FILE, EP_PUSH, EP_PULL, EP_PUB, EP_SUB };
enum { TOPICS_MAX = 16, ADDRESS_MAX = 512 };

struct endpoint {
	enum endpoint_role role;
	char address[ADDRESS_MAX]; /* path, or ZeroMQ URI; "-" is stdio */
	bool bind;
	char topics[TOPICS_MAX][128];
	int ntopics;
	char snapshot[ADDRESS_MAX]; /* "": none */
	bool snapshot_bind;
	int64_t producers, hwm, subscribers;
};

/* Parses text, for input or output. Returns 0, or -1 with ERR_USAGE saying what is
 * wrong. */
int endpoint_parse(const char *text, bool input, struct endpoint *e, struct err *err);

#endif
