/*
 * Signals: quantities that a rule can use like a field, but that no single field holds,
 * because they need the battery's set-point, its baseline, its string, the room, or
 * what came before. Each belongs to one record kind and is computed when such a record
 * comes
 * ('silence_s' as time passes). NaN means missing: the rule is then not evaluated.
 */
#ifndef RULES_SIGNAL_H
#define RULES_SIGNAL_H

#include "record/kinds.h"

enum signal_id {
	SIGNAL_FLOAT_DEVIATION_V,
	SIGNAL_TEMPERATURE_RISE_K,
	SIGNAL_RESISTANCE_DRIFT_PCT,
	SIGNAL_SILENCE_S,
	SIGNAL_JAR_MEAN_V,
	SIGNAL_JAR_MEAN_25C_V,
	SIGNAL_RIPPLE_PCT,
	SIGNAL_FLOAT_CURRENT_MA_PER_AH,
	SIGNAL_STRING_SILENCE_S,
	SIGNAL_MEAN_DEVIATION_V,
	SIGNAL_RUNAWAY_RATIO,
	SIGNAL_OUTAGES_24H,
	SIGNAL_BEST_RUL_DAYS,
	SIGNAL_RUL_DROP_PCT,
	SIGNAL_IMBALANCE_DRIFT_V,
	SIGNAL_COUNT
};

struct signal {
	enum signal_id id;
	enum kind kind;
	const char *name, *unit;
	uint32_t quality; /* quality bits that make it missing */
	const char *doc;
};

/* Whether it changes as time passes, without a record. */
static inline bool signal_is_timed(const struct signal *g)
{
	return g->id == SIGNAL_SILENCE_S || g->id == SIGNAL_STRING_SILENCE_S ||
	       g->id == SIGNAL_OUTAGES_24H;
}

/* The signal of that kind and name, or NULL. */
const struct signal *signal_find(int kind, struct str name);

#endif
