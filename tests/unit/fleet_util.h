/*
 * The default fleet and its battery model, for the tests of what is simulated. Include
 * it after cmocka.h.
 */
#ifndef TESTS_FLEET_UTIL_H
#define TESTS_FLEET_UTIL_H

#include "base/diag.h"
#include "site/plant.h"

#include <stdio.h>

static struct fleet fleet;
static struct battery_model model;
static const int64_t START = INT64_C(1767225600000); /* 2026-01-01 */

/* A group's set-up. */
static inline int load_fleet(void **state)
{
	struct err err = {0};
	char path[4096];
	if (share_path("schemas/fleet/thailand.ini", path, sizeof(path), &err) < 0 ||
		fleet_load(path, &fleet, &err) < 0 ||
		battery_model_named(fleet.battery_model, &model, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return -1;
	}
	return 0;
}

/* The first jars of the fleet, or of them the strings that keep() keeps. */
static inline struct plant *plant_of(
	uint64_t seed, int64_t jars, plant_choice *keep, void *user)
{
	struct err err = {0};
	struct plant *p =
		plant_new(&fleet, &model, seed, jars, START, keep, user, &err);
	if (!p)
		fail_msg("%s", err.msg);
	return p;
}

static inline struct plant *plant(uint64_t seed, int64_t jars)
{
	return plant_of(seed, jars, NULL, NULL);
}

#endif
