/* Any bytes as a rule file: rules or an error, never a crash. */
#include "rules/rule.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct rule_set set;
	struct err err = {0};
	if (rule_set_parse(&set, (const char *)data, size, "fuzz", &err) < 0 &&
		(err.class != ERR_USAGE || !err.msg[0]))
		abort();
	return 0;
}
