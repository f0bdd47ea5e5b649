#include "learn/histogram.h"

#include <stdlib.h>

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

int histogram_bin(const struct histogram *h, float x)
{
	int i = 0;
	while (i < h->n - 1 && x >= h->edge[i])
		i++;
	return i;
}

void histogram_of(float *v, size_t n, struct histogram *h)
{
	*h = (struct histogram){0};
	if (n == 0)
		return;
	qsort(v, n, sizeof(*v), by_float);
	h->n = 1;
	for (size_t i = 1; i < HISTOGRAM_BINS; i++) {
		float edge = v[n * i / HISTOGRAM_BINS];
		if (edge > v[0] && (h->n == 1 || edge > h->edge[h->n - 2]))
			h->edge[h->n++ - 1] = edge;
	}
	size_t count[HISTOGRAM_BINS] = {0};
	for (size_t i = 0; i < n; i++)
		count[histogram_bin(h, v[i])]++;
	for (int i = 0; i < h->n; i++)
		h->share[i] = (float)((double)count[i] / (double)n);
}
