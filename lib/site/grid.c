#include "site/grid.h"

#include "base/rng.h"

#include <math.h>

static const double WET_WEIGHT = 2;         /* twice as many in the wet season [R/E] */
static const double GENERATOR_FAILS = 0.02; /* 1-3 % of starts [E] */
static const double TAKEOVER_S[2] = {10, 60}; /* [E] */
static const double OUTAGE_LONGEST_H = 24;    /* [E]; 5 h in the south, 2013 [S TNA] */

static bool wet(const struct region *r, int month)
{
	return r->wet_from <= r->wet_to ? month >= r->wet_from && month <= r->wet_to
					: month >= r->wet_from || month <= r->wet_to;
}

/* Outages a day, so that the year's sum is the region's figure. */
static double per_day(const struct region *r, double per_year, int month)
{
	double sum = 0;
	for (int m = 1; m <= 12; m++)
		sum += wet(r, m) ? WET_WEIGHT : 1;
	return per_year / 365.25 * (wet(r, month) ? WET_WEIGHT : 1) * 12 / sum;
}

/* An hour of the local day: storms come between 14 and 19 h, twice as often. */
static double draw_hour(uint64_t key, uint64_t counter)
{
	double u = rng_uniform(key, counter) * 29; /* 24 hours and 5 once more */
	return u < 24 ? u : 14 + (u - 24);
}

static struct outage draw(const struct region *r, uint64_t key, int64_t day_start,
	int64_t utc_offset_ms, bool dip)
{
	struct outage o;
	int64_t local = (int64_t)(draw_hour(key, 0) * (double)HOUR_MS);
	int64_t into = ((local - utc_offset_ms) % DAY_MS + DAY_MS) % DAY_MS;
	double seconds = dip ? 1 + 58 * rng_uniform(key, 1)
			     : 60 * r->outage_median_min *
					 exp(r->outage_sigma * rng_normal(key, 1));
	double takeover =
		TAKEOVER_S[0] + (TAKEOVER_S[1] - TAKEOVER_S[0]) * rng_uniform(key, 2);

	if (!dip)
		seconds = fmax(60, fmin(seconds, OUTAGE_LONGEST_H * 3600));
	o.start = day_start + into / SECOND_MS * SECOND_MS;
	o.end = o.start + (int64_t)seconds * SECOND_MS;
	o.generator_failed =
		seconds > takeover && rng_uniform(key, 3) < GENERATOR_FAILS;
	o.battery_end = o.end;
	if (!o.generator_failed && seconds > takeover)
		o.battery_end = o.start + (int64_t)takeover * SECOND_MS;
	return o;
}

/* Keeps out[] in order of time; drops one that would begin while another lasts. */
static int insert(struct outage *out, int n, struct outage o)
{
	int at = 0;
	while (at < n && out[at].start < o.start)
		at++;
	if (n == OUTAGES_MAX || (at > 0 && out[at - 1].end >= o.start) ||
		(at < n && o.end >= out[at].start))
		return n;
	memmove(out + at + 1, out + at, sizeof(*out) * (size_t)(n - at));
	out[at] = o;
	return n + 1;
}

int grid_day(const struct region *r, uint64_t key, int64_t utc_offset_ms, int64_t day,
	struct outage out[OUTAGES_MAX])
{
	struct civil c;
	uint64_t today = rng_key(key, (uint64_t)day);
	int n = 0;

	time_to_civil(day * DAY_MS + DAY_MS / 2, &c);
	int longer = rng_poisson(today, 0, per_day(r, r->outages_per_year, c.month));
	int dips = rng_poisson(today, 1, per_day(r, r->dips_per_year, c.month));
	for (int i = 0; i < longer + dips && i < 2 * OUTAGES_MAX; i++)
		n = insert(out, n,
			draw(r, rng_key(today, (uint64_t)i + 2), day * DAY_MS,
				utc_offset_ms, i >= longer));
	return n;
}
