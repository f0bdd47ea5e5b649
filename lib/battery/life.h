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

/*
 * Days from 'now' until each block of the string is at its end of life by wear, into
 * days[s->n]; INFINITY where the path ends before. deep_per_year: full discharges
 * planned (capacity tests). Blocks already past their end give 0.
 */
void life_forecast(const struct battery_series *s, const struct life_path *path,
	int64_t now, double deep_per_year, double *days);

#endif
