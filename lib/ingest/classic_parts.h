/* The parts of the classic layout, for the classic*.c files alone. */
#ifndef INGEST_CLASSIC_PARTS_H
#define INGEST_CLASSIC_PARTS_H

#include "ingest/classic.h"
#include "ingest/keep.h"

/* What is known of a string: its last sample, and what waits to be joined to it. */
struct string_state {
	struct limits limits; /* of its batteries in series */
	int64_t ts, calc_ts;  /* TIME_NIL: none */
	float current_a, power_w, thd_pct;
	int mode;
	bool calc_used;
};

struct series {
	struct source *source; /* NULL: no such file */
	union rec_any rec;
	int64_t ts;
	bool full, ended;
};
enum { STRING, STRING_CALC, ENVIRONMENT, JAR, SERIES };

struct model_limits {
	struct limits limits;
	bool known;
};

/* The rows battery.csv has of one position, so far. */
struct units {
	int n;
	bool known; /* one of them says when it was installed */
};

struct classic {
	const char *dir;
	const struct ingest_env *outer;
	struct ingest_env env;
	struct keep masters, events;
	size_t next_master, next_event;
	struct series series[SERIES];
	struct series *last; /* the one whose record is out */
	struct ids strings, models, batteries;
	struct string_state *states; /* by number in 'strings' */
	size_t cap_states;
	struct model_limits *limits;    /* by number in 'models' */
	uint32_t *model_of, *string_of; /* by number in 'batteries' */
	struct units *units;            /* as well */
	size_t cap_limits, cap_model_of, cap_string_of, cap_units;
	int64_t join_ms;
	struct classic_file files[CLASSIC_FILES_MAX];
	int nfiles;
};

/* The path of NAME.csv or NAME.csv.gz in dir, for *out. False: neither is there. */
bool classic_find(const char *dir, const char *name, char *out, size_t size);
/* Opens the file NAME by its bundled mapping. 1; 0 when there is none; -1. */
int classic_open_file(struct classic *c, const char *name, const char *role,
	struct source **out, struct err *err);
/* Takes over what a source has counted; 'unused' of its records were not kept. */
void classic_account(struct classic *c, const struct source *s, int64_t unused);
/* Reads all master data; knows models, strings and batteries from then on. 0 or -1. */
int classic_read_masters(struct classic *c, struct err *err);
/* Reads a file of transactions, completed from the file 'calc' (NULL: none). 0 or -1.
 */
int classic_read_transactions(
	struct classic *c, const char *name, const char *calc, struct err *err);

#endif
