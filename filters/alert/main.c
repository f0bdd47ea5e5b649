/*
 * alert - holds every battery, string and sensor of a stream against rules, and adds
 * alerts with a life cycle, incidents and status records to it.
 */
#include "base/diag.h"
#include "stream/signals.h"
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

static const struct opt_usage USAGE = {
	"alert",
	"[options]",
	"raise alerts by rules, group them into incidents, decide statuses",
	"The rules are those of schemas/rules/default.ini unless --rules says "
	"otherwise;\n"
	"their language is described in floatline-rules(5). HUP reads them again.\n"
	"\n"
	"  ingest data/ | alert | decode --kind alert --fields ts,subject,message\n"
	"  simulate --days 90 | twin | alert --stats >/dev/null",
};

static int check(struct watch_options *o, struct err *err)
{
	if (o->state_every_ms && !o->state)
		return err_set(err, ERR_USAGE, "--state-every goes with --state");
	if (o->state_every_ms < 0)
		return err_set(err, ERR_USAGE, "--state-every must not be negative");
	if (!o->rules) {
		static char path[4096];
		if (share_path("schemas/rules/default.ini", path, sizeof(path), err) <
			0)
			return -1;
		o->rules = path;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct watch_options o = {.model = "HX12-120"};
	struct flow_options fo;
	struct err err = {0};
	const char *test = NULL;
	int first;
	struct opt own[] = {
		{0, "rules", "FILE", "rule file", OPT_STR, &o.rules, 0, 0},
		{0, "model", "NAME", "battery model where none is named", OPT_STR,
			&o.model, 0, 0},
		{0, "pending", NULL, "report pending alerts, too", OPT_BOOL, &o.pending,
			0, 0},
		{0, "mute-scenarios", NULL, "suppress alerts of simulated trouble",
			OPT_BOOL, &o.mute_scenarios, 0, 0},
		{0, "urgent", "ENDPOINT", "send alerts and incidents there as well",
			OPT_STR, &o.urgent, 0, 0},
		{0, "state", "DIR", "go on from what is kept here, and keep it",
			OPT_STR, &o.state, 0, 0},
		{0, "state-every", "DURATION", "keep it so often, not at the end alone",
			OPT_MS, &o.state_every_ms, 0, 0},
		{0, "test", "FILE", "run these tests of the rules, and nothing else",
			OPT_STR, &test, 0, 0},
		{0, "stats", NULL, "print a count for each rule at the end", OPT_BOOL,
			&o.stats, 0, 0},
		{0},
	};
	signals_watch_hangup();
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_FILTER), argc, argv, &first, &err);
	if (r == OPT_RUN && first < argc)
		r = err_set(&err, ERR_USAGE, "unexpected operand '%s', try --help",
			argv[first]);
	if (r == OPT_RUN)
		r = check(&o, &err);
	return r < 0           ? diag_err(&err)
	       : r == OPT_EXIT ? 0
	       : test          ? test_rules(&o, test)
			       : watch(&o, &fo);
}
