/*
 * The stage of a plant: its scenarios, planned, under way and over. Each is told by an
 * event when it begins and when it ends, on the site, string or battery it is for.
 */
#ifndef SITE_STAGE_H
#define SITE_STAGE_H

#include "base/err.h"
#include "site/scenario.h"

#include <stddef.h>

struct plant;
struct plant_site;
struct plant_string;
struct room;
struct weather;

struct stage_entry {
	int id;
	struct scenario scenario;
	int64_t begin, end; /* end TIME_NIL: open */
	double from;        /* what the value was … */
	int64_t from_ts;    /* … when it began to change as it does */
	bool begun, over;
	int64_t worn_until; /* battery_degradation: life has been taken until then */
};

struct stage {
	struct stage_entry *v;
	size_t n, cap;
	int last_id;
	bool changed; /* there was something under way */
};

/* Whether a target of the scenario is anything of this plant. */
bool stage_concerns(const struct plant *p, const struct scenario *s);
/*
 * Plans a scenario; 'origin' is what its start is relative to; one that should have
 * begun begins now. One that is no concern of this plant is kept as well: it cuts time
 * into the same steps everywhere, and plants given the same scenarios number them
 * alike. Returns its id (> 0), or -1 with ERR_IO: no memory.
 */
int stage_add(
	struct plant *p, const struct scenario *s, int64_t origin, struct err *err);
/* Ends a scenario now, or takes back one that has not begun. False: no such id. */
bool stage_clear(struct plant *p, int id);
/* From now on the value goes from 'from' to what it is to be, at 'rate' per hour (0: at
 * once). False: no such id. */
bool stage_turn(struct plant *p, int id, double from, double rate);
/* What the value is at ts. */
double stage_level(const struct stage_entry *e, int64_t ts);
/* How many are planned or under way. */
size_t stage_count(const struct plant *p);
/* The scenario of that id; NULL: none, or over. Valid until the plant is changed. */
const struct stage_entry *stage_find(const struct plant *p, int id);
void stage_release(struct plant *p);

/* For plant_advance: does what is due at p->now. */
void stage_perform(struct plant *p);
/* The time until which nothing changes, at most 'to'. */
int64_t stage_next(const struct plant *p, int64_t to);
/* What the scenarios planned so far do to a site's room and weather at ts. */
void stage_set_room(const struct plant *p, const struct plant_site *site, int64_t ts,
	struct room *r, struct weather *w);

/* Which jars of a string (bit 0 the first) a list of targets names. */
uint64_t stage_jars(const char *targets, const char *string_code, int n);
/* Whether it names the site or anything in it. */
bool stage_site(const char *targets, const char *site_code);

#endif
