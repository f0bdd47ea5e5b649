/*
 * Options, declared once: the table that parses them is the table --help prints and
 * the tests compare with the man page. A program gives its own table and, for a
 * filter, adds the shared one (flow_options(), lib/stream/flow.h).
 *
 *	struct opt opts[] = {
 *		{'m', "model", "DIR", "model directory", OPT_STR, &o.model},
 *		{0, "every", "DURATION", "least time between states", OPT_MS,
 *&o.every_ms}, {0, "stats", NULL, "print statistics", OPT_BOOL, &o.stats}, {0, "count",
 *"N", "how many", OPT_INT, &o.count, 1, 1000000}, {0}};
 */
#ifndef BASE_OPT_H
#define BASE_OPT_H

#include "base/err.h"
#include "base/str.h"

#include <stdio.h>

enum opt_type {
	OPT_BOOL, /* bool: present or not */
	OPT_STR,  /* const char *: the argument itself, last one wins */
	OPT_LIST, /* struct strlist: repeatable */
	OPT_INT,  /* int64_t within min..max */
	OPT_F64,  /* double within min..max */
	OPT_MS,   /* int64_t milliseconds, from "90d", "15m", "30s" … */
	OPT_TIME, /* int64_t ms since the epoch, from ISO 8601 (UTC unless it has an
		     offset) */
};

enum { STRLIST_MAX = 64 };

struct strlist {
	const char *v[STRLIST_MAX]; /* point into argv */
	size_t n;
};

struct opt {
	char letter;      /* 0: long form only */
	const char *name; /* NULL ends the table */
	const char *arg;  /* metavariable, NULL for OPT_BOOL */
	const char *help; /* one line */
	enum opt_type type;
	void *to;
	double min, max; /* OPT_INT, OPT_F64: both 0 means any */
};

/* What a program says of itself; --help and --version print it. */
struct opt_usage {
	const char *program;  /* "featurize" */
	const char *synopsis; /* "[options]" or "[options] FILE …" */
	const char *summary;  /* one line, no full stop */
	const char *notes;    /* more lines for --help, or NULL: examples first */
};

enum opt_result { OPT_RUN = 0, OPT_EXIT = 1 };

/*
 * Parses argv by one or two tables ('shared' may be NULL). --help and --version are
 * built in, print to stdout and give OPT_EXIT. Operands are moved to the end of argv,
 * *first is the index of the first. Long options are not abbreviated.
 * Returns OPT_RUN, OPT_EXIT (exit with 0), or -1 with ERR_USAGE and a message naming
 * the option.
 */
int opt_parse(const struct opt_usage *u, const struct opt *own,
	const struct opt *shared, int argc, char **argv, int *first, struct err *err);

/* Prints the help text. */
void opt_help(const struct opt_usage *u, const struct opt *own,
	const struct opt *shared, FILE *out);

#endif
