/*
 * What the batteries of a string or room share: means per hour and day, the recent past
 * of the string's current, and capacity tests. Sums are integers, so the order of
 * arrival plays no part.
 */
#ifndef WINDOW_SHARED_H
#define WINDOW_SHARED_H

#include "window/pane.h"

enum {
	MEAN_SLOTS = 32, /* hours and days kept: the longest windows and some slack */
	HISTORY_MAX = 4096, /* samples of a string kept at most */
};

struct mean_slot {
	int32_t at; /* hours or days since the epoch */
	uint32_t n;
	int64_t sum;
	uint64_t who; /* bit set of contributors, number modulo 64 */
};

struct means {
	struct mean_slot hour[MEAN_SLOTS], day[MEAN_SLOTS];
};

void means_init(struct means *m);
/* Adds n (1, or -1 to take back) times the fixed-point value of contributor 'who'.
 * A time older than what is kept does not count. */
void means_add(struct means *m, int64_t ts, int64_t value, unsigned who, int n);
/* The slot of an hour or day; NULL when nothing is known of it. */
const struct mean_slot *means_hour(const struct means *m, int32_t hour);
const struct mean_slot *means_day(const struct means *m, int32_t day);

/* One value at one time, for looking back and for counting a record once. Packed: a
 * string keeps thousands, and the state that is kept of them has no stray bytes. */
struct __attribute__((packed)) past {
	int64_t ts : 56;
	int64_t mode : 8;
	float value;
};
struct history {
	struct past *v; /* in time order */
	uint32_t head, n, cap;
	int64_t newest;
	int64_t step; /* between the two newest, ms; 0 unknown */
};

enum history_verdict {
	HISTORY_NEW,
	HISTORY_LATE,
	HISTORY_DUPLICATE,
	HISTORY_NO_MEMORY
};

/* Notes a value; what is older than twice the lateness and keep_ms is forgotten: by
 * then nobody sampled at least every keep_ms asks for it. */
enum history_verdict history_add(
	struct history *h, const struct past *p, int64_t lateness_ms, int64_t keep_ms);
/* The last value at or before ts and at most max_age_ms older; NULL if none. */
const struct past *history_at(const struct history *h, int64_t ts, int64_t max_age_ms);
void history_release(struct history *h);

/* The last two capacity tests, the later one first: the one before is what was known at
 * the end of a window that is given out after the next test. */
struct tests {
	int32_t hour[2]; /* the full hour after it, since the epoch; INT32_MIN none */
	float pct[2];    /* of rated capacity */
};

void tests_init(struct tests *t);
/* Notes a test; of two in one hour the smaller result stays. */
void tests_add(struct tests *t, int64_t ts, float pct);
/* Index of the last test not before 'from' (TIME_NIL: ever) that was known by end_hour;
 * -1 if there is none. */
int tests_find(const struct tests *t, int64_t from, int32_t end_hour);

#endif
