/*
 * What a box plot shows of a sample (Tukey 1977, "Exploratory Data Analysis"): the
 * quartiles, and whiskers to the last values within one and a half times their
 * distance; what lies beyond is an outlier and shown by itself.
 */
#ifndef REPORT_BOX_H
#define REPORT_BOX_H

#include <stdbool.h>
#include <stddef.h>

struct box {
	size_t n;
	double low, q1, median, q3, high; /* low, high: the ends of the whiskers */
	double mean;                      /* of all, outliers as well */
};

/* Of v[n], n > 0, in rising order, no NaN. */
struct box box_of(const double *v, size_t n);

static inline bool box_outlier(const struct box *b, double v)
{
	return v < b->low || v > b->high;
}

#endif
