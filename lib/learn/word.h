/*
 * What the twin last said of a battery, as a model may use it: the remaining life it
 * foretells, with its bounds, and the state it foretells that from. The state says what
 * the estimate cannot: how sure the twin is of the capacity, and whether the voltages
 * bear it out.
 */
#ifndef LEARN_WORD_H
#define LEARN_WORD_H

#include "record/kinds.h"

#include <math.h>

/* A word older than this says nothing any more. */
#define TWIN_WORD_MS (2 * DAY_MS)

enum {
	TWIN_RUL,
	TWIN_LOWER,
	TWIN_UPPER,
	TWIN_OF_RUL, /* those before are of rul records, those after of twin states */
	TWIN_SOH = TWIN_OF_RUL,
	TWIN_SOH_STD,
	TWIN_R0,
	TWIN_R0_STD,
	TWIN_GASSING,
	TWIN_NIS,
	TWIN_RMSE,
	TWIN_WORDS
};

struct twin_word {
	int64_t rul_ts, state_ts; /* when it said so; TIME_NIL never */
	double v[TWIN_WORDS];     /* NaN nothing */
};

struct twin_name {
	const char *name, *unit;
};
/* What each is called as a feature. */
extern const struct twin_name TWIN_NAMES[TWIN_WORDS];

/* Nothing said yet. */
struct twin_word twin_word_none(void);
/* The estimate of r, whose source is twin. */
void twin_word_rul(struct twin_word *w, const struct rec_rul *r);
void twin_word_state(struct twin_word *w, const struct rec_twin_state *r);
/* What of it still counts at time ts. */
struct twin_word twin_word_at(const struct twin_word *w, int64_t ts);

#endif
