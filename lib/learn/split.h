/*
 * Splitting by group: all rows of a battery, a string or a site go to one part, never
 * some here and some there, because rows of one battery resemble each other and a model
 * judged on them would only show its memory.
 *
 * The groups are put in the order of a seeded hash of their code and cut by quota, so
 * the split depends on nothing but the set of batteries and the seed, and the parts
 * have their sizes also when there are few groups.
 */
#ifndef LEARN_SPLIT_H
#define LEARN_SPLIT_H

#include "base/err.h"
#include "base/ids.h"

enum split_by { SPLIT_BATTERY, SPLIT_STRING, SPLIT_SITE };
enum split_part { PART_TRAIN, PART_VALID, PART_CALIB, PART_TEST, PART_COUNT };

/* The least batteries an honest fit needs in each part. 19 to calibrate: with fewer, no
 * finite bound has 95 % above or below it (split conformal). */
enum { TRAIN_LEAST = 20, VALID_LEAST = 5, CALIB_LEAST = 19, TEST_LEAST = 10 };

struct split {
	enum split_by by;
	struct ids groups;
	uint32_t *group_of; /* by battery */
	uint8_t *part_of;   /* enum split_part, by group */
	uint32_t *place_of; /* of each group in the order of the hashes */
	size_t groups_in[PART_COUNT], batteries_in[PART_COUNT];
};

/*
 * Splits batteries (their codes). Returns 0; -1 with ERR_DATA when there are too few
 * groups, or too few batteries in a part, saying how many are needed.
 */
int split_make(struct split *s, const struct ids *batteries, enum split_by by,
	uint64_t seed, struct err *err);
/* "battery", "string", "site": returns 0, or -1 with ERR_USAGE. */
int split_by_name(const char *name, enum split_by *by, struct err *err);
const char *split_name(enum split_by by);
const char *split_part_name(enum split_part p);
static inline enum split_part split_part(const struct split *s, uint32_t battery)
{
	return (enum split_part)s->part_of[s->group_of[battery]];
}
/* One of 'folds' shares of the groups, as even as their number allows; all rows of a
 * group are in one. */
static inline int split_fold(const struct split *s, uint32_t battery, int folds)
{
	return (int)(s->place_of[s->group_of[battery]] % (uint32_t)folds);
}
void split_release(struct split *s);

#endif
