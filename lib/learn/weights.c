#include "learn/weights.h"

#include <math.h>
#include <stdlib.h>

const double WEIGHTS_BELOW[WEIGHTS_ROWS] = {90, 365, INFINITY};

enum { STEPS = 20 };

static int row_of(double learned)
{
	int i = 0;
	while (i < WEIGHTS_ROWS - 1 && learned >= WEIGHTS_BELOW[i])
		i++;
	return i;
}

/* row < 0: all cases. */
static double error_at(const struct weights_case *c, size_t n, int row, double w)
{
	double sum = 0, k = 0;
	for (size_t i = 0; i < n; i++)
		if (row < 0 || row_of(c[i].learned) == row) {
			sum += fabs(
				w * c[i].learned + (1 - w) * c[i].twin - c[i].actual);
			k++;
		}
	return sum / k;
}

static double best_weight(const struct weights_case *c, size_t n, int row)
{
	double best = 1, least = error_at(c, n, row, 1);
	for (int i = STEPS - 1; i >= 0; i--) {
		double w = (double)i / STEPS, e = error_at(c, n, row, w);
		if (e < least) {
			least = e;
			best = w;
		}
	}
	return best;
}

static size_t count_batteries(
	const struct weights_case *c, size_t n, int row, uint8_t *seen, size_t most)
{
	size_t k = 0;
	for (size_t i = 0; i < most; i++)
		seen[i] = 0;
	for (size_t i = 0; i < n; i++)
		if (row_of(c[i].learned) == row && !seen[c[i].battery]) {
			seen[c[i].battery] = 1;
			k++;
		}
	return k;
}

int weights_learn(
	const struct weights_case *c, size_t n, struct weights *w, struct err *err)
{
	size_t most = 1;
	*w = (struct weights){.known = n > 0};
	if (n == 0)
		return 0;
	for (size_t i = 0; i < n; i++)
		if (c[i].battery >= most)
			most = (size_t)c[i].battery + 1;
	uint8_t *seen = malloc(most);
	if (!seen)
		return err_nomem(err);
	double all = best_weight(c, n, -1);
	for (int i = 0; i < WEIGHTS_ROWS; i++) {
		struct weights_row *r = &w->row[i];
		r->batteries = count_batteries(c, n, i, seen, most);
		r->weight =
			r->batteries < WEIGHTS_BATTERIES ? all : best_weight(c, n, i);
		r->learned = error_at(c, n, i, 1);
		r->twin = error_at(c, n, i, 0);
		r->fused = error_at(c, n, i, r->weight);
	}
	free(seen);
	return 0;
}

double weights_of(const struct weights *w, double learned)
{
	return w->known ? w->row[row_of(learned)].weight : NAN;
}
