/*
 * Ageing, remaining life and autonomy against the fact sheet's numbers and against
 * answers that can be written down.
 */
#include "estimate/wear.h"
#include "base/timefmt.h"
#include "battery/series.h"
#include "estimate/autonomy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "near.h"

static struct battery_model hx12;
static const struct wear_start NEW = {0, 1, NAN, 1e-4};
static const int64_t T0 = INT64_C(1788000000000);
/* Median life at 25 degC in a room, whose blocks are a degree warmer; years. */
static const double LIFE = 6.5 * 0.9124 * 1.0814;

static int load(void **state)
{
	struct err err = {0};
	(void)state;
	return battery_model_named("hx12-120", &hx12, &err);
}

/* Fact sheet, section 4: .60 eV halves life per about 9 K above 25 degC; +0.07 V a cell
 * halves it too. */
static void test_stress(void **state)
{
	(void)state;
	near(wear_acceleration(&hx12, 25), 1, 1e-12);
	near(wear_acceleration(&hx12, 35), 2.13, 0.02);
	assert_true(wear_acceleration(&hx12, 15) < 0.5);
	assert_true(isfinite(wear_acceleration(&hx12, 1e9)));
	near(wear_stress(&hx12, 25, 13.65), 1, 1e-12);
	near(wear_stress(&hx12, 25, 13.65 + 6 * 0.07), 2, 1e-9);
	/* -18 mV/K: what is float voltage at 35 degC. */
	near(wear_stress(&hx12, 35, 13.65 - 0.18), 2.13, 0.02);
	/* No voltage, or none of a float: temperature alone. */
	near(wear_stress(&hx12, 35, NAN), 2.13, 0.02);
	near(wear_stress(&hx12, 25, 11), 1, 1e-12);
}

/* Before any measurement: the population. */
static void test_prior_is_the_population(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul r;
	double soh, std;
	wear_init(&a, &hx12, &NEW);
	wear_soh(&a, &hx12, &soh, &std);
	near(soh, 1, 1e-6);
	near(std, 0.025, 1e-4); /* manufacturing spread */
	assert_false(wear_informed(&a));
	wear_rul(&a, &hx12, T0, &r);
	/* Sudden failures, one test a year and the blocks' own gassing take some. */
	near(r.days / 365.25, LIFE, 0.08 * LIFE);
	/* Lognormal of .26 for the rate, .05 of its square root for the capacity. */
	assert_in_range((int)(100 * log(r.days / r.lower_days)), 35, 65);
	assert_in_range((int)(100 * log(r.upper_days / r.days)), 35, 65);
	/* New: sudden failure, .15 % a year, and infant mortality, .4 % in the first.
	 */
	near(r.fail_30d, 0.0015 * 30 / 365.25 + 0.004 * pow(30 / 365.25, 0.7), 1e-6);
	near(r.ln_std / wear_prior_ln_std(&hx12), 1, 0.2);
	/* As hot as in its first reading: half the life. */
	struct wear_start hot = {0, 2, NAN, 1e-4};
	double days = r.days;
	wear_init(&a, &hx12, &hot);
	wear_rul(&a, &hx12, T0, &r);
	near(r.days, days / 2, 0.04 * days);
}

/* Days of one kind pass, month after month. */
static void pass(struct wear *a, int64_t *ts, double days, double stress)
{
	for (; days > 0; days -= 10) {
		*ts += 10 * DAY_MS;
		wear_advance(a, &hx12, *ts, 10, 10 * stress, 10 * stress);
	}
}

/* SOH is 80 % after one life, and the remaining life is then nought. */
static void test_law(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul r;
	double soh, std, last = 1e9;
	int64_t ts = T0;
	wear_init(&a, &hx12, &(struct wear_start){0, 1, 120, 1e-4});
	for (int i = 0; i < 10; i++) {
		wear_rul(&a, &hx12, ts, &r);
		assert_true(r.days < last && r.lower_days <= r.days &&
			    r.days <= r.upper_days);
		assert_true(r.fail_30d <= r.fail_90d);
		last = r.days;
		pass(&a, &ts, LIFE * 36.525, 1);
	}
	wear_soh(&a, &hx12, &soh, &std);
	/* Moments of powers of a lognormal rate, but for its farthest ends. */
	double faded = 0.2 * pow((double)a.aged, 2.5), s2 = pow(2.5 * 0.26, 2);
	near(soh, 1 - faded * exp(s2 / 2), 0.003);
	near(std, faded * exp(s2 / 2) * sqrt(exp(s2) - 1), 0.02);
	wear_rul(&a, &hx12, ts, &r);
	near(r.days, 0, 60);
	double z = log((double)a.aged + 30 / (LIFE * 365.25)) / 0.26;
	near(r.fail_30d, 0.5 * erfc(-z * M_SQRT1_2), 0.04);
	assert_true(r.upper_days > 365);
}

/* One measurement of a linear state: scalar Kalman in c0 alone when new. */
static void test_capacity_of_a_new_unit(void **state)
{
	(void)state;
	struct wear a;
	double soh, std;
	struct battery_model m = hx12;
	m.evidence_std_factor = 1; /* the variances as they are told */
	wear_init(&a, &m, &NEW);
	wear_capacity(&a, 0.95, 0.025 * 0.025);
	wear_soh(&a, &m, &soh, &std);
	/* Equal variances: half way, and half the variance. */
	near(soh, 0.975, 1e-4);
	near(std, 0.025 / sqrt(2), 1e-4);
	assert_true(wear_informed(&a));
	wear_withdraw_capacity(&a);
	wear_soh(&a, &m, &soh, &std);
	near(soh, 1, 1e-6);
	wear_capacity(&a, NAN, 1e-4);
	wear_capacity(&a, 1e9, 1e-4);
	wear_capacity(&a, 0.9, 0);
	assert_false(wear_informed(&a));
	/* Tests twice as good as is supposed: a quarter of the variance. */
	m.evidence_std_factor = 0.5;
	wear_capacity(&a, 0.95, 0.025 * 0.025);
	wear_soh(&a, &m, &soh, &std);
	near(soh, 0.96, 1e-4);
	near(std, 0.025 / sqrt(5), 1e-4);
	wear_withdraw_capacity(&a);
	m.evidence_std_factor = 1;
	/* However many tests, exact ones: their mean, at a variance of 1/n. */
	for (int i = 0; i < 50; i++)
		wear_capacity(&a, i % 2 ? 0.96 : 0.94, 0.02 * 0.02);
	wear_soh(&a, &m, &soh, &std);
	near(soh, 0.95, 0.002);
	near(std, 1 / sqrt(50 / (0.02 * 0.02) + 1 / (0.025 * 0.025)), 2e-4);
}

/* An old unit found healthy ages slowly: its life grows. */
static void test_capacity_of_an_old_unit(void **state)
{
	(void)state;
	struct wear a, sick;
	struct wear_rul before, after, bad;
	double soh, std;
	wear_init(&a, &hx12, &(struct wear_start){5 * 365.25, 1, NAN, 1e-4});
	wear_rul(&a, &hx12, T0, &before);
	sick = a;
	wear_capacity(&a, 0.97, 0.02 * 0.02);
	wear_soh(&a, &hx12, &soh, &std);
	near(soh, 0.97, 0.02);
	assert_true(std < 0.025);
	wear_rul(&a, &hx12, T0, &after);
	assert_true(after.days > 1.3 * before.days);
	wear_capacity(&sick, 0.70, 0.02 * 0.02);
	wear_soh(&sick, &hx12, &soh, &std);
	near(soh, 0.70, 0.02);
	wear_rul(&sick, &hx12, T0, &bad);
	near(bad.days, 0, 1);
	assert_true(bad.fail_30d > 0.9);
}

/* A life lived by the law of one mode, at a rate of its own, seen by its sensors for
 * the years from..to: what the twin then knows. */
struct life {
	double rate, c0, growth, i0;
	int mode;
};

static double lived(const struct life *l, double years)
{
	return l->rate * years / LIFE;
}

static double soh_of(const struct life *l, double years)
{
	return l->c0 - 0.2 * pow(lived(l, years), 2.5);
}

static struct wear watch(const struct life *l, double from, double to, bool gassing)
{
	struct wear a;
	int64_t ts = T0;
	wear_init(&a, &hx12, &(struct wear_start){from * 365.25, 1, 120 * l->c0, 1e-4});
	for (double t = from; t < to; t += 10 / 365.25) {
		double u = lived(l, t);
		double power = 3 * hx12.mode_r0_power[l->mode];
		double r = 1 +
			   l->growth * 0.4 * hx12.mode_r0_gain[l->mode] * pow(u, power);
		double g = 1 + 4 * hx12.mode_gassing[l->mode] * pow(u, 4);
		for (int i = 0; i < 24; i++) {
			wear_resistance(&a, r * (i % 2 ? 1.02 : 0.98));
			if (gassing)
				wear_gassing(&a, l->i0 * g * (i % 2 ? 1.2 : 0.8));
		}
		pass(&a, &ts, 10, 1);
	}
	return a;
}

/* Resistance and gassing over two years find rate and mode, where age alone is far
 * off. */
static void test_sensors_find_rate_and_mode(void **state)
{
	(void)state;
	static const struct life LIVES[] = {{1, 1, 1, 1, 0}, {1.3, 1.02, 0.8, 1.3, 0},
		{0.75, 0.99, 1.2, 0.8, 0}, {1.1, 1, 1.1, 0.9, 1}, {0.8, 1, 0.8, 1.2, 1},
		{1.2, 0.98, 1, 1, 2}};
	for (size_t i = 0; i < sizeof(LIVES) / sizeof(*LIVES); i++) {
		const struct life *l = &LIVES[i];
		double now = 0.9 * LIFE / l->rate, soh, std;
		struct wear a = watch(l, now - 2.5, now, true);
		struct wear_rul r;
		wear_soh(&a, &hx12, &soh, &std);
		wear_rul(&a, &hx12, T0 + 913 * DAY_MS, &r);
		print_message("mode %d, rate %.2f: SOH %.3f, is %.3f +- %.3f; %.0f "
			      "days to %.0f\n",
			l->mode, l->rate, soh_of(l, now), soh, std, r.lower_days,
			r.upper_days);
		near(soh, soh_of(l, now), 0.03);
		near(soh, soh_of(l, now), 2.5 * std + 0.005);
		assert_true(std < 0.035);
	}
}

/* Ohmic readings alone: the block's own growth, 25 %, stays in doubt for good. */
static void test_resistance_alone(void **state)
{
	(void)state;
	struct life l = {1.2, 1, 1, 1, 0};
	double now = 0.9 * LIFE / l.rate, soh, std, fewer, fewer_std;
	struct wear a = watch(&l, now - 2, now, false);
	struct wear b = watch(&l, now - 0.1, now, false);
	wear_soh(&a, &hx12, &soh, &std);
	wear_soh(&b, &hx12, &fewer, &fewer_std);
	near(soh, soh_of(&l, now), 2.5 * std);
	assert_true(std > 0.015);
	near(fewer, soh_of(&l, now), 2.5 * fewer_std);
	/* Absurd readings are not taken. */
	struct wear c = a;
	wear_resistance(&c, -1);
	wear_resistance(&c, NAN);
	wear_resistance(&c, 1e6);
	wear_gassing(&c, 0);
	wear_gassing(&c, NAN);
	assert_memory_equal(&a, &c, sizeof(a));
}

/* One bad week does not carry its month with it. */
static void test_faulty_readings_are_held_back(void **state)
{
	(void)state;
	struct life l = {1, 1, 1, 1, 0};
	double soh, std, soh2, std2;
	struct wear a = watch(&l, 3, 5, true), b = a;
	int64_t ts = T0 + 730 * DAY_MS;
	for (int i = 0; i < 600; i++) {
		wear_resistance(&a, 1.17);
		wear_resistance(&b, i >= 300 && i < 360 ? 8 : 1.17);
	}
	pass(&a, &ts, 30, 1);
	pass(&b, &ts, 30, 1);
	wear_soh(&a, &hx12, &soh, &std);
	wear_soh(&b, &hx12, &soh2, &std2);
	near(soh, soh2, 0.01);
}

/* A float current sensor with an offset for the first days of a month makes a block
 * that gasses little look worn, and its string with it: months of good readings outvote
 * it. */
static void test_a_false_month_is_outvoted(void **state)
{
	(void)state;
	struct life l = {1, 1, 1, 1, 0};
	double soh, std, soh2, std2;
	struct wear a = watch(&l, 3, 5, true), b = a;
	int64_t ts = T0 + 730 * DAY_MS;
	double g = (double)a.mark[a.marks - 1].gassing;
	double r = (double)a.mark[a.marks - 1].ratio;
	pass(&a, &ts, 30, 1);
	b = a;
	for (int i = 0; i < 720; i++) {
		wear_gassing(&a, g);
		wear_gassing(&b, i < 200 ? 2.4 * g : g);
		wear_resistance(&a, r);
		wear_resistance(&b, r);
	}
	wear_soh(&a, &hx12, &soh, &std);
	wear_soh(&b, &hx12, &soh2, &std2);
	near(soh, soh2, 0.01);
}

/* However bad a capacity test is after years of good readings, it is believed, and the
 * worse the more. */
static void test_a_bad_test_is_believed(void **state)
{
	(void)state;
	struct life l = {1, 1, 1, 1, 0};
	double soh, std, before = 1;
	for (double tested = 0.85; tested > 0.5; tested -= 0.1) {
		int64_t ts = T0;
		struct wear a = watch(&l, 3, 5, true), b;
		wear_init(&b, &hx12, &NEW);
		pass(&b, &ts, 730, 1);
		struct wear *each[] = {&a, &b}; /* with readings, and without */
		for (int i = 0; i < 2; i++) {
			wear_capacity(each[i], tested, 0.014 * 0.014);
			wear_soh(each[i], &hx12, &soh, &std);
			assert_true(soh < tested + 0.05);
		}
		assert_true(soh < before);
		before = soh;
	}
}

/* The year's months: a hot season that is about to begin takes more of the life than
 * one that has just ended. */
static void test_climate(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul spring, autumn;
	int64_t ts = 0; /* 1970-01-01 */
	wear_init(&a, &hx12, &(struct wear_start){5.2 * 365.25, 1, 120, 1e-4});
	for (int day = 0; day < 365; day++, ts += DAY_MS) {
		double heat = day > 90 && day < 180 ? 3 : 0.5;
		wear_advance(&a, &hx12, ts, 1, heat, heat);
	}
	wear_rul(&a, &hx12, ts + 90 * DAY_MS, &spring);
	wear_rul(&a, &hx12, ts + 180 * DAY_MS, &autumn);
	assert_true(spring.days < 0.8 * autumn.days);
}

/* Discharges wore it before it was first seen as they have since. */
static void test_damage_before(void **state)
{
	(void)state;
	struct wear a, known;
	double soh, std, soh2, std2;
	int64_t ts = T0;
	wear_init(&a, &hx12, &(struct wear_start){3 * 365.25, 1, 120, 1e-4});
	pass(&a, &ts, 365.25, 1);
	for (int i = 0; i < 8; i++)
		wear_cycle(&a, &hx12, 1);
	known = a; /* the same, watched from new */
	known.age_days = 0;
	known.aged += (float)(3 / LIFE);
	/* 8 in the year, and the usual one in the one before it was seen. */
	known.damage += (float)(3 * 9.0 / 2 / hx12.cycles_full);
	wear_soh(&a, &hx12, &soh, &std);
	wear_soh(&known, &hx12, &soh2, &std2);
	near(soh, soh2, 5e-4);
	near(std, std2, 5e-4);
}

/* Half of the deviation of SOH, half of that of a life; and what grows with the years
 * comes to it. */
static void test_doubt_of_a_life(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul r;
	double wide[3];
	wear_init(&a, &hx12, &(struct wear_start){0, 1, 120, 1e-4});
	for (int i = 0; i < 3; i++) {
		struct battery_model m = hx12;
		m.sudden_per_year = 0;
		m.infant_scale_years = 1e9;
		m.gassing_growth = 0; /* whose mode is not drawn in */
		m.soh_std_factor = i ? 0.5 : 1;
		m.future_sigma = 0.001;
		m.wander_sigma = i == 2 ? 0.1 : 0;
		wear_rul(&a, &m, T0, &r);
		wide[i] = log(r.upper_days / r.lower_days) / (2 * 1.645);
	}
	near(wide[1] / wide[0], 0.5, 0.05);
	double years = r.days / 365.25;
	near(wide[2], hypot(wide[1], 0.1 * sqrt(years)), 0.03);
}

/* At the same float voltage, a block that gasses much has mates that do, and need not
 * fear that they will gas still more and leave it a higher voltage. */
static void test_mates_that_are_old(void **state)
{
	(void)state;
	struct wear_rul r[2];
	for (int i = 0; i < 2; i++) {
		struct wear a;
		int64_t ts = T0;
		wear_init(&a, &hx12, &(struct wear_start){365.25, 1, 120, 1e-4});
		for (int k = 0; k < 24; k++)
			wear_gassing(&a, i ? 1.5 : 1);
		pass(&a, &ts, 30, 1);
		assert_true(fabsf(a.doublings) < 1e-6F);
		wear_rul(&a, &hx12, ts, &r[i]);
	}
	assert_true(r[1].days > 1.05 * r[0].days);
}

/* That it is still in service after seven years: tests would have found it. */
static void test_in_service(void **state)
{
	(void)state;
	struct wear a, known;
	double soh, std;
	wear_init(&a, &hx12, &(struct wear_start){7 * 365.25, 1, 120, 1e-4});
	known = a;
	known.age_days = 0; /* the same age, watched from new: no such news */
	known.aged = (float)(7 / LIFE);
	known.days = 7 * 365.25F;
	known.heat = known.days;
	double soh2, std2;
	wear_soh(&a, &hx12, &soh, &std);
	wear_soh(&known, &hx12, &soh2, &std2);
	assert_true(soh > soh2 + 0.03);
	assert_true(std < std2);
}

/* A block far older than any gets, by a law that may bend that much: the powers of its
 * age must not become no numbers at all. */
static void test_long_past_its_life(void **state)
{
	(void)state;
	struct battery_model m = hx12;
	m.ageing_exponent = 8;
	m.exponent_sigma = 0.95;
	struct wear a;
	struct wear_rul r;
	double soh, std;
	wear_init(&a, &m, &(struct wear_start){6000, 7, NAN, 1e-4});
	for (int i = 0; i < 90; i++) {
		wear_advance(&a, &m, T0 + (i + 1) * DAY_MS, 1, 7, 7);
		wear_resistance(&a, 3);
		if (i % 30 == 0)
			wear_capacity(&a, 0.6, 1e-4);
	}
	wear_soh(&a, &m, &soh, &std);
	assert_true(soh > 0 && soh < 1.2 && std > 0 && std < 1);
	wear_rul(&a, &m, T0 + 90 * DAY_MS, &r);
	assert_true(0 <= r.lower_days && r.lower_days <= r.days);
	assert_true(r.days <= r.upper_days && r.upper_days < 1e5);
}

/* A unit of unknown age: wide, and not taken for new. */
static void test_unknown_age(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul r;
	double soh, std;
	wear_init(&a, &hx12, &(struct wear_start){NAN, 1, NAN, 0.02});
	wear_soh(&a, &hx12, &soh, &std);
	assert_true(soh < 0.99 && soh > 0.8);
	assert_true(std > 0.03);
	wear_rul(&a, &hx12, T0, &r);
	assert_true(r.lower_days < r.days && r.days < r.upper_days);
}

/* Fact sheet, section 1: 60 % of the C10 capacity in one hour, 100 % in ten. */
static void test_autonomy_is_the_rate_table(void **state)
{
	(void)state;
	struct autonomy_state s = {1, 0, 120, 0, 25};
	struct autonomy a;
	autonomy_estimate(&hx12, &s, 12, &a);
	near(a.minutes, 600, 0.5);
	autonomy_estimate(&hx12, &s, 72, &a);
	near(a.minutes, 60, 0.5);
	autonomy_estimate(&hx12, &s, 0.44 * 120 * 4, &a);
	near(a.minutes, 15, 0.3);
	/* Half empty, at C/10: half the time; and the part a high rate cannot get is
	 * lost. */
	s.soc = 0.5;
	autonomy_estimate(&hx12, &s, 12, &a);
	near(a.minutes, 300, 0.5);
	autonomy_estimate(&hx12, &s, 72, &a);
	near(a.minutes, (0.5 - 0.4) * 120 / 72 * 60, 0.5);
	s.soc = 0.3;
	autonomy_estimate(&hx12, &s, 72, &a);
	near(a.minutes, 0, 1e-9);
	assert_true(a.lower_min == 0 && a.upper_min >= 0);
	/* Worn: at the rated current it gives its capacity, by definition of that. */
	s = (struct autonomy_state){1, 0, 96, 0, 25};
	autonomy_estimate(&hx12, &s, 12, &a);
	near(a.minutes, 480, 0.5);
}

/* Minutes a simulated block, full and so much of its life old, carries a load. */
static double carries(double used, double load_a)
{
	struct battery_block b[1] = {{.nature = {.soh_new_pct = 100,
					      .r0_new_mohm = hx12.r0_mohm,
					      .i0_factor = 1,
					      .r0_scatter = 1},
		.used = used}};
	struct battery_series s = {.model = &hx12, .blocks = b, .n = 1};
	struct battery_drive d = {.constant_current = true, .current_a = -load_a};
	double t = 0;
	battery_series_settle(&s, hx12.float_v, 25);
	for (; s.voltage_v > hx12.cutoff_v && t < 20 * 3600; t += 5)
		battery_series_step(&s, &d, 25, 5);
	return t / 60;
}

/* What is told of a block whose charge and capacity are known is what it then does, new
 * and worn: within the table's own deviation. */
static void test_autonomy_is_what_a_block_does(void **state)
{
	(void)state;
	static const double LOADS[] = {12, 25, 45, 70, 100}, USED[] = {0, 0.5, 0.8, 1};
	for (size_t i = 0; i < sizeof(LOADS) / sizeof(*LOADS); i++)
		for (size_t j = 0; j < sizeof(USED) / sizeof(*USED); j++) {
			double q = 120 * (1 - 0.2 * pow(USED[j], 2.5));
			double real = carries(USED[j], LOADS[i]);
			struct autonomy_state s = {1, 0, q, 0, 25};
			struct autonomy a;
			autonomy_estimate(&hx12, &s, LOADS[i], &a);
			print_message(
				"%g A, %g of its life: told %.1f min, does %.1f\n",
				LOADS[i], USED[j], a.minutes, real);
			assert_true(a.lower_min < real && real < a.upper_min);
		}
}

/* Bounds: 1.645 standard deviations of the independent parts. */
static void test_autonomy_bounds(void **state)
{
	(void)state;
	struct autonomy_state s = {0.9, 0.02, 110, 4, 25};
	struct autonomy a, shifted;
	autonomy_estimate(&hx12, &s, 12, &a);
	near(a.minutes, 0.9 * 550, 1);
	/* C/10 of the rating, all of 110 Ah in 550 min: t = (s - 1 + f)Q/I. */
	double by_soc = 550 * 0.02, by_table = 550 * hx12.rate_fraction_std;
	double by_q = 0.9 * 4 / 12 * 60;
	double std = sqrt(by_soc * by_soc + by_table * by_table + by_q * by_q);
	near(a.upper_min - a.minutes, 1.645 * std, 0.5);
	near(a.minutes - a.lower_min, 1.645 * std, 0.5);
	s.temperature_c = 0;
	autonomy_estimate(&hx12, &s, 12, &shifted);
	assert_true(shifted.minutes < a.minutes - 60); /* 15 % less at 0 degC */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_stress),
		cmocka_unit_test(test_prior_is_the_population),
		cmocka_unit_test(test_law),
		cmocka_unit_test(test_capacity_of_a_new_unit),
		cmocka_unit_test(test_capacity_of_an_old_unit),
		cmocka_unit_test(test_sensors_find_rate_and_mode),
		cmocka_unit_test(test_resistance_alone),
		cmocka_unit_test(test_faulty_readings_are_held_back),
		cmocka_unit_test(test_a_false_month_is_outvoted),
		cmocka_unit_test(test_a_bad_test_is_believed),
		cmocka_unit_test(test_climate), cmocka_unit_test(test_damage_before),
		cmocka_unit_test(test_doubt_of_a_life),
		cmocka_unit_test(test_mates_that_are_old),
		cmocka_unit_test(test_in_service),
		cmocka_unit_test(test_long_past_its_life),
		cmocka_unit_test(test_unknown_age),
		cmocka_unit_test(test_autonomy_is_the_rate_table),
		cmocka_unit_test(test_autonomy_is_what_a_block_does),
		cmocka_unit_test(test_autonomy_bounds)};
	return cmocka_run_group_tests(tests, load, NULL);
}
