/*
 * The inside of the flow, shared by flow.c (opening, rejects), flow_in.c (merging
 * inputs), flow_out.c (origin, records, flushing) and flow_close.c (end record, ledger,
 * metrics).
 */
#ifndef STREAM_FLOW_INTERNAL_H
#define STREAM_FLOW_INTERNAL_H

#include "stream/flow.h"
#include "stream/ledger.h"
#include "stream/outlet.h"
#include "stream/reader.h"
#include "stream/reject.h"

enum {
	ENDPOINTS_MAX = 64,
	FORMAT_VERSION = 1,
};

struct flow {
	const struct flow_options *fo;
	enum flow_role role;
	const char *program;
	void *zmq;
	struct schemas schemas;
	struct reader readers[ENDPOINTS_MAX];
	struct record heads[ENDPOINTS_MAX]; /* merging: the next record of each input */
	bool has_head[ENDPOINTS_MAX];
	int nreaders, turn;
	bool live; /* an input is a socket */
	struct outlet *outlets[ENDPOINTS_MAX];
	int noutlets;
	bool lost_outlet, told_silence;
	struct buf out;
	const struct schema *out_schemas[KIND_MAX + 1]; /* as declared last */
	const struct schema *native[KIND_MAX + 1];      /* our own, once needed */
	int64_t out_counts[KIND_MAX + 1];
	bool filtered[KIND_MAX + 1];
	bool origin_known, origin_written;
	struct rec_origin origin;
	struct ids origin_text; /* owns the strings of 'origin' */
	char run[CODE_MAX + 1];
	struct ledger ledger;
	struct rejects rejects;
	struct buf scratch, metrics;
	struct err err;
	bool failed, output_failed, finished, interrupted, truncated;
	int64_t seen, written;
	unsigned tick;
	int64_t last_flush, last_metrics, last_progress, started;
	double share; /* of the work that is done; 0: not known, NaN: it has no end */
};

/* flow_out.c */
/* A copy of s that lives as long as the flow; nil when out of memory. */
struct str flow_keep_text(struct flow *f, struct str s);
/* Takes an input's origin record in: same run, or -1 with f->err set. */
int flow_absorb_origin(struct flow *f, const uint8_t *p, size_t n);
/* Flushes when the output is large, or older than --flush-ms. Cheap: looks at the clock
 * now and then. */
void flow_flush_in_time(struct flow *f);
/* Writes our origin record once. */
void flow_write_origin(struct flow *f);
void flow_write_frame(struct flow *f, int kind, const void *rec);
/* Output i has failed: the end of a filter with one output, a warning where there are
 * others. */
void flow_lose_outlet(struct flow *f, int i, const struct err *err);

/* flow_in.c */
/* One step on input i; origins are absorbed. A read_result, or -1 with the flow failed.
 */
int flow_step(struct flow *f, int i, struct record *rec);
/* Waits for any input or subscriber until the deadline (monotonic ms, -1 none). False
 * when it is over. */
bool flow_wait_inputs(struct flow *f, int64_t deadline);

/* flow.c */
/* Fails the flow when more was rejected than --max-rejects allows. */
void flow_check_rejects(struct flow *f);
void flow_release(struct flow *f);

/* flow_close.c */
/* Writes the metrics file whole. Returns 0, or -1 with ERR_IO. */
int flow_write_metrics(struct flow *f, struct err *err);

#endif
