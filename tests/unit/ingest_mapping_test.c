/* The mapping file: what it says, and how its faults are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/mapping.h"

#define HEAD "[source]\nkind = telemetry\ntime = t\n"

#define LONG "0123456789012345678901234567890123456789012345678901234567890123"

static struct mapping m;

static void reads_a_whole_mapping(void **state)
{
	struct err err = {0};
	const char *text =
		"# comment\n[source]\nkind = telemetry\nformat = csv\n"
		"delimiter = semicolon\ntime = when\ntime_format = %d.%m.%Y\n"
		"zone = Asia/Bangkok\n"
		"[map.fleet]\nfile = battery.csv\nkey = id\nvalue = code\n"
		"[identity]\ncolumn = id\nmap = fleet\nmodel = hx12-120\n"
		"[columns]\nU mV = voltage_v * 0.001\nI = current_a * -1 + 0.5\n"
		"T F = temperature_c - 32 / 1.8 ; Fahrenheit\n"
		"[constants]\nmode = float\n[words]\nmode.laden = boost\n"
		"[sentinels]\n* = 65535, 655.35\n[carry]\nT F = 15m\n"
		"[ignore]\nsoc = a belief\n";
	assert_int_equal(mapping_parse(&m, "x/y.ini", text, &err), 0);
	assert_string_equal(m.name, "y.ini");
	assert_int_equal(m.kind, KIND_telemetry);
	assert_int_equal(m.delimiter, ';');
	assert_int_equal(m.clock.format, CLOCK_PATTERN);
	assert_int_equal(m.id_table, 0);
	assert_int_equal(m.ntargets, 3);
	assert_int_equal(m.targets[0].field, F_telemetry_voltage_v);
	assert_true(m.targets[0].factor == 0.001);
	assert_true(m.targets[1].factor == -1 && m.targets[1].offset == 0.5);
	/* Terms are applied from left to right: (F - 32) / 1.8. */
	assert_true(m.targets[2].factor * 212 + m.targets[2].offset > 99.999);
	assert_true(m.targets[2].factor * 212 + m.targets[2].offset < 100.001);
	assert_int_equal(m.targets[2].carry_ms, 900000);
	assert_int_equal(m.words[0].value, mode_boost);
	assert_int_equal(m.sentinels[0].n, 2);
	assert_int_equal(mapping_column(&m, str_of("U mV")), 1);
	assert_int_equal(mapping_column(&m, str_of("when")), 1);
	assert_int_equal(mapping_column(&m, str_of("soc")), 0);
	assert_int_equal(mapping_column(&m, str_of("other")), -1);
	assert_int_equal(mapping_column(&m, str_of("")), -1);
}

/* Each fault: the line it is on, and a word of the message. */
static void tells_faults_by_line(void **state)
{
	static const struct {
		const char *text, *line, *word;
	} bad[] = {
		{"[source]\nkind = nonsense\n", "line 2", "nonsense"},
		{"[source]\nkind = origin\n", "line 2", "origin"},
		{"[source]\ncolour = red\n", "line 2", "colour"},
		{"[sauce]\nkind = telemetry\n", "line 2", "[sauce]"},
		{"nonsense\n", "line 1", "key = value"},
		{"[columns]\nv = voltage_v\n", "line 2", "kind must come before"},
		{HEAD "[columns]\nv = volts\n", "line 5", "volts"},
		{HEAD "[columns]\nv = voltage_v * x\n", "line 5", "'x' is no number"},
		{HEAD "[columns]\nv = voltage_v *\n", "line 5", "needs a value"},
		{HEAD "[columns]\nv = voltage_v / 0\n", "line 5", "no number"},
		{HEAD "[columns]\nv = voltage_v ^ 2\n", "line 5", "'^'"},
		{HEAD "[columns]\nv = voltage_v via fleet\n", "line 5", "map.fleet"},
		{HEAD "[columns]\nv = quality\n", "line 5", "quality.voltage_range"},
		{HEAD "[columns]\nv = voltage_v.x\n", "line 5", "no parts"},
		{HEAD "[constants]\nmode = floating\n", "", ""},
		{HEAD "[words]\nmode.x = y\n", "line 5", "'y' is no word"},
		{HEAD "[words]\nx = float\n", "line 5", "FIELD.WORD"},
		{HEAD "[sentinels]\nv = 1 x\n", "line 5", "'x'"},
		{HEAD "[carry]\nv = 15 apples\n", "line 5", "duration"},
		{HEAD "[carry]\nv = 15m\n", "", "does not map"},
		{HEAD "[identity]\nmap = fleet\n", "line 5", "map.fleet"},
		{HEAD "[identity]\nfile = x.csv\n", "line 5", "{}"},
		{HEAD "[identity]\nfile = {}.csv\n", "", "code needs"},
		{HEAD "[map.a]\nfile = x\n", "", "file, key and value"},
		{HEAD "time_format = sundial\n", "line 4", "sundial"},
		{HEAD "time_format = row*60s\n", "", "start must say"},
		{HEAD "start = noon\n", "line 4", "noon"},
		{HEAD "delimiter = ,,\n", "line 4", "one character"},
		{HEAD "format = xml\n", "line 4", "csv or ndjson"},
		{"[source]\nkind = telemetry\n", "", "which column is the time"},
		{"", "", "kind"},
		{HEAD "what\n[columns]\nv = volts\n", "line 4", "key = value"},
		{HEAD "[ignore]\nx = " LONG LONG LONG LONG "\n", "line 5", "longer"},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err err = {0};
		int r = mapping_parse(&m, "t.ini", bad[i].text, &err);
		if (!*bad[i].line && !*bad[i].word) {
			assert_int_equal(r, 0); /* known only with a header */
			continue;
		}
		assert_int_equal(r, -1);
		assert_int_equal(err.class, ERR_USAGE);
		assert_non_null(strstr(err.msg, "'t.ini'"));
		if (!strstr(err.msg, bad[i].line) || !strstr(err.msg, bad[i].word))
			fail_msg("'%s' does not say '%s' and '%s'", err.msg,
				bad[i].line, bad[i].word);
	}
}

static void bundled_mappings_are_right(void **state)
{
	static const char *const names[] = {"bboxx", "ub121000", "lead-acid-discharge",
		"nasa", "classic/location", "classic/battery_model",
		"classic/battery_system", "classic/string", "classic/battery",
		"classic/environmental_sensor", "classic/telemetry_jar_raw",
		"classic/telemetry_string_raw", "classic/telemetry_string_calc",
		"classic/telemetry_env", "classic/maintenance_event",
		"classic/capacity_test_raw", "classic/capacity_test_calc",
		"classic/impedance_measurement_raw",
		"classic/impedance_measurement_calc"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct err err = {0};
		if (mapping_named(&m, names[i], &err) < 0)
			fail_msg("%s", err.msg);
	}
}

static void finds_the_mapping_of_a_header(void **state)
{
	struct err err = {0};
	struct str bboxx[] = {str_of("time"), str_of("voltage"), str_of("current"),
		str_of("temperature")};
	struct str other[] = {str_of("time"), str_of("voltage")};
	assert_int_equal(mapping_detect(&m, bboxx, 4, "f.csv", &err), 0);
	assert_string_equal(m.name, "bboxx.ini");
	assert_int_equal(mapping_detect(&m, other, 2, "f.csv", &err), -1);
	assert_non_null(strstr(err.msg, "--guess f.csv"));
	assert_int_equal(mapping_named(&m, "no-such", &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
}

static void knows_who_a_kind_is_about(void **state)
{
	static const struct {
		int kind, field;
	} known[] = {{KIND_telemetry, F_telemetry_battery},
		{KIND_string_telemetry, F_string_telemetry_string},
		{KIND_environment, F_environment_sensor}, {KIND_event, F_event_subject},
		{KIND_capacity_test, F_capacity_test_subject},
		{KIND_battery, F_battery_code},
		{KIND_battery_model, F_battery_model_name}};
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		assert_int_equal(
			identity_field(kind_info(known[i].kind)), known[i].field);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_a_whole_mapping),
		cmocka_unit_test(tells_faults_by_line),
		cmocka_unit_test(bundled_mappings_are_right),
		cmocka_unit_test(finds_the_mapping_of_a_header),
		cmocka_unit_test(knows_who_a_kind_is_about)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
