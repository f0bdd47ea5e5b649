/*
 * The features a model may use: the twin's estimate of the remaining life and its
 * state, which gather by the laws of ageing what the records of years say, and every
 * measured field of a feature record, found by name in the record definitions, so that
 * a new field becomes a new feature without a word here. What describes the measuring
 * rather than the battery (times, counts, coverage, the standard error of a slope) is
 * left out: it changes with the sampling interval, and a model that used it would know
 * one interval only.
 */
#ifndef LEARN_FEATURES_H
#define LEARN_FEATURES_H

#include "learn/word.h"
#include "record/schema.h"

struct feature_def {
	const char *name, *unit; /* of the record definitions, static */
	const struct field_info
		*field; /* of a feature record; NULL: of the twin's word */
	int twin;       /* place in the twin's word */
};

struct feature_set {
	int n;
	struct feature_def v[FIELDS_MAX];
};

/* All features this build knows, in the order of the record definitions. */
void feature_set_all(struct feature_set *s);
/* Whether the feature is of the twin's word, not of feature records. */
bool feature_is_twin(const char *name);
/* Appends the feature of that name. Returns 0, or -1 when this build has none. */
int feature_set_add(struct feature_set *s, struct str name);
/* The features of r and the twin's word into out[s->n], in the set's order; missing and
 * not finite: NaN. */
void feature_values(const struct feature_set *s, const struct rec_feature *r,
	const struct twin_word *t, float *out);

#endif
