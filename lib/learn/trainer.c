#include "learn/trainer.h"

#include "base/code.h"
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
	free(p->row);
	*p = (struct part){0};
}

static struct booster_data data_of(const struct part *p, int cols)
{
	return (struct booster_data){p->x, p->lower, p->upper, p->n, cols};
}

/* Bounds of a row's time, as survival:aft wants them. */
static void bounds(const struct dataset_row *r, float *lower, float *upper)
{
	double t = r->rul_days, floor = TRAINER_FLOOR_DAYS;
	if (r->censored) {
		*lower = (float)fmax(t, 0.01);
		*upper = INFINITY;
	} else if (t < floor) {
		*lower = 0;
		*upper = (float)floor;
	} else {
		*lower = *upper = (float)t;
	}
}

static int fill_part(const struct dataset *d, const struct split *s, enum split_part p,
	const struct feature_set *use, const int *column, struct part *out,
	struct err *err)
{
	size_t cols = (size_t)use->n, n = 0;
	for (size_t i = 0; i < d->n; i++)
		n += split_part(s, d->rows[i].battery) == p;
	out->x = malloc((n * cols + 1) * sizeof(float));
	out->lower = malloc((n + 1) * sizeof(float));
	out->upper = malloc((n + 1) * sizeof(float));
	out->margin = malloc((n + 1) * sizeof(float));
	out->row = malloc((n + 1) * sizeof(size_t));
	if (!out->x || !out->lower || !out->upper || !out->margin || !out->row)
		return err_nomem(err);
	for (size_t i = 0; i < d->n; i++) {
		if (split_part(s, d->rows[i].battery) != p)
			continue;
		for (size_t c = 0; c < cols; c++)
			out->x[out->n * cols + c] = dataset_x(d, i)[column[c]];
		bounds(&d->rows[i], &out->lower[out->n], &out->upper[out->n]);
		out->row[out->n++] = i;
	}
	return 0;
}

/* What the training rows say of a column; 'values' has room for all rows. */
static struct model_feature survey(
	const struct dataset *d, const struct split *s, int column, float *values)
{
	struct model_feature f = {.min = INFINITY, .max = -INFINITY};
	size_t rows = 0, have = 0;
	for (size_t i = 0; i < d->n; i++) {
		if (split_part(s, d->rows[i].battery) != PART_TRAIN)
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

/* Takes the columns that vary in training: a constant teaches nothing. */
static int choose_features(const struct dataset *d, const struct split *s,
	int64_t span_ms, struct model *m, struct feature_set *use, int *column,
	struct err *err)
{
	float *values = malloc((d->n + 1) * sizeof(*values));
	if (!values)
		return err_nomem(err);
	use->n = 0;
	for (int i = 0; i < d->features.n; i++) {
		const struct feature_def *def = &d->features.v[i];
		if (strncmp(def->name, "season_", 7) == 0 && span_ms < SEASON_SPAN_MS)
			continue;
		struct model_feature f = survey(d, s, i, values);
		if (!(f.max > f.min))
			continue;
		str_copy(f.name, sizeof(f.name), str_of(def->name));
		str_copy(f.unit, sizeof(f.unit), str_of(def->unit));
		column[use->n] = i;
		m->feature[use->n] = f;
		use->v[use->n++] = *def;
	}
	free(values);
	m->nfeatures = use->n;
	if (use->n == 0)
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

/* Median of the lower bounds: where boosting starts. */
static double median_time(const struct part *p, struct err *err)
{
	float *t = malloc((p->n + 1) * sizeof(*t));
	if (!t)
		return err_nomem(err);
	memcpy(t, p->lower, p->n * sizeof(*t));
	qsort(t, p->n, sizeof(*t), by_float);
	double m = (double)t[p->n / 2];
	free(t);
	return fmax(m, TRAINER_FLOOR_DAYS);
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
			.base = median_time(train, err),
			.seed = (uint32_t)(o->seed & INT32_MAX)}};
	struct search_result found;
	if (s.first.base < 0)
		return NULL;
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

/* In how many strings the training batteries are. */
static int count_strings(
	const struct dataset *d, const struct split *s, size_t *n, struct err *err)
{
	struct ids strings = {0};
	int r = 0;
	for (uint32_t b = 0; r == 0 && b < d->batteries.n; b++)
		if (split_part(s, b) == PART_TRAIN &&
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

static int fit_parts(const struct dataset *d, const struct split *s,
	const struct trainer_options *o, struct part *part, struct model *m,
	struct model_report *r, struct buf *booster, struct err *err)
{
	struct feature_set use;
	int column[FIELDS_MAX];
	if (take_stock(d, s, r, err) < 0 ||
		choose_features(d, s, r->to_ts - r->from_ts, m, &use, column, err) < 0)
		return -1;
	for (int p = 0; p < PART_COUNT; p++)
		if (fill_part(d, s, (enum split_part)p, &use, column, &part[p], err) <
			0)
			return -1;
	m->train_batteries = s->batteries_in[PART_TRAIN];
	if (count_strings(d, s, &m->train_strings, err) < 0)
		return -1;
	m->longest_days = longest_life(d, &part[PART_TRAIN]);
	struct booster *b =
		fit_best(o, &part[PART_TRAIN], &part[PART_VALID], use.n, r, err);
	if (!b)
		return -1;
	int status = model_evaluate(d, part, b, o->level, m, r, err);
	if (status == 0)
		status = booster_save(b, booster, err);
	if (status == 0) {
		m->booster_hash = hash_bytes(booster->data, booster->len);
		m->booster_size = booster->len;
		status = name_model(m, r, err);
	}
	if (status == 0 && o->html)
		status = model_page(d, &part[PART_TEST], b, m, r, o->html, err);
	booster_free(b);
	return status;
}

int trainer_fit(const struct dataset *d, const struct trainer_options *o,
	struct model *m, struct model_report *r, struct buf *booster, struct err *err)
{
	struct split s = {0};
	struct part part[PART_COUNT] = {{0}};
	*m = (struct model){.window_h = o->window_h, .floor_days = TRAINER_FLOOR_DAYS};
	int feature_version = r->feature_version, truth_version = r->truth_version;
	*r = (struct model_report){.split = o->split,
		.seed = o->seed,
		.every_ms = d->every_ms,
		.feature_version = feature_version,
		.truth_version = truth_version};
	int status = split_make(&s, &d->batteries, o->split, o->seed, err);
	if (status == 0)
		status = fit_parts(d, &s, o, part, m, r, booster, err);
	for (int p = 0; p < PART_COUNT; p++)
		part_release(&part[p]);
	split_release(&s);
	return status;
}
