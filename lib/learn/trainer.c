#include "learn/trainer.h"

#include "base/code.h"
#include "learn/crossfit.h"
#include "learn/evaluate.h"
#include "learn/search.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Season is told from the calendar only by who has seen most of a year. */
#define SEASON_SPAN_MS (300 * DAY_MS)

/* Where the search for hyperparameters begins: width of the error of log time, share of
 * the features a tree may use. [E] */
static const double FIRST_SCALE = 0.3, FIRST_COLUMNS = 0.8;

static void part_release(struct part *p)
{
	free(p->x);
	free(p->lower);
	free(p->upper);
	free(p->margin);
	free(p->start);
	free(p->row);
	*p = (struct part){0};
}

static struct booster_data data_of(const struct part *p, int cols)
{
	return (struct booster_data){p->x, p->lower, p->upper, p->n, cols};
}

/* Bounds of a row's time over that where the trees begin, as survival:aft wants them.
 */
static void bounds(
	const struct dataset_row *r, double start, float *lower, float *upper)
{
	double t = r->rul_days, floor = TRAINER_FLOOR_DAYS;
	if (r->censored) {
		*lower = (float)(fmax(t, 0.01) / start);
		*upper = INFINITY;
	} else if (t < floor) {
		*lower = 0;
		*upper = (float)(floor / start);
	} else {
		*lower = *upper = (float)(t / start);
	}
}

/* A part of the split, or several. */
#define PARTS(p) (1U << (p))
#define PARTS_LEARNED (PARTS(PART_TRAIN) | PARTS(PART_VALID) | PARTS(PART_CALIB))

static bool is_in(const struct split *s, uint32_t battery, unsigned parts)
{
	return parts & PARTS(split_part(s, battery));
}

static int fill_part(const struct dataset *d, const struct split *s, unsigned parts,
	const struct model *m, const int *column, struct part *out, struct err *err)
{
	size_t cols = (size_t)m->nfeatures, n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += is_in(s, d->rows[i].battery, parts);
	out->x = malloc((n * cols + 1) * sizeof(float));
	out->lower = malloc((n + 1) * sizeof(float));
	out->upper = malloc((n + 1) * sizeof(float));
	out->margin = malloc((n + 1) * sizeof(float));
	out->start = malloc((n + 1) * sizeof(float));
	out->row = malloc((n + 1) * sizeof(size_t));
	if (!out->x || !out->lower || !out->upper || !out->margin || !out->start ||
		!out->row)
		return err_nomem(err);
	for (size_t i = 0; i < d->n; i++) {
		if (!is_in(s, d->rows[i].battery, parts))
			continue;
		float *x = out->x + out->n * cols;
		for (size_t c = 0; c < cols; c++)
			x[c] = dataset_x(d, i)[column[c]];
		double start = model_start(m, x);
		out->start[out->n] = (float)start;
		bounds(&d->rows[i], exp(start), &out->lower[out->n],
			&out->upper[out->n]);
		out->row[out->n++] = i;
	}
	return 0;
}

/* What the rows learned from say of a column; 'values' has room for all rows. */
static struct model_feature survey(
	const struct dataset *d, const struct split *s, int column, float *values)
{
	struct model_feature f = {.min = INFINITY, .max = -INFINITY};
	size_t rows = 0, have = 0;
	for (size_t i = 0; i < d->n; i++) {
		if (!is_in(s, d->rows[i].battery, PARTS_LEARNED))
			continue;
		double v = (double)dataset_x(d, i)[column];
		rows++;
		if (isnan(v))
			continue;
		values[have++] = (float)v;
		f.min = fmin(f.min, v);
		f.max = fmax(f.max, v);
	}
	f.present = rows > 0 ? (double)have / (double)rows : 0;
	histogram_of(values, have, &f.reference);
	return f;
}

/* Takes the columns that vary in training: a constant teaches nothing. The trees begin
 * at what the twin foretells, if it speaks: what they have to learn is its errors. */
static int choose_features(const struct dataset *d, const struct split *s,
	int64_t span_ms, struct model *m, int *column, struct err *err)
{
	float *values = malloc((d->n + 1) * sizeof(*values));
	if (!values)
		return err_nomem(err);
	for (int i = 0; i < d->features.n; i++) {
		const struct feature_def *def = &d->features.v[i];
		if (strncmp(def->name, "season_", 7) == 0 && span_ms < SEASON_SPAN_MS)
			continue;
		struct model_feature f = survey(d, s, i, values);
		if (!(f.max > f.min))
			continue;
		str_copy(f.name, sizeof(f.name), str_of(def->name));
		str_copy(f.unit, sizeof(f.unit), str_of(def->unit));
		column[m->nfeatures] = i;
		m->feature[m->nfeatures++] = f;
	}
	free(values);
	model_find_features(m);
	if (m->nfeatures == 0)
		return err_set(err, ERR_DATA,
			"no feature varies among the training rows: nothing to learn "
			"from");
	return 0;
}

static int by_float(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return (x > y) - (x < y);
}

/* Median life, or time it was watched, of the rows learned from: where the trees begin
 * without a word of the twin. */
static int median_time(
	const struct dataset *d, const struct split *s, double *out, struct err *err)
{
	float *t = malloc((d->n + 1) * sizeof(*t));
	size_t n = 0;
	if (!t)
		return err_nomem(err);
	for (size_t i = 0; i < d->n; i++)
		if (is_in(s, d->rows[i].battery, PARTS_LEARNED))
			t[n++] = (float)d->rows[i].rul_days;
	qsort(t, n, sizeof(*t), by_float);
	*out = fmax(n ? (double)t[n / 2] : 0, TRAINER_FLOOR_DAYS);
	free(t);
	return 0;
}

static struct booster *fit_best(const struct trainer_options *o,
	const struct part *train, const struct part *valid, int cols,
	struct model_report *r, struct err *err)
{
	struct booster_data t = data_of(train, cols), v = data_of(valid, cols);
	struct search s = {.trials = o->trials,
		.progress = o->progress,
		.arg = o->arg,
		.first = {.rounds = o->rounds,
			.patience = o->patience,
			.depth = o->depth,
			.min_rows = 1,
			.eta = o->eta,
			.columns = FIRST_COLUMNS,
			.scale = FIRST_SCALE,
			.base = 1, /* bounds are over where the trees begin */
			.seed = (uint32_t)(o->seed & INT32_MAX)}};
	struct search_result found;
	struct booster *best = search_run(&s, &t, &v, &found, err);
	r->fit = found.fit;
	r->params = found.params;
	r->trials = o->trials;
	return best;
}

/* Counts rows and ends seen; refuses when too few ends are in the training part. */
static int take_stock(const struct dataset *d, const struct split *s,
	struct model_report *r, struct err *err)
{
	uint8_t *end = calloc(d->batteries.n + 1, 1);
	if (!end)
		return err_nomem(err);
	r->from_ts = INT64_MAX;
	r->to_ts = INT64_MIN;
	for (size_t i = 0; i < d->n; i++) {
		const struct dataset_row *row = &d->rows[i];
		enum split_part p = split_part(s, row->battery);
		r->rows[p]++;
		r->from_ts = row->ts < r->from_ts ? row->ts : r->from_ts;
		r->to_ts = row->ts > r->to_ts ? row->ts : r->to_ts;
		if (p == PART_TRAIN && !row->censored)
			end[row->battery] = 1;
	}
	for (size_t b = 0; b < d->batteries.n; b++)
		r->ends_seen += end[b];
	for (int p = 0; p < PART_COUNT; p++) {
		r->batteries[p] = s->batteries_in[p];
		r->groups[p] = s->groups_in[p];
	}
	free(end);
	if (r->ends_seen < TRAINER_ENDS_LEAST)
		return err_set(err, ERR_DATA,
			"too few ends of life to learn from: %zu of at least %d "
			"training "
			"batteries were seen to theirs",
			r->ends_seen, TRAINER_ENDS_LEAST);
	return 0;
}

static double longest_life(const struct dataset *d, const struct part *train)
{
	double longest = TRAINER_FLOOR_DAYS;
	bool alive = false;
	for (size_t i = 0; i < train->n; i++) {
		const struct dataset_row *row = &d->rows[train->row[i]];
		if (row->rul_days > longest) {
			longest = row->rul_days;
			alive = row->censored;
		}
	}
	return alive ? INFINITY : longest;
}

/* In how many strings the batteries learned from are. */
static int count_strings(
	const struct dataset *d, const struct split *s, size_t *n, struct err *err)
{
	struct ids strings = {0};
	int r = 0;
	for (uint32_t b = 0; r == 0 && b < d->batteries.n; b++)
		if (is_in(s, b, PARTS_LEARNED) &&
			ids_intern(&strings, code_string(str_of(ids_name(
						     &d->batteries, b)))) == IDS_NONE)
			r = err_nomem(err);
	*n = strings.n;
	ids_release(&strings);
	return r;
}

/* Its name is what it is: the hash of model.json, which holds the hash of the trees. */
static int name_model(struct model *m, const struct model_report *r, struct err *err)
{
	struct buf json = {0};
	int s = model_write_json(m, r, &json, err);
	if (s == 0)
		snprintf(m->id, sizeof(m->id), "aft-%012" PRIx64,
			hash_bytes(json.data, json.len) >> 16);
	buf_release(&json);
	return s;
}

/* What is fitted on, of the split's parts. */
struct matrices {
	struct part train, valid; /* of the search for hyperparameters */
	struct part learn;        /* all but the test */
	struct part test;
};

static int fill_matrices(const struct dataset *d, const struct split *s,
	const struct model *m, const int *column, struct matrices *x, struct err *err)
{
	return fill_part(d, s, PARTS(PART_TRAIN), m, column, &x->train, err) < 0 ||
			       fill_part(d, s, PARTS(PART_VALID), m, column, &x->valid,
				       err) < 0 ||
			       fill_part(d, s, PARTS_LEARNED, m, column, &x->learn,
				       err) < 0 ||
			       fill_part(d, s, PARTS(PART_TEST), m, column, &x->test,
				       err) < 0
		       ? -1
		       : 0;
}

static void matrices_release(struct matrices *x)
{
	part_release(&x->train);
	part_release(&x->valid);
	part_release(&x->learn);
	part_release(&x->test);
}

/* The margins of all rows learned from, by trees that have not seen their group. */
static int cross(const struct dataset *d, const struct split *s,
	const struct trainer_options *o, int cols, const struct booster_params *p,
	struct part *learn, struct err *err)
{
	struct booster_data all = data_of(learn, cols);
	uint8_t *fold = malloc(learn->n + 1);
	if (!fold)
		return err_nomem(err);
	for (size_t i = 0; i < learn->n; i++)
		fold[i] = (uint8_t)split_fold(
			s, d->rows[learn->row[i]].battery, CROSSFIT_FOLDS);
	int r = crossfit(&all, fold, p, learn->margin, o->folds, o->arg, err);
	free(fold);
	return r;
}

/* Searches on the training and the validation part, foretells each group by the others
 * and fits the trees that stay on all of them. */
static struct booster *fit_matrices(const struct dataset *d, const struct split *s,
	const struct trainer_options *o, struct matrices *x, const struct model *m,
	struct model_report *r, struct err *err)
{
	struct booster *best = fit_best(o, &x->train, &x->valid, m->nfeatures, r, err);
	struct booster_data all = data_of(&x->learn, m->nfeatures);
	struct booster_fit fit;
	if (!best)
		return NULL;
	int status = part_margins(&x->valid, best, m->nfeatures, err);
	booster_free(best);
	struct booster_params p = r->params;
	p.rounds = r->fit.rounds;
	if (status < 0 || cross(d, s, o, m->nfeatures, &p, &x->learn, err) < 0)
		return NULL;
	for (size_t i = 0; i < x->learn.n; i++)
		x->learn.margin[i] += x->learn.start[i];
	return booster_train(&all, NULL, &p, &fit, err);
}

static int describe(const struct dataset *d, const struct split *s, struct model *m,
	struct model_report *r, int *column, struct err *err)
{
	if (take_stock(d, s, r, err) < 0 ||
		choose_features(d, s, r->to_ts - r->from_ts, m, column, err) < 0 ||
		median_time(d, s, &m->start_days, err) < 0 ||
		count_strings(d, s, &m->train_strings, err) < 0)
		return -1;
	for (int p = 0; p < PART_TEST; p++)
		m->train_batteries += s->batteries_in[p];
	return 0;
}

static int fit_model(const struct dataset *d, const struct split *s,
	const struct trainer_options *o, struct matrices *x, struct model *m,
	struct model_report *r, struct buf *booster, struct err *err)
{
	int column[FIELDS_MAX];
	if (describe(d, s, m, r, column, err) < 0 ||
		fill_matrices(d, s, m, column, x, err) < 0)
		return -1;
	m->longest_days = longest_life(d, &x->learn);
	struct booster *b = fit_matrices(d, s, o, x, m, r, err);
	if (!b)
		return -1;
	struct judged_parts parts = {&x->learn, &x->valid, &x->test};
	int status = model_evaluate(d, &parts, b, o->level, m, r, err);
	if (status == 0)
		status = booster_save(b, booster, err);
	if (status == 0) {
		m->booster_hash = hash_bytes(booster->data, booster->len);
		m->booster_size = booster->len;
		status = name_model(m, r, err);
	}
	if (status == 0 && o->html)
		status = model_page(d, &x->test, b, m, r, o->html, err);
	booster_free(b);
	return status;
}

int trainer_fit(const struct dataset *d, const struct trainer_options *o,
	struct model *m, struct model_report *r, struct buf *booster, struct err *err)
{
	struct split s = {0};
	struct matrices x = {0};
	*m = (struct model){.window_h = o->window_h, .floor_days = TRAINER_FLOOR_DAYS};
	int feature_version = r->feature_version, truth_version = r->truth_version;
	*r = (struct model_report){.split = o->split,
		.seed = o->seed,
		.every_ms = d->every_ms,
		.feature_version = feature_version,
		.truth_version = truth_version};
	int status = split_make(&s, &d->batteries, o->split, o->seed, err);
	if (status == 0)
		status = fit_model(d, &s, o, &x, m, r, booster, err);
	matrices_release(&x);
	split_release(&s);
	return status;
}
