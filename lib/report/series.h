/* A file of samples: its rows in turn, and whether time passes in it as it should. */
#ifndef REPORT_SERIES_H
#define REPORT_SERIES_H

#include "report/fleet.h"

struct series {
	struct table t;
	bool open, full, ended;
	int64_t ts;          /* of the row at hand */
	uint32_t who;        /* its identity, by number of its key */
	int64_t *newest;     /* per identity; TIME_NIL: none */
	int64_t interval_ms; /* usual time between two samples; 0: unknown */
};

/*
 * Opens the file and finds its interval from its first rows. Returns 0 (also when there
 * is no such file), or -1 out of memory. 'gaps': whether a missing sample counts.
 */
int series_open(struct series *s, struct quality *q, struct fleet_facts *f,
	enum layout_id id, bool gaps, struct err *err);
/* The next row with a time and a known identity, checked for order and gaps. 1, 0, -1.
 * The same row until series_take. */
int series_peek(struct series *s, struct err *err);
void series_take(struct series *s);
void series_close(struct series *s);

#endif
