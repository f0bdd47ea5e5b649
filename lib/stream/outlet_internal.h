/*
 * The inside of an outlet, shared by outlet.c (files, sending), outlet_push.c (the
 * reader at the other end), outlet_pub.c (topics and subscribers) and outlet_snapshot.c
 * (what late subscribers ask for).
 */
#ifndef STREAM_OUTLET_INTERNAL_H
#define STREAM_OUTLET_INTERNAL_H

#include "base/ids.h"
#include "stream/latest.h"
#include "stream/outlet.h"

enum { SEND_POLL_MS = 200 }; /* how often a blocked send looks for signals and peers */

/* What a publisher knows of one topic. */
struct topic {
	char *text;
	uint32_t len;
	uint64_t seq;
	const struct schema *schema; /* of its last record */
	struct latest latest;        /* kept where there are snapshots to give */
};

struct outlet {
	char name[ADDRESS_MAX];
	int fd; /* -1: a socket */
	void *socket;
	bool pub;
	char feed[17];
	/* PUSH */
	uint64_t seq;  /* messages sent */
	void *monitor; /* tells of readers coming and going */
	int readers;
	bool reader_left, ended;
	/* PUB */
	struct ids topic_keys; /* kind and subject -> topic */
	struct topic *topics;
	size_t cap_topics;
	struct buf preamble; /* origin and schema records so far, for late joiners */
	struct buf end;      /* the end record, once it is known */
	int64_t wait_subscribers, subscribers;
	void *snapshot; /* answers late subscribers; NULL: does not */
	struct buf chunk;
};

/*
 * Sends [topic,] header, records. A full queue of PUSH waits; PUB drops. Returns 0, or
 * -1 with ERR_IO.
 */
int outlet_send(struct outlet *o, const struct topic *topic, uint64_t seq,
	const uint8_t *p, size_t n, struct err *err);

enum { MESSAGE_HEADER_MAX = 40 };
/* The header [feed, seq] of a message. Returns its length. */
size_t outlet_header(
	const struct outlet *o, uint64_t seq, uint8_t header[MESSAGE_HEADER_MAX]);

/* Watches for readers. Call before the socket is bound or connected. Returns 0 or -1.
 */
int push_watch(struct outlet *o, void *zmq, struct err *err);
/* Fails when the reader has left before the end, or a signal came while there is none.
 */
int push_check(struct outlet *o, struct err *err);
int push_write(struct outlet *o, const uint8_t *p, size_t n, struct err *err);

int pub_write(struct outlet *o, const uint8_t *p, size_t n,
	const struct schema *const *schemas, const char *run, struct err *err);
/* Serves what subscribers have asked for. Returns 0 or -1. */
int pub_idle(struct outlet *o, struct err *err);
/* Makes sure that slow subscribers see the end. */
void pub_finish(struct outlet *o);
void pub_release(struct outlet *o);
/* The topic of schema and origin records; NULL when out of memory. */
struct topic *pub_schema_topic(struct outlet *o);

/*
 * Opens the socket late subscribers ask. They send [verb, position, topic prefix …],
 * all text: the verb is "snapshot", or "changes" for one who has been there and wants
 * what is over as well; the position "0" at first. The answer is [position, for
 * each topic three parts as those of a published message: topic, header, records; and
 * last the next position], "" when that was all. The header's number is the topic's
 * last: what has a lower one or the same is in the records. Each answer is of bounded
 * size, so that neither the stream nor a slow asker has to wait for the other.
 */
int snapshot_open(
	struct outlet *o, const struct endpoint *e, void *zmq, struct err *err);
/* Answers those who ask now. Returns 0 or -1. */
int snapshot_serve(struct outlet *o, struct err *err);

#endif
