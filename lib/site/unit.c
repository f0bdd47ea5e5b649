/* Units: how a block comes into the world, and the history of a position. */
#include "base/rng.h"
#include "site/plant.h"

#include <math.h>
#include <stdio.h>

static const double YEAR_MS = 365.25 * 86400e3;
/* Classes are labels cut from that rate: 85 / 12 / 3 % of the fleet. */
static const double CLASS_ACCELERATED = 1.0364, CLASS_FAILING = 1.8808;
/* A worn unit is found at a test, yearly [R IEEE 1188], and replaced after so many days
 * [E]. */
static const double FOUND_AFTER_DAYS[2] = {10, 200};

enum { BOOK_TRIES = 100, BOOK_STREAM = 1000000 };

enum { /* counters of a unit's stream */
	DRAW_CAPACITY,
	DRAW_R0,
	DRAW_I0,
	DRAW_RATE,
	DRAW_SCATTER,
	DRAW_CAUSE,
	DRAW_RACK,
	DRAW_SUDDEN,
	DRAW_INFANT,
	DRAW_HARD_CAUSE,
	DRAW_SHELF,
	DRAW_SERIAL,
	DRAW_FOUND,
};

static enum cause_names draw_cause(uint64_t key)
{
	double u = rng_uniform(key, DRAW_CAUSE);
	if (u < 0.40)
		return cause_wear;
	if (u < 0.65)
		return cause_dry_out;
	return u < 0.85 ? cause_corrosion : cause_sulfation;
}

/* The ageing rate in standard deviations of the fleet. */
static double rate_deviation(const struct plant *p, const struct plant_string *s,
	uint64_t unit_key, double *ln)
{
	const struct battery_model *m = p->model;
	double block = m->rate_sigma_block, string = m->rate_sigma_string,
	       site = m->rate_sigma_site;
	double sigma = sqrt(block * block + string * string + site * site);
	*ln = block * rng_normal(unit_key, DRAW_RATE) + string * rng_normal(s->key, 0) +
	      site * rng_normal(p->sites[s->site].key, 0);
	return sigma > 0 ? *ln / sigma : 0;
}

static struct battery_nature draw_nature(const struct plant *p,
	const struct plant_string *s, uint64_t key, uint64_t place_key, double ln_rate)
{
	const struct battery_model *m = p->model;
	double z = rng_normal(key, DRAW_CAPACITY), rho = m->capacity_r0_correlation;
	double z_r0 = rho * z + sqrt(1 - rho * rho) * rng_normal(key, DRAW_R0);

	return (struct battery_nature){
		.soh_new_pct = 100 * (1 + m->capacity_sigma * z),
		.r0_new_mohm = m->r0_mohm * exp(m->r0_sigma * z_r0),
		.i0_factor = exp(m->ln_i0_sigma * rng_normal(key, DRAW_I0)),
		.rate_per_day = exp(ln_rate) / (m->weibull_scale_years * 365.25),
		.r0_scatter = exp(m->r0_growth_sigma * rng_normal(key, DRAW_SCATTER)),
		.cause = draw_cause(key),
		.rack_k = 0.8 + 0.6 * rng_normal(place_key, DRAW_RACK),
	};
}

struct battery_nature unit_successor(
	const struct plant *p, const struct plant_string *s, int i)
{
	const struct plant_jar *j = &s->jars[i];
	uint64_t key = rng_key(j->key, (uint64_t)j->unit + 2);
	double ln;
	rate_deviation(p, s, key, &ln);
	return draw_nature(p, s, key, j->key, ln);
}

/* Sudden failures come at a constant rate, infant mortality as Weibull's law has it. */
static int64_t draw_hard_failure(
	const struct battery_model *m, uint64_t key, int64_t installed)
{
	double sudden = -log(rng_uniform(key, DRAW_SUDDEN)) / m->sudden_per_year;
	double infant = m->infant_scale_years *
			pow(-log(rng_uniform(key, DRAW_INFANT)), 1 / m->infant_shape);
	return installed + (int64_t)(fmin(fmin(sudden, infant), 1000) * YEAR_MS);
}

static void name_unit(struct plant_jar *j, uint64_t key)
{
	struct civil c;
	time_to_civil(j->manufactured, &c);
	memcpy(j->predecessor, j->serial, sizeof(j->predecessor));
	snprintf(j->serial, sizeof(j->serial), "SN%04d%02d%06u", c.year % 10000,
		c.month, (unsigned)(rng_bits(key, DRAW_SERIAL) % 1000000));
}

static void by_the_book(const struct battery_model *m, const struct fleet_jar *book,
	struct battery_nature *n)
{
	if (!isnan(book->initial_capacity_ah))
		n->soh_new_pct =
			100 * (double)book->initial_capacity_ah / m->capacity_ah;
	if (!isnan(book->initial_resistance_mohm))
		n->r0_new_mohm = (double)book->initial_resistance_mohm;
}

void unit_install(const struct plant *p, struct plant_string *s, int i, int64_t when)
{
	struct plant_jar *j = &s->jars[i];
	struct battery_block *b = &s->blocks[i];
	uint64_t key = rng_key(j->key, (uint64_t)j->unit + 1);
	double ln, z = rate_deviation(p, s, key, &ln);
	double temperature = b->temperature_c;

	*b = (struct battery_block){.nature = draw_nature(p, s, key, j->key, ln)};
	if (j->book && j->unit == 0)
		by_the_book(p->model, j->book, &b->nature);
	b->soc = 1 - 1e-7;
	b->temperature_c = temperature;
	battery_block_refresh(p->model, b);
	j->rate_class = z < CLASS_ACCELERATED ? rate_class_healthy
			: z < CLASS_FAILING   ? rate_class_accelerated
					      : rate_class_failing;
	j->installed = when;
	j->manufactured =
		when - (int64_t)(30 + 120 * rng_uniform(key, DRAW_SHELF)) * DAY_MS;
	j->hard_failure = draw_hard_failure(p->model, key, when);
	j->hard_cause = rng_uniform(key, DRAW_HARD_CAUSE) < 0.5 ? cause_internal_short
								: cause_open_circuit;
	j->worn = false;
	j->replace_at = TIME_NIL;
	j->test_ah = NAN;
	name_unit(j, key);
}

/* Installs a unit; when it is worn out or fails, is found and replaced. */
static int64_t install_for(const struct plant *p, struct plant_string *s, int i,
	int64_t when, double *per_day)
{
	struct plant_jar *j = &s->jars[i];
	const struct battery_block *b = &s->blocks[i];
	double room_c = p->sites[s->site].room.setpoint_c;

	unit_install(p, s, i, when);
	uint64_t key = rng_key(j->key, (uint64_t)j->unit + 1);
	double stress = ageing_stress(p->model, room_c + b->nature.rack_k + 0.3, 0);
	*per_day = b->nature.rate_per_day * stress + upkeep_cycling_per_day(p);
	double life_days = ageing_end(p->model, &b->nature) / *per_day;
	double found =
		FOUND_AFTER_DAYS[0] + (FOUND_AFTER_DAYS[1] - FOUND_AFTER_DAYS[0]) *
					      rng_uniform(key, DRAW_FOUND);
	int64_t end = when + (int64_t)((life_days + found) * (double)DAY_MS);
	if (j->hard_failure + 7 * DAY_MS < end)
		end = j->hard_failure + 7 * DAY_MS;
	return end / DAY_MS * DAY_MS;
}

/* The unit as it is now. */
static void age(const struct plant *p, struct plant_string *s, int i, int64_t now,
	int64_t end, double per_day)
{
	struct plant_jar *j = &s->jars[i];
	struct battery_block *b = &s->blocks[i];
	b->used = per_day * (double)(now - j->installed) / (double)DAY_MS;
	b->shorted = j->hard_failure <= now && j->hard_cause == cause_internal_short;
	b->open = j->hard_failure <= now && j->hard_cause == cause_open_circuit;
	if (j->hard_failure <= now)
		j->replace_at = (end > now ? end : now / DAY_MS * DAY_MS + DAY_MS) +
				9 * HOUR_MS;
	battery_block_refresh(p->model, b);
}

/*
 * A unit the book says is there has lasted until now: of the lives that could be, the
 * first that has. One so old that hardly any lasts is worn out.
 */
static void unit_of_the_book(
	const struct plant *p, struct plant_string *s, int i, int64_t now)
{
	struct plant_jar *j = &s->jars[i];
	int64_t when = j->book->installed < now ? j->book->installed : now, end;
	uint64_t key = j->key;
	double per_day;
	int k = 0;
	do {
		j->key = k ? rng_key(key, (uint64_t)(BOOK_STREAM + k)) : key;
		end = install_for(p, s, i, when, &per_day);
	} while (end <= now && ++k < BOOK_TRIES);
	age(p, s, i, now, end, per_day);
}

void unit_history(const struct plant *p, struct plant_string *s, int i, int64_t now)
{
	struct plant_jar *j = &s->jars[i];
	int64_t when = s->installed;
	double per_day;

	if (j->book && j->book->installed != TIME_NIL) {
		unit_of_the_book(p, s, i, now);
		return;
	}
	for (;;) {
		int64_t end = install_for(p, s, i, when, &per_day);
		if (end > now) {
			age(p, s, i, now, end, per_day);
			return;
		}
		j->unit++;
		when = end;
	}
}
