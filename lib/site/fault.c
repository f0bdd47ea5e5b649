#include "site/fault.h"

#include "base/rng.h"
#include "base/timefmt.h"

#include <math.h>

/* Time is cut into slots; a fault begins in one and may reach into the next. */
static const int64_t SLOT_MS = FAULT_LONGEST_MS;
static const double SLOTS_PER_YEAR = 365.25 / 16;
enum { STREAM_FAULT = 0x4641554c };

static void draw_length(const struct fault_rates *r, uint64_t key, struct fault *f)
{
	static const double HOUR = 3600e3;
	double median_h = f->sort == FAULT_GAP     ? r->gap_median_h
			  : f->sort == FAULT_STUCK ? r->stuck_median_h
						   : r->offset_median_h;
	double ms = median_h * HOUR * exp(r->sigma * rng_normal(key, 2));
	f->until = f->from + (int64_t)fmin(fmax(ms, 1000), (double)SLOT_MS);
}

/* The fault that begins in a slot, if one does. */
static struct fault draw(
	const struct fault_rates *r, uint64_t key, int channels, int64_t slot)
{
	struct fault f = {.sort = FAULT_NONE};
	double all = r->gap_per_year + r->stuck_per_year + r->offset_per_year;
	double u = rng_uniform(key, 0);

	/* at most one a slot; 1 - exp(-x) is below x */
	if (u * SLOTS_PER_YEAR >= all || u >= -expm1(-all / SLOTS_PER_YEAR))
		return f;
	double pick = all * rng_uniform(key, 3);
	f.sort = pick < r->gap_per_year                       ? FAULT_GAP
		 : pick < r->gap_per_year + r->stuck_per_year ? FAULT_STUCK
							      : FAULT_OFFSET;
	f.channel = (int)(rng_bits(key, 4) % (uint64_t)channels);
	f.size = rng_normal(key, 5);
	f.from = slot * SLOT_MS + (int64_t)(rng_uniform(key, 1) * (double)SLOT_MS);
	draw_length(r, key, &f);
	return f;
}

struct fault fault_at(
	const struct fault_rates *r, uint64_t key, int channels, int64_t ts)
{
	int64_t slot = time_whole(ts, SLOT_MS);
	uint64_t stream = rng_key(key, STREAM_FAULT);

	for (int64_t k = slot; k >= slot - 1; k--) {
		struct fault f = draw(r, rng_key(stream, (uint64_t)k), channels, k);
		if (f.sort != FAULT_NONE && ts >= f.from && ts < f.until)
			return f;
	}
	return (struct fault){.sort = FAULT_NONE};
}
