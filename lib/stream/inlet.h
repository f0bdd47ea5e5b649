/*
 * An inlet brings bytes in: from a file or pipe (unpacking gzip where it finds it), or
 * from a ZeroMQ socket. It never blocks on a pipe: when nothing is there it says so,
 * and the flow decides how to wait (after writing out what it holds).
 */
#ifndef STREAM_INLET_H
#define STREAM_INLET_H

#include "base/buf.h"
#include "stream/endpoint.h"

#include <sys/stat.h>
#include <zmq.h>

enum inlet_result { INLET_EOF = 0, INLET_DATA = 1, INLET_WAIT = 2 };

/* Where a socket's message came from; for files feed and topic stay nil. */
struct inlet_message {
	struct str feed, topic; /* valid until the next fill */
	uint64_t seq;
	bool snapshot; /* the topic's last records, told to a late joiner */
};

struct inlet;

/*
 * Opens e. 'zmq' is the ZeroMQ context (used by sockets only, may be NULL for files).
 * Returns NULL with ERR_IO (cannot open, bind or connect) or ERR_USAGE.
 */
struct inlet *inlet_open(const struct endpoint *e, void *zmq, struct err *err);
/*
 * Appends what is at hand to 'into' (files: any bytes; sockets: one message of whole
 * records). Returns INLET_DATA, INLET_EOF, INLET_WAIT (nothing now), or -1 with ERR_IO,
 * ERR_DATA (broken gzip).
 */
int inlet_fill(
	struct inlet *in, struct buf *into, struct inlet_message *m, struct err *err);
/*
 * Asks the publisher for a snapshot (endpoints that name where), which then comes as
 * messages among the others. 'first': nothing else comes before it, so that what it
 * holds is not older than what came; else for what changed since.
 */
void inlet_ask(struct inlet *in, bool first);
/* Fills the poll items that tell when there is something to read; returns how many, at
 * most 2. */
int inlet_poll_items(const struct inlet *in, zmq_pollitem_t *items);
/* For messages: "<stdin>", the path, or the URI. Valid until inlet_close. */
const char *inlet_name(const struct inlet *in);
bool inlet_is_socket(const struct inlet *in);
/* True when the inlet reads this very regular file. */
bool inlet_reads(const struct inlet *in, const struct stat *st);
void inlet_close(struct inlet *in);

#endif
