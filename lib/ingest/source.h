/*
 * One file as a sequence of records: text, rows, header, mapping, order. Every row of
 * it is accounted for: rows = emitted + rejected (+ waiting until the end).
 */
#ifndef INGEST_SOURCE_H
#define INGEST_SOURCE_H

#include "ingest/convert.h"
#include "ingest/order.h"

/* What a source needs from the program around it. */
struct ingest_env {
	const char *battery; /* constant identity; NULL: as the mapping says */
	const char *zone;    /* overrides the mapping's; NULL: not */
	const char *model;   /* battery model for limits; NULL: as the mapping says */
	const char *fleet;   /* folder of the map files; NULL: the source's own */
	int64_t clock_fault_ms;
	bool follow; /* the file may grow: an unfinished last line is not yet a line */
	void (*reject)(void *arg, int kind, const char *source, int64_t line,
		const char *reason, struct str original);
	/* An identity seen first: sets limits and group. NULL: limits of the model. */
	void (*meet)(void *arg, struct identity *who);
	void (*idle)(void *arg); /* about to wait for input */
	void *arg;               /* of all three */
};

struct source {
	const struct ingest_env *env;
	struct mapping m;
	char path[4096];
	struct text text;
	struct rows rows;
	struct convert convert;
	struct order order;
	struct battery_model *model; /* env->model or the mapping's; NULL: none */
	struct limits limits;        /* its limits */
	bool mapped, ended;
	bool skip_header; /* a reopened file begins with its header again */
	struct str key;   /* of the record just handed out */
	int64_t ts;       /* its time */
	struct identity *who;
	int ncolumns, nignored; /* columns dropped by decision */
	int64_t nrows, nemitted, nrejected;
	/* the row that waits behind rows that were held and are decided now */
	bool pending;
	union rec_any pending_rec;
	struct identity *pending_who;
	struct held *taken;
	char names[ROW_FIELDS_MAX][MAP_NAME_SIZE];
	struct str header[ROW_FIELDS_MAX];
};

/*
 * Opens path. 'mapping' is a name or file, NULL: the bundled one whose columns fit.
 * The header is read as soon as there is one (source_next does it for a file that is
 * still empty). Returns a new source, or NULL with ERR_IO, ERR_USAGE or ERR_DATA.
 */
struct source *source_open(const char *path, const char *mapping,
	const struct ingest_env *env, struct err *err);
/*
 * The next record, of kind s->m.kind, valid until the next call. Returns 1; 0 at the
 * end, or for now while !s->ended; -1 with err set. Rows that cannot be used go to
 * env->reject.
 */
int source_next(struct source *s, union rec_any *rec, struct err *err);
/*
 * What happened to a followed file whose end was reached. Returns 0 nothing; 1 it was
 * replaced or cut short and is read from its beginning now (an unfinished last line was
 * rejected), with words for people in why; -1 with ERR_IO.
 */
int source_reopen(struct source *s, char *why, size_t size, struct err *err);
/*
 * Master record of battery number i of this file, 0 on, and of its model: true, or
 * false when there is no such battery (yet), no model was named, or a fleet file knows
 * better.
 */
bool source_master(const struct source *s, size_t i, struct rec_battery_model *model,
	struct rec_battery *battery);
/* Nothing more will come: decides what was held back. Call source_next until 0 then. */
void source_finish(struct source *s);
void source_free(struct source *s);

/* Limits of a battery model file. */
struct battery_model;
void limits_of_model(const struct battery_model *m, struct limits *out);

#endif
