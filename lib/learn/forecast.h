/*
 * Forecasting a fleet: what arrives about each battery (feature rows, the twin's
 * estimates, the passing of time) becomes rul records, learned and fused.
 *
 * Rows are predicted in blocks. A block is closed when a row of another window end
 * comes, when it is full, when stream time has gone on by a second since it was begun,
 * and at the end: so what comes out depends on the records alone, not on when they
 * came.
 *
 * Two models can serve: the first, and the second for a share of the batteries that a
 * hash of their codes picks, always the same ones. Without a second all go to the
 * first.
 *
 * State is of fixed size per battery and belongs to one unit of it.
 * Not thread-safe.
 */
#ifndef LEARN_FORECAST_H
#define LEARN_FORECAST_H

#include "learn/drift.h"
#include "learn/fusion.h"
#include "learn/model.h"

enum { FORECAST_ARMS = 2 };

struct forecast_options {
	struct fusion fusion;
	int64_t every_ms;    /* least time between two estimates of a battery */
	int64_t max_age_ms;  /* older features and twin estimates are stale */
	size_t block;        /* rows predicted together at most, > 0 */
	int window_h;        /* without a model: the window whose rows set the beat */
	double second_share; /* of the batteries for the second model, 0 to 1 */
	int64_t drift_ms;    /* period of the watch over the features, 0: none */
};

/* Why a fused estimate is the twin's alone. */
enum fallback {
	FALLBACK_NO_MODEL,
	FALLBACK_STALE,        /* no features, or too old ones */
	FALLBACK_STARVED,      /* half of the window or of the features missing */
	FALLBACK_OUT_OF_RANGE, /* far from anything in training */
	FALLBACK_COUNT
};
const char *fallback_name(enum fallback f);

/* Of what was emitted. */
struct forecast_counts {
	uint64_t learned[FORECAST_ARMS], fused;
	uint64_t fallback[FALLBACK_COUNT];
	uint64_t conflict, out_of_range, starved; /* flagged among the fused */
	uint64_t nothing;                         /* fused without any opinion */
};

/* Called for each record, a rul or an alert; it and its strings are valid during the
 * call. */
typedef void forecast_emit(void *to, int kind, const void *record);

struct forecast;

/* Without a model at first. Returns NULL when out of memory. */
struct forecast *forecast_new(const struct forecast_options *o, forecast_emit *emit,
	void *to, struct err *err);
/*
 * Lets model m (copied) with its trees b (owned from now on, also on failure) serve as
 * first (0) or second (1), after predicting what waits. Returns 0, or -1 when this
 * build does not know its features: the former model then goes on.
 */
int forecast_use(struct forecast *f, int arm, const struct model *m, struct booster *b,
	struct err *err);
/* The model in use, or NULL. */
const struct model *forecast_model(const struct forecast *f, int arm);

/* Each returns 0, or -1 with the prediction's error or out of memory. */

/* Gives a model up, after predicting what waits: its batteries go to the first, or to
 * the twin alone. */
int forecast_give_up(struct forecast *f, int arm, struct err *err);
/* A record of time ts has come, whatever it was. */
int forecast_time(struct forecast *f, int64_t ts, struct err *err);
int forecast_feature(struct forecast *f, const struct rec_feature *r, struct err *err);
/* r->source is twin. */
int forecast_twin(struct forecast *f, const struct rec_rul *r, struct err *err);
/* What the twin believes: how well its voltages fit, for FUSION_ADAPTIVE. */
int forecast_state(struct forecast *f, const struct rec_twin_state *r, struct err *err);
int forecast_window(
	struct forecast *f, const struct rec_maintenance_window *r, struct err *err);
/* Predicts what waits. */
int forecast_flush(struct forecast *f, struct err *err);
/* At the end of the stream: flushes, and judges the features of the period begun. */
int forecast_end(struct forecast *f, struct err *err);

const struct forecast_counts *forecast_counts(const struct forecast *f);
/* The figures of the last period judged, [nfeatures of the model]; NULL before. */
const struct drift_figure *forecast_drift(const struct forecast *f, int arm);
void forecast_free(struct forecast *f);

#endif
