/* The options of simulate: what they may be, and what of them changes results. */
#ifndef SIMULATE_OPTIONS_H
#define SIMULATE_OPTIONS_H

#include "part.h"

#include "base/opt.h"

struct options {
	const char *fleet, *run, *backfill, *string, *site, *control, *shard_text,
		*interval_text, *dataset;
	struct strlist scenarios;
	int64_t start, seed, batteries, truth_interval_ms;
	double days, speed;
	double discharge_test_pct; /* NaN: as the fleet file says */
	bool live, truth, no_faults;
	bool by_clock; /* set: the run's clock is the wall clock, to the millisecond */
	int64_t interval_ms;                       /* parsed */
	int64_t every_ms[SAMPLES];                 /* of each sort of sample */
	int64_t backfill_ms, backfill_interval_ms; /* parsed */
	int64_t shard, shards;                     /* 1 of 4; 0: all of it */
	int64_t jobs;                              /* threads; checked: 1 or more */
};

/* Parses and bounds what the option table leaves as text; sets what depends on the
 * rest. Returns 0, or -1 with ERR_USAGE. */
int options_check(struct options *o, struct err *err);
/* What changes results, for the origin record: of a file its name, not its path. */
void options_identify(const struct options *o, struct buf *b);

#endif
