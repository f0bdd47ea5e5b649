#include "learn/metrics.h"

#include <math.h>
#include <stdlib.h>

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void errors(
	const struct outcome *o, size_t n, struct metrics *m, double *relative)
{
	double sum = 0, sq = 0, mean = 0, total = 0, lo = INFINITY, hi = -INFINITY,
	       width = 0;
	for (size_t i = 0; i < n; i++)
		if (!o[i].censored) {
			double e = o[i].predicted - o[i].actual;
			relative[m->rows++] = fabs(e) / fmax(o[i].actual, 1);
			sum += fabs(e);
			sq += e * e;
			mean += o[i].actual;
			width += o[i].upper - o[i].lower;
			lo = fmin(lo, o[i].actual);
			hi = fmax(hi, o[i].actual);
		}
	double k = (double)m->rows;
	mean /= k;
	for (size_t i = 0; i < n; i++)
		if (!o[i].censored)
			total += (o[i].actual - mean) * (o[i].actual - mean);
	m->mae = sum / k;
	m->rmse = sqrt(sq / k);
	m->r2 = total > 0 ? 1 - sq / total : NAN;
	m->pinaw = hi > lo ? width / k / (hi - lo) : NAN;
	qsort(relative, m->rows, sizeof(*relative), by_double);
	m->median_relative_error =
		m->rows % 2 ? relative[m->rows / 2]
			    : (relative[m->rows / 2 - 1] + relative[m->rows / 2]) / 2;
}

struct tally {
	size_t rows, inside;
};

static void coverage(const struct outcome *o, size_t n, struct metrics *m,
	struct tally *t, size_t nt)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		if (!o[i].censored) {
			t[o[i].battery].rows++;
			t[o[i].battery].inside +=
				o[i].actual >= o[i].lower && o[i].actual <= o[i].upper;
		}
	for (size_t b = 0; b < nt; b++)
		if (t[b].rows) {
			m->batteries++;
			sum += (double)t[b].inside / (double)t[b].rows;
		}
	m->picp = sum / (double)m->batteries;
	m->picp_error = sqrt(m->picp * (1 - m->picp) / (double)m->batteries);
}

int metrics_compute(
	const struct outcome *o, size_t n, struct metrics *m, struct err *err)
{
	size_t nt = 0;
	*m = (struct metrics){0, 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
	for (size_t i = 0; i < n; i++)
		if (o[i].battery >= nt)
			nt = (size_t)o[i].battery + 1;
	double *relative = calloc(n + 1, sizeof(*relative));
	struct tally *t = calloc(nt + 1, sizeof(*t));
	int r = relative && t ? 0 : err_nomem(err);
	bool any = false;
	for (size_t i = 0; i < n; i++)
		any = any || !o[i].censored;
	if (r == 0 && any) {
		errors(o, n, m, relative);
		coverage(o, n, m, t, nt);
	}
	free(relative);
	free(t);
	return r;
}

struct point {
	double time, predicted;
	bool censored;
	size_t rank; /* of the prediction, from 1; equal predictions share it */
};

static int by_prediction(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	return (x->predicted > y->predicted) - (x->predicted < y->predicted);
}

/* Longest first; of equal times the censored ones first, as they are the longer. */
static int by_time_descending(const void *a, const void *b)
{
	const struct point *x = a, *y = b;
	if (x->time != y->time)
		return x->time > y->time ? -1 : 1;
	return (int)y->censored - (int)x->censored;
}

static void tree_add(size_t *tree, size_t n, size_t i)
{
	for (; i <= n; i += i & -i)
		tree[i]++;
}

static size_t tree_sum(const size_t *tree, size_t i)
{
	size_t sum = 0;
	for (; i > 0; i -= i & -i)
		sum += tree[i];
	return sum;
}

/* Walks from the longest time down; the Fenwick tree holds the ranks of those longer.
 */
static double count_pairs(struct point *p, size_t n, size_t *tree)
{
	double agree = 0, pairs = 0;
	size_t inserted = 0;
	for (size_t i = 0; i < n;) {
		size_t end = i;
		while (end < n && p[end].time == p[i].time)
			end++;
		for (size_t j = i; j < end && p[j].censored; j++, inserted++)
			tree_add(tree, n, p[j].rank);
		for (size_t j = i; j < end; j++) {
			if (p[j].censored)
				continue;
			size_t less = tree_sum(tree, p[j].rank - 1);
			size_t upto = tree_sum(tree, p[j].rank);
			pairs += (double)inserted;
			agree +=
				(double)(inserted - upto) + 0.5 * (double)(upto - less);
		}
		for (size_t j = i; j < end; j++)
			if (!p[j].censored) {
				tree_add(tree, n, p[j].rank);
				inserted++;
			}
		i = end;
	}
	return pairs > 0 ? agree / pairs : NAN;
}

int concordance(const struct outcome *o, size_t n, double *c, struct err *err)
{
	struct point *p = calloc(n + 1, sizeof(*p));
	size_t *tree = calloc(n + 1, sizeof(*tree));
	int r = p && tree ? 0 : err_nomem(err);
	*c = NAN;
	if (r == 0) {
		for (size_t i = 0; i < n; i++)
			p[i] = (struct point){
				o[i].actual, o[i].predicted, o[i].censored, 0};
		qsort(p, n, sizeof(*p), by_prediction);
		for (size_t i = 0; i < n; i++)
			p[i].rank = i && p[i].predicted == p[i - 1].predicted
					    ? p[i - 1].rank
					    : i + 1;
		qsort(p, n, sizeof(*p), by_time_descending);
		*c = count_pairs(p, n, tree);
	}
	free(p);
	free(tree);
	return r;
}
