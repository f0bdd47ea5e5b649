/*
 * The scenarios people may start from the dashboard: which parameters each has, with
 * presets by which something can be seen within minutes, and how a wish becomes what
 * simulate understands.
 */
#ifndef WEB_DRILL_H
#define WEB_DRILL_H

#include "base/buf.h"
#include "site/scenario.h"

#include <jansson.h>

enum { DRILL_PARAMETERS = 6, DRILL_MEMBERS = 2 };

struct drill_parameter {
	const char *name, *unit, *doc;
	double min, max, preset;
};

/* Fills p with what a scenario has; returns how many. */
int drill_parameters(
	enum scenario_kind kind, struct drill_parameter p[DRILL_PARAMETERS]);
const char *drill_title(enum scenario_kind kind);

/*
 * Commands "apply" (site/command.h) for a scenario on a target with 'parameters', an
 * object of numbers, or NULL: into commands, whose number is returned (a failure of the
 * air conditioning may come with a heatwave). The caller frees them. ERR_DATA: no such
 * scenario or parameter, or out of its range. ERR_IO: no memory.
 */
int drill_commands(const char *scenario, const char *target, const json_t *parameters,
	json_t *commands[DRILL_MEMBERS], struct err *err);

/* A command as --scenario takes it, with a zero byte at the end. Its target must be
 * without ':'. */
void drill_option(const json_t *command, struct buf *text);

#endif
