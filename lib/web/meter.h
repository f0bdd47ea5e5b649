/*
 * Counts what the bridge answers, by route and status, and how long it took: for
 * Prometheus. Labels are the templates of the routes, so there are no more of them than
 * there are calls. Any thread may count.
 */
#ifndef WEB_METER_H
#define WEB_METER_H

#include "web/route.h"

struct meter;

/* For so many routes. NULL when out of memory. */
struct meter *meter_new(size_t nroutes);
void meter_free(struct meter *m); /* accepts NULL */

/* One answer of routes[route] (SIZE_MAX: of none), which took so many seconds. */
void meter_count(struct meter *m, size_t route, int status, double seconds);

/* Appends the counters in Prometheus' text format. */
void meter_write(struct meter *m, const struct route *routes, struct buf *out);

#endif
