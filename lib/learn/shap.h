/*
 * Exact SHAP values of a boosted tree model, fast: path-dependent TreeSHAP (Lundberg,
 * Erion, Lee 2018) with what does not depend on the row worked out beforehand (as Fast
 * TreeSHAP v2 does; Yang 2021, "Fast TreeSHAP: accelerating SHAP value computation for
 * trees"). A leaf under m distinct features says one of 2^m things about a row, by
 * which of the m conditions on its path the row meets. Those are tabled; a row costs a
 * look at each leaf instead of a polynomial in each.
 *
 * Tables of leaves grow with 2^depth: models too deep for them are refused, and XGBoost
 * explains those (booster_contributions), at a tenth of the speed or less.
 *
 * Read-only after it is made.
 */
#ifndef LEARN_SHAP_H
#define LEARN_SHAP_H

#include "learn/booster.h"

enum {
	SHAP_DEPTH_MAX = 8,        /* distinct features over a leaf */
	SHAP_TABLE_MAX = 16 << 20, /* numbers in all tables: 64 MiB */
};

struct shap;

/* For a booster of 'cols' columns. Returns 1 and *out; 0 when the model is too deep
 * (*out is NULL); -1 with ERR_DATA, or out of memory. */
int shap_new(struct booster *b, int cols, struct shap **out, struct err *err);

/*
 * SHAP values on the log-time margin into out[rows * (cols + 1)], the last of a row the
 * bias; they add up to the margin. Missing is NaN. Equal to booster_contributions but
 * for rounding.
 */
void shap_contributions(const struct shap *s, const float *x, size_t rows, float *out);

void shap_free(struct shap *s);

#endif
