/*
 * Identification of how a type of battery fades, from capacity tests of some whose life
 * is known: for the twins of others of the type, which believe it beforehand.
 *
 * Every cell by itself: of SOH = c0 - (1 - end)·(age/life)^p + error, where the error
 * has a part that lasts (e' = a·e + w, a = exp(-dt/error_days)) and a part of each
 * test's own, those numbers that make its tests the most likely ones; the part that
 * lasts is told from the bend of the fade by nothing but that.
 *
 * How cells differ is a guess from few. The deviations of the starting model count as
 * much as four cells [E], those seen beside it; and the mean of n cells is itself off
 * by one nth of their variance and of that of their fits, so that a next one is that
 * much less certain: of one cell, over sqrt(2) times.
 */
#ifndef ESTIMATE_FIT_FADE_H
#define ESTIMATE_FIT_FADE_H

#include "battery/model.h"

#include <stddef.h>

struct fade_test {
	double age_days; /* > 0 */
	double soh;      /* capacity over rated */
};

struct fade_cell {
	const char *name;
	struct fade_test *tests;
	size_t n;
	/* out */
	double c0, life_days, exponent; /* life: until 1 - end of rated is lost */
	double ln_life_days_var, ln_exponent_var; /* how well these are known */
	double error, error_days;                 /* the part that lasts, of rated */
	double own_std;                           /* of a test beside it, of rated */
};

/*
 * Fits the cells (n > 0), sorting their tests by age, and makes of 'start' the model of
 * their type: its [ageing] life, exponent and capacity_error, and [spread]. Ages are
 * taken for days at 25 degC and float voltage. Returns 0, or -1: ERR_DATA naming the
 * cell that has under ten tests or lost under 5 % of the rated capacity, ERR_IO when
 * out of memory. GSL's error handler must be off.
 */
int fit_fade(struct fade_cell *cells, size_t n, const struct battery_model *start,
	struct battery_model *out, struct err *err);

#endif
