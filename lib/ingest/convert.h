/*
 * Rows to records by a mapping: finds the columns once, then turns cells into fields,
 * marks what is doubtful in 'quality' and names what cannot be used. Nothing is
 * repaired.
 */
#ifndef INGEST_CONVERT_H
#define INGEST_CONVERT_H

#include "base/buf.h"
#include "ingest/identity.h"
#include "ingest/rows.h"

struct binding {
	int column;
	const struct map_target *target;
	const struct field_info *field;
	const struct map_sentinels *sentinels; /* NULL: none */
	int carry;                             /* slot, -1 not carried */
	bool again; /* an earlier column gives the same field */
};

struct convert {
	const struct mapping *m; /* not owned */
	struct clock clock;
	struct id_table tables[MAP_TABLES_MAX];
	struct identities who;
	struct identity *constant; /* every row is about this one */
	int ncolumns, nbindings, ncarries;
	int time_column, id_column, key_column; /* -1: none */
	int ts_field, id_field, quality_field;  /* -1: the kind has none */
	struct binding bindings[MAP_TARGETS_MAX];
	union rec_any blank; /* all missing, constants set */
	struct buf text;     /* joined words of one row */
	/* Called for an identity that is seen first: sets its limits; may be NULL. */
	void (*meet)(void *arg, struct identity *who);
	void *arg;
};

enum { REASON_SIZE = 240 };

struct converted {
	struct identity *who; /* NULL: the kind has none, or a partial record */
	int64_t ts;           /* TIME_NIL: none */
	struct str key;
	char reason[REASON_SIZE]; /* when it cannot be used */
};

/*
 * Prepares for rows with this header. 'constant' (may be NULL) overrides the mapping's
 * identity, 'dir' is where its [map.*] files are, 'source' names the file in messages.
 * Returns 0, or -1: ERR_USAGE naming a column that is missing, or neither mapped nor
 * ignored; ERR_IO and ERR_DATA from the map files. convert_close even after a failure.
 */
int convert_open(struct convert *c, const struct mapping *m, const struct str *header,
	int ncolumns, const char *source, const char *dir, const char *constant,
	struct err *err);
/*
 * Turns a row (without defect) into *rec; 'number' counts the rows of the file from 0.
 * Returns 1; 0 with out->reason when the row cannot be used; -1 when out of memory.
 * Strings in rec point into the row, the tables or the converter: valid until the next.
 */
int convert_row(struct convert *c, const struct row *row, int64_t number,
	union rec_any *rec, struct converted *out, struct err *err);
/* Quality bits of a current: for one that is joined later. */
int32_t limits_check_current(const struct limits *l, float current_a);
void convert_close(struct convert *c);

#endif
