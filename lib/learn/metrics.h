/*
 * How good remaining-life estimates are, on batteries the model has not seen.
 * Errors are over rows whose end was seen; days throughout.
 */
#ifndef LEARN_METRICS_H
#define LEARN_METRICS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct outcome {
	double predicted, lower, upper; /* days */
	double actual;                  /* days; at least so long when censored */
	bool censored;
	uint32_t battery;
};

struct metrics {
	size_t rows, batteries; /* with an end seen */
	double mae, rmse, r2, median_relative_error;
	double concordance;
	double picp; /* share of actuals within their bounds, batteries weighing alike
		      */
	double picp_error; /* its binomial standard error, by battery */
	double pinaw;      /* mean width over the range of actuals */
};

/* Returns 0, or -1 when out of memory; without rows the figures are NaN. concordance is
 * not computed here (NaN): see below. */
int metrics_compute(
	const struct outcome *o, size_t n, struct metrics *m, struct err *err);

/*
 * Harrell's C: of all pairs where the one with the shorter time was seen to its end,
 * the share in which it also had the shorter prediction (ties of predictions count
 * half; a censored time equal to a seen one is the longer). O(n log n). *c is NaN
 * without such pairs. Returns 0, or -1 when out of memory.
 */
int concordance(const struct outcome *o, size_t n, double *c, struct err *err);

#endif
