/* What the parts of the monthly report share: the figures, and how they are drawn. */
#ifndef REPORT_MONTHLY_PARTS_H
#define REPORT_MONTHLY_PARTS_H

#include "base/timefmt.h"
#include "record/kinds.h"
#include "report/monthly.h"

#include <stddef.h>

enum {
	QUARTERS = 8,   /* of the forecast */
	HORIZONS = 4,   /* of predictions before an end */
	RULES_MAX = 12, /* shown */
	MONTH_DAYS = 31,
	SEVERITIES = 3,
};

/* A battery at the end of the month. Unknown: NaN, TIME_NIL, "". */
struct block {
	char code[CODE_MAX + 1], site[CODE_MAX + 1], status[16];
	double soh, soh_before;
	int64_t rul_ts, replace_by;
	double rul, lower, upper;
};

struct site_sum {
	char code[CODE_MAX + 1];
	double temperature; /* mean of the month */
	int64_t alerts;
};

struct rule_sum {
	char rule[CODE_MAX + 1];
	int64_t count;
};

/* Predictions so many days before a unit came to its end. */
struct horizon {
	int days;
	double *error; /* absolute, days */
	size_t n, held, cap;
};

struct figures {
	const struct monthly *m;
	int64_t end;
	struct block *block; /* by site, then code */
	size_t blocks;
	struct site_sum *site; /* by code */
	size_t sites;
	int64_t alerts[MONTH_DAYS][SEVERITIES]; /* begun on that day */
	int64_t nalerts, open, replaced;
	struct rule_sum rule[RULES_MAX];
	size_t rules;
	double acknowledge_min, resolve_min; /* mean; NaN nobody did */
	struct horizon horizon[HORIZONS];
	int64_t ends;
};

int figures_read(
	struct db *db, const struct monthly *m, struct figures *f, struct err *err);
void figures_release(struct figures *f);
/* When the battery's expected life ends; TIME_NIL unknown. */
int64_t block_due(const struct block *b);

/* Text, with what HTML would take for its own escaped. */
void html_text(struct buf *out, const char *text);
/* "3 Feb 2026"; "–" for TIME_NIL. */
void html_date(struct buf *out, int64_t ts);

/* Box plots of SOH (or of remaining life) by site. */
void plot_sites(struct buf *out, const struct figures *f, bool life);
void plot_quarters(struct buf *out, const struct figures *f, const int64_t *due,
	const int64_t *lower, int64_t first);
void plot_alarms(struct buf *out, const struct figures *f);

#endif
