/*
 * What a late joiner must be told of one topic: its last value, or the last of each of
 * its series where a topic has several (an alert by its id, a feature by its window, a
 * rul by its source). What is over (a resolved alert or incident, a completed event or
 * work order) is kept for a while for those who only missed that it is. Memory is
 * bounded: of a topic so many closed and so many values in all, the oldest go first.
 */
#ifndef STREAM_LATEST_H
#define STREAM_LATEST_H

#include "record/codec.h"

enum { LATEST_CLOSED_MAX = 8, LATEST_MAX = 1024 };

struct latest_value;

struct latest {
	struct latest_value *v; /* in the order they were published */
	int n, cap;
};

/* Whether the last records of this kind are a state to be told: not ticks, barriers,
 * or what a person once decided. */
bool latest_keeps(int kind);

/* Takes in the record of n bytes at p, of layout s (which must outlive the values).
 * Returns 0, or -1 when out of memory. */
int latest_put(struct latest *l, const struct schema *s, const uint8_t *p, size_t n,
	struct err *err);

/* Bytes of all values. */
size_t latest_size(const struct latest *l);
/*
 * Appends the values; those that are over only with 'closed'. Where a value is of
 * another layout than 'now', schema records go around it. Nothing to tell: nothing.
 */
void latest_write(
	const struct latest *l, bool closed, const struct schema *now, struct buf *out);

void latest_release(struct latest *l);

#endif
