#include "window/feature.h"

#include <math.h>

#define DAYS_A_YEAR 365.2425
enum { PARTS_MAX = 32 };

/* Growth of the gassing current with temperature, 1/K: exponent of the Tafel law of
 * VRLA float current in Schiffer et al., J. Power Sources 168 (2007) 66, eq. 6. */
#define GASSING_PER_K 0.06
/* A discharge that tells of capacity takes at least this share of it [E]. */
#define TELLING_DEPTH 0.1

/* The panes a window is made of, oldest first: hours, or days. */
struct parts {
	const struct pane *v[PARTS_MAX];
	int n;
	bool days;
};

static void find_parts(const struct feature_input *in, struct parts *p)
{
	p->n = 0;
	p->days = in->window_h > HOURLY_PANES;
	int32_t end = p->days ? (int32_t)floor_div(in->end_hour, 24) : in->end_hour;
	for (int32_t at = end - in->window_h / (p->days ? 24 : 1); at < end; at++) {
		const struct pane *x =
			p->days ? timeline_day(in->timeline, in->config, at)
				: timeline_hour(in->timeline, in->config, at);
		if (x)
			p->v[p->n++] = x;
	}
}

static const struct mean_slot *mean_of(
	const struct means *m, const struct parts *p, int32_t hour)
{
	if (!m)
		return NULL;
	return p->days ? means_day(m, (int32_t)floor_div(hour, 24))
		       : means_hour(m, hour);
}

static double slot_mean(const struct mean_slot *s)
{
	return (double)s->sum / s->n;
}

/* Mean over the window of what the string or room measured itself. */
static float own_mean(const struct parts *p, const struct means *m, double units)
{
	int64_t sum = 0;
	uint32_t n = 0;
	for (int i = 0; i < p->n; i++) {
		const struct mean_slot *s = mean_of(m, p, p->v[i]->hour);
		sum += s ? s->sum : 0;
		n += s ? s->n : 0;
	}
	return (float)stats_mean(n, sum, units);
}

/* Mean difference of the voltage to that of the string's jars, pane by pane; it takes
 * another jar to compare with. */
static float imbalance(const struct feature_input *in, const struct parts *p)
{
	double sum = 0, n = 0;
	for (int i = 0; i < p->n; i++) {
		const struct pane *x = p->v[i];
		const struct mean_slot *s = mean_of(in->string_voltage, p, x->hour);
		if (!s || (s->who & (s->who - 1)) == 0)
			continue;
		sum += (double)x->v_sum - x->v_n * slot_mean(s);
		n += x->v_n;
	}
	return n > 0 ? (float)(sum / n / PANE_V_UNITS) : NAN;
}

static float rise(const struct feature_input *in, const struct parts *p)
{
	double sum = 0, n = 0;
	for (int i = 0; i < p->n; i++) {
		const struct pane *x = p->v[i];
		const struct mean_slot *s = mean_of(in->room, p, x->hour);
		if (!s)
			continue;
		sum += (double)x->t_sum - x->t_n * slot_mean(s);
		n += x->t_n;
	}
	return n > 0 ? (float)(sum / n / PANE_T_UNITS) : NAN;
}

static void fill_voltage(struct rec_feature *f, const struct pane *p)
{
	f->v_mean_v = (float)stats_mean(p->v_n, p->v_sum, PANE_V_UNITS);
	f->v_std_v = (float)stats_std(p->v_n, p->v_sum, p->v_sq, PANE_V_UNITS);
	f->v_min_v = p->v_n ? p->v_min : NAN;
	f->v_max_v = p->v_n ? p->v_max : NAN;
	f->v_range_v = f->v_max_v - f->v_min_v;
}

static float hours(uint32_t ms)
{
	return (float)(ms / 3.6e6);
}

static void fill_temperature(struct rec_feature *f, const struct pane *p)
{
	bool known = p->t_n > 0;
	f->t_mean_c = (float)stats_mean(p->t_n, p->t_sum, PANE_T_UNITS);
	f->t_std_c = (float)stats_std(p->t_n, p->t_sum, p->t_sq, PANE_T_UNITS);
	f->t_max_c = known ? p->t_max : NAN;
	f->hours_above_30c = known ? hours(p->above_30_ms) : NAN;
	f->hours_above_35c = known ? hours(p->above_35_ms) : NAN;
	f->hours_above_40c = known ? hours(p->above_40_ms) : NAN;
	f->arrhenius_hours =
		known ? (float)((double)p->ageing / PANE_AGEING_UNITS / 3.6e6) : NAN;
}

/* Resistance when new: from the books, else the mean of the first week. */
static double baseline_mohm(const struct feature_input *in)
{
	float booked = in->battery->initial_resistance_mohm;
	if (booked > 0)
		return (double)booked;
	return stats_mean(
		in->timeline->baseline_n, in->timeline->baseline_sum, PANE_R_UNITS);
}

static void fill_resistance(
	struct rec_feature *f, const struct pane *p, double baseline)
{
	double mean = stats_mean(p->r_n, p->r_sy, PANE_R_UNITS), slope, error;
	pane_resistance_slope(p, &slope, &error);
	f->r_latest_mohm = p->r_n ? p->r_latest : NAN;
	f->r_mean_mohm = (float)mean;
	f->r_baseline_pct = baseline > 0 ? (float)(100 * mean / baseline) : NAN;
	f->r_slope_mohm_per_day = (float)slope;
	f->r_slope_stderr = (float)error;
	f->conductance_s = mean > 0 ? (float)(1000 / mean) : NAN;
}

/* What remains of noise below nothing is nothing. */
static double amp_hours(int64_t charge)
{
	return charge > 0 ? (double)charge / PANE_CHARGE_PER_AH : 0;
}

static void fill_current(
	struct rec_feature *f, const struct pane *p, const struct band *band)
{
	bool known = p->i_n > 0, rated = known && band->capacity_ah > 0;
	bool on_float = p->mode_known && p->v_n > 0; /* or known not to be */
	double capacity = (double)band->capacity_ah;
	double out = amp_hours(p->charge_out);
	f->i_mean_a = (float)stats_mean(p->i_n, p->i_sum, PANE_I_UNITS);
	f->i_std_a = (float)stats_std(p->i_n, p->i_sum, p->i_sq, PANE_I_UNITS);
	f->i_abs_max_a = known ? p->i_abs_max : NAN;
	f->ah_out = known ? (float)out : NAN;
	f->ah_in = known ? (float)amp_hours(p->charge_in) : NAN;
	f->equivalent_cycles = rated ? (float)(out / capacity) : NAN;
	f->deepest_dod_pct = rated ? (float)(p->depth_max / 10.0 / capacity) : NAN;
	f->surge_events = rated ? (int)p->surges : INT_NIL;
	f->discharge_events = known || p->mode_known ? (int)p->discharges : INT_NIL;
	f->minutes_below_float = on_float && band->float_min_v > 0
					 ? (float)(p->below_float_ms / 6e4)
					 : NAN;
	f->minutes_above_float = on_float && band->float_max_v > 0
					 ? (float)(p->above_float_ms / 6e4)
					 : NAN;
}

/* The float current of the string, as it would be with this battery at 25 degC: the
 * cells of a string in series gas alike, so it rises when they age or dry out. */
static void fill_float_current(
	struct rec_feature *f, const struct feature_input *in, const struct parts *p)
{
	double ma = 1e3 * (double)own_mean(p, in->float_current, PANE_FLOAT_UNITS);
	double warmth = (double)f->t_mean_c - 25;
	f->float_current_ma = (float)(ma * exp(-GASSING_PER_K * warmth));
}

/* A test of the battery's own tells more than one of its string at the same time, which
 * ends with the weakest jar. Those of the block before do not count. */
static void fill_tests(struct rec_feature *f, const struct feature_input *in)
{
	const struct tests *t = in->string_tests;
	int64_t from = in->battery->installed;
	int i = tests_find(t, from, in->end_hour);
	int own = tests_find(in->own_tests, from, in->end_hour);
	if (own >= 0 && (i < 0 || in->own_tests->hour[own] >= t->hour[i])) {
		t = in->own_tests;
		i = own;
	}
	f->capacity_test_pct = i < 0 ? NAN : t->pct[i];
	f->capacity_test_days =
		i < 0 ? NAN : (float)((in->end_hour - t->hour[i]) / 24.0);
}

/* What the last deep discharge told, and what to hold it against. */
static void fill_deep(struct rec_feature *f, const struct feature_input *in)
{
	const struct deep *d = &in->timeline->deep;
	double capacity = (double)in->timeline->band.capacity_ah;
	double resistance = (double)d->resistance_mohm;
	double baseline = baseline_mohm(in);
	bool known = d->ts != TIME_NIL && capacity > 0;
	f->initial_capacity_pct =
		capacity > 0 ? (float)(100 * (double)in->battery->initial_capacity_ah /
				       capacity)
			     : NAN;
	f->deep_days = known ? (float)((double)(f->ts - d->ts) / DAY_MS) : NAN;
	f->deep_age_days = f->age_days - f->deep_days;
	f->deep_out_pct = known ? (float)(100 * (double)d->out_ah / capacity) : NAN;
	f->deep_voltage_v = d->voltage_v;
	f->deep_current_a = d->current_a;
	f->deep_r_baseline_pct =
		baseline > 0 ? (float)(100 * resistance / baseline) : NAN;
}

static void fill_calendar(struct rec_feature *f, int64_t installed)
{
	struct civil c;
	time_to_civil(f->ts, &c);
	double turn = 2 * M_PI * (c.yearday + c.hour / 24.0) / DAYS_A_YEAR;
	f->season_sin = (float)sin(turn);
	f->season_cos = (float)cos(turn);
	f->age_days = installed == TIME_NIL
			      ? NAN
			      : (float)((double)(f->ts - installed) / DAY_MS);
}

bool feature_fill(const struct feature_input *in, struct rec_feature *f)
{
	struct parts parts;
	struct pane total;
	find_parts(in, &parts);
	pane_init(&total, in->end_hour - in->window_h);
	for (int i = 0; i < parts.n; i++)
		pane_merge(&total, parts.v[i]);
	if (total.n == 0)
		return false;
	f->ts = in->end_hour * HOUR_MS;
	f->window_h = in->window_h;
	f->count = total.n;
	f->coverage = (float)(total.covered_ms / (in->window_h * 3.6e6));
	f->gap_count = total.gaps;
	fill_voltage(f, &total);
	f->v_imbalance_v = imbalance(in, &parts);
	fill_temperature(f, &total);
	f->t_rise_k = rise(in, &parts);
	fill_resistance(f, &total, baseline_mohm(in));
	fill_current(f, &total, &in->timeline->band);
	f->ripple_mean_v = own_mean(&parts, in->ripple, PANE_V_UNITS);
	f->thd_mean_pct = own_mean(&parts, in->thd, PANE_T_UNITS);
	fill_calendar(f, in->battery->installed);
	fill_float_current(f, in, &parts);
	f->discharge_imbalance_v = in->timeline->sag_v;
	fill_tests(f, in);
	fill_deep(f, in);
	return true;
}

float feature_sag(const struct feature_input *in)
{
	const struct timeline *s = in->timeline;
	const struct pane *p = timeline_hour(s, in->config, in->end_hour - 1);
	if (!p || s->rested || p->v_n == 0 || !(s->band.capacity_ah > 0) ||
		p->depth_max < TELLING_DEPTH * 1e3 * (double)s->band.capacity_ah)
		return NAN;
	struct parts hour = {.v = {p}, .n = 1};
	return imbalance(in, &hour);
}
