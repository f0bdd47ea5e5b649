#include "base/rng.h"

#include <math.h>

static double tail(double q)
{
	return (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q -
			  2.400758277161838e+00) *
				 q -
			 2.549732539343734e+00) *
				q +
			4.374664141464968e+00) *
			       q +
		       2.938163982698783e+00) /
	       ((((7.784695709041462e-03 * q + 3.224671290700398e-01) * q +
			 2.445134137142996e+00) *
				q +
			3.754408661907416e+00) *
			       q +
		       1);
}

double normal_quantile(double p)
{
	if (p < 0.02425)
		return tail(sqrt(-2 * log(p)));
	if (p > 1 - 0.02425)
		return -tail(sqrt(-2 * log1p(-p)));
	double q = p - 0.5, r = q * q;
	double num = ((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r -
			       2.759285104469687e+02) *
				      r +
			      1.383577518672690e+02) *
				     r -
			     3.066479806614716e+01) *
			     r +
		     2.506628277459239e+00;
	double den = ((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r -
			       1.556989798598866e+02) *
				      r +
			      6.680131188771972e+01) *
				     r -
			     1.328068155288572e+01) *
			     r +
		     1;
	return num * q / den;
}

double rng_normal(uint64_t key, uint64_t counter)
{
	return normal_quantile(rng_uniform(key, counter));
}

int rng_poisson(uint64_t key, uint64_t counter, double mean)
{
	double u = rng_uniform(key, counter), p = exp(-mean), sum = p;
	int n = 0;
	while (u > sum && n < 1000) {
		p *= mean / ++n;
		sum += p;
	}
	return n;
}
