/*
 * The history of a registry's production: REGISTRY/history, a line a change. A line is
 * written before the change is made, so the last one may be of a change that never was;
 * history_settle, told what production is, puts that right.
 */
#ifndef LEARN_HISTORY_H
#define LEARN_HISTORY_H

#include "base/err.h"
#include "record/kinds.h"

enum { HISTORY_MAX = 16 << 20 }; /* bytes */

struct history_line {
	int64_t ts;
	char what[16];                             /* promote, rollback, found */
	char from[CODE_MAX + 1], to[CODE_MAX + 1]; /* from "" for none */
};

/* dir: the open directory. Each returns 0, or -1 (ERR_IO; ERR_DATA: damaged). */

/* Takes back a last line that is cut short or did not come to pass, and notes a
 * production that no line tells of. */
int history_settle(int dir, const char *production, struct err *err);
/* Appends a line, synced. */
int history_append(int dir, const struct history_line *l, struct err *err);
/* What was production before the one that is, promotions taken back left out; "" for
 * none. */
int history_before(int dir, char id[CODE_MAX + 1], struct err *err);
/* Calls 'each' with every whole line. */
int history_each(int dir, int (*each)(void *to, const struct history_line *l), void *to,
	struct err *err);

#endif
