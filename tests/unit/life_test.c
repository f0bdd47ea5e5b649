/* The life of an alert: 'for', hysteresis, 'keep', severities, suppression, gaps. */
#include "rules/life.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* Warning above 35, critical above 45, clear at 33 and 43; for 2 min, keep 3 min. */
static const char RULE[] =
	"[hot]\nkind = telemetry\nfield = temperature_c\n"
	"condition = above\nwarning = 35\ncritical = 45\nclear = 33\n"
	"for = 2m\nkeep = 3m\nmessage = hot\n";

static struct rule_set set;

static const struct rule *rule(const char *text)
{
	struct err err = {0};
	if (rule_set_parse(&set, text, strlen(text), "test", &err) < 0)
		fail_msg("%s", err.msg);
	return &set.rules[0];
}

static enum life_change step(
	struct life *l, const struct rule *r, int64_t ts, double v, bool quiet)
{
	struct verdict verdict;
	for (int i = 0; i < LEVEL_COUNT; i++) {
		const struct rule_level *lv = &r->level[i];
		struct level_limits lim = {
			lv->lo.add, lv->hi.add, lv->clear_lo.add, lv->clear_hi.add};
		life_judge(r, (enum level)i, &lim, v, &verdict);
	}
	return life_step(l, r, ts, &verdict, quiet);
}

/* One letter a change: . same, p started, l lapsed, F fired, S shifted, H held,
 * R resolved. */
static const char LETTERS[] = ".plFSHR";

struct series {
	const char *what;
	double value[12]; /* one a minute; NaN: no sample */
	int n;
	const char *want;
};

static void check_series(const struct series *s, const char *text)
{
	const struct rule *r = rule(text);
	struct life l = {0};
	char got[16] = "";
	for (int i = 0; i < s->n; i++) {
		enum life_change c = LIFE_SAME;
		if (!isnan(s->value[i]))
			c = step(&l, r, i * MINUTE_MS, s->value[i], false);
		got[i] = LETTERS[c];
	}
	if (strcmp(got, s->want) != 0)
		fail_msg("%s: %s, not %s", s->what, got, s->want);
}

static void test_series(void **state)
{
	static const struct series all[] = {
		{"never over", {20, 34, 35, 34, 20}, 5, "....."},
		{"shorter than 'for'", {36, 36, 34, 36, 36, 20}, 6, "p.lp.l"},
		{"exactly 'for'", {36, 36, 36}, 3, "p.F"},
		{"band keeps it firing", {36, 36, 36, 34, 34, 34, 34, 34}, 8,
			"p.F....."},
		{"clears after 'keep'", {36, 36, 36, 33, 33, 33, 33, 33}, 8,
			"p.F...R."},
		{"band restarts 'keep'", {36, 36, 36, 33, 33, 34, 33, 33, 33, 33}, 10,
			"p.F......R"},
		{"over restarts 'keep'", {36, 36, 36, 33, 33, 36, 33, 33, 33, 33}, 10,
			"p.F......R"},
		{"critical at once", {50, 50, 50, 50}, 4, "p.F."},
		{"escalates after 'for' of its own", {36, 36, 36, 50, 50, 50}, 6,
			"p.F..S"},
		{"a spike does not escalate", {36, 36, 36, 50, 50, 40, 50}, 7,
			"p.F...."},
		{"de-escalates after 'keep'", {50, 50, 50, 40, 40, 40, 40, 40}, 8,
			"p.F...S."},
		{"critical's own band", {50, 50, 50, 44, 44, 44, 44, 44}, 8,
			"p.F....."},
		{"down and up again", {50, 50, 50, 40, 40, 40, 40, 50, 50, 50}, 10,
			"p.F...S..S"},
		{"from critical to clear", {50, 50, 50, 30, 30, 30, 30}, 7, "p.F...R"},
		{"no sample, no change", {36, 36, 36, NAN, NAN, NAN, NAN, NAN, 36, 30},
			10, "p.F......."},
		{"again after it resolved", {36, 36, 36, 30, 30, 30, 30, 36, 36, 36},
			10, "p.F...Rp.F"},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		check_series(&all[i], RULE);
}

static void test_conditions(void **state)
{
	static const struct {
		const char *condition, *limits;
		double over, clear;
	} all[] = {
		{"above", "3", 3.1, 3},
		{"below", "3", 2.9, 3},
		{"abs_above", "3", -3.1, -3},
		{"abs_above", "3", 3.1, 2},
		{"outside", "1, 3", 0.9, 1},
		{"outside", "1, 3", 3.1, 3},
	};
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		char text[256];
		snprintf(text, sizeof(text),
			"[r]\nkind = telemetry\nfield = voltage_v\ncondition = %s\n"
			"warning = %s\nmessage = m\n",
			all[i].condition, all[i].limits);
		const struct rule *r = rule(text);
		struct life l = {0};
		assert_int_equal(step(&l, r, 0, all[i].clear, false), LIFE_SAME);
		assert_int_equal(step(&l, r, 1, all[i].over, false), LIFE_FIRED);
		assert_int_equal(step(&l, r, 2, all[i].over, false), LIFE_SAME);
		assert_int_equal(step(&l, r, 3, all[i].clear, false), LIFE_RESOLVED);
	}
}

static void test_nan_limit_is_neither(void **state)
{
	const struct rule *r = rule("[r]\nkind = telemetry\nfield = voltage_v\n"
				    "condition = above\nwarning = 1\nmessage = m\n");
	struct level_limits lim = {NAN, NAN, NAN, NAN};
	struct verdict v;
	life_judge(r, LEVEL_WARNING, &lim, 5, &v);
	assert_false(v.over[LEVEL_WARNING]);
	assert_false(v.clear[LEVEL_WARNING]);
}

static void test_suppressed(void **state)
{
	const struct rule *r = rule(RULE);
	struct life l = {0};
	assert_int_equal(step(&l, r, 0, 36, true), LIFE_STARTED);
	assert_int_equal(step(&l, r, 2 * MINUTE_MS, 36, true), LIFE_HELD);
	assert_int_equal(step(&l, r, 3 * MINUTE_MS, 50, true), LIFE_SAME);
	assert_int_equal(step(&l, r, 9 * MINUTE_MS, 50, false), LIFE_FIRED);
	assert_int_equal(l.level, LEVEL_CRITICAL);
	assert_int_equal(l.start, 0);
	assert_int_equal(step(&l, r, 10 * MINUTE_MS, 50, false), LIFE_SAME);
}

static void test_gap_lapses_pending(void **state)
{
	const struct rule *r = rule(RULE);
	struct life l = {0};
	int64_t later = 2 * MINUTE_MS + LIFE_GAP_MS + 1;
	step(&l, r, 0, 36, false);
	assert_int_equal(step(&l, r, later, 36, false), LIFE_SAME);
	assert_int_equal(l.phase, LIFE_PENDING);
	assert_int_equal(l.start, later);
	assert_int_equal(step(&l, r, later + 2 * MINUTE_MS, 36, false), LIFE_FIRED);
}

static void test_old_samples_are_ignored(void **state)
{
	const struct rule *r = rule(RULE);
	struct life l = {0};
	step(&l, r, 100 * MINUTE_MS, 36, false);
	step(&l, r, 102 * MINUTE_MS, 36, false);
	assert_int_equal(l.phase, LIFE_FIRING);
	for (int i = 0; i < 50; i++)
		assert_int_equal(step(&l, r, i * MINUTE_MS, 20, false), LIFE_SAME);
	assert_int_equal(l.phase, LIFE_FIRING);
}

static void test_reset(void **state)
{
	const struct rule *r = rule(RULE);
	struct life l = {0};
	step(&l, r, 0, 36, false);
	assert_int_equal(life_reset(&l), LIFE_SAME);
	step(&l, r, 10, 36, false);
	step(&l, r, 10 + 2 * MINUTE_MS, 36, false);
	assert_int_equal(life_reset(&l), LIFE_RESOLVED);
	assert_int_equal(l.phase, LIFE_IDLE);
}

/*
 * Whatever comes: no second firing without a resolve between, never resolved without
 * firing, nothing fires before 'for', starts never go back; and an independent
 * re-computation of "over without a break for 'for'" agrees on when it fires.
 */
static void test_properties(void **state)
{
	const struct rule *r = rule(RULE);
	for (int run = 0; run < 300; run++) {
		struct life l = {0};
		int64_t ts = 0, over_since = TIME_NIL, start = -1;
		bool open = false;
		uint64_t key = rng_key(1, (uint64_t)run);
		for (int i = 0; i < 400; i++) {
			double v = 25 + 25 * rng_uniform(key, 2 * (uint64_t)i);
			if (run % 2)
				v = i / (3 + run % 7) % 2 ? 37 : 31;
			ts += 20 * SECOND_MS +
			      (int64_t)(60000 * rng_uniform(key, 2 * (uint64_t)i + 1));
			if (!(v > 35))
				over_since = TIME_NIL;
			else if (over_since == TIME_NIL)
				over_since = ts;
			bool due = over_since != TIME_NIL &&
				   ts - over_since >= 2 * MINUTE_MS;
			enum life_change c = step(&l, r, ts, v, false);
			if (!open)
				assert_int_equal(c == LIFE_FIRED, due);
			if (c == LIFE_FIRED) {
				assert_false(open);
				assert_true(l.start > start);
				assert_int_equal(l.start, over_since);
				start = l.start;
				open = true;
			} else if (c == LIFE_RESOLVED) {
				assert_true(open);
				assert_true(v <= 33);
				open = false;
			} else if (c == LIFE_SHIFTED) {
				assert_true(open);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_series),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_nan_limit_is_neither),
		cmocka_unit_test(test_suppressed),
		cmocka_unit_test(test_gap_lapses_pending),
		cmocka_unit_test(test_old_samples_are_ignored),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_properties),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
