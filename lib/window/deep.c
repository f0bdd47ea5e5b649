#include "window/deep.h"

#include <math.h>

/* Float is remembered over ten days: the offset of a sensor is constant, but a block
 * takes charge for days after a discharge. [E] */
#define REST_MS (10 * DAY_MS)
/* Currents on float are below this share of the rated capacity an hour. */
#define REST_RATE 0.01f

void deep_init(struct deep *d)
{
	*d = (struct deep){.rest_mohm = NAN,
		.out_h = NAN,
		.ts = TIME_NIL,
		.voltage_v = NAN,
		.current_a = NAN,
		.out_ah = NAN,
		.resistance_mohm = NAN};
}

static void rest(struct deep *d, const struct sample *x, int64_t ms)
{
	if (ms <= 0)
		return;
	int64_t of = d->rest_ms + ms;
	d->rest_ms = (uint32_t)(of < REST_MS ? of : REST_MS);
	float share = fminf(1, (float)ms / (float)d->rest_ms);
	d->rest_a += share * (x->current_a - d->rest_a);
	if (!resistance_usable(x->resistance_mohm))
		return;
	float r = x->resistance_mohm;
	d->rest_mohm =
		isnan(d->rest_mohm) ? r : d->rest_mohm + share * (r - d->rest_mohm);
}

static void discharge(struct deep *d, const struct sample *x, int64_t ms,
	double missing_ah, float capacity_ah)
{
	d->out_h = isnan(d->out_h) ? 0 : d->out_h + (float)ms / (float)HOUR_MS;
	float out = (float)missing_ah + d->rest_a * d->out_h;
	if (out < DEEP_SHARE * capacity_ah || !voltage_usable(x->voltage_v))
		return;
	d->ts = x->ts;
	d->voltage_v = x->voltage_v;
	d->current_a = x->current_a - d->rest_a;
	d->out_ah = out;
	d->resistance_mohm = d->rest_mohm;
}

void deep_sample(struct deep *d, const struct sample *x, int64_t ms, double missing_ah,
	const struct band *band)
{
	float capacity = band->capacity_ah;
	if (!(capacity > 0) || !current_usable(x->current_a))
		return;
	if (sample_discharging(x, band)) {
		discharge(d, x, ms, missing_ah, capacity);
		return;
	}
	d->out_h = NAN;
	if (x->mode == mode_float && fabsf(x->current_a) < REST_RATE * capacity)
		rest(d, x, ms);
}
