/*
 * The twins of a whole stream: who is who (site/roster.h), which battery model each
 * has, the last current of every string, one twin a battery and unit. State is of fixed
 * size per battery, string and model.
 *
 * Truth records are not known here at all: no estimator may read them.
 */
#ifndef ESTIMATE_TWINS_H
#define ESTIMATE_TWINS_H

#include "base/buf.h"
#include "estimate/belief.h"
#include "site/roster.h"

struct twins_options {
	int64_t every_ms;     /* least time between two states of a battery */
	int64_t refresh_ms;   /* most, while nothing changes */
	int64_t rul_every_ms; /* least time between two of its rul records */
	double load_a;        /* of idle batteries whose system states none; 0: C/10 */
	const char *model;    /* of batteries whose model is not known; may be NULL */
	struct twin_tuning tuning;
};

struct twins;

/*
 * A new fleet, or NULL with err: the model named in the options is unknown (ERR_USAGE)
 * or out of memory. Keeps the options. twins_free accepts NULL.
 */
struct twins *twins_new(const struct twins_options *o, struct err *err);
void twins_free(struct twins *f);

/* True for the kinds the fleet learns from besides telemetry. */
bool twins_wants(int kind);
/* Learns from a decoded record of such a kind. Returns 0, or -1 with ERR_IO when out of
 * memory. */
int twins_learn(struct twins *f, int kind, const void *rec, struct err *err);

/* What a sample led to. Strings point into the fleet or the sample. */
struct twins_news {
	bool has_state, has_rul;
	struct rec_twin_state state;
	struct rec_rul rul;
	const char *unused;  /* why the sample was not used; NULL when it was */
	const char *warning; /* once per model: what is assumed; NULL mostly */
};
/* Takes a sample. Returns 0, or -1 with ERR_IO when out of memory. */
int twins_sample(struct twins *f, const struct rec_telemetry *t,
	struct twins_news *news, struct err *err);

/*
 * Appends the state of all twins to out; twins_load takes it up again into new ones of
 * the same options. 'identity' tells options and run apart. twins_save: 0, or -1 when
 * out of memory. twins_load: 0, or -1 with ERR_USAGE (another version, other options,
 * another run) or ERR_IO (damaged; the twins are then unusable).
 */
int twins_save(struct twins *f, const char *identity, struct buf *out);
int twins_load(
	struct twins *f, const char *identity, const struct buf *in, struct err *err);

/* Batteries with a twin, and bytes of state of one. */
size_t twins_batteries(const struct twins *f);
size_t twins_bytes_per_battery(void);

#endif
