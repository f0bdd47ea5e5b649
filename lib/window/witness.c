#include "window/witness.h"

#include "base/timefmt.h"

void witness_init(struct witness *w)
{
	*w = (struct witness){.newest = TIME_NIL, .doubted = TIME_NIL};
}

bool witness_believe(struct witness *w, enum witness_kind kind, uint32_t id, int64_t ts,
	int64_t step_ms)
{
	uint64_t source = (uint64_t)kind << 32 | id;
	int64_t limit = 4 * step_ms > HOUR_MS ? 4 * step_ms : HOUR_MS;
	if (w->newest == TIME_NIL) {
		w->first = source;
		w->newest = ts;
		return true;
	}
	w->several |= source != w->first;
	if (ts <= w->newest + limit || !w->several) {
		w->newest = ts > w->newest ? ts : w->newest;
		return true;
	}
	if (w->doubted != TIME_NIL && w->doubted_by != source &&
		ts <= w->doubted + HOUR_MS && ts >= w->doubted - HOUR_MS) {
		w->newest = ts;
		w->doubted = TIME_NIL;
		return true;
	}
	w->doubted = ts;
	w->doubted_by = source;
	return false;
}
