/* What the parts of predict share. */
#ifndef PREDICT_H
#define PREDICT_H

#include "learn/forecast.h"
#include "learn/registry.h"
#include "stream/flow.h"

struct options {
	const char *model, *registry, *ab, *fusion;
	int64_t every_ms, max_age_ms, block, drift_ms;
	bool watch;
};

/* Where the model of an arm is, and what was there when it was last looked at. */
struct place {
	char name[CODE_MAX + 1]; /* for messages: a directory's is "the model" */
	char path[REGISTRY_PATH];
	int64_t device, inode, changed_ns; /* of its model.json; 0: not there */
};

struct predict {
	struct flow *flow;
	struct forecast *forecast;
	struct place place[FORECAST_ARMS];
	int places;   /* 0: no model is asked for */
	double share; /* of the second */
	const struct schema
		*supply;   /* the stream's feature schema, once it is known; a view */
	bool reading;      /* the stream is open: its schema decides */
	int64_t looked_ms; /* when the places were last looked at */
};

/* source.c: where models come from */

/* By --model, --registry and --ab. Returns 0, or -1 with ERR_USAGE. */
int source_parse(struct predict *p, const struct options *o, struct err *err);
/* Loads all; what cannot be used is said, and the twin speaks instead. */
void source_load(struct predict *p);
/* Loads what has changed, at most once a second. Returns 0, or -1: prediction failed.
 */
int source_watch(struct predict *p, struct err *err);
/* Gives up a model that this feature schema cannot supply. Returns 0, or -1. */
int source_check(struct predict *p, const struct schema *s, struct err *err);

/* report.c: what was done */
void report_metrics(const struct predict *p);
void report_summary(const struct predict *p);

/* commands.c: list, show, register, promote, rollback. Returns the exit status. */
int predict_command(const struct options *o, char **operands, int n);

#endif
