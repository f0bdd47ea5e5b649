/* The roster: codes, numbers, masters and replacements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>

#include "site/roster.h"

#define J7 "DC-CNX-01-UPS-01-S1-J07"

static void telemetry_alone_is_enough(void **state)
{
	struct roster r = {0};
	uint32_t a = roster_battery(&r, str_of(J7));
	uint32_t b = roster_battery(&r, str_of("DC-CNX-01-UPS-01-S1-J08"));
	assert_int_equal(a, 0);
	assert_int_equal(b, 1);
	assert_int_equal(roster_battery(&r, str_of(J7)), a);
	assert_int_equal(r.batteries[a].string, r.batteries[b].string);
	assert_int_equal(r.batteries[a].unit, 0);
	assert_true(isnan(r.batteries[a].initial_resistance_mohm));
	assert_string_equal(r.strings[0].site, "DC-CNX-01");
	assert_string_equal(r.strings[0].system, "DC-CNX-01-UPS-01");
	assert_int_equal(roster_battery(&r, STR_NIL), IDS_NONE);
	uint32_t lone = roster_battery(&r, str_of("UB121000"));
	assert_string_equal(
		ids_name(&r.string_ids, r.batteries[lone].string), "UB121000");
	roster_release(&r);
}

static void thousands(void **state)
{
	struct roster r = {0};
	char code[64];
	for (int i = 0; i < 5000; i++) {
		snprintf(
			code, sizeof(code), "DC-X-01-UPS-01-S%d-J%02d", i / 24, i % 24);
		assert_int_equal(roster_battery(&r, str_of(code)), i);
	}
	assert_int_equal(r.string_ids.n, 5000 / 24 + 1);
	assert_int_equal(r.batteries[4999].string, 4999 / 24);
	roster_release(&r);
}

static struct rec_battery battery(int unit, int64_t installed, float r_mohm)
{
	return (struct rec_battery){.code = str_of(J7),
		.string = STR_NIL,
		.model = str_of("HX12-120"),
		.unit = unit,
		.installed = installed,
		.initial_capacity_ah = 120,
		.initial_resistance_mohm = r_mohm};
}

static struct rec_event replacement(int64_t ts, int status)
{
	return (struct rec_event){.event_id = str_of("e"),
		.ts = ts,
		.end_ts = TIME_NIL,
		.subject = str_of(J7),
		.type = event_type_replacement,
		.status = status};
}

static void replacements(void **state)
{
	struct roster r = {0};
	uint32_t who;
	struct rec_battery b = battery(0, 0, 4.0f);
	assert_int_equal(roster_learn(&r, KIND_battery, &b, &who), 0);
	assert_int_equal(who, IDS_NONE);
	assert_string_equal(r.batteries[0].model, "HX12-120");

	struct rec_event e = replacement(100 * DAY_MS, event_status_scheduled);
	assert_int_equal(roster_learn(&r, KIND_event, &e, &who), 0);
	assert_int_equal(who, IDS_NONE);
	e.status = event_status_completed;
	assert_int_equal(roster_learn(&r, KIND_event, &e, &who), 0);
	assert_int_equal(who, 0);
	assert_int_equal(r.batteries[0].unit, 1);
	assert_true(isnan(r.batteries[0].initial_resistance_mohm));
	assert_true(r.batteries[0].installed == 100 * DAY_MS);

	/* The same event again, its new master record, and the old one repeated. */
	assert_int_equal(roster_learn(&r, KIND_event, &e, &who), 0);
	assert_int_equal(who, IDS_NONE);
	b = battery(1, 100 * DAY_MS, 3.9f);
	assert_int_equal(roster_learn(&r, KIND_battery, &b, &who), 0);
	assert_int_equal(who, IDS_NONE);
	b = battery(0, 0, 4.0f);
	assert_int_equal(roster_learn(&r, KIND_battery, &b, &who), 0);
	assert_int_equal(who, IDS_NONE);
	assert_int_equal(r.batteries[0].unit, 1);
	assert_true(r.batteries[0].initial_resistance_mohm == 3.9f);

	/* A master record alone can tell of a replacement; its event then adds nothing.
	 */
	b = battery(2, 200 * DAY_MS, 4.1f);
	assert_int_equal(roster_learn(&r, KIND_battery, &b, &who), 0);
	assert_int_equal(who, 0);
	e.ts = 200 * DAY_MS + HOUR_MS;
	assert_int_equal(roster_learn(&r, KIND_event, &e, &who), 0);
	assert_int_equal(who, IDS_NONE);
	assert_int_equal(r.batteries[0].unit, 2);
	roster_release(&r);
}

static void masters(void **state)
{
	struct roster r = {0};
	assert_null(roster_model(&r, "HX12-120"));
	assert_null(roster_system(&r, "DC-CNX-01-UPS-01"));
	struct rec_battery_model m = {.name = str_of("HX12-120"),
		.capacity_ah = 120,
		.float_min_v = 13.5f,
		.float_max_v = 13.8f,
		.eol_pct = 80};
	assert_int_equal(roster_learn(&r, KIND_battery_model, &m, NULL), 0);
	assert_true(roster_model(&r, "HX12-120")->float_min_v == 13.5f);
	struct rec_system s = {.code = str_of("DC-CNX-01-UPS-01"),
		.design_load_a = 90,
		.required_autonomy_min = 15};
	assert_int_equal(roster_learn(&r, KIND_system, &s, NULL), 0);
	assert_true(roster_system(&r, "DC-CNX-01-UPS-01")->design_load_a == 90);
	struct rec_string t = {.code = str_of("S-ODD"),
		.system = str_of("DC-CNX-01-UPS-01"),
		.batteries = 24};
	assert_int_equal(roster_learn(&r, KIND_string, &t, NULL), 0);
	assert_int_equal(r.strings[0].batteries, 24);
	assert_string_equal(r.strings[0].site, "DC-CNX-01");
	assert_true(roster_wants(KIND_event));
	assert_false(roster_wants(KIND_telemetry));
	roster_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(telemetry_alone_is_enough),
		cmocka_unit_test(thousands),
		cmocka_unit_test(replacements),
		cmocka_unit_test(masters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
