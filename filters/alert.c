/*
 * alert - holds every battery, string and sensor of a stream against rules, and adds
 * alerts with a life cycle, incidents and status records to it.
 */
#include "base/diag.h"
#include "rules/engine.h"
#include "stream/flow.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct options {
	const char *rules, *model;
	bool pending, stats;
};

static const struct opt_usage USAGE = {
	"alert",
	"[options]",
	"raise alerts by rules, group them into incidents, decide statuses",
	"The rules are those of schemas/rules/default.ini unless --rules says "
	"otherwise;\n"
	"their language is described in floatline-rules(5).\n"
	"\n"
	"  ingest data/ | alert | decode --kind alert --fields ts,subject,message\n"
	"  simulate --days 90 | twin | alert --stats >/dev/null",
};

static void emit(void *user, int kind, const void *rec)
{
	flow_emit(user, kind, rec);
}

static void print_stats(const struct engine *e, const struct rule_set *rules)
{
	fprintf(stderr, "%-28s %8s %9s %10s %8s %8s\n", "rule", "fired", "escalated",
		"suppressed", "resolved", "open");
	for (int i = 0; i < rules->n; i++) {
		const struct rule_count *c = engine_count(e, i);
		fprintf(stderr,
			"%-28s %8" PRId64 " %9" PRId64 " %10" PRId64 " %8" PRId64
			" %8" PRId64 "\n",
			rules->rules[i].name, c->fired, c->escalated, c->suppressed,
			c->resolved, c->open);
	}
	fprintf(stderr, "%-28s %8" PRId64 "\n", "incidents", engine_incidents(e));
}

/* Passes every record on, and after it what it changed. */
static void run(struct flow *f, struct engine *e)
{
	union rec_any *any = malloc(sizeof(*any));
	struct record rec;
	struct err err = {0};
	if (!any) {
		err_nomem(&err);
		flow_fail(f, &err);
	}
	while (flow_next(f, &rec) > 0) {
		if (!engine_wants(e, rec.kind)) {
			flow_pass(f, &rec);
			continue;
		}
		if (!flow_decode(f, &rec, any))
			continue;
		flow_pass(f, &rec);
		if (engine_feed(e, rec.kind, any, &err) < 0)
			flow_fail(f, &err);
	}
	free(any);
}

static int load_rules(const struct options *o, struct rule_set *rules, struct err *err)
{
	char path[4096];
	if (o->rules)
		return rule_set_load(rules, o->rules, err);
	if (share_path("schemas/rules/default.ini", path, sizeof(path), err) < 0)
		return -1;
	return rule_set_load(rules, path, err);
}

static int watch(const struct options *o, const struct flow_options *fo,
	const struct rule_set *rules)
{
	struct err err = {0};
	char identity[128];
	snprintf(identity, sizeof(identity), "--rules %016" PRIx64 " --model %s%s",
		rules->hash, o->model, o->pending ? " --pending" : "");
	struct engine_options eo = {
		.model = o->model, .pending = o->pending, .emit = emit};
	/* Configuration is judged before any input is opened. */
	struct engine *e = engine_new(rules, &eo, &err);
	if (!e)
		return diag_err(&err);
	struct flow *f = flow_open(fo, FLOW_FILTER, "alert", identity, &err);
	if (!f) {
		engine_free(e);
		return diag_err(&err);
	}
	engine_begin(e, flow_run(f), f);
	run(f, e);
	engine_end(e);
	int status = flow_close(f);
	if (o->stats)
		print_stats(e, rules);
	engine_free(e);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {.model = "HX12-120"};
	struct flow_options fo;
	struct err err = {0};
	int first;
	struct opt own[] = {
		{0, "rules", "FILE", "rule file", OPT_STR, &o.rules, 0, 0},
		{0, "model", "NAME", "battery model where none is named", OPT_STR,
			&o.model, 0, 0},
		{0, "pending", NULL, "report pending alerts, too", OPT_BOOL, &o.pending,
			0, 0},
		{0, "stats", NULL, "print a count for each rule at the end", OPT_BOOL,
			&o.stats, 0, 0},
		{0},
	};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r < 0)
		return diag_err(&err);
	if (r == OPT_EXIT)
		return 0;
	if (first < argc) {
		err_set(&err, ERR_USAGE, "unexpected operand '%s', try --help",
			argv[first]);
		return diag_err(&err);
	}
	struct rule_set *rules = calloc(1, sizeof(*rules));
	int status;
	if (!rules)
		err_nomem(&err);
	if (!rules || load_rules(&o, rules, &err) < 0)
		status = diag_err(&err);
	else
		status = watch(&o, &fo, rules);
	free(rules);
	return status;
}
