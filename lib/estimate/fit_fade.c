#include "estimate/fit_fade.h"
#include "estimate/fit_parts.h"
#include "estimate/twin.h"
#include "estimate/wear_parts.h"

#include <math.h>
#include <stdlib.h>

enum { LIFE, EXPONENT, ERROR, ERROR_DAYS, OWN, NUMBERS };
enum { TESTS_LEAST = 10 };
static const double FADED_LEAST = 0.05;
/* Where the search begins, and how far from there is likely: factors of e [E]. A life
 * and how long errors last are begun from the ages tested. */
static const double START[NUMBERS] = {1, 1, 0.01, 0.1, 0.003};
static const double SPREAD[NUMBERS] = {3, 0.5, 1.5, 1.5, 1.5};
static const double OWN_LEAST = 1e-4;
static const double FILE_CELLS = 4;

struct fading {
	const struct fade_cell *cell;
	double fade; /* 1 - end */
	double start[NUMBERS];
	/* of the last guess: the most likely c0, and how well the law is then known */
	double c0, life_var, exponent_var;
};

static double gone(const struct fading *k, double age_days, const double *x)
{
	return k->fade * pow(age_days / x[LIFE], x[EXPONENT]);
}

/* How far off a Gaussian of deviations 'spread' about the start the numbers are. */
static double unusual(const struct fading *k, const double *x)
{
	double sum = 0;
	for (int j = 0; j < NUMBERS; j++)
		sum += pow(log(x[j] / k->start[j]) / SPREAD[j], 2);
	return sum;
}

/* What a test holds: what each unknown of the law adds to it, and the rest. */
enum { OF_C0, OF_LIFE, OF_EXPONENT, MEASURED, PARTS };

static void parts_of(
	const struct fading *k, const struct fade_test *t, const double *x, double *h)
{
	double faded = gone(k, t->age_days, x);
	h[OF_C0] = 1;
	h[OF_LIFE] = x[EXPONENT] * faded; /* of ln life */
	h[OF_EXPONENT] = -x[EXPONENT] * faded * log(t->age_days / x[LIFE]);
	h[MEASURED] = t->soh + faded;
}

/* What the tests and the start tell of the law's unknowns: variances of ln life and ln
 * exponent. Returns the determinant of the information. */
static double known(struct fading *k, double s[PARTS][PARTS])
{
	double a = s[0][0], b = s[1][0], c = s[2][0], d = s[2][1];
	double e = s[1][1] + 1 / (SPREAD[LIFE] * SPREAD[LIFE]);
	double f = s[2][2] + 1 / (SPREAD[EXPONENT] * SPREAD[EXPONENT]);
	double all = a * (e * f - d * d) - b * (b * f - d * c) + c * (b * d - e * c);
	k->life_var = (a * f - c * c) / all;
	k->exponent_var = (a * e - b * b) / all;
	return all;
}

/*
 * -2 ln likelihood of the tests, but for a constant. A Kalman filter follows the error
 * that lasts in each part, after which they are white. Capacity when new is linear:
 * the most likely one is taken. The law bends towards the errors of its own cell,
 * which would so look smaller than they are: the determinant (restricted likelihood)
 * counts what it took.
 */
static double unlikeliness(const gsl_vector *at, void *p)
{
	struct fading *k = p;
	double x[NUMBERS], h[PARTS], e[PARTS] = {0}, sum[PARTS][PARTS] = {{0}}, ln = 0;
	for (size_t j = 0; j < NUMBERS; j++)
		x[j] = exp(gsl_vector_get(at, j));
	double stationary = x[ERROR] * x[ERROR], var = stationary;
	double own = x[OWN] * x[OWN] + OWN_LEAST * OWN_LEAST;
	for (size_t i = 0; i < k->cell->n; i++) {
		const struct fade_test *t = &k->cell->tests[i];
		double dt = i ? t->age_days - t[-1].age_days : 0;
		double keep = exp(-dt / x[ERROR_DAYS]);
		var = keep * keep * var + (1 - keep * keep) * stationary;
		double s = var + own;
		parts_of(k, t, x, h);
		for (int j = 0; j < PARTS; j++) {
			h[j] -= keep * e[j];
			e[j] = keep * e[j] + var / s * h[j];
			for (int l = 0; l <= j; l++)
				sum[j][l] += h[j] * h[l] / s;
		}
		ln += log(s);
		var *= own / s;
	}
	k->c0 = sum[MEASURED][OF_C0] / sum[OF_C0][OF_C0];
	return sum[MEASURED][MEASURED] - k->c0 * sum[MEASURED][OF_C0] + ln +
	       log(known(k, sum)) + unusual(k, x);
}

static int by_age(const void *a, const void *b)
{
	double x = ((const struct fade_test *)a)->age_days,
	       y = ((const struct fade_test *)b)->age_days;
	return x < y ? -1 : x > y;
}

static int fit_cell(
	struct fade_cell *cell, const struct battery_model *m, struct err *err)
{
	struct fading k = {.cell = cell, .fade = 1 - m->eol_pct / 100};
	double x[NUMBERS], last;
	if (cell->n < TESTS_LEAST)
		return err_set(err, ERR_DATA,
			"'%s' has %zu capacity tests: its fade needs %d", cell->name,
			cell->n, (int)TESTS_LEAST);
	qsort(cell->tests, cell->n, sizeof(*cell->tests), by_age);
	last = cell->tests[cell->n - 1].age_days;
	for (int j = 0; j < NUMBERS; j++) {
		bool days = j == LIFE || j == ERROR_DAYS;
		k.start[j] = START[j] * (days ? last : 1);
	}
	k.start[EXPONENT] = m->ageing_exponent;
	for (int j = 0; j < NUMBERS; j++)
		x[j] = log(k.start[j]);
	if (fit_simplex(unlikeliness, &k, x, NUMBERS, err))
		return -1;
	gsl_vector_const_view best = gsl_vector_const_view_array(x, NUMBERS);
	unlikeliness(&best.vector, &k);
	for (int j = 0; j < NUMBERS; j++)
		x[j] = exp(x[j]);
	if (!(gone(&k, last, x) > FADED_LEAST))
		return err_set(err, ERR_DATA,
			"'%s' has lost %.1f %% of its capacity: its fade shows from "
			"%.0f %% on",
			cell->name, 100 * gone(&k, last, x), 100 * FADED_LEAST);
	cell->c0 = k.c0;
	cell->life_days = x[LIFE];
	cell->exponent = x[EXPONENT];
	cell->ln_life_days_var = k.life_var;
	cell->ln_exponent_var = k.exponent_var;
	cell->error = x[ERROR];
	cell->error_days = x[ERROR_DAYS];
	cell->own_std = hypot(x[OWN], OWN_LEAST);
	return 0;
}

/* A number of cell i, of which 'at' is the place in its struct. */
static double number(const struct fade_cell *cells, size_t i, size_t at)
{
	return *(const double *)((const char *)&cells[i] + at);
}

static double mean_ln(const struct fade_cell *cells, size_t n, size_t at)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += log(number(cells, i, at));
	return sum / (double)n;
}

/* The deviation of ln of a next cell's about that mean; 'var': how well each is known.
 */
static double next_std(
	const struct fade_cell *cells, size_t n, size_t at, size_t var, double file_std)
{
	double mean = mean_ln(cells, n, at), unknown = 0;
	double sum = FILE_CELLS * file_std * file_std;
	for (size_t i = 0; i < n; i++) {
		sum += pow(log(number(cells, i, at)) - mean, 2);
		unknown += number(cells, i, var) / (double)n;
	}
	double cell = sum / (FILE_CELLS + (double)n - 1);
	return sqrt(cell + (cell + unknown) / (double)n);
}

static double capacity_std(const struct fade_cell *cells, size_t n, double file_std)
{
	double sum = FILE_CELLS * file_std * file_std;
	for (size_t i = 0; i < n; i++)
		sum += pow(cells[i].c0 - 1, 2);
	return sqrt(sum / (FILE_CELLS + (double)n));
}

/* Over what the twin supposes of any test. */
static double own_factor(const struct fade_cell *cells, size_t n)
{
	double sum = 0, all = 0;
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < cells[i].n; j++, all++)
			sum += cells[i].tests[j].soh;
	double own = exp(mean_ln(cells, n, offsetof(struct fade_cell, own_std)));
	return fmin(fmax(own / (TWIN_TEST_STD * sum / all), 0.1), 10);
}

#define LN_OF(f) mean_ln(cells, n, offsetof(struct fade_cell, f))
#define STD_OF(f, file)                                                                \
	next_std(cells, n, offsetof(struct fade_cell, f),                              \
		offsetof(struct fade_cell, ln_##f##_var), file)

int fit_fade(struct fade_cell *cells, size_t n, const struct battery_model *start,
	struct battery_model *out, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		if (fit_cell(&cells[i], start, err))
			return -1;
	*out = *start;
	out->weibull_scale_years *= exp(LN_OF(life_days)) / wear_life_days(start);
	out->ageing_exponent = exp(LN_OF(exponent));
	out->capacity_error = exp(LN_OF(error));
	out->capacity_error_days = exp(LN_OF(error_days));
	out->evidence_std_factor = own_factor(cells, n);
	out->rate_sigma = STD_OF(life_days, wear_rate_std(start));
	out->exponent_sigma = STD_OF(exponent, start->exponent_sigma);
	out->capacity_sigma = capacity_std(cells, n, start->capacity_sigma);
	return 0;
}
