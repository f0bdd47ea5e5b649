/* The parts of simulate: options and pace (main.c), records of the plant (records.c)
 * and of its sensors (samples.c).
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include "site/sense.h"
#include "stream/flow.h"

struct control;

enum { SAMPLE_ROOM, SAMPLE_STRING, SAMPLE_JAR, SAMPLES };

struct simulation {
	struct fleet fleet;
	struct battery_model model;
	struct sensors sensors;
	struct plant *plant;
	struct flow *flow;
	/* of stuck sensors: per site, string, jar */
	struct sense_hold *room_holds, *string_holds, *jar_holds;
	bool due[SAMPLES];          /* what emit_samples writes */
	struct scenario *scenarios; /* of the command line, until they are planned */
	size_t nscenarios;
	struct control *control; /* NULL: nobody commands */
};

enum { CODE_SIZE = CODE_MAX + 1 };

/* How many jars of the string were asked for: the last string may be cut. */
int jars_wanted(const struct simulation *s, const struct plant_string *string);
/* Codes, written into dst[CODE_SIZE]. */
struct str jar_code(const struct plant_string *s, int jar, char *dst);
struct str sensor_code(const struct plant_site *site, char *dst);
/* True for the first string of its site, or of its system (false: of its site). */
bool first_of(const struct simulation *s, int64_t i, bool of_system);

/* Master records: everything first, or one jar again after its replacement. */
void emit_masters(struct simulation *s);
/* What happened since the last sample. */
void emit_happenings(struct simulation *s);
/* control.c: listens for commands at a ZeroMQ endpoint. NULL with err when it cannot.
 */
struct control *control_open(const char *endpoint, struct err *err);
void control_close(struct control *c);
/* Waits until the clock says 'due' and later by the time the run was stopped, and obeys
 * commands meanwhile. False: a signal came. */
bool control_wait(struct simulation *s, struct control *c, int64_t due);
/* main.c: the wall clock, ms. */
int64_t clock_ms(void);

/* scenarios.c: reads --scenario, each a name and target or a file. Returns 0 or -1. */
int scenarios_read(struct simulation *s, const struct strlist *list, struct err *err);
/* Plans them; 'origin' is the start of the run proper, 'elsewhere' that a target may be
 * in another shard. Returns 0 or -1. */
int scenarios_plan(
	struct simulation *s, int64_t origin, bool elsewhere, struct err *err);
void scenarios_identify(const struct strlist *list, struct buf *b);

/* samples.c: makes room for what stuck sensors hold. Returns 0, or -1: no memory. */
int samples_init(struct simulation *s);
void samples_release(struct simulation *s);
/* One sample of all sensors, at the plant's now. */
void emit_samples(struct simulation *s);
/* What really is. Returns 0, or -1 when out of memory. */
int emit_truth(struct simulation *s);

#endif
