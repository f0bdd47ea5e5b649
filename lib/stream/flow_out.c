#include "stream/flow_internal.h"

#include "base/diag.h"
#include "base/now.h"

#include <math.h>
#include <string.h>

enum {
	OUT_CHUNK = 256 * 1024,
	CLOCK_EVERY = 32, /* records between two looks at the clock */
	METRICS_EVERY_MS = 5000,
};

/* A copy of s that lives as long as the flow. */
struct str flow_keep_text(struct flow *f, struct str s)
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
	/* Two inputs may share their beginning; within one, a program may stand twice.
	 */
	for (int i = 0; f->origin_known && i < c->n; i++)
		if (str_eq(c->v[i].program, program) &&
			str_eq(c->v[i].version, version) &&
			str_eq(c->v[i].arguments, arguments))
			return;
	if (c->n == LIST_MAX - 1) /* the last place is our own */
		return;
	c->v[c->n].program = flow_keep_text(f, program);
	c->v[c->n].version = flow_keep_text(f, version);
	c->v[c->n++].arguments = flow_keep_text(f, arguments);
}

static int check_run(struct flow *f, const struct rec_origin *o)
{
	char run[CODE_MAX + 1];
	str_copy(run, sizeof(run), o->run);
	if (f->origin_known && strcmp(run, f->run) != 0)
		return err_set(&f->err, ERR_DATA,
			"runs '%s' and '%s' must not be merged (different runs; an "
			"empty "
			"name is production)",
			f->run, run);
	memcpy(f->run, run, sizeof(run));
	return 0;
}

/* Takes an input's origin in: same run or failure; its programs join ours as long as
 * ours is unwritten. */
int flow_absorb_origin(struct flow *f, const uint8_t *p, size_t n)
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
	for (int i = 0; i < o.programs.n && !f->origin_written; i++)
		add_program(f, o.programs.v[i].program, o.programs.v[i].version,
			o.programs.v[i].arguments);
	f->origin_known = true;
	return 0;
}

static void count_out(struct flow *f, int kind)
{
	if (!kind_is_frame(kind)) {
		f->out_counts[kind]++;
		f->written++;
	}
}

void flow_write_frame(struct flow *f, int kind, const void *rec)
{
	if (record_encode_native(kind_info(kind), rec, &f->out, &f->err) < 0)
		f->failed = true;
}

void flow_write_origin(struct flow *f)
{
	if (f->origin_written)
		return;
	f->origin_written = true;
	f->origin.run =
		*f->run ? (struct str){f->run, (uint32_t)strlen(f->run)} : STR_NIL;
	struct chain *c = &f->origin.programs;
	c->v[c->n++] = f->origin.programs.v[LIST_MAX - 1];
	flow_write_frame(f, KIND_origin, &f->origin);
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

void flow_lose_outlet(struct flow *f, int i, const struct err *err)
{
	bool only = f->noutlets == 1 && f->role != FLOW_SINK && !f->fo->beside;
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

void flow_progress(struct flow *f, double share)
{
	f->share = share;
}

static void tell_progress(struct flow *f, int64_t now)
{
	if (!f->fo->progress || isnan(f->share) || now - f->last_progress < 1000)
		return;
	int64_t n = f->seen > f->written ? f->seen : f->written;
	double passed_s = (double)(now > f->started ? now - f->started : 1) / 1000;
	char left[48] = "";
	if (f->share > 0 && f->share < 1)
		snprintf(left, sizeof(left), ", %.0f %%, %.0f s left",
			floor(100 * f->share), passed_s * (1 / f->share - 1));
	f->last_progress = now;
	diag("%lld records, %.0f/s%s", (long long)n, (double)n / passed_s, left);
}

void flow_flush(struct flow *f)
{
	int64_t now = now_coarse_ms();
	f->last_flush = now;
	for (int i = f->noutlets - 1; f->out.len && i >= 0 && !f->output_failed; i--) {
		struct err err = {0};
		if (outlet_write(f->outlets[i], f->out.data, f->out.len, f->out_schemas,
			    f->run, &err) < 0)
			flow_lose_outlet(f, i, &err);
	}
	if (f->out.failed) {
		struct err err;
		err_nomem(&err);
		flow_fail(f, &err);
	}
	buf_clear(&f->out);
	rejects_flush(&f->rejects);
	tell_progress(f, now);
	if (f->fo->metrics && now - f->last_metrics >= METRICS_EVERY_MS) {
		struct err err = {0};
		f->last_metrics = now;
		if (flow_write_metrics(f, &err) <
			0) /* told once more, and counted, at the end */
			diag("%s", err.msg);
	}
}

void flow_flush_in_time(struct flow *f)
{
	if (f->out.len >= OUT_CHUNK)
		flow_flush(f);
	else if (++f->tick % CLOCK_EVERY == 0 && f->out.len &&
		 now_coarse_ms() - f->last_flush >= f->fo->flush_ms)
		flow_flush(f);
}

static void declare(struct flow *f, int kind, const struct schema *s)
{
	flow_write_origin(f);
	if (f->out_schemas[kind] == s)
		return;
	f->out_schemas[kind] = s;
	buf_append(&f->out, s->wire, s->wire_len);
}

/* Our own schema of a kind, made once. NULL with the flow failed when out of memory. */
static const struct schema *native_schema(struct flow *f, int kind)
{
	if (!f->native[kind])
		f->native[kind] = schemas_native(&f->schemas, kind_info(kind), &f->err);
	if (!f->native[kind])
		f->failed = true;
	return f->native[kind];
}

/* Two inputs with two layouts of one kind: known kinds are re-written in ours. Returns
 * 0, or -1: the record cannot be. */
static int transcode(struct flow *f, const struct record *rec, struct err *err)
{
	union rec_any any;
	if (!rec->schema->info)
		return err_set(err, ERR_DATA,
			"kind '%s' is unknown here and came with another schema "
			"before; "
			"merge streams of one version",
			rec->schema->name);
	const struct schema *own = native_schema(f, rec->kind);
	if (!own || record_decode(rec->schema, rec->raw, rec->len, &any, err) < 0)
		return -1;
	declare(f, rec->kind, own);
	return record_encode(own, &any, &f->out, err);
}

static bool several_streams(const struct flow *f)
{
	return f->nreaders > 1 || f->live;
}

/* Returns 0, or -1: the record cannot be written. */
static int write_record(struct flow *f, const struct record *rec, struct err *err)
{
	const struct schema *now = f->out_schemas[rec->kind];
	if (now && now != rec->schema && several_streams(f)) {
		if (transcode(f, rec, err) < 0)
			return -1;
	} else {
		declare(f, rec->kind, rec->schema);
		buf_append(&f->out, rec->raw, rec->len);
	}
	count_out(f, rec->kind);
	flow_flush_in_time(f);
	return 0;
}

bool flow_wants(const struct flow *f, int kind)
{
	return !f->filtered[kind];
}

void flow_pass(struct flow *f, const struct record *rec)
{
	struct err err = {0};
	if (f->failed)
		return;
	if (f->filtered[rec->kind])
		f->ledger.kinds[rec->kind].dropped++;
	else if (f->noutlets && write_record(f, rec, &err) < 0)
		flow_reject(f, rec, "%s", err.msg);
	else
		f->ledger.kinds[rec->kind].out++;
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
	/* Always in our own layout: an older one in the input could not hold what we
	 * know. */
	const struct schema *s = native_schema(f, kind);
	if (!s)
		return true;
	declare(f, kind, s);
	struct err err = {0};
	if (record_encode(s, rec, &f->out, &err) < 0) {
		t->rejected++;
		rejects_add(&f->rejects, source, line, true, kind_info(kind)->name,
			err.msg, original, false);
		flow_check_rejects(f);
		return false;
	}
	t->out++;
	count_out(f, kind);
	flow_flush_in_time(f);
	return true;
}

/* Bytes of the first n records at p. */
static size_t length_of(int64_t n, const uint8_t *p, size_t len)
{
	size_t at = 0;
	struct err err;
	for (int kind; n > 0 && at < len; n--)
		at += (size_t)record_frame(p + at, len - at, &kind, &err);
	return at;
}

void flow_emit_run(struct flow *f, int kind, int64_t n, const uint8_t *p, size_t len)
{
	struct tally *t = &f->ledger.kinds[kind];
	int64_t left = f->fo->count ? f->fo->count - f->written : n;

	if (f->failed || left <= 0 || n <= 0)
		return;
	if (f->filtered[kind] || !f->noutlets) {
		t->added += n;
		t->dropped += n;
		return;
	}
	const struct schema *s = native_schema(f, kind);
	if (!s)
		return;
	if (n > left) {
		n = left;
		len = length_of(n, p, len);
	}
	declare(f, kind, s);
	buf_append(&f->out, p, len);
	t->added += n;
	t->out += n;
	f->out_counts[kind] += n;
	f->written += n;
	flow_flush_in_time(f);
}

bool flow_emit(struct flow *f, int kind, const void *rec)
{
	return flow_emit_row(f, kind, rec, f->program, f->written + 1, STR_NIL);
}

void flow_consumed(struct flow *f, const struct record *rec)
{
	f->ledger.kinds[rec->kind].out++;
}

void flow_lost(struct flow *f, int kind, int64_t n)
{
	f->ledger.kinds[kind].out -= n;
	f->ledger.kinds[kind].dropped += n;
}

void flow_drop(struct flow *f, const struct record *rec)
{
	f->ledger.kinds[rec->kind].dropped++;
}
