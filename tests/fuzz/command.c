/* Any bytes as a command to a simulation, and as a scenario of the command line. */
#include "site/command.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is taken must be within its bounds. */
static void check(const struct scenario *s)
{
	if (s->kind >= SCENARIO_KINDS || !*s->target || !(s->rate >= 0) ||
		s->duration_ms < 0 || !(s->value > -1e7 && s->value < 1e7))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct command c;
	struct scenario s;
	struct err err;
	if (command_parse((const char *)data, size, &c, &err) == 0 &&
		(c.verb == COMMAND_APPLY || c.verb == COMMAND_SET))
		check(&c.scenario);
	char *text = malloc(size + 1);
	if (!text)
		return 0;
	for (size_t i = 0; i < size; i++)
		text[i] = (char)data[i];
	text[size] = '\0';
	if (scenario_parse(text, &s, &err) == 0)
		check(&s);
	free(text);
	return 0;
}
