/* What a twin believes, for others. */
#include "estimate/twin_parts.h"

#include <math.h>

static const double RELATION_STD =
	0.12; /* ln R/Rnew given SOH: the unit's own, for good */

void twin_soc(const struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, double *soc, double *std)
{
	(void)m;
	*soc = fmin(fmax(w->ekf.x[EKF_SOC], 0), 1);
	double var = w->ekf.p[EKF_SOC][EKF_SOC];
	/* On long float SOC is not read off the table. */
	if (w->regime != TWIN_FLOAT)
		var += square(k->table_soc);
	*std = sqrt(var);
}

struct ageing twin_ageing(const struct twin *w, const struct battery_model *m)
{
	struct ageing a = w->ageing;
	(void)m;
	if (w->ln_ratio_n >= 3)
		ageing_relate_resistance(
			&a, w->ln_ratio, square(RELATION_STD) + w->baseline_var);
	return a;
}

void twin_soh(
	const struct twin *w, const struct battery_model *m, double *soh, double *std)
{
	struct ageing a = twin_ageing(w, m);
	ageing_soh(&a, soh, std);
}

double twin_acceleration(const struct twin *w, const struct battery_model *m)
{
	(void)m;
	return w->days > 1.0 / 24 ? w->aged_days / w->days : w->acceleration;
}
