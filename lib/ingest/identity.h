/*
 * Who rows are about: each identity of a file with what must be remembered of it.
 * Fixed size per identity. Looking up the one that followed last time costs a memcmp.
 */
#ifndef INGEST_IDENTITY_H
#define INGEST_IDENTITY_H

#include "base/ids.h"
#include "ingest/mapping.h"

/* Physical limits of a battery or string; NaN: no limit known. */
struct limits {
	float voltage_hard_min_v, voltage_hard_max_v;
	float voltage_plausible_min_v, voltage_plausible_max_v;
	float temperature_min_c, temperature_max_c;
	float resistance_min_mohm, resistance_max_mohm;
	float current_max_a;
};
extern const struct limits LIMITS_NONE;

struct carried {
	int64_t ts;
	float value;
};

enum {
	RECENT = 8,
	IDENTITIES_MAX = 2000000 /* more are no batteries: a column of something else */
};

struct identity {
	char code[CODE_MAX + 1];
	struct limits limits;
	uint32_t group;         /* number of its string, for joins; IDS_NONE: none */
	int64_t newest;         /* of the rows believed; TIME_NIL: none yet */
	int64_t recent[RECENT]; /* times of the last rows, a ring */
	uint32_t nrecent;
	struct carried carried[MAP_CARRY_MAX];
	/* clock faults, see order.h */
	int64_t held_from; /* time of the first row held back; TIME_NIL: none */
	int held, contradictions;
};

struct identities {
	struct ids raw, codes;
	struct identity **of_raw; /* by number in 'raw' */
	struct identity **by_code;
	uint32_t *next; /* by number in 'raw': who came after it last time */
	uint32_t last;
	size_t cap_raw, cap_codes;
};

/* The identity a cell names, if it was added; NULL where not. */
struct identity *identities_find(struct identities *t, struct str raw);
/* Adds one: raw text and the code it stands for. NULL when out of memory, or when there
 * are IDENTITIES_MAX. */
struct identity *identities_add(struct identities *t, struct str raw, struct str code);
void identities_release(struct identities *t);

/* Translates foreign ids: loaded from a column pair of a CSV file. */
struct id_table {
	struct ids keys, values;
	uint32_t *value_of; /* by number in 'keys' */
	size_t cap;
};
/* nil where the key is unknown. Valid until release. */
struct str id_table_get(const struct id_table *t, struct str key);
/* Returns 0, or -1 when out of memory. */
int id_table_put(struct id_table *t, struct str key, struct str value);
/* Loads dir/file ('.gz' as well). ERR_IO: no such file; ERR_DATA: columns missing. */
int id_table_load(struct id_table *t, const char *dir, const struct map_table *spec,
	struct err *err);
void id_table_release(struct id_table *t);

/* A code: 1 to CODE_MAX printable characters without blanks. */
bool code_valid(struct str s);

#endif
