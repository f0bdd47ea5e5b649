/* What the parts of the twins (twins.c, twins_save.c) share; for lib/estimate alone. */
#ifndef ESTIMATE_TWINS_STATE_H
#define ESTIMATE_TWINS_STATE_H

#include "estimate/kin.h"
#include "estimate/plausible.h"
#include "estimate/twins.h"

struct entry {
	struct twin twin;
	struct plausible plausible;
	struct kin_word kin;
	int64_t last_state, last_rul;
	float last_soc, last_lnr0;
	int unit;
	uint16_t model; /* index + 1; 0: not yet resolved */
	int8_t mode;
	bool discharging : 1, hopeless : 1;
};

struct string_current {
	int64_t ts, float_ts;
	float current_a, float_a;
};

struct twins {
	struct twins_options o;
	struct roster roster;
	struct entry *entries;
	struct string_current *strings;
	struct kin kin;
	size_t cap_entries, cap_strings;
	struct ids model_ids;
	struct battery_model *models; /* by model_ids; name "" is the fallback */
	bool *usable;
	size_t cap_models;
	char warning[256];
};

/* Index + 1 of the parameters for batteries whose model has that name ("" unknown); 0
 * when out of memory. Sets the warning when something had to be assumed. */
uint16_t twins_model(struct twins *f, const char *name);

#endif
