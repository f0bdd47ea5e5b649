#include "web/drill.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *title, *unit, *doc;
	double value; /* the preset, where it is not simulate's own */
	double hours; /* 0: until it is cleared */
	bool rate;    /* it has one that matters */
} DRILLS[SCENARIO_KINDS] = {
	[SCENARIO_NORMAL_OPERATION] = {"Normal operation", NULL, NULL, 0, 0, false},
	[SCENARIO_HIGH_TEMPERATURE] = {"Warm room", "K", "room warmer by", 12, 0, true},
	[SCENARIO_HEATWAVE] = {"Heatwave", "K", "outdoors warmer by", 8, 120, true},
	[SCENARIO_POWER_OUTAGE] = {"Power outage", "", "share of the design load", 0.65,
		0.5, false},
	[SCENARIO_HVAC_FAILURE] = {"Air conditioning fails", NULL, NULL, 0, 168, false},
	[SCENARIO_HVAC_DEGRADATION] = {"Air conditioning weakens", "K",
		"room above the set-point by", 10, 168, false},
	[SCENARIO_BATTERY_DEGRADATION] = {"Batteries age fast", "%",
		"of a block's life a day", 5, 0, false},
	[SCENARIO_RESISTANCE_DRIFT] = {"Resistance rises", "%", "of the resistance", 80,
		0, true},
	[SCENARIO_THERMAL_RUNAWAY] = {"Thermal runaway", "W",
		"heat of the inner short circuit", 80, 0, true},
	[SCENARIO_SENSOR_FAULT] = {"Sensors read wrong", "V or A", "off by", 0.5, 24,
		false},
	[SCENARIO_LOAD] = {"Load", "", "factor of every load", 1.2, 0, false},
	[SCENARIO_CHARGER_VOLTAGE] = {"Charger voltage off", "V",
		"too high by, a block", 0.3, 0, false},
};

/* A failure of the cooling bites in the cool season, too, if it is warm outdoors. */
static const char WARMER[] = "warmer_k";
enum { WARMER_PRESET = 10 };

const char *drill_title(enum scenario_kind kind)
{
	return DRILLS[kind].title;
}

int drill_parameters(
	enum scenario_kind kind, struct drill_parameter p[DRILL_PARAMETERS])
{
	struct scenario s;
	double min, max;
	int n = 0;
	scenario_init(&s, kind);
	scenario_range(kind, &min, &max);
	p[n++] = (struct drill_parameter){
		"start_min", "min", "begins so long after the start", 0, 10080, 0};
	if (DRILLS[kind].hours > 0)
		p[n++] = (struct drill_parameter){
			"duration_h", "h", "lasts", 0.1, 8760, DRILLS[kind].hours};
	if (DRILLS[kind].unit)
		p[n++] = (struct drill_parameter){"value", DRILLS[kind].unit,
			DRILLS[kind].doc, min, max, DRILLS[kind].value};
	if (DRILLS[kind].rate)
		p[n++] = (struct drill_parameter){"rate", "1/h",
			"of the value per hour; 0: all at once", 0, 1000, s.rate};
	if (kind == SCENARIO_HVAC_FAILURE)
		p[n++] = (struct drill_parameter){WARMER, "K",
			"outdoors warmer meanwhile by", 0, 30, WARMER_PRESET};
	return n;
}

static int find(const struct drill_parameter *p, int n, const char *name)
{
	int i = 0;
	while (i < n && strcmp(p[i].name, name) != 0)
		i++;
	return i;
}

/* The presets make way for what is given, if it is allowed. */
static int take_given(
	struct drill_parameter *p, int n, const json_t *given, struct err *err)
{
	const char *name;
	json_t *v;
	json_object_foreach((json_t *)(uintptr_t)given, name, v)
	{
		int i = find(p, n, name);
		if (i == n)
			return err_set(
				err, ERR_DATA, "it has no parameter '%.60s'", name);
		double x = json_number_value(v);
		if (!json_is_number(v) || !(x >= p[i].min && x <= p[i].max))
			return err_set(err, ERR_DATA,
				"parameter '%s' is a number from %g to %g", name,
				p[i].min, p[i].max);
		p[i].preset = x;
	}
	return 0;
}

static void set_seconds(json_t *command, const char *key, const char *sign, double s)
{
	char text[40];
	snprintf(text, sizeof(text), "%s%.0fs", sign, s);
	json_object_set_new(command, key, json_string(text));
}

static json_t *command_of(enum scenario_kind kind, const char *target,
	const struct drill_parameter *p, int n)
{
	int i;
	json_t *c = json_pack("{s:s,s:s,s:s}", "command", "apply", "scenario",
		scenario_name(kind), "target", target);
	if ((i = find(p, n, "start_min")) < n && p[i].preset > 0)
		set_seconds(c, "start", "+", p[i].preset * 60);
	if ((i = find(p, n, "duration_h")) < n)
		set_seconds(c, "duration", "", p[i].preset * 3600);
	if ((i = find(p, n, "value")) < n)
		json_object_set_new(c, "value", json_real(p[i].preset));
	if ((i = find(p, n, "rate")) < n)
		json_object_set_new(c, "rate", json_real(p[i].preset));
	return c;
}

/* The heatwave beside a failure: as long, and at once. */
static json_t *warmth(const char *target, struct drill_parameter *p, int n)
{
	int i = find(p, n, WARMER);
	if (i == n || !(p[i].preset > 0))
		return NULL;
	json_t *c = command_of(SCENARIO_HEATWAVE, target, p, n);
	json_object_set_new(c, "value", json_real(p[i].preset));
	json_object_set_new(c, "rate", json_real(0));
	return c;
}

int drill_commands(const char *scenario, const char *target, const json_t *parameters,
	json_t *commands[DRILL_MEMBERS], struct err *err)
{
	struct drill_parameter p[DRILL_PARAMETERS];
	enum scenario_kind kind = scenario_by_name(str_of(scenario));
	int k = 0;
	if (kind == SCENARIO_KINDS)
		return err_set(err, ERR_DATA, "no scenario '%.60s'", scenario);
	int n = drill_parameters(kind, p);
	if (take_given(p, n, parameters, err) < 0)
		return -1;
	commands[k++] = command_of(kind, target, p, n);
	commands[k] = warmth(target, p, n);
	k += commands[k] != NULL;
	return commands[0] ? k : err_nomem(err);
}

void drill_option(const json_t *command, struct buf *text)
{
	const char *key;
	json_t *v;
	buf_puts(text, json_string_value(json_object_get(command, "scenario")));
	buf_printf(text, ":%s", json_string_value(json_object_get(command, "target")));
	json_object_foreach((json_t *)(uintptr_t)command, key, v)
	{
		if (json_is_real(v))
			buf_printf(text, ":%s=%.17g", key, json_real_value(v));
		else if (strcmp(key, "start") == 0 || strcmp(key, "duration") == 0)
			buf_printf(text, ":%s=%s", key, json_string_value(v));
	}
	buf_putc(text, '\0');
}
