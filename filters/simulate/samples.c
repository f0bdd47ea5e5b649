/* What the sensors read, as records. */
#include "simulate.h"

#include <stdlib.h>

int samples_init(struct simulation *s)
{
	const struct plant *p = s->plant;
	size_t strings = (size_t)p->nstrings;
	s->room_holds = calloc((size_t)p->nsites, sizeof(*s->room_holds));
	s->string_holds = calloc(strings, sizeof(*s->string_holds));
	s->jar_holds = calloc(
		strings * (size_t)s->fleet.jars_per_string, sizeof(*s->jar_holds));
	return s->room_holds && s->string_holds && s->jar_holds ? 0 : -1;
}

void samples_release(struct simulation *s)
{
	free(s->room_holds);
	free(s->string_holds);
	free(s->jar_holds);
}

static void sample_room(struct simulation *s, const struct plant_site *site)
{
	char code[CODE_SIZE];
	struct rec_environment e;
	struct sense_hold *hold = &s->room_holds[site - s->plant->sites];

	if (!sense_room(&s->sensors, s->plant, site, hold, &e))
		return;
	e.sensor = sensor_code(site, code);
	flow_emit(s->flow, KIND_environment, &e);
}

static void sample_string(struct simulation *s, int64_t i)
{
	const struct plant_string *string = &s->plant->strings[i];
	struct sense_hold *holds = &s->jar_holds[i * string->series.n];
	struct rec_string_telemetry whole;
	char code[CODE_SIZE];

	if (!sense_string(&s->sensors, s->plant, string, &s->string_holds[i], &whole))
		return;
	whole.string = str_of(string->code);
	if (s->due[SAMPLE_STRING])
		flow_emit(s->flow, KIND_string_telemetry, &whole);
	for (int j = 0; s->due[SAMPLE_JAR] && j < jars_wanted(s, string); j++) {
		struct rec_telemetry t;
		if (!sense_jar(&s->sensors, s->plant, string, j, whole.current_a,
			    &holds[j], &t))
			continue;
		t.battery = jar_code(string, j, code);
		flow_emit(s->flow, KIND_telemetry, &t);
	}
}

void emit_samples(struct simulation *s)
{
	const struct plant *p = s->plant;
	for (int64_t i = 0; i < p->nstrings && !flow_interrupted(s->flow); i++) {
		if (s->due[SAMPLE_ROOM] && first_of(s, i, false))
			sample_room(s, &p->sites[p->strings[i].site]);
		sample_string(s, i);
	}
}
