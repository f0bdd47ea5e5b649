/*
 * When to do the work: maintenance windows as the stream tells them, the cool season,
 * and from both the date by which a battery should be replaced.
 */
#ifndef LEARN_CALENDAR_H
#define LEARN_CALENDAR_H

#include "base/err.h"
#include "record/kinds.h"

enum { CALENDAR_MAX = 1000 }; /* windows kept */

struct calendar_window {
	char id[CODE_MAX + 1], subject[CODE_MAX + 1];
	int64_t from, until;
};

/* Zero-initialised is empty and valid. */
struct calendar {
	struct calendar_window *v;
	size_t n, cap;
};

/* Takes a window up, or anew if its id is known. When full, the one that ends first
 * makes room. Returns 0, or -1 out of memory. */
int calendar_take(
	struct calendar *c, const struct rec_maintenance_window *w, struct err *err);
void calendar_release(struct calendar *c);

/*
 * The last good date to replace a battery that may end lower_days after ts: inside the
 * cool season, November to February, when batteries and people stand the work best
 * (UTC). Where the stream has named maintenance windows of the battery, its string,
 * system or site, the last cool time inside one of them that is not past, at the latest
 * on the lower bound's day; where none serves, the last cool midnight before the lower
 * bound; when none is left from ts on, the lower bound's own midnight; never before ts.
 * TIME_NIL when lower is missing.
 */
int64_t replace_by(
	const struct calendar *c, struct str battery, int64_t ts, double lower_days);

#endif
