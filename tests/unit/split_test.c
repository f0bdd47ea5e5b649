/* Splits: whole groups, by seed, whatever the order. */
#include "learn/split.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>

/* sites × 2 strings × jars batteries */
static void fleet(struct ids *t, int sites, int jars, bool backwards)
{
	int n = sites * 2 * jars;
	for (int k = 0; k < n; k++) {
		int i = backwards ? n - 1 - k : k;
		char code[64];
		snprintf(code, sizeof(code), "DC-S%02d-UPS-01-S%d-J%02d",
			i / (2 * jars), 1 + i / jars % 2, 1 + i % jars);
		ids_intern(t, str_of(code));
	}
}

static void test_no_group_in_two_parts(void **state)
{
	for (int by = SPLIT_BATTERY; by <= SPLIT_SITE; by++) {
		struct ids t = {0};
		struct split s;
		struct err err = {0};
		size_t total = 0;
		fleet(&t, 9, 24, false);
		assert_int_equal(split_make(&s, &t, (enum split_by)by, 5, &err), 0);
		for (uint32_t a = 0; a < t.n; a++)
			for (uint32_t b = 0; b < a; b++) {
				/* the same site, or the same string: the code's
				 * beginning */
				size_t len = by == SPLIT_SITE     ? 6
					     : by == SPLIT_STRING ? 16
								  : 20;
				if (strncmp(t.names[a], t.names[b], len) == 0)
					assert_int_equal(
						split_part(&s, a), split_part(&s, b));
			}
		for (uint32_t a = 0; a < t.n; a++)
			for (uint32_t b = 0; b < a; b++)
				if (s.group_of[a] == s.group_of[b])
					assert_int_equal(split_fold(&s, a, 8),
						split_fold(&s, b, 8));
		for (int p = 0; p < PART_COUNT; p++)
			total += s.batteries_in[p];
		assert_int_equal(total, t.n);
		assert_int_equal(s.groups.n, by == SPLIT_SITE     ? 9
					     : by == SPLIT_STRING ? 18
								  : 432);
		split_release(&s);
		ids_release(&t);
	}
}

static void test_folds_are_even(void **state)
{
	struct ids t = {0};
	struct split s;
	int in[8] = {0};
	fleet(&t, 9, 24, false);
	assert_int_equal(split_make(&s, &t, SPLIT_BATTERY, 5, NULL), 0);
	for (uint32_t b = 0; b < t.n; b++)
		in[split_fold(&s, b, 8)]++;
	for (int k = 0; k < 8; k++)
		assert_int_equal(in[k], 432 / 8);
	split_release(&s);
	ids_release(&t);
}

static void test_order_does_not_matter_seed_does(void **state)
{
	struct ids a = {0}, b = {0};
	struct split x, y, z;
	int differ = 0;
	fleet(&a, 4, 20, false);
	fleet(&b, 4, 20, true);
	assert_int_equal(split_make(&x, &a, SPLIT_BATTERY, 1, NULL), 0);
	assert_int_equal(split_make(&y, &b, SPLIT_BATTERY, 1, NULL), 0);
	assert_int_equal(split_make(&z, &a, SPLIT_BATTERY, 2, NULL), 0);
	for (uint32_t i = 0; i < a.n; i++) {
		uint32_t j = ids_find(&b, str_of(a.names[i]));
		assert_int_equal(split_part(&x, i), split_part(&y, j));
		differ += split_part(&x, i) != split_part(&z, i);
	}
	assert_true(differ > 40);
	split_release(&x);
	split_release(&y);
	split_release(&z);
	ids_release(&a);
	ids_release(&b);
}

static void refused(int sites, int jars, enum split_by by, const char *says)
{
	struct ids t = {0};
	struct split s;
	struct err err = {0};
	fleet(&t, sites, jars, false);
	assert_int_equal(split_make(&s, &t, by, 1, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
	if (!strstr(err.msg, says))
		fail_msg("'%s' does not say '%s'", err.msg, says);
	split_release(&s);
	ids_release(&t);
}

static void test_too_few_is_refused(void **state)
{
	refused(1, 1, SPLIT_BATTERY, "2 of at least 54");
	refused(4, 24, SPLIT_SITE, "4 of at least 5");
	refused(5, 2, SPLIT_SITE, "of at least");
	refused(0, 0, SPLIT_BATTERY, "0 of at least 54");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_group_in_two_parts),
		cmocka_unit_test(test_folds_are_even),
		cmocka_unit_test(test_order_does_not_matter_seed_does),
		cmocka_unit_test(test_too_few_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
