/*
 * A whole stream in memory, a trace a battery: for --fit and --evaluate, which look at
 * a record more than once.
 */
#ifndef TWIN_RECORDING_H
#define TWIN_RECORDING_H

#include "base/ids.h"
#include "estimate/plausible.h"
#include "estimate/trace.h"
#include "stream/flow.h"

struct recorded {
	struct trace trace;
	struct plausible plausible;
	struct battery_model model;
	char model_name[CODE_MAX + 1]; /* as the stream names it; "" where not */
	size_t faults;                 /* samples with a value that cannot be */
};

struct recording {
	struct ids batteries;
	struct recorded *of; /* by battery */
	size_t cap;
	const char *model; /* --model, or NULL: as the stream names it */
};

/* Reads all of f. Returns 0, or -1 with err: a model has no file, out of memory, or no
 * samples. Release it whatever comes back. */
int recording_read(struct recording *r, struct flow *f, struct err *err);
void recording_release(struct recording *r);

#endif
