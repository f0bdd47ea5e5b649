/* The stream, and what is added to it. */
#include "watch.h"

#include "base/diag.h"
#include "base/now.h"
#include "base/statefile.h"
#include "rules/engine.h"
#include "stream/endpoint.h"
#include "stream/signals.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* The file in the state directory. */
#define STATE "alert"

enum {
	HANGUP_MS = 500,    /* so soon HUP is noticed while nothing comes */
	CLOCK_EVERY = 1024, /* records between two looks at the clock */
};

struct watch {
	const struct watch_options *o;
	struct flow *f, *urgent;
	struct flow_options urgent_fo;
	struct rule_set *rules;
	struct engine *e;
	bool begun;
	char arguments[64 + CODE_MAX];
	char identity[96 + 2 * CODE_MAX]; /* of the state */
	int64_t kept_ms; /* when the state was last written, monotonic */
	int status;      /* of what went wrong on the way */
};

static void emit(void *user, int kind, const void *rec)
{
	struct watch *w = user;
	flow_emit(w->f, kind, rec);
	if (!w->urgent || kind == KIND_status)
		return;
	flow_emit(w->urgent, kind, rec);
	flow_flush(w->urgent);
}

static void print_stats(const struct watch *w)
{
	fprintf(stderr, "%-28s %8s %9s %10s %8s %8s\n", "rule", "fired", "escalated",
		"suppressed", "resolved", "open");
	for (int i = 0; i < w->rules->n; i++) {
		const struct rule_count *c = engine_count(w->e, i);
		fprintf(stderr,
			"%-28s %8" PRId64 " %9" PRId64 " %10" PRId64 " %8" PRId64
			" %8" PRId64 "\n",
			w->rules->rules[i].name, c->fired, c->escalated, c->suppressed,
			c->resolved, c->open);
	}
	fprintf(stderr, "%-28s %8" PRId64 "\n", "incidents", engine_incidents(w->e));
}

struct rule_set *load_rules(const char *path, struct err *err)
{
	struct rule_set *rules = calloc(1, sizeof(*rules));
	if (!rules) {
		err_nomem(err);
		return NULL;
	}
	if (rule_set_load(rules, path, err) == 0)
		return rules;
	rule_set_release(rules);
	free(rules);
	return NULL;
}

void free_rules(struct rule_set *rules)
{
	if (rules)
		rule_set_release(rules);
	free(rules);
}

/* HUP has come. A file with an error leaves the old rules in force, and says so. */
static void reload(struct watch *w)
{
	struct err err = {0};
	struct rule_set *rules = load_rules(w->o->rules, &err);
	if (!rules || engine_reload(w->e, rules, &err) < 0) {
		diag("%s; the old rules stay in force", err.msg);
		free_rules(rules);
		return;
	}
	diag("%s: %d rules are in force now", w->o->rules, rules->n);
	free_rules(w->rules);
	w->rules = rules;
}

static int load(struct watch *w, struct err *err)
{
	struct buf b = {0};
	int r = w->o->state ? statefile_read(w->o->state, STATE, &b, err) : 0;
	if (r > 0 && (r = engine_load(w->e, w->identity, &b, err)) < 0)
		err_prefix(err, "--state '%s'", w->o->state);
	buf_release(&b);
	return r;
}

static int keep(struct watch *w, struct err *err)
{
	struct buf b = {0};
	int r = engine_save(w->e, w->identity, &b) < 0
			? err_nomem(err)
			: statefile_write(w->o->state, STATE, &b, err);
	buf_release(&b);
	return r;
}

/* What the state knows must be out before it is kept: else it would be lost with us. */
static void keep_in_time(struct watch *w)
{
	struct err err = {0};
	int64_t now = now_coarse_ms();
	if (!w->begun || now - w->kept_ms < w->o->state_every_ms)
		return;
	w->kept_ms = now;
	flow_flush(w->f);
	if (!flow_failed(w->f) && keep(w, &err) < 0)
		w->status = diag_err(&err);
}

/* With the first record the run is known, and with it which state goes on. */
static void begin(struct watch *w)
{
	struct err err = {0};
	const char *run = flow_run(w->f);
	w->begun = true;
	w->kept_ms = now_coarse_ms();
	if (w->urgent)
		flow_set_run(w->urgent, run);
	engine_begin(w->e, run, w);
	snprintf(w->identity, sizeof(w->identity), "%s run '%s'", w->arguments, run);
	if (load(w, &err) < 0)
		flow_fail(w->f, &err);
}

/* Passes a record on, and after it what it changed. */
static void take(struct watch *w, const struct record *rec, union rec_any *any)
{
	struct err err = {0};
	if (!w->begun)
		begin(w);
	if (!engine_wants(w->e, rec->kind)) {
		flow_pass(w->f, rec);
		return;
	}
	if (!flow_decode(w->f, rec, any))
		return;
	flow_pass(w->f, rec);
	int r = engine_feed(w->e, rec->kind, any, &err);
	if (r < 0)
		flow_fail(w->f, &err);
	else if (r > 0)
		flow_unused(w->f, rec, "%s", err.msg);
}

static void work(struct watch *w, union rec_any *any)
{
	struct record rec;
	int r;
	unsigned n = 0;
	while ((r = flow_next_wait(w->f, &rec, HANGUP_MS)) > 0) {
		if (r == 1)
			take(w, &rec, any);
		if (signals_hangup())
			reload(w);
		if (w->o->state_every_ms && (r == 2 || ++n % CLOCK_EVERY == 0))
			keep_in_time(w);
	}
	/* With a state the stream goes on another time: nothing ends here. */
	if (!w->o->state && !flow_failed(w->f))
		engine_end(w->e);
	flow_metric(w->f, "floatline_alert_state_bytes_per_battery",
		(double)engine_battery_bytes(w->e));
}

/* The options that change results. */
static void arguments(char *dst, size_t size, const struct watch_options *o)
{
	snprintf(dst, size, "--model %s%s%s", o->model, o->pending ? " --pending" : "",
		o->mute_scenarios ? " --mute-scenarios" : "");
}

static int open_urgent(struct watch *w, const char *identity, struct err *err)
{
	struct endpoint e;
	const char *to = w->o->urgent;
	if (endpoint_parse(to, false, &e, err) < 0)
		return err_prefix(err, "--urgent");
	if (e.role == EP_PUSH)
		return err_set(err, ERR_USAGE,
			"--urgent '%s': alerts cannot wait for a reader, publish them "
			"(pub:)",
			to);
	flow_options(&w->urgent_fo, FLOW_SOURCE);
	w->urgent_fo.outputs = (struct strlist){.v = {to}, .n = 1};
	w->urgent_fo.quiet = true;
	w->urgent = flow_open(&w->urgent_fo, FLOW_SOURCE, "alert", identity, err);
	return w->urgent ? 0 : -1;
}

static int run(struct watch *w, const struct flow_options *fo)
{
	struct err err = {0};
	char identity[128 + CODE_MAX];
	union rec_any *any = malloc(sizeof(*any));
	arguments(w->arguments, sizeof(w->arguments), w->o);
	snprintf(identity, sizeof(identity), "--rules %016" PRIx64 " %s",
		w->rules->hash, w->arguments);
	if (!any) {
		err_nomem(&err);
		return diag_err(&err);
	}
	if (w->o->urgent && open_urgent(w, identity, &err) < 0) {
		free(any);
		return diag_err(&err);
	}
	w->f = flow_open(fo, FLOW_FILTER, "alert", identity, &err);
	if (w->f)
		work(w, any);
	free(any);
	int status = w->f ? flow_close(w->f) : diag_err(&err);
	int urgent = flow_close(w->urgent);
	status = status ? status : urgent;
	/* What did not get out must come again: then the old state stays. */
	if (w->o->state && w->begun && status < ERR_USAGE && keep(w, &err) < 0)
		status = diag_err(&err);
	return status ? status : w->status;
}

int watch(const struct watch_options *o, const struct flow_options *fo)
{
	struct err err = {0};
	struct engine_options eo = {.model = o->model,
		.pending = o->pending,
		.mute_scenarios = o->mute_scenarios,
		.emit = emit};
	struct watch w = {.o = o, .rules = load_rules(o->rules, &err)};
	/* Configuration is judged before any input is opened. */
	if (w.rules)
		w.e = engine_new(w.rules, &eo, &err);
	int status = w.e ? run(&w, fo) : diag_err(&err);
	if (w.e && o->stats && w.f)
		print_stats(&w);
	engine_free(w.e);
	free_rules(w.rules);
	return status;
}
