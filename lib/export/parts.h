/* The parts of a dataset being written, for the files of lib/export alone. */
#ifndef EXPORT_PARTS_H
#define EXPORT_PARTS_H

#include "base/ids.h"
#include "export/export.h"
#include "export/key.h"
#include "export/out.h"
#include "ingest/keep.h"

/* The latest record of each code, and all that came before. */
struct book {
	struct ids codes;
	struct keep records;
	uint32_t *latest; /* by number of the code: in 'records' */
	size_t cap;
};

/* What is known of the charge and health of a battery. */
struct state {
	int64_t ts;      /* TIME_NIL: nothing */
	double rul_days; /* truth alone; NaN: it does not end in sight */
	float soc_pct, soh_pct, capacity_ah, resistance_mohm;
	int cause; /* ENUM_NIL: not told */
	bool known_life;
};

struct position {
	char key[EXPORT_KEY_SIZE]; /* of the unit there now */
	int unit;
	struct state truth, twin;
	float rul_days; /* estimated last; NaN: not */
	int rul_source;
};

struct export
{
	char dir[4096], partial[4200];
	bool published;
	struct out_clock clock;
	struct out out[LAYOUT_FILES];
	struct out calc_truth; /* telemetry_jar_calc, should there be no twin */
	int64_t twin_states;
	struct book sites, models, systems, strings, sensors, batteries, events, alerts;
	struct book actions;                  /* acknowledgements by alert */
	struct schema *schemas[KIND_MAX + 1]; /* of records that come encoded */
	struct position *positions;           /* by number in 'batteries.codes' */
	size_t cap_positions;
};

/* book.c: keeps a copy under its code. Number of the code, or -1 with err. */
int64_t book_add(
	struct book *b, int kind, struct str code, const void *rec, struct err *err);
/* The latest record of a code's number; NULL: it was only named. */
const void *book_latest(const struct book *b, uint32_t number);
void book_release(struct book *b);

/* The position of a battery, made when it is first named. NULL: out of memory. */
struct position *export_position(struct export *d, struct str code);
/* Battery, string and location of a subject as the next three cells. */
void export_subject(struct export *d, struct out *o, struct str subject);

/* The word of an enumeration's value; NULL: it has none. */
const char *export_word(int kind, int field, int value);

/* samples.c, results.c, masters.c: a row of each kind. 0 or -1. */
int export_telemetry(struct export *d, const void *rec, struct err *err);
int export_string(struct export *d, const void *rec, struct err *err);
int export_environment(struct export *d, const void *rec, struct err *err);
int export_truth(struct export *d, const void *rec, struct err *err);
/* Who acknowledged an alert. 1; 0: another decision, without a column; -1. */
int export_action(struct export *d, const void *rec, struct err *err);
int export_twin(struct export *d, const void *rec, struct err *err);
int export_feature(struct export *d, const void *rec, struct err *err);
int export_rul(struct export *d, const void *rec, struct err *err);
int export_impedance(struct export *d, const void *rec, struct err *err);
int export_capacity(struct export *d, const void *rec, struct err *err);
/* A new unit in a position, or news of the one there. */
int export_battery(struct export *d, const void *rec, struct err *err);
/* At the end: what was kept. 0 or -1. */
int export_masters(struct export *d, struct err *err);
int export_events(struct export *d, struct err *err);
int export_alerts(struct export *d, struct err *err);
int export_states(struct export *d, struct err *err);

#endif
