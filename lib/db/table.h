/*
 * Which table a kind goes to, and how: columns are the kind's fields by their names,
 * after 'run'. A CODE field named after an entity (battery, string, system, site,
 * sensor) holds that entity's number, so that the rows of time series are small.
 *
 *	field type	SQLite		PostgreSQL
 *	TIME, LONG	INTEGER		bigint (ms UTC)
 *	INT, BITS	INTEGER		integer
 *	F32		REAL		real
 *	F64		REAL		double precision
 *	BOOL		INTEGER		boolean
 *	ENUM, CODE	TEXT		text (the word)
 *	PAIRS, STRS	TEXT		text (JSON)
 */
#ifndef DB_TABLE_H
#define DB_TABLE_H

#include "record/schema.h"

enum entity {
	ENTITY_RUN,
	ENTITY_SITE,
	ENTITY_SYSTEM,
	ENTITY_STRING,
	ENTITY_BATTERY,
	ENTITY_SENSOR,
	ENTITY_COUNT,
	ENTITY_NONE = -1
};
/* The table of an entity. All but run have columns (id, run, code); run has (id, name).
 */
const char *entity_table(enum entity e);

enum table_rule {
	RULE_REPLACE, /* a later record of the same key replaces the row */
	RULE_LATEST,  /* so it does, unless its ts is older: life cycles replayed */
	RULE_KEEP,    /* the first stays: decisions of people */
	RULE_MERGE,   /* roll-ups: both make one row, see enum column_merge */
};

/* What a column becomes where a row of RULE_MERGE meets one of the same key. */
enum column_merge {
	MERGE_LATER, /* that of the row whose last_ts is later, if it has one */
	MERGE_SUM,
	MERGE_LEAST,
	MERGE_GREATEST,
};

enum column_type {
	COL_TEXT,
	COL_INT,
	COL_LONG,
	COL_F32,
	COL_F64,
	COL_BOOL,
	COL_WORD, /* the word of an enumeration, held as its number */
};

struct column {
	const char *name;
	enum column_type type;
	const struct field_info *field; /* NULL: run */
	enum entity entity;             /* whose number it holds, or ENTITY_NONE */
	bool key;
	enum column_merge merge;
};

enum { COLUMNS_MAX = FIELDS_MAX + 1, KEYS_MAX = 6 };

struct table {
	const char *name;
	const struct kind_info *kind;
	enum table_rule rule;
	bool series; /* a time series: clustered, by month where the back end can */
	int ncolumns, nkeys;
	int keys[KEYS_MAX]; /* columns in key order; the first is run */
	int ts;             /* column ts, -1 none */
	int latest;         /* index of the table of the newest row of each, -1 none */
	struct column columns[COLUMNS_MAX];
};

#define RUN_COLUMN                                                                     \
	((struct column){                                                              \
		.name = "run", .type = COL_INT, .entity = ENTITY_RUN, .key = true})

/*
 * How many tables there are, and the i-th, made from this build's kinds. Returns 0, or
 * -1 with ERR_DATA: a key names no field (a fault of this build, found by the tests).
 * Tables NAME_latest and telemetry_LEVEL follow from others: no record goes there.
 */
int table_count(void);
int table_make(int i, struct table *t, struct err *err);
/* Index of the table a kind goes to, or -1. */
int table_of_kind(int kind);

#endif
