/*
 * Predictions from a loaded model, in blocks: XGBoost's cost per call is far above its
 * cost per row.
 */
#ifndef LEARN_PREDICTOR_H
#define LEARN_PREDICTOR_H

#include "learn/factors.h"
#include "learn/fusion.h"
#include "learn/model.h"

enum { PREDICT_BLOCK = 2048 };

/* Share of the span of a feature in training that a value may lie beyond it. */
#define RANGE_SLACK 0.05
/* With less of the window, or of the features usual in training, a row is starved. */
#define STARVED_BELOW 0.5

struct prediction {
	struct estimate e;
	struct pairs factors;
	bool out_of_range, starved;
};

/* Days from a margin: the estimate, its bounds and probabilities. */
struct estimate model_estimate(const struct model *m, double margin);
/* True when a feature lies outside what the model was trained on. */
bool model_out_of_range(const struct model *m, const float *x);
/* True when half of the features the model usually had are missing. */
bool model_starved(const struct model *m, const float *x);

/*
 * Predicts 'rows' rows of m->nfeatures; coverage[row] is the share of the window with
 * samples (NaN unknown). s is from model_features. Returns 0, or -1.
 */
int model_predict(const struct model *m, struct booster *b, const struct feature_set *s,
	const float *x, const float *coverage, size_t rows, struct prediction *out,
	struct err *err);

#endif
