#include "site/command.h"

#include <jansson.h>
#include <stdio.h>

static const char *const VERBS[COMMAND_NAMES] = {
	"start", "stop", "status", "list", "apply", "set", "clear"};

/* What can be set, and the scenario that does it. */
static const struct {
	const char *name;
	enum scenario_kind kind;
} PARAMETERS[] = {
	{"ambient_temperature", SCENARIO_HIGH_TEMPERATURE},
	{"load", SCENARIO_LOAD},
	{"charger_voltage", SCENARIO_CHARGER_VOLTAGE},
};

static enum scenario_kind parameter(const char *name)
{
	for (size_t i = 0; i < sizeof(PARAMETERS) / sizeof(PARAMETERS[0]); i++)
		if (strcmp(PARAMETERS[i].name, name) == 0)
			return PARAMETERS[i].kind;
	return SCENARIO_KINDS;
}

static struct str text_of(const json_t *v)
{
	return (struct str){json_string_value(v), (uint32_t)json_string_length(v)};
}

static int set_key(
	struct scenario *s, const char *key, const json_t *v, struct err *err)
{
	char number[40];
	if (json_is_string(v))
		return scenario_set(s, key, text_of(v), err);
	if (!json_is_number(v))
		return err_set(
			err, ERR_USAGE, "'%.40s' is neither a text nor a number", key);
	snprintf(number, sizeof(number), "%.17g", json_number_value(v));
	return scenario_set(s, key, str_of(number), err);
}

/* 'name_key' ("scenario" or "parameter") says which; the other keys are its own. */
static int read_scenario(
	json_t *object, const char *name_key, struct command *c, struct err *err)
{
	const char *name = json_string_value(json_object_get(object, name_key)), *key;
	json_t *v;
	enum scenario_kind kind = SCENARIO_KINDS;

	if (name)
		kind = c->verb == COMMAND_SET ? parameter(name)
					      : scenario_by_name(str_of(name));
	if (kind == SCENARIO_KINDS)
		return err_set(err, ERR_USAGE, "'%s' is missing or unknown", name_key);
	scenario_init(&c->scenario, kind);
	if (c->verb == COMMAND_SET)
		c->scenario.rate = 0; /* at once, unless told */
	json_object_foreach(object, key, v)
	{
		if (strcmp(key, "command") == 0 || strcmp(key, name_key) == 0)
			continue;
		if (set_key(&c->scenario, key, v, err) < 0)
			return -1;
	}
	if (!*c->scenario.target)
		return err_set(err, ERR_USAGE, "'target' is missing");
	return 0;
}

static int read_id(json_t *object, struct command *c, struct err *err)
{
	json_t *id = json_object_get(object, "id");
	if (!id)
		return 0;
	if (!json_is_integer(id) || json_integer_value(id) < 1 ||
		json_integer_value(id) > INT32_MAX)
		return err_set(err, ERR_USAGE, "'id' is not the number of a scenario");
	c->id = (int)json_integer_value(id);
	return 0;
}

static bool is_rate(json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "parameter"));
	return name && strcmp(name, "rate") == 0;
}

static int read_rate(json_t *object, struct command *c, struct err *err)
{
	const json_t *value = json_object_get(object, "value");
	c->verb = COMMAND_RATE;
	c->rate = json_number_value(value);
	if (!json_is_number(value) || !scenario_rate_valid(c->rate))
		return err_set(err, ERR_USAGE,
			"'value' is not a rate of change per hour, 0 or more");
	if (read_id(object, c, err) < 0)
		return -1;
	return c->id ? 0 : err_set(err, ERR_USAGE, "'id' is missing");
}

static int read_command(json_t *object, struct command *c, struct err *err)
{
	const char *name = json_string_value(json_object_get(object, "command"));
	int verb = 0;

	while (name && verb < COMMAND_NAMES && strcmp(VERBS[verb], name) != 0)
		verb++;
	if (!name || verb == COMMAND_NAMES)
		return err_set(err, ERR_USAGE,
			"'command' is not start, stop, status, list, apply, set or "
			"clear");
	c->verb = (enum command_verb)verb;
	if (c->verb == COMMAND_APPLY)
		return read_scenario(object, "scenario", c, err);
	if (c->verb == COMMAND_SET)
		return is_rate(object) ? read_rate(object, c, err)
				       : read_scenario(object, "parameter", c, err);
	return c->verb == COMMAND_CLEAR ? read_id(object, c, err) : 0;
}

int command_parse(const char *text, size_t n, struct command *c, struct err *err)
{
	json_error_t where;
	*c = (struct command){0};
	json_t *v = json_loadb(text, n, JSON_REJECT_DUPLICATES, &where);
	int r = json_is_object(v) ? read_command(v, c, err)
				  : err_set(err, ERR_USAGE, "not a JSON object: %.100s",
					    where.text);
	json_decref(v);
	return r;
}
