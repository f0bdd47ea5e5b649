/*
 * A part of the run: some strings of the fleet, one after the other, and all it takes
 * to move them on and to say what happens. Parts share nothing that changes, so that
 * each may be computed by a thread of its own; strings of one site in two parts have
 * each their own copy of the site, which is the same, and the part of its first string
 * speaks for it. Put together in order, the parts say what a single one would.
 */
#ifndef SIMULATE_PART_H
#define SIMULATE_PART_H

#include "spool.h"

#include "site/sense.h"

#include <stdatomic.h>

enum { SAMPLE_ROOM, SAMPLE_STRING, SAMPLE_JAR, SAMPLES };
enum { CODE_SIZE = CODE_MAX + 1 };

/* What all parts read and none changes. */
struct world {
	struct fleet fleet;
	struct battery_model model;
	struct sensors sensors;
	bool skip[KIND_MAX + 1]; /* kinds nobody wants */
	bool states;             /* of jars, with each of their samples */
};

/* What is done at a time: move there, tell what happened, sample, tell the truth. */
struct step {
	int64_t ts;
	bool sample, due[SAMPLES]; /* some sorts may be sampled less often */
	bool truth, tick;
};

enum { STEPS_MAX = 512 };

struct plan {
	struct step steps[STEPS_MAX];
	int n;
};

/* In a step they go out in this order, each of all parts. */
enum section { HAPPENED, STATES, SAMPLED, TRUE_STATE, SECTIONS };

/* What a part has to say of a plan. */
struct yield {
	struct spool spools[SECTIONS];
	size_t ends[SECTIONS]
		   [STEPS_MAX]; /* runs of a section up to the end of a step */
	/* when and where, of each run of HAPPENED: one record */
	struct moment {
		int64_t ts, site, string;
	} * moments;
	size_t cap_moments;
};

struct part {
	const struct world *world;
	struct plant *plant;
	/* of stuck sensors: per site, string, jar */
	struct sense_hold *room_holds, *string_holds, *jar_holds;
	int64_t before_site; /* of the string before the first: another part speaks for
				that site; -1 none */
	int before_system;
};

/* Which strings a part is made of. */
struct choice {
	plant_choice *keep;
	void *user;
	int64_t from, to; /* numbers of strings */
};

/*
 * Builds the part as it is at 'start'. 'before' is the part that comes before it, NULL
 * for the first. Returns 0, or -1 with err as plant_new; part_release in any case.
 */
int part_open(struct part *p, const struct world *w, const struct choice *c,
	const struct part *before, uint64_t seed, int64_t njars, int64_t start,
	struct err *err);
void part_release(struct part *p);
/* Does the plan into y; stops between two steps when *stop is set. What failed is in
 * the spools of y. */
void part_compute(struct part *p, const struct plan *plan, struct yield *y,
	const atomic_bool *stop);
void yield_release(struct yield *y);

/* How many jars of the string were asked for: the last string may be cut. */
int jars_wanted(const struct plant *p, const struct plant_string *string);
/* True for the first string of its site, or of its system (false: of its site). */
bool first_of(const struct part *p, int64_t i, bool of_system);
/* Codes, written into dst[CODE_SIZE]. */
struct str jar_code(const struct plant_string *s, int jar, char *dst);
struct str sensor_code(const struct plant_site *site, char *dst);

/* masters.c: one of the sorts of master records, as far as string i brings them. */
enum masters {
	MASTER_SITES,
	MASTER_SYSTEMS,
	MASTER_STRINGS,
	MASTER_BATTERIES,
	MASTER_SENSORS,
	MASTERS
};
void tell_masters(const struct part *p, int64_t i, enum masters what, struct spool *o);
void tell_model(const struct world *w, struct spool *o);
void tell_battery(const struct part *p, const struct plant_string *string, int i,
	struct spool *o);
/* happened.c: one record of what happened, if it is this part's to tell. */
void tell_happening(const struct part *p, const struct happening *h, struct spool *o);
/* samples.c: one sample of the sensors that are due, at the plant's now. */
void tell_samples(struct part *p, const bool due[SAMPLES], struct spool *o);
/* truth.c: what really is now, but for the life that is left. */
void tell_states(struct part *p, struct spool *o);
/* What really is. Returns 0, or -1 when out of memory. */
int tell_truth(struct part *p, struct spool *o);

#endif
