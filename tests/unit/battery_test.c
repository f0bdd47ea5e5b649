/* The battery models and their laws against the tables of the fact sheet. */
#include "battery/gassing.h"
#include "battery/model.h"
#include "battery/ocv.h"
#include "battery/rate.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

#include "near.h"

static struct battery_model hx12;

static int load(void **state)
{
	struct err err = {0};
	if (battery_model_named("HX12-120", &hx12, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

static void ocv_table(void **state)
{
	static const double SOC[] = {1, .9, .75, .5, .25, .1, 0};
	static const double OCV[] = {12.95, 12.84, 12.66, 12.33, 11.96, 11.71, 11.54};
	for (int i = 0; i < 7; i++) {
		near(battery_ocv_v(&hx12, SOC[i], 25), OCV[i], 0.006);
		near(battery_soc_from_ocv(&hx12, OCV[i], 25), SOC[i], 0.006);
	}
	/* +1.2 mV/K a block */
	near(battery_ocv_v(&hx12, .5, 35) - battery_ocv_v(&hx12, .5, 25), 0.012, 1e-9);
	near(battery_soc_from_ocv(&hx12, 13.5, 25), 1, 0);
	near(battery_soc_from_ocv(&hx12, 9, 25), 0, 0);
}

static void ocv_smooth(void **state)
{
	(void)state;
	double slope, before, after;
	for (int i = 0; i < hx12.ocv_points; i++)
		near(battery_ocv_smooth_v(&hx12, hx12.ocv_soc[i], 25, &slope),
			hx12.ocv_v[i], 1e-12);
	/* The fact sheet's curve, 11.538 + 1.411 s - 0.354 s (s - 1), of which the
	 * table is. */
	for (double soc = 0.01; soc < 1; soc += 0.01) {
		double v = battery_ocv_smooth_v(&hx12, soc, 25, &slope);
		near(v, 11.538 + 1.411 * soc - 0.354 * soc * (soc - 1), 0.001);
		near(slope, 1.411 - 0.354 * (2 * soc - 1), 0.05);
		near(v, battery_ocv_v(&hx12, soc, 25), 0.002);
	}
	/* It has no kinks, and its slope is its derivative, within and beyond the
	 * table. */
	for (double soc = -0.2; soc < 1.2; soc += 0.0125) {
		double d = 1e-6, v = battery_ocv_smooth_v(&hx12, soc, 35, &slope);
		double up = battery_ocv_smooth_v(&hx12, soc + d, 35, &after);
		double down = battery_ocv_smooth_v(&hx12, soc - d, 35, &before);
		near(after, before, 1e-3);
		near((up - down) / (2 * d), slope, 1e-3);
		assert_true(down < v && v < up);
	}
}

/* A table that bends hard: between two points the curve stays between them. */
static void ocv_smooth_is_monotone(void **state)
{
	(void)state;
	struct battery_model m = {.ocv_points = 6,
		.ocv_soc = {0, 0.05, 0.1, 0.5, 0.95, 1},
		.ocv_v = {2.8, 3.3, 3.31, 3.33, 3.34, 3.6}};
	double slope;
	for (int i = 0; i < 5; i++)
		for (int k = 0; k <= 20; k++) {
			double at = k / 20.0 * (m.ocv_soc[i + 1] - m.ocv_soc[i]);
			double v =
				battery_ocv_smooth_v(&m, m.ocv_soc[i] + at, 25, &slope);
			assert_true(slope > 0);
			assert_true(v > m.ocv_v[i] - 1e-12);
			assert_true(v < m.ocv_v[i + 1] + 1e-12);
		}
	/* Where it flattens towards its ends, it still rises beyond them. */
	m.ocv_v[1] = 2.801;
	m.ocv_v[4] = 3.599;
	for (int end = 0; end <= 1; end++) {
		double beyond = end ? 0.01 : -0.01;
		double v = battery_ocv_smooth_v(&m, end, 25, &slope);
		assert_true(slope > 0);
		double w = battery_ocv_smooth_v(&m, end + beyond, 25, &slope);
		assert_true(slope > 0 && (w - v) * beyond > 0);
	}
	m.ocv_v[1] = 3.3;
	m.ocv_points = 2; /* and two points are a straight line */
	near(battery_ocv_smooth_v(&m, 0.02, 25, &slope), 3.0, 1e-12);
	near(slope, 10, 1e-9);
}

static void tafel_table(void **state)
{
	static const double T[] = {20, 25, 30, 35, 40, 50};
	static const double MA_13_65[] = {15, 20, 27, 36, 48, 88};
	static const double MA_14_40[] = {58, 78, 105, 142, 192, 349};
	for (int i = 0; i < 6; i++) {
		near(battery_gassing_a(&hx12, 1, 13.65, T[i]) * 1000, MA_13_65[i], 0.6);
		near(battery_gassing_a(&hx12, 1, 14.40, T[i]) * 1000, MA_14_40[i], 1);
	}
	double at25 = battery_gassing_a(&hx12, 1, 13.65, 25);
	near(battery_gassing_a(&hx12, 1, 13.65, 36.6) / at25, 2, 0.02);
	near(battery_gassing_a(&hx12, 5, 13.65, 25) / at25, 5, 1e-9);
}

static void tafel_inverse(void **state)
{
	/* Vj = 13.38 + 0.545 [ln(I 100/(C I0 a)) - 0.06 (T - 25)], I0 in A */
	double expected =
		13.38 + 0.5455 * (log(0.05 * 100 / (120 * 0.010 * 2)) - 0.06 * 5);
	near(battery_gassing_voltage_v(&hx12, 2, 0.05, 30), expected, 0.002);
	double i = battery_gassing_a(&hx12, 3, 13.8, 28);
	near(battery_gassing_voltage_v(&hx12, 3, i, 28), 13.8, 1e-9);
	assert_true(isnan(battery_gassing_voltage_v(&hx12, 1, 0, 25)));
}

static void rate_table(void **state)
{
	static const double H[] = {5 / 60., 10 / 60., .25, .5, 1, 3, 5, 10, 20};
	static const double F[] = {.25, .37, .44, .54, .60, .755, .86, 1, 1.035};
	for (int i = 0; i < 9; i++)
		near(battery_rate_fraction(&hx12, -F[i] * 120 / H[i], 120), F[i], 1e-4);
	near(battery_rate_fraction(&hx12, 0, 120), 1.035, 0);
	near(battery_rate_fraction(&hx12, 1e6, 120), 0.05, 0);
	for (double i = 1, last = 2; i < 1000; i *= 1.1) {
		double f = battery_rate_fraction(&hx12, i, 120);
		assert_true(f <= last);
		last = f;
	}
}

static void temperature_factor(void **state)
{
	near(battery_temperature_factor(&hx12, 40), 1.03, 1e-9);
	near(battery_temperature_factor(&hx12, 25), 1, 0);
	near(battery_temperature_factor(&hx12, 0), 0.85, 0.011); /* 86 % */
	near(battery_temperature_factor(&hx12, 70), 1.05, 0);
}

static void all_models_load(void **state)
{
	static const char *const NAMES[] = {"hx12-120", "BBOXX-17", "ub121000",
		"generic-12v-85", "nasa-18650", "GPL12-100"};
	for (int i = 0; i < 6; i++) {
		struct battery_model m;
		struct rec_battery_model r;
		struct err err = {0};
		if (battery_model_named(NAMES[i], &m, &err) < 0)
			fail_msg("%s", err.msg);
		battery_model_record(&m, &r);
		assert_true(strcasecmp(r.name.s, NAMES[i]) == 0);
		assert_true(battery_model_sound(&m));
		assert_true(r.voltage_hard_min_v < m.cutoff_v);
		assert_true(m.ocv_v[0] > m.voltage_hard_min_v);
	}
	struct battery_model liion;
	struct err err = {0};
	assert_int_equal(battery_model_named("nasa-18650", &liion, &err), 0);
	assert_true(isnan(liion.float_v));
	near(battery_gassing_a(&liion, 1, 4.2, 25), 0, 0);
}

static void what_is_no_battery(void **state)
{
	struct battery_model m = hx12;
	assert_true(battery_model_sound(&m));
	m.ocv_v[1] = m.ocv_v[0];
	assert_false(battery_model_sound(&m));
	m = hx12;
	m.r0_mohm = NAN;
	assert_false(battery_model_sound(&m));
	m = hx12;
	m.capacity_ah = -1;
	assert_false(battery_model_sound(&m));
	m = hx12;
	m.capacity_error = 0.01; /* for how long? */
	assert_false(battery_model_sound(&m));
	m.capacity_error_days = 5;
	assert_true(battery_model_sound(&m));
	m = hx12;
	m.rate_fraction[2] = 1e9;
	assert_false(battery_model_sound(&m));
}

static void unknown_model(void **state)
{
	struct battery_model m;
	struct err err = {0};
	assert_int_equal(battery_model_named("../hx12-120", &m, &err), -1);
	assert_int_equal(battery_model_named("nosuch", &m, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	assert_non_null(strstr(err.msg, "nosuch"));
	assert_int_equal(battery_model_load("/nonexistent.ini", &m, &err), -1);
	assert_int_equal(err.class, ERR_IO);
}

/* Loads the text with 'from' replaced by 'to' and gives the message. */
static const char *broken(const char *from, const char *to)
{
	static struct err err;
	static char text[16384], path[] = "/tmp/model-XXXXXX";
	struct battery_model m;
	FILE *in = fopen("schemas/models/hx12-120.ini", "r");
	if (!in)
		return NULL;
	size_t n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	fclose(in);
	char *at = strstr(text, from);
	assert_non_null(at);
	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	fprintf(out, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
	fclose(out);
	err = (struct err){0};
	assert_int_equal(battery_model_load(path, &m, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	unlink(path);
	return err.msg;
}

static void broken_files(void **state)
{
	if (access("schemas/models/hx12-120.ini", R_OK) != 0)
		skip();
	assert_non_null(strstr(broken("r0_mohm = ", "r0_mohms = "), "unknown key"));
	assert_non_null(strstr(broken("r0_mohm = 4.2", ""), "missing in [circuit]"));
	assert_non_null(strstr(broken("r0_mohm = 4.2", "r0_mohm = x"), "not a number"));
	assert_non_null(strstr(broken("r0_mohm = 4.2", "r0_mohm = -1"), "not within"));
	assert_non_null(strstr(broken("cells = 6", "cells = 6.5"), "whole number"));
	assert_non_null(strstr(broken("cells = 6", "cells = 6\ncells = 6"), "twice"));
	assert_non_null(strstr(broken("0.9 1\n", "0.9\n"), "partner"));
	assert_non_null(strstr(broken("0.9 1\n", "1 0.9\n"), "rising"));
	assert_non_null(
		strstr(broken("hard_min_v = 8", "hard_min_v = 11"), "plausible"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ocv_table),
		cmocka_unit_test(ocv_smooth),
		cmocka_unit_test(ocv_smooth_is_monotone),
		cmocka_unit_test(tafel_table),
		cmocka_unit_test(tafel_inverse),
		cmocka_unit_test(rate_table),
		cmocka_unit_test(temperature_factor),
		cmocka_unit_test(all_models_load),
		cmocka_unit_test(what_is_no_battery),
		cmocka_unit_test(unknown_model),
		cmocka_unit_test(broken_files),
	};
	return cmocka_run_group_tests(tests, load, NULL);
}
