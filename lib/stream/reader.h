/*
 * A reader turns one inlet's bytes into records and checks the frame: a stream opens
 * with an origin record, declares each kind by a schema record before its first record,
 * and closes with an end record whose counts must agree with what came. Streams one
 * after another (cat a b) are one. On a socket each feed is a stream of its own; a
 * subscriber may join in the middle, so there the origin may be missing, and records
 * whose schema has not come yet are counted as lost. A
 * subscriber to an endpoint with a snapshot= asks for what was before it (join.h) when
 * the first schema records of a feed tell that its subscriptions are in force, and
 * again when messages were lost: each record of a topic is then either in the snapshot
 * or has a higher number.
 */
#ifndef STREAM_READER_H
#define STREAM_READER_H

#include "base/ids.h"
#include "stream/flow.h"
#include "stream/inlet.h"
#include "stream/schemas.h"

enum { FEEDS_MAX = 4096, TOPICS_SEEN_MAX = 1 << 22 };

/* How far a topic has come. */
struct progress {
	uint64_t seq : 63;
	uint64_t hole : 1; /* something before that was never seen */
};

/* One stream within an inlet. */
struct channel {
	struct schema *schemas[KIND_MAX + 1];
	int64_t counts[KIND_MAX + 1];
	bool origin, ended;
	bool asked;             /* for what was before us */
	char run[CODE_MAX + 1]; /* for whoever decodes the origin to keep it */
	uint64_t last_seq, end_seq;
	struct ids topics; /* SUB: progress per topic */
	struct progress *progress;
	size_t cap_progress;
};

struct reader {
	struct endpoint ep;
	struct inlet *inlet;
	struct schemas *schemas; /* shared by all readers of the process */
	struct buf buf;
	size_t pos;
	struct inlet_message message;
	struct ids feeds;
	struct channel **channels; /* by feed; files have one */
	size_t cap_channels;
	struct channel *channel;    /* of the bytes in buf */
	uint32_t number;            /* which -i */
	int64_t records;            /* read so far, frame records included */
	int64_t ends;               /* end records seen */
	int64_t gaps;               /* messages lost on a socket */
	int64_t gaps_told, told_at; /* of which so many are said, then (ms) */
	int64_t unknown;   /* records of a socket that came before their schema */
	int64_t malformed; /* messages of a socket that were no records */
	int64_t unseen; /* records an unfiltered feed counted at its end that never came
			 */
	int64_t cutoffs;  /* streams followed by another although they had no end record
			   */
	bool interrupted; /* an end record said so */
	bool eof, truncated;
	size_t torn;           /* bytes of a last record that was not whole */
	const uint8_t *origin; /* set when reader_next returned READ_ORIGIN */
	size_t origin_len;
};

enum read_result { READ_EOF = 0, READ_RECORD = 1, READ_WAIT = 2, READ_ORIGIN = 3 };

/* Opens the endpoint. Returns 0 or -1 as inlet_open. */
int reader_open(struct reader *r, const struct endpoint *e, uint32_t number, void *zmq,
	struct schemas *schemas, struct err *err);
/*
 * The next record; never blocks. READ_ORIGIN: an origin record came (r->origin), not
 * shown as a record. READ_EOF: the end, r->truncated tells whether it was a proper one.
 * -1: the stream is broken (ERR_DATA, the message names input, record and what is
 * wrong) or cannot be read (ERR_IO).
 */
int reader_next(struct reader *r, struct record *rec, struct err *err);
void reader_close(struct reader *r);

#endif
