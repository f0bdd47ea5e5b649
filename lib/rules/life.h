/*
 * The life of one alert: pending -> firing -> resolved, of fixed size, one for each
 *rule and subject. Time is event time and never goes back: an older sample is ignored.
 *
 *	idle ──over──> pending ──held for 'for'──> firing <──> firing (severity changes)
 *	  ^               │ not over, or a gap       │ clear for 'keep'
 *	  └───────────────┴──────── resolved <───────┘
 *
 * Under a maintenance window an alert that would fire is suppressed instead; it fires
 * when the window ends and the condition still holds, keeping its id.
 * A sample between threshold and clearing threshold keeps what is: it neither starts a
 * pending alert nor lets a firing one clear. Missing data is no sample at all.
 */
#ifndef RULES_LIFE_H
#define RULES_LIFE_H

#include "rules/rule.h"

enum life_phase { LIFE_IDLE, LIFE_PENDING, LIFE_SUPPRESSED, LIFE_FIRING };

/* Zero-initialised is idle. */
struct life {
	int64_t since[LEVEL_COUNT]; /* the level's condition holds since */
	int64_t clear[LEVEL_COUNT]; /* clear since; TIME_NIL: not clear */
	int64_t start;              /* the alert's, part of its id */
	int64_t seen;               /* last sample */
	int64_t shelved;            /* somebody wants no word of it until then */
	int64_t fired;              /* at */
	float value, threshold;     /* last told */
	uint8_t phase;
	uint8_t level; /* while firing or suppressed */
	bool on[LEVEL_COUNT];
	bool claimed;      /* its incident speaks for it: told as suppressed */
	uint32_t incident; /* number of the incident it belongs to, 0 none: its owner's
			    */
};

enum life_change {
	LIFE_SAME,
	LIFE_STARTED, /* pending */
	LIFE_LAPSED,  /* pending no more */
	LIFE_FIRED,   /* also after suppression */
	LIFE_SHIFTED, /* to another severity */
	LIFE_HELD,    /* suppressed */
	LIFE_RESOLVED,
};

/* What a sample says of a rule: for each level, over its threshold, or clear of it, or
 * in between (neither). A level the rule does not have is clear. */
struct verdict {
	bool over[LEVEL_COUNT], clear[LEVEL_COUNT];
};

/* A pending alert lapses when no sample came for its 'for' and this much more. */
#define LIFE_GAP_MS (15 * MINUTE_MS)

/* Takes the sample of time ts. suppressed: a maintenance window is open now. At most
 * one change a sample. */
enum life_change life_step(struct life *l, const struct rule *r, int64_t ts,
	const struct verdict *v, bool suppressed);

/* Ends it at ts whatever its condition (its battery was replaced). Returns
 * LIFE_RESOLVED when it was firing or suppressed, else LIFE_SAME. */
enum life_change life_reset(struct life *l);

/* Compares value with lo..hi of a level: 'limits' are the four numbers of limit_values;
 * NaN limits are neither over nor clear. */
struct level_limits {
	double lo, hi, clear_lo, clear_hi;
};
void life_judge(const struct rule *r, enum level level, const struct level_limits *lim,
	double value, struct verdict *out);

#endif
