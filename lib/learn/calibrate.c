#include "learn/calibrate.h"

#include <math.h>
#include <stdlib.h>

struct residual {
	double value, weight;
	bool censored;
};

static int by_value(const void *a, const void *b)
{
	const struct residual *x = a, *y = b;
	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	/* Seen ends before censored ones of the same time, as Kaplan-Meier has it. */
	return (int)x->censored - (int)y->censored;
}

static int by_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The largest residual with at most 'tail' below it, counting 'infinite' at -inf. */
static double lower_quantile(
	const struct residual *r, size_t n, double infinite, double tail)
{
	double below = infinite;
	for (size_t i = 0; i < n; i++) {
		below += r[i].weight;
		/* A rounding error must not cost a whole battery. */
		if (below > tail + 1e-12)
			return r[i].value;
	}
	return r[n - 1].value;
}

/* The least residual whose Kaplan-Meier survival is at most 'tail'; infinite when the
 * estimate never gets there. */
static double upper_quantile(
	const struct residual *r, size_t n, double infinite, double tail)
{
	double at_risk = infinite, survival = 1;
	for (size_t i = 0; i < n; i++)
		at_risk += r[i].weight;
	for (size_t i = 0; i < n; i++) {
		if (!r[i].censored)
			survival *= 1 - r[i].weight / at_risk;
		at_risk -= r[i].weight;
		if (survival <= tail + 1e-12)
			return r[i].value;
	}
	return INFINITY;
}

/* Widths beyond these say no more. The usual one has a spread of 1. */
static const double WIDTH_LEAST = 0.1, WIDTH_USUAL = 0.6, WIDTH_MOST = 5;

/* ln of it; 0 at a thousand days and a usual or unknown width. */
static double ln_spread(struct calib_spread s, double margin, double width)
{
	double w = width > 0 ? fmin(fmax(width, WIDTH_LEAST), WIDTH_MOST) : WIDTH_USUAL;
	return s.slope * (margin - 6.90775527898213705205) +
	       s.wide * log(w / WIDTH_USUAL);
}

static double spread_at(const struct calibration *c, double margin, double width)
{
	return exp(ln_spread(c->spread, margin, width));
}

static double spread_likelihood(
	const struct calib_row *rows, size_t n, struct calib_spread spread)
{
	double k = 0, sum = 0, logs = 0;
	for (size_t i = 0; i < n; i++)
		if (!rows[i].censored) {
			double ln = ln_spread(spread, rows[i].margin, rows[i].width);
			k++;
			sum += fabs(rows[i].log_time - rows[i].margin) * exp(-ln);
			logs += ln;
		}
	return k > 0 && sum > 0 ? -k * log(sum / k) - logs : 0;
}

struct calib_spread calibration_spread(const struct calib_row *rows, size_t n)
{
	/* A grid of 1/40 and 1/8: finer would be more than the data tell. */
	struct calib_spread best = {0, 0};
	double most = spread_likelihood(rows, n, best);
	for (int k = 0; k <= 10; k++)
		for (int i = -20; i <= 10; i++) {
			struct calib_spread s = {i / 40.0, k / 8.0};
			double l = spread_likelihood(rows, n, s);
			if (l > most) {
				most = l;
				best = s;
			}
		}
	return best;
}

static double normal_log_pdf(double z)
{
	return -0.5 * z * z - 0.91893853320467274178;
}

static double normal_survival(double z)
{
	return 0.5 * erfc(z / M_SQRT2);
}

/* Likelihood of a residual r over the spread s: normal, or, with probability 'sudden',
 * a time uniform between 0 and exp(margin). */
static double likelihood(double r, double s, bool censored, double sigma, double sudden)
{
	double z = r / sigma, early = r < 0 ? exp(s * r) : 0;
	if (censored)
		return (1 - sudden) * normal_survival(z) +
		       sudden * (r < 0 ? 1 - early : 0);
	return (1 - sudden) * exp(normal_log_pdf(z)) / sigma + sudden * s * early;
}

/* spread: of each row. */
static double log_likelihood(const struct calib_row *rows, const double *weight,
	size_t n, const double *spread, double sigma, double sudden)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		if (weight[i] > 0)
			sum += weight[i] *
			       log(fmax(likelihood(rows[i].log_time - rows[i].margin,
						spread[i], rows[i].censored, sigma,
						sudden),
				       1e-300));
	return sum;
}

/* The best sigma for a share of sudden deaths, by golden section over its log. */
static double best_sigma(const struct calib_row *rows, const double *weight, size_t n,
	const double *spread, double sudden)
{
	const double g = 0.61803398874989484820;
	double a = log(0.01), b = log(5.0);
	for (int i = 0; i < 40; i++) {
		double c = b - g * (b - a), d = a + g * (b - a);
		if (log_likelihood(rows, weight, n, spread, exp(c), sudden) >
			log_likelihood(rows, weight, n, spread, exp(d), sudden))
			b = d;
		else
			a = c;
	}
	return exp((a + b) / 2);
}

static void fit_error(const struct calib_row *rows, const double *weight, size_t n,
	const double *spread, struct calib_bin *bin)
{
	static const double shares[] = {
		0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2};
	double most = -INFINITY;
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		double sigma = best_sigma(rows, weight, n, spread, shares[i]);
		double l = log_likelihood(rows, weight, n, spread, sigma, shares[i]);
		if (l > most) {
			most = l;
			bin->sigma = sigma;
			bin->sudden = shares[i];
		}
	}
	/* None seen is not none. */
	bin->sudden = fmax(bin->sudden, 0.5 / ((double)bin->batteries + 1));
}

/* 1 / rows of its battery among the rows whose margin is within [from, below). */
static size_t weigh(const struct calib_row *rows, size_t n, double from, double below,
	uint32_t *count, size_t nbatteries, double *weight)
{
	size_t batteries = 0;
	for (size_t i = 0; i < nbatteries; i++)
		count[i] = 0;
	for (size_t i = 0; i < n; i++)
		if (rows[i].margin >= from && rows[i].margin < below)
			batteries += count[rows[i].battery]++ == 0;
	for (size_t i = 0; i < n; i++) {
		bool in = rows[i].margin >= from && rows[i].margin < below;
		weight[i] = in ? 1.0 / count[rows[i].battery] : 0;
	}
	return batteries;
}

struct work {
	struct residual *r;
	double *weight, *margin, *spread;
	uint32_t *count;
	size_t nbatteries;
};

static void fill_bin(const struct calib_row *rows, size_t n, size_t batteries,
	const struct calibration *c, struct work *w, struct calib_bin *bin)
{
	struct residual *r = w->r;
	const double *weight = w->weight;
	double unit = 1.0 / ((double)batteries + 1), tail = (1 - c->level) / 2;
	size_t k = 0;
	for (size_t i = 0; i < n; i++)
		if (weight[i] > 0)
			r[k++] = (struct residual){rows[i].log_time - rows[i].margin,
				weight[i] * unit, rows[i].censored};
	qsort(r, k, sizeof(*r), by_value);
	bin->batteries = batteries;
	bin->rows = k;
	fit_error(rows, weight, n, w->spread, bin);
	bin->lower = lower_quantile(r, k, unit, tail);
	bin->upper = upper_quantile(r, k, unit, tail);
	bin->extrapolated = !isfinite(bin->upper);
	if (bin->extrapolated)
		bin->upper = fmax(1.6448536269514722 * bin->sigma, r[k - 1].value);
}

/* Cuts by quantiles of the margins; false when a row would have too few batteries. */
static bool fill_table(const struct calib_row *rows, size_t n, int bins, size_t least,
	struct work *w, struct calibration *c)
{
	double from = -INFINITY;
	c->n = bins;
	for (int i = 0; i < bins; i++) {
		double below = i == bins - 1
				       ? INFINITY
				       : w->margin[n * (size_t)(i + 1) / (size_t)bins];
		size_t batteries =
			weigh(rows, n, from, below, w->count, w->nbatteries, w->weight);
		if (batteries < least)
			return false;
		c->bin[i].margin_below = below;
		fill_bin(rows, n, batteries, c, w, &c->bin[i]);
		from = below;
	}
	return true;
}

static int calibrate_with(const struct calib_row *rows, size_t n, struct work *w,
	struct calibration *out, struct err *err)
{
	size_t least = (size_t)ceil(2 / (1 - out->level) - 1e-9) - 1;
	for (size_t i = 0; i < n; i++)
		w->margin[i] = rows[i].margin;
	qsort(w->margin, n, sizeof(*w->margin), by_double);
	size_t batteries =
		weigh(rows, n, -INFINITY, INFINITY, w->count, w->nbatteries, w->weight);
	if (batteries < least)
		return err_set(err, ERR_DATA,
			"too few batteries to calibrate: %zu of at least %zu",
			batteries, least);
	int bins = (int)(batteries / CALIB_BIN_BATTERIES);
	bins = bins > CALIB_BINS_MAX ? CALIB_BINS_MAX : bins < 1 ? 1 : bins;
	while (bins > 1 && !fill_table(rows, n, bins, CALIB_BIN_BATTERIES / 2, w, out))
		bins--;
	if (bins == 1)
		fill_table(rows, n, 1, least, w, out);
	return 0;
}

/* The rows with their residuals over the spread. */
static struct calib_row *scaled(
	const struct calib_row *rows, size_t n, const double *spread)
{
	struct calib_row *s = malloc((n + 1) * sizeof(*s));
	for (size_t i = 0; s && i < n; i++) {
		double r = rows[i].log_time - rows[i].margin;
		s[i] = rows[i];
		s[i].log_time = rows[i].margin + r / spread[i];
	}
	return s;
}

int calibrate(const struct calib_row *rows, size_t n, double level,
	struct calib_spread spread, struct calibration *out, struct err *err)
{
	struct work w = {0};
	*out = (struct calibration){.level = level, .spread = spread};
	for (size_t i = 0; i < n; i++)
		if (rows[i].battery >= w.nbatteries)
			w.nbatteries = (size_t)rows[i].battery + 1;
	w.spread = calloc(n + 1, sizeof(*w.spread));
	for (size_t i = 0; w.spread && i < n; i++)
		w.spread[i] = spread_at(out, rows[i].margin, rows[i].width);
	struct calib_row *own = w.spread ? scaled(rows, n, w.spread) : NULL;
	w.r = calloc(n + 1, sizeof(*w.r));
	w.weight = calloc(n + 1, sizeof(*w.weight));
	w.margin = calloc(n + 1, sizeof(*w.margin));
	w.count = calloc(w.nbatteries + 1, sizeof(*w.count));
	int r = own && w.r && w.weight && w.margin && w.count
			? calibrate_with(own, n, &w, out, err)
			: err_nomem(err);
	free(own);
	free(w.r);
	free(w.weight);
	free(w.margin);
	free(w.spread);
	free(w.count);
	return r;
}

static const struct calib_bin *bin_of(const struct calibration *c, double margin)
{
	int i = 0;
	while (i < c->n - 1 && margin >= c->bin[i].margin_below)
		i++;
	return &c->bin[i];
}

void calibration_interval(const struct calibration *c, double margin, double width,
	double *lower, double *upper)
{
	const struct calib_bin *b = bin_of(c, margin);
	/* The estimate itself always lies between its bounds. */
	double s = spread_at(c, margin, width);
	*lower = margin + s * fmin(b->lower, 0);
	*upper = margin + s * fmax(b->upper, 0);
}

double calibration_p_fail(
	const struct calibration *c, double margin, double width, double days)
{
	const struct calib_bin *b = bin_of(c, margin);
	double z = (margin - log(days)) / (b->sigma * spread_at(c, margin, width));
	return (1 - b->sudden) * normal_survival(z) +
	       b->sudden * fmin(days / exp(margin), 1);
}
