/*
 * The windows of a whole fleet: telemetry, string telemetry, environment and master
 * records in, feature records out. Batteries are told apart by (battery, unit): a
 * replacement closes what was complete and begins anew.
 *
 * A window of N hours ends on a full hour (of 7 and 30 days: at midnight), UTC, and is
 * given out once all its samples have left the reorder ring of its battery. A window
 * without a sample is not given out.
 */
#ifndef WINDOW_WINDOWS_H
#define WINDOW_WINDOWS_H

#include "base/buf.h"
#include "base/err.h"
#include "site/roster.h"
#include "window/timeline.h"
#include "window/shared.h"

enum { WINDOW_LENGTHS_MAX = 4 };

struct windows_config {
	int windows_h[WINDOW_LENGTHS_MAX]; /* 1 to 24, or 168 or 720; 0 ends */
	int every_h; /* rows go out when the hour divides by it: 1 or 24 */
	int64_t lateness_ms, max_gap_ms;
	void (*emit)(void *arg, const struct rec_feature *f);
	void *arg;
};

enum windows_verdict {
	WINDOWS_USED,
	WINDOWS_LATE,
	WINDOWS_DUPLICATE,
	WINDOWS_CONFLICT, /* the same battery and time with other values; one was kept
			   */
	WINDOWS_CLOCK,    /* a time far ahead of all others */
	WINDOWS_UNIT,     /* of the block that was there before a replacement */
	WINDOWS_NO_MEMORY,
};

struct windows;

/* Parses "1,24" into windows_h. Returns 0, or -1 with ERR_USAGE. */
int windows_parse(struct windows_config *c, const char *list, struct err *err);

/* Returns new windows, NULL when out of memory. */
struct windows *windows_new(const struct windows_config *c);
void windows_free(struct windows *w);

/* True for the kinds windows_add uses. */
bool windows_wants(int kind);
/* Takes one decoded record. The verdict is for the record; features may have been given
 * out whatever it is. */
enum windows_verdict windows_add(struct windows *w, int kind, const void *rec);
/* Words for the reject file; NULL for WINDOWS_USED. */
const char *windows_reason(enum windows_verdict v);
/* The end of the stream: gives out every window whose end was reached. */
void windows_end(struct windows *w);
/*
 * The state as bytes, and back into new windows, which then go on as if never stopped.
 * 'identity' must be the same for both: the options and the run.
 * windows_save returns 0, or -1 when out of memory; windows_load -1 with ERR_USAGE (a
 * state of another identity or version) or ERR_IO (damaged); free w then.
 */
int windows_save(struct windows *w, const char *identity, struct buf *out);
int windows_load(
	struct windows *w, const char *identity, const struct buf *in, struct err *err);

/* Samples that left a ring before the lateness was over: it was full. */
uint64_t windows_early(const struct windows *w);
/* Batteries seen, and bytes of state each takes. */
size_t windows_batteries(const struct windows *w);
size_t windows_battery_bytes(const struct windows *w);

#endif
