/*
 * A pane: what is known of one battery over one hour (or one day), in 192 bytes that
 * can be merged. All sums are integers in fixed-point units, so that merging is exact,
 * associative and commutative: the same samples give the same bytes in whatever order
 * and grouping they came.
 *
 * Units: voltage 10 uV, temperature 0.1 mK, current 0.1 mA, resistance 1 uohm, time of
 * the regression 1 s, charge 0.1 mA ms, ageing 1e-6 ms. One sample a second for 30 days
 * fits up to 25 V and 260 A rms and 1 ohm; beyond that sums of squares and products
 * saturate, and what would need them is missing rather than wrong. Counts of events
 * stop at their largest value.
 */
#ifndef WINDOW_PANE_H
#define WINDOW_PANE_H

#include "record/kinds.h"

#define PANE_V_UNITS 1e5
#define PANE_T_UNITS 1e4
#define PANE_I_UNITS 1e4
#define PANE_R_UNITS 1e3
#define PANE_FLOAT_UNITS 1e6 /* of a float current sensor */
#define PANE_CHARGE_PER_AH (PANE_I_UNITS * 3.6e6)
#define PANE_AGEING_UNITS 1e6

/* A sample of one battery; a value that is missing is NaN, one that is doubted
 * infinite. */
struct sample {
	int64_t ts : 56;
	int64_t mode : 8;
	float voltage_v, temperature_c, current_a, resistance_mohm;
};

/* The float band and rated capacity of a battery's model; NaN where unknown. */
struct band {
	float float_min_v, float_max_v, capacity_ah;
};

struct pane {
	int32_t hour; /* start, in hours since the epoch */
	uint32_t n;   /* samples with at least one usable value */
	uint32_t v_n, t_n, i_n, r_n;
	int64_t v_sum;
	uint64_t v_sq;
	int64_t t_sum;
	uint64_t t_sq;
	int64_t i_sum;
	uint64_t i_sq;
	/* regression of resistance (y) on whole seconds since the start of the pane (x)
	 */
	uint64_t r_sx, r_sy, r_sxy, r_sxx, r_syy;
	float v_min, v_max, t_max, i_abs_max;
	float r_latest;
	uint32_t r_latest_ms; /* since the start of the pane */
	/* time-weighted: ms during which … */
	uint32_t covered_ms, above_30_ms, above_35_ms, above_40_ms;
	uint32_t below_float_ms, above_float_ms;
	int64_t ageing;          /* integral of the Arrhenius factor over time */
	int64_t charge_out;      /* delivered while discharging */
	int64_t charge_in;       /* received at all other times, net */
	uint64_t depth_max : 24; /* deepest discharge so far, mAh below full */
	uint64_t discharges : 12, surges : 13, gaps : 14;
	uint64_t mode_known : 1; /* some sample said what the charger did */
};

enum {
	DEPTH_MAX_MAH = (1 << 24) - 1,
	DISCHARGES_MAX = (1 << 12) - 1,
	SURGES_MAX = (1 << 13) - 1,
	GAPS_MAX = (1 << 14) - 1,
};

/*
 * Whether the battery discharges: its mode says so, or the current is beyond 2 % of the
 * rated capacity an hour (1 A where that is unknown). Smaller currents are also the
 * noise and offset of a sensor made for hundreds of amperes; counting their negative
 * half as charge delivered would make cycles out of noise.
 */
bool sample_discharging(const struct sample *s, const struct band *band);
/* An empty pane that starts at this hour. */
void pane_init(struct pane *p, int32_t hour);
/* Whether the value is one a battery can have (not NaN; a resistance above zero). */
bool voltage_usable(float voltage_v);
bool temperature_usable(float temperature_c);
bool current_usable(float current_a);
bool resistance_usable(float resistance_mohm);
/* Whether a mode says what the charger does. */
bool mode_usable(int mode);
/* Whether the sample has any value to use. */
bool sample_usable(const struct sample *s);
/* Adds one sample that lies within the pane. */
void pane_sample(struct pane *p, const struct sample *s);
/* The values of s held for ms milliseconds (of this pane's time). */
void pane_hold(
	struct pane *p, const struct sample *s, int64_t ms, const struct band *band);
/* Adds b to a. b starts no earlier than a. */
void pane_merge(struct pane *a, const struct pane *b);

/* Mean and standard deviation (n - 1) of a quantity from its sums, in its own unit.
 * NaN where there are too few samples. */
double stats_mean(uint32_t n, int64_t sum, double units);
double stats_std(uint32_t n, int64_t sum, uint64_t sq, double units);

/* Least-squares line through the resistances: slope and its standard error in mohm a
 * day. NaN below two (three) distinct samples. */
void pane_resistance_slope(const struct pane *p, double *slope, double *stderr_);

/*
 * Ageing speed at a temperature relative to 25 degC: Arrhenius with 0.60 eV, between
 * the halvings per 8.3 and 10 K that makers of VRLA batteries state.
 */
double ageing_factor(double temperature_c);

/* A value in fixed-point units, rounded to nearest. |x * units| < 2^63. */
static inline int64_t fixed_point(double x, double units)
{
	double y = x * units;
	return (int64_t)(y < 0 ? y - 0.5 : y + 0.5);
}

/* Floored division by an interval, for times before 1970 as well. */
static inline int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

#endif
