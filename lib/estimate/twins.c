#include "estimate/twins_state.h"
#include "base/grow.h"
#include "battery/rate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *const DEFAULT_MODEL = "hx12-120";
/* A string's current is believed for its jars this long [E]. */
static const int64_t STRING_AGE_MS = 15 * MINUTE_MS;
/* Changes worth a state before its refresh is due. */
static const double SOC_NEWS = 0.005, LNR0_NEWS = 0.01;

struct twins *twins_new(const struct twins_options *o, struct err *err)
{
	struct twins *f = calloc(1, sizeof(*f));
	struct battery_model check;
	if (!f) {
		err_nomem(err);
		return NULL;
	}
	f->o = *o;
	if (!f->o.model)
		f->o.model = DEFAULT_MODEL;
	if (battery_model_find(f->o.model, &check, err)) {
		free(f);
		return NULL;
	}
	return f;
}

void twins_free(struct twins *f)
{
	if (!f)
		return;
	roster_release(&f->roster);
	ids_release(&f->model_ids);
	free(f->models);
	free(f->usable);
	free(f->entries);
	free(f->strings);
	kin_release(&f->kin);
	free(f);
}

/* ---- battery models ---- */

/* A model file for another capacity of the same kind of block: R·C is constant. */
static void scale_model(struct battery_model *m, double capacity_ah)
{
	double x = capacity_ah / m->capacity_ah;
	m->capacity_ah = capacity_ah;
	m->r0_mohm /= x;
	m->r1_mohm /= x;
	m->r2_mohm /= x;
	m->diffusion_mohm /= x;
	m->acceptance_mohm /= x;
	m->acceptance_soc_mohm /= x;
	m->activation_a *= x;
	m->surface_f *= x;
}

/*
 * The parameters for batteries of that name: its file, or else the --model file, scaled
 * to the rating its master record gives. A block of another nominal voltage has none.
 */
static bool model_load(struct twins *f, const char *name, struct battery_model *m)
{
	struct err err = {0};
	bool chosen = battery_model_find(f->o.model, m, &err) == 0;
	/* The file a user names stands for the type it describes. */
	if (chosen && strcasecmp(name, m->name) == 0)
		return true;
	if (*name && battery_model_named(name, m, &err) == 0)
		return true;
	if (battery_model_find(f->o.model, m, &err))
		return false;
	const struct roster_model *r = *name ? roster_model(&f->roster, name) : NULL;
	if (r && fabs(r->nominal_voltage_v - m->nominal_voltage_v) > 1)
		return false;
	if (r && r->capacity_ah > 0)
		scale_model(m, r->capacity_ah);
	if (*name)
		snprintf(f->warning, sizeof(f->warning),
			"no model file for '%s': estimating with '%s' at %g Ah", name,
			f->o.model, m->capacity_ah);
	return true;
}

uint16_t twins_model(struct twins *f, const char *name)
{
	uint32_t known = (uint32_t)f->model_ids.n;
	uint32_t id = ids_intern(&f->model_ids, str_of(name));
	if (id == IDS_NONE || id >= UINT16_MAX - 1)
		return 0;
	if (id < known)
		return (uint16_t)(id + 1);
	size_t cap = f->cap_models;
	if (grow(&f->models, &cap, id, sizeof(*f->models)) < 0 ||
		grow(&f->usable, &f->cap_models, id, sizeof(*f->usable)) < 0)
		return 0;
	f->usable[id] = model_load(f, name, &f->models[id]);
	if (!f->usable[id])
		snprintf(f->warning, sizeof(f->warning),
			"no model file for '%s', and '%s' is no stand-in: its "
			"batteries "
			"get no twin; add schemas/models/%s.ini",
			name, f->o.model, name);
	return (uint16_t)(id + 1);
}

/* ---- batteries ---- */

static double since_days(int64_t from, int64_t to)
{
	return from == TIME_NIL ? NAN : fmax(0, (double)(to - from) / DAY_MS);
}

static void entry_start(struct twins *f, struct entry *e,
	const struct roster_battery *b, const struct rec_telemetry *t, int reset)
{
	struct twin_origin o = {.age_days = since_days(b->installed, t->ts),
		.initial_capacity_ah = b->initial_capacity_ah,
		.initial_resistance_mohm = b->initial_resistance_mohm,
		.temperature_c = t->temperature_c};
	if (isnan(o.age_days) && b->replaced != TIME_NIL)
		o.age_days = since_days(b->replaced, t->ts);
	twin_init(&e->twin, &f->models[e->model - 1], &o, reset);
	e->plausible = (struct plausible){0};
	e->unit = b->unit;
	e->kin = (struct kin_word){0};
	e->last_state = e->last_rul = TIME_NIL;
	e->mode = ENUM_NIL;
}

/* The entry of battery id, with its twin ready; NULL when out of memory. */
static struct entry *entry_of(
	struct twins *f, uint32_t id, const struct rec_telemetry *t)
{
	if (grow(&f->entries, &f->cap_entries, id, sizeof(*f->entries)) < 0)
		return NULL;
	struct entry *e = &f->entries[id];
	const struct roster_battery *b = &f->roster.batteries[id];
	if (e->model && e->unit == b->unit)
		return e;
	bool replaced = e->model != 0;
	e->model = twins_model(f, b->model);
	if (!e->model)
		return NULL;
	e->hopeless = !f->usable[e->model - 1];
	entry_start(f, e, b, t, replaced ? twin_reset_replacement : twin_reset_none);
	return e;
}

/* The load an autonomy is for: what it carries now, else what it is there to carry. */
static double load_of(
	const struct twins *f, const struct entry *e, const struct roster_battery *b)
{
	if (e->twin.regime == TWIN_DISCHARGE)
		return -(double)e->twin.current_a;
	if (b->string < f->roster.string_ids.n) {
		const char *system = f->roster.strings[b->string].system;
		const struct roster_system *s = roster_system(&f->roster, system);
		if (s && s->design_load_a > 0)
			return s->design_load_a;
	}
	if (f->o.load_a > 0)
		return f->o.load_a;
	return f->models[e->model - 1].capacity_ah / 10;
}

/* ---- learning from other records ---- */

bool twins_wants(int kind)
{
	return roster_wants(kind) || kind == KIND_string_telemetry ||
	       kind == KIND_capacity_test || kind == KIND_impedance;
}

static int learn_string(struct twins *f, const struct rec_string_telemetry *s)
{
	uint32_t id = roster_string(&f->roster, s->string);
	if (id == IDS_NONE)
		return -1;
	if (grow(&f->strings, &f->cap_strings, id, sizeof(*f->strings)) < 0)
		return -1;
	struct string_current *c = &f->strings[id];
	const int bad =
		BIT(quality_sentinel) | BIT(quality_stuck) | BIT(quality_current_range);
	bool good = s->quality == BITS_NIL || !(s->quality & bad);
	if (good && !isnan(s->current_a)) {
		c->ts = s->ts;
		c->current_a = s->current_a;
	}
	if (good && !isnan(s->float_current_a)) {
		c->float_ts = s->ts;
		c->float_a = s->float_current_a;
	}
	return 0;
}

/* The battery of that code if it has a twin. */
static struct entry *known(struct twins *f, struct str code)
{
	uint32_t id = ids_find(&f->roster.battery_ids, code);
	struct entry *e =
		id == IDS_NONE || id >= f->cap_entries ? NULL : &f->entries[id];
	return e && e->model && !e->hopeless ? e : NULL;
}

/* What a test of a string took out, each of its jars has given. */
static void learn_depth(struct twins *f, const struct rec_capacity_test *t)
{
	uint32_t string = ids_find(&f->roster.string_ids, t->subject);
	if (string == IDS_NONE)
		return;
	double ah = fabs((double)t->rate_a) * (double)t->duration_min / 60;
	if (isnan(ah))
		ah = t->measured_capacity_ah;
	for (size_t i = 0; i < f->roster.battery_ids.n && i < f->cap_entries; i++) {
		struct entry *e = &f->entries[i];
		if (f->roster.batteries[i].string == string && e->model && !e->hopeless)
			twin_tested(&e->twin, &f->models[e->model - 1], t->ts, ah);
	}
}

/* A string's test measures its weakest jar, and does not say which: only a jar's own
 * test is a measurement of it. */
static void learn_test(struct twins *f, const struct rec_capacity_test *t)
{
	learn_depth(f, t);
	struct entry *e = known(f, t->subject);
	if (!e || isnan(t->measured_capacity_ah))
		return;
	const struct battery_model *m = &f->models[e->model - 1];
	twin_capacity(&e->twin, m, battery_tested_ah(m, t), TWIN_TEST_STD);
}

/* A reading by hand, which the instrument has brought to 25 degC. */
static void learn_impedance(struct twins *f, const struct rec_impedance *r)
{
	struct entry *e = known(f, r->battery);
	if (e && !isnan(r->corrected_mohm))
		twin_impedance(&e->twin, &f->models[e->model - 1], r->corrected_mohm);
}

/* A block of another string than was thought has other kin. */
static int learn_roster(struct twins *f, int kind, const void *rec)
{
	uint32_t id = IDS_NONE, string = IDS_NONE;
	if (kind == KIND_battery)
		id = ids_find(&f->roster.battery_ids,
			((const struct rec_battery *)rec)->code);
	if (id < f->cap_entries)
		string = f->roster.batteries[id].string;
	if (roster_learn(&f->roster, kind, rec, NULL) < 0)
		return -1;
	if (id < f->cap_entries && f->roster.batteries[id].string != string)
		f->entries[id].kin = (struct kin_word){0};
	return 0;
}

int twins_learn(struct twins *f, int kind, const void *rec, struct err *err)
{
	if (kind == KIND_string_telemetry)
		return learn_string(f, rec) ? err_nomem(err) : 0;
	if (kind == KIND_capacity_test) {
		learn_test(f, rec);
		return 0;
	}
	if (kind == KIND_impedance) {
		learn_impedance(f, rec);
		return 0;
	}
	return learn_roster(f, kind, rec) ? err_nomem(err) : 0;
}

/* ---- samples ---- */

static bool fresh(int64_t ts, int64_t now)
{
	return ts <= now && now - ts <= STRING_AGE_MS;
}

/* The sample as the twin takes it: what quality doubts is missing. */
static struct twin_sample sample_of(
	const struct twins *f, uint32_t string, const struct rec_telemetry *t)
{
	int q = t->quality == BITS_NIL ? 0 : t->quality;
	const int no_voltage = BIT(quality_voltage_range) | BIT(quality_sentinel) |
			       BIT(quality_stuck) | BIT(quality_stale);
	struct twin_sample s = {.ts = t->ts,
		.voltage_v = q & no_voltage ? NAN : t->voltage_v,
		.current_a = q & BIT(quality_current_range) ? NAN : t->current_a,
		.temperature_c =
			q & (BIT(quality_temperature_range) | BIT(quality_sentinel))
				? NAN
				: t->temperature_c,
		.resistance_mohm =
			q & (BIT(quality_resistance_range) | BIT(quality_sentinel) |
				    BIT(quality_stuck))
				? NAN
				: t->resistance_mohm,
		.float_a = NAN};
	if (string < f->cap_strings) {
		const struct string_current *c = &f->strings[string];
		if (isnan(s.current_a) && c->ts && fresh(c->ts, t->ts))
			s.current_a = c->current_a;
		if (c->float_ts && fresh(c->float_ts, t->ts))
			s.float_a = c->float_a;
	}
	return s;
}

/* Takes out of s what no battery does; why, or NULL. */
static const char *judge(
	struct entry *e, const struct battery_model *m, struct twin_sample *s)
{
	struct plausible_sample p = {s->ts, s->voltage_v, s->current_a,
		s->temperature_c, s->resistance_mohm};
	const char *why = plausible_text(plausible_check(&e->plausible, m, &p));
	s->voltage_v = p.voltage_v;
	s->current_a = p.current_a;
	s->temperature_c = p.temperature_c;
	s->resistance_mohm = p.resistance_mohm;
	return why;
}

/* A state is due: something changed, or the last one is old. */
static bool state_due(const struct twins *f, const struct entry *e, int mode)
{
	const struct twin *w = &e->twin;
	if (e->last_state == TIME_NIL || w->reset != twin_reset_none || mode != e->mode)
		return true;
	bool discharging = w->regime == TWIN_DISCHARGE;
	if (discharging != e->discharging)
		return true;
	int64_t age = w->ts - e->last_state;
	if (age < f->o.every_ms)
		return false;
	return age >= f->o.refresh_ms ||
	       fabs(w->ekf.x[EKF_SOC] - e->last_soc) >= SOC_NEWS ||
	       fabs(w->ekf.x[EKF_LNR0] - e->last_lnr0) >= LNR0_NEWS;
}

/* The life left, by what its kin have told, who are told in turn. 0, or -1 when out of
 * memory. */
static int tell_rul(struct twins *f, struct entry *e, const struct roster_battery *b,
	const struct rec_telemetry *t, struct twins_news *news)
{
	const struct battery_model *m = &f->models[e->model - 1];
	struct wear *a = &e->twin.wear;
	struct wear_rate now,
		by_kin = kin_rate(&f->kin, m, e->model, b->string, &e->kin);
	a->rate_mean = (float)by_kin.mean;
	a->rate_var = (float)by_kin.var;
	belief_rul(&e->twin, m, &news->rul, &now);
	news->has_rul = true;
	news->rul.battery = t->battery;
	news->rul.unit = e->unit;
	e->last_rul = e->twin.ts;
	/* Of one whose age is not known, the rate is not either. */
	if (isnan(a->age_days) || b->string == IDS_NONE)
		return 0;
	return kin_tell(
		&f->kin, m, e->model, b->string, t->battery, by_kin, now, &e->kin);
}

static int tell_state(struct twins *f, struct entry *e, const struct roster_battery *b,
	const struct rec_telemetry *t, struct twins_news *news)
{
	const struct battery_model *m = &f->models[e->model - 1];
	belief_state(&e->twin, m, &f->o.tuning, load_of(f, e, b), &news->state);
	news->has_state = true;
	news->state.battery = t->battery;
	news->state.unit = e->unit;
	e->last_state = e->twin.ts;
	e->last_soc = (float)e->twin.ekf.x[EKF_SOC];
	e->last_lnr0 = (float)e->twin.ekf.x[EKF_LNR0];
	e->mode = (int8_t)t->mode;
	e->discharging = e->twin.regime == TWIN_DISCHARGE;
	e->twin.reset = twin_reset_none;
	if (e->last_rul != TIME_NIL && e->twin.ts >= e->last_rul &&
		e->twin.ts - e->last_rul < f->o.rul_every_ms)
		return 0;
	return tell_rul(f, e, b, t, news);
}

int twins_sample(struct twins *f, const struct rec_telemetry *t,
	struct twins_news *news, struct err *err)
{
	news->has_state = news->has_rul = false;
	news->unused = news->warning = NULL;
	f->warning[0] = '\0';
	uint32_t id = roster_battery(&f->roster, t->battery);
	struct entry *e = id == IDS_NONE ? NULL : entry_of(f, id, t);
	if (!e)
		return err_nomem(err);
	if (f->warning[0])
		news->warning = f->warning;
	if (e->hopeless) {
		news->unused = "its battery model has no file to estimate with";
		return 0;
	}
	if (t->quality != BITS_NIL && (t->quality & BIT(quality_duplicate))) {
		news->unused = "a duplicate";
		return 0;
	}
	const struct roster_battery *b = &f->roster.batteries[id];
	struct twin_sample s = sample_of(f, b->string, t);
	const struct battery_model *m = &f->models[e->model - 1];
	news->unused = judge(e, m, &s);
	if (twin_step(&e->twin, m, &f->o.tuning, &s) == TWIN_BACKWARDS) {
		news->unused = "time does not go forward";
		return 0;
	}
	if (e->twin.started && e->twin.ts == t->ts && state_due(f, e, t->mode) &&
		tell_state(f, e, b, t, news) < 0)
		return err_nomem(err);
	return 0;
}

size_t twins_batteries(const struct twins *f)
{
	return f->roster.battery_ids.n;
}

size_t twins_bytes_per_battery(void)
{
	return sizeof(struct entry);
}
