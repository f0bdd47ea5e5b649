/* What the sensors read, as records. */
#include "part.h"

static void sample_room(struct part *p, const struct plant_site *site, struct spool *o)
{
	char code[CODE_SIZE];
	struct rec_environment e;
	struct sense_hold *hold = &p->room_holds[site - p->plant->sites];

	if (!sense_room(&p->world->sensors, p->plant, site, hold, &e))
		return;
	e.sensor = sensor_code(site, code);
	spool_put(o, KIND_environment, &e);
}

static void sample_jars(struct part *p, int64_t i, float current_a,
	struct sense_hold *holds, struct spool *o)
{
	const struct plant_string *string = &p->plant->strings[i];
	char code[CODE_SIZE];

	for (int j = 0; j < jars_wanted(p->plant, string); j++) {
		struct rec_telemetry t;
		if (!sense_jar(&p->world->sensors, p->plant, string, j, current_a,
			    &holds[j], &t))
			continue;
		t.battery = jar_code(string, j, code);
		spool_put(o, KIND_telemetry, &t);
	}
}

static void sample_string(struct part *p, int64_t i, const bool *due,
	struct sense_hold *jar_holds, struct spool *o)
{
	const struct plant_string *string = &p->plant->strings[i];
	struct rec_string_telemetry whole;

	/* Read when it is not due as well: that is when it may get stuck. */
	if (!sense_string(
		    &p->world->sensors, p->plant, string, &p->string_holds[i], &whole))
		return;
	whole.string = str_of(string->code);
	if (due[SAMPLE_STRING])
		spool_put(o, KIND_string_telemetry, &whole);
	if (due[SAMPLE_JAR])
		sample_jars(p, i, whole.current_a, jar_holds, o);
}

void tell_samples(struct part *p, const bool due[SAMPLES], struct spool *o)
{
	const struct plant *plant = p->plant;
	struct sense_hold *jar_holds = p->jar_holds;
	for (int64_t i = 0; i < plant->nstrings; i++) {
		if (due[SAMPLE_ROOM] && first_of(p, i, false))
			sample_room(p, &plant->sites[plant->strings[i].site], o);
		sample_string(p, i, due, jar_holds, o);
		jar_holds += plant->strings[i].series.n;
	}
}
