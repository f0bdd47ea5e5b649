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
	if (w->newest == TIME_NIL) {
		w->first = source;
		w->newest = ts;
		return true;
	}
	w->several |= source != w->first;
	int64_t usual = w->several ? HOUR_MS : DAY_MS;
	if (ts <= w->newest + (4 * step_ms > usual ? 4 * step_ms : usual)) {
		w->newest = ts > w->newest ? ts : w->newest;
		if (w->doubted_by == source)
			w->doubted = TIME_NIL; /* it has come back */
		return true;
	}
	bool goes_on = w->doubted != TIME_NIL && ts >= w->doubted - usual;
	bool agreed = w->doubted_by != source && ts <= w->doubted + usual;
	if (goes_on && (agreed || !w->several)) {
		w->newest = ts;
		w->doubted = TIME_NIL;
		return true;
	}
	w->doubted = ts;
	w->doubted_by = source;
	return false;
}
