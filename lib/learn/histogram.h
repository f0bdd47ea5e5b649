/*
 * The reference histogram of a feature: how its values lay in training, in bins of
 * about a tenth of the rows each, so that predict can say when a fleet has moved away
 * from it. Bin i holds edge[i-1] <= x < edge[i]; the first is open below, the last
 * above. Missing values are not in it: the feature's 'present' tells them.
 */
#ifndef LEARN_HISTOGRAM_H
#define LEARN_HISTOGRAM_H

#include <stddef.h>

enum { HISTOGRAM_BINS = 10 };

struct histogram {
	int n; /* bins; 0: none was made */
	float edge[HISTOGRAM_BINS - 1];
	float share[HISTOGRAM_BINS]; /* of the values present; they add up to 1 */
};

/*
 * Of n values (none NaN), which are sorted in place. Equal values stay in one bin, so
 * there may be fewer than HISTOGRAM_BINS; all equal: one. n == 0 gives none.
 */
void histogram_of(float *v, size_t n, struct histogram *h);
/* The bin of x (not NaN), 0 to h->n - 1. */
int histogram_bin(const struct histogram *h, float x);

#endif
