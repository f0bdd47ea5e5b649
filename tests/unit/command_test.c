/* Commands: what is understood, and what is answered with an error. */
#include "site/command.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

static int parse(const char *text, struct command *c, struct err *err)
{
	return command_parse(text, strlen(text), c, err);
}

static void understood(void **state)
{
	struct command c;
	struct err err;
	assert_int_equal(parse("{\"command\":\"stop\"}", &c, &err), 0);
	assert_int_equal(c.verb, COMMAND_STOP);
	assert_int_equal(parse("{\"command\":\"clear\",\"id\":7}", &c, &err), 0);
	assert_int_equal(c.id, 7);
	assert_int_equal(parse("{\"command\":\"clear\"}", &c, &err), 0);
	assert_int_equal(c.id, 0);
	assert_int_equal(parse("{\"command\":\"apply\",\"scenario\":\"power_outage\","
			       "\"target\":\"DC-BKK-01\",\"value\":0.5,"
			       "\"duration\":\"20m\",\"start\":\"+5m\"}",
				 &c, &err),
		0);
	assert_int_equal(c.scenario.kind, SCENARIO_POWER_OUTAGE);
	assert_true(c.scenario.value == 0.5);
	assert_int_equal(c.scenario.duration_ms, 20 * MINUTE_MS);
	assert_int_equal(c.scenario.start, 5 * MINUTE_MS);
	assert_int_equal(
		parse("{\"command\":\"set\",\"parameter\":\"ambient_temperature\","
		      "\"target\":\"all\",\"value\":-3,\"rate\":2}",
			&c, &err),
		0);
	assert_int_equal(c.scenario.kind, SCENARIO_HIGH_TEMPERATURE);
	assert_true(c.scenario.value == -3 && c.scenario.rate == 2);
	assert_int_equal(parse("{\"command\":\"set\",\"parameter\":\"rate\",\"id\":4,"
			       "\"value\":2.5}",
				 &c, &err),
		0);
	assert_int_equal(c.verb, COMMAND_RATE);
	assert_true(c.id == 4 && c.rate == 2.5);
}

static void refused(void **state)
{
	static const char *const BAD[] = {"", "x", "[]", "{}", "{\"command\":1}",
		"{\"command\":\"dance\"}", "{\"command\":\"stop\"", "null",
		"{\"command\":\"stop\",\"command\":\"start\"}",
		"{\"command\":\"apply\"}", "{\"command\":\"apply\",\"scenario\":7}",
		"{\"command\":\"apply\",\"scenario\":\"heatwave\"}",
		"{\"command\":\"apply\",\"scenario\":\"heatwave\",\"target\":\"\"}",
		"{\"command\":\"apply\",\"scenario\":\"heatwave\",\"target\":\"all\","
		"\"value\":1e99}",
		"{\"command\":\"apply\",\"scenario\":\"heatwave\",\"target\":\"all\","
		"\"value\":[1]}",
		"{\"command\":\"apply\",\"scenario\":\"heatwave\",\"target\":\"all\","
		"\"colour\":\"red\"}",
		"{\"command\":\"set\",\"parameter\":\"gravity\",\"target\":\"all\"}",
		"{\"command\":\"set\",\"parameter\":\"rate\",\"value\":1}",
		"{\"command\":\"set\",\"parameter\":\"rate\",\"id\":1}",
		"{\"command\":\"set\",\"parameter\":\"rate\",\"id\":1,\"value\":-1}",
		"{\"command\":\"set\",\"parameter\":\"rate\",\"id\":1,\"value\":\"1\"}",
		"{\"command\":\"clear\",\"id\":0}", "{\"command\":\"clear\",\"id\":-1}",
		"{\"command\":\"clear\",\"id\":\"1\"}",
		"{\"command\":\"clear\",\"id\":99999999999}"};
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct command c;
		struct err err = {0};
		if (parse(BAD[i], &c, &err) == 0)
			fail_msg("%s was taken", BAD[i]);
		assert_int_equal(err.class, ERR_USAGE);
		assert_true(*err.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(understood),
		cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
