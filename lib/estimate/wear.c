#include "estimate/wear.h"
#include "battery/ageing.h"

#include <math.h>

static const double FADE = 0.2; /* SOH lost after one median life */
static const double SOH_LEAST = 0.05;
static const double RATE_WANDER = 0.1; /* of ln rate, per square root of a year */
static const double FUTURE_STD = 0.10; /* of ln life: climate, activation energy */
static const double SUDDEN_PER_YEAR = 0.0015;
static const double DAYS_PER_YEAR = 365.25;
/* Where the date of installation is not known: about the middle of life [E]. */
static const double AGE_UNKNOWN = 0.5, AGE_UNKNOWN_LN_STD = 0.7;
static const double CAPACITY_TEST_STD = 0.01;
/* Of units past their end of life, the part still found in service [E]. */
static const double IN_SERVICE_PAST_END = 0.3;

static double normal_cdf(double z)
{
	return 0.5 * erfc(-z * M_SQRT1_2);
}

/*
 * That the unit is in service speaks for a slow rate: worn out ones are mostly
 * replaced. The normal y, weighed down beyond the rate that has worn it out by now
 * (x·e^y = 1), by its first two moments.
 */
static void believe_in_service(struct wear *a)
{
	double std = sqrt(a->pyy), w = IN_SERVICE_PAST_END;
	if (!(a->age > 0.01))
		return;
	double z = (-log(a->age) - a->y) / std;
	double density = exp(-0.5 * z * z) / sqrt(2 * M_PI), below = normal_cdf(z);
	double mass = below + w * (1 - below);
	double mean = -(1 - w) * density / mass;
	double square = (below - z * density + w * (1 - below + z * density)) / mass;
	a->y += std * mean;
	a->pyy *= square - mean * mean;
}

void wear_init(
	struct wear *a, const struct battery_model *m, const struct wear_start *s)
{
	double beta = m->weibull_shape > 0 ? m->weibull_shape : 4;
	double years = m->weibull_scale_years > 0
			       ? m->weibull_scale_years * pow(M_LN2, 1 / beta)
			       : m->expected_life_years;
	double sigma = m->capacity_sigma > 0 ? m->capacity_sigma : 0.025;
	/* Standard deviation of the logarithm of a Weibull life: pi/(sqrt(6)·shape). */
	double ln_std = M_PI / sqrt(6) / beta;
	*a = (struct wear){.c0 = 1, .pcc = sigma * sigma};
	a->exponent = m->ageing_exponent > 0 ? m->ageing_exponent : 2.5;
	a->life_days = (years > 0 ? years : 6) * DAYS_PER_YEAR;
	if (s->initial_capacity_ah > 0.5 * m->capacity_ah &&
		s->initial_capacity_ah < 1.5 * m->capacity_ah) {
		a->c0 = s->initial_capacity_ah / m->capacity_ah;
		a->pcc = CAPACITY_TEST_STD * CAPACITY_TEST_STD;
	}
	a->age = AGE_UNKNOWN;
	a->pyy = ln_std * ln_std;
	if (s->age_days >= 0) {
		a->age = s->age_days * s->acceleration / a->life_days;
		believe_in_service(a);
	} else {
		a->pyy += AGE_UNKNOWN_LN_STD * AGE_UNKNOWN_LN_STD;
	}
	a->prior_ln_std = hypot(M_PI / sqrt(6) / beta, FUTURE_STD);
}

double wear_acceleration(const struct battery_model *m, double temperature_c)
{
	/* Bounded: a broken sensor must not age a battery by years a minute. */
	return ageing_arrhenius(m, fmin(fmax(temperature_c, -40), 90));
}

void wear_cycle(struct wear *a, const struct battery_model *m, double depth)
{
	if (m->cycles_full > 0)
		a->age += ageing_cycle(m, fmin(depth, 1));
}

void wear_advance(struct wear *a, double days, double acceleration)
{
	a->age += days * acceleration / a->life_days;
	a->pyy += RATE_WANDER * RATE_WANDER * days / DAYS_PER_YEAR;
}

/* SOH at a state; *dc, *dy its derivatives. */
static double soh_at(const struct wear *a, double c0, double y, double *dc, double *dy)
{
	double fade = FADE * pow(exp(y) * a->age, a->exponent);
	double g = 1 - fade;
	*dc = g;
	*dy = -c0 * a->exponent * fade;
	if (c0 * g < SOH_LEAST) {
		*dc = SOH_LEAST;
		*dy = -SOH_LEAST;
		return SOH_LEAST;
	}
	return c0 * g;
}

void wear_soh(const struct wear *a, double *soh, double *std)
{
	double dc, dy;
	*soh = soh_at(a, a->c0, a->y, &dc, &dy);
	double var = dc * dc * a->pcc + 2 * dc * dy * a->pcy + dy * dy * a->pyy;
	*std = sqrt(fmax(var, 0));
}

/*
 * One scalar measurement z = f(soh) with variance r, by the iterated extended filter:
 * the law bends too much for one linearisation. f gives value and derivative by soh.
 */
static void measure(
	struct wear *a, double z, double r, double (*f)(double soh, double *slope))
{
	double c = a->c0, y = a->y, kc = 0, ky = 0, hc = 0, hy = 0;
	for (int round = 0; round < 20; round++) {
		double dc, dy, slope;
		double soh = soh_at(a, c, y, &dc, &dy);
		double predicted = f(soh, &slope);
		hc = slope * dc;
		hy = slope * dy;
		double uc = a->pcc * hc + a->pcy * hy, uy = a->pcy * hc + a->pyy * hy;
		double s = hc * uc + hy * uy + r;
		kc = uc / s;
		ky = uy / s;
		double e = z - predicted - hc * (a->c0 - c) - hy * (a->y - y);
		/* Damped: the law is steep once old. */
		c += 0.5 * (a->c0 + kc * e - c);
		y += 0.5 * (a->y + ky * e - y);
	}
	a->c0 = c;
	a->y = y;
	double acc = 1 - kc * hc, acy = -kc * hy, ayc = -ky * hc, ayy = 1 - ky * hy;
	double mcc = acc * a->pcc + acy * a->pcy, mcy = acc * a->pcy + acy * a->pyy;
	double myc = ayc * a->pcc + ayy * a->pcy, myy = ayc * a->pcy + ayy * a->pyy;
	a->pcc = mcc * acc + mcy * acy + kc * kc * r;
	a->pcy = mcc * ayc + mcy * ayy + kc * ky * r;
	a->pyy = myc * ayc + myy * ayy + ky * ky * r;
}

static double ln_soh_of(double soh, double *slope)
{
	*slope = 1 / soh;
	return log(soh);
}

static double ln_ratio_of(double soh, double *slope)
{
	double lost = (1 - soh) / 0.2;
	if (lost < 1e-3)
		lost = 1e-3; /* keeps a slope at the flat end */
	double ratio = 1 + 0.4 * pow(lost, 1.2);
	*slope = -0.4 * 1.2 * pow(lost, 0.2) / 0.2 / ratio;
	return log(ratio);
}

void wear_measure(struct wear *a, double ln_soh, double var)
{
	measure(a, ln_soh, var, ln_soh_of);
	a->measured = true;
}

void wear_relate_resistance(struct wear *a, double ln_ratio, double var)
{
	measure(a, ln_ratio, var, ln_ratio_of);
}

/* Probability that life ends before age 'at', given its ln mean and std. */
static double dead_by(double at, double ln_end, double std)
{
	return at > 0 ? normal_cdf((log(at) - ln_end) / std) : 0;
}

void wear_rul(const struct wear *a, const struct battery_model *m, double acceleration,
	struct wear_rul *out)
{
	double eol = (m->eol_pct > 0 ? m->eol_pct : 80) / 100;
	/* Room between new and worn out; a unit new below it still has a rate. */
	double room = fmax(1 - eol / a->c0, 0.005);
	double ln_end = log(room / FADE) / a->exponent - a->y;
	double hc = eol / (a->c0 * a->c0) / room / a->exponent;
	double var = hc * hc * a->pcc - 2 * hc * a->pcy + a->pyy;
	double days = a->life_days / fmax(acceleration, 1e-3);
	double end = exp(ln_end);
	double left = fmax(1 - a->age / end, 0);
	double std = sqrt(fmax(var, 1e-6) + FUTURE_STD * left * FUTURE_STD * left);
	out->ln_std = std;
	out->days = fmax(end - a->age, 0) * days;
	out->lower_days = fmax(end * exp(-1.645 * std) - a->age, 0) * days;
	out->upper_days = fmax(end * exp(1.645 * std) - a->age, 0) * days;
	double now = dead_by(a->age, ln_end, std);
	double hazard = SUDDEN_PER_YEAR / DAYS_PER_YEAR * (1 + 2 * now);
	out->fail_30d =
		1 - (1 - dead_by(a->age + 30 / days, ln_end, std)) * exp(-hazard * 30);
	out->fail_90d =
		1 - (1 - dead_by(a->age + 90 / days, ln_end, std)) * exp(-hazard * 90);
}
