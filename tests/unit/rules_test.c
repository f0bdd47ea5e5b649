/* The rule file: what it says, and where it is wrong. */
#include "rules/rule.h"

#include "base/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static struct rule_set set;

static int parse(const char *text, struct err *err)
{
	return rule_set_parse(&set, text, strlen(text), "f.ini", err);
}

static void test_whole_rule(void **state)
{
	struct err err = {0};
	assert_int_equal(
		parse("# comment\n\n[a-rule]\nkind = twin_state\nfield = soh_pct\n"
		      "condition = below\nwarning = model.eol_pct + 5\n"
		      "critical = model.eol_pct\nclear = model.eol_pct + 6\n"
		      "when = soh_std_pct < 8, observable = capacity\n"
		      "for = 1h\nkeep = 24h\nhold_off = 72h\nstatus = failed\n"
		      "message = {subject}\n  at {value}\n",
			&err),
		0);
	const struct rule *r = &set.rules[0];
	assert_int_equal(set.n, 1);
	assert_int_equal(r->line, 3);
	assert_string_equal(r->name, "a-rule");
	assert_int_equal(r->kind->kind, KIND_twin_state);
	assert_string_equal(r->field->name, "soh_pct");
	assert_string_equal(r->subject->name, "battery");
	assert_int_equal(r->condition, COND_BELOW);
	assert_int_equal(r->level[LEVEL_WARNING].lo.base, LIMIT_MODEL);
	assert_string_equal(r->level[LEVEL_WARNING].lo.field->name, "eol_pct");
	assert_true(r->level[LEVEL_WARNING].lo.add == 5);
	assert_true(r->level[LEVEL_WARNING].clear_lo.add == 6);
	/* Critical clears with warning's gap. */
	assert_true(r->level[LEVEL_CRITICAL].lo.add == 0);
	assert_true(r->level[LEVEL_CRITICAL].clear_lo.add == 1);
	assert_int_equal(r->nwhen, 2);
	assert_int_equal(r->when[0].op, WHEN_LT);
	assert_int_equal((int)r->when[1].number, observable_capacity);
	assert_int_equal(r->for_ms, HOUR_MS);
	assert_int_equal(r->keep_ms, DAY_MS);
	assert_int_equal(r->hold_off_ms, 3 * DAY_MS);
	assert_int_equal(r->status, health_failed);
	assert_int_equal(r->source, alert_source_twin);
	assert_string_equal(r->message, "{subject} at {value}");
}

static void test_default_rules(void **state)
{
	char path[4096];
	struct err err = {0};
	if (share_path("schemas/rules/default.ini", path, sizeof(path), &err) < 0)
		fail_msg("%s", err.msg);
	if (rule_set_load(&set, path, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(set.n > 20);
	assert_true(rule_find(&set, "string-float-impossible") >= 0);
	assert_int_equal(rule_find(&set, "no-such"), -1);
}

#define R "[r]\nkind = telemetry\nfield = voltage_v\n"
#define ABOVE R "condition = above\nwarning = 1\n"
#define WHOLE ABOVE "message = m\n"

static void test_errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *want;
	} all[] = {
		{"x = 1\n", "f.ini:1: a key before the first [rule]"},
		{"[r]\nkin = telemetry\n", "f.ini:2: [r] unknown key 'kin'"},
		{"[r]\nkind = telemetri\n", "f.ini:2: [r] kind: no such kind"},
		{"[r]\nkind = battery\n", "f.ini:2: [r] kind: has no time or subject"},
		{"[r]\nmessage = m\n", "f.ini:1: [r] kind: is missing"},
		{"[r]\nkind = telemetry\nfield = volts\n",
			"f.ini:3: [r] field: kind telemetry has no numeric field or "
			"signal "
			"'volts'"},
		{"[r]\nkind = telemetry\nfield = jar_mean_v\n", "f.ini:3: [r] field"},
		{"[r]\nkind = telemetry\nfield = battery\n", "f.ini:3: [r] field"},
		{R "warning = 1\n", "f.ini:1: [r] condition: is missing"},
		{R "condition = over\n", "f.ini:4: [r] condition: must be above"},
		{R "condition = is\nwarning = float\n", "f.ini:4: [r] condition: 'is'"},
		{"[r]\nkind = telemetry\nfield = mode\ncondition = above\nwarning = "
		 "1\n",
			"f.ini:4: [r] condition: the field has words"},
		{R "condition = above\nmessage = m\n",
			"f.ini:1: [r] warning: is missing"},
		{R "condition = above\nwarning = hot\n", "f.ini:5: [r] warning: 'hot'"},
		{R "condition = above\nwarning = nan\n", "f.ini:5: [r] warning: 'nan'"},
		{R "condition = above\nwarning = model.name\n", "f.ini:5: [r] warning"},
		{R "condition = above\nwarning = model.eol_pct + x\n",
			"f.ini:5: [r] warning: 'x' is not a number"},
		{R "condition = outside\nwarning = 1\n",
			"f.ini:5: [r] warning: 'outside'"},
		{R "condition = outside\nwarning = 3, 1\n",
			"f.ini:5: [r] warning: low"},
		{ABOVE "critical = 0.5\nmessage = m\n",
			"f.ini:6: [r] critical: is reached before warning"},
		{ABOVE "clear = 2\nmessage = m\n", "f.ini:6: [r] clear: lies beyond"},
		{ABOVE "clear_critical = 2\n", "f.ini:6: [r] clear_critical: without"},
		{ABOVE "for = soon\nmessage = m\n",
			"f.ini:6: [r] for: is not a duration"},
		{ABOVE "for = -5m\nmessage = m\n",
			"f.ini:6: [r] for: is not a duration"},
		{ABOVE "when = mode = flat\n", "f.ini:6: [r] when: 'flat' is no word"},
		{ABOVE "when = mood = float\n",
			"f.ini:6: [r] when: kind telemetry has no"},
		{ABOVE "when = mode < float\n", "f.ini:6: [r] when: mode has words"},
		{ABOVE "when = mode\n", "f.ini:6: [r] when: 'mode' is no constraint"},
		{ABOVE "status = fine\n", "f.ini:6: [r] status: must be"},
		{ABOVE "source = me\n", "f.ini:6: [r] source: must be"},
		{ABOVE "ignore_quality = bad\n", "f.ini:6: [r] ignore_quality: 'bad'"},
		{ABOVE "enabled = maybe\n", "f.ini:6: [r] enabled: must be"},
		{ABOVE "group = some\n", "f.ini:6: [r] group: must be"},
		{ABOVE "distrust = yes\n", "f.ini:6: [r] distrust: is for rules of a"},
		{ABOVE "urgent = very\n", "f.ini:6: [r] urgent: must be"},
		{ABOVE "otherwise = fine\n", "f.ini:6: [r] otherwise: must be"},
		{ABOVE "message = {volume}\n", "f.ini:6: [r] message: '{volume'"},
		{ABOVE "message = {value\n", "f.ini:6: [r] message: '{value'"},
		{ABOVE, "f.ini:1: [r] message: is missing"},
		{ABOVE "warning = 2\n", "f.ini:6: [r] warning: is there twice"},
		{WHOLE WHOLE, "f.ini:7: rule [r] is there twice"},
		{WHOLE "unless = s\n", "f.ini:7: [r] unless: no enabled rule 's'"},
		{WHOLE "unless = r\n", "f.ini:7: [r] unless: 'r' must be another"},
		{WHOLE "effect_of = s\n",
			"f.ini:7: [r] effect_of: no enabled rule 's'"},
		{WHOLE "effect_of = r\n", "f.ini:7: [r] effect_of: 'r' must be"},
		{WHOLE "aftermath = long\n", "f.ini:7: [r] aftermath: is not a"},
		{WHOLE "incident =\n", "f.ini:7: [r] incident: must have"},
		{WHOLE "nonsense\n", "f.ini:7: neither"},
		{WHOLE "site = A\n", "f.ini:7: [r] site: is for a section with"},
		{WHOLE "season = hot\n", "f.ini:7: [r] season: is for a section"},
		{WHOLE "[s]\noverrides = x\nsite = A\n",
			"f.ini:8: [s] overrides: no such rule above"},
		{WHOLE "[s]\noverrides = r\nwarning = 2\n",
			"f.ini:8: [s] overrides: needs a site or a season"},
		{WHOLE "[s]\noverrides = r\nseason = hot\n",
			"f.ini:9: [s] season: is not among"},
		{WHOLE "[s]\noverrides = r\nsite = A\nkind = rul\n",
			"f.ini:10: [s] kind: cannot be overridden"},
		{WHOLE "[s]\noverrides = r\nsite = A,,B\n",
			"f.ini:9: [s] site: has an empty code"},
		{WHOLE "[s]\noverrides = r\nsite = A\nwarning = hot\n",
			"f.ini:10: [s] warning: 'hot'"},
		/* The rule's own clearing threshold does not fit the override's. */
		{ABOVE "clear = 0.5\nmessage = m\n[s]\noverrides = r\nsite = A\n"
		       "warning = 0.1\n",
			"f.ini:8: [s] clear: lies beyond"},
		{"[seasons]\nhot = 02-30..05-15\n", "f.ini:2: [seasons] hot: is not"},
		{"[seasons]\nhot = 02-16\n", "f.ini:2: [seasons] hot: is not"},
		{"[seasons]\nhot = 02-16..05-15\nhot = 02-16..05-15\n",
			"f.ini:3: [seasons] hot: is there twice"},
		{"[r]\n[s]\n", "f.ini:1: a [rule] without keys"},
		{WHOLE "[s]\n", "f.ini:7: a [rule] without keys"},
		{"[r\n", "f.ini:1: neither"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct err err = {0};
		if (parse(all[i].text, &err) == 0)
			fail_msg("accepted: %s", all[i].text);
		assert_int_equal(err.class, ERR_USAGE);
		if (strncmp(err.msg, all[i].want, strlen(all[i].want)) != 0)
			fail_msg("'%s', not '%s'", err.msg, all[i].want);
	}
}

static void test_bounds(void **state)
{
	struct err err = {0};
	char line[1000];
	memset(line, 'x', sizeof(line));
	memcpy(line, "[r]\n#", 5);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(parse(line, &err), -1);
	assert_non_null(strstr(err.msg, "f.ini:2: line longer than"));
	assert_int_equal(
		rule_set_parse(&set, "[r]\nki\0nd=1\n", 12, "f.ini", &err), -1);
	assert_non_null(strstr(err.msg, "f.ini:2: a NUL byte"));
	assert_int_equal(
		parse("[a-name-that-is-much-longer-than-a-name-can-be]\nx=1\n", &err),
		-1);
	assert_non_null(strstr(err.msg, "f.ini:1: rule name longer"));
	assert_int_equal(parse("", &err), 0);
	assert_int_equal(set.n, 0);
}

static void test_overrides(void **state)
{
	struct err err = {0};
	assert_int_equal(
		parse("[seasons]\nhot = 02-16..05-15\ncool = 10-16..02-15\n" WHOLE
		      "[a]\noverrides = r\nsite = A, B-UPS-01\nwarning = 2\n"
		      "[b]\noverrides = r\nseason = cool\nwarning = 3\nfor = 5m\n"
		      "[c]\noverrides = r\nsite = A\nseason = hot\nenabled = no\n",
			&err),
		0);
	assert_int_equal(set.n, 1);
	assert_int_equal(set.nvariants, 4);
	static const struct {
		const char *code;
		int day, variant;
	} all[] = {{"A-UPS-01-S1-J01", 701, 0}, {"A", 301, 3}, {"A", 1231, 0},
		{"AB", 701, -1}, {"B", 701, -1}, {"B-UPS-01", 701, 1},
		{"B-UPS-01-S1", 101, 1}, {"C", 1016, 2}, {"C", 215, 2}, {"C", 216, -1},
		{"C", 1015, -1}};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_int_equal(rule_variant(&set, 0, str_of(all[i].code), all[i].day),
			all[i].variant);
	const struct rule *r = &set.variants[2].r;
	assert_string_equal(r->name, "r");
	assert_true(r->level[LEVEL_WARNING].hi.add == 3);
	assert_int_equal(r->for_ms, 5 * MINUTE_MS);
	assert_string_equal(r->message, "m");
	assert_false(set.variants[3].enabled);
}

static void test_disabled(void **state)
{
	struct err err = {0};
	assert_int_equal(parse(WHOLE "enabled = no\n", &err), 0);
	assert_int_equal(set.n, 0);
	assert_int_equal(parse(WHOLE "enabled = yes\n", &err), 0);
	assert_int_equal(set.n, 1);
}

static void test_unreadable(void **state)
{
	struct err err = {0};
	assert_int_equal(rule_set_load(&set, "/no/such/rules.ini", &err), -1);
	assert_int_equal(err.class, ERR_IO);
	assert_non_null(strstr(err.msg, "cannot open '/no/such/rules.ini'"));
}

static int release(void **state)
{
	rule_set_release(&set);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_rule),
		cmocka_unit_test(test_default_rules),
		cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_unreadable),
	};
	return cmocka_run_group_tests(tests, NULL, release);
}
