#include "learn/calendar.h"

#include "base/timefmt.h"

#include <math.h>
#include <stdlib.h>

/* Past a century nobody plans; and the sum stays far from overflow. */
static const double HORIZON_DAYS = 36500;

static int64_t midnight(int64_t ts)
{
	return ts - ((ts % DAY_MS) + DAY_MS) % DAY_MS;
}

/* The last midnight of a cool month not after ts. */
static int64_t last_cool(int64_t ts)
{
	struct civil c;
	int64_t day = midnight(ts);
	time_to_civil(day, &c);
	if (c.month >= 3 && c.month <= 10)
		/* The day before the first of March. */
		return (days_from_civil(c.year, 3, 1) - 1) * DAY_MS;
	return day;
}

static struct calendar_window *slot_for(struct calendar *c, struct str id)
{
	struct calendar_window *first = c->v;
	for (size_t i = 0; i < c->n; i++) {
		if (str_is(id, c->v[i].id))
			return &c->v[i];
		if (c->v[i].until < first->until)
			first = &c->v[i];
	}
	if (c->n == CALENDAR_MAX)
		return first;
	if (c->n == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 16;
		struct calendar_window *v = realloc(c->v, cap * sizeof(*v));
		if (!v)
			return NULL;
		c->v = v;
		c->cap = cap;
	}
	return &c->v[c->n++];
}

int calendar_take(
	struct calendar *c, const struct rec_maintenance_window *w, struct err *err)
{
	struct calendar_window *to = slot_for(c, w->id);
	if (!to)
		return err_nomem(err);
	str_copy(to->id, sizeof(to->id), w->id);
	str_copy(to->subject, sizeof(to->subject), w->subject);
	to->from = w->from_ts;
	to->until = w->until_ts;
	return 0;
}

void calendar_release(struct calendar *c)
{
	free(c->v);
	*c = (struct calendar){0};
}

/* S1 is not meant by a window of S10. */
static bool concerns(const struct calendar_window *w, struct str battery)
{
	size_t n = strlen(w->subject);
	return n <= battery.len && memcmp(w->subject, battery.s, n) == 0 &&
	       (n == battery.len || battery.s[n] == '-');
}

/* The last cool time inside a window of the battery, from ts to due; TIME_NIL: none. */
static int64_t last_in_window(
	const struct calendar *c, struct str battery, int64_t ts, int64_t due)
{
	int64_t best = TIME_NIL;
	for (size_t i = 0; i < c->n; i++) {
		const struct calendar_window *w = &c->v[i];
		if (!concerns(w, battery))
			continue;
		int64_t from = w->from > ts ? w->from : ts;
		int64_t end = w->until < due ? w->until : due;
		/* It may begin after its last midnight: then on the day itself. */
		int64_t day = last_cool(end);
		int64_t at = day >= from ? day : from;
		if (at <= end && last_cool(at) == midnight(at) &&
			(best == TIME_NIL || at > best))
			best = at;
	}
	return best;
}

int64_t replace_by(
	const struct calendar *c, struct str battery, int64_t ts, double lower_days)
{
	if (isnan(lower_days))
		return TIME_NIL;
	if (ts > TIME_MAX - (int64_t)HORIZON_DAYS * DAY_MS || ts < TIME_MIN)
		return TIME_NIL;
	double days = fmin(fmax(lower_days, 0), HORIZON_DAYS);
	int64_t due = ts + (int64_t)(days * (double)DAY_MS);
	int64_t good = last_in_window(c, battery, ts, due);
	if (good != TIME_NIL)
		return good;
	good = last_cool(due);
	if (good < ts)
		good = midnight(due);
	return good > ts ? good : ts;
}
