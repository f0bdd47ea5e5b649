/*
 * A battery's samples on their way into panes. Memory is fixed, and at most 12 KiB with
 * what lib/window keeps beside it: a ring that puts samples back in order within the
 * lateness, the sample held at the moment, and the panes.
 *
 * A sample is taken while it is no more than the lateness behind the newest one of its
 * battery; two samples of one time count once, and if they differ the one with fewer
 * missing values, then the smaller, is kept, whichever came first. Samples leave the
 * ring in time order, so what is computed from them does not depend on their order of
 * arrival.
 *
 * The ring holds 301 samples, which is five minutes of one a second; beside the panes
 * of both a 24-hour window that ends on every hour and a 30-day window there is room
 * for RING_LEAST only. When it is full its oldest leaves early: at higher rates the
 * lateness shrinks to what the ring holds, and the owner is told.
 *
 * Between two samples the earlier one's values hold, unless the interval is a gap:
 * longer than three times the typical interval (the median of each eight) or than
 * max_gap. Over a gap nothing holds. A sample that lacks a quantity leaves its last
 * value standing, for no longer than max_gap or CARRY_MAX_MS: quantities may come in
 * turns.
 */
#ifndef WINDOW_TIMELINE_H
#define WINDOW_TIMELINE_H

#include "window/deep.h"

#define CARRY_MAX_MS (4 * HOUR_MS)

enum {
	HOURLY_PANES = 24, /* at most: those of a day */
	DAILY_PANES = 29,  /* at most: days before the one that ends */
	RING_MAX = 301,
	RING_LEAST = 80,
	RECENT_INTERVALS = 8,
	LATENESS_MAX_H = 6,
	TIMELINE_BYTES_MAX = 12 * 1024 - 136, /* the rest is for its owner */
};

struct timeline_config {
	int64_t lateness_ms, max_gap_ms; /* lateness at most LATENESS_MAX_H */
	int hours; /* panes of single hours, the last ones; 1 to HOURLY_PANES */
	int days;  /* panes of days before the one in progress; 0: no days at all */
};

/* A sample in the ring: its time is known to 2^28 ms, three days. */
struct waiting {
	uint32_t ts : 28, mode : 4;
	float voltage_v, temperature_c, current_a, resistance_mohm;
};

struct timeline {
	int64_t newest, frontier; /* nothing before frontier is taken any more */
	int64_t first;            /* first sample released */
	struct sample held;       /* last sample released */
	int64_t baseline_sum;     /* resistances of the first week */
	uint32_t baseline_n : 24;
	uint32_t v_at : 8; /* when the held voltage was measured: see carry() */
	int32_t end_hour;  /* end of the hour in progress, hours since the epoch */
	int64_t depth;     /* charge missing since the last full charge, 0.1 mA ms */
	int32_t recent_ms[RECENT_INTERVALS];
	int32_t typical_ms; /* 0 unknown */
	uint32_t intervals : 16;
	uint32_t t_at : 8, i_at : 8; /* and the temperature, the current and mode */
	struct deep deep;
	struct band band;
	uint32_t band_epoch; /* for the owner: when the band was looked up */
	uint32_t head : 9, len : 9, wrap : 9;
	uint32_t started : 1, discharging : 1;
	uint32_t rested : 1; /* a sample of the hour in progress was no discharge */
	float sag_v; /* for the owner: of the last whole hour of a discharge; NaN none
		      */
	/* hourly[hours]; where there are days: today, daily[days]; then the ring */
	struct pane panes[];
};

/* What happens to a timeline as its samples leave the ring, in time order. */
struct timeline_hooks {
	void *arg;
	/* Gives a sample what it lacks (the string's current) before it is counted. */
	void (*fill)(void *arg, struct timeline *s, struct sample *sample);
	/* An hour is complete; all panes that end by end_hour are final. */
	void (*close)(void *arg, struct timeline *s, int32_t end_hour);
	/* A sample had to leave before the lateness was over. */
	void (*early)(void *arg);
};

enum timeline_verdict {
	TIMELINE_NEW,
	TIMELINE_LATE,
	TIMELINE_DUPLICATE,
	TIMELINE_REPLACED
};

/* Samples the ring holds with this configuration. */
unsigned timeline_ring(const struct timeline_config *c);
/* Bytes one timeline takes with this configuration (at most TIMELINE_BYTES_MAX). */
size_t timeline_size(const struct timeline_config *c);
/* Of these, the bytes before the ring, and the bytes that are in use. */
size_t timeline_fixed_size(const struct timeline_config *c);
size_t timeline_used_size(const struct timeline *s, const struct timeline_config *c);
/* Whether a timeline that came from outside can be worked with. */
bool timeline_sound(const struct timeline *s, const struct timeline_config *c);
/* Empties it (memory of timeline_size bytes). */
void timeline_init(struct timeline *s, const struct timeline_config *c);
/*
 * Takes a sample and lets out what has become final. TIMELINE_REPLACED: it took the
 * place of *other, of the same time; TIMELINE_DUPLICATE: it was not needed.
 */
enum timeline_verdict timeline_add(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks, const struct sample *sample,
	struct sample *other);
/*
 * The end of the stream: lets out all samples and closes each hour whose end the last
 * one reaches when it holds for one typical interval, exactly as if the next sample had
 * come on time. The hour in progress is not closed.
 */
void timeline_end(struct timeline *s, const struct timeline_config *c,
	const struct timeline_hooks *hooks);

/* The usual interval between samples, ms; 0 unknown. */
int64_t timeline_step(const struct timeline *s);
/* Whether two samples of one time say the same. */
bool timeline_same(const struct sample *a, const struct sample *b);

/* The pane of that hour or day, NULL where there is none (hour: start, hours since the
 * epoch; day: start, days since the epoch). The day in progress is one of them. */
const struct pane *timeline_hour(
	const struct timeline *s, const struct timeline_config *c, int32_t hour);
const struct pane *timeline_day(
	const struct timeline *s, const struct timeline_config *c, int32_t day);

#endif
