/* The scenarios of the command line. */
#include "simulate.h"

#include "base/buf.h"

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
		if (stage_add(s->plant, &s->scenarios[i], origin, err) < 0 &&
			!(elsewhere && err->class == ERR_USAGE))
			return -1;
	free(s->scenarios);
	s->scenarios = NULL;
	return 0;
}

void scenarios_identify(const struct strlist *list, struct buf *b)
{
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->v[i], *slash = strrchr(text, '/');
		buf_printf(b, " --scenario %s", slash ? slash + 1 : text);
	}
}
