/*
 * How long the blocks of a string will live: the ageing law of the simulator itself,
 * run forward in steps of ten days under the temperatures its site will have. The
 * blocks go on sharing their float voltage while they age apart.
 */
#ifndef BATTERY_LIFE_H
#define BATTERY_LIFE_H

#include "battery/series.h"

enum { LIFE_STEP_DAYS = 10, LIFE_STEPS = 1095 /* thirty years */ };

/* Mean Arrhenius factor of a room over each ten days. */
struct life_path {
	int64_t from; /* start of the first step */
	float stress[LIFE_STEPS];
	float room_c[LIFE_STEPS];
};

/* What is done to the string meanwhile. Days are from now. */
struct life_upkeep {
	double cycling_per_day; /* share of life that tests take */
	/* equalising charges, which fill a block that leaks; 0: none */
	double next_equalize_days, equalize_every_days;
	/* a worn block is found at the next test and replaced some days later; a test
	 * comes each year from next_test_days on */
	double next_test_days, found_to_replaced_days;
	/* a string that fails is tested again after so many days; the day such a test
	 * is already planned for, -INFINITY: none */
	double retest_after_days, retest_days;
	double hard_failure_days[SERIES_MAX]; /* INFINITY: none */
	double replace_days[SERIES_MAX];      /* already ordered; INFINITY: not */
	struct battery_nature successors[SERIES_MAX];
};

/*
 * Days from 'now' until each block of the string is at its end of life by wear, into
 * days[s->n]; INFINITY where the path ends before. Blocks already past their
 * end give 0. Neighbours that die are replaced by their successors, which share the
 * string's voltage differently; hard failures end no life here, that is the caller's.
 */
void life_forecast(const struct battery_series *s, const struct life_path *path,
	int64_t now, const struct life_upkeep *upkeep, double *days);

#endif
