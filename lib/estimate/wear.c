/* What is kept of a unit's past. */
#include "estimate/wear_parts.h"
#include "base/timefmt.h"
#include "battery/ageing.h"

#include <math.h>

static const double LEAST_SOH = 0.05, MOST_SOH = 2;
/* Blocks on float in a rack are warmer than the room, for which lives are stated: 0.09
 * W a cell and 100 Ah [S accuoerlikon.com] times 0.85 K/W, and their neighbours [E]. */
static const double OVER_ROOM_K = 1;
/* Before a year was seen: one full discharge a year [R IEEE 1188]. */
static const double USUAL_CYCLES_PER_YEAR = 1;
static const double CAPACITY_TEST_STD = 0.002; /* [E] */
static const double SPREAD_UNIT = 1e-4;        /* lives */
static const double MARK_DAYS = 30, MONTH_HOURS_MOST = 62 * 24, LATELY_DAYS = 30;
/* Readings further off than this from the mean so far are held back: a sensor's fault
 * must not carry a month with it. */
static const double RATIO_OFF_MOST = 0.05, GASSING_OFF_MOST = 0.6;
static const int SETTLED_N = 10;

void wear_init(
	struct wear *a, const struct battery_model *m, const struct wear_start *s)
{
	double sigma = m->capacity_sigma > 0 ? m->capacity_sigma : 0.025;
	double c0 = s->initial_capacity_ah / m->capacity_ah;
	double test_std = hypot(CAPACITY_TEST_STD, m->capacity_error);
	bool measured = c0 > 0.5 && c0 < 1.5;

	*a = (struct wear){.age_days = (float)s->age_days,
		.acceleration = (float)s->acceleration,
		.c0 = (float)(measured ? c0 : 1),
		.c0_var = (float)pow(measured ? test_std : sigma, 2),
		.rnew_var = (float)s->resistance_var,
		.rate_var = (float)pow(wear_rate_std(m), 2)};
}

double wear_life_days(const struct battery_model *m)
{
	double years = m->weibull_scale_years * pow(M_LN2, 1 / m->weibull_shape);
	double over_room = m->float_v > 0 ? OVER_ROOM_K : 0;
	return years * WEAR_DAYS_PER_YEAR * wear_acceleration(m, 25 + over_room);
}

double wear_acceleration(const struct battery_model *m, double temperature_c)
{
	/* Bounded: a broken sensor must not age a battery by years a minute. */
	return ageing_arrhenius(m, fmin(fmax(temperature_c, -40), 90));
}

double wear_stress(
	const struct battery_model *m, double temperature_c, double voltage_v)
{
	double celsius = fmin(fmax(temperature_c, -40), 90);
	double over = voltage_v - m->float_v - m->float_comp_v_per_k * (celsius - 25);
	return ageing_stress(m, celsius, fabs(over) < 1.5 ? over : 0);
}

static int month_of(int64_t ts)
{
	struct civil c;
	time_to_civil(ts, &c);
	return c.month - 1;
}

/* The oldest two next to each other that are nearest in age become one. */
static void merge_marks(struct wear *a)
{
	int at = 0;
	for (int i = 1; i + 1 < a->marks; i++)
		if (a->mark[i + 1].aged - a->mark[i].aged <
			a->mark[at + 1].aged - a->mark[at].aged)
			at = i;
	struct wear_mark *x = &a->mark[at], *y = x + 1;
	float r = (float)y->ratio_n / fmaxf(1, (float)(x->ratio_n + y->ratio_n));
	float g = (float)y->gassing_n / fmaxf(1, (float)(x->gassing_n + y->gassing_n));
	bool both = x->gassing_n + y->gassing_n > 0;
	float middle = x->ratio_n + y->ratio_n ? r : both ? g : 0.5f;
	x->aged += middle * (y->aged - x->aged);
	x->damage += middle * (y->damage - x->damage);
	x->ratio += r * (y->ratio - x->ratio);
	x->gassing += g * (y->gassing - x->gassing);
	x->ratio_n = (uint16_t)fminf(UINT16_MAX, (float)(x->ratio_n + y->ratio_n));
	x->gassing_n =
		(uint16_t)fminf(UINT16_MAX, (float)(x->gassing_n + y->gassing_n));
	for (int i = at + 1; i + 1 < a->marks; i++)
		a->mark[i] = a->mark[i + 1];
	a->marks--;
}

/* The mark that readings go into now. */
static struct wear_mark *open_mark(struct wear *a)
{
	if (a->marks && (double)a->days - a->opened < MARK_DAYS)
		return &a->mark[a->marks - 1];
	if (a->marks == WEAR_MARKS)
		merge_marks(a);
	a->opened = (uint16_t)fminf(a->days, UINT16_MAX);
	a->mark[a->marks] = (struct wear_mark){.aged = a->aged, .damage = a->damage};
	return &a->mark[a->marks++];
}

/* The month's mean takes a few days more. */
static void feel(struct wear *a, int month, double days, double heat)
{
	uint16_t *n = &a->month_hours[month];
	double hours = days * 24, all = fmin(*n + hours, MONTH_HOURS_MOST);
	a->month_heat[month] += (float)((heat / days - (double)a->month_heat[month]) *
					fmin(1, hours / all));
	*n = (uint16_t)ceil(all);
}

void wear_advance(struct wear *a, const struct battery_model *m, int64_t ts,
	double days, double stress, double heat)
{
	feel(a, month_of(ts), days, heat);
	a->days += (float)days;
	a->heat += (float)heat;
	a->aged += (float)(stress / wear_life_days(m));
	if (stress > 0 && heat > 0)
		a->doublings +=
			(float)((log2(stress / heat) - (double)a->doublings) *
				fmin(1, days / fmin((double)a->days, LATELY_DAYS)));
}

void wear_cycle(struct wear *a, const struct battery_model *m, double depth)
{
	a->damage += (float)ageing_cycle(m, fmin(depth, 1));
}

/* The mean of n readings takes one more; far ones count as not so far. */
static void take(float *mean, uint16_t *n, double reading, double off_most)
{
	double off = reading - (double)*mean;
	if (*n >= SETTLED_N)
		off = fmin(fmax(off, -off_most), off_most);
	if (*n < UINT16_MAX)
		++*n;
	*mean += (float)(off / *n);
}

/* Readings come evenly over the month: the mark moves to their middle. */
static void centre(const struct wear *a, struct wear_mark *k, int n)
{
	k->aged += (a->aged - k->aged) / (float)n;
	k->damage += (a->damage - k->damage) / (float)n;
}

void wear_resistance(struct wear *a, double ratio)
{
	if (!(ratio > 0.3 && ratio < 20))
		return;
	struct wear_mark *k = open_mark(a);
	take(&k->ratio, &k->ratio_n, ratio, RATIO_OFF_MOST * (double)k->ratio);
	centre(a, k, k->ratio_n);
}

void wear_gassing(struct wear *a, double ratio)
{
	if (!(ratio > 0.01 && ratio < 100))
		return;
	struct wear_mark *k = open_mark(a);
	take(&k->gassing, &k->gassing_n, ratio, GASSING_OFF_MOST * (double)k->gassing);
	if (!k->ratio_n)
		centre(a, k, k->gassing_n);
}

double wear_spread(const struct wear *a, int test)
{
	return test < WEAR_TESTS - 1 ? a->spread[test] * SPREAD_UNIT : 0;
}

static void set_spread(struct wear *a, int test, double lives)
{
	if (test < WEAR_TESTS - 1)
		a->spread[test] =
			(uint16_t)fmin(round(lives / SPREAD_UNIT), UINT16_MAX);
}

/* The two tests nearest in age become one, at their common weight. */
static void merge_tests(struct wear *a)
{
	int at = 0;
	for (int i = 1; i + 1 < a->tests; i++)
		if (a->test[i + 1].aged - a->test[i].aged <
			a->test[at + 1].aged - a->test[at].aged)
			at = i;
	struct wear_test *x = &a->test[at], *y = x + 1;
	float g = x->var / (x->var + y->var);
	float apart = y->aged - x->aged;
	set_spread(a, at,
		sqrt((1 - g) * pow(wear_spread(a, at), 2) +
			g * pow(wear_spread(a, at + 1), 2) +
			(1 - g) * g * apart * apart));
	x->aged += g * apart;
	x->damage += g * (y->damage - x->damage);
	x->soh += g * (y->soh - x->soh);
	x->var *= 1 - g;
	for (int i = at + 1; i + 1 < a->tests; i++) {
		a->test[i] = a->test[i + 1];
		set_spread(a, i, wear_spread(a, i + 1));
	}
	a->tests--;
}

void wear_capacity(struct wear *a, double soh, double var)
{
	if (!(soh > LEAST_SOH && soh < MOST_SOH && var > 0))
		return;
	if (a->tests == WEAR_TESTS)
		merge_tests(a);
	a->test[a->tests++] =
		(struct wear_test){a->aged, a->damage, (float)soh, (float)var};
	set_spread(a, a->tests - 1, 0);
}

void wear_withdraw_capacity(struct wear *a)
{
	if (a->tests)
		a->tests--;
}

bool wear_informed(const struct wear *a)
{
	for (int i = 0; i < a->marks; i++)
		if (a->mark[i].ratio_n)
			return true;
	return a->tests > 0;
}

double wear_age_before(const struct wear *a, const struct battery_model *m)
{
	/* As warm before as since, where that has been seen for a while. */
	double days = (double)a->days, seen = days / (days + 10);
	double mean = days > 0 ? (double)a->heat / days : 0;
	double acceleration = seen * mean + (1 - seen) * (double)a->acceleration;
	return (double)a->age_days * acceleration / wear_life_days(m);
}

double wear_cycling(const struct wear *a, const struct battery_model *m)
{
	double years = (double)a->days / WEAR_DAYS_PER_YEAR;
	double usual = USUAL_CYCLES_PER_YEAR * ageing_cycle(m, 1);
	return ((double)a->damage + usual) / (years + 1) / WEAR_DAYS_PER_YEAR;
}

double wear_damage_before(const struct wear *a, const struct battery_model *m)
{
	return (double)a->age_days * wear_cycling(a, m);
}

double wear_end(double c0, double end, double exponent)
{
	/* A unit new below its end of life still has a rate. */
	double room = fmax(c0 - end, 0.001) / (1 - end);
	return pow(room, 1 / exponent);
}
