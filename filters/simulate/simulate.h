/*
 * The parts of simulate. main.c has the options and sets everything up; run.c says what
 * is done when; the engine (engine.h) computes it in parts of the fleet (part.h), which
 * encode what they have to say; deliver.c puts that together and out.
 */
#ifndef SIMULATE_H
#define SIMULATE_H

#include "engine.h"
#include "options.h"

#include "export/export.h"
#include "stream/flow.h"

struct control;

struct simulation {
	struct world world;
	struct part parts[JOBS_MAX];
	int nparts;
	struct engine *engine;
	struct flow *flow;
	struct scenario *scenarios; /* of the command line, until they are planned */
	size_t nscenarios;
	struct control *control; /* NULL: nobody commands */
	struct export *dataset;  /* NULL: none is asked for */
	bool truth_streamed;     /* else it is for the dataset alone */
	int64_t stopped_ms; /* by command, in all: how far it is behind the clock */
};

/* parts.c: the strings that are asked for, in at most o->jobs parts. Returns 0, or -1
 * with err: no memory, or no such string. */
int parts_open(struct simulation *s, const struct options *o, struct err *err);

/* run.c: everything from the first record to the last. */
void run(struct simulation *s, const struct options *o);

/* deliver.c: where records go out. */
void deliver_masters(struct simulation *s);
/* Waits for the oldest plan of the engine and writes what came of it. */
void deliver_plan(struct simulation *s);

/* dataset.c: begins the dataset that is asked for, once the flow is open. Returns 0 or
 * -1. */
int dataset_begin(struct simulation *s, const struct options *o, struct err *err);
/* Adds n records of a kind, end to end at p. A failure fails the flow. */
void dataset_add(
	struct simulation *s, int kind, int64_t n, const uint8_t *p, size_t len);
/* Gives it its name if all of it was written. False: a signal came before that, which
 * is no failure of the flow. */
bool dataset_end(struct simulation *s, const struct options *o, bool quiet);
/* Beside a dataset the stream may end early, and a terminal is not where it is meant to
 * go. */
void dataset_beside(const struct options *o, struct flow_options *fo);

/* control.c: listens for commands at a ZeroMQ endpoint. NULL with err when it cannot.
 */
struct control *control_open(const char *endpoint, struct err *err);
void control_close(struct control *c);
/* Whether somebody waits for an answer. Cheap. */
bool control_waits(const struct control *c);
/* Answers while history is being made: what asks only; the engine must be idle. */
void control_answer(struct simulation *s, struct control *c);
/* Waits until the clock says 'due' and later by the time the run is stopped meanwhile,
 * and obeys commands; the engine must be idle. False: a signal came. */
bool control_wait(struct simulation *s, struct control *c, int64_t due);

/* scenarios.c: reads --scenario, each a name and target or a file. Returns 0 or -1. */
int scenarios_read(struct simulation *s, const struct strlist *list, struct err *err);
/* Plans them; 'origin' is the start of the run proper, 'elsewhere' that a target may be
 * in another shard. Returns 0 or -1. */
int scenarios_plan(
	struct simulation *s, int64_t origin, bool elsewhere, struct err *err);
/* Plans one in all parts, which must be idle; 'elsewhere': as above. Returns its id, or
 * -1 with err. */
int scenarios_add(struct simulation *s, const struct scenario *scenario, int64_t origin,
	bool elsewhere, struct err *err);
/* Changes how fast its value changes, and from what on. False: no such id. */
bool scenarios_turn(struct simulation *s, int id, double from, double rate);
/* Ends one in all parts. False: no such id. */
bool scenarios_clear(struct simulation *s, int id);

#endif
