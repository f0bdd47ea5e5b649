#include "learn/booster.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xgboost/c_api.h>

struct booster {
	BoosterHandle handle;
};

/* XGBoost's messages end in a stack trace of many lines; the first says it. */
static int failed(const char *what, struct err *err)
{
	const char *msg = XGBGetLastError();
	const char *text = strstr(msg, "] ");
	text = text ? text + 2 : msg;
	return err_set(err, ERR_DATA, "%s: xgboost: %.*s", what,
		(int)strcspn(text, "\n"), text);
}

static void matrix_free(DMatrixHandle m)
{
	if (m)
		XGDMatrixFree(m);
}

static DMatrixHandle matrix(const float *x, size_t rows, int cols, struct err *err)
{
	DMatrixHandle m = NULL;
	/* It warns on stderr otherwise; the setting is the library's and per thread. */
	XGBSetGlobalConfig("{\"verbosity\": 0}");
	if (XGDMatrixCreateFromMat_omp(x, rows, (bst_ulong)cols, NAN, &m, 1) != 0) {
		failed("cannot build the matrix", err);
		return NULL;
	}
	return m;
}

static DMatrixHandle labelled(const struct booster_data *d, struct err *err)
{
	DMatrixHandle m = matrix(d->x, d->rows, d->cols, err);
	if (!m)
		return NULL;
	if (XGDMatrixSetFloatInfo(m, "label_lower_bound", d->lower, d->rows) != 0 ||
		XGDMatrixSetFloatInfo(m, "label_upper_bound", d->upper, d->rows) != 0) {
		failed("cannot set the labels", err);
		matrix_free(m);
		return NULL;
	}
	return m;
}

static int set(BoosterHandle h, const char *name, const char *value, struct err *err)
{
	return XGBoosterSetParam(h, name, value) == 0 ? 0 : failed(name, err);
}

static int set_number(BoosterHandle h, const char *name, double value, struct err *err)
{
	char text[40];
	snprintf(text, sizeof(text), "%.9g", value);
	return set(h, name, text, err);
}

static int set_params(BoosterHandle h, const struct booster_params *p, struct err *err)
{
	static const char *const fixed[][2] = {{"nthread", "1"}, {"verbosity", "0"},
		{"objective", "survival:aft"}, {"disable_default_eval_metric", "1"},
		{"aft_loss_distribution", "normal"}, {"tree_method", "hist"},
		{"subsample", "0.8"}, {"lambda", "1"}};
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (set(h, fixed[i][0], fixed[i][1], err) < 0)
			return -1;
	if (set_number(h, "aft_loss_distribution_scale", p->scale, err) < 0 ||
		set_number(h, "max_depth", p->depth, err) < 0 ||
		set_number(h, "min_child_weight", p->min_rows, err) < 0 ||
		set_number(h, "eta", p->eta, err) < 0 ||
		set_number(h, "colsample_bytree", p->columns, err) < 0 ||
		set_number(h, "base_score", p->base, err) < 0)
		return -1;
	return set_number(h, "seed", p->seed, err);
}

/* Mean |ln predicted - ln true|; a censored row errs only by what falls short of it. */
static double log_error(const float *margin, const struct booster_data *d)
{
	double sum = 0;
	for (size_t i = 0; i < d->rows; i++) {
		double low = log(fmax((double)d->lower[i], 1e-2));
		double high = log((double)d->upper[i]), m = (double)margin[i];
		sum += m < low ? low - m : m > high ? m - high : 0;
	}
	return d->rows ? sum / (double)d->rows : INFINITY;
}

/* XGBoost keeps the sums of a matrix it has seen, so each round costs its tree alone.
 */
static int validate(BoosterHandle h, DMatrixHandle m, const struct booster_data *d,
	double *score, struct err *err)
{
	const float *margin;
	bst_ulong n;
	if (XGBoosterPredict(h, m, 1, 0, 0, &n, &margin) != 0)
		return failed("cannot validate", err);
	if (n != d->rows)
		return err_set(err, ERR_DATA, "%zu predictions of %zu rows", (size_t)n,
			d->rows);
	*score = log_error(margin, d);
	return 0;
}

static int boost_all(BoosterHandle h, DMatrixHandle train,
	const struct booster_params *p, struct booster_fit *fit, struct err *err)
{
	*fit = (struct booster_fit){p->rounds, NAN};
	for (int i = 0; i < p->rounds; i++)
		if (XGBoosterUpdateOneIter(h, i, train) != 0)
			return failed("cannot train", err);
	return 0;
}

static int boost(BoosterHandle h, DMatrixHandle train, DMatrixHandle valid,
	const struct booster_data *truth, const struct booster_params *p,
	struct booster_fit *fit, struct err *err)
{
	*fit = (struct booster_fit){0, INFINITY};
	for (int i = 0; i < p->rounds && i - fit->rounds < p->patience; i++) {
		double score = INFINITY;
		if (XGBoosterUpdateOneIter(h, i, train) != 0)
			return failed("cannot train", err);
		if (validate(h, valid, truth, &score, err) < 0)
			return -1;
		if (score < fit->score)
			*fit = (struct booster_fit){i + 1, score};
	}
	return fit->rounds ? 0 : err_set(err, ERR_DATA, "nothing was learned");
}

static struct booster *wrap(BoosterHandle h, struct err *err)
{
	struct booster *b = malloc(sizeof(*b));
	if (!b) {
		XGBoosterFree(h);
		err_nomem(err);
		return NULL;
	}
	b->handle = h;
	return b;
}

static struct booster *train_on(DMatrixHandle train, DMatrixHandle valid,
	const struct booster_data *truth, const struct booster_params *p,
	struct booster_fit *fit, struct err *err)
{
	DMatrixHandle both[] = {train, valid};
	BoosterHandle all = NULL, best = NULL;
	if (XGBoosterCreate(both, valid ? 2 : 1, &all) != 0) {
		failed("cannot start training", err);
		return NULL;
	}
	int r = set_params(all, p, err);
	if (r == 0)
		r = valid ? boost(all, train, valid, truth, p, fit, err)
			  : boost_all(all, train, p, fit, err);
	if (r == 0 && XGBoosterSlice(all, 0, fit->rounds, 1, &best) != 0)
		r = failed("cannot keep the best rounds", err);
	XGBoosterFree(all);
	return r == 0 ? wrap(best, err) : NULL;
}

struct booster *booster_train(const struct booster_data *train,
	const struct booster_data *valid, const struct booster_params *p,
	struct booster_fit *fit, struct err *err)
{
	struct booster *b = NULL;
	DMatrixHandle t = labelled(train, err);
	DMatrixHandle v = t && valid ? labelled(valid, err) : NULL;
	if (t && (v || !valid))
		b = train_on(t, v, valid, p, fit, err);
	matrix_free(v);
	matrix_free(t);
	return b;
}

/* per_row: how many numbers a row gives. */
static int predict(struct booster *b, const float *x, size_t rows, int cols,
	const char *config, size_t per_row, float *out, struct err *err)
{
	bst_ulong const *shape;
	bst_ulong dim, n = 1;
	const float *got;
	if (rows == 0)
		return 0;
	DMatrixHandle m = matrix(x, rows, cols, err);
	if (!m)
		return -1;
	int r = XGBoosterPredictFromDMatrix(b->handle, m, config, &shape, &dim, &got);
	if (r != 0) {
		failed("cannot predict", err);
	} else {
		for (bst_ulong i = 0; i < dim; i++)
			n *= shape[i];
		if (n == rows * per_row)
			memcpy(out, got, n * sizeof(*out));
		else
			r = err_set(err, ERR_DATA,
				"the model gives %zu numbers where %zu are due",
				(size_t)n, rows * per_row);
	}
	matrix_free(m);
	return r;
}

#define CONFIG(type)                                                                   \
	"{\"type\": " type ", \"training\": false, \"iteration_begin\": 0, "           \
	"\"iteration_end\": 0, \"strict_shape\": true}"

int booster_margin(struct booster *b, const float *x, size_t rows, int cols, float *out,
	struct err *err)
{
	return predict(b, x, rows, cols, CONFIG("1"), 1, out, err);
}

int booster_contributions(struct booster *b, const float *x, size_t rows, int cols,
	float *out, struct err *err)
{
	return predict(b, x, rows, cols, CONFIG("2"), (size_t)cols + 1, out, err);
}

static int save_as(
	struct booster *b, const char *config, struct buf *out, struct err *err)
{
	bst_ulong len;
	const char *p;
	if (XGBoosterSaveModelToBuffer(b->handle, config, &len, &p) != 0)
		return failed("cannot save the model", err);
	buf_append(out, p, len);
	return out->failed ? err_nomem(err) : 0;
}

int booster_save(struct booster *b, struct buf *out, struct err *err)
{
	return save_as(b, "{\"format\": \"ubj\"}", out, err);
}

int booster_json(struct booster *b, struct buf *out, struct err *err)
{
	return save_as(b, "{\"format\": \"json\"}", out, err);
}

struct booster *booster_load(const void *p, size_t len, struct err *err)
{
	BoosterHandle h = NULL;
	XGBSetGlobalConfig("{\"verbosity\": 0}");
	if (XGBoosterCreate(NULL, 0, &h) != 0) {
		failed("cannot load the model", err);
		return NULL;
	}
	if (XGBoosterLoadModelFromBuffer(h, p, len) != 0 ||
		XGBoosterSetParam(h, "nthread", "1") != 0) {
		failed("cannot load the model", err);
		XGBoosterFree(h);
		return NULL;
	}
	return wrap(h, err);
}

int booster_cols(struct booster *b)
{
	bst_ulong n;
	return XGBoosterGetNumFeature(b->handle, &n) == 0 ? (int)n : -1;
}

int booster_trees(struct booster *b)
{
	int n;
	return XGBoosterBoostedRounds(b->handle, &n) == 0 ? n : -1;
}

void booster_free(struct booster *b)
{
	if (!b)
		return;
	XGBoosterFree(b->handle);
	free(b);
}
