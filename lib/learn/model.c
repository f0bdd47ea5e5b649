#include "learn/model.h"

#include "revision.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double WIDTH_SLACK_DAYS = 60; /* see model_width */

/* JSON has no NaN: null. */
static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *hash_text(uint64_t h)
{
	char text[17];
	snprintf(text, sizeof(text), "%016" PRIx64, h);
	return json_string(text);
}

static json_t *time_text(int64_t ts)
{
	char text[TIME_TEXT_SIZE];
	return json_string(time_format(ts, text));
}

static json_t *write_floats(const float *v, int n)
{
	json_t *a = json_array();
	for (int i = 0; i < n; i++)
		json_array_append_new(a, number((double)v[i]));
	return a;
}

static json_t *write_histogram(const struct histogram *h)
{
	return json_pack("{s:o, s:o}", "edges",
		write_floats(h->edge, h->n > 0 ? h->n - 1 : 0), "shares",
		write_floats(h->share, h->n));
}

static json_t *write_features(const struct model *m)
{
	json_t *a = json_array();
	for (int i = 0; i < m->nfeatures; i++) {
		const struct model_feature *f = &m->feature[i];
		json_array_append_new(
			a, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "name", f->name,
				   "unit", f->unit, "min", number(f->min), "max",
				   number(f->max), "present", number(f->present),
				   "histogram", write_histogram(&f->reference)));
	}
	return a;
}

static json_t *write_calibration(const struct calibration *c)
{
	json_t *a = json_array();
	for (int i = 0; i < c->n; i++) {
		const struct calib_bin *b = &c->bin[i];
		json_array_append_new(a,
			json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b}",
				"margin_below", number(b->margin_below), "lower",
				number(b->lower), "upper", number(b->upper), "sigma",
				number(b->sigma), "sudden", number(b->sudden),
				"batteries", (json_int_t)b->batteries, "rows",
				(json_int_t)b->rows, "extrapolated", b->extrapolated));
	}
	return json_pack("{s:o, s:o, s:o, s:o}", "level", number(c->level), "slope",
		number(c->spread.slope), "wide", number(c->spread.wide), "table", a);
}

static const char *const CALIBRATION_KEYS[CALIB_KINDS] = {
	"tested", "untested", "twin_silent"};

static json_t *write_calibrations(const struct calibration *c, int kinds)
{
	json_t *o = json_object();
	for (int k = 0; k < kinds; k++)
		json_object_set_new(o, CALIBRATION_KEYS[k], write_calibration(&c[k]));
	return o;
}

static json_t *write_fused(const struct model *m)
{
	return m->fused[0].n ? write_calibrations(m->fused, CALIB_FUSED) : json_null();
}

static json_t *write_start(const struct model *m)
{
	return json_pack("{s:o, s:o}", "feature",
		m->start >= 0 ? json_string(m->feature[m->start].name) : json_null(),
		"days", number(m->start_days));
}

static json_t *write_weights(const struct weights *w)
{
	json_t *a = json_array();
	for (int i = 0; w->known && i < WEIGHTS_ROWS; i++) {
		const struct weights_row *r = &w->row[i];
		json_array_append_new(a,
			json_pack("{s:o, s:o, s:I, s:o, s:o, s:o}", "days_below",
				number(WEIGHTS_BELOW[i]), "weight", number(r->weight),
				"batteries", (json_int_t)r->batteries,
				"mae_learned_days", number(r->learned), "mae_twin_days",
				number(r->twin), "mae_fused_days", number(r->fused)));
	}
	return a;
}

static json_t *write_metrics(const struct metrics *m)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "rows",
		(json_int_t)m->rows, "batteries", (json_int_t)m->batteries, "mae_days",
		number(m->mae), "rmse_days", number(m->rmse), "r2", number(m->r2),
		"median_relative_error", number(m->median_relative_error),
		"concordance", number(m->concordance), "picp", number(m->picp),
		"picp_error", number(m->picp_error), "pinaw", number(m->pinaw));
}

static json_t *write_split(const struct model_report *r)
{
	json_t *o = json_pack(
		"{s:s, s:I}", "by", split_name(r->split), "seed", (json_int_t)r->seed);
	for (int p = 0; p < PART_COUNT; p++)
		json_object_set_new(o, split_part_name((enum split_part)p),
			json_pack("{s:I, s:I, s:I}", "groups", (json_int_t)r->groups[p],
				"batteries", (json_int_t)r->batteries[p], "rows",
				(json_int_t)r->rows[p]));
	return o;
}

static json_t *write_training(const struct model_report *r)
{
	const struct booster_params *p = &r->params;
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:I, s:I, s:i, s:i, s:{s:s, s:s, s:i, s:i, s:i, "
		"s:i, s:o, s:o, s:o, s:o, s:I}, s:i, s:o, s:i}",
		"program", "train (floatline) " FL_VERSION, "revision", FL_REVISION,
		"from", time_text(r->from_ts), "to", time_text(r->to_ts), "every_ms",
		(json_int_t)r->every_ms, "ends_seen", (json_int_t)r->ends_seen,
		"feature_schema_version", r->feature_version, "truth_schema_version",
		r->truth_version, "hyperparameters", "objective", "survival:aft",
		"distribution", "normal", "max_rounds", p->rounds, "patience",
		p->patience, "depth", p->depth, "min_rows", p->min_rows, "eta",
		number(p->eta), "scale", number(p->scale), "columns",
		number(p->columns), "base_days", number(p->base), "seed",
		(json_int_t)p->seed, "rounds", r->fit.rounds, "validation_log_error",
		number(r->fit.score), "trials", r->trials);
}

static json_t *write_evaluation(const struct model_report *r)
{
	return json_pack("{s:o, s:o, s:o, s:{s:o, s:o}}", "model",
		write_metrics(&r->model), "age_only", write_metrics(&r->baseline),
		"skill", number(r->skill), "age_only_weibull", "shape",
		number(r->weibull.shape), "scale_days", number(r->weibull.scale_days));
}

int model_write_json(const struct model *m, const struct model_report *r,
	struct buf *out, struct err *err)
{
	json_t *o = json_pack(
		"{s:i, s:s, s:i, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o}",
		"format", MODEL_FORMAT, "id", m->id, "window_h", m->window_h,
		"floor_days", number(m->floor_days), "longest_days",
		number(m->longest_days), "training_strings",
		(json_int_t)m->train_strings, "booster",
		json_pack("{s:s, s:I, s:o}", "file", "booster.ubj", "bytes",
			(json_int_t)m->booster_size, "hash",
			hash_text(m->booster_hash)),
		"features", write_features(m), "start", write_start(m), "calibration",
		write_calibrations(m->calibration, CALIB_KINDS), "fusion",
		write_weights(&m->weights), "fused_calibration", write_fused(m),
		"split", write_split(r), "training", write_training(r), "evaluation",
		write_evaluation(r));
	char *text = o ? json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) : NULL;
	json_decref(o);
	if (!text)
		return err_nomem(err);
	buf_puts(out, text);
	buf_putc(out, '\n');
	free(text);
	return out->failed ? err_nomem(err) : 0;
}

static int bad(const char *key, const char *want, struct err *err)
{
	return err_set(err, ERR_DATA, "model.json: '%s' is not %s", key, want);
}

static int get_number(const json_t *o, const char *key, double min, double max,
	double *to, struct err *err)
{
	json_t *v = json_object_get(o, key);
	if (!json_is_number(v))
		return bad(key, "a number", err);
	*to = json_number_value(v);
	if (!(*to >= min && *to <= max))
		return err_set(err, ERR_DATA, "model.json: '%s' is not within %g to %g",
			key, min, max);
	return 0;
}

static int get_int(const json_t *o, const char *key, int64_t min, int64_t max,
	int64_t *to, struct err *err)
{
	json_t *v = json_object_get(o, key);
	if (!json_is_integer(v))
		return bad(key, "a whole number", err);
	*to = json_integer_value(v);
	if (*to < min || *to > max)
		return err_set(err, ERR_DATA,
			"model.json: '%s' is not within %" PRId64 " to %" PRId64, key,
			min, max);
	return 0;
}

static int get_text(
	const json_t *o, const char *key, char *to, size_t size, struct err *err)
{
	json_t *v = json_object_get(o, key);
	if (!json_is_string(v) || json_string_length(v) >= size)
		return bad(key, "a short text", err);
	memcpy(to, json_string_value(v), json_string_length(v) + 1);
	return 0;
}

/* Numbers of the list 'key' into v[most]. Returns how many, or -1. */
static int read_floats(
	const json_t *o, const char *key, int most, float *v, struct err *err)
{
	json_t *a = json_object_get(o, key);
	size_t n = json_array_size(a);
	if (!json_is_array(a) || n > (size_t)most)
		return bad(key, "a list of at most 10 numbers", err);
	for (size_t i = 0; i < n; i++) {
		json_t *x = json_array_get(a, i);
		if (!json_is_number(x) || !(fabs(json_number_value(x)) <= 1e30))
			return bad(key, "a list of numbers", err);
		v[i] = (float)json_number_value(x);
	}
	return (int)n;
}

/* Models made before there were histograms have none. */
static int read_histogram(const json_t *o, struct histogram *h, struct err *err)
{
	json_t *k = json_object_get(o, "histogram");
	if (!k)
		return 0;
	int shares = read_floats(k, "shares", HISTOGRAM_BINS, h->share, err);
	int edges = read_floats(k, "edges", HISTOGRAM_BINS - 1, h->edge, err);
	if (shares < 0 || edges < 0)
		return -1;
	if (edges != (shares > 0 ? shares - 1 : 0))
		return bad("edges", "one number fewer than 'shares'", err);
	for (int i = 0; i < shares; i++)
		if (h->share[i] < 0 || h->share[i] > 1 ||
			(i > 0 && i < edges && !(h->edge[i] > h->edge[i - 1])))
			return bad("histogram", "shares of 1 and edges that rise", err);
	h->n = shares;
	return 0;
}

static int read_feature(const json_t *o, struct model_feature *f, struct err *err)
{
	if (get_text(o, "name", f->name, sizeof(f->name), err) < 0 ||
		get_text(o, "unit", f->unit, sizeof(f->unit), err) < 0 ||
		get_number(o, "min", -1e30, 1e30, &f->min, err) < 0 ||
		get_number(o, "max", f->min, 1e30, &f->max, err) < 0 ||
		get_number(o, "present", 0, 1, &f->present, err) < 0)
		return -1;
	return read_histogram(o, &f->reference, err);
}

static int read_features(const json_t *o, struct model *m, struct err *err)
{
	json_t *a = json_object_get(o, "features");
	size_t n = json_array_size(a);
	if (!json_is_array(a) || n == 0 || n > FIELDS_MAX)
		return bad("features", "a list of 1 to 96 features", err);
	m->nfeatures = (int)n;
	for (size_t i = 0; i < n; i++)
		if (read_feature(json_array_get(a, i), &m->feature[i], err) < 0)
			return -1;
	return 0;
}

static int read_bin(const json_t *o, bool last, struct calib_bin *b, struct err *err)
{
	int64_t batteries, rows;
	b->margin_below = INFINITY;
	if (!last &&
		get_number(o, "margin_below", -1e3, 1e3, &b->margin_below, err) < 0)
		return -1;
	if (get_number(o, "lower", -1e3, 1e3, &b->lower, err) < 0 ||
		get_number(o, "upper", -1e3, 1e3, &b->upper, err) < 0 ||
		get_number(o, "sigma", 1e-3, 100, &b->sigma, err) < 0 ||
		get_number(o, "sudden", 0, 1, &b->sudden, err) < 0 ||
		get_int(o, "batteries", 0, INT64_MAX, &batteries, err) < 0 ||
		get_int(o, "rows", 0, INT64_MAX, &rows, err) < 0)
		return -1;
	b->batteries = (size_t)batteries;
	b->rows = (size_t)rows;
	b->extrapolated = json_is_true(json_object_get(o, "extrapolated"));
	return 0;
}

static int read_calibration(
	const json_t *o, const char *key, struct calibration *c, struct err *err)
{
	json_t *k = json_object_get(o, key);
	json_t *a = json_object_get(k, "table");
	size_t n = json_array_size(a);
	if (!json_is_array(a) || n == 0 || n > CALIB_BINS_MAX)
		return bad(key, "a table of 1 to 8 rows", err);
	if (get_number(k, "level", 0.5, 0.999, &c->level, err) < 0 ||
		get_number(k, "slope", -2, 2, &c->spread.slope, err) < 0 ||
		get_number(k, "wide", 0, 2, &c->spread.wide, err) < 0)
		return -1;
	c->n = (int)n;
	for (size_t i = 0; i < n; i++)
		if (read_bin(json_array_get(a, i), i == n - 1, &c->bin[i], err) < 0)
			return -1;
	return 0;
}

static int read_calibrations(
	const json_t *o, int kinds, struct calibration *c, struct err *err)
{
	for (int k = 0; k < kinds; k++)
		if (read_calibration(o, CALIBRATION_KEYS[k], &c[k], err) < 0)
			return -1;
	return 0;
}

static int read_all_calibrations(const json_t *o, struct model *m, struct err *err)
{
	json_t *fused = json_object_get(o, "fused_calibration");
	if (read_calibrations(json_object_get(o, "calibration"), CALIB_KINDS,
		    m->calibration, err) < 0)
		return -1;
	return json_is_null(fused)
		       ? 0
		       : read_calibrations(fused, CALIB_FUSED, m->fused, err);
}

static int read_start(const json_t *o, struct model *m, struct err *err)
{
	json_t *k = json_object_get(o, "start"), *f = json_object_get(k, "feature");
	if (get_number(k, "days", m->floor_days, 1e6, &m->start_days, err) < 0)
		return -1;
	model_find_features(m);
	if (m->start < 0 ? json_is_null(f)
			 : json_is_string(f) && strcmp(json_string_value(f),
							m->feature[m->start].name) == 0)
		return 0;
	return bad("feature", "the twin's estimate, if that is a feature", err);
}

/* The horizons are this build's own. */
static int read_weights(const json_t *o, struct weights *w, struct err *err)
{
	json_t *a = json_object_get(o, "fusion");
	size_t n = json_array_size(a);
	if (!json_is_array(a) || (n != 0 && n != WEIGHTS_ROWS))
		return bad("fusion", "a list of no or 3 rows", err);
	for (size_t i = 0; i < n; i++)
		if (get_number(json_array_get(a, i), "weight", 0, 1, &w->row[i].weight,
			    err) < 0)
			return -1;
	w->known = n > 0;
	return 0;
}

static int read_booster(const json_t *o, struct model *m, struct err *err)
{
	json_t *b = json_object_get(o, "booster");
	char text[17] = "", *end;
	int64_t bytes;
	if (get_int(b, "bytes", 1, MODEL_BOOSTER_MAX, &bytes, err) < 0 ||
		get_text(b, "hash", text, sizeof(text), err) < 0)
		return -1;
	m->booster_size = (uint64_t)bytes;
	m->booster_hash = strtoull(text, &end, 16);
	return *end || end != text + 16 ? bad("hash", "16 hexadecimal digits", err) : 0;
}

static int read_train_batteries(const json_t *o, struct model *m, struct err *err)
{
	json_t *part = json_object_get(json_object_get(o, "split"), "training");
	int64_t n;
	if (get_int(part, "batteries", 0, INT32_MAX, &n, err) < 0)
		return -1;
	m->train_batteries = (size_t)n;
	/* Models made before it was counted do not have it. */
	if (!json_object_get(o, "training_strings"))
		return 0;
	if (get_int(o, "training_strings", 0, INT32_MAX, &n, err) < 0)
		return -1;
	m->train_strings = (size_t)n;
	return 0;
}

static int read_model(const json_t *o, struct model *m, struct err *err)
{
	int64_t format, window;
	if (get_int(o, "format", 0, INT32_MAX, &format, err) < 0)
		return -1;
	if (format != MODEL_FORMAT)
		return err_set(err, ERR_DATA,
			"model.json: format %" PRId64 " is not %d, train it anew",
			format, MODEL_FORMAT);
	if (get_text(o, "id", m->id, sizeof(m->id), err) < 0 ||
		get_int(o, "window_h", 1, 24 * 366, &window, err) < 0 ||
		get_number(o, "floor_days", 1e-3, 1e4, &m->floor_days, err) < 0 ||
		read_booster(o, m, err) < 0 || read_features(o, m, err) < 0 ||
		read_train_batteries(o, m, err) < 0)
		return -1;
	m->window_h = (int)window;
	m->longest_days = INFINITY;
	if (!json_is_null(json_object_get(o, "longest_days")) &&
		get_number(o, "longest_days", m->floor_days, 1e9, &m->longest_days,
			err) < 0)
		return -1;
	return read_start(o, m, err) < 0 || read_all_calibrations(o, m, err) < 0
		       ? -1
		       : read_weights(o, &m->weights, err);
}

int model_read_json(const char *p, size_t len, struct model *m, struct err *err)
{
	json_error_t je;
	*m = (struct model){0};
	if (len > MODEL_JSON_MAX)
		return err_set(err, ERR_DATA, "model.json: larger than 1 MiB");
	json_t *o = json_loadb(p, len, JSON_REJECT_DUPLICATES, &je);
	if (!o)
		return err_set(err, ERR_DATA, "model.json:%d: %s", je.line, je.text);
	int r = json_is_object(o) ? read_model(o, m, err)
				  : bad("model.json", "an object", err);
	json_decref(o);
	return r;
}

int model_features(const struct model *m, struct feature_set *s, struct err *err)
{
	s->n = 0;
	for (int i = 0; i < m->nfeatures; i++) {
		const struct model_feature *f = &m->feature[i];
		if (feature_set_add(s, str_of(f->name)) < 0)
			return err_set(err, ERR_DATA,
				"model %s wants feature '%s', which feature records do "
				"not "
				"have",
				m->id, f->name);
		if (strcmp(s->v[i].unit, f->unit) != 0)
			return err_set(err, ERR_DATA,
				"model %s wants feature '%s' in '%s', feature records "
				"have "
				"it in '%s'",
				m->id, f->name, f->unit, s->v[i].unit);
	}
	return 0;
}

static double days_of(const struct model *m, int feature, const float *x)
{
	return feature < 0 ? NAN : (double)x[feature];
}

double model_start(const struct model *m, const float *x)
{
	double days = days_of(m, m->start, x);
	return log(isnan(days) ? m->start_days : fmax(days, m->floor_days));
}

double model_width(const struct model *m, const float *x)
{
	double low = days_of(m, m->bound[0], x), high = days_of(m, m->bound[1], x);
	if (isnan(low) || isnan(high))
		return NAN;
	return log((fmax(high, m->floor_days) + WIDTH_SLACK_DAYS) /
		   fmax(low, m->floor_days));
}

enum calib_kind model_kind(const struct model *m, const float *x)
{
	if (isnan(model_width(m, x)))
		return CALIB_SILENT;
	return m->tested >= 0 && !isnan(x[m->tested]) ? CALIB_TESTED : CALIB_UNTESTED;
}

void model_find_features(struct model *m)
{
	m->start = m->bound[0] = m->bound[1] = m->tested = -1;
	for (int i = 0; i < m->nfeatures; i++) {
		const char *name = m->feature[i].name;
		if (strcmp(name, "twin_rul_days") == 0)
			m->start = i;
		else if (strcmp(name, "twin_lower_days") == 0)
			m->bound[0] = i;
		else if (strcmp(name, "twin_upper_days") == 0)
			m->bound[1] = i;
		else if (strcmp(name, "capacity_test_pct") == 0)
			m->tested = i;
	}
}

int model_supplied(const struct model *m, const struct schema *stream, struct err *err)
{
	const struct kind_info *k = kind_info(KIND_feature);
	for (int i = 0; i < m->nfeatures; i++) {
		const struct model_feature *f = &m->feature[i];
		int ours = field_index(k, str_of(f->name));
		int theirs = ours < 0 ? -1 : stream->from[ours];
		if (feature_is_twin(f->name))
			continue; /* of other records, which may come or not */
		if (theirs < 0)
			return err_set(err, ERR_DATA,
				"model %s wants feature '%s', which this stream does "
				"not "
				"supply",
				m->id, f->name);
		if (strcmp(stream->fields[theirs].unit, f->unit) != 0)
			return err_set(err, ERR_DATA,
				"model %s wants feature '%s' in '%s', this stream "
				"supplies "
				"it in '%s'",
				m->id, f->name, f->unit, stream->fields[theirs].unit);
	}
	return 0;
}
