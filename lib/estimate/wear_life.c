/* The life that remains: the belief's samples, moved on through the year's months. */
#include "estimate/wear_parts.h"
#include "base/timefmt.h"
#include "battery/ageing.h"

#include <math.h>

static const double NEGLIGIBLE = 1e-4; /* of weight */
/* Rates of a string's blocks, in standard deviations; and how far ahead. */
enum { RATES = 4, MATES_POINTS = 17 };
/* Lives: worn out, found half a year later by the yearly test [E]. */
static const double REPLACED_AT = 1.08;
static const double RATE_STEP = 0.5, MATES_STEP = 0.125, GENERATION_STEP = 0.05;
static const double MONTH = WEAR_DAYS_PER_YEAR / WEAR_MONTHS;
static const double LONGEST_DAYS = 50 * WEAR_DAYS_PER_YEAR;
/* Of every node: sigma points on a circle, turned on from node to node by the golden
 * angle, so that all together are even. */
enum { POINTS = 5, LIFE_PARTS = 6, SAMPLES = WEAR_NODES * POINTS };
static const double GOLDEN_ANGLE = 2.39996322972865332;

/* Temperature to come, from now on: months of ageing over that at their mean. */
struct climate {
	double over_mean[WEAR_MONTHS]; /* beginning with the month of now */
	double length[WEAR_MONTHS];    /* days; the first is what is left of it */
	double mean;                   /* ageing a day, 25 degC = 1 */
};

static double mean_heat(const struct wear *a)
{
	double sum = 0, hours = 0;
	for (int i = 0; i < WEAR_MONTHS; i++) {
		sum += (double)a->month_heat[i] * a->month_hours[i];
		hours += a->month_hours[i];
	}
	return hours > 0 ? sum / hours : (double)a->acceleration;
}

static struct climate climate_of(const struct wear *a, int64_t now)
{
	struct climate c = {0};
	struct civil at;
	double heat[WEAR_MONTHS], seen_mean = mean_heat(a);
	time_to_civil(now, &at);
	for (int i = 0; i < WEAR_MONTHS; i++) {
		int k = (at.month - 1 + i) % WEAR_MONTHS;
		/* A month of which little was seen: in part. */
		double days = a->month_hours[k] / 24.0, seen = days / (days + 10);
		heat[i] = seen * (double)a->month_heat[k] + (1 - seen) * seen_mean;
		c.mean += heat[i] / WEAR_MONTHS;
	}
	for (int i = 0; i < WEAR_MONTHS; i++) {
		c.over_mean[i] = heat[i] / c.mean;
		c.length[i] = MONTH;
	}
	c.length[0] *= 1 - fmin(1, (at.day - 1) / MONTH);
	return c;
}

/* Days of the calendar in which as much happens as in 'days' of the mean. */
static double calendar_days(const struct climate *c, double days)
{
	double years = floor(days / WEAR_DAYS_PER_YEAR);
	double left = days - years * WEAR_DAYS_PER_YEAR;
	double sum = years * WEAR_DAYS_PER_YEAR;
	for (int i = 0; i < WEAR_MONTHS; i++) {
		double month = c->over_mean[i] * c->length[i];
		if (left < month)
			return sum + left / c->over_mean[i];
		left -= month;
		sum += c->length[i];
	}
	return sum + left / c->over_mean[0];
}

/* How a unit goes on from now. */
struct course {
	double heat;    /* ageing a day by temperature, lives */
	double cycling; /* and by discharges */
	double doublings;
	double per_ln_gassing; /* doublings lost when it gasses e times as much */
	/* ln of gassing of its string's other blocks, over lives from now on */
	double mates[MATES_POINTS];
};

/*
 * Of blocks whose first generation is 'age' lives old, on the average: each wears at
 * its own rate, and is replaced when worn out.
 */
static double mates_ln_gassing(const struct battery_model *m, double age)
{
	double sum = 0, all = 0;
	for (int k = -RATES; k <= RATES; k++) {
		double used = age * exp(wear_rate_std(m) * k * RATE_STEP);
		double u = fmod(used, REPLACED_AT),
		       w = exp(-0.5 * pow(k * RATE_STEP, 2));
		for (int i = 0; i < m->modes; i++) {
			double growth = m->gassing_growth * m->mode_gassing[i];
			sum += w * m->mode_share[i] * wear_ln_gassing(growth, u);
			all += w * m->mode_share[i];
		}
	}
	return sum / all;
}

/* ln of the mean gassing of its string's other blocks: where it gasses more than they,
 * it has less of the float voltage. NaN: its own was not seen. */
static double mates_now(const struct wear *a, double doublings_per_ln_gassing)
{
	for (int i = a->marks - 1; i >= 0; i--)
		if (a->mark[i].gassing_n)
			return log((double)a->mark[i].gassing) +
			       (double)a->doublings / doublings_per_ln_gassing;
	return NAN;
}

/* Lives of a first generation that gasses so much, before it is replaced. */
static double generation(const struct battery_model *m, double ln_gassing)
{
	double age = 0, now = mates_ln_gassing(m, 0), next;
	for (; now < ln_gassing && age < 1; age += GENERATION_STEP, now = next) {
		next = mates_ln_gassing(m, age + GENERATION_STEP);
		if (next < now)
			break;
	}
	return age;
}

/*
 * What the gassing of its mates will be. How old they are is not told, but how much
 * they gas can be inferred, and says how far they have come. Once they are replaced one
 * by one, their ages differ, and their mean stays where it is instead of falling back
 * as that of a population with one birthday would.
 */
static void foresee_mates(const struct wear *a, const struct battery_model *m,
	double per_ln_gassing, double mates[MATES_POINTS])
{
	double now = mates_now(a, per_ln_gassing);
	double own = a->age_days >= 0 ? wear_age_before(a, m) + (double)a->aged : 0.5;
	double age = isnan(now) ? own : generation(m, now);
	for (int i = 0; i < MATES_POINTS; i++) {
		mates[i] = mates_ln_gassing(m, age + MATES_STEP * i);
		if (i)
			mates[i] = fmax(mates[i], mates[i - 1]);
	}
}

static double mates_at(const struct course *w, double lives)
{
	double at = fmin(lives / MATES_STEP, MATES_POINTS - 1 - 1e-9);
	int i = (int)at;
	return w->mates[i] + (at - i) * (w->mates[i + 1] - w->mates[i]);
}

static struct course course_of(
	const struct wear *a, const struct battery_model *m, const struct climate *c)
{
	double per_volt = m->cells * m->volts_per_doubling;
	bool gasses = m->gassing_i0_a > 0 && m->gassing_cu_per_v > 0;
	struct course w = {.heat = c->mean / wear_life_days(m),
		.cycling = wear_cycling(a, m),
		.doublings = (double)a->doublings,
		.per_ln_gassing =
			gasses ? m->cells / m->gassing_cu_per_v / per_volt : 0};
	if (gasses)
		foresee_mates(a, m, w.per_ln_gassing, w.mates);
	return w;
}

/*
 * Days of mean climate until the share 'end' is used. The current of a string is
 * common, so a block whose gassing grows more than its mates' takes a lower share of
 * the float voltage, and ages the slower for it.
 */
static double days_until(const struct course *w, const struct wear_node *k, double end)
{
	double step = (end - k->used) / LIFE_PARTS, days = 0;
	double own = wear_ln_gassing(k->gassing, k->used);
	double a_day =
		k->rate * w->heat * ageing_of_doublings(w->doublings) + w->cycling;
	for (int i = 0; i < LIFE_PARTS; i++) {
		double u = k->used + step * (i + 0.5);
		double middle = days + 0.5 * step / a_day;
		double more = wear_ln_gassing(k->gassing, u) - own -
			      mates_at(w, middle * w->heat) + w->mates[0];
		double d = w->doublings - w->per_ln_gassing * more;
		a_day = k->rate * w->heat * ageing_of_doublings(d) + w->cycling;
		days += step / a_day;
	}
	return days;
}

/* One node's capacities when new, and futures: each of mean 0 and variance 1, and not
 * correlated. */
static void point(int node, int i, double *capacity, double *future)
{
	double angle = GOLDEN_ANGLE * node + 2 * M_PI * i / POINTS;
	*capacity = M_SQRT2 * cos(angle);
	*future = M_SQRT2 * sin(angle);
}

/* Rates and shares used are drawn in about their means, for the belief is wider than
 * its errors: a life has the doubt of the health it goes out from. */
static void draw_in(struct wear_belief *b, double ln_rate, double factor)
{
	double used = 0;
	for (int i = 0; i < b->n; i++)
		used += b->node[i].weight * b->node[i].used;
	for (int i = 0; i < b->n; i++) {
		struct wear_node *k = &b->node[i];
		k->rate = exp(ln_rate + factor * (log(k->rate) - ln_rate));
		k->used = fmax(0, used + factor * (k->used - used));
	}
}

static struct wear_rate rate_of(const struct wear_belief *b)
{
	struct wear_rate r = {0, 0};
	for (int i = 0; i < b->n; i++)
		r.mean += b->node[i].weight * log(b->node[i].rate);
	for (int i = 0; i < b->n; i++)
		r.var += b->node[i].weight * pow(log(b->node[i].rate) - r.mean, 2);
	return r;
}

/* Of ln of a life that so many days are left of: what no reading tells. */
static double future_std(const struct battery_model *m, double days)
{
	return hypot(
		m->future_sigma, m->wander_sigma * sqrt(days / WEAR_DAYS_PER_YEAR));
}

static int sample(const struct wear *a, const struct battery_model *m,
	const struct wear_belief *b, int64_t now, struct wear_sample out[SAMPLES])
{
	struct climate c = climate_of(a, now);
	struct course w = course_of(a, m, &c);
	double end = m->eol_pct / 100;
	int n = 0;

	for (int i = 0; i < b->n; i++) {
		const struct wear_node *k = &b->node[i];
		if (k->weight < NEGLIGIBLE)
			continue;
		for (int j = 0; j < POINTS; j++) {
			double zc, zf;
			point(i, j, &zc, &zf);
			double c0 =
				k->c0 + zc * hypot(sqrt(k->c0_var), m->capacity_error);
			double until = wear_end(c0, end, k->exponent), days = 0;
			if (until > k->used)
				days = calendar_days(&c, days_until(&w, k, until));
			days = fmin(days * exp(zf * future_std(m, days)), LONGEST_DAYS);
			out[n++] = (struct wear_sample){days, k->weight / POINTS};
		}
	}
	wear_sort(out, n);
	return n;
}

/* Sudden failures to be expected within days. */
static double sudden(const struct wear *a, const struct battery_model *m, double days)
{
	double from = fmax(0, (double)a->age_days + (double)a->days), to = from + days;
	double scale = m->infant_scale_years * WEAR_DAYS_PER_YEAR;
	double infant =
		pow(to / scale, m->infant_shape) - pow(from / scale, m->infant_shape);
	return m->sudden_per_year * days / WEAR_DAYS_PER_YEAR + infant;
}

/* Probability of an end by 'days', worn by then with probability 'worn'. */
static double ended(
	const struct wear *a, const struct battery_model *m, double worn, double days)
{
	return 1 - (1 - worn) * exp(-sudden(a, m, days));
}

static double worn_by(const struct wear_sample *s, int n, double days)
{
	double sum = 0;
	for (int i = 0; i < n && s[i].value <= days; i++)
		sum += s[i].weight;
	return fmin(sum, 1);
}

/* The day by which an end is that probable: between the samples about it. */
static double quantile(const struct wear *a, const struct battery_model *m,
	const struct wear_sample *s, int n, double probability)
{
	double sum = 0, before = 0, day = 0;
	for (int i = 0; i < n; i++) {
		double p = ended(a, m, sum + 0.5 * s[i].weight, s[i].value);
		if (p >= probability) {
			double part =
				p > before ? (probability - before) / (p - before) : 1;
			return i ? day + part * (s[i].value - day) : s[0].value;
		}
		before = p;
		day = s[i].value;
		sum += s[i].weight;
	}
	return day;
}

static double ln_std(const struct wear *a, const struct wear_sample *s, int n)
{
	double mean = 0, var = 0, sum = 0;
	double before = fmax(0, (double)a->age_days) + (double)a->days;
	for (int i = 0; i < n; i++) {
		sum += s[i].weight;
		mean += s[i].weight * (s[i].value + before);
	}
	mean /= sum;
	for (int i = 0; i < n; i++)
		var += s[i].weight / sum * pow(s[i].value + before - mean, 2);
	return mean > 0 ? sqrt(var) / mean : 0;
}

void wear_rul(const struct wear *a, const struct battery_model *m, int64_t now,
	struct wear_rul *out)
{
	struct wear_sample s[SAMPLES];
	struct wear_belief b;
	wear_believe(a, m, &b);
	out->rate = rate_of(&b);
	draw_in(&b, out->rate.mean, m->soh_std_factor);
	int n = sample(a, m, &b, now, s);
	out->days = quantile(a, m, s, n, 0.5);
	out->lower_days = quantile(a, m, s, n, 0.05);
	out->upper_days = quantile(a, m, s, n, 0.95);
	out->fail_30d = ended(a, m, worn_by(s, n, 30), 30);
	out->fail_90d = ended(a, m, worn_by(s, n, 90), 90);
	out->ln_std = ln_std(a, s, n);
}

double wear_prior_ln_std(const struct battery_model *m)
{
	return hypot(
		m->soh_std_factor * wear_rate_std(m), future_std(m, wear_life_days(m)));
}
