/*
 * After the fit: intervals from the calibration part, figures from the test part, and
 * the age-only baseline they are held against.
 */
#ifndef LEARN_EVALUATE_H
#define LEARN_EVALUATE_H

#include "learn/dataset.h"
#include "learn/model.h"

/* Lives shorter than this are one class: within a week. On the log scale the last hours
 * would otherwise outweigh the last years. */
#define TRAINER_FLOOR_DAYS 7.0

/* One part of the split as matrices. */
struct part {
	float *x, *lower, *upper, *margin;
	size_t *row; /* in the dataset */
	size_t n;
};

/*
 * Fills the calibration of m and the evaluation in r (r->params is there) from the
 * parts of d, by the trees b; part[] is by enum split_part and gets its margins.
 * Returns 0, or -1 with ERR_DATA when there are too few batteries to calibrate.
 */
int model_evaluate(const struct dataset *d, const struct part *part, struct booster *b,
	double level, struct model *m, struct model_report *r, struct err *err);

/* Appends report.html, when m has its name. test: its part of d, with its margins.
 * Returns 0, or -1. */
int model_page(const struct dataset *d, const struct part *test, struct booster *b,
	const struct model *m, const struct model_report *r, struct buf *html,
	struct err *err);

#endif
