/*
 * Predictions from a loaded model, with what speaks for them. In blocks: trees that are
 * too deep for shap.h are explained by XGBoost, whose cost per call is far above its
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
/* Beyond this share it is far from all that was learned. [E] */
#define RANGE_FAR 0.5
/* With less of the window, or of the features usual in training, a row is starved. */
#define STARVED_BELOW 0.5

struct prediction {
	struct estimate e;
	struct pairs factors;
	double beyond; /* how far out of range, in spans of the worst feature; 0 inside
			*/
	bool starved;
	double width; /* of the twin's bounds, ln; NaN unknown */
	enum calib_kind kind;
};

/* Days from the margin of a row of the model's features: the estimate, its bounds and
 * probabilities. */
struct estimate model_estimate(const struct model *m, double margin, const float *x);
/* Gives a fused estimate, by the model's own weights, the bounds and probabilities of
 * its table: of estimates of that kind and width of the twin's bounds. m has such a
 * table. */
void model_fused(
	const struct model *m, enum calib_kind kind, double width, struct estimate *e);
/* How far the feature that is worst lies outside what the model was trained on, in
 * spans of its values there; 0 when all lie inside. */
double model_beyond(const struct model *m, const float *x);
/* True when half of the features the model usually had are missing. */
bool model_starved(const struct model *m, const float *x);

struct predictor;

/*
 * Of model m (copied) with its trees b (owned from now on, also on failure). Returns
 * NULL with err set: ERR_DATA when this build does not know a feature of the model.
 */
struct predictor *predictor_new(
	const struct model *m, struct booster *b, struct err *err);
const struct model *predictor_model(const struct predictor *p);
/* The model's features of r and of the twin's word into x[nfeatures]. */
void predictor_row(const struct predictor *p, const struct rec_feature *r,
	const struct twin_word *t, float *x);
/*
 * Predicts 'rows' rows of nfeatures; coverage[row] is the share of the window with
 * samples (NaN unknown). Returns 0, or -1.
 */
int predictor_run(struct predictor *p, const float *x, const float *coverage,
	size_t rows, struct prediction *out, struct err *err);
void predictor_free(struct predictor *p);

#endif
