/*
 * How much the learned estimate weighs beside the twin's, by evidence: on rows that the
 * model has not seen, per horizon of what it foretells, the weight in steps of a
 * twentieth that makes the mean absolute error of the fused estimate least. Neither
 * estimate alone is better there, as 0 and 1 are among them.
 */
#ifndef LEARN_WEIGHTS_H
#define LEARN_WEIGHTS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Horizons of the learned estimate: up to 90 days, up to a year, beyond. */
enum { WEIGHTS_ROWS = 3 };
extern const double WEIGHTS_BELOW[WEIGHTS_ROWS]; /* days; the last infinite */

/* A horizon that fewer batteries show takes the weight of all together. */
enum { WEIGHTS_BATTERIES = 30 };

struct weights_row {
	double weight;               /* of the learned estimate, 0 to 1 */
	double learned, twin, fused; /* mean absolute errors, days; NaN none */
	size_t batteries;
};

struct weights {
	bool known; /* without evidence there are none */
	struct weights_row row[WEIGHTS_ROWS];
};

/* One row that was seen to its end, and both words on it. Days. */
struct weights_case {
	double learned, twin, actual;
	uint32_t battery;
};

/* Of n cases, in any order. Returns 0, or -1 when out of memory. */
int weights_learn(
	const struct weights_case *c, size_t n, struct weights *w, struct err *err);
/* The weight for a learned estimate of so many days; NaN where none is known. */
double weights_of(const struct weights *w, double learned);

#endif
