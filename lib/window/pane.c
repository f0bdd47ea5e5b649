#include "window/pane.h"

#include <math.h>

/* Values beyond these are no measurement of a battery and would overflow the sums. */
#define V_LIMIT 100.0f
#define T_LIMIT 1000.0f
#define I_LIMIT 10000.0f
#define R_LIMIT 1e4f

#define DISCHARGE_RATE 0.02f
#define DISCHARGE_A 1.0f

static bool within(float x, float limit)
{
	return fabsf(x) <= limit; /* false for NaN */
}

/* Sums that may not fit saturate: UINT64_MAX stays UINT64_MAX whatever is added. */
static void add_to(uint64_t *sum, uint64_t x)
{
	if (__builtin_add_overflow(*sum, x, sum))
		*sum = UINT64_MAX;
}

static uint64_t times(uint64_t a, uint64_t b)
{
	uint64_t product;
	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

void pane_init(struct pane *p, int32_t hour)
{
	*p = (struct pane){
		.hour = hour,
		.v_min = INFINITY,
		.v_max = -INFINITY,
		.t_max = -INFINITY,
		.i_abs_max = -INFINITY,
		.r_latest = NAN,
	};
}

bool voltage_usable(float voltage_v)
{
	return within(voltage_v, V_LIMIT);
}

bool temperature_usable(float temperature_c)
{
	return within(temperature_c, T_LIMIT);
}

bool current_usable(float current_a)
{
	return within(current_a, I_LIMIT);
}

bool resistance_usable(float resistance_mohm)
{
	return resistance_mohm > 0 && resistance_mohm <= R_LIMIT;
}

bool mode_usable(int mode)
{
	return mode != ENUM_NIL && mode != mode_unknown;
}

bool sample_usable(const struct sample *s)
{
	return voltage_usable(s->voltage_v) || temperature_usable(s->temperature_c) ||
	       current_usable(s->current_a) || resistance_usable(s->resistance_mohm);
}

bool sample_discharging(const struct sample *s, const struct band *band)
{
	float capacity = band->capacity_ah;
	float limit = capacity > 0 ? DISCHARGE_RATE * capacity : DISCHARGE_A;
	return s->mode == mode_discharge ||
	       (current_usable(s->current_a) && s->current_a < -limit);
}

static void add_voltage(struct pane *p, float voltage_v)
{
	int64_t v = fixed_point((double)voltage_v, PANE_V_UNITS);
	p->v_n++;
	p->v_sum += v;
	add_to(&p->v_sq, (uint64_t)(v * v));
	p->v_min = voltage_v < p->v_min ? voltage_v : p->v_min;
	p->v_max = voltage_v > p->v_max ? voltage_v : p->v_max;
}

static void add_temperature(struct pane *p, float temperature_c)
{
	int64_t t = fixed_point((double)temperature_c, PANE_T_UNITS);
	p->t_n++;
	p->t_sum += t;
	add_to(&p->t_sq, (uint64_t)(t * t));
	p->t_max = temperature_c > p->t_max ? temperature_c : p->t_max;
}

static void add_current(struct pane *p, float current_a)
{
	int64_t i = fixed_point((double)current_a, PANE_I_UNITS);
	float magnitude = fabsf(current_a);
	p->i_n++;
	p->i_sum += i;
	add_to(&p->i_sq, (uint64_t)(i * i));
	p->i_abs_max = magnitude > p->i_abs_max ? magnitude : p->i_abs_max;
}

static void add_resistance(struct pane *p, float resistance_mohm, int64_t ts)
{
	uint64_t y = (uint64_t)fixed_point((double)resistance_mohm, PANE_R_UNITS);
	uint32_t ms = (uint32_t)(ts - p->hour * HOUR_MS);
	uint64_t x = ms / SECOND_MS;
	/* Later wins; of two at once the larger, so that the order plays no part. */
	if (p->r_n == 0 || ms > p->r_latest_ms ||
		(ms == p->r_latest_ms && resistance_mohm > p->r_latest)) {
		p->r_latest = resistance_mohm;
		p->r_latest_ms = ms;
	}
	p->r_n++;
	p->r_sx += x;
	p->r_sy += y;
	add_to(&p->r_sxy, x * y);
	add_to(&p->r_sxx, x * x);
	add_to(&p->r_syy, y * y);
}

void pane_sample(struct pane *p, const struct sample *s)
{
	if (!sample_usable(s))
		return;
	p->n++;
	p->mode_known |= mode_usable((int)s->mode);
	if (voltage_usable(s->voltage_v))
		add_voltage(p, s->voltage_v);
	if (temperature_usable(s->temperature_c))
		add_temperature(p, s->temperature_c);
	if (current_usable(s->current_a))
		add_current(p, s->current_a);
	if (resistance_usable(s->resistance_mohm))
		add_resistance(p, s->resistance_mohm, s->ts);
}

double ageing_factor(double temperature_c)
{
	const double ev = 0.60, boltzmann_ev_per_k = 8.617333262e-5;
	double kelvin = fmax(temperature_c, -100.0) + 273.15;
	return exp(ev / boltzmann_ev_per_k * (1 / 298.15 - 1 / kelvin));
}

void pane_hold(
	struct pane *p, const struct sample *s, int64_t ms, const struct band *band)
{
	uint32_t d = (uint32_t)ms;
	if (!sample_usable(s))
		return;
	p->covered_ms += d;
	if (temperature_usable(s->temperature_c)) {
		/* Above 100 degC a block is on fire, not ageing faster. */
		double factor = ageing_factor(fmin((double)s->temperature_c, 100.0));
		p->above_30_ms += s->temperature_c > 30.0f ? d : 0;
		p->above_35_ms += s->temperature_c > 35.0f ? d : 0;
		p->above_40_ms += s->temperature_c > 40.0f ? d : 0;
		p->ageing += (int64_t)(factor * PANE_AGEING_UNITS + 0.5) * ms;
	}
	if (current_usable(s->current_a)) {
		int64_t i = fixed_point((double)s->current_a, PANE_I_UNITS);
		if (sample_discharging(s, band))
			p->charge_out -= i * ms;
		else
			p->charge_in += i * ms;
	}
	if (s->mode == mode_float && voltage_usable(s->voltage_v)) {
		p->below_float_ms += s->voltage_v < band->float_min_v ? d : 0;
		p->above_float_ms += s->voltage_v > band->float_max_v ? d : 0;
	}
}

/* The regression sums of b, moved to the time origin of a. */
static void merge_resistance(struct pane *a, const struct pane *b)
{
	uint64_t hours = (uint64_t)(b->hour - a->hour),
		 d = hours * (HOUR_MS / SECOND_MS);
	uint32_t latest_ms = b->r_latest_ms + (uint32_t)(hours * HOUR_MS);
	if (b->r_n == 0)
		return;
	if (a->r_n == 0 || latest_ms > a->r_latest_ms ||
		(latest_ms == a->r_latest_ms && b->r_latest > a->r_latest)) {
		a->r_latest = b->r_latest;
		a->r_latest_ms = latest_ms;
	}
	a->r_n += b->r_n;
	a->r_sx += b->r_sx + d * b->r_n;
	a->r_sy += b->r_sy;
	add_to(&a->r_sxy, b->r_sxy);
	add_to(&a->r_sxy, times(d, b->r_sy));
	add_to(&a->r_sxx, b->r_sxx);
	add_to(&a->r_sxx, times(2 * d, b->r_sx));
	add_to(&a->r_sxx, times(d * d, b->r_n));
	add_to(&a->r_syy, b->r_syy);
}

static float larger(float a, float b)
{
	return a > b ? a : b;
}

static unsigned add_count(unsigned a, unsigned b, unsigned most)
{
	return a + b > most ? most : a + b;
}

void pane_merge(struct pane *a, const struct pane *b)
{
	merge_resistance(a, b);
	a->n += b->n;
	a->v_n += b->v_n;
	a->t_n += b->t_n;
	a->i_n += b->i_n;
	a->v_sum += b->v_sum;
	a->t_sum += b->t_sum;
	a->i_sum += b->i_sum;
	add_to(&a->v_sq, b->v_sq);
	add_to(&a->t_sq, b->t_sq);
	add_to(&a->i_sq, b->i_sq);
	a->v_min = -larger(-a->v_min, -b->v_min);
	a->v_max = larger(a->v_max, b->v_max);
	a->t_max = larger(a->t_max, b->t_max);
	a->i_abs_max = larger(a->i_abs_max, b->i_abs_max);
	a->covered_ms += b->covered_ms;
	a->above_30_ms += b->above_30_ms;
	a->above_35_ms += b->above_35_ms;
	a->above_40_ms += b->above_40_ms;
	a->below_float_ms += b->below_float_ms;
	a->above_float_ms += b->above_float_ms;
	a->ageing += b->ageing;
	a->charge_in += b->charge_in;
	a->charge_out += b->charge_out;
	a->depth_max = a->depth_max > b->depth_max ? a->depth_max : b->depth_max;
	a->discharges = add_count(a->discharges, b->discharges, DISCHARGES_MAX);
	a->surges = add_count(a->surges, b->surges, SURGES_MAX);
	a->gaps = add_count(a->gaps, b->gaps, GAPS_MAX);
	a->mode_known |= b->mode_known;
}

double stats_mean(uint32_t n, int64_t sum, double units)
{
	return n ? (double)sum / n / units : NAN;
}

double stats_std(uint32_t n, int64_t sum, uint64_t sq, double units)
{
	if (n < 2 || sq == UINT64_MAX)
		return NAN;
	__int128 moment = (__int128)n * sq - (__int128)sum * sum;
	return sqrt((double)moment / ((double)n * (n - 1))) / units;
}

void pane_resistance_slope(const struct pane *p, double *slope, double *stderr_)
{
	__int128 n = p->r_n;
	*slope = *stderr_ = NAN;
	if (p->r_sxx == UINT64_MAX || p->r_syy == UINT64_MAX || p->r_sxy == UINT64_MAX)
		return;
	__int128 xx = n * p->r_sxx - (__int128)p->r_sx * p->r_sx;
	__int128 yy = n * p->r_syy - (__int128)p->r_sy * p->r_sy;
	__int128 xy = n * p->r_sxy - (__int128)p->r_sx * p->r_sy;
	if (n < 2 || xx == 0)
		return;
	const double per_day = DAY_MS / (double)SECOND_MS / PANE_R_UNITS;
	double b = (double)xy / (double)xx;
	*slope = b * per_day;
	if (n < 3)
		return;
	/* Long double: yy and xy²/xx nearly cancel for a clean line. */
	long double rest = (long double)yy - (long double)xy * xy / (long double)xx;
	double residual = fmax((double)rest, 0) / (double)n / (double)(n - 2);
	*stderr_ = sqrt(residual / ((double)xx / (double)n)) * per_day;
}
