#include "report/finding.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
	const char *name, *title;
} NAMES[CHECKS] = {
	[CHECK_FILES] = {"files", "the files of the layout are there"},
	[CHECK_COLUMNS] = {"columns", "files have the columns of the layout"},
	[CHECK_ROWS] = {"rows", "rows can be read, with a cell for each column"},
	[CHECK_CELLS] = {"cells",
		"cells are what their columns say, none needed is empty"},
	[CHECK_RANGES] = {"ranges", "numbers are physically possible"},
	[CHECK_REFERENCES] = {"references",
		"keys are unique, references lead somewhere"},
	[CHECK_FLEET] = {"fleet", "strings have the batteries they say, each sampled"},
	[CHECK_DATES] = {"dates", "made before installed before sampled"},
	[CHECK_ORDER] = {"order", "time goes forward, no moment twice"},
	[CHECK_GAPS] = {"gaps", "samples are not missing"},
	[CHECK_SIGN] = {"current_sign",
		"current is negative on discharge, positive on boost"},
	[CHECK_FLOAT_VOLTAGE] = {"float_voltage",
		"strings float at the set-point of their temperature"},
	[CHECK_FLOAT_CURRENT] = {"float_current",
		"float current is milliamperes per ampere-hour"},
	[CHECK_FLOAT_SPREAD] = {"float_spread",
		"jars of a string differ on float, a little"},
	[CHECK_STRING_SUM] = {"string_sum",
		"jars add up to the voltage of their string"},
	[CHECK_VOLTAGE_SOC] = {"voltage_soc",
		"off charge, voltage follows the state of charge"},
	[CHECK_CHARGE] = {"charge_balance", "the state of charge follows the current"},
	[CHECK_SOH] = {"soh", "health does not recover, nor collapse everywhere"},
	[CHECK_RESISTANCE] = {"resistance", "resistance rises as health falls"},
	[CHECK_TEMPERATURE] = {"temperature_ageing",
		"warmer batteries do not age slower"},
	[CHECK_TESTS] = {"capacity_tests", "capacity tests agree with themselves"},
	[CHECK_REPLACEMENTS] = {"replacements", "who was replaced has a successor"},
	[CHECK_PREDICTIONS] = {"predictions",
		"features and predictions lie within their own bounds"},
};

const char *check_name(enum check_id id)
{
	return NAMES[id].name;
}

const char *check_title(enum check_id id)
{
	return NAMES[id].title;
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = {"pass", "open", "warn", "fail"};
	return names[v];
}

/* What files say must not steer a terminal. */
static void printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			*s = '?';
}

void finding(struct quality *q, enum check_id id, const char *file, int64_t line,
	const char *fmt, ...)
{
	struct check *c = &q->checks[id];
	c->found++;
	if (c->noffenders == OFFENDERS_MAX)
		return;
	struct offender *o = &c->first[c->noffenders++];
	snprintf(o->file, sizeof(o->file), "%s", file);
	o->line = line;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(o->what, sizeof(o->what), fmt, ap);
	va_end(ap);
	printable(o->what);
	printable(o->file);
}

void finding_raise(struct quality *q, enum check_id id, enum verdict v)
{
	if (v > q->checks[id].verdict)
		q->checks[id].verdict = v;
}

void finding_sum(struct quality *q, enum check_id id, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(q->checks[id].summary, sizeof(q->checks[id].summary), fmt, ap);
	va_end(ap);
	printable(q->checks[id].summary);
}

void finding_by_share(
	struct quality *q, enum check_id id, double normal, double tolerable)
{
	const struct check *c = &q->checks[id];
	double found = (double)c->found, checked = (double)c->checked;
	if (found > normal * checked)
		finding_raise(q, id,
			found > tolerable * checked ? VERDICT_FAIL : VERDICT_WARN);
}
