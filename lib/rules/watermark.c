#include "rules/watermark.h"

void watermark_init(struct watermark *w)
{
	*w = (struct watermark){.now = TIME_NIL, .first = TIME_NIL, .top = TIME_NIL};
}

static bool advance(struct watermark *w, int64_t ts)
{
	if (w->now != TIME_NIL && ts <= w->now)
		return false;
	w->now = ts;
	w->far_ticks = 0;
	return true;
}

bool watermark_is_ahead(const struct watermark *w, int64_t ts)
{
	return w->now != TIME_NIL && ts != TIME_NIL && ts - WATERMARK_LEAP_MS > w->now;
}

/* The second-latest time among the subjects that are not far ahead. */
static bool follow(struct watermark *w, uint32_t subject, int64_t ts)
{
	if (w->top == TIME_NIL || subject == w->top_subject) {
		if (w->top == TIME_NIL || ts > w->top)
			w->top = ts;
		w->top_subject = subject;
		return false;
	}
	if (ts <= w->top)
		return advance(w, ts);
	int64_t second = w->top;
	w->top = ts;
	w->top_subject = subject;
	return advance(w, second);
}

static bool start(struct watermark *w, uint32_t subject, int64_t ts)
{
	if (w->first == TIME_NIL || subject == w->first_subject) {
		w->first = w->first == TIME_NIL || ts > w->first ? ts : w->first;
		w->first_subject = subject;
		return false;
	}
	bool later = ts > w->first;
	w->now = later ? w->first : ts;
	w->top = later ? ts : w->first;
	w->top_subject = later ? subject : w->first_subject;
	if (watermark_is_ahead(w, w->top)) {
		w->ahead++;
		w->top = w->now;
		w->top_subject = later ? w->first_subject : subject;
	}
	return true;
}

bool watermark_note(struct watermark *w, uint32_t subject, int64_t before, int64_t ts)
{
	if (before == TIME_NIL)
		w->subjects++;
	if (w->now == TIME_NIL)
		return start(w, subject, ts);
	if (!watermark_is_ahead(w, ts))
		return follow(w, subject, ts);
	if (!watermark_is_ahead(w, before))
		w->ahead++;
	if (w->ahead < 2 || (uint64_t)w->ahead * 4 < w->subjects)
		return false;
	/* Enough of them: time did leap. */
	w->ahead = 0;
	w->top = ts;
	w->top_subject = subject;
	return advance(w, ts);
}

bool watermark_tick(struct watermark *w, int64_t ts)
{
	if (watermark_is_ahead(w, ts) && ++w->far_ticks < WATERMARK_FAR_TICKS)
		return false;
	return advance(w, ts);
}
