/*
 * The flow: what every program does with its streams, so that a filter is option
 *parsing, one loop, and its own mathematics:
 *
 *	struct flow_options fo = {0};
 *	if ((r = opt_parse(&usage, opts, flow_options(&fo, FLOW_FILTER), …)) …
 *	struct flow *f = flow_open(&fo, FLOW_FILTER, argc, argv, &err);
 *	while ((r = flow_next(f, &rec)) > 0) {
 *		flow_pass(f, &rec);
 *		if (rec.kind == KIND_telemetry && flow_decode(f, &rec, &t))
 *			… flow_emit(f, KIND_twin_state, &state);
 *	}
 *	return flow_close(f);
 *
 * The flow merges several inputs (by time where they are files or pipes, by arrival
 *where one is a socket), checks origin, schema and end records, keeps the closing
 *ledger, writes rejects, flushes when the input has nothing more to read, drains on
 *SIGTERM, and gives the exit status.
 *
 * Errors are sticky: after a fatal one flow_next returns -1, flow_pass and flow_emit do
 *nothing, and flow_close reports and returns the status. So a filter need not check
 *each call.
 *
 * The ledger balances: in + added = out + rejected + dropped, per kind. A record that
 *is passed on although this program could not use it is counted as 'unused' beside
 *that, and written to the reject file with its reason all the same.
 */
#ifndef STREAM_FLOW_H
#define STREAM_FLOW_H

#include "base/err.h"
#include "base/opt.h"
#include "record/codec.h"

enum flow_role {
	FLOW_SOURCE, /* no stream input: simulate, ingest, encode */
	FLOW_FILTER, /* passes on what it reads */
	FLOW_SINK, /* writes records only where -o says so: store, broadcast, decode */
};

struct flow_options {
	struct strlist inputs, outputs;
	const char *only, *drop; /* kinds, comma-separated */
	const char *reject;      /* NDJSON file */
	const char *metrics;     /* Prometheus text file */
	const char *ledger;      /* file a ledger line is appended to */
	int64_t max_rejects;     /* -1: any number */
	int64_t count; /* -n: stop after so many records read (sources: written) */
	int64_t flush_ms, drain_timeout_ms;
	bool allow_truncated, progress, quiet;
	/* The program writes something else as well: it goes on without an output. */
	bool beside;
	struct opt table[20]; /* filled by flow_options */
};

/* Sets the defaults and returns the shared option table of that role (it lives in fo).
 */
const struct opt *flow_options(struct flow_options *fo, enum flow_role role);

/* A record as it came: its bytes, and the schema of the stream it came from. */
struct record {
	int kind;
	const uint8_t *raw; /* valid until the next flow_next */
	size_t len;
	const struct schema *schema;
	uint32_t input; /* which -i, from 0 */
	int64_t number; /* ordinal in that input, from 1: for messages */
};

struct flow;

/*
 * Opens inputs and outputs, installs the signal handlers and, for filters and sinks,
 * reads up to the origin record(s). 'identity' is what goes into the origin record as
 * this program's arguments: those that change results, nothing else (no paths, no
 * jobs); NULL or "" for none. Returns NULL with err set (the caller prints it: return
 * diag_err(&err)).
 */
struct flow *flow_open(const struct flow_options *fo, enum flow_role role,
	const char *program, const char *identity, struct err *err);

/* Sources: names the run before the first record (nil otherwise). Returns 0 or -1. */
int flow_set_run(struct flow *f, const char *run);
/*
 * The run of this stream; "" for production. Valid until flow_close. Known from the
 * start where the inputs are files or pipes; on a socket from the first origin record
 * on.
 */
const char *flow_run(const struct flow *f);

/* The next record: 1, 0 at the end (or after -n), -1 after a fatal error. Frame records
 * are not shown. */
int flow_next(struct flow *f, struct record *rec);

/*
 * As flow_next, but waits at most timeout_ms for a live input: returns 2 when nothing
 * came. For programs that have work of their own by the clock.
 */
int flow_next_wait(struct flow *f, struct record *rec, int64_t timeout_ms);

/*
 * Decodes rec into the struct of its kind. Returns true, or false after rejecting the
 * record (counted, written to the reject file, and not to be passed on). A filter that
 * decodes before passing on must therefore pass only on true.
 */
bool flow_decode(struct flow *f, const struct record *rec, void *out);

/* Whether --only and --drop let records of this kind out. */
bool flow_wants(const struct flow *f, int kind);
/* Writes rec to the output unchanged. */
void flow_pass(struct flow *f, const struct record *rec);
/*
 * Encodes and writes a record of our own. Strings are copied. Returns false when it
 * cannot be encoded (a needed field missing, a bound exceeded): it is then counted as
 * rejected.
 */
bool flow_emit(struct flow *f, int kind, const void *rec);
/*
 * As n times flow_emit, for records of one kind that were encoded elsewhere (by another
 * thread) in our own layout and lie end to end in the len bytes at p. Of a kind that
 * --only or --drop keep in, the bytes need not be there: len is 0 then.
 */
void flow_emit_run(struct flow *f, int kind, int64_t n, const uint8_t *p, size_t len);
/* As flow_emit, for a record made from an input row: a reject names source and line and
 * keeps the row. */
bool flow_emit_row(struct flow *f, int kind, const void *rec, const char *source,
	int64_t line, struct str original);
/* Counts rec as out although nothing was written: for sinks that put it elsewhere. */
void flow_consumed(struct flow *f, const struct record *rec);
/* n records of that kind which were consumed are lost after all: they count as dropped.
 */
void flow_lost(struct flow *f, int kind, int64_t n);
/* Drops rec by decision: counted, not written anywhere. */
void flow_drop(struct flow *f, const struct record *rec);
/* Rejects rec: counted, written to the reject file with the reason, not passed on. */
void flow_reject(struct flow *f, const struct record *rec, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* rec is passed on, but this program cannot use it (late, clock fault …). Goes to the
 * reject file too. */
void flow_unused(struct flow *f, const struct record *rec, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/*
 * Sources: an input row that is no record. Counted as rejected under 'what' (a kind
 * number), written with source file, line (0: none), reason and the original text.
 */
void flow_reject_row(struct flow *f, int kind, const char *source, int64_t line,
	const char *reason, struct str original);

/* Makes a failure stick: flow_next gives -1 from now on and flow_close returns err's
 * class. */
void flow_fail(struct flow *f, const struct err *err);
bool flow_failed(const struct flow *f);
/* A TERM or INT has come. Sources stop producing; filters go on to the end of their
 * input. */
bool flow_interrupted(const struct flow *f);
/* Once flow_next has given 0: every input came to the end its producer meant, neither
 * cut off (unless --allow-truncated) nor interrupted. */
bool flow_whole(const struct flow *f);
/* Writes out what is buffered now. Live sources call it when they are about to wait. */
void flow_flush(struct flow *f);
/* Waits until ms of the wall clock (epoch) or a signal. Returns false when a signal
 * came. */
bool flow_sleep_until(struct flow *f, int64_t epoch_ms);
/* What of the work is done, 0 to 1, for --progress; NaN: from now on there is none to
 * tell. */
void flow_progress(struct flow *f, double share);
/* Sets the line "name value" of the metrics file, which is written every few seconds
 * and at the end; name with labels, as Prometheus writes them. */
void flow_metric(struct flow *f, const char *name, double value);

/*
 * Writes the end record, closes everything, prints the ledger line, writes --ledger and
 * --metrics. Prints the sticky error if there was one. Returns the exit status. Accepts
 * NULL.
 */
int flow_close(struct flow *f);

#endif
