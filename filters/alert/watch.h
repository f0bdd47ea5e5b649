/* What the parts of alert share. */
#ifndef ALERT_WATCH_H
#define ALERT_WATCH_H

#include "stream/flow.h"

#include <stdbool.h>

struct watch_options {
	const char *rules, *model;
	const char *urgent; /* endpoint, NULL none */
	const char *state;  /* directory, NULL none */
	int64_t state_every_ms;
	bool pending, stats;
};

/* Passes the stream on with its alerts. Exit status. */
int watch(const struct watch_options *o, const struct flow_options *fo);

#endif
