/*
 * Forecasting a fleet: what arrives about each battery (feature rows, the twin's
 * estimates, the passing of time) becomes rul records, learned and fused.
 *
 * Rows are predicted in blocks. A block is closed when a row of another window end
 * comes, when it is full, when stream time has gone on by a second since it was begun,
 * and at the end: so what comes out depends on the records alone, not on when they
 * came.
 *
 * State is of fixed size per battery and belongs to one unit of it.
 * Not thread-safe.
 */
#ifndef LEARN_FORECAST_H
#define LEARN_FORECAST_H

#include "learn/fusion.h"
#include "learn/model.h"

struct forecast_options {
	struct fusion fusion;
	int64_t every_ms;   /* least time between two estimates of a battery */
	int64_t max_age_ms; /* older features and twin estimates are stale */
	size_t block;       /* rows predicted together at most, > 0 */
	int window_h;       /* without a model: the window whose rows set the beat */
};

/* Called for each record; it and its strings are valid during the call. */
typedef void forecast_emit(void *to, const struct rec_rul *r);

struct forecast;

/* Without a model at first. Returns NULL when out of memory. */
struct forecast *forecast_new(const struct forecast_options *o, forecast_emit *emit,
	void *to, struct err *err);
/*
 * Uses model m (copied) with its trees b (owned from now on, also on failure). Returns
 * 0, or -1 when this build does not know its features.
 */
int forecast_use(
	struct forecast *f, const struct model *m, struct booster *b, struct err *err);
/* The model in use, or NULL. */
const struct model *forecast_model(const struct forecast *f);

/* Each returns 0, or -1 with the prediction's error or out of memory. */

/* Gives the model up, after predicting what waits: from now on the twin alone. */
int forecast_give_up_model(struct forecast *f, struct err *err);
/* A record of time ts has come, whatever it was. */
int forecast_time(struct forecast *f, int64_t ts, struct err *err);
int forecast_feature(struct forecast *f, const struct rec_feature *r, struct err *err);
/* r->source is twin. */
int forecast_twin(struct forecast *f, const struct rec_rul *r, struct err *err);
/* Predicts what waits: at the end. */
int forecast_flush(struct forecast *f, struct err *err);
void forecast_free(struct forecast *f);

#endif
