/*
 * The mains of a site: outages and dips as a Poisson process (wet season and storm
 * hours weigh double), log-normal durations, and what the batteries see of them: the
 * seconds until the generator takes over, or all of it when the generator does not
 * start.
 */
#ifndef SITE_GRID_H
#define SITE_GRID_H

#include "site/fleet.h"

enum { OUTAGES_MAX = 8 }; /* a day */

struct outage {
	int64_t start, end, battery_end;
	bool generator_failed;
};

/* The outages that start on a UTC day (days since the epoch), in order of time, apart
 * from each other. A pure function of its arguments. Returns how many. */
int grid_day(const struct region *r, uint64_t key, int64_t utc_offset_ms, int64_t day,
	struct outage out[OUTAGES_MAX]);

#endif
