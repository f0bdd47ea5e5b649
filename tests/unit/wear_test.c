/*
 * Ageing, remaining life and autonomy against the fact sheet's numbers and against
 * answers that can be written down.
 */
#include "estimate/wear.h"
#include "estimate/autonomy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "near.h"

static struct battery_model hx12;
static const struct wear_start NEW = {0, 1, NAN};

static int load(void **state)
{
	struct err err = {0};
	(void)state;
	return battery_model_named("hx12-120", &hx12, &err);
}

/* Fact sheet, section 4: .60 eV halves life per about 9 K above 25 degC. */
static void test_arrhenius(void **state)
{
	(void)state;
	near(wear_acceleration(&hx12, 25), 1, 1e-12);
	near(wear_acceleration(&hx12, 35), 2.13, 0.02);
	assert_true(wear_acceleration(&hx12, 15) < 0.5);
	assert_true(isfinite(wear_acceleration(&hx12, 1e9)));
}

/* Before any measurement: the Weibull population, shape 4, scale 6.5 years. */
static void test_prior_is_the_population(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul r;
	double soh, std;
	wear_init(&a, &hx12, &NEW);
	wear_soh(&a, &soh, &std);
	near(soh, 1, 1e-9);
	near(std, 0.025, 1e-9); /* manufacturing spread */
	wear_rul(&a, &hx12, 1, &r);
	near(r.days / 365.25, 6.5 * pow(log(2), 0.25), 0.01);
	/* Its 5 and 95 % points; the lognormal is a stand-in, so within a year. */
	near(r.lower_days / 365.25, 6.5 * pow(-log(0.95), 0.25), 1.0);
	near(r.upper_days / 365.25, 6.5 * pow(-log(0.05), 0.25), 2.6);
	/* New: nothing but sudden failure, .15 % a year, can happen in a month. */
	near(r.fail_30d, 0.0015 / 365.25 * 30, 1e-5);
	wear_rul(&a, &hx12, 2, &r);
	near(r.days / 365.25, 6.5 * pow(log(2), 0.25) / 2, 0.01);
}

/* SOH is 80 % after one median life, and the remaining life is then nought. */
static void test_law(void **state)
{
	(void)state;
	struct wear a;
	struct wear_rul r;
	double soh, std, last = 1e9;
	wear_init(&a, &hx12, &NEW);
	for (int i = 0; i < 10; i++) {
		wear_rul(&a, &hx12, 1, &r);
		assert_true(r.days < last && r.lower_days <= r.days &&
			    r.days <= r.upper_days);
		assert_true(r.fail_30d <= r.fail_90d);
		last = r.days;
		wear_advance(&a, a.life_days / 10, 1);
	}
	wear_soh(&a, &soh, &std);
	near(soh, 0.80, 1e-9);
	assert_true(std > 0.1); /* population only: nothing is sure at that age */
	wear_rul(&a, &hx12, 1, &r);
	near(r.days, 0, 0.01 * a.life_days);
	near(r.fail_30d, 0.5, 0.06);
	assert_true(r.upper_days > 365);
}

/* One measurement of a linear state: c0 alone when new (scalar Kalman in ln). */
static void test_capacity_of_a_new_unit(void **state)
{
	(void)state;
	struct wear a;
	wear_init(&a, &hx12, &NEW);
	wear_measure(&a, log(0.95), 0.025 * 0.025);
	/* Equal variances: half way, and half the variance. */
	near(a.c0, 0.975, 0.001);
	near(a.pcc, 0.025 * 0.025 / 2, 2e-5);
	near(a.y, 0, 1e-9);
}

/* An old unit found healthy ages slowly: its rate falls, its life grows. */
static void test_capacity_of_an_old_unit(void **state)
{
	(void)state;
	struct wear a, sick;
	struct wear_rul before, after, bad;
	double soh, std;
	wear_init(&a, &hx12, &(struct wear_start){5 * 365.25, 1, NAN});
	wear_rul(&a, &hx12, 1, &before);
	sick = a;
	wear_measure(&a, log(0.97), 0.02 * 0.02);
	wear_soh(&a, &soh, &std);
	near(soh, 0.97, 0.02);
	assert_true(std < 0.025);
	assert_true(a.y < -0.1);
	wear_rul(&a, &hx12, 1, &after);
	assert_true(after.days > 1.3 * before.days);
	wear_measure(&sick, log(0.70), 0.02 * 0.02);
	wear_soh(&sick, &soh, &std);
	near(soh, 0.70, 0.02);
	wear_rul(&sick, &hx12, 1, &bad);
	near(bad.days, 0, 1);
	assert_true(bad.fail_30d > 0.9);
}

/* Resistance is a weak word: it moves SOH the right way and leaves it wide. */
static void test_resistance_relation(void **state)
{
	(void)state;
	struct wear a;
	double soh, std, soh2, std2;
	wear_init(&a, &hx12, &(struct wear_start){5 * 365.25, 1, NAN});
	wear_soh(&a, &soh, &std);
	wear_relate_resistance(&a, log(1.6), 0.0144 + 0.0009);
	wear_soh(&a, &soh2, &std2);
	assert_true(soh2 < soh - 0.03);
	assert_true(std2 < std && std2 > 0.03);
	/* A new unit's SOH hardly moves: more likely the sensor than the block. */
	wear_init(&a, &hx12, &NEW);
	wear_relate_resistance(&a, log(1.3), 0.0144 + 0.0009);
	wear_soh(&a, &soh, &std);
	near(soh, 0.98, 0.02);
}

/* Moments against numerical integration of the weighed normal. */
static void test_in_service(void **state)
{
	(void)state;
	struct wear a;
	double ln_std = M_PI / sqrt(6) / 4, sum = 0, first = 0, second = 0;
	wear_init(&a, &hx12, &(struct wear_start){6 * 365.25, 1, NAN});
	double x = 6 / (6.5 * pow(log(2), 0.25));
	for (double y = -3; y < 3; y += 1e-4) {
		double w = exp(-y * y / (2 * ln_std * ln_std));
		if (x * exp(y) > 1)
			w *= 0.3;
		sum += w;
		first += w * y;
		second += w * y * y;
	}
	near(a.y, first / sum, 1e-4);
	near(a.pyy, second / sum - pow(first / sum, 2), 1e-4);
	assert_true(a.y < -0.1);
}

/* A unit of unknown age: wide, and not taken for new. */
static void test_unknown_age(void **state)
{
	(void)state;
	struct wear a;
	double soh, std;
	wear_init(&a, &hx12, &(struct wear_start){NAN, 1, NAN});
	wear_soh(&a, &soh, &std);
	assert_true(soh < 0.99 && soh > 0.9);
	assert_true(std > 0.03);
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
}

/* Bounds: 1.645 standard deviations of the independent parts. */
static void test_autonomy_bounds(void **state)
{
	(void)state;
	struct autonomy_state s = {0.9, 0.02, 110, 4, 25};
	struct autonomy a, shifted;
	autonomy_estimate(&hx12, &s, 11, &a);
	near(a.minutes, 540, 1);
	/* C/10 of 110: t = (s - 1 + f)Q/I; f changes with Q too, by the table's slope.
	 */
	double by_soc = 600 * 0.02, by_table = 600 * 0.05;
	struct autonomy_state more = s;
	more.capacity_ah += 4;
	autonomy_estimate(&hx12, &more, 11, &shifted);
	double by_q = shifted.minutes - a.minutes;
	double std = sqrt(by_soc * by_soc + by_table * by_table + by_q * by_q);
	near(a.upper_min - a.minutes, 1.645 * std, 3);
	near(a.minutes - a.lower_min, 1.645 * std, 3);
	s.temperature_c = 0;
	autonomy_estimate(&hx12, &s, 11, &shifted);
	assert_true(shifted.minutes < a.minutes - 60); /* 15 % less at 0 degC */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_arrhenius),
		cmocka_unit_test(test_prior_is_the_population),
		cmocka_unit_test(test_law),
		cmocka_unit_test(test_capacity_of_a_new_unit),
		cmocka_unit_test(test_capacity_of_an_old_unit),
		cmocka_unit_test(test_resistance_relation),
		cmocka_unit_test(test_in_service), cmocka_unit_test(test_unknown_age),
		cmocka_unit_test(test_autonomy_is_the_rate_table),
		cmocka_unit_test(test_autonomy_bounds)};
	return cmocka_run_group_tests(tests, load, NULL);
}
