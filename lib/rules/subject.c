#include "rules/engine_impl.h"

#include "base/code.h"

#include <math.h>
#include <stdlib.h>

static int grow_lives(struct engine *e, enum subject_type t, size_t id)
{
	size_t size = sizeof(struct life) * (size_t)e->rules_of_type[t];
	return size ? grow(&e->lives[t], &e->cap_lives[t], id, size) : 0;
}

/* Room for the incidents of one more place. */
static int grow_open_of(struct engine *e, enum scope scope, size_t id)
{
	size_t size = sizeof(uint32_t) * (size_t)e->rules->n;
	return size ? grow(&e->open_of[scope], &e->cap_open_of[scope], id, size) : 0;
}

uint32_t engine_site(struct engine *e, struct str code)
{
	size_t before = e->sites.n;
	if (grow(&e->site_states, &e->cap_sites, before, sizeof(*e->site_states)) < 0 ||
		grow_open_of(e, SCOPE_SITE, before) < 0)
		return IDS_NONE;
	uint32_t id = ids_intern(&e->sites, code);
	if (id == before)
		e->site_states[id] = (struct site_state){.temperature_c = NAN,
			.felt_c = NAN,
			.ts = TIME_NIL,
			.first_string = IDS_NONE};
	return id;
}

uint32_t engine_system(struct engine *e, struct str code)
{
	size_t before = e->systems.n;
	if (grow(&e->system_site, &e->cap_system_site, before,
		    sizeof(*e->system_site)) < 0 ||
		grow(&e->system_causes, &e->cap_system_causes, before,
			sizeof(*e->system_causes)) < 0 ||
		grow_open_of(e, SCOPE_SYSTEM, before) < 0)
		return IDS_NONE;
	uint32_t id = ids_intern(&e->systems, code);
	if (id == before)
		e->system_site[id] = IDS_NONE;
	return id;
}

/* Which system and site the string is part of, by the roster. */
static int locate(struct engine *e, uint32_t string)
{
	struct string_state *s = &e->strings[string];
	struct str system = str_of(e->roster.strings[string].system);
	struct str site = str_of(e->roster.strings[string].site);
	if (site.len == 0)
		return 0;
	uint32_t number = engine_site(e, site);
	if (number == IDS_NONE)
		return -1;
	s->site = number;
	s->next_of_site = e->site_states[number].first_string;
	e->site_states[number].first_string = string;
	if (system.len == 0)
		return 0;
	if ((s->system = engine_system(e, system)) == IDS_NONE)
		return -1;
	e->system_site[s->system] = number;
	return 0;
}

uint32_t engine_string(struct engine *e, struct str code)
{
	uint32_t id = roster_string(&e->roster, code);
	if (id == IDS_NONE || id < e->n_strings)
		return id;
	size_t recent =
		sizeof(struct recent) * (size_t)e->rules_of_type[SUBJECT_BATTERY];
	if (grow(&e->strings, &e->cap_strings, id, sizeof(*e->strings)) < 0 ||
		grow_lives(e, SUBJECT_STRING, id) < 0 ||
		grow_open_of(e, SCOPE_STRING, id) < 0 ||
		(recent && grow(&e->recent, &e->cap_recent, id, recent) < 0))
		return IDS_NONE;
	for (; e->n_strings <= id; e->n_strings++) {
		struct string_state *s = &e->strings[e->n_strings];
		*s = (struct string_state){.seen = TIME_NIL,
			.member = IDS_NONE,
			.system = IDS_NONE,
			.site = IDS_NONE,
			.next_of_site = IDS_NONE,
			.disturbed = TIME_NIL,
			.planned = TIME_NIL,
			.temperature_c = NAN,
			.jar_mean_v = NAN,
			.hot_k = NAN,
			.hot_ts = TIME_NIL,
			.float_a = NAN,
			.float_base_a = NAN,
			.float_ts = TIME_NIL,
			.float_since = TIME_NIL};
		health_init(&s->health);
		if (locate(e, (uint32_t)e->n_strings) < 0)
			return IDS_NONE;
	}
	return id;
}

void battery_forget(struct engine *e, uint32_t battery)
{
	struct battery_state *b = &e->batteries[battery];
	struct health health = b->health;
	*b = (struct battery_state){.seen = b->seen,
		.interval_ms = b->interval_ms,
		.string = b->string,
		.model = -1,
		.resistance_mohm = NAN,
		.resistance_ts = TIME_NIL,
		.rul_seen = {TIME_NIL, TIME_NIL, TIME_NIL},
		.rul_ref = NAN,
		.rul_now = NAN,
		.rul_ref_ts = TIME_NIL,
		.rul_now_ts = TIME_NIL,
		.rul_source = ENUM_NIL,
		.imbalance_since = TIME_NIL,
		.health = health};
	health_restart(&b->health);
}

int engine_enlist(struct engine *e, uint32_t battery)
{
	struct battery_state *b = &e->batteries[battery];
	uint32_t string = e->roster.batteries[battery].string;
	int rank = health_rank(b->health.status);
	if (string == b->string || string == IDS_NONE)
		return 0;
	if (b->string != IDS_NONE) {
		e->strings[b->string].jars--;
		e->strings[b->string].ranks[rank]--;
	}
	struct str name = str_of(ids_name(&e->roster.string_ids, string));
	if (engine_string(e, name) == IDS_NONE)
		return -1;
	struct string_state *s = &e->strings[string];
	b->string = string;
	s->jars++;
	s->member = s->member == IDS_NONE ? battery : s->member;
	s->ranks[rank]++;
	return 0;
}

uint32_t engine_battery(struct engine *e, struct str code)
{
	uint32_t id = roster_battery(&e->roster, code);
	if (id == IDS_NONE || id < e->n_batteries)
		return id;
	if (grow(&e->batteries, &e->cap_batteries, id, sizeof(*e->batteries)) < 0 ||
		grow_lives(e, SUBJECT_BATTERY, id) < 0)
		return IDS_NONE;
	for (; e->n_batteries <= id; e->n_batteries++) {
		struct battery_state *b = &e->batteries[e->n_batteries];
		*b = (struct battery_state){.seen = TIME_NIL, .string = IDS_NONE};
		health_init(&b->health);
		battery_forget(e, (uint32_t)e->n_batteries);
		if (engine_enlist(e, (uint32_t)e->n_batteries) < 0)
			return IDS_NONE;
	}
	return id;
}

uint32_t engine_other(struct engine *e, struct str code)
{
	size_t before = e->others.n;
	if (grow_lives(e, SUBJECT_OTHER, before) < 0 ||
		grow(&e->other_seen, &e->cap_other_seen, before,
			sizeof(*e->other_seen)) < 0)
		return IDS_NONE;
	uint32_t id = ids_intern(&e->others, code);
	if (id == before)
		e->other_seen[id] = TIME_NIL;
	return id;
}

static struct str name_in(const struct ids *t, uint32_t id)
{
	return (struct str){ids_name(t, id), t->lens[id]};
}

struct subject subject_battery(const struct engine *e, uint32_t battery)
{
	return (struct subject){SUBJECT_BATTERY, battery, battery,
		e->batteries[battery].string, name_in(&e->roster.battery_ids, battery)};
}

struct subject subject_string(const struct engine *e, uint32_t string)
{
	return (struct subject){SUBJECT_STRING, string, IDS_NONE, string,
		name_in(&e->roster.string_ids, string)};
}

/* A sensor, or whatever an event or a test is about: maybe a battery or string. */
struct subject subject_other(const struct engine *e, uint32_t id)
{
	struct str code = name_in(&e->others, id);
	struct subject s = {SUBJECT_OTHER, id, IDS_NONE, IDS_NONE, code};
	uint32_t battery = ids_find(&e->roster.battery_ids, code);
	uint32_t string = ids_find(&e->roster.string_ids, code);
	if (battery < e->n_batteries) {
		s.battery = battery;
		s.string = e->batteries[battery].string;
	} else if (string < e->n_strings) {
		s.string = string;
	}
	return s;
}

struct subject subject_at(const struct engine *e, enum subject_type t, uint32_t id)
{
	return t == SUBJECT_BATTERY  ? subject_battery(e, id)
	       : t == SUBJECT_STRING ? subject_string(e, id)
				     : subject_other(e, id);
}

size_t engine_subjects(const struct engine *e, enum subject_type t)
{
	return t == SUBJECT_BATTERY  ? e->n_batteries
	       : t == SUBJECT_STRING ? e->n_strings
				     : e->others.n;
}

int subject_of(struct engine *e, const struct kind_rules *k, const void *rec,
	struct subject *out)
{
	const void *p = (const char *)rec + k->subject->offset;
	struct str code = *(const struct str *)p;
	uint32_t id;
	if (k->subject_type == SUBJECT_BATTERY) {
		id = engine_battery(e, code);
		if (id != IDS_NONE)
			*out = subject_battery(e, id);
	} else if (k->subject_type == SUBJECT_STRING) {
		id = engine_string(e, code);
		if (id != IDS_NONE)
			*out = subject_string(e, id);
	} else {
		id = engine_other(e, code);
		if (id != IDS_NONE)
			*out = subject_other(e, id);
	}
	return id == IDS_NONE ? -1 : 0;
}

/* A model by its file where there is one; else the default's laws with the numbers of
 * the stream's record, scaled to its nominal voltage. */
int engine_model_number(struct engine *e, const char *name)
{
	size_t before = e->models.n;
	uint32_t id = ids_intern(&e->models, str_of(name));
	if (id == IDS_NONE || id < before)
		return id == IDS_NONE ? -1 : (int)id;
	if (grow(&e->model_infos, &e->cap_models, id, sizeof(*e->model_infos)) < 0)
		return -1;
	memset(e->resolved, 0, sizeof(e->resolved)); /* it points to where they were */
	struct model_info *m = &e->model_infos[id];
	if (battery_model_named(name, &m->file, NULL) < 0)
		m->file = e->model_infos[0].file;
	battery_model_record(&m->file, &m->rec);
	return (int)id;
}

int engine_learn_model(struct engine *e, const struct rec_battery_model *rec)
{
	char name[CODE_MAX + 1];
	str_copy(name, sizeof(name), rec->name);
	int id = engine_model_number(e, name);
	if (id < 0)
		return -1;
	struct model_info *m = &e->model_infos[id];
	memset(e->resolved, 0, sizeof(e->resolved));
	const struct kind_info *k = kind_info(KIND_battery_model);
	for (int i = 0; i < k->nfields; i++) {
		if (k->fields[i].type != T_F32)
			continue;
		const void *from = (const char *)rec + k->fields[i].offset;
		void *to = (char *)&m->rec + k->fields[i].offset;
		if (!isnan(*(const float *)from))
			*(float *)to = *(const float *)from;
	}
	return 0;
}

const struct model_info *engine_model(struct engine *e, uint32_t battery)
{
	if (battery == IDS_NONE)
		return &e->model_infos[0];
	struct battery_state *b = &e->batteries[battery];
	if (b->model < 0) {
		const char *name = e->roster.batteries[battery].model;
		int id = name[0] ? engine_model_number(e, name) : 0;
		b->model = id < 0 ? 0 : id;
	}
	return &e->model_infos[b->model];
}

uint32_t engine_sensor(struct engine *e, struct str code)
{
	size_t before = e->sensors.n;
	if (grow(&e->sensor_site, &e->cap_sensors, before, sizeof(*e->sensor_site)) < 0)
		return IDS_NONE;
	uint32_t id = ids_intern(&e->sensors, code);
	if (id == before)
		e->sensor_site[id] = IDS_NONE;
	return id;
}

uint32_t engine_sensor_site(struct engine *e, struct str code)
{
	uint32_t id = engine_sensor(e, code);
	if (id == IDS_NONE || e->sensor_site[id] != IDS_NONE)
		return id == IDS_NONE ? id : e->sensor_site[id];
	struct str site = code_site(code);
	for (uint32_t n = code.len; str_eq(site, code) && n > 1; n--)
		if (code.s[n - 1] == '-')
			site = (struct str){code.s, n - 1};
	return e->sensor_site[id] = engine_site(e, site);
}

int engine_learn_sensor(struct engine *e, const struct rec_sensor *rec)
{
	uint32_t id = engine_sensor(e, rec->code);
	if (id == IDS_NONE)
		return -1;
	if (rec->site.s)
		e->sensor_site[id] = engine_site(e, rec->site);
	return rec->site.s && e->sensor_site[id] == IDS_NONE ? -1 : 0;
}
