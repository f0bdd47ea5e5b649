/*
 * One model in service: its predictor, the rows that wait to be predicted together, and
 * the watch over the features it is given. A forecast has two, so that a new model can
 * serve a share of the batteries (predict --ab).
 */
#ifndef LEARN_ARM_H
#define LEARN_ARM_H

#include "learn/drift_alert.h"
#include "learn/predictor.h"

/* Feature rows waiting. */
struct block {
	float *x, *coverage;
	int64_t *ts;
	uint32_t *battery;
	struct prediction *out;
	size_t n, cap;
	int64_t opened; /* stream time when its first row came */
};

struct arm {
	struct predictor *predictor; /* NULL: no model */
	struct block block;
	struct drift *drift; /* NULL: not watched */
	struct drift_alert alert;
	struct drift_figure *figures; /* of the last period judged, by feature */
	uint64_t periods;             /* judged */
};

/* Puts a model into service, on an arm that is released or new. b is owned from now on,
 * also on failure. block: rows predicted together at most; drift_ms: period of the
 * watch, 0 for none. Returns 0, or -1 with the arm released. */
int arm_use(struct arm *a, const struct model *m, struct booster *b, size_t block,
	int64_t drift_ms, struct err *err);
/* The model in service, or NULL. */
const struct model *arm_model(const struct arm *a);
/* Takes a row of a battery; the block has room. Returns 0, or -1. */
int arm_take(struct arm *a, const struct rec_feature *r, const struct twin_word *t,
	uint32_t battery, int64_t now, struct err *err);
/* True when the watch has something to say at the end of its period, or of the stream:
 * see drift_alert_next. */
bool arm_judge(struct arm *a, int64_t ts, struct rec_alert *out);
void arm_release(struct arm *a);

#endif
