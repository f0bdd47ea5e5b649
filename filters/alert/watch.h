/* What the parts of alert share. */
#ifndef ALERT_WATCH_H
#define ALERT_WATCH_H

#include "rules/rule.h"
#include "stream/flow.h"

#include <stdbool.h>

struct watch_options {
	const char *rules, *model;
	const char *urgent; /* endpoint, NULL none */
	const char *state;  /* directory, NULL none */
	int64_t state_every_ms;
	bool pending, stats, mute_scenarios;
};

/* --test: runs the tests of a file against the rules, and prints how each went. Exit
 * status: 1 when one failed. */
int test_rules(const struct watch_options *o, const char *file);

/* The rules of a file, NULL with err set; free_rules accepts NULL. */
struct rule_set *load_rules(const char *path, struct err *err);
void free_rules(struct rule_set *rules);

/* Passes the stream on with its alerts. Exit status. */
int watch(const struct watch_options *o, const struct flow_options *fo);

#endif
