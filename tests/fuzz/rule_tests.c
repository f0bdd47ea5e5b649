/* Any bytes as tests of rules: run or refused, never a crash. */
#include "rules/rule_test.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(void *user, const char *name, const char *why)
{
	if (!name[0])
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char rules[] =
		"[hot]\nkind = telemetry\nfield = temperature_c\ncondition = above\n"
		"warning = 35\nfor = 2m\nmessage = {value}\n"
		"[band]\nkind = string_telemetry\nfield = jar_mean_v\n"
		"condition = outside\nwarning = 13, 14\nmessage = m\n";
	static struct rule_set set;
	struct err err = {0};
	if (!set.n && rule_set_parse(&set, rules, strlen(rules), "fuzz", &err) < 0)
		abort();
	/* A million samples are legal, and slow: not a hundred of any. */
	for (size_t i = 0; i + 3 < size; i++)
		if (data[i] == '*' && data[i + 3] >= '0' && data[i + 3] <= '9')
			return 0;
	if (size > 4096)
		return 0;
	if (rule_tests_run(&set, "HX12-120", (const char *)data, size, "fuzz", told,
		    NULL, &err) < 0 &&
		!err.msg[0])
		abort();
	return 0;
}
