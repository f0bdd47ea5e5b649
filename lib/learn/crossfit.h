/*
 * Cross-fitting: what is foretold of each row by trees that have not seen its group.
 * The groups are dealt into folds; each fold is foretold by trees trained on all the
 * others. So every row has an error like those to be expected of a new group, and none
 * is lost to training: what differs from group to group (the sites of a fleet) is in
 * the errors, from all groups instead of a few (cross-conformal prediction; Vovk 2015,
 * "Cross-conformal predictors"; Barber, Candes, Ramdas, Tibshirani 2021, "Predictive
 * inference with the jackknife+").
 */
#ifndef LEARN_CROSSFIT_H
#define LEARN_CROSSFIT_H

#include "learn/booster.h"

enum { CROSSFIT_FOLDS = 8 };

/*
 * The margins of the rows of d, each by the p->rounds trees of the other folds, into
 * margin[d->rows]. fold[row] is 0 to CROSSFIT_FOLDS - 1, at least two of them used;
 * equal for all rows of a group. told, unless NULL, is called after each fold. Returns
 * 0, or -1.
 */
typedef void crossfit_told(void *arg, int done, int of);
int crossfit(const struct booster_data *d, const uint8_t *fold,
	const struct booster_params *p, float *margin, crossfit_told *told, void *arg,
	struct err *err);

#endif
