/*
 * Tests of rules: small series of records, and the alerts expected of them. The
 * language is described in floatline-rules(5).
 */
#ifndef RULES_RULE_TEST_H
#define RULES_RULE_TEST_H

#include "base/err.h"
#include "rules/rule.h"

/* Hears of each test: why is NULL when it passed, else what was not as expected. */
typedef void rule_test_told(void *user, const char *name, const char *why);

/*
 * Runs the tests in text (n bytes; need not be terminated) against the rules, each on
 * an engine of its own; model as in struct engine_options, name is used in messages.
 * Returns how many failed, or -1 with ERR_USAGE "NAME:LINE: what is wrong", or out of
 * memory.
 */
int rule_tests_run(const struct rule_set *rules, const char *model, const char *text,
	size_t n, const char *name, rule_test_told *told, void *user, struct err *err);

#endif
