/*
 * Commands to a simulation that runs: one JSON object each.
 *
 *	{"command": "stop"}, "start", "status", "list"
 *	{"command": "apply", "scenario": "heatwave", "target": "DC-BKK-01", "value": 5}
 *	{"command": "set", "parameter": "load", "target": "all", "value": 1.2}
 *	{"command": "set", "parameter": "rate", "id": 3, "value": 2}
 *	{"command": "clear", "id": 3}, or without id: everything
 */
#ifndef SITE_COMMAND_H
#define SITE_COMMAND_H

#include "site/scenario.h"

enum command_verb {
	COMMAND_START,
	COMMAND_STOP,
	COMMAND_STATUS,
	COMMAND_LIST,
	COMMAND_APPLY,
	COMMAND_SET, /* as APPLY, in place of what was set before */
	COMMAND_CLEAR,
	COMMAND_NAMES,
	COMMAND_RATE = COMMAND_NAMES, /* "set" of the rate of change of one under way */
};

struct command {
	enum command_verb verb;
	struct scenario scenario; /* APPLY, SET */
	int id;                   /* RATE, CLEAR; 0: all */
	double rate;              /* RATE: of the value per hour; 0: at once */
};

/* Reads n bytes of any content. Returns 0, or -1 with ERR_USAGE saying what is wrong.
 */
int command_parse(const char *text, size_t n, struct command *c, struct err *err);

#endif
