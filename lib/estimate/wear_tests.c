/*
 * Capacity tests whose errors are alike. The error of a test is that of the
 * measurement, its own, and beside it a part that lasts: e' = a·e + w with
 * a = exp(-dt/tau), as cells that have rested give more for some cycles. A test made of
 * several (wear.c) counts as their mean, spread evenly over the ages they had. However
 * far off, a measured capacity is no sensor's reading, and held back by nothing: the
 * worse it is, the more it counts.
 */
#include "estimate/wear_parts.h"

#include <math.h>

/* The mean of exp(-x) from 0 to x. */
static double mean_decay(double x)
{
	return x > 1e-6 ? -expm1(-x) / x : 1;
}

/* Variance of the mean over x lasting times of a process of variance 1. */
static double mean_var(double x)
{
	return x > 1e-3 ? 2 * (x + expm1(-x)) / (x * x) : 1 - x / 3;
}

/* Lasting times between the ends of what a test was made of. */
static double span(const struct wear *a, int test, double lasts)
{
	return sqrt(12) * wear_spread(a, test) / lasts;
}

/* Covariance of the errors that last of tests i <= j, whose variance is 1. */
static double alike(const struct wear *a, int i, int j, double lasts)
{
	const struct wear_test *x = &a->test[i], *y = &a->test[j];
	double long_x = span(a, i, lasts), long_y = span(a, j, lasts);
	double apart = ((double)y->aged - (double)x->aged) / lasts;
	if (i == j)
		return mean_var(long_x);
	return exp(-fmax(0, apart - (long_x + long_y) / 2)) * mean_decay(long_x) *
	       mean_decay(long_y);
}

/* In lives: days as they have aged it so far. */
static double lasting(const struct wear *a, const struct battery_model *m)
{
	double a_day = a->days > 0 ? (double)(a->aged / a->days) : 0;
	return fmax(m->capacity_error_days * a_day, 1e-9);
}

/* Cholesky's without roots. */
void wear_tests_untangle(const struct wear *a, const struct battery_model *m,
	double evidence, struct wear_tests *out)
{
	double error_var = m->capacity_error * m->capacity_error;
	double lasts = error_var > 0 ? lasting(a, m) : 1;
	for (int i = 0; i < a->tests; i++) {
		out->spread[i] = error_var > 0 ? wear_spread(a, i) : 0;
		for (int j = 0; j <= i; j++) {
			double c =
				error_var > 0 ? error_var * alike(a, j, i, lasts) : 0;
			for (int k = 0; k < j; k++)
				c -= out->share[i][k] * out->share[j][k] * out->var[k];
			if (j < i)
				out->share[i][j] = c / out->var[j];
			else
				out->var[i] = evidence * (double)a->test[i].var + c;
		}
	}
}

double wear_tests_say(const struct wear *a, const struct wear_tests *t,
	const double faded[WEAR_TESTS], double *c0, double *c0_var)
{
	double z[WEAR_TESTS], of_c0[WEAR_TESTS];
	double b = (double)a->c0, p = (double)a->c0_var, chi2 = 0, var = 1;
	for (int i = 0; i < a->tests; i++) {
		z[i] = (double)a->test[i].soh + faded[i];
		of_c0[i] = 1;
		for (int j = 0; j < i; j++) {
			z[i] -= t->share[i][j] * z[j];
			of_c0[i] -= t->share[i][j] * of_c0[j];
		}
		double u = of_c0[i] * p, v = of_c0[i] * u + t->var[i];
		double e = z[i] - of_c0[i] * b;
		b += u / v * e;
		p -= u * u / v;
		chi2 += e * e / v;
		var *= v;
	}
	*c0 = b;
	*c0_var = p;
	return -0.5 * (chi2 + log(var));
}
