#include "site/roster.h"
#include "base/grow.h"

#include <math.h>
#include <stdlib.h>

uint32_t roster_string(struct roster *r, struct str code)
{
	uint32_t id = ids_find(&r->string_ids, code);
	if (id != IDS_NONE || !code.s)
		return id;
	if (grow(&r->strings, &r->cap_strings, r->string_ids.n, sizeof(*r->strings)) <
		0)
		return IDS_NONE;
	id = ids_intern(&r->string_ids, code);
	if (id == IDS_NONE)
		return IDS_NONE;
	struct roster_string *s = &r->strings[id];
	*s = (struct roster_string){.batteries = 0};
	str_copy(s->system, sizeof(s->system), code_system(code));
	str_copy(s->site, sizeof(s->site), code_site(code));
	return id;
}

uint32_t roster_battery(struct roster *r, struct str code)
{
	uint32_t id = ids_find(&r->battery_ids, code);
	if (id != IDS_NONE || !code.s)
		return id;
	uint32_t string_id = roster_string(r, code_string(code));
	if (string_id == IDS_NONE)
		return IDS_NONE;
	if (grow(&r->batteries, &r->cap_batteries, r->battery_ids.n,
		    sizeof(*r->batteries)) < 0)
		return IDS_NONE;
	id = ids_intern(&r->battery_ids, code);
	if (id == IDS_NONE)
		return IDS_NONE;
	r->batteries[id] = (struct roster_battery){
		.string = string_id,
		.installed = TIME_NIL,
		.replaced = TIME_NIL,
		.initial_capacity_ah = NAN,
		.initial_resistance_mohm = NAN,
	};
	return id;
}

const struct roster_system *roster_system(const struct roster *r, const char *code)
{
	uint32_t id = ids_find(&r->system_ids, str_of(code));
	return id == IDS_NONE ? NULL : &r->systems[id];
}

const struct roster_model *roster_model(const struct roster *r, const char *name)
{
	uint32_t id = ids_find(&r->model_ids, str_of(name));
	return id == IDS_NONE ? NULL : &r->models[id];
}

static bool within_a_day(int64_t a, int64_t b)
{
	return a != TIME_NIL && b != TIME_NIL && a < b + DAY_MS && b < a + DAY_MS;
}

/* A master record of a block that has been replaced since. */
static bool outdated(const struct roster_battery *b, const struct rec_battery *rec)
{
	if (rec->unit != INT_NIL)
		return rec->unit < b->unit;
	return b->replaced != TIME_NIL && rec->installed != TIME_NIL &&
	       rec->installed < b->replaced &&
	       !within_a_day(rec->installed, b->replaced);
}

static int learn_battery(
	struct roster *r, const struct rec_battery *rec, uint32_t *replaced)
{
	bool known = ids_find(&r->battery_ids, rec->code) != IDS_NONE;
	uint32_t id = roster_battery(r, rec->code);
	if (id == IDS_NONE)
		return -1;
	struct roster_battery *b = &r->batteries[id];
	if (outdated(b, rec))
		return 0;
	if (rec->unit != INT_NIL && rec->unit != b->unit) {
		b->unit = rec->unit;
		b->replaced = rec->installed;
		if (known)
			*replaced = id;
	}
	if (rec->string.s && (b->string = roster_string(r, rec->string)) == IDS_NONE)
		return -1;
	if (rec->model.s)
		str_copy(b->model, sizeof(b->model), rec->model);
	b->installed = rec->installed;
	b->initial_capacity_ah = rec->initial_capacity_ah;
	b->initial_resistance_mohm = rec->initial_resistance_mohm;
	return 0;
}

static int learn_event(
	struct roster *r, const struct rec_event *rec, uint32_t *replaced)
{
	if (rec->type != event_type_replacement ||
		rec->status != event_status_completed)
		return 0;
	if (!code_split(rec->subject).jar.s &&
		ids_find(&r->battery_ids, rec->subject) == IDS_NONE)
		return 0;
	uint32_t id = roster_battery(r, rec->subject);
	if (id == IDS_NONE)
		return -1;
	struct roster_battery *b = &r->batteries[id];
	int64_t when = rec->end_ts != TIME_NIL ? rec->end_ts : rec->ts;
	if (within_a_day(b->replaced, when))
		return 0;
	b->unit++;
	b->replaced = b->installed = when;
	b->initial_capacity_ah = b->initial_resistance_mohm = NAN;
	*replaced = id;
	return 0;
}

static int learn_string(struct roster *r, const struct rec_string *rec)
{
	uint32_t id = roster_string(r, rec->code);
	if (id == IDS_NONE)
		return -1;
	struct roster_string *s = &r->strings[id];
	if (rec->system.s) {
		str_copy(s->system, sizeof(s->system), rec->system);
		str_copy(s->site, sizeof(s->site), code_site(rec->system));
	}
	if (rec->batteries != INT_NIL)
		s->batteries = rec->batteries;
	return 0;
}

static int learn_system(struct roster *r, const struct rec_system *rec)
{
	if (grow(&r->systems, &r->cap_systems, r->system_ids.n, sizeof(*r->systems)) <
		0)
		return -1;
	uint32_t id = ids_intern(&r->system_ids, rec->code);
	if (id == IDS_NONE)
		return -1;
	r->systems[id] = (struct roster_system){
		.design_load_a = rec->design_load_a,
		.required_autonomy_min = rec->required_autonomy_min,
	};
	return 0;
}

static int learn_model(struct roster *r, const struct rec_battery_model *rec)
{
	if (grow(&r->models, &r->cap_models, r->model_ids.n, sizeof(*r->models)) < 0)
		return -1;
	uint32_t id = ids_intern(&r->model_ids, rec->name);
	if (id == IDS_NONE)
		return -1;
	r->models[id] = (struct roster_model){
		.capacity_ah = rec->capacity_ah,
		.nominal_voltage_v = rec->nominal_voltage_v,
		.eol_pct = rec->eol_pct,
		.float_min_v = rec->float_min_v,
		.float_max_v = rec->float_max_v,
		.temp_warning_c = rec->temp_warning_c,
		.temp_critical_c = rec->temp_critical_c,
	};
	return 0;
}

bool roster_wants(int kind)
{
	return kind == KIND_battery || kind == KIND_string || kind == KIND_system ||
	       kind == KIND_battery_model || kind == KIND_event;
}

int roster_learn(struct roster *r, int kind, const void *rec, uint32_t *replaced)
{
	uint32_t unused;
	if (!replaced)
		replaced = &unused;
	*replaced = IDS_NONE;
	if (kind == KIND_battery)
		return learn_battery(r, rec, replaced);
	if (kind == KIND_string)
		return learn_string(r, rec);
	if (kind == KIND_system)
		return learn_system(r, rec);
	if (kind == KIND_battery_model)
		return learn_model(r, rec);
	if (kind == KIND_event)
		return learn_event(r, rec, replaced);
	return 0;
}

void roster_release(struct roster *r)
{
	ids_release(&r->battery_ids);
	ids_release(&r->string_ids);
	ids_release(&r->system_ids);
	ids_release(&r->model_ids);
	free(r->batteries);
	free(r->strings);
	free(r->systems);
	free(r->models);
	*r = (struct roster){0};
}
