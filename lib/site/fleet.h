/*
 * A fleet file: its sites, what the grid and the weather are like there, and how its
 * batteries are laid out.
 */
#ifndef SITE_FLEET_H
#define SITE_FLEET_H

#include "base/err.h"
#include "record/kinds.h"

/* More than this would be a capacity test; a quarter. */
#define DISCHARGE_TEST_PCT_MAX 80
enum { DISCHARGE_TEST_DAYS = 91 };

enum {
	FLEET_NAME_MAX = 64,
	FLEET_SITES_MAX = 64,
	FLEET_CLIMATES_MAX = 32,
	FLEET_REGIONS_MAX = 16,
	FLEET_SYSTEMS_MAX = 8,
};

struct climate {
	char name[FLEET_NAME_MAX];
	int months; /* 12 */
	double max_c[12], min_c[12], rh_pct[12];
};

struct region {
	char name[FLEET_NAME_MAX];
	double outages_per_year, dips_per_year, outage_median_min, outage_sigma;
	int wet_from, wet_to; /* months, 1-12 */
};

struct site_plan {
	char code[FLEET_NAME_MAX], name[FLEET_NAME_MAX], city[FLEET_NAME_MAX];
	char region_name[FLEET_NAME_MAX], climate_name[FLEET_NAME_MAX];
	double latitude, longitude;
	const struct region *region; /* into the fleet */
	const struct climate *climate;
};

struct fleet {
	char battery_model[FLEET_NAME_MAX], timezone[FLEET_NAME_MAX];
	char systems_text[4 * FLEET_NAME_MAX];
	char systems[FLEET_SYSTEMS_MAX][16]; /* "REC-01" */
	int nsystems, strings_per_system, jars_per_string;
	double utc_offset_h;
	/* each string is discharged by this share of its rating every so many days, and
	 * fully in the yearly capacity test; 0: that test only */
	double discharge_test_pct;
	int discharge_test_days;
	struct climate climates[FLEET_CLIMATES_MAX];
	struct region regions[FLEET_REGIONS_MAX];
	struct site_plan sites[FLEET_SITES_MAX];
	int nclimates, nregions, nsites;
};

/*
 * Reads a fleet file. The fleet must stay where it is (its sites point into it).
 * Returns 0, or -1: ERR_IO when it cannot be read, ERR_USAGE naming file, line and key.
 */
int fleet_load(const char *path, struct fleet *f, struct err *err);

/* Batteries of one site. */
int fleet_jars_per_site(const struct fleet *f);

/*
 * The code of the i-th site, i >= 0: beyond the last the sites are cloned with the next
 * free numbers of their city (DC-BKK-01, DC-BKK-02, then DC-BKK-03 …). Writes into
 * dst[FLEET_NAME_MAX]; returns the plan it follows.
 */
const struct site_plan *fleet_site(const struct fleet *f, int64_t i, char *dst);

#endif
