#include "learn/calibrate.h"

#include <math.h>
#include <stdlib.h>

/* A row of the kind calibrated. */
struct scaled {
	double margin, spread;
	double r;     /* residual of log time over the spread */
	double share; /* of its battery's rows */
	uint32_t battery;
	bool censored;
};

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

/* Equal margins in one order always: sums must not hang on how they are sorted. */
static int by_margin(const void *a, const void *b)
{
	const struct scaled *x = a, *y = b;
	if (x->margin != y->margin)
		return x->margin < y->margin ? -1 : 1;
	if (x->battery != y->battery)
		return x->battery < y->battery ? -1 : 1;
	return (x->r > y->r) - (x->r < y->r);
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

static double log_likelihood(
	const struct scaled *rows, size_t n, double sigma, double sudden)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += rows[i].share *
		       log(fmax(likelihood(rows[i].r, rows[i].spread, rows[i].censored,
					sigma, sudden),
			       1e-300));
	return sum;
}

/* The best sigma for a share of sudden deaths, by golden section over its log. */
static double best_sigma(const struct scaled *rows, size_t n, double sudden)
{
	const double g = 0.61803398874989484820;
	double a = log(0.01), b = log(5.0);
	for (int i = 0; i < 40; i++) {
		double c = b - g * (b - a), d = a + g * (b - a);
		if (log_likelihood(rows, n, exp(c), sudden) >
			log_likelihood(rows, n, exp(d), sudden))
			b = d;
		else
			a = c;
	}
	return exp((a + b) / 2);
}

/* weight: of the rows, in batteries. */
static void fit_error(
	const struct scaled *rows, size_t n, double weight, struct calib_bin *bin)
{
	static const double shares[] = {
		0, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2};
	double most = -INFINITY;
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		double sigma = best_sigma(rows, n, shares[i]);
		double l = log_likelihood(rows, n, sigma, shares[i]);
		if (l > most) {
			most = l;
			bin->sigma = sigma;
			bin->sudden = shares[i];
		}
	}
	/* None seen is not none. */
	bin->sudden = fmax(bin->sudden, 0.5 / (weight + 1));
}

struct work {
	struct scaled *rows; /* of the kind, by margin */
	size_t n;
	struct residual *r;
	uint8_t *seen; /* by battery */
	size_t nbatteries;
};

static double weight_of(const struct scaled *rows, size_t n)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += rows[i].share;
	return sum;
}

static size_t count_batteries(struct work *w, const struct scaled *rows, size_t n)
{
	size_t batteries = 0;
	for (size_t i = 0; i < w->nbatteries; i++)
		w->seen[i] = 0;
	for (size_t i = 0; i < n; i++) {
		batteries += !w->seen[rows[i].battery];
		w->seen[rows[i].battery] = 1;
	}
	return batteries;
}

static void fill_bin(struct work *w, const struct scaled *rows, size_t n, double level,
	struct calib_bin *bin)
{
	double weight = weight_of(rows, n), unit = 1 / (weight + 1),
	       tail = (1 - level) / 2;
	for (size_t i = 0; i < n; i++)
		w->r[i] = (struct residual){
			rows[i].r, rows[i].share * unit, rows[i].censored};
	qsort(w->r, n, sizeof(*w->r), by_value);
	bin->batteries = count_batteries(w, rows, n);
	bin->rows = n;
	fit_error(rows, n, weight, bin);
	bin->lower = lower_quantile(w->r, n, unit, tail);
	bin->upper = upper_quantile(w->r, n, unit, tail);
	bin->extrapolated = !isfinite(bin->upper);
	if (bin->extrapolated)
		bin->upper = fmax(1.6448536269514722 * bin->sigma, w->r[n - 1].value);
}

/* The number of rows with a lesser margin. */
static size_t rows_below(const struct work *w, double margin)
{
	size_t n = 0;
	while (n < w->n && w->rows[n].margin < margin)
		n++;
	return n;
}

/* A row of the table by horizon, where on both sides batteries enough are left. */
static void fill_table(struct work *w, double least, struct calibration *c)
{
	static const double horizons[] = {90, 365, 1095}; /* days */
	size_t from = 0;
	for (size_t i = 0; i < sizeof(horizons) / sizeof(*horizons); i++) {
		double below = log(horizons[i]);
		size_t to = rows_below(w, below);
		if (weight_of(w->rows + from, to - from) < least ||
			weight_of(w->rows + to, w->n - to) < least)
			continue;
		c->bin[c->n].margin_below = below;
		fill_bin(w, w->rows + from, to - from, c->level, &c->bin[c->n++]);
		from = to;
	}
	c->bin[c->n].margin_below = INFINITY;
	fill_bin(w, w->rows + from, w->n - from, c->level, &c->bin[c->n++]);
}

static int calibrate_with(struct work *w, struct calibration *out, struct err *err)
{
	double least = ceil(2 / (1 - out->level) - 1e-9) - 1,
	       weight = weight_of(w->rows, w->n);
	if (weight < least - 1e-6)
		return err_set(err, ERR_DATA,
			"too few batteries to calibrate: %.0f of at least %.0f",
			floor(weight + 1e-6), least);
	fill_table(w, fmax(CALIB_BIN_BATTERIES, least), out);
	return 0;
}

/* Takes the rows of a kind, over their spread, with their shares of all rows. */
static void select_rows(const struct calib_row *rows, size_t n, enum calib_kind kind,
	const struct calibration *c, uint32_t *count, struct work *w)
{
	for (size_t i = 0; i < n; i++)
		count[rows[i].battery]++;
	for (size_t i = 0; i < n; i++) {
		const struct calib_row *r = &rows[i];
		double spread = spread_at(c, r->margin, r->width);
		if (kind != CALIB_ALL && r->kind != kind)
			continue;
		w->rows[w->n++] = (struct scaled){r->margin, spread,
			(r->log_time - r->margin) / spread, 1.0 / count[r->battery],
			r->battery, r->censored};
	}
	qsort(w->rows, w->n, sizeof(*w->rows), by_margin);
}

int calibrate(const struct calib_row *rows, size_t n, enum calib_kind kind,
	double level, struct calib_spread spread, struct calibration *out,
	struct err *err)
{
	struct work w = {0};
	*out = (struct calibration){.level = level, .spread = spread};
	for (size_t i = 0; i < n; i++)
		if (rows[i].battery >= w.nbatteries)
			w.nbatteries = (size_t)rows[i].battery + 1;
	uint32_t *count = calloc(w.nbatteries + 1, sizeof(*count));
	w.rows = calloc(n + 1, sizeof(*w.rows));
	w.r = calloc(n + 1, sizeof(*w.r));
	w.seen = calloc(w.nbatteries + 1, 1);
	int r = -1;
	if (count && w.rows && w.r && w.seen) {
		select_rows(rows, n, kind, out, count, &w);
		r = calibrate_with(&w, out, err);
	} else {
		err_nomem(err);
	}
	free(count);
	free(w.rows);
	free(w.r);
	free(w.seen);
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
