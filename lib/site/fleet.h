/*
 * A fleet file: its sites, what the grid and the weather are like there, and how its
 * batteries are laid out: alike everywhere, or as a book lists them
 * (ingest/fleet_book.h).
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
	FLEET_SYSTEMS_MAX = 64,
	FLEET_AGES_MAX = 128,
	FLEET_CODE_MAX = 64, /* of a string */
	FLEET_OLDEST_YEARS = 10,
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

/* How old a string is at the start, which would else be drawn. */
struct string_age {
	char code[FLEET_NAME_MAX];
	double age_years;
};

/* What the books say of the block of a position. Unknown: TIME_NIL, NaN. */
struct fleet_jar {
	int64_t installed;
	float initial_capacity_ah, initial_resistance_mohm;
};

/* A string and where it stands. */
struct fleet_string {
	char code[FLEET_CODE_MAX];
	int64_t site, first; /* number of its site; of its first battery in the fleet */
	int system, position, jars; /* position: in its system, from 1 */
};

/* A list of all batteries, in place of the regular layout. */
struct fleet_book {
	struct book_site {
		char code[FLEET_NAME_MAX];
		const struct site_plan *plan; /* into the fleet */
	} * sites;
	struct fleet_string *strings; /* by site, then by system */
	struct fleet_jar *jars;
	int64_t nsites, nstrings, njars;
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
	double oldest_years; /* strings are that old at most, any age as likely */
	struct string_age ages[FLEET_AGES_MAX];
	int nages;
	struct climate climates[FLEET_CLIMATES_MAX];
	struct region regions[FLEET_REGIONS_MAX];
	struct site_plan sites[FLEET_SITES_MAX];
	int nclimates, nregions, nsites;
	struct fleet_book book; /* nstrings 0: none */
};

/*
 * Reads a fleet file, before it the one it is like. The fleet must stay where it is
 * (its sites point into it). Returns 0, or -1: ERR_IO when it cannot be read, ERR_USAGE
 * naming file, line and key.
 */
int fleet_load(const char *path, struct fleet *f, struct err *err);
void fleet_unload(struct fleet *f);

/* Batteries of one site of the regular layout. */
int fleet_jars_per_site(const struct fleet *f);
/* Batteries of the fleet, without clones. */
int64_t fleet_jars(const struct fleet *f);
/* The first of how many strings hold the first njars batteries, the last perhaps not
 * all of its own. */
int64_t fleet_strings(const struct fleet *f, int64_t njars);
/* The string of that number. */
void fleet_string(const struct fleet *f, int64_t number, struct fleet_string *out);
/* How old the file says the string of that code is, years; NaN: nothing. */
double fleet_age_years(const struct fleet *f, const char *string);
/* The number of a system ("UPS-01"), a new one if there is room; else -1. */
int fleet_system(struct fleet *f, struct str name);
/* The plan of the site of that code, or of the one whose clone it is, else NULL. */
const struct site_plan *fleet_plan(const struct fleet *f, const char *code);
/* Whether the initial capacities of the book are those of such batteries: 0, or -1 with
 * ERR_USAGE naming one that is not. */
int fleet_fits(const struct fleet *f, double rated_ah, struct err *err);

/*
 * The code of the i-th site, i >= 0: beyond the last the sites are cloned with the next
 * free numbers of their city (DC-BKK-01, DC-BKK-02, then DC-BKK-03 …); those of a book
 * are not. Writes into dst[FLEET_NAME_MAX]; returns the plan it follows.
 */
const struct site_plan *fleet_site(const struct fleet *f, int64_t i, char *dst);

#endif
