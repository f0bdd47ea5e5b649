/* A list of batteries in place of a fleet's layout. */

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fleet_util.h"
#include "ingest/fleet_book.h"

static int book(const char *csv, struct err *err)
{
	struct text t;
	assert_int_equal(text_memory(&t, "book.csv", csv, strlen(csv), err), 0);
	int r = fleet_book_text(&fleet, &t, err);
	text_close(&t);
	return r;
}

/* The tests after this one have the layout again. */
static int forget(void **state)
{
	fleet_unload(&fleet);
	return load_fleet(state);
}

static const char LIST[] =
	"note,battery_code,installed_date,initial_capacity_ah,initial_resistance_mohm\n"
	"x,DC-BKK-01-UPS-02-S1-J01,2020-05-06,,\n"
	"x,DC-CNX-07-REC-01-S2-J02,,,\n"
	"\"a, b\",DC-CNX-07-REC-01-S2-J01,2024-01-01,118.5,4.25\n"
	"x,DC-BKK-01-UPS-01-S3-J01,,,\n"
	"x,DC-BKK-01-UPS-02-S1-J02,2020-05-06,,\n"
	"x,DC-BKK-01-UPS-02-S1-J03,2020-05-06,,\n"
	"x,DC-BKK-01-UPS-02-S1-J02,2025-11-12,,\n";

static void a_list_is_a_fleet(void **state)
{
	struct err err = {0};
	struct fleet_string s;
	char code[FLEET_NAME_MAX];
	if (book(LIST, &err) < 0)
		fail_msg("%s", err.msg);
	assert_int_equal(fleet_jars(&fleet), 6);
	assert_int_equal(fleet_strings(&fleet, 6), 3);
	assert_int_equal(fleet_strings(&fleet, 3), 1);
	assert_int_equal(fleet_strings(&fleet, 4), 2);
	fleet_string(&fleet, 0, &s);
	assert_string_equal(s.code, "DC-BKK-01-UPS-02-S1");
	assert_true(s.site == 0 && s.first == 0 && s.jars == 3 && s.position == 1);
	fleet_string(&fleet, 1, &s);
	assert_string_equal(s.code, "DC-BKK-01-UPS-01-S3");
	assert_true(s.site == 0 && s.first == 3 && s.jars == 1 && s.position == 3);
	fleet_string(&fleet, 2, &s);
	assert_string_equal(s.code, "DC-CNX-07-REC-01-S2");
	assert_true(s.site == 1 && s.first == 4 && s.jars == 2);
	/* a site of a city that is known has its climate */
	assert_string_equal(fleet_site(&fleet, 1, code)->code, "DC-CNX-01");
	assert_string_equal(code, "DC-CNX-07");
	/* of two units the last stands; what is not said is not known */
	assert_true(fleet.book.jars[1].installed == INT64_C(1762905600000));
	assert_true(fleet.book.jars[3].installed == TIME_NIL);
	assert_true(fleet.book.jars[4].initial_capacity_ah == 118.5F);
	assert_true(isnan(fleet.book.jars[5].initial_resistance_mohm));
}

static void blocks_are_as_the_book_says(void **state)
{
	struct err err = {0};
	assert_int_equal(book(LIST, &err), 0);
	struct plant *p = plant(7, 6);
	assert_int_equal(p->nstrings, 3);
	assert_int_equal(p->nsites, 2);
	assert_int_equal(p->strings[0].series.n, 3);
	assert_int_equal(p->strings[1].series.n, 1);
	assert_true(p->strings[0].installed == INT64_C(1588723200000));
	assert_true(p->strings[0].jars[1].installed == INT64_C(1762905600000));
	assert_true(p->strings[0].blocks[1].used < 0.1);
	assert_true(p->strings[0].blocks[0].used > p->strings[0].blocks[1].used);
	const struct battery_block *b = &p->strings[2].blocks[0];
	assert_true(fabs(b->nature.soh_new_pct - 100 * 118.5 / 120) < 1e-4);
	assert_true(b->nature.r0_new_mohm == 4.25);
	for (int i = 0; i < 3; i++)
		assert_int_equal(p->strings[0].jars[i].unit, 0);
	assert_int_equal(plant_advance(p, START + 2 * DAY_MS), 0);
	plant_free(p);
}

/* What stands there after eight years has lasted eight years, though the mean life is
 * six: it ages slower than the mean of all, and may be worn out but not yet found. */
static void the_old_have_lasted(void **state)
{
	struct err err = {0};
	char csv[64 * 48] = "code,installed\n";
	for (int i = 1; i <= 64; i++)
		snprintf(csv + strlen(csv), 48,
			"DC-BKK-01-UPS-01-S1-J%02d,2018-01-01\n", i);
	assert_int_equal(book(csv, &err), 0);
	struct plant *p = plant(3, 64);
	double ln = 0;
	int worn = 0;
	for (int i = 0; i < 64; i++) {
		const struct battery_block *b = &p->strings[0].blocks[i];
		assert_int_equal(p->strings[0].jars[i].unit, 0);
		assert_true(b->used > 0.2);
		worn += b->capacity_ah < 0.8 * model.capacity_ah;
		ln += log(b->nature.rate_per_day * model.weibull_scale_years * 365.25) /
		      64;
	}
	print_message("%d of 64 worn, mean rate %.2f\n", worn, exp(ln));
	assert_true(worn < 32 && ln < -0.15);
	plant_free(p);
}

static void what_is_no_fleet_is_refused(void **state)
{
	static const char *const CASES[][2] = {
		{"", "'book.csv' lists no battery"},
		{"code\n", "'book.csv' lists no battery"},
		{"a,b\n1,2\n", "line 1: no column 'code' or 'battery_code'"},
		{"code\nX-1\n", "line 2: 'X-1' is not of the form"},
		{"code\n\"\"\n", "line 2: '' is not of the form"},
		{"code\nDC-BKK-01-UPS-01-S1\n", "is not of the form"},
		{"code\nDC-BKK-01-UPS-01-S1-J7\n", "is not of the form"},
		{"code\nDC-BKK-01-UPS-01-S0-J01\n", "is not of the form"},
		{"code\nDC-BKK-01-UPS-01-S1-J65\n", "is not of the form"},
		{"code\nDC-OSL-01-UPS-01-S1-J01\n", "line 2: no site 'DC-OSL-01'"},
		{"code\nDC-BKK-01-UPS-01-S1-J01\nDC-BKK-01-UPS-01-S1-J03\n",
			"line 3: string DC-BKK-01-UPS-01-S1 has this J03, and no J02"},
		{"code,installed\nDC-BKK-01-UPS-01-S1-J01\n",
			"line 2: 1 columns where the header has 2"},
		{"code,installed\nDC-BKK-01-UPS-01-S1-J01,soon\n",
			"line 2: 'soon' is no date"},
		{"code,initial_capacity_ah\nDC-BKK-01-UPS-01-S1-J01,-3\n",
			"line 2: initial_capacity_ah '-3' is no such quantity"},
		{"code,initial_resistance_mohm\nDC-BKK-01-UPS-01-S1-J01,x\n",
			"line 2: initial_resistance_mohm 'x' is no such quantity"},
	};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct err err = {0};
		assert_int_equal(book(CASES[i][0], &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
		if (!strstr(err.msg, CASES[i][1]))
			fail_msg("'%s' does not say '%s'", err.msg, CASES[i][1]);
		assert_true(fleet.book.nstrings == 0 && !fleet.book.jars);
	}
}

static void batteries_of_another_size(void **state)
{
	struct err err = {0};
	assert_int_equal(
		book("code,initial_capacity_ah\nDC-BKK-01-UPS-01-S1-J01,17\n", &err),
		0);
	assert_null(plant_new(&fleet, &model, 1, 1, START, NULL, NULL, &err));
	assert_non_null(strstr(err.msg, "DC-BKK-01-UPS-01-S1-J01: 17 Ah when new"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_list_is_a_fleet, forget),
		cmocka_unit_test_teardown(blocks_are_as_the_book_says, forget),
		cmocka_unit_test_teardown(the_old_have_lasted, forget),
		cmocka_unit_test_teardown(what_is_no_fleet_is_refused, forget),
		cmocka_unit_test_teardown(batteries_of_another_size, forget),
	};
	int r = cmocka_run_group_tests(tests, load_fleet, NULL);
	fleet_unload(&fleet);
	return r;
}
