#include "report/box.h"

#include <gsl/gsl_statistics_double.h>

static const double WHISKER = 1.5;

struct box box_of(const double *v, size_t n)
{
	struct box b = {.n = n,
		.q1 = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.25),
		.median = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.5),
		.q3 = gsl_stats_quantile_from_sorted_data(v, 1, n, 0.75),
		.mean = gsl_stats_mean(v, 1, n)};
	double reach = WHISKER * (b.q3 - b.q1);
	size_t i = 0, k = n - 1;
	while (v[i] < b.q1 - reach)
		i++;
	while (v[k] > b.q3 + reach)
		k--;
	b.low = v[i];
	b.high = v[k];
	return b;
}
