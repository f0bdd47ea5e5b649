#include "site/scenario.h"

#include "base/inifile.h"
#include "base/parse.h"

#include <math.h>
#include <stdio.h>

static const struct {
	const char *name;
	double value, min, max, rate;
	int64_t duration_ms;
} KINDS[SCENARIO_KINDS] = {
	[SCENARIO_NORMAL_OPERATION] = {"normal_operation", 0, 0, 0, 0, 1000},
	[SCENARIO_HIGH_TEMPERATURE] = {"high_temperature", 8, -30, 60, 4, 0},
	[SCENARIO_HEATWAVE] = {"heatwave", 6, -30, 30, 0.5, 5 * DAY_MS},
	[SCENARIO_POWER_OUTAGE] = {"power_outage", 0.65, 0.01, 5, 0, 30 * MINUTE_MS},
	[SCENARIO_HVAC_FAILURE] = {"hvac_failure", 0, 0, 0, 0, 6 * HOUR_MS},
	[SCENARIO_HVAC_DEGRADATION] = {"hvac_degradation", 4, 0, 30, 0, 7 * DAY_MS},
	[SCENARIO_BATTERY_DEGRADATION] = {"battery_degradation", 1, 0, 100, 0, 0},
	[SCENARIO_RESISTANCE_DRIFT] = {"resistance_drift", 50, -50, 1000, 0.5, 0},
	[SCENARIO_THERMAL_RUNAWAY] = {"thermal_runaway", 80, 0, 1000, 20, 0},
	[SCENARIO_SENSOR_FAULT] = {"sensor_fault", 0.3, -1000, 1000, 0, 6 * HOUR_MS},
	[SCENARIO_LOAD] = {"load", 1, 0.01, 5, 0, 0},
	[SCENARIO_CHARGER_VOLTAGE] = {"charger_voltage", 0, -2, 2, 0, 0},
};
static const double RATE_MAX = 1e6;
static const int64_t DURATION_MAX = INT64_C(36500) * DAY_MS;

const char *scenario_name(enum scenario_kind kind)
{
	return KINDS[kind].name;
}

enum scenario_kind scenario_by_name(struct str name)
{
	int k = 0;
	while (k < SCENARIO_KINDS && !str_is(name, KINDS[k].name))
		k++;
	return (enum scenario_kind)k;
}

void scenario_range(enum scenario_kind kind, double *min, double *max)
{
	*min = KINDS[kind].min;
	*max = KINDS[kind].max;
}

void scenario_init(struct scenario *s, enum scenario_kind kind)
{
	*s = (struct scenario){.kind = kind,
		.relative = true,
		.duration_ms = KINDS[kind].duration_ms,
		.value = KINDS[kind].value,
		.rate = KINDS[kind].rate,
		.fault = FAULT_OFFSET};
}

static int set_start(struct scenario *s, struct str v, struct err *err)
{
	bool after = v.len > 0 && v.s[0] == '+';
	struct str rest = {v.s + after, v.len - after};
	int64_t ms;
	if ((after ? parse_duration_ms(rest, &ms) : time_parse_iso(rest, 0, &ms)) < 0 ||
		(after && (ms < 0 || ms > DURATION_MAX)))
		return err_set(err, ERR_USAGE,
			"start '%.*s' is neither a time nor '+' and a duration",
			STR_ARG(v));
	s->start = ms;
	s->relative = after;
	return 0;
}

static int set_fault(struct scenario *s, struct str v, struct err *err)
{
	if (str_is(v, "gap"))
		s->fault = FAULT_GAP;
	else if (str_is(v, "stuck"))
		s->fault = FAULT_STUCK;
	else if (str_is(v, "offset"))
		s->fault = FAULT_OFFSET;
	else
		return err_set(err, ERR_USAGE,
			"fault '%.*s' is not gap, stuck or offset", STR_ARG(v));
	return 0;
}

static int set_number(double *to, const char *key, struct str v, double min, double max,
	struct err *err)
{
	double x;
	if (parse_f64(v, &x) < 0 || !(x >= min && x <= max))
		return err_set(err, ERR_USAGE,
			"%s '%.*s' is not a number within %g to %g", key, STR_ARG(v),
			min, max);
	*to = x;
	return 0;
}

int scenario_set(struct scenario *s, const char *key, struct str v, struct err *err)
{
	if (strcmp(key, "target") == 0) {
		if (v.len > 0 && str_copy(s->target, sizeof(s->target), v))
			return 0;
		return err_set(err, ERR_USAGE, "a target is 1 to %d bytes long",
			SCENARIO_TARGET_MAX - 1);
	}
	if (strcmp(key, "start") == 0)
		return set_start(s, v, err);
	if (strcmp(key, "duration") == 0) {
		int64_t ms;
		if (parse_duration_ms(v, &ms) < 0 || ms <= 0 || ms > DURATION_MAX)
			return err_set(err, ERR_USAGE,
				"duration '%.*s' is not of the form 30m", STR_ARG(v));
		s->duration_ms = ms;
		return 0;
	}
	if (strcmp(key, "value") == 0)
		return set_number(
			&s->value, key, v, KINDS[s->kind].min, KINDS[s->kind].max, err);
	if (strcmp(key, "rate") == 0)
		return set_number(&s->rate, key, v, 0, RATE_MAX, err);
	if (strcmp(key, "fault") == 0 && s->kind == SCENARIO_SENSOR_FAULT)
		return set_fault(s, v, err);
	return err_set(
		err, ERR_USAGE, "%s has no '%.40s'", scenario_name(s->kind), key);
}

/* The end of a value: the next ':' that begins a "key=", for times have colons too. */
static const char *value_end(const char *p)
{
	for (; *p; p++) {
		if (*p != ':')
			continue;
		size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz");
		if (n > 0 && p[1 + n] == '=')
			break;
	}
	return p;
}

static int parse_keys(const char *p, struct scenario *s, struct err *err)
{
	while (*p == ':') {
		char key[16];
		const char *equals = strchr(++p, '=');
		if (!equals || !str_copy(key, sizeof(key),
				       (struct str){p, (uint32_t)(equals - p)}))
			return err_set(err, ERR_USAGE, "'%s' is not key=value", p);
		p = value_end(equals + 1);
		struct str v = {equals + 1, (uint32_t)(p - equals - 1)};
		if (scenario_set(s, key, v, err) < 0)
			return -1;
	}
	return 0;
}

int scenario_parse(const char *text, struct scenario *s, struct err *err)
{
	struct err why = {0};
	struct str name = {text, (uint32_t)strcspn(text, ":")};
	enum scenario_kind kind = scenario_by_name(name);

	if (kind == SCENARIO_KINDS)
		return err_set(
			err, ERR_USAGE, "unknown scenario '%.*s'", STR_ARG(name));
	scenario_init(s, kind);
	const char *p = text + name.len;
	size_t n = *p ? strcspn(p + 1, ":") : 0;
	if (n == 0)
		return err_set(err, ERR_USAGE,
			"scenario '%s' is not of the form NAME:target[:key=value…]",
			text);
	if (scenario_set(s, "target", (struct str){p + 1, (uint32_t)n}, &why) < 0 ||
		parse_keys(p + 1 + n, s, &why) < 0)
		return err_set(err, ERR_USAGE, "scenario '%.200s': %s", text, why.msg);
	return 0;
}

struct load {
	struct scenario *s;
	size_t n, max;
	char section[128];
	struct err fault;
};

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct load *l = user;
	struct scenario *s = l->n ? &l->s[l->n - 1] : NULL;

	if (l->fault.class)
		return 0;
	if (strncmp(section, "scenario ", 9) != 0 ||
		strlen(section) >= sizeof(l->section))
		return err_set(&l->fault, ERR_USAGE,
			       "[%s] is not of the form [scenario LABEL]",
			       section) == 0;
	bool fresh = strcmp(section, l->section) != 0;
	if (fresh != (strcmp(name, "scenario") == 0))
		return err_set(&l->fault, ERR_USAGE,
			       "'scenario' comes first in [%s], and once",
			       section) == 0;
	if (!fresh)
		return scenario_set(s, name, str_of(value), &l->fault) == 0;
	enum scenario_kind kind = scenario_by_name(str_of(value));
	if (kind == SCENARIO_KINDS || l->n == l->max)
		return err_set(&l->fault, ERR_USAGE,
			       kind == SCENARIO_KINDS ? "unknown scenario '%s'"
						      : "'%s' is one too many",
			       value) == 0;
	snprintf(l->section, sizeof(l->section), "%s", section);
	scenario_init(&l->s[l->n++], kind);
	return 1;
}

int scenario_load(
	const char *path, struct scenario *s, size_t *n, size_t max, struct err *err)
{
	struct load l = {.s = s, .n = *n, .max = max};
	if (inifile_each(path, on_key, &l, &l.fault, err) < 0)
		return -1;
	for (size_t i = *n; i < l.n; i++)
		if (!*s[i].target)
			return err_set(err, ERR_USAGE, "'%s': %s without a target",
				path, scenario_name(s[i].kind));
	*n = l.n;
	return 0;
}

double scenario_neutral(enum scenario_kind kind)
{
	return kind == SCENARIO_LOAD ? 1 : 0;
}

double scenario_level(const struct scenario *s, double from, int64_t elapsed_ms)
{
	double way = s->value - from;
	double done = s->rate * (double)elapsed_ms / (double)HOUR_MS;
	if (s->rate > 0 && done < fabs(way))
		return from + copysign(done, way);
	return s->value;
}

bool scenario_rate_valid(double rate)
{
	return rate >= 0 && rate <= RATE_MAX;
}
