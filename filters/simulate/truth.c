/* What really is, as records. */
#include "part.h"

#include <math.h>

/* The state of a jar, and nothing of its life to come. 'code' is where its code goes.
 */
static struct rec_truth state_of(const struct part *p,
	const struct plant_string *string, int i, char code[CODE_SIZE])
{
	const struct battery_block *b = &string->blocks[i];
	return (struct rec_truth){.ts = p->plant->now,
		.battery = jar_code(string, i, code),
		.unit = string->jars[i].unit,
		.soc_pct = (float)(100 * fmax(0, b->soc)),
		.soh_pct = (float)(100 * b->capacity_ah / p->world->model.capacity_ah),
		.capacity_ah = (float)b->capacity_ah,
		.resistance_mohm = (float)b->r0_mohm,
		.core_temperature_c = (float)b->temperature_c,
		.current_a = (float)string->series.current_a,
		.gassing_a = (float)b->gassing_a,
		.rul_days = NAN,
		.end_of_life_ts = TIME_NIL,
		.censored = BOOL_NIL,
		.cause = ENUM_NIL,
		.rate_class = (int)string->jars[i].rate_class};
}

void tell_states(struct part *p, struct spool *o)
{
	char code[CODE_SIZE];
	for (int64_t i = 0; i < p->plant->nstrings; i++) {
		const struct plant_string *string = &p->plant->strings[i];
		for (int j = 0; j < jars_wanted(p->plant, string); j++) {
			struct rec_truth rec = state_of(p, string, j, code);
			spool_put(o, KIND_truth, &rec);
		}
	}
}

static void tell_jar(const struct part *p, const struct plant_string *string, int i,
	double days, enum cause_names cause, struct spool *o)
{
	char code[CODE_SIZE];
	bool known = isfinite(days);
	struct rec_truth rec = state_of(p, string, i, code);
	rec.rul_days = known ? days : NAN;
	/* of a life already over the end is not known here */
	if (known && days > 0)
		rec.end_of_life_ts = rec.ts + (int64_t)(days * (double)DAY_MS);
	rec.censored = !known;
	rec.cause = known ? (int)cause : cause_none;
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
