#include "stream/flow.h"

#include "base/diag.h"
#include "record/text.h"
#include "stream/ledger.h"
#include "stream/outlet.h"
#include "stream/reader.h"
#include "stream/reject.h"
#include "stream/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	ENDPOINTS_MAX = 64,
	OUT_CHUNK = 256 * 1024,
	CLOCK_EVERY = 32,   /* records between two looks at the clock */
	LIVE_POLL_MS = 200, /* a signal between test and poll is noticed after this */
	METRICS_EVERY_MS = 5000,
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
	bool lost_outlet;
	struct buf out;
	struct schema *out_schemas[KIND_MAX + 1];
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
};

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void flow_fail(struct flow *f, const struct err *err)
{
	if (!f->failed)
		f->err = *err;
	f->failed = true;
}

bool flow_failed(const struct flow *f)
{
	return f->failed;
}

/* ---- origin ---- */

/* A copy of s that lives as long as the flow. */
static struct str keep(struct flow *f, struct str s)
{
	uint32_t id = ids_intern(&f->origin_text, s);
	if (id == IDS_NONE)
		return STR_NIL;
	return (struct str){ids_name(&f->origin_text, id), s.len};
}

static void add_program(
	struct flow *f, struct str program, struct str version, struct str arguments)
{
	struct chain *c = &f->origin.programs;
	for (int i = 0; i < c->n; i++)
		if (str_eq(c->v[i].program, program) &&
			str_eq(c->v[i].version, version) &&
			str_eq(c->v[i].arguments, arguments))
			return;
	if (c->n == LIST_MAX - 1) /* the last place is our own */
		return;
	c->v[c->n].program = keep(f, program);
	c->v[c->n].version = keep(f, version);
	c->v[c->n++].arguments = keep(f, arguments);
}

static int check_run(struct flow *f, const struct rec_origin *o)
{
	char run[CODE_MAX + 1];
	str_copy(run, sizeof(run), o->run);
	if (f->origin_known && strcmp(run, f->run) != 0)
		return err_set(&f->err, ERR_DATA,
			"inputs of different runs ('%s' and '%s') must not be merged; "
			"an empty name is "
			"production",
			f->run, run);
	memcpy(f->run, run, sizeof(run));
	return 0;
}

/* Takes an input's origin in: same run or failure; its programs join ours as long as
 * ours is unwritten. */
static int absorb_origin(struct flow *f, const uint8_t *p, size_t n)
{
	struct rec_origin o;
	if (frame_decode(KIND_origin, p, n, &o, &f->err) < 0)
		return -1;
	if (!str_is(o.format, "floatline") || o.format_version > FORMAT_VERSION)
		return err_set(&f->err, ERR_DATA,
			"stream format '%.*s' %d is not known here; update",
			STR_ARG(o.format), (int)o.format_version);
	if (check_run(f, &o) < 0)
		return -1;
	f->origin_known = true;
	for (int i = 0; i < o.programs.n && !f->origin_written; i++)
		add_program(f, o.programs.v[i].program, o.programs.v[i].version,
			o.programs.v[i].arguments);
	return 0;
}

static void count_out(struct flow *f, int kind)
{
	if (!kind_is_frame(kind)) {
		f->out_counts[kind]++;
		f->written++;
	}
}

static void write_frame(struct flow *f, int kind, const void *rec)
{
	if (record_encode_native(kind_info(kind), rec, &f->out, &f->err) < 0)
		f->failed = true;
}

static void write_origin(struct flow *f)
{
	if (f->origin_written)
		return;
	f->origin_written = true;
	f->origin.run =
		*f->run ? (struct str){f->run, (uint32_t)strlen(f->run)} : STR_NIL;
	struct chain *c = &f->origin.programs;
	c->v[c->n++] = f->origin.programs.v[LIST_MAX - 1];
	write_frame(f, KIND_origin, &f->origin);
}

int flow_set_run(struct flow *f, const char *run)
{
	if (f->origin_written || strlen(run) > CODE_MAX)
		return -1;
	str_copy(f->run, sizeof(f->run), str_of(run));
	return 0;
}

const char *flow_run(const struct flow *f)
{
	return f->run;
}

/* ---- output ---- */

static void lose_outlet(struct flow *f, int i, const struct err *err)
{
	bool only = f->noutlets == 1 && f->role != FLOW_SINK;
	if (only) {
		f->output_failed = true;
		flow_fail(f, err);
		return;
	}
	diag("%s; going on without it", err->msg);
	f->lost_outlet = true;
	outlet_close(f->outlets[i], 0, NULL);
	f->outlets[i] = f->outlets[--f->noutlets];
}

static void write_metrics(struct flow *f);

static void tell_progress(struct flow *f, int64_t now)
{
	if (!f->fo->progress || now - f->last_progress < 1000)
		return;
	int64_t n = f->seen > f->written ? f->seen : f->written;
	f->last_progress = now;
	diag("%lld records, %.0f/s", (long long)n,
		(double)n * 1000 / (double)(now > f->started ? now - f->started : 1));
}

void flow_flush(struct flow *f)
{
	int64_t now = now_ms();
	f->last_flush = now;
	for (int i = f->noutlets - 1; f->out.len && i >= 0 && !f->output_failed; i--) {
		struct err err = {0};
		if (outlet_write(f->outlets[i], f->out.data, f->out.len, f->out_schemas,
			    f->run, &err) < 0)
			lose_outlet(f, i, &err);
	}
	if (f->out.failed) {
		struct err err;
		err_nomem(&err);
		flow_fail(f, &err);
	}
	buf_clear(&f->out);
	tell_progress(f, now);
	if (f->fo->metrics && now - f->last_metrics >= METRICS_EVERY_MS) {
		f->last_metrics = now;
		write_metrics(f);
	}
}

static void maybe_flush(struct flow *f)
{
	if (f->out.len >= OUT_CHUNK)
		flow_flush(f);
	else if (++f->tick % CLOCK_EVERY == 0 &&
		 now_ms() - f->last_flush >= f->fo->flush_ms)
		flow_flush(f);
}

static void declare(struct flow *f, int kind, struct schema *s)
{
	write_origin(f);
	if (f->out_schemas[kind] == s)
		return;
	f->out_schemas[kind] = s;
	buf_append(&f->out, s->wire, s->wire_len);
}

/* Two inputs with two layouts of one kind: known kinds are re-written in ours. */
static void transcode(struct flow *f, const struct record *rec)
{
	union rec_any any;
	if (!rec->schema->info) {
		err_set(&f->err, ERR_DATA,
			"kind %d ('%s') is unknown here and comes with two different "
			"schemas; merge "
			"streams of one version",
			rec->kind, rec->schema->name);
		f->failed = true;
		return;
	}
	struct schema *own = schemas_native(&f->schemas, rec->schema->info, &f->err);
	if (!own || record_decode(rec->schema, rec->raw, rec->len, &any, &f->err) < 0) {
		f->failed = true;
		return;
	}
	declare(f, rec->kind, own);
	if (record_encode(own, &any, &f->out, &f->err) < 0)
		f->failed = true;
}

static bool several_streams(const struct flow *f)
{
	return f->nreaders > 1 || f->live;
}

static void write_record(struct flow *f, const struct record *rec)
{
	struct schema *now = f->out_schemas[rec->kind];
	if (now && now != rec->schema && several_streams(f)) {
		transcode(f, rec);
	} else {
		if (now != rec->schema)
			declare(f, rec->kind,
				f->readers[rec->input].channel->schemas[rec->kind]);
		buf_append(&f->out, rec->raw, rec->len);
	}
	count_out(f, rec->kind);
	maybe_flush(f);
}

void flow_pass(struct flow *f, const struct record *rec)
{
	if (f->failed)
		return;
	if (f->filtered[rec->kind]) {
		f->ledger.kinds[rec->kind].dropped++;
		return;
	}
	f->ledger.kinds[rec->kind].out++;
	if (f->noutlets)
		write_record(f, rec);
}

static struct schema *schema_for(struct flow *f, int kind)
{
	if (f->out_schemas[kind])
		return f->out_schemas[kind];
	struct schema *s = schemas_native(&f->schemas, kind_info(kind), &f->err);
	if (!s)
		f->failed = true;
	else
		declare(f, kind, s);
	return s;
}

static void too_many_rejects(struct flow *f)
{
	if (f->fo->max_rejects < 0 || f->rejects.n <= f->fo->max_rejects)
		return;
	struct err err;
	err_set(&err, ERR_DATA, "more than %lld records rejected (--max-rejects)",
		(long long)f->fo->max_rejects);
	flow_fail(f, &err);
}

bool flow_emit_row(struct flow *f, int kind, const void *rec, const char *source,
	int64_t line, struct str original)
{
	struct tally *t = &f->ledger.kinds[kind];
	if (f->failed ||
		(f->role == FLOW_SOURCE && f->fo->count && f->written >= f->fo->count))
		return true;
	t->added++;
	if (f->filtered[kind] || !f->noutlets) {
		t->dropped++;
		return true;
	}
	struct schema *s = schema_for(f, kind);
	if (!s)
		return true;
	struct err err = {0};
	if (record_encode(s, rec, &f->out, &err) < 0) {
		t->rejected++;
		rejects_add(&f->rejects, source, line, true, kind_info(kind)->name,
			err.msg, original, false);
		too_many_rejects(f);
		return false;
	}
	t->out++;
	count_out(f, kind);
	maybe_flush(f);
	return true;
}

bool flow_emit(struct flow *f, int kind, const void *rec)
{
	return flow_emit_row(f, kind, rec, f->program, f->written + 1, STR_NIL);
}

void flow_consumed(struct flow *f, const struct record *rec)
{
	f->ledger.kinds[rec->kind].out++;
}

void flow_drop(struct flow *f, const struct record *rec)
{
	f->ledger.kinds[rec->kind].dropped++;
}

/* ---- rejects ---- */

__attribute__((format(printf, 3, 0))) static void reject_record(
	struct flow *f, const struct record *rec, const char *fmt, va_list ap)
{
	char reason[512];
	vsnprintf(reason, sizeof(reason), fmt, ap);
	buf_clear(&f->scratch);
	if (text_json(rec->schema, rec->raw, rec->len, NULL, &f->scratch, NULL) < 0) {
		buf_clear(&f->scratch);
		buf_puts(&f->scratch, "null");
	}
	struct str original = {(const char *)f->scratch.data, (uint32_t)f->scratch.len};
	rejects_add(&f->rejects, inlet_name(f->readers[rec->input].inlet), rec->number,
		false, rec->schema->name, reason, original, true);
	too_many_rejects(f);
}

void flow_reject(struct flow *f, const struct record *rec, const char *fmt, ...)
{
	va_list ap;
	f->ledger.kinds[rec->kind].rejected++;
	va_start(ap, fmt);
	reject_record(f, rec, fmt, ap);
	va_end(ap);
}

void flow_unused(struct flow *f, const struct record *rec, const char *fmt, ...)
{
	va_list ap;
	f->ledger.kinds[rec->kind].unused++;
	va_start(ap, fmt);
	reject_record(f, rec, fmt, ap);
	va_end(ap);
}

void flow_reject_row(struct flow *f, int kind, const char *source, int64_t line,
	const char *reason, struct str original)
{
	const struct kind_info *k = kind_info(kind);
	f->ledger.kinds[kind].in++;
	f->ledger.kinds[kind].rejected++;
	rejects_add(&f->rejects, source, line, true, k ? k->name : "", reason, original,
		false);
	too_many_rejects(f);
}

bool flow_decode(struct flow *f, const struct record *rec, void *out)
{
	struct err err = {0};
	if (rec->schema->info &&
		record_decode(rec->schema, rec->raw, rec->len, out, &err) == 0)
		return true;
	flow_reject(f, rec, "%s",
		rec->schema->info ? err.msg : "kind unknown to this program");
	return false;
}

/* ---- input ---- */

/* Waits for any input (or subscriber) for at most timeout_ms. Returns false when the
 * time is over. */
static bool wait_inputs(struct flow *f, int64_t deadline)
{
	zmq_pollitem_t items[2 * ENDPOINTS_MAX];
	int n = 0;
	for (int i = 0; i < f->nreaders; i++)
		if (!f->readers[i].eof)
			inlet_poll_item(f->readers[i].inlet, &items[n++]);
	for (int i = 0; i < f->noutlets; i++)
		n += outlet_poll_item(f->outlets[i], &items[n]);
	int64_t left = deadline < 0 ? -1 : deadline - now_ms();
	if (deadline >= 0 && left <= 0)
		return false;
	long timeout = left < 0 ? -1 : (long)left;
	if (f->live && (timeout < 0 || timeout > LIVE_POLL_MS))
		timeout = LIVE_POLL_MS;
	zmq_poll(items, n, timeout);
	for (int i = f->noutlets - 1; i >= 0; i--) {
		struct err err = {0};
		if (outlet_idle(f->outlets[i], &err) < 0)
			lose_outlet(f, i, &err);
	}
	return true;
}

/* One step on input i. Origins are absorbed here. Returns a read_result or -1 with the
 * flow failed. */
static int step(struct flow *f, int i, struct record *rec)
{
	for (;;) {
		struct reader *r = &f->readers[i];
		int k = reader_next(r, rec, &f->err);
		if (k == READ_ORIGIN && absorb_origin(f, r->origin, r->origin_len) == 0)
			continue;
		if (k < 0 || k == READ_ORIGIN) {
			f->failed = true;
			return -1;
		}
		return k;
	}
}

/* Inputs that are files or pipes: the earliest of their next records. Ties go to the
 * first input. */
static int next_by_time(struct flow *f, struct record *rec, int *waiting)
{
	int best = -1;
	int64_t best_ts = 0;
	*waiting = 0;
	for (int i = 0; i < f->nreaders; i++) {
		if (!f->has_head[i]) {
			int k = step(f, i, &f->heads[i]);
			if (k < 0)
				return -1;
			*waiting += k == READ_WAIT;
			if (k != READ_RECORD)
				continue;
			f->has_head[i] = true;
		}
		if (f->nreaders == 1) {
			best = i;
			break;
		}
		const struct record *h = &f->heads[i];
		int64_t ts = record_peek_ts(h->schema, h->raw, h->len);
		if (best < 0 || ts < best_ts) {
			best = i;
			best_ts = ts;
		}
	}
	if (*waiting || best < 0)
		return READ_EOF;
	*rec = f->heads[best];
	f->has_head[best] = false;
	return READ_RECORD;
}

/* Inputs with a socket among them: whoever has something, in turn. */
static int next_by_arrival(struct flow *f, struct record *rec, int *waiting)
{
	*waiting = 0;
	for (int n = 0; n < f->nreaders; n++) {
		int i = f->turn++ % f->nreaders;
		int k = step(f, i, rec);
		if (k < 0)
			return -1;
		if (k == READ_RECORD)
			return k;
		*waiting += k == READ_WAIT;
	}
	return READ_EOF;
}

static void note_endings(struct flow *f)
{
	for (int i = 0; i < f->nreaders; i++) {
		f->truncated |= f->readers[i].truncated || f->readers[i].cutoffs > 0;
		f->interrupted |= f->readers[i].interrupted;
	}
	f->finished = true;
}

static bool count_reached(const struct flow *f)
{
	return f->fo->count && f->seen >= f->fo->count;
}

/* Returns 1, 0, 2 (deadline, ms of the monotonic clock, is over) or -1. */
static int next_until(struct flow *f, struct record *rec, int64_t deadline)
{
	int waiting;
	if (f->finished || f->failed)
		return f->failed ? -1 : 0;
	if (count_reached(f)) {
		f->finished = true;
		return 0;
	}
	for (;;) {
		int k = f->live ? next_by_arrival(f, rec, &waiting)
				: next_by_time(f, rec, &waiting);
		if (k < 0)
			return -1;
		if (k == READ_RECORD) {
			f->seen++;
			f->ledger.kinds[rec->kind].in++;
			return 1;
		}
		if (waiting == 0) {
			note_endings(f);
			return 0;
		}
		if (f->live && signals_seen()) { /* drained: nothing more is there */
			note_endings(f);
			f->interrupted = true;
			return 0;
		}
		flow_flush(f);
		if (f->failed)
			return -1;
		if (!wait_inputs(f, deadline))
			return 2;
	}
}

int flow_next(struct flow *f, struct record *rec)
{
	return next_until(f, rec, -1);
}

int flow_next_wait(struct flow *f, struct record *rec, int64_t timeout_ms)
{
	return next_until(f, rec, now_ms() + timeout_ms);
}

bool flow_interrupted(const struct flow *f)
{
	return signals_seen() || f->failed ||
	       (f->fo->count && f->written >= f->fo->count);
}

bool flow_sleep_until(struct flow *f, int64_t epoch_ms)
{
	flow_flush(f);
	for (;;) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		int64_t left =
			epoch_ms - ((int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000);
		if (left <= 0 || f->failed)
			return !flow_interrupted(f);
		if (signals_wait(-1, left) < 0)
			return false;
	}
}

/* ---- opening ---- */

static int mark_kinds(struct flow *f, const char *list, bool value, struct err *err)
{
	for (const char *p = list; *p;) {
		size_t n = strcspn(p, ",");
		const struct kind_info *k = kind_by_name((struct str){p, (uint32_t)n});
		if (!k || kind_is_frame(k->kind))
			return err_set(err, ERR_USAGE,
				"unknown kind '%.*s', see floatline-records(5)", (int)n,
				p);
		f->filtered[k->kind] = value;
		p += n + (p[n] == ',');
	}
	return 0;
}

static int set_filters(struct flow *f, struct err *err)
{
	if (f->fo->only) {
		memset(f->filtered, true, sizeof(f->filtered));
		if (mark_kinds(f, f->fo->only, false, err) < 0)
			return -1;
	}
	return f->fo->drop ? mark_kinds(f, f->fo->drop, true, err) : 0;
}

static int open_inputs(struct flow *f, struct err *err)
{
	static const char *const standard[] = {"-"};
	const struct strlist *l = &f->fo->inputs;
	size_t n = l->n ? l->n : 1;
	if (f->role == FLOW_SOURCE)
		return 0;
	if (n > ENDPOINTS_MAX)
		return err_set(err, ERR_USAGE, "more than %d inputs", ENDPOINTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct endpoint e;
		if (endpoint_parse(l->n ? l->v[i] : standard[0], true, &e, err) < 0 ||
			reader_open(&f->readers[i], &e, (uint32_t)i, f->zmq,
				&f->schemas, err) < 0)
			return -1;
		f->nreaders++;
		f->live |= e.role != EP_FILE;
	}
	return 0;
}

static int open_outputs(struct flow *f, struct err *err)
{
	static const char *const standard[] = {"-"};
	const struct strlist *l = &f->fo->outputs;
	size_t n = l->n ? l->n : f->role != FLOW_SINK;
	if (n > ENDPOINTS_MAX)
		return err_set(err, ERR_USAGE, "more than %d outputs", ENDPOINTS_MAX);
	for (size_t i = 0; i < n; i++) {
		struct endpoint e;
		if (endpoint_parse(l->n ? l->v[i] : standard[0], false, &e, err) < 0)
			return -1;
		f->outlets[f->noutlets] = outlet_open(&e, f->zmq, err);
		if (!f->outlets[f->noutlets])
			return -1;
		f->noutlets++;
	}
	return 0;
}

/* The run and the programs before us must be known before the first record goes out. */
static int read_origins(struct flow *f, struct err *err)
{
	for (int i = 0; i < f->nreaders && !f->live; i++)
		for (;;) {
			int k = step(f, i, &f->heads[i]);
			f->has_head[i] = k == READ_RECORD;
			if (k == READ_RECORD || k == READ_EOF)
				break;
			if (k < 0) {
				*err = f->err;
				return -1;
			}
			flow_flush(f);
			wait_inputs(f, -1);
		}
	return 0;
}

static int open_all(struct flow *f, const char *identity, struct err *err)
{
	struct chain *c = &f->origin.programs;
	f->origin.format = str_of("floatline");
	f->origin.format_version = FORMAT_VERSION;
	c->v[LIST_MAX - 1].program = keep(f, str_of(f->program));
	c->v[LIST_MAX - 1].version = keep(f, str_of(FL_VERSION));
	c->v[LIST_MAX - 1].arguments = keep(f, str_of(identity ? identity : ""));
	if (set_filters(f, err) < 0 || open_inputs(f, err) < 0 ||
		open_outputs(f, err) < 0)
		return -1;
	signals_install(
		f->fo->drain_timeout_ms, f->role == FLOW_SINK || f->noutlets > 1);
	if (rejects_open(&f->rejects, f->fo->reject, f->program, err) < 0)
		return -1;
	return read_origins(f, err);
}

static void release(struct flow *f)
{
	for (int i = 0; i < f->nreaders; i++)
		reader_close(&f->readers[i]);
	if (f->zmq)
		zmq_ctx_term(f->zmq);
	schemas_release(&f->schemas);
	ids_release(&f->origin_text);
	buf_release(&f->out);
	buf_release(&f->scratch);
	buf_release(&f->metrics);
	free(f);
}

static bool wants_socket(const struct strlist *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (strstr(l->v[i], "://"))
			return true;
	return false;
}

struct flow *flow_open(const struct flow_options *fo, enum flow_role role,
	const char *program, const char *identity, struct err *err)
{
	struct flow *f = calloc(1, sizeof(*f));
	if (!f) {
		err_nomem(err);
		return NULL;
	}
	f->fo = fo;
	f->role = role;
	f->program = program;
	f->started = f->last_flush = f->last_metrics = f->last_progress = now_ms();
	if (wants_socket(&fo->inputs) || wants_socket(&fo->outputs))
		f->zmq = zmq_ctx_new();
	if (open_all(f, identity, err) == 0)
		return f;
	for (int i = 0; i < f->noutlets; i++)
		outlet_close(f->outlets[i], 0, NULL);
	rejects_close(&f->rejects, NULL);
	release(f);
	return NULL;
}

/* ---- closing ---- */

static void write_end(struct flow *f)
{
	struct rec_end end = {.reason = f->interrupted ? end_reason_interrupted
						       : end_reason_complete};
	write_origin(f);
	for (int k = 0; k <= KIND_MAX; k++)
		if (f->out_counts[k]) {
			end.counts.v[end.counts.n].kind = k;
			end.counts.v[end.counts.n++].count = f->out_counts[k];
		}
	write_frame(f, KIND_end, &end);
	flow_flush(f);
}

/* Writes text to PATH by way of PATH.tmp, so that a reader never sees half of it. */
static int replace_file(const char *path, const struct buf *text, struct err *err)
{
	char tmp[4096];
	if (snprintf(tmp, sizeof(tmp), "%s.%ld.tmp", path, (long)getpid()) >=
		(int)sizeof(tmp))
		return err_set(err, ERR_IO, "path too long: '%s'", path);
	FILE *out = fopen(tmp, "we");
	if (!out)
		return err_errno(err, "cannot write '%s'", tmp);
	bool bad = fwrite(text->data, 1, text->len, out) != text->len;
	if (fclose(out) != 0 || bad || rename(tmp, path) < 0) {
		err_errno(err, "cannot write '%s'", path);
		unlink(tmp);
		return -1;
	}
	return 0;
}

void flow_metric(struct flow *f, const char *name, double value)
{
	buf_printf(&f->metrics, "%s ", name);
	text_f64(value, &f->metrics);
	buf_putc(&f->metrics, '\n');
}

static void write_metrics(struct flow *f)
{
	struct buf text = {0};
	struct err err = {0};
	ledger_metrics(&f->ledger, f->program, &text);
	buf_append(&text, f->metrics.data, f->metrics.len);
	if (replace_file(f->fo->metrics, &text, &err) < 0)
		diag("%s", err.msg);
	buf_release(&text);
}

/* One write to a file opened for appending: several programs share one ledger file. */
static int append_ledger(struct flow *f, int status, struct err *err)
{
	struct buf line = {0};
	ledger_json(&f->ledger, &f->origin, f->program, status, f->interrupted, &line);
	int fd = open(f->fo->ledger, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	int r = 0;
	if (fd < 0 || write(fd, line.data, line.len) != (ssize_t)line.len)
		r = err_errno(err, "cannot write ledger '%s'", f->fo->ledger);
	if (fd >= 0)
		close(fd);
	buf_release(&line);
	return r;
}

static void report_losses(const struct flow *f)
{
	for (int i = 0; i < f->nreaders; i++) {
		const struct reader *r = &f->readers[i];
		if (r->gaps || r->unknown)
			diag("%s: %lld messages lost, %lld records before their schema",
				inlet_name(r->inlet), (long long)r->gaps,
				(long long)r->unknown);
		if (r->torn)
			diag("%s: truncated: ends %zu bytes into record %lld",
				inlet_name(r->inlet), r->torn,
				(long long)r->records + 1);
		else if (r->truncated || r->cutoffs)
			diag("%s: truncated: %s", inlet_name(r->inlet),
				r->records ? "no end record, its producer was cut off"
					   : "empty, not even an origin record");
	}
}

static void tell_ledger(struct flow *f)
{
	struct buf text = {0};
	if (f->fo->quiet)
		return;
	ledger_text(&f->ledger, &text);
	buf_putc(&text, '\0');
	if (!text.failed)
		diag("%s%s", (const char *)text.data,
			f->interrupted ? " (interrupted)" : "");
	buf_release(&text);
}

static int close_outputs(struct flow *f, int status)
{
	for (int i = 0; i < f->noutlets; i++) {
		struct err err = {0};
		if (outlet_close(f->outlets[i], f->fo->drain_timeout_ms, &err) < 0 &&
			status == 0)
			status = diag_err(&err);
	}
	struct err err = {0};
	if (rejects_close(&f->rejects, &err) < 0 && status == 0)
		status = diag_err(&err);
	return status;
}

int flow_close(struct flow *f)
{
	struct err err = {0};
	if (!f)
		return 0;
	f->interrupted |= f->role == FLOW_SOURCE && signals_seen();
	bool cut = f->truncated && !f->fo->allow_truncated;
	if (!f->failed && !cut && f->noutlets)
		write_end(f);
	else
		flow_flush(f);
	write_origin(f); /* for the ledger's chain; nothing more is written */
	int status = f->failed        ? diag_err(&f->err)
		     : cut            ? ERR_DATA
		     : f->lost_outlet ? ERR_IO
				      : 0;
	status = close_outputs(f, status);
	report_losses(f);
	if (!f->failed && !ledger_balances(&f->ledger)) {
		diag("the ledger does not balance: a record was lost inside this "
		     "program");
		status = status ? status : ERR_DATA;
	}
	tell_ledger(f);
	if (f->fo->ledger && append_ledger(f, status, &err) < 0)
		status = diag_err(&err);
	if (f->fo->metrics)
		write_metrics(f);
	release(f);
	return status;
}
