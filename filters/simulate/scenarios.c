/* The scenarios of the command line, and of whoever commands. */
#include "simulate.h"

#include <stdlib.h>

enum { SCENARIOS_MAX = 256 };

/* "NAME:…" is a scenario; anything else a file of them. */
static bool is_named(const char *text)
{
	struct str name = {text, (uint32_t)strcspn(text, ":")};
	return text[name.len] == ':' && !strchr(text, '/');
}

int scenarios_read(struct simulation *s, const struct strlist *list, struct err *err)
{
	s->scenarios = calloc(SCENARIOS_MAX, sizeof(*s->scenarios));
	if (!s->scenarios)
		return err_nomem(err);
	for (size_t i = 0; i < list->n; i++) {
		if (!is_named(list->v[i])) {
			if (scenario_load(list->v[i], s->scenarios, &s->nscenarios,
				    SCENARIOS_MAX, err) < 0)
				return -1;
			continue;
		}
		if (s->nscenarios == SCENARIOS_MAX)
			return err_set(err, ERR_USAGE, "more than %d scenarios",
				SCENARIOS_MAX);
		if (scenario_parse(list->v[i], &s->scenarios[s->nscenarios++], err) < 0)
			return -1;
	}
	return 0;
}

int scenarios_plan(
	struct simulation *s, int64_t origin, bool elsewhere, struct err *err)
{
	for (size_t i = 0; i < s->nscenarios; i++)
		if (scenarios_add(s, &s->scenarios[i], origin, elsewhere, err) < 0)
			return -1;
	free(s->scenarios);
	s->scenarios = NULL;
	return 0;
}

int scenarios_add(struct simulation *s, const struct scenario *scenario, int64_t origin,
	bool elsewhere, struct err *err)
{
	bool concerns = elsewhere;
	int id = -1;
	if (stage_count(s->parts[0].plant) >= SCENARIOS_MAX)
		return err_set(err, ERR_USAGE,
			"more than %d scenarios: clear some first", SCENARIOS_MAX);
	for (int i = 0; i < s->nparts; i++)
		concerns |= stage_concerns(s->parts[i].plant, scenario);
	if (!concerns)
		return err_set(err, ERR_USAGE,
			"scenario %s: no site, system, string or battery here is "
			"called '%.200s'",
			scenario_name(scenario->kind), scenario->target);
	for (int i = 0; i < s->nparts; i++)
		if ((id = stage_add(s->parts[i].plant, scenario, origin, err)) < 0)
			return -1;
	return id;
}

bool scenarios_turn(struct simulation *s, int id, double from, double rate)
{
	bool turned = false;
	for (int i = 0; i < s->nparts; i++)
		turned |= stage_turn(s->parts[i].plant, id, from, rate);
	return turned;
}

bool scenarios_clear(struct simulation *s, int id)
{
	bool cleared = false;
	for (int i = 0; i < s->nparts; i++)
		cleared |= stage_clear(s->parts[i].plant, id);
	return cleared;
}
