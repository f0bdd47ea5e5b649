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

/* Parts of the split as matrices. */
struct part {
	float *x;
	float *lower, *upper; /* of time, over that where the trees begin */
	float *margin;        /* foretold log time, days; from part_margins */
	float *start;         /* its share that is no tree's */
	size_t *row;          /* in the dataset */
	size_t n;
};

/* Foretells the rows of p by the trees b of 'cols' features. Returns 0, or -1. */
int part_margins(struct part *p, struct booster *b, int cols, struct err *err);

struct judged_parts {
	const struct part *learn; /* margins of trees that had not seen their group */
	const struct part *valid; /* margins of the search's trees */
	struct part *test;        /* gets its margins */
};

/*
 * Fills the calibration and the weights of m and the evaluation in r, by its trees b.
 * Returns 0, or -1 with ERR_DATA when there are too few batteries to calibrate.
 */
int model_evaluate(const struct dataset *d, const struct judged_parts *p,
	struct booster *b, double level, struct model *m, struct model_report *r,
	struct err *err);

/* Appends report.html, when m has its name. test: its part of d, with its margins.
 * Returns 0, or -1. */
int model_page(const struct dataset *d, const struct part *test, struct booster *b,
	const struct model *m, const struct model_report *r, struct buf *html,
	struct err *err);

#endif
