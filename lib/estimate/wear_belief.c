/* What the marks and tests say of capacity, rate and mode: Bayes' rule on a grid. */
#include "estimate/wear_parts.h"

#include <math.h>
#include <stdlib.h>

/* A reading's, and what a month's mean keeps [E: the specified sensors', and what does
 * not average out]. */
static const double RATIO_STD = 0.02, RATIO_STD_LEAST = 0.002;
static const double GASSING_STD = 0.25, GASSING_STD_LEAST = 0.012;
/* where the model has none [E] */
static const double I0_SIGMA = 0.25, GROWTH_SIGMA = 0.35;
/* Where the date of installation is not known: about the middle of life [E]. */
static const double AGE_UNKNOWN = 0.5, AGE_UNKNOWN_LN_STD = 0.7;
/* Worn out units are found by the yearly capacity test [R IEEE 1188]; few are
 * forgotten [E]. */
static const double FOUND_WITHIN_DAYS = 365, FORGOTTEN = 0.02;
static const double GRID_REACH = 3.5; /* standard deviations of the prior */
static const double EXPONENT_REACH = 2.5;
enum { REFINEMENTS = 3 };
static const double Z90 = 1.645;
/* Middles of parts of equal weight of a standard normal. */
enum { PARTS = 10 };
static const double PART_Z[PARTS] = {-1.6449, -1.0364, -0.6745, -0.3853, -0.1257,
	0.1257, 0.3853, 0.6745, 1.0364, 1.6449};
/*
 * A sensor that was wrong for some days (an offset of a string's float current makes
 * all its blocks look worn at once) must not outvote all else: a month's readings that
 * are off by more than four deviations [E] are taken for as uncertain as makes it four.
 * The price: a real change that is faster than the law of any mode is believed late, or
 * by the next capacity test.
 */
static const double OFF_MOST = 16;
static const double NEGLIGIBLE = 9; /* of ln weight below the best */
/* Of a share used, to the power of its law: what is so far gone differs by nothing from
 * what is farther, but would be squared to no number at all. */
static const double POWER_MOST = 1e4;

/* Of one mode, made ready. */
struct law {
	double growth, growth_power; /* R/Rnew - 1 = growth·u^power */
	double gassing;
	double ln_share;
	double fade, exponent, end;
	double age0, damage0, life_days, y_mean, y_std, s_var, n_var;
	double evidence; /* variance of what is measured, over what is supposed */
	const struct wear_tests *tests;
};

double wear_rate_std(const struct battery_model *m)
{
	/* Of the logarithm of a Weibull life: pi/(sqrt(6)·shape). */
	return m->rate_sigma > 0 ? m->rate_sigma : M_PI / sqrt(6) / m->weibull_shape;
}

static double evidence_var(const struct battery_model *m)
{
	return m->evidence_std_factor * m->evidence_std_factor;
}

/* z: of ln of the exponent, in its deviations. */
static struct law law_of(const struct wear *a, const struct battery_model *m,
	const struct wear_tests *tests, int mode, double z)
{
	double end = m->eol_pct / 100;
	double s = m->r0_growth_sigma > 0 ? m->r0_growth_sigma : GROWTH_SIGMA;
	double n = m->ln_i0_sigma > 0 ? m->ln_i0_sigma : I0_SIGMA;
	double exponent = m->ageing_exponent * exp(z * m->exponent_sigma);
	bool aged = a->age_days >= 0;
	return (struct law){.growth = m->r0_growth * m->mode_r0_gain[mode],
		.growth_power =
			exponent * m->r0_growth_exponent * m->mode_r0_power[mode],
		.gassing = m->gassing_growth * m->mode_gassing[mode],
		.ln_share = log(m->mode_share[mode]) - 0.5 * z * z,
		.fade = 1 - end,
		.exponent = exponent,
		.end = end,
		.age0 = aged ? wear_age_before(a, m) : AGE_UNKNOWN,
		.damage0 = aged ? wear_damage_before(a, m) : 0,
		.life_days = wear_life_days(m),
		.y_mean = (double)a->rate_mean,
		.y_std =
			hypot(sqrt((double)a->rate_var), aged ? 0 : AGE_UNKNOWN_LN_STD),
		.s_var = s * s,
		.n_var = n * n,
		.evidence = evidence_var(m),
		.tests = tests};
}

/* The share of life used, at an age and damage since first seen. */
static double used_at(const struct law *w, double rate, float aged, float damage)
{
	return rate * (w->age0 + (double)aged) + w->damage0 + (double)damage;
}

static double power(double used, double exponent)
{
	return fmin(pow(used, exponent), POWER_MOST);
}

/* A Gaussian of one or two unknowns, and the ln likelihood of what it was told. */
struct line {
	double b, s, pbb, pbs, pss;
	double chi2, var; /* var: product of the innovations' variances */
};

/* z = b + s·g, with variance r: or more, where the square of what it is off is over
 * off_most variances. */
static void told(struct line *l, double z, double g, double r, double off_most)
{
	double ub = l->pbb + g * l->pbs, us = l->pbs + g * l->pss;
	double e = z - l->b - g * l->s, v = fmax(ub + g * us + r, e * e / off_most);
	l->b += ub / v * e;
	l->s += us / v * e;
	l->pbb -= ub * ub / v;
	l->pbs -= ub * us / v;
	l->pss -= us * us / v;
	l->chi2 += e * e / v;
	l->var *= v;
}

static double ln_likelihood(const struct line *l)
{
	return -0.5 * (l->chi2 + log(l->var));
}

static double of_mean(double one, double least, int n)
{
	return least * least + one * one / n;
}

static double resistance_says(const struct wear *a, const struct law *w, double rate)
{
	struct line l = {1, 1, (double)a->rnew_var, 0, w->s_var, 0, 1};
	for (int i = 0; i < a->marks; i++) {
		const struct wear_mark *k = &a->mark[i];
		if (!k->ratio_n)
			continue;
		double u = used_at(w, rate, k->aged, k->damage);
		double z = (double)k->ratio;
		double r = of_mean(RATIO_STD, RATIO_STD_LEAST, k->ratio_n) * z * z;
		told(&l, z, w->growth * power(u, w->growth_power), w->evidence * r,
			OFF_MOST);
	}
	return ln_likelihood(&l);
}

/* Late in life, to the fourth power: loss of water feeds on itself [E]. */
double wear_ln_gassing(double growth, double used)
{
	double u2 = fmin(used * used, 1.2);
	return log1p(growth * u2 * u2);
}

static double gassing_says(const struct wear *a, const struct law *w, double rate)
{
	struct line l = {0, 0, w->n_var, 0, 0, 0, 1};
	for (int i = 0; i < a->marks; i++) {
		const struct wear_mark *k = &a->mark[i];
		if (!k->gassing_n)
			continue;
		double u = used_at(w, rate, k->aged, k->damage);
		double z = log((double)k->gassing) - wear_ln_gassing(w->gassing, u);
		double r = of_mean(GASSING_STD, GASSING_STD_LEAST, k->gassing_n);
		told(&l, z, 0, w->evidence * r, OFF_MOST);
	}
	return ln_likelihood(&l);
}

/* Also leaves c0 as the tests have made it. */
static double capacity_says(
	const struct wear *a, const struct law *w, struct wear_node *n)
{
	double faded[WEAR_TESTS];
	for (int i = 0; i < a->tests; i++) {
		const struct wear_test *k = &a->test[i];
		double u = used_at(w, n->rate, k->aged, k->damage);
		/* The mean of a bent law over the ages a test was made of. */
		double apart = n->rate * w->tests->spread[i] / fmax(u, 1e-9);
		double bent = w->exponent * (w->exponent - 1) / 2 * apart * apart;
		faded[i] = w->fade * power(u, w->exponent) * (1 + bent);
	}
	return wear_tests_say(a, w->tests, faded, &n->c0, &n->c0_var);
}

/* That it was in service when first seen. */
static double service_says(const struct wear *a, const struct law *w, double rate)
{
	double u = used_at(w, rate, 0, 0);
	double over = u - wear_end((double)a->c0, w->end, w->exponent);
	if (over <= 0)
		return 0;
	double days = over / rate * w->life_days / (double)a->acceleration;
	return log(fmax(FORGOTTEN, 1 - days / FOUND_WITHIN_DAYS));
}

/* The node of a rate; its weight is a logarithm yet. */
static struct wear_node node_of(const struct wear *a, const struct law *w, double y)
{
	double z = (y - w->y_mean) / w->y_std;
	struct wear_node n = {
		.rate = exp(y), .exponent = w->exponent, .gassing = w->gassing};
	n.weight = w->ln_share - 0.5 * z * z + service_says(a, w, n.rate) +
		   resistance_says(a, w, n.rate) + gassing_says(a, w, n.rate) +
		   capacity_says(a, w, &n);
	n.used = used_at(w, n.rate, a->aged, a->damage);
	n.soh = fmax(n.c0 - w->fade * power(n.used, w->exponent), 0.05);
	return n;
}

/* Where y has weight, within from..to. */
static void narrow(const struct wear_node *n, double *from, double *to)
{
	double best = -INFINITY, step = (*to - *from) / (WEAR_GRID - 1);
	int first = WEAR_GRID, last = 0;
	for (int i = 0; i < WEAR_GRID; i++)
		best = fmax(best, n[i].weight);
	for (int i = 0; i < WEAR_GRID; i++)
		if (n[i].weight > best - NEGLIGIBLE) {
			first = i < first ? i : first;
			last = i;
		}
	double start = *from;
	*from = start + step * (first > 0 ? first - 1 : 0);
	*to = start + step * (last < WEAR_GRID - 1 ? last + 1 : last);
}

/* The nodes of one mode, about where the weight is; their ln weights take in the
 * width each stands for. */
static void grid(const struct wear *a, const struct law *w, struct wear_node *n)
{
	double from = w->y_mean - GRID_REACH * w->y_std;
	double to = w->y_mean + GRID_REACH * w->y_std, step = 1;
	for (int round = 0; round < REFINEMENTS; round++) {
		double width = to - from;
		step = width / (WEAR_GRID - 1);
		for (int i = 0; i < WEAR_GRID; i++)
			n[i] = node_of(a, w, from + step * i);
		narrow(n, &from, &to);
		if (to - from > 0.7 * width)
			break;
	}
	for (int i = 0; i < WEAR_GRID; i++)
		n[i].weight += log(step);
}

void wear_believe(
	const struct wear *a, const struct battery_model *m, struct wear_belief *out)
{
	double best = -INFINITY, sum = 0;
	struct wear_tests tests;
	wear_tests_untangle(a, m, evidence_var(m), &tests);
	out->fade = 1 - m->eol_pct / 100;
	out->n = 0;
	int exponents = m->exponent_sigma > 0 ? WEAR_EXPONENTS : 1;
	for (int i = 0; i < m->modes * exponents; i++) {
		double at =
			exponents > 1 ? 2.0 * (i % exponents) / (exponents - 1) - 1 : 0;
		struct law w = law_of(a, m, &tests, i / exponents, at * EXPONENT_REACH);
		grid(a, &w, out->node + out->n);
		out->n += WEAR_GRID;
	}
	for (int i = 0; i < out->n; i++)
		best = fmax(best, out->node[i].weight);
	for (int i = 0; i < out->n; i++) {
		out->node[i].weight = exp(out->node[i].weight - best);
		sum += out->node[i].weight;
	}
	for (int i = 0; i < out->n; i++)
		out->node[i].weight /= sum;
}

static int by_value(const void *a, const void *b)
{
	double x = ((const struct wear_sample *)a)->value,
	       y = ((const struct wear_sample *)b)->value;
	return x < y ? -1 : x > y;
}

void wear_sort(struct wear_sample *s, int n)
{
	qsort(s, (size_t)n, sizeof(*s), by_value);
}

/* Half of the interval of 90 %. */
static double half_width(const struct wear_belief *b)
{
	struct wear_sample s[WEAR_NODES * PARTS];
	double sum = 0, low = NAN, high = NAN;
	int n = 0;
	for (int i = 0; i < b->n; i++)
		for (int j = 0; j < PARTS && b->node[i].weight > 1e-4; j++)
			s[n++] = (struct wear_sample){
				b->node[i].soh + PART_Z[j] * sqrt(b->node[i].c0_var),
				b->node[i].weight / PARTS};
	wear_sort(s, n);
	for (int i = 0; i < n; i++) {
		sum += s[i].weight;
		if (isnan(low) && sum >= 0.05)
			low = s[i].value;
		if (isnan(high) && sum >= 0.95)
			high = s[i].value;
	}
	return (isnan(high) ? s[n - 1].value - low : high - low) / 2;
}

void wear_soh(
	const struct wear *a, const struct battery_model *m, double *soh, double *std)
{
	struct wear_belief b;
	double mean = 0;
	wear_believe(a, m, &b);
	for (int i = 0; i < b.n; i++)
		mean += b.node[i].weight * b.node[i].soh;
	*soh = mean;
	*std = half_width(&b) / Z90;
}
