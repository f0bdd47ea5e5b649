/* Rows that are written as they come: samples and the states of batteries. */
#include "export/parts.h"

#include <math.h>

static float conductance(float mohm)
{
	return mohm > 0 ? 1000 / mohm : NAN;
}

/* The state known at that very moment: one that is older says nothing of the charge. */
static const struct state *state_at(const struct position *p, int64_t ts)
{
	if (p->twin.ts == ts)
		return &p->twin;
	return p->truth.ts == ts ? &p->truth : NULL;
}

int export_telemetry(struct export *d, const void *rec, struct err *err)
{
	const struct rec_telemetry *t = rec;
	struct out *o = &d->out[LAYOUT_JAR_RAW];
	const struct position *p = export_position(d, t->battery);
	if (!p)
		return err_nomem(err);
	const struct state *s = state_at(p, t->ts);
	out_time(o, &d->clock, t->ts);
	out_text(o, p->key);
	out_milli(o, (double)t->voltage_v);
	out_milli(o, (double)t->temperature_c);
	out_milli(o, (double)t->resistance_mohm);
	out_milli(o, (double)conductance(t->resistance_mohm));
	if (s) {
		out_milli(o, (double)s->soc_pct);
		out_milli(o, (double)s->soh_pct);
	}
	return out_row(o, err);
}

static int string_calc(struct export *d, const struct rec_string_telemetry *t,
	const char *key, struct err *err)
{
	struct out *o = &d->out[LAYOUT_STRING_CALC];
	if (isnan(t->power_w) && isnan(t->thd_pct))
		return 0;
	out_time(o, &d->clock, t->ts);
	out_text(o, key);
	out_milli(o, (double)t->power_w);
	out_milli(o, (double)t->thd_pct);
	return out_row(o, err);
}

int export_string(struct export *d, const void *rec, struct err *err)
{
	const struct rec_string_telemetry *t = rec;
	char key[EXPORT_KEY_SIZE];
	struct out *o = &d->out[LAYOUT_STRING_RAW];
	int flags = t->flags == BITS_NIL ? 0 : t->flags;
	if (ids_intern(&d->strings.codes, t->string) == IDS_NONE)
		return err_nomem(err);
	export_key(key, LAYOUT_STRING, t->string, 0);
	out_time(o, &d->clock, t->ts);
	out_text(o, key);
	out_milli(o, (double)t->voltage_v);
	out_milli(o, (double)t->current_a);
	out_text(o,
		export_word(KIND_string_telemetry, F_string_telemetry_mode, t->mode));
	out_milli(o, (double)t->ripple_voltage_rms_v);
	out_milli(o, (double)t->ripple_current_rms_a);
	out_bool(o, !!(flags & BIT(string_flags_equalize)));
	out_bool(o, !!(flags & BIT(string_flags_generator_test)));
	out_bool(o, !!(flags & BIT(string_flags_transfer)));
	if (out_row(o, err) < 0)
		return -1;
	return string_calc(d, t, key, err);
}

int export_environment(struct export *d, const void *rec, struct err *err)
{
	const struct rec_environment *e = rec;
	char key[EXPORT_KEY_SIZE];
	struct out *o = &d->out[LAYOUT_ENVIRONMENT];
	if (ids_intern(&d->sensors.codes, e->sensor) == IDS_NONE)
		return err_nomem(err);
	out_time(o, &d->clock, e->ts);
	out_text(o, export_key(key, LAYOUT_SENSOR, e->sensor, 0));
	out_milli(o, (double)e->temperature_c);
	out_milli(o, (double)e->humidity_pct);
	out_text(o, export_word(KIND_environment, F_environment_hvac, e->hvac));
	return out_row(o, err);
}

static int write_state(struct export *d, struct out *o, const struct position *p,
	const struct state *s, struct err *err)
{
	if (isnan(s->soc_pct) && isnan(s->soh_pct))
		return 0;
	out_time(o, &d->clock, s->ts);
	out_text(o, p->key);
	out_milli(o, (double)s->soc_pct);
	out_milli(o, (double)s->soh_pct);
	return out_row(o, err);
}

int export_truth(struct export *d, const void *rec, struct err *err)
{
	const struct rec_truth *t = rec;
	struct position *p = export_position(d, t->battery);
	if (!p)
		return err_nomem(err);
	bool again = p->truth.ts == t->ts, lives = t->censored != BOOL_NIL;
	struct state before = p->truth;
	p->truth = (struct state){.ts = t->ts,
		.soc_pct = t->soc_pct,
		.soh_pct = t->soh_pct,
		.capacity_ah = t->capacity_ah,
		.resistance_mohm = t->resistance_mohm,
		.rul_days = lives ? t->rul_days : before.rul_days,
		.cause = lives ? t->cause : before.cause,
		.known_life = lives || before.known_life};
	return again ? 0 : write_state(d, &d->calc_truth, p, &p->truth, err);
}

int export_twin(struct export *d, const void *rec, struct err *err)
{
	const struct rec_twin_state *t = rec;
	struct position *p = export_position(d, t->battery);
	if (!p)
		return err_nomem(err);
	p->twin = (struct state){.ts = t->ts,
		.soc_pct = t->soc_pct,
		.soh_pct = t->soh_pct,
		.capacity_ah = t->capacity_ah,
		.resistance_mohm = t->r0_mohm};
	d->twin_states++;
	return write_state(d, &d->out[LAYOUT_JAR_CALC], p, &p->twin, err);
}
