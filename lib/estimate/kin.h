/*
 * What the blocks of a string and a site tell of one another. What no sensor sees —
 * how a room is kept, how a string was charged before — ages them alike: ln of a
 *block's rate of ageing (y of estimate/wear.h) is that of its site, of its string and
 *its own,
 *
 *	y = site + string + block
 *
 * each normal about 0 with the deviation rate_sigma_site, rate_sigma_string and
 * rate_sigma_block of the battery model. What the past of a block has taught of its y,
 * as if it had no kin, is kept as a Gaussian; the sums over strings and sites then tell
 * what any other block's y is, before a sensor of its own has spoken: exactly, for this
 * is a tree of Gaussians (best linear unbiased prediction; Henderson 1975, Biometrics
 * 31, 423). A block that was replaced goes on telling what its life was like.
 *
 * Blocks of one model only are kin: the error of a model is no site's.
 */
#ifndef ESTIMATE_KIN_H
#define ESTIMATE_KIN_H

#include "base/ids.h"
#include "base/walk.h"
#include "estimate/wear.h"

#include <stdbool.h>

/* A Gaussian: one over its variance, and that times its mean. */
struct kin_sum {
	double precision, weighted;
};

struct kin_string {
	struct kin_sum units;
	uint32_t site;  /* with its model */
	uint16_t model; /* 0: none has been told of */
};

struct kin {
	struct ids site_ids;
	struct kin_sum *sites;
	struct kin_string *strings; /* by the number of the string */
	size_t cap_sites, cap_strings;
};

/* What one unit has told its string; all zero: nothing. */
struct kin_word {
	float precision, mean;
};

/*
 * Before anything measured at the unit itself: its y by all others. The population's,
 * mean 0 and variance rate_sigma^2, where the model does not split that, or no unit of
 * the string has been asked to tell anything. 'word' is the unit's own, which is left
 * out; 'model' is any number, not 0, of its battery model m.
 */
struct wear_rate kin_rate(const struct kin *k, const struct battery_model *m,
	uint16_t model, uint32_t string, const struct kin_word *word);

/*
 * The unit at 'code', of a string of that number, believed y to be 'before', and by
 * what was measured at it believes 'now': takes what lies between as its word, for the
 * last one. Returns 0, or -1 when out of memory.
 */
int kin_tell(struct kin *k, const struct battery_model *m, uint16_t model,
	uint32_t string, struct str code, struct wear_rate before, struct wear_rate now,
	struct kin_word *word);

/* Writes what is known, or reads it into an empty one, of 'strings' strings. */
void kin_walk(struct walk *w, struct kin *k, size_t strings);
void kin_release(struct kin *k);

#endif
