#include "rules/engine_impl.h"

#include <stdlib.h>

#define SCAN_MS MINUTE_MS

union sample {
	struct rec_telemetry jar;
	struct rec_string_telemetry string;
};

static void add_kind(struct engine *e, int kind)
{
	const struct kind_info *info = kind_info(kind);
	struct kind_rules *k = &e->kinds[kind];
	int q = field_index(info, str_of("quality"));
	k->info = info;
	k->subject = kind_subject(info);
	k->subject_type = field_subject_type(k->subject);
	k->quality = q >= 0 ? &info->fields[q] : NULL;
}

void engine_index(struct engine *e, const struct rule_set *rules)
{
	static const int observed[] = {KIND_telemetry, KIND_string_telemetry,
		KIND_environment, KIND_twin_state, KIND_rul, KIND_event};
	e->rules = rules;
	memset(e->kinds, 0, sizeof(e->kinds));
	memset(&e->quiet, 0, sizeof(e->quiet));
	memset(e->rules_of_type, 0, sizeof(e->rules_of_type));
	memset(e->is_cause, 0, sizeof(e->is_cause));
	memset(e->resolved, 0, sizeof(e->resolved));
	for (size_t i = 0; i < sizeof(observed) / sizeof(*observed); i++)
		add_kind(e, observed[i]);
	for (int i = 0; i < e->rules->n; i++) {
		const struct rule *r = &e->rules->rules[i];
		add_kind(e, r->kind->kind);
		struct kind_rules *k = r->signal && signal_is_timed(r->signal)
					       ? &e->quiet
					       : &e->kinds[r->kind->kind];
		k->rule[k->n++] = (uint8_t)i;
		e->slot[i] = e->rules_of_type[r->subject_type]++;
		e->by_type[r->subject_type][e->slot[i]] = (uint8_t)i;
		for (int c = 0; c < r->neffect_of; c++)
			e->is_cause[r->effect_of[c]] = true;
	}
}

struct engine *engine_new(
	const struct rule_set *rules, const struct engine_options *o, struct err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	if (!e) {
		err_nomem(err);
		return NULL;
	}
	e->o = *o;
	e->scanned = TIME_NIL;
	watermark_init(&e->mark);
	engine_index(e, rules);
	struct battery_model model;
	if (battery_model_named(o->model, &model, err) < 0) {
		engine_free(e);
		return NULL;
	}
	if (grow(&e->model_infos, &e->cap_models, 0, sizeof(*e->model_infos)) < 0 ||
		ids_intern(&e->models, str_of("")) == IDS_NONE) {
		engine_free(e);
		err_nomem(err);
		return NULL;
	}
	e->model_infos[0].file = model;
	battery_model_record(&e->model_infos[0].file, &e->model_infos[0].rec);
	return e;
}

void engine_begin(struct engine *e, const char *run, void *user)
{
	str_copy(e->run, sizeof(e->run), str_of(run));
	e->user = user;
}

void engine_free(struct engine *e)
{
	if (!e)
		return;
	roster_release(&e->roster);
	for (int i = 0; i < SUBJECT_TYPES; i++)
		free(e->lives[i]);
	free(e->batteries);
	free(e->strings);
	free(e->recent);
	for (int i = 0; i < SCOPES; i++)
		free(e->open_of[i]);
	free(e->causes);
	free(e->system_site);
	free(e->system_causes);
	ids_release(&e->others);
	ids_release(&e->sites);
	ids_release(&e->systems);
	ids_release(&e->sensors);
	ids_release(&e->models);
	free(e->other_seen);
	free(e->sensor_site);
	free(e->site_states);
	free(e->model_infos);
	free(e->incidents);
	free(e->mutes);
	free(e);
}

bool engine_wants(const struct engine *e, int kind)
{
	if (kind == KIND_tick || kind == KIND_maintenance_window ||
		kind == KIND_alert_action || kind == KIND_sensor || roster_wants(kind))
		return true;
	return kind >= 0 && kind <= KIND_MAX && e->kinds[kind].info;
}

/* Of sites that have had outages. */
static void scan_sites(struct engine *e, int rule, int64_t now)
{
	for (uint32_t site = 0; site < e->sites.n; site++) {
		struct str code = str_of(ids_name(&e->sites, site));
		uint32_t id = ids_find(&e->others, code);
		if (e->site_states[site].n_outages == 0 || id == IDS_NONE)
			continue;
		struct subject s = subject_other(e, id);
		evaluate(e, rule, &s, NULL, &e->quiet, now);
	}
}

/* Who has been silent for too long, by the watermark; once a minute of it. */
static void scan_silence(struct engine *e)
{
	int64_t now = e->mark.now;
	if (now == TIME_NIL || (e->scanned != TIME_NIL && now - e->scanned < SCAN_MS))
		return;
	e->scanned = now;
	e->mark.ahead = 0;
	for (uint32_t b = 0; b < e->n_batteries; b++)
		e->mark.ahead += watermark_is_ahead(&e->mark, e->batteries[b].seen);
	for (int i = 0; i < e->quiet.n; i++) {
		int rule = e->quiet.rule[i];
		if (e->rules->rules[rule].subject_type == SUBJECT_OTHER) {
			scan_sites(e, rule, now);
			continue;
		}
		bool jar = e->rules->rules[rule].subject_type == SUBJECT_BATTERY;
		size_t n = jar ? e->n_batteries : e->n_strings;
		for (uint32_t id = 0; id < n; id++) {
			struct subject s =
				jar ? subject_battery(e, id) : subject_string(e, id);
			evaluate(e, rule, &s, NULL, &e->quiet, now);
		}
	}
}

/* Another block stands there: the alerts of the last one, and of its tests, end. */
static int start_anew(struct engine *e, uint32_t battery, int64_t ts)
{
	struct str code = str_of(ids_name(&e->roster.battery_ids, battery));
	if (engine_battery(e, code) == IDS_NONE)
		return -1;
	if (ts == TIME_NIL)
		ts = e->batteries[battery].seen;
	if (ts == TIME_NIL)
		ts = 0;
	struct subject s = subject_battery(e, battery);
	battery_forget(e, battery);
	retire(e, &s, ts);
	uint32_t tested = ids_find(&e->others, code);
	if (tested != IDS_NONE) {
		struct subject t = subject_other(e, tested);
		retire(e, &t, ts);
	}
	health_update(e, &s, ts);
	return 0;
}

static int learn(struct engine *e, int kind, const void *rec, struct err *err)
{
	uint32_t replaced = IDS_NONE;
	if (kind == KIND_maintenance_window)
		return mute_learn(e, rec) < 0 ? err_nomem(err) : 0;
	if (kind == KIND_alert_action)
		return act(e, rec, err) < 0 ? 1 : 0;
	if (kind == KIND_event)
		planned_learn(e, rec);
	if (kind == KIND_event && mute_scenario(e, rec) < 0)
		return err_nomem(err);
	if (kind == KIND_sensor)
		return engine_learn_sensor(e, rec) < 0 ? err_nomem(err) : 0;
	if (kind == KIND_battery_model && engine_learn_model(e, rec) < 0)
		return err_nomem(err);
	if (!roster_wants(kind))
		return 0;
	if (roster_learn(&e->roster, kind, rec, &replaced) < 0)
		return err_nomem(err);
	if (kind == KIND_battery) {
		uint32_t b = engine_battery(e, ((const struct rec_battery *)rec)->code);
		if (b == IDS_NONE)
			return err_nomem(err);
		e->batteries[b].model = -1;
		if (engine_enlist(e, b) < 0)
			return err_nomem(err);
	}
	if (replaced == IDS_NONE)
		return 0;
	return start_anew(e, replaced, record_ts(kind_info(kind), rec)) < 0
		       ? err_nomem(err)
		       : 0;
}

/* An event that is over tells of its end. */
static int64_t moment_of(const struct kind_info *k, const void *rec)
{
	const struct rec_event *v = rec;
	if (k->kind == KIND_event && v->status == event_status_completed &&
		v->end_ts != TIME_NIL && v->end_ts > v->ts)
		return v->end_ts;
	return record_ts(k, rec);
}

static int with(int quality, int doubts)
{
	return doubts ? (quality == BITS_NIL ? 0 : quality) | doubts : quality;
}

/* The sample with what its values alone say against it; rec itself where there is
 * nothing to say. */
static const void *doubted(struct engine *e, const struct subject *s, int kind,
	const void *rec, union sample *room)
{
	if (kind == KIND_telemetry) {
		int doubts = doubts_of_jar(e, s->battery, rec);
		if (!doubts)
			return rec;
		room->jar = *(const struct rec_telemetry *)rec;
		room->jar.quality = with(room->jar.quality, doubts);
		return &room->jar;
	}
	if (kind == KIND_string_telemetry) {
		int doubts = doubts_of_string(e, s->string, rec);
		if (!doubts)
			return rec;
		room->string = *(const struct rec_string_telemetry *)rec;
		room->string.quality = with(room->string.quality, doubts);
		return &room->string;
	}
	return rec;
}

int engine_feed(struct engine *e, int kind, const void *rec, struct err *err)
{
	int learnt = learn(e, kind, rec, err);
	if (learnt)
		return learnt;
	if (kind == KIND_tick) {
		watermark_tick(&e->mark, ((const struct rec_tick *)rec)->ts);
		scan_silence(e);
		return 0;
	}
	const struct kind_rules *k =
		kind >= 0 && kind <= KIND_MAX ? &e->kinds[kind] : NULL;
	if (!k || !k->info)
		return 0;
	struct subject s;
	int64_t ts = moment_of(k->info, rec);
	incidents_tell(e, ts);
	union sample room;
	if (subject_of(e, k, rec, &s) < 0)
		return err_nomem(err);
	rec = doubted(e, &s, kind, rec, &room);
	if (observe(e, &s, kind, rec, ts) < 0)
		return err_nomem(err);
	for (int i = 0; i < k->n; i++)
		evaluate(e, k->rule[i], &s, rec, k, ts);
	if (kind == KIND_twin_state || kind == KIND_rul)
		health_update(e, &s, ts);
	scan_silence(e);
	return 0;
}

void engine_end(struct engine *e)
{
	incidents_tell(e, TIME_NIL);
}

const struct rule_count *engine_count(const struct engine *e, int rule)
{
	return &e->counts[rule];
}

int64_t engine_incidents(const struct engine *e)
{
	return e->incidents_opened;
}

size_t engine_battery_bytes(const struct engine *e)
{
	return sizeof(struct battery_state) +
	       sizeof(struct life) * (size_t)e->rules_of_type[SUBJECT_BATTERY];
}
