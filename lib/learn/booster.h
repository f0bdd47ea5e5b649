/*
 * XGBoost behind one door: an accelerated-failure-time model (objective survival:aft,
 * normal errors) of log time. One thread and a fixed seed, so that equal data give
 * equal bytes. Missing values are NaN. Nothing here is thread-safe: setting a parameter
 * of a loaded model is not, and each booster belongs to one thread.
 */
#ifndef LEARN_BOOSTER_H
#define LEARN_BOOSTER_H

#include "base/buf.h"
#include "base/err.h"

struct booster;

struct booster_params {
	int rounds;   /* at most */
	int patience; /* stop after so many rounds without a better validation score */
	int depth;
	int min_rows; /* least sum of Hessians in a leaf, about its rows */
	double eta;
	double scale; /* sigma of the error of log time */
	double base;  /* time predicted before the first tree, > 0 */
	uint32_t seed;
	double columns; /* share of the features each tree may use, 0 to 1 */
};

/* Rows of 'cols' features and their times: lower == upper when the end was seen, upper
 * infinite when it was not (right-censored), lower 0 when it lies before upper. */
struct booster_data {
	const float *x;
	const float *lower, *upper;
	size_t rows;
	int cols;
};

struct booster_fit {
	int rounds;   /* kept: up to the best on validation */
	double score; /* mean absolute error of log time on validation, there; or NaN */
};

/* Trains with early stopping; valid NULL: for all p->rounds, and no score. Returns a
 * new booster, or NULL with ERR_DATA. */
struct booster *booster_train(const struct booster_data *train,
	const struct booster_data *valid, const struct booster_params *p,
	struct booster_fit *fit, struct err *err);

/* log time of each row into out[rows]. Returns 0, or -1. */
int booster_margin(struct booster *b, const float *x, size_t rows, int cols, float *out,
	struct err *err);

/*
 * SHAP values on the log-time margin, out[rows * (cols + 1)]; the last of a row is the
 * bias, and a row adds up to its margin (Lundberg, Erion, Lee 2018). Returns 0, or -1.
 */
int booster_contributions(struct booster *b, const float *x, size_t rows, int cols,
	float *out, struct err *err);

/* Appends the model, as UBJSON. Returns 0, or -1. */
int booster_save(struct booster *b, struct buf *out, struct err *err);
/* Appends the model as XGBoost's JSON: its trees, for those who walk them. */
int booster_json(struct booster *b, struct buf *out, struct err *err);
/* The bytes booster_save gave (check their hash first: XGBoost trusts them). */
struct booster *booster_load(const void *p, size_t len, struct err *err);
/* Columns it was trained on. */
int booster_cols(struct booster *b);
/* Trees it has, or -1. */
int booster_trees(struct booster *b);
void booster_free(struct booster *b);

#endif
