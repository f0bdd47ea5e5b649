#include "learn/evaluate.h"

#include "learn/predictor.h"
#include "learn/report.h"

#include <math.h>
#include <stdlib.h>

static const float *row_of(const struct part *p, const struct model *m, size_t i)
{
	return p->x + i * (size_t)m->nfeatures;
}

static struct calib_row *residuals(const struct dataset *d, const struct part *p,
	const struct model *m, struct err *err)
{
	const double floor = log(TRAINER_FLOOR_DAYS);
	struct calib_row *rows = malloc((p->n + 1) * sizeof(*rows));
	for (size_t i = 0; rows && i < p->n; i++) {
		const struct dataset_row *row = &d->rows[p->row[i]];
		rows[i] = (struct calib_row){
			.margin = fmax((double)p->margin[i], floor),
			.log_time = log(fmax(row->rul_days, TRAINER_FLOOR_DAYS)),
			.censored = row->censored,
			.battery = row->battery,
			.width = model_width(m, row_of(p, m, i)),
			.kind = model_kind(m, row_of(p, m, i))};
	}
	if (!rows)
		err_nomem(err);
	return rows;
}

int part_margins(struct part *p, struct booster *b, int cols, struct err *err)
{
	if (booster_margin(b, p->x, p->n, cols, p->margin, err) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		p->margin[i] += p->start[i];
	return 0;
}

/* Moves those with a word of the twin to the front. Returns how many they are. */
static size_t with_twin_first(struct calib_row *rows, size_t n)
{
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (rows[i].kind != CALIB_SILENT) {
			struct calib_row first = rows[k];
			rows[k++] = rows[i];
			rows[i] = first;
		}
	return k;
}

/* A table of each of the first kinds, or, where too few batteries show it, that of all.
 */
static int calibrate_kinds(const struct calib_row *rows, size_t n, double level,
	struct calib_spread spread, int kinds, struct calibration *out, struct err *err)
{
	for (int k = 0; k < kinds; k++) {
		struct err few = {0};
		if (calibrate(rows, n, (enum calib_kind)k, level, spread, &out[k],
			    &few) == 0)
			continue;
		if (few.class != ERR_DATA)
			return err_nomem(err);
		if (calibrate(rows, n, CALIB_ALL, level, spread, &out[k], err) < 0)
			return -1;
	}
	return 0;
}

/* The spread is of the validation part by the search's trees, the tables of the rows
 * learned from. */
static int calibrate_on(const struct dataset *d, const struct judged_parts *parts,
	const struct calib_row *rows, double level, struct model *m, struct err *err)
{
	const struct part *v = parts->valid;
	struct calib_row *valid = residuals(d, v, m, err);
	if (!valid)
		return -1;
	size_t told = with_twin_first(valid, v->n);
	struct calib_spread spread = calibration_spread(valid, told ? told : v->n);
	free(valid);
	return calibrate_kinds(
		rows, parts->learn->n, level, spread, CALIB_KINDS, m->calibration, err);
}

/* The weights beside the twin, from the rows on which it had a word. */
static int weigh(
	const struct dataset *d, const struct part *p, struct model *m, struct err *err)
{
	struct weights_case *c = malloc((p->n + 1) * sizeof(*c));
	size_t n = 0;
	if (!c)
		return err_nomem(err);
	for (size_t i = 0; m->start >= 0 && i < p->n; i++) {
		const struct dataset_row *row = &d->rows[p->row[i]];
		double twin = (double)row_of(p, m, i)[m->start];
		if (!row->censored && !isnan(twin))
			c[n++] = (struct weights_case){exp((double)p->margin[i]), twin,
				fmax(row->rul_days, 0), row->battery};
	}
	int r = weights_learn(c, n, &m->weights, err);
	free(c);
	return r;
}

/* Of the rows on which the twin had a word, what the weights make of both. Returns how
 * many. */
static size_t fuse_rows(
	const struct part *p, const struct model *m, struct calib_row *rows)
{
	const double floor = log(TRAINER_FLOOR_DAYS);
	size_t n = 0;
	for (size_t i = 0; m->weights.known && i < p->n; i++) {
		double twin = (double)row_of(p, m, i)[m->start],
		       ml = exp((double)p->margin[i]);
		if (rows[i].kind == CALIB_SILENT || isnan(twin))
			continue;
		double w = weights_of(&m->weights, ml);
		struct calib_row r = rows[i];
		r.margin = fmax(log(fmax(w * ml + (1 - w) * twin, 1e-3)), floor);
		rows[n++] = r;
	}
	return n;
}

/* The fused estimates' own tables; none where the twin was heard too seldom. Makes
 * theirs of the rows. */
static int calibrate_fused(const struct part *p, struct calib_row *rows, double level,
	struct model *m, struct err *err)
{
	struct calib_spread spread = m->calibration[0].spread;
	struct err few = {0};
	size_t n = fuse_rows(p, m, rows);
	if (calibrate_kinds(rows, n, level, spread, CALIB_FUSED, m->fused, &few) == 0)
		return 0;
	for (int k = 0; k < CALIB_FUSED; k++)
		m->fused[k].n = 0;
	return few.class == ERR_DATA ? 0 : err_nomem(err);
}

/* Intervals and weights, from the rows learned from. */
static int learn_doubt(const struct dataset *d, const struct judged_parts *parts,
	double level, struct model *m, struct err *err)
{
	struct calib_row *rows = residuals(d, parts->learn, m, err);
	int r = rows && calibrate_on(d, parts, rows, level, m, err) == 0 &&
				weigh(d, parts->learn, m, err) == 0
			? calibrate_fused(parts->learn, rows, level, m, err)
			: -1;
	free(rows);
	return r;
}

/* One lifetime per battery and unit of the rows learned from, from its first row. */
static int fit_baseline(const struct dataset *d, const struct part *p,
	struct weibull *w, struct err *err)
{
	struct lifetime *l = malloc((p->n + 1) * sizeof(*l));
	int32_t *unit = malloc((d->batteries.n + 1) * sizeof(*unit));
	size_t n = 0;
	int r = l && unit ? 0 : err_nomem(err);
	for (size_t i = 0; r == 0 && i < d->batteries.n; i++)
		unit[i] = INT32_MIN;
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		const struct dataset_row *row = &d->rows[p->row[i]];
		if (unit[row->battery] == row->unit)
			continue;
		unit[row->battery] = row->unit;
		double age = (double)row->age_days, end = age + row->rul_days;
		if (age >= 0 && end > age)
			l[n++] = (struct lifetime){age, end, row->censored};
	}
	*w = (struct weibull){NAN, NAN};
	if (r == 0)
		weibull_fit(l, n, w, NULL);
	free(l);
	free(unit);
	return r;
}

static double baseline_of(const struct weibull *w, double base, float age)
{
	return age >= 0 && isfinite(w->shape) ? weibull_median_residual(w, (double)age)
					      : base;
}

/* Concordance on one row a battery, chosen by hash: rows of one battery against each
 * other would only show that time passes. */
static int rank_quality(const struct dataset *d, const struct part *p,
	const struct outcome *o, struct metrics *m, struct err *err)
{
	uint64_t *best = calloc(d->batteries.n + 1, sizeof(*best));
	size_t *row = malloc((d->batteries.n + 1) * sizeof(*row));
	struct outcome *one = malloc((d->batteries.n + 1) * sizeof(*one));
	int r = best && row && one ? 0 : err_nomem(err);
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		uint64_t key[2] = {o[i].battery, (uint64_t)d->rows[p->row[i]].ts};
		uint64_t h = hash_bytes(key, sizeof(key)) | 1;
		if (h > best[o[i].battery]) {
			best[o[i].battery] = h;
			row[o[i].battery] = i;
		}
	}
	size_t n = 0;
	for (size_t b = 0; r == 0 && b < d->batteries.n; b++)
		if (best[b])
			one[n++] = o[row[b]];
	if (r == 0)
		r = concordance(one, n, &m->concordance, err);
	free(best);
	free(row);
	free(one);
	return r;
}

/* What is foretold of each row, by the model or by age alone, and what became of it. */
static struct outcome *outcomes(const struct dataset *d, const struct part *p,
	const struct model *m, const struct model_report *r, bool baseline,
	struct err *err)
{
	struct outcome *o = malloc((p->n + 1) * sizeof(*o));
	if (!o) {
		err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < p->n; i++) {
		const struct dataset_row *row = &d->rows[p->row[i]];
		struct estimate e =
			model_estimate(m, (double)p->margin[i], row_of(p, m, i));
		if (baseline) {
			e = ESTIMATE_NONE;
			e.rul = baseline_of(&r->weibull, m->start_days, row->age_days);
		}
		o[i] = (struct outcome){e.rul, e.lower, e.upper, fmax(row->rul_days, 0),
			row->censored, row->battery};
	}
	return o;
}

static int judge(const struct dataset *d, const struct part *p, const struct model *m,
	struct model_report *r, bool baseline, struct metrics *out, struct err *err)
{
	struct outcome *o = outcomes(d, p, m, r, baseline, err);
	if (!o)
		return -1;
	int s = metrics_compute(o, p->n, out, err);
	if (s == 0)
		s = rank_quality(d, p, o, out, err);
	/* The baseline gives no bounds, so it has no coverage. */
	if (baseline)
		out->picp = out->picp_error = out->pinaw = NAN;
	free(o);
	return s;
}

int model_evaluate(const struct dataset *d, const struct judged_parts *p,
	struct booster *b, double level, struct model *m, struct model_report *r,
	struct err *err)
{
	if (part_margins(p->test, b, m->nfeatures, err) < 0 ||
		learn_doubt(d, p, level, m, err) < 0 ||
		fit_baseline(d, p->learn, &r->weibull, err) < 0 ||
		judge(d, p->test, m, r, false, &r->model, err) < 0 ||
		judge(d, p->test, m, r, true, &r->baseline, err) < 0)
		return -1;
	r->skill = 1 - r->model.mae / r->baseline.mae;
	return 0;
}

/* Mean magnitude of the SHAP values over rows evenly taken from the part. */
static int importance(
	const struct part *p, struct booster *b, int cols, double *out, struct err *err)
{
	enum { ROWS = 400 };
	size_t step = p->n / ROWS + 1, wide = (size_t)cols, n = 0;
	float *x = malloc((ROWS + 1) * wide * sizeof(*x));
	float *phi = malloc((ROWS + 1) * (wide + 1) * sizeof(*phi));
	for (size_t i = 0; x && i < p->n; i += step, n++)
		memcpy(x + n * wide, p->x + i * wide, wide * sizeof(*x));
	int r = x && phi ? booster_contributions(b, x, n, cols, phi, err)
			 : err_nomem(err);
	for (size_t c = 0; r == 0 && c < wide; c++) {
		out[c] = 0;
		for (size_t i = 0; i < n; i++)
			out[c] += fabs((double)phi[i * (wide + 1) + c]) / (double)n;
	}
	free(x);
	free(phi);
	return r;
}

/* What was said of the probability that row i ends within so many days. */
static double ended_by(
	const struct model *m, const struct part *p, size_t i, double days)
{
	const float *x = row_of(p, m, i);
	return calibration_p_fail(&m->calibration[model_kind(m, x)],
		(double)p->margin[i], model_width(m, x), days);
}

int model_page(const struct dataset *d, const struct part *test, struct booster *b,
	const struct model *m, const struct model_report *r, struct buf *html,
	struct err *err)
{
	struct report_rows t = {.n = test->n, .batteries = &d->batteries};
	struct outcome *o = outcomes(d, test, m, r, false, err);
	double *share = malloc((test->n + 1) * sizeof(*share));
	int s = o && share ? importance(test, b, m->nfeatures, t.importance, err)
			   : err_nomem(err);
	for (size_t i = 0; s == 0 && i < test->n; i++)
		share[i] = ended_by(m, test, i, fmax(o[i].actual, TRAINER_FLOOR_DAYS));
	t.o = o;
	t.share = share;
	if (s == 0)
		s = report_html(m, r, &t, html, err);
	free(o);
	free(share);
	return s;
}
