#include "base/grow.h"
#include "battery/model.h"
#include "ingest/cell.h"
#include "ingest/classic_parts.h"

#include <math.h>
#include <stdlib.h>

/* The number of a string, with a state of its own. IDS_NONE: out of memory. */
static uint32_t string_number(struct classic *c, struct str code)
{
	size_t before = c->strings.n;
	uint32_t i = ids_intern(&c->strings, code);
	if (i == IDS_NONE ||
		grow(&c->states, &c->cap_states, i, sizeof(*c->states)) < 0)
		return IDS_NONE;
	if (c->strings.n > before)
		c->states[i] = (struct string_state){.limits = LIMITS_NONE,
			.ts = TIME_NIL,
			.calc_ts = TIME_NIL,
			.current_a = NAN,
			.mode = ENUM_NIL};
	return i;
}

/* Fills in the limits of a model the model files know. */
static int learn_model(struct classic *c, struct rec_battery_model *r, struct err *err)
{
	char name[CODE_MAX + 1];
	struct err unknown = {0};
	str_copy(name, sizeof(name), r->name);
	uint32_t i = ids_intern(&c->models, r->name);
	if (i == IDS_NONE ||
		grow(&c->limits, &c->cap_limits, i, sizeof(*c->limits)) < 0)
		return err_nomem(err);
	struct battery_model *m = malloc(sizeof(*m));
	if (!m)
		return err_nomem(err);
	if (battery_model_named(name, m, &unknown) == 0) {
		const struct kind_info *info = kind_info(KIND_battery_model);
		struct rec_battery_model full;
		battery_model_record(m, &full);
		limits_of_model(m, &c->limits[i].limits);
		c->limits[i].known = true;
		for (int f = 0; f < info->nfields; f++)
			if (info->fields[f].type == T_F32 &&
				cell_missing(&info->fields[f],
					(const union rec_any *)(const void *)r))
				memcpy((char *)r + info->fields[f].offset,
					(const char *)&full + info->fields[f].offset,
					sizeof(float));
	}
	free(m);
	return 0;
}

static int learn_battery(
	struct classic *c, const struct rec_battery *r, struct err *err)
{
	uint32_t i = ids_intern(&c->batteries, r->code);
	if (i == IDS_NONE ||
		grow(&c->model_of, &c->cap_model_of, i, sizeof(*c->model_of)) < 0 ||
		grow(&c->string_of, &c->cap_string_of, i, sizeof(*c->string_of)) < 0 ||
		grow(&c->units, &c->cap_units, i, sizeof(*c->units)) < 0)
		return err_nomem(err);
	c->model_of[i] = r->model.s ? ids_find(&c->models, r->model) : IDS_NONE;
	c->string_of[i] = r->string.s ? string_number(c, r->string) : IDS_NONE;
	return 0;
}

static int learn(struct classic *c, int kind, union rec_any *rec, struct err *err)
{
	if (kind == KIND_battery_model)
		return learn_model(c, &rec->battery_model, err);
	if (kind == KIND_battery)
		return learn_battery(c, &rec->battery, err);
	if (kind == KIND_string && string_number(c, rec->string.code) == IDS_NONE)
		return err_nomem(err);
	return 0;
}

/*
 * A unit of a position. The first one known is there from the beginning, whatever
 * became of it later; each that follows comes when it was installed. A row without that
 * date only says that there was one before. 1; 0: not kept; -1.
 */
static int keep_unit(struct classic *c, const struct kind_info *info,
	struct rec_battery *r, struct err *err)
{
	struct units *u = &c->units[ids_find(&c->batteries, r->code)];
	bool before = u->known;
	r->unit = u->n++;
	if (r->status == battery_status_replaced && r->installed == TIME_NIL)
		return 0;
	if (r->status == battery_status_replaced) {
		r->status = battery_status_active;
		r->replaced = r->unit > 0 ? r->installed : TIME_NIL;
	}
	u->known = true;
	struct keep *to = before && r->installed != TIME_NIL ? &c->events : &c->masters;
	if (!keep_add(to, info, r, err))
		return -1;
	if (to == &c->events)
		to->v[to->n - 1].ts = r->installed;
	return 1;
}

/* As keep_unit, of any master record. */
static int keep_master(struct classic *c, const struct kind_info *info,
	union rec_any *rec, struct err *err)
{
	if (info->kind == KIND_battery)
		return keep_unit(c, info, &rec->battery, err);
	return keep_add(&c->masters, info, rec, err) ? 1 : -1;
}

/* Limits of a string: those of its batteries, in series. */
static void limit_string(struct classic *c, const struct rec_battery *b)
{
	uint32_t i = ids_find(&c->batteries, b->code);
	uint32_t m = c->model_of[i], s = c->string_of[i];
	if (m == IDS_NONE || s == IDS_NONE || !c->limits[m].known)
		return;
	struct limits *l = &c->states[s].limits;
	const struct limits *one = &c->limits[m].limits;
	bool first = isnan(l->voltage_hard_max_v);
	l->voltage_hard_min_v =
		(first ? 0 : l->voltage_hard_min_v) + one->voltage_hard_min_v;
	l->voltage_hard_max_v =
		(first ? 0 : l->voltage_hard_max_v) + one->voltage_hard_max_v;
	l->voltage_plausible_min_v =
		(first ? 0 : l->voltage_plausible_min_v) + one->voltage_plausible_min_v;
	l->voltage_plausible_max_v =
		(first ? 0 : l->voltage_plausible_max_v) + one->voltage_plausible_max_v;
	l->current_max_a = one->current_max_a;
}

int classic_read_masters(struct classic *c, struct err *err)
{
	static const char *const names[] = {"location", "battery_model",
		"battery_system", "string", "battery", "environmental_sensor"};
	union rec_any rec;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct source *s;
		int64_t unused = 0;
		int r = classic_open_file(c, names[i], "master data", &s, err);
		while (r > 0 && (r = source_next(s, &rec, err)) > 0) {
			int kept = learn(c, s->m.kind, &rec, err);
			if (kept == 0)
				kept = keep_master(c, s->m.info, &rec, err);
			unused += kept == 0;
			r = kept < 0 ? -1 : 1;
		}
		if (s)
			classic_account(c, s, unused);
		source_free(s);
		if (r < 0)
			return -1;
	}
	for (size_t i = 0; i < c->masters.n; i++)
		if (c->masters.v[i].kind == KIND_battery)
			limit_string(c, c->masters.v[i].rec);
	return 0;
}
