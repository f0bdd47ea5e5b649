#include "estimate/autonomy.h"
#include "battery/rate.h"

#include <math.h>

static const double Z90 = 1.645; /* 5 and 95 % of a normal */

static double minutes(const struct battery_model *m, double soc, double capacity_ah,
	double factor, double load_a)
{
	double got = battery_rate_fraction(m, load_a, m->capacity_ah) * factor;
	return (soc - 1 + got) * capacity_ah / load_a * 60;
}

void autonomy_estimate(const struct battery_model *m, const struct autonomy_state *s,
	double load_a, struct autonomy *out)
{
	double q = fmax(s->capacity_ah, 0.01 * m->capacity_ah);
	double k = battery_temperature_factor(m, s->temperature_c);
	double soc = fmin(fmax(s->soc, 0), 1);
	double t = minutes(m, soc, q, k, load_a);
	double per_soc = q / load_a * 60;
	double dq = 0.01 * q;
	double per_ah = (minutes(m, soc, q + dq, k, load_a) -
				minutes(m, soc, q - dq, k, load_a)) /
			(2 * dq);
	double by_table = (t + (1 - soc) * per_soc) * m->rate_fraction_std;
	double std = hypot(
		hypot(per_soc * s->soc_std, per_ah * s->capacity_std_ah), by_table);
	out->minutes = fmax(t, 0);
	out->lower_min = fmax(t - Z90 * std, 0);
	out->upper_min = fmax(t + Z90 * std, 0);
}
