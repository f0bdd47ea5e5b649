/*
 * From a training matrix to a model: split by group, fit with early stopping,
 * calibrate, and judge on batteries that had no part in any of it.
 */
#ifndef LEARN_TRAINER_H
#define LEARN_TRAINER_H

#include "learn/dataset.h"
#include "learn/model.h"

struct trainer_options {
	enum split_by split;
	uint64_t seed;
	int window_h, rounds, patience, depth;
	double eta;
	double level; /* of the intervals, 0.9 */
	int trials;   /* of the search for hyperparameters, >= 1 (search.h) */
	/* After each trial, may be NULL. */
	void (*progress)(void *arg, int done, int of, double error, double best);
	/* After each fold of the cross-fitting, may be NULL. */
	void (*folds)(void *arg, int done, int of);
	void *arg;        /* of both */
	struct buf *html; /* the report for people is appended here; NULL: none */
};

/* Fewer lives seen to their end teach nothing that would hold. */
enum { TRAINER_ENDS_LEAST = 10 };

/*
 * Trains on the finished dataset d. Fills m and r and appends the trees to 'booster'.
 * Returns 0; -1 with ERR_DATA when there are too few batteries, or too few seen to
 * their end, saying how many are needed.
 */
int trainer_fit(const struct dataset *d, const struct trainer_options *o,
	struct model *m, struct model_report *r, struct buf *booster, struct err *err);

#endif
