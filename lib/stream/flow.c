#include "stream/flow_internal.h"

#include "base/now.h"
#include "record/text.h"
#include "stream/signals.h"

#include <stdlib.h>

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

void flow_check_rejects(struct flow *f)
{
	if (f->fo->max_rejects < 0 || f->rejects.n <= f->fo->max_rejects)
		return;
	struct err err;
	err_set(&err, ERR_DATA, "more than %lld records rejected (--max-rejects)",
		(long long)f->fo->max_rejects);
	flow_fail(f, &err);
}

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
	flow_check_rejects(f);
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
	flow_check_rejects(f);
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

/* Opening an output empties the file: it must not be one we are about to read. */
static int check_output(const struct flow *f, const struct endpoint *e, struct err *err)
{
	struct stat st;
	if (e->role != EP_FILE || stat(e->address, &st) < 0)
		return 0;
	for (int i = 0; i < f->nreaders; i++)
		if (inlet_reads(f->readers[i].inlet, &st))
			return err_set(err, ERR_USAGE, "'%s' is both input and output",
				e->address);
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
		if (endpoint_parse(l->n ? l->v[i] : standard[0], false, &e, err) < 0 ||
			check_output(f, &e, err) < 0)
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
			int k = flow_step(f, i, &f->heads[i]);
			f->has_head[i] = k == READ_RECORD;
			if (k == READ_RECORD || k == READ_EOF)
				break;
			if (k < 0) {
				*err = f->err;
				return -1;
			}
			flow_flush(f);
			flow_wait_inputs(f, -1);
		}
	return 0;
}

static int open_all(struct flow *f, const char *identity, struct err *err)
{
	struct chain *c = &f->origin.programs;
	f->origin.format = str_of("floatline");
	f->origin.format_version = FORMAT_VERSION;
	c->v[LIST_MAX - 1].program = flow_keep_text(f, str_of(f->program));
	c->v[LIST_MAX - 1].version = flow_keep_text(f, str_of(FL_VERSION));
	c->v[LIST_MAX - 1].arguments =
		flow_keep_text(f, str_of(identity ? identity : ""));
	if (set_filters(f, err) < 0 || open_inputs(f, err) < 0 ||
		rejects_open(&f->rejects, f->fo->reject, f->program, err) < 0 ||
		open_outputs(f, err) < 0)
		return -1;
	signals_install(f->fo->drain_timeout_ms,
		f->role == FLOW_SINK || f->fo->beside || f->noutlets > 1);
	return read_origins(f, err);
}

void flow_release(struct flow *f)
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
	f->started = f->last_flush = f->last_metrics = f->last_progress =
		now_coarse_ms();
	if (wants_socket(&fo->inputs) || wants_socket(&fo->outputs))
		f->zmq = zmq_ctx_new();
	if (open_all(f, identity, err) == 0)
		return f;
	for (int i = 0; i < f->noutlets; i++)
		outlet_close(f->outlets[i], 0, NULL);
	rejects_close(&f->rejects, NULL);
	flow_release(f);
	return NULL;
}
