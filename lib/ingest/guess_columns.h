/* What columns are, by their names and values; for guess.c alone. */
#ifndef INGEST_GUESS_COLUMNS_H
#define INGEST_GUESS_COLUMNS_H

#include "ingest/mapping.h"

enum { GUESS_COLUMNS = 128, GUESS_ROWS = 2000, GUESS_CELL = 48, GUESS_WORDS = 256 };

enum role {
	R_NONE,
	R_TIME,
	R_IDENTITY,
	R_VOLTAGE,
	R_CURRENT,
	R_TEMPERATURE,
	R_RESISTANCE,
	R_MODE,
	ROLES
};

struct guess_column {
	char name[MAP_NAME_SIZE];
	int filled, numeric, times; /* cells that are not blank; numbers; times */
	int distinct;               /* up to GUESS_WORDS different texts */
	double min, max, median;
	double v[GUESS_ROWS]; /* NaN where blank or no number */
	bool codes, modes;    /* every text is a code; a word of the field 'mode' */
	char first[GUESS_CELL];
	const char *time_format;  /* that reads every cell; NULL none */
	const char *other_format; /* another one that does: a doubt */
	enum role role;
	double factor, offset;
	const char *unit_doubt; /* NULL: none */
};

/* Decides c->time_format from what it has read of the column's cells. */
void guess_time(struct guess_column *c, char cells[][GUESS_CELL], int n);
/* How well the column fits the role: 0 not at all. Sets factor and offset. */
int guess_fit(struct guess_column *c, enum role role, int rows);
/*
 * Correlation of steps in v with steps in i, where i steps; blanks are skipped.
 * Positive: charging is positive (V = OCV + I R). *steps: how many were seen.
 */
double guess_sign(const double *v, const double *i, int n, int *steps);
/*
 * Volts v rises while i flows in its positive direction and falls while it flows in its
 * negative one, added up: the sign where there are no steps. Positive: charging is.
 */
double guess_drift(const double *v, const double *i, int n);

#endif
