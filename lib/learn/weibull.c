#include "learn/weibull.h"

#include <math.h>

/* Sum of exit^k - entry^k, in units of the longest exit so that nothing overflows. */
static double exposure(const struct lifetime *l, size_t n, double k, double unit)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += pow(l[i].exit / unit, k) - pow(l[i].entry / unit, k);
	return sum;
}

/* Log likelihood at shape k with the scale that suits it best, constants dropped:
 * scale^k = exposure / events. */
static double profile(const struct lifetime *l, size_t n, double k, double unit)
{
	double events = 0, logs = 0;
	for (size_t i = 0; i < n; i++)
		if (!l[i].censored) {
			events++;
			logs += log(l[i].exit / unit);
		}
	return events * log(k) + (k - 1) * logs -
	       events * log(exposure(l, n, k, unit) / events);
}

int weibull_fit(const struct lifetime *l, size_t n, struct weibull *w, struct err *err)
{
	double unit = 0, events = 0;
	for (size_t i = 0; i < n; i++) {
		unit = fmax(unit, l[i].exit);
		events += !l[i].censored;
	}
	if (events == 0)
		return err_set(err, ERR_DATA, "no battery was seen to its end of life");
	/* Golden section over log shape. */
	const double g = 0.61803398874989484820;
	double a = log(0.2), b = log(20.0);
	for (int i = 0; i < 60; i++) {
		double c = b - g * (b - a), d = a + g * (b - a);
		if (profile(l, n, exp(c), unit) > profile(l, n, exp(d), unit))
			b = d;
		else
			a = c;
	}
	w->shape = exp((a + b) / 2);
	w->scale_days =
		unit * pow(exposure(l, n, w->shape, unit) / events, 1 / w->shape);
	return 0;
}

double weibull_median_residual(const struct weibull *w, double age)
{
	double h = pow(age / w->scale_days, w->shape);
	return w->scale_days * pow(h + M_LN2, 1 / w->shape) - age;
}
