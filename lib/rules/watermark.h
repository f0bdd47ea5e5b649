/*
 * The watermark: how far time has come for the fleet as a whole, by which silence is
 * noticed. No single clock is believed: it follows the second-latest subject, and a
 * time more than an hour ahead counts only when a quarter of the subjects (two at
 * least) are there, so that one battery whose clock is a day ahead makes nobody stale,
 * while a feed that resumes after a gap is followed at once. Ticks of sources, one a
 * second while idle, count as they are; those more than an hour ahead only when 300 of
 * them came and nothing else moved.
 */
#ifndef RULES_WATERMARK_H
#define RULES_WATERMARK_H

#include "base/timefmt.h"

#define WATERMARK_LEAP_MS HOUR_MS
#define WATERMARK_FAR_TICKS 300

struct watermark {
	int64_t now; /* TIME_NIL until two subjects were heard */
	int64_t first;
	uint32_t first_subject;
	int64_t top; /* the latest of those not far ahead, and whose it is */
	uint32_t top_subject;
	uint32_t subjects;
	uint32_t far_ticks; /* far ahead, since 'now' last moved */
	uint32_t ahead;     /* subjects far ahead; the owner may count anew */
};

/* Nothing heard yet. */
void watermark_init(struct watermark *w);
/* Subject number 'subject' (unique over all types) sent a record of time ts; 'before'
 * is its latest time until now, TIME_NIL at first. Returns true when 'now' advanced. */
bool watermark_note(struct watermark *w, uint32_t subject, int64_t before, int64_t ts);
/* Whether a time is too far ahead to be believed. */
bool watermark_is_ahead(const struct watermark *w, int64_t ts);
/* A source says that nothing older than ts will follow. */
bool watermark_tick(struct watermark *w, int64_t ts);

#endif
