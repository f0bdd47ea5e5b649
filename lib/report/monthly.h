/*
 * The monthly report: how the fleet was at the end of a month, what must be replaced
 * and when, how sites compare, how right the predictions were, how loud the alarms: one
 * HTML page that needs nothing beside itself and prints well.
 *
 * It tells of what the database knew at the end of the month, so that the report of a
 * month past can be written again.
 */
#ifndef REPORT_MONTHLY_H
#define REPORT_MONTHLY_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

struct db;

/* What replacing costs; currency "" is: not known. */
struct prices {
	char currency[16];
	double battery; /* a block */
	double labour;  /* to change a block */
	double visit;   /* to a site in a season */
};

struct monthly {
	int64_t month;     /* when it begins, ms */
	const char *run;   /* "" is production */
	const char *sites; /* codes with commas between, whose batteries it tells of;
			      NULL: all */
	struct prices prices;
};

/* "2026-01" to when it begins. Returns 0, or -1: no such month. */
int month_parse(const char *text, int64_t *month);
/* Reads an INI file: [prices] currency, battery, labour, visit. ERR_IO, ERR_USAGE. */
int prices_load(const char *path, struct prices *p, struct err *err);

/* The last month that has a state of a battery; TIME_NIL when there is none. */
int monthly_last(struct db *db, const char *run, int64_t *month, struct err *err);
/* Appends the page. Returns 1; 0 when the month knows no state of a battery; -1. */
int monthly_write(
	struct db *db, const struct monthly *m, struct buf *out, struct err *err);

#endif
