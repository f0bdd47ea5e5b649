#include "battery/series.h"

#include "battery/gassing.h"
#include "battery/ocv.h"
#include "battery/rate.h"

#include <math.h>

enum { NEWTON_MAX = 60 };
static const double NEWTON_LIMIT_V = 0.1; /* a move of the iterate, at most */
static const double NEWTON_DONE_V = 1e-3; /* second-order error then below 2 uV */
static const double SOC_ROOM_MIN = 1e-7;  /* 1 - SOC, least */
static const double REFRESH_S = 3600;
static const double DEPLETION_ONSET_S = 10; /* as the first part of RECOVERY_S [E] */
/* Rest after a discharge at 10 A: 0.44 V at once, then 29.2 mohm with 328 s and 25.4
 * mohm with 2,546 s [M, 100 Ah]; shares such that, with activation, they come out [E].
 */
static const double RECOVERY_S[DEPLETION_PARTS] = {10, 328, 2546};
static const double RECOVERY_SHARE[DEPLETION_PARTS] = {0.4, 0.25, 0.35};
/* Equal parts of the tail of the surface charge, a decade apart: together they fall
 * with the logarithm of time, as measured from a minute to a day after a charge [M]. */
static const double CHARGED_S[SURFACE_PARTS] = {2e3, 2e4, 2e5};
static const double OPEN_MOHM = 250; /* a corroded strap, not yet parted [E] */
static const double VENTED_MOHM = 500, VENTED_GASSING = 0.02; /* [E] */
static const double SHORT_CELL_V = 2.05; /* a dead cell takes with it, at rest [E] */

double battery_float_v(const struct battery_model *m, double temperature_c)
{
	double v = m->float_v + m->float_comp_v_per_k * (temperature_c - 25);
	return fmin(m->float_clamp_max_v, fmax(m->float_clamp_min_v, v));
}

double battery_boost_v(const struct battery_model *m, double temperature_c)
{
	return m->boost_v + m->boost_comp_v_per_k * (temperature_c - 25);
}

void battery_block_refresh(const struct battery_model *m, struct battery_block *b)
{
	b->capacity_ah = m->capacity_ah / 100 * ageing_soh_pct(m, &b->nature, b->used);
	b->r0_mohm = ageing_r0_mohm(m, &b->nature, b->used);
	if (b->open)
		b->r0_mohm += OPEN_MOHM;
	b->r0_mohm *= 1 + b->r0_drift;
	b->gassing_scale = ageing_gassing(m, &b->nature, b->used);
	if (b->vented) { /* dry */
		b->r0_mohm += VENTED_MOHM;
		b->gassing_scale *= VENTED_GASSING;
	}
}

/* Gassing as scale_a · exp(per_v · v): what the inner loop needs of the Tafel law. */
static double tafel_scale_a(
	const struct battery_model *m, const struct battery_block *b)
{
	return battery_gassing_a(m, b->gassing_scale, 0, b->temperature_c);
}

static double depleted_v(const struct battery_block *b)
{
	double sum = 0;
	for (int k = 0; k < DEPLETION_PARTS; k++)
		sum += b->depletion_v[k];
	return sum;
}

static double charged_v(const struct battery_block *b)
{
	double sum = 0;
	for (int k = 0; k < SURFACE_PARTS; k++)
		sum += b->charged_v[k];
	return sum;
}

/* Of each part, when the surface has long been 'over' volts above the OCV. */
static double charged_target_v(const struct battery_model *m, double over)
{
	if (!(m->surface_slow_v > 0))
		return 0;
	return m->surface_slow_v / SURFACE_PARTS *
	       -expm1(-fmax(0, over) / m->surface_slow_v);
}

static double cell_loss_v(const struct battery_block *b)
{
	return b->shorted ? SHORT_CELL_V : 0;
}

double battery_warmth(double per_k, double temperature_c)
{
	return fmax(0.3, 1 + per_k * (temperature_c - 25));
}

static double r0_ohm(const struct battery_model *m, const struct battery_block *b)
{
	double low = m->r0_low_soc_gain * exp(-fmax(0, b->soc) / m->r0_low_soc_scale);
	return b->r0_mohm / 1000 * (1 + low) *
	       battery_warmth(m->r0_per_k, b->temperature_c);
}

/* The block within one step, linear in the common current: v' = base + slope·I. */
struct jar_step {
	double ocv_v, rest_v; /* rest_v: E */
	double r0_ohm, activation_v, tafel_a, acceptance_ohm, tail_a, q0;
	double v; /* the iterate, and what follows from it */
	double base_v, slope_ohm, main_a, gas_a, stored_a;
};

/* Charge on the surface at o above E, and its capacitance there. */
static double surface_charge(const struct battery_model *m, double o, double *farad)
{
	double over = 1 + fmax(0, o) / m->surface_knee_v;
	*farad = m->surface_f / (over * over);
	return m->surface_f * o / over;
}

static void prepare(const struct battery_series *s, int i, struct jar_step *j)
{
	const struct battery_model *m = s->model;
	const struct battery_block *b = &s->blocks[i];
	double room = fmax(SOC_ROOM_MIN, 1 - b->soc);

	j->ocv_v = battery_ocv_v(m, b->soc, b->temperature_c);
	j->r0_ohm = r0_ohm(m, b);
	j->activation_v =
		m->activation_v * battery_warmth(m->activation_per_k, b->temperature_c);
	j->tafel_a = tafel_scale_a(m, b);
	j->acceptance_ohm =
		(m->acceptance_mohm + m->acceptance_soc_mohm * fmax(0, b->soc) / room) /
		1000;
	j->rest_v = j->ocv_v + charged_v(b);
	j->v = b->surface_v;
	double farad;
	j->q0 = surface_charge(m, j->v - j->rest_v, &farad);
}

/* Newton: currents and their conductances at the iterate. */
static void linearise(
	const struct battery_series *s, struct jar_step *j, double leak_per_s)
{
	const struct battery_model *m = s->model;
	double per_v = m->gassing_cu_per_v / m->cells;
	double o = j->v - j->rest_v, main_s, farad;
	double q = surface_charge(m, o, &farad);

	j->gas_a = j->tafel_a * exp(per_v * j->v);
	if (o >= 0) {
		main_s = 1 / j->acceptance_ohm;
		j->main_a = o * main_s;
	} else {
		double e = exp(fmin(40, -o / j->activation_v));
		j->main_a = -m->activation_a * (e - 1 / e);
		main_s = m->activation_a / j->activation_v * (e + 1 / e);
		leak_per_s = 0;
	}
	double store_s = farad / s->dt_s;
	j->stored_a = (q - j->q0) / s->dt_s;
	j->slope_ohm = 1 / (store_s + per_v * j->gas_a + main_s + leak_per_s * farad);
	j->base_v = j->v -
		    (j->stored_a + j->gas_a + j->main_a + j->tail_a + leak_per_s * q) *
			    j->slope_ohm;
}

static double common_current(const struct battery_series *s,
	const struct jar_step *jars, const struct battery_drive *d)
{
	if (d->constant_current)
		return d->current_a;
	double volts = 0, ohms = 0;
	double r2 = s->model->diffusion_mohm / 1000 * (1 - s->keep_slow);
	for (int i = 0; i < s->n; i++) {
		const struct battery_block *b = &s->blocks[i];
		volts += jars[i].base_v + b->slow_v * s->keep_slow - depleted_v(b) -
			 cell_loss_v(b);
		ohms += jars[i].slope_ohm + jars[i].r0_ohm + r2;
	}
	/* A charger gives no more than its limit, and takes nothing back. */
	return fmax(0, fmin(d->limit_a, (d->set_v - volts) / ohms));
}

static double solve(
	struct battery_series *s, struct jar_step *jars, const struct battery_drive *d)
{
	double leak_per_s = d->charging ? 0 : 1 / s->model->surface_tau_s;
	double current = 0;

	for (int round = 0; round < NEWTON_MAX; round++) {
		double moved = 0;
		for (int i = 0; i < s->n; i++)
			linearise(s, &jars[i], leak_per_s);
		current = common_current(s, jars, d);
		for (int i = 0; i < s->n; i++) {
			double v = jars[i].base_v + jars[i].slope_ohm * current;
			double move = v - jars[i].v;
			moved = fmax(moved, fabs(move));
			jars[i].v += fmax(-NEWTON_LIMIT_V, fmin(NEWTON_LIMIT_V, move));
		}
		if (moved < NEWTON_DONE_V)
			break;
	}
	return current;
}

/* The drop a discharge builds up towards its end: the table of rates says how early. */
static void deplete(struct battery_series *s, struct battery_block *b, double current_a)
{
	const struct battery_model *m = s->model;
	double target = 0;

	if (current_a < 0) {
		/* Of the rating: capacity is what the rated current gets out. */
		double f = battery_rate_fraction(m, current_a, m->capacity_ah);
		double depth = fmax(0, 1 - b->soc) / f;
		double share = fmin(1, -current_a / (0.05 * m->capacity_ah));
		target = share * m->depletion_v * depth /
			 fmax(0.01, m->depletion_pole - depth);
	}
	for (int k = 0; k < DEPLETION_PARTS; k++) {
		double part = RECOVERY_SHARE[k] * target;
		double keep =
			part > b->depletion_v[k] ? s->keep_onset : s->keep_recovery[k];
		b->depletion_v[k] = part + (b->depletion_v[k] - part) * keep;
	}
}

static void charge(struct battery_series *s, struct battery_block *b, double main_a)
{
	double q =
		b->capacity_ah * battery_temperature_factor(s->model, b->temperature_c);
	double ds = main_a * s->dt_s / 3600 / q, room = 1 - b->soc;

	/* Near full the main current is proportional to the room left: exactly so. */
	if (ds > 0 && room < 0.1)
		b->soc = 1 - fmax(SOC_ROOM_MIN, room * exp(-ds / room));
	else
		b->soc = fmax(-0.05, fmin(1 - SOC_ROOM_MIN, b->soc + ds));
}

/* The slow part of the surface charge: charging builds it up, a load takes it down with
 * the charge drawn, time takes it in any case. */
static void build_up(struct battery_series *s, struct battery_block *b,
	const struct jar_step *j, bool charging)
{
	const struct battery_model *m = s->model;
	double target = 0, left = 1;

	if (charging)
		target = charged_target_v(m, j->v - j->ocv_v);
	else if (s->current_a < 0)
		left = exp(s->current_a * s->dt_s / 3600 / m->surface_slow_ah);
	for (int k = 0; k < SURFACE_PARTS; k++) {
		double *v = &b->charged_v[k];
		double keep = s->keep_charged[*v < target ? 0 : k];
		*v = (target + (*v - target) * keep) * left;
	}
}

static void finish(struct battery_series *s, int i, const struct jar_step *j,
	double room_c, bool charging)
{
	const struct battery_model *m = s->model;
	struct battery_block *b = &s->blocks[i];
	double r2 = m->diffusion_mohm / 1000;
	double ambient = room_c + b->nature.rack_k;

	/* Linear about the last iterate; what the surface took is not main current. */
	double main_a = s->current_a - j->gas_a - j->tail_a - j->stored_a;
	if (j->v >= j->rest_v)
		main_a = j->main_a;
	b->surface_v = j->v;
	b->slow_v = r2 * s->current_a + (b->slow_v - r2 * s->current_a) * s->keep_slow;
	b->gassing_a = j->gas_a;
	b->voltage_v = j->v + s->current_a * j->r0_ohm + b->slow_v - depleted_v(b) -
		       cell_loss_v(b);
	/* Losses, the heat of reaction (a discharge cools) and recombination, by which
	 * nearly all of the gassing comes back as heat. */
	double heat_w = fabs(main_a * (b->voltage_v - j->ocv_v)) +
			main_a * (b->temperature_c + 273.15) * m->ocv_v_per_k +
			fmax(0, b->voltage_v) * j->gas_a + b->heat_w;
	double goal = ambient + heat_w * m->thermal_resistance_k_per_w;
	b->temperature_c = goal + (b->temperature_c - goal) * s->keep_heat;
	if (j->tail_a > 0)
		b->tail_ah *= s->keep_tail;
	b->tail_ah += m->tail_fraction * fmax(0, -main_a) * s->dt_s / 3600;
	charge(s, b, main_a);
	build_up(s, b, j, charging);
	b->sum_k_s += b->temperature_c * s->dt_s;
	b->sum_v_s += b->voltage_v * s->dt_s;
}

static void age(struct battery_series *s)
{
	const struct battery_model *m = s->model;
	double days = s->since_refresh_s / 86400;
	double keep = exp(-days / m->sulfation_tau_days);

	for (int i = 0; i < s->n; i++) {
		struct battery_block *b = &s->blocks[i];
		double t = b->sum_k_s / s->since_refresh_s;
		double over = b->sum_v_s / s->since_refresh_s - battery_float_v(m, t);
		double missing = 1 - b->soc;
		b->undercharge = missing + (b->undercharge - missing) * keep;
		b->used +=
			days * (b->nature.rate_per_day * ageing_stress(m, t, over) +
				       ageing_sulfation_per_day(m, b->undercharge, t));
		b->sum_k_s = b->sum_v_s = 0;
		battery_block_refresh(m, b);
	}
	s->since_refresh_s = 0;
}

static void set_step(struct battery_series *s, double dt_s)
{
	const struct battery_model *m = s->model;
	double heat_s = m->heat_capacity_j_per_k * m->thermal_resistance_k_per_w;
	if (s->dt_s == dt_s)
		return;
	s->dt_s = dt_s;
	s->keep_slow = exp(-dt_s / m->tau2_s);
	s->keep_heat = exp(-dt_s / heat_s);
	s->keep_onset = exp(-dt_s / DEPLETION_ONSET_S);
	for (int k = 0; k < DEPLETION_PARTS; k++)
		s->keep_recovery[k] = exp(-dt_s / RECOVERY_S[k]);
	for (int k = 0; k < SURFACE_PARTS; k++)
		s->keep_charged[k] = exp(-dt_s / CHARGED_S[k]);
	s->keep_tail = exp(-dt_s / m->tail_tau_s);
}

void battery_series_step(struct battery_series *s, const struct battery_drive *drive,
	double room_c, double dt_s)
{
	struct jar_step jars[SERIES_MAX];
	double volts = 0, kelvins = 0;

	s->hottest_c = -INFINITY;
	set_step(s, dt_s);
	for (int i = 0; i < s->n; i++) {
		deplete(s, &s->blocks[i],
			drive->constant_current ? drive->current_a : 0);
		prepare(s, i, &jars[i]);
		/* the mean of the step */
		jars[i].tail_a = drive->charging ? s->blocks[i].tail_ah * 3600 / dt_s *
							   (1 - s->keep_tail)
						 : 0;
	}
	s->current_a = solve(s, jars, drive);
	for (int i = 0; i < s->n; i++) {
		finish(s, i, &jars[i], room_c, drive->charging);
		volts += s->blocks[i].voltage_v;
		kelvins += s->blocks[i].temperature_c;
		s->hottest_c = fmax(s->hottest_c, s->blocks[i].temperature_c);
	}
	s->voltage_v = volts;
	s->mean_temperature_c = kelvins / s->n;
	s->since_refresh_s += dt_s;
	if (s->since_refresh_s >= REFRESH_S)
		age(s);
}

double battery_float_ln_a(const struct battery_model *m, int n, const double *ln_scale,
	const double *floor_v, double set_v)
{
	double per_v = m->gassing_cu_per_v / m->cells, ln_a = INFINITY;

	for (int round = 0; round <= n; round++) {
		double logs = 0, volts = set_v;
		int above = 0;
		for (int i = 0; i < n; i++) {
			if (ln_a - ln_scale[i] < per_v * floor_v[i]) {
				volts -= floor_v[i];
			} else {
				logs += ln_scale[i];
				above++;
			}
		}
		double next = (per_v * volts + logs) / above;
		if (above == 0 || next >= ln_a)
			break;
		ln_a = next;
	}
	return ln_a;
}

void battery_series_settle(struct battery_series *s, double set_v, double temperature_c)
{
	const struct battery_model *m = s->model;
	double per_v = m->gassing_cu_per_v / m->cells, lost_v = 0;
	double ln_scale[SERIES_MAX] = {0}, ocv_v[SERIES_MAX] = {0};

	for (int i = 0; i < s->n; i++) {
		struct battery_block *b = &s->blocks[i];
		battery_block_refresh(m, b);
		b->soc = 1 - SOC_ROOM_MIN;
		b->slow_v = b->tail_ah = 0;
		for (int k = 0; k < DEPLETION_PARTS; k++)
			b->depletion_v[k] = 0;
		b->temperature_c = temperature_c + b->nature.rack_k;
		ln_scale[i] = log(tafel_scale_a(m, b));
		ocv_v[i] = battery_ocv_v(m, b->soc, b->temperature_c);
		lost_v += cell_loss_v(b);
	}
	double ln_a = battery_float_ln_a(m, s->n, ln_scale, ocv_v, set_v + lost_v);
	for (int i = 0; i < s->n; i++) {
		struct battery_block *b = &s->blocks[i];
		b->surface_v = fmax((ln_a - ln_scale[i]) / per_v, ocv_v[i]);
		b->voltage_v = b->surface_v - cell_loss_v(b);
		b->gassing_a = exp(ln_scale[i] + per_v * b->surface_v);
		for (int k = 0; k < SURFACE_PARTS; k++)
			b->charged_v[k] = charged_target_v(m, b->surface_v - ocv_v[i]);
	}
	s->current_a = exp(ln_a);
	s->voltage_v = set_v;
	s->mean_temperature_c = temperature_c;
}
