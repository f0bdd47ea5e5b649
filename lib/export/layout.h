/*
 * The classic layout of a dataset directory: which files it has, which columns these
 * have, what a cell may hold. The writer (export.h) takes its headers from here, the
 * quality report (report/quality.h) its rules; how columns become records again is in
 * schemas/mappings/classic.
 *
 * Bounds are those of what can be, not of what is healthy: a block of 12 V nominal, any
 * lead-acid chemistry.
 */
#ifndef EXPORT_LAYOUT_H
#define EXPORT_LAYOUT_H

#include <stdbool.h>

enum layout_id {
	LAYOUT_LOCATION,
	LAYOUT_MODEL,
	LAYOUT_SYSTEM,
	LAYOUT_STRING,
	LAYOUT_BATTERY,
	LAYOUT_SENSOR,
	LAYOUT_EVENT,
	LAYOUT_CAPACITY,
	LAYOUT_CAPACITY_CALC,
	LAYOUT_IMPEDANCE,
	LAYOUT_IMPEDANCE_CALC,
	LAYOUT_STRING_RAW,
	LAYOUT_STRING_CALC,
	LAYOUT_ENVIRONMENT,
	LAYOUT_JAR_RAW,
	LAYOUT_JAR_CALC,
	LAYOUT_FEATURE,
	LAYOUT_ALERT,
	LAYOUT_RUL,
	LAYOUT_FILES
};

enum layout_type {
	LAYOUT_KEY,   /* unique in its file */
	LAYOUT_REF,   /* a key of another file */
	LAYOUT_TEXT,  /* anything */
	LAYOUT_TIME,  /* local, "2026-08-25 00:00:00", with or without a fraction */
	LAYOUT_NUM,   /* a number within min..max */
	LAYOUT_WHOLE, /* a whole number within min..max */
	LAYOUT_BOOL,  /* True, False */
	LAYOUT_WORD,  /* one of 'words' */
};

struct layout_column {
	const char *name;
	enum layout_type type;
	bool need;         /* never empty */
	enum layout_id of; /* REF: the file whose key it is */
	double min, max;
	const char *words; /* " a b c " */
};

enum { LAYOUT_COLUMNS_MAX = 20 };

struct layout_file {
	const char *name; /* without .csv and .csv.gz */
	bool gzip;        /* written compressed; read either way */
	bool required;
	int n;
	const struct layout_column *columns;
};

/* Never NULL for id < LAYOUT_FILES. */
const struct layout_file *layout_file(enum layout_id id);
/* Index of a column of the file, -1: it has none of that name. */
int layout_column(enum layout_id id, const char *name);

/* The zone of every time of the layout; the mappings read it as this one. */
#define LAYOUT_ZONE "Asia/Bangkok"
#define LAYOUT_STATES "battery_states.json"
#define LAYOUT_REPORT "data_quality_report.txt"

#endif
