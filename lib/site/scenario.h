/*
 * Scenarios: what someone makes happen to the plant, from when, for how long, how much
 * and how fast. Given by name or in a file; site/stage.h performs them.
 */
#ifndef SITE_SCENARIO_H
#define SITE_SCENARIO_H

#include "base/err.h"
#include "base/timefmt.h"
#include "site/fault.h"

#include <stdbool.h>

enum scenario_kind {
	SCENARIO_NORMAL_OPERATION, /* ends every other scenario on its targets */
	SCENARIO_HIGH_TEMPERATURE, /* the room, K */
	SCENARIO_HEATWAVE,         /* outdoors, K */
	SCENARIO_POWER_OUTAGE, /* no mains, no generator; share of the design load */
	SCENARIO_HVAC_FAILURE,
	SCENARIO_HVAC_DEGRADATION,    /* above the set-point, K */
	SCENARIO_BATTERY_DEGRADATION, /* share of its life a day, % */
	SCENARIO_RESISTANCE_DRIFT,    /* of its resistance, % */
	SCENARIO_THERMAL_RUNAWAY,     /* heat of an inner short circuit, W */
	SCENARIO_SENSOR_FAULT,        /* stuck, gap, or an offset in V */
	SCENARIO_LOAD,                /* factor of every load */
	SCENARIO_CHARGER_VOLTAGE,     /* of a block, V */
	SCENARIO_KINDS,
};

enum { SCENARIO_TARGET_MAX = 1024 };

struct scenario {
	enum scenario_kind kind;
	char target[SCENARIO_TARGET_MAX]; /* codes with commas between, or "all" */
	int64_t start;                    /* ms; relative: after the run's start */
	bool relative;
	int64_t duration_ms; /* 0: until it is cleared */
	double value;
	double rate; /* of the value per hour; 0: all at once */
	enum fault_sort fault;
};

const char *scenario_name(enum scenario_kind kind);
/* Returns the kind, or SCENARIO_KINDS. */
enum scenario_kind scenario_by_name(struct str name);

/* What its value may be. */
void scenario_range(enum scenario_kind kind, double *min, double *max);

/* A scenario of that kind, starting at once, everything else as by default. */
void scenario_init(struct scenario *s, enum scenario_kind kind);
/* Sets target, start, duration, value, rate or fault from text. Returns 0, or -1 with
 * ERR_USAGE saying what is wrong with it. */
int scenario_set(
	struct scenario *s, const char *key, struct str value, struct err *err);

/* "NAME:target[:key=value…]". Returns 0, or -1 with ERR_USAGE. */
int scenario_parse(const char *text, struct scenario *s, struct err *err);

/*
 * A file of sections [scenario LABEL] with the keys 'scenario' (its name, first) and
 * those of scenario_set, into s[*n] onwards, at most max in all. Returns 0, or -1:
 * ERR_IO when it cannot be read, ERR_USAGE naming file, line and key.
 */
int scenario_load(
	const char *path, struct scenario *s, size_t *n, size_t max, struct err *err);

/* What the value is where nothing is done: 0, and 1 of a load, which is a factor. */
double scenario_neutral(enum scenario_kind kind);
/* What it is so many ms after it was 'from': it goes to s->value, at s->rate. */
double scenario_level(const struct scenario *s, double from, int64_t elapsed_ms);
/* Whether a rate of change (of the value per hour; 0: at once) is one. */
bool scenario_rate_valid(double rate);

#endif
