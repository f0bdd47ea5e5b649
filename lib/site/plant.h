/*
 * The plant: a fleet of sites with their rooms, mains, strings and blocks, moved on in
 * time. What happens on the way (outages, tests, replacements …) is put into a list of
 * happenings, which the caller takes after each step. The state is free of noise:
 * sensors are the caller's (site/sense.h).
 *
 * Everything random hangs on the seed and on the position of a site or block in the
 * fleet, not on how many there are or how time is cut into steps.
 */
#ifndef SITE_PLANT_H
#define SITE_PLANT_H

#include "battery/charger.h"
#include "battery/life.h"
#include "site/grid.h"
#include "site/stage.h"
#include "site/weather.h"

enum { PLANT_CODE_MAX = 64, AGENDA_MAX = 32, NOTE_MAX = 96, ROUNDS = 3 };

/* What a scenario does to a sensor: V of a block, A of a string. */
struct sensor_fault {
	enum fault_sort sort;
	float offset;
};

/* One position of a string and the unit installed there. */
struct plant_jar {
	uint64_t key;
	int unit;
	int64_t manufactured, installed;
	int64_t hard_failure; /* of this unit; far future where none */
	enum cause_names hard_cause;
	bool worn; /* past its end of life, where sudden failures are more frequent */
	enum rate_class_names rate_class;
	int64_t replace_at;               /* TIME_NIL: not planned */
	const struct fleet_jar *book;     /* of its first unit; may be NULL */
	char serial[20], predecessor[20]; /* "" none */
	struct sensor_fault sensor;
	double test_ah; /* at the cut-off, of the test that runs; NaN */
};

/* Capacity: at the rated current to the cut-off. Partial: the site's own load takes
 * out a share of the rating. */
enum discharge_test { TEST_NONE, TEST_CAPACITY, TEST_PARTIAL };
/* A block that a test has found worn out is replaced so many days later. */
enum { TEST_REPLACE_AFTER_DAYS = 21 };
/* A string that failed its test is tested again when its worst jars have been replaced:
 * they ended the test, and kept others from being found [E]. */
enum { TEST_AGAIN_AFTER_DAYS = 28 };

enum task_names {
	TASK_OUTAGE,
	TASK_GENERATOR_TEST,
	TASK_IMPEDANCE,
	TASK_EQUALIZE,
	TASK_CAPACITY_TEST,
	TASK_PARTIAL_TEST,
	TASK_REPLACE,
	TASK_HARD_FAILURE,
};
struct task {
	int64_t ts, until;
	enum task_names what;
	int jar; /* REPLACE, HARD_FAILURE */
};

struct plant_string {
	char code[PLANT_CODE_MAX];
	uint64_t key;
	int64_t site, number; /* of its site in the plant; of the string in the fleet */
	int64_t first;        /* of its first jar in the fleet */
	int system, position; /* in its site, from 0; in its system, from 1 */
	int64_t installed, last_capacity_test; /* TIME_NIL: none */
	int64_t retest_day;                    /* UTC day; 0: none */
	struct battery_series series;
	struct charger charger;
	struct sensor_fault sensor;
	struct plant_jar *jars;
	struct battery_block *blocks;
	double load_share;           /* of the design load, now */
	enum discharge_test testing; /* what the discharge is a test of */
	bool generator_test;         /* the discharge is a generator test */
	int64_t day; /* the agenda is made up to the end of this UTC day */
	struct task agenda[AGENDA_MAX];
	int ntasks, next;
};

struct plant_site {
	char code[PLANT_CODE_MAX];
	const struct site_plan *plan;
	uint64_t key;
	int64_t commissioned, utc_offset_ms;
	struct weather weather;
	struct room room;
	struct outdoors outdoors;
	int64_t hvac_since;                 /* when its air conditioning last failed */
	struct outage outages[OUTAGES_MAX]; /* of the day */
	int noutages, outages_begun, outages_ended;
	int64_t rounds[ROUNDS]; /* inspections … of the day, TIME_NIL: none */
	int64_t day;
	struct life_path *path; /* made when first asked for */
	bool used;              /* a string of it is here; else nothing happens there */
};

/* The report of a discharge test, on the string or a block of it. */
struct test_report {
	enum discharge_test test;
	double rate_a, minutes, ambient_c;
	double pct; /* of the rating, corrected to its rate and 25 degC; NaN: as below
		     */
	enum test_result_names result;
};

/* What a caller makes records of. Strings point into the plant or are its own. */
struct happening {
	int64_t ts;            /* when it is known */
	int64_t start, end_ts; /* end TIME_NIL: open */
	enum {
		HAPPENS_EVENT,
		HAPPENS_CAPACITY,    /* value: Ah, NaN: it was not measured */
		HAPPENS_IMPEDANCE,   /* jar is set, value: mohm */
		HAPPENS_REPLACEMENT, /* jar is set: its master record has changed */
		HAPPENS_WINDOW,      /* maintenance, note: its title */
	} what;
	enum event_type_names type;
	enum event_status_names status;
	const struct plant_string *string; /* NULL: a matter of the site */
	int64_t site;
	int jar; /* -1: of the string or site */
	double value;
	double temperature_c;    /* IMPEDANCE: of the block */
	struct test_report test; /* CAPACITY */
	char note[NOTE_MAX];
	uint64_t order; /* among those of the same string or site */
};

struct plant {
	const struct fleet *fleet;
	const struct battery_model *model;
	uint64_t seed;
	int64_t now;
	struct plant_site *sites;
	struct plant_string *strings;
	int64_t nsites, nstrings, njars; /* njars: those asked for; strings are whole */
	double design_load_a, required_autonomy_min;
	struct stage stage;
	struct happening *happenings;
	size_t nhappenings, cap_happenings;
	bool failed;           /* out of memory */
	struct happening lost; /* where happenings go then */
};

typedef bool plant_choice(
	const char *string_code, int64_t site, int64_t string, void *user);

/*
 * Builds the first njars (> 0) positions of the fleet as they are at 'start', strings
 * whole. 'keep' (may be NULL) chooses strings by code, number of the site and number of
 * the string. fleet and model must outlive the plant. Returns NULL with err when out of
 * memory or when a string has more jars than SERIES_MAX.
 */
struct plant *plant_new(const struct fleet *f, const struct battery_model *m,
	uint64_t seed, int64_t njars, int64_t start, plant_choice *keep, void *user,
	struct err *err);
void plant_free(struct plant *p);

/* Moves everything on to 'to' (> now) and lists what happened, in the order of
 * happening_order; the list is valid until the next call. Returns 0, or -1 when out of
 * memory. */
int plant_advance(struct plant *p, int64_t to);
/* Less than, equal to or greater than 0: in order of time, then of the fleet (a site
 * before its strings), so that several plants' lists merge into one's. */
int happening_order(const struct happening *a, const struct happening *b);

/* Design load on one string of a system. */
double plant_design_load_a(const struct plant *p, int system);

/* The remaining life of the jars of a string, in days from now, with its cause: wear by
 * the ageing law under the temperatures to come, or the hard failure that awaits the
 * unit. INFINITY beyond thirty years. Returns 0, or -1 when out of memory. */
int plant_life(struct plant *p, struct plant_string *s, double *days,
	enum cause_names *causes);

/* lib/site/unit.c: puts a new unit into position i of the string. */
void unit_install(const struct plant *p, struct plant_string *s, int i, int64_t when);
/* The unit there at 'now' after the whole history of the position. */
void unit_history(const struct plant *p, struct plant_string *s, int i, int64_t now);

/* The nature of the unit that will follow the one at position i. */
struct battery_nature unit_successor(
	const struct plant *p, const struct plant_string *s, int i);

/* lib/site/upkeep.c: what is planned for the string on a UTC day, and doing it. */
void upkeep_plan(struct plant *p, struct plant_string *s, int64_t day);
/* What will be done to the string in years to come, as far as it bears on lives. */
void upkeep_foresee(
	const struct plant *p, const struct plant_string *s, struct life_upkeep *u);
void upkeep_plan_site(struct plant_site *site, int64_t day);
/* Lists the rounds of the site that fall before 'to'. */
void upkeep_site(struct plant *p, struct plant_site *site, int64_t to);
/* The mains leave the string alone from ts to 'until', at a share of the design load.
 */
void upkeep_outage(struct plant *p, struct plant_string *s, int64_t ts, int64_t until,
	double share);
/* The share of life that planned tests take a day. */
double upkeep_cycling_per_day(const struct plant *p);
/* What the site draws at ts, of its design load. */
double upkeep_load_share(
	const struct plant *p, const struct plant_string *s, int64_t ts);
/* Lists an event of the string. */
struct happening *upkeep_event(struct plant *p, const struct plant_string *s,
	int64_t ts, enum event_type_names type, enum event_status_names status,
	double value);
/* Thermal runaway has ended block i. */
void upkeep_burst(struct plant *p, struct plant_string *s, int i, int64_t ts);
void upkeep_do(struct plant *p, struct plant_string *s, const struct task *t);
void upkeep_discharge_over(
	struct plant *p, struct plant_string *s, int64_t began, int64_t ended);
/* lib/site/discharge_test.c: puts the string on a test, unless it is not on float;
 * which jars have just reached the cut-off; and its reports, at the end. */
void discharge_test_begin(
	struct plant *p, struct plant_string *s, int64_t ts, enum discharge_test test);
void discharge_test_watch(const struct plant *p, struct plant_string *s);
void discharge_test_end(
	struct plant *p, struct plant_string *s, int64_t began, int64_t ended);
/* Adds a happening that starts at ts, with an open end and no value. */
struct happening *plant_happens(struct plant *p, int64_t ts, int what, int64_t site,
	const struct plant_string *s);

#endif
