/* What really is, as records. */
#include "part.h"

#include <math.h>

static void tell_jar(const struct part *p, const struct plant_string *string, int i,
	double days, enum cause_names cause, struct spool *o)
{
	char code[CODE_SIZE];
	const struct battery_block *b = &string->blocks[i];
	int64_t now = p->plant->now;
	bool known = isfinite(days);
	struct rec_truth rec = {.ts = now,
		.battery = jar_code(string, i, code),
		.unit = string->jars[i].unit,
		.soc_pct = (float)(100 * fmax(0, b->soc)),
		.soh_pct = (float)(100 * b->capacity_ah / p->world->model.capacity_ah),
		.capacity_ah = (float)b->capacity_ah,
		.resistance_mohm = (float)b->r0_mohm,
		.core_temperature_c = (float)b->temperature_c,
		.current_a = (float)string->series.current_a,
		.gassing_a = (float)b->gassing_a,
		.rul_days = known ? days : NAN,
		/* of a life already over the end is not known here */
		.end_of_life_ts = known && days > 0
					  ? now + (int64_t)(days * (double)DAY_MS)
					  : TIME_NIL,
		.censored = !known,
		.cause = known ? (int)cause : cause_none,
		.rate_class = (int)string->jars[i].rate_class};
	spool_put(o, KIND_truth, &rec);
}

int tell_truth(struct part *p, struct spool *o)
{
	for (int64_t i = 0; i < p->plant->nstrings; i++) {
		struct plant_string *string = &p->plant->strings[i];
		double days[SERIES_MAX];
		enum cause_names causes[SERIES_MAX];
		if (plant_life(p->plant, string, days, causes) < 0)
			return -1;
		for (int j = 0; j < jars_wanted(p->plant, string); j++)
			tell_jar(p, string, j, days[j], causes[j], o);
	}
	return 0;
}
