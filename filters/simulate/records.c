/* The plant as records. */
#include "simulate.h"

#include "base/ids.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>

int jars_wanted(const struct simulation *s, const struct plant_string *string)
{
	int64_t left = s->plant->njars - string->number * string->series.n;
	return left < string->series.n ? (int)left : string->series.n;
}

struct str jar_code(const struct plant_string *s, int jar, char *dst)
{
	size_t n = strlen(s->code);
	memcpy(dst, s->code, n);
	memcpy(dst + n, "-J", 2);
	dst[n + 2] = (char)('0' + (jar + 1) / 10);
	dst[n + 3] = (char)('0' + (jar + 1) % 10);
	dst[n + 4] = '\0';
	return (struct str){dst, (uint32_t)n + 4};
}

static struct str system_code(
	const struct simulation *s, const struct plant_string *string, char *dst)
{
	snprintf(dst, CODE_SIZE, "%.40s-%.15s", s->plant->sites[string->site].code,
		s->fleet.systems[string->system]);
	return str_of(dst);
}

struct str sensor_code(const struct plant_site *site, char *dst)
{
	snprintf(dst, CODE_SIZE, "%.50s-ENV01", site->code);
	return str_of(dst);
}

bool first_of(const struct simulation *s, int64_t i, bool of_system)
{
	const struct plant_string *a = &s->plant->strings[i], *b = a - 1;
	return i == 0 || a->site != b->site || (of_system && a->system != b->system);
}

static void emit_site(struct simulation *s, const struct plant_site *site)
{
	const struct region *r = site->plan->region;
	struct rec_site rec = {.code = str_of(site->code),
		.name = str_of(site->plan->name),
		.region = str_of(r->name),
		.city = str_of(site->plan->city),
		.latitude = site->plan->latitude,
		.longitude = site->plan->longitude,
		.timezone = str_of(s->fleet.timezone),
		.commissioned = site->commissioned,
		.temp_offset_c = 0,
		.humidity_offset_pct = 0,
		.outages_per_year = (float)(r->outages_per_year + r->dips_per_year),
		.active = 1};
	flow_emit(s->flow, KIND_site, &rec);
}

static void emit_system(struct simulation *s, const struct plant_string *string)
{
	char code[CODE_SIZE];
	const struct plant_site *site = &s->plant->sites[string->site];
	bool ups = strncmp(s->fleet.systems[string->system], "UPS", 3) == 0;
	struct rec_system rec = {.code = system_code(s, string, code),
		.site = str_of(site->code),
		.type = ups ? system_type_UPS : system_type_RECTIFIER,
		.rated_kva = NAN,
		.installed = site->commissioned,
		.design_load_a = (float)plant_design_load_a(s->plant, string->system),
		.required_autonomy_min = (float)s->plant->required_autonomy_min};
	flow_emit(s->flow, KIND_system, &rec);
}

static void emit_string(struct simulation *s, const struct plant_string *string)
{
	char code[CODE_SIZE];
	struct rec_string rec = {.code = str_of(string->code),
		.system = system_code(s, string, code),
		.position = string->position,
		.batteries = jars_wanted(s, string),
		.nominal_voltage_v =
			(float)(s->model.nominal_voltage_v * string->series.n),
		.installed = string->installed,
		.last_capacity_test = string->last_capacity_test};
	flow_emit(s->flow, KIND_string, &rec);
}

static void emit_battery(struct simulation *s, const struct plant_string *string, int i)
{
	char code[CODE_SIZE];
	const struct plant_jar *j = &string->jars[i];
	const struct battery_nature *n = &string->blocks[i].nature;
	struct rec_battery rec = {.code = jar_code(string, i, code),
		.string = str_of(string->code),
		.model = str_of(s->model.name),
		.serial = str_of(j->serial),
		.position = i + 1,
		.manufactured = j->manufactured,
		.installed = j->installed,
		.warranty_until = j->installed + 2 * 365 * DAY_MS,
		.initial_capacity_ah =
			(float)(n->soh_new_pct / 100 * s->model.capacity_ah),
		.initial_resistance_mohm = (float)n->r0_new_mohm,
		.status = battery_status_active,
		.replacement_of = j->unit ? str_of(j->predecessor) : STR_NIL,
		.replaced = j->unit ? j->installed : TIME_NIL,
		.unit = j->unit};
	flow_emit(s->flow, KIND_battery, &rec);
}

static void emit_sensor(struct simulation *s, const struct plant_site *site)
{
	char code[CODE_SIZE];
	struct rec_sensor rec = {.code = sensor_code(site, code),
		.site = str_of(site->code),
		.type = str_of("combined"),
		.zone = str_of("battery room")};
	flow_emit(s->flow, KIND_sensor, &rec);
}

void emit_masters(struct simulation *s)
{
	struct plant *p = s->plant;
	struct rec_battery_model model;

	for (int64_t i = 0; i < p->nstrings; i++)
		if (first_of(s, i, false))
			emit_site(s, &p->sites[p->strings[i].site]);
	battery_model_record(&s->model, &model);
	flow_emit(s->flow, KIND_battery_model, &model);
	for (int64_t i = 0; i < p->nstrings; i++)
		if (first_of(s, i, true))
			emit_system(s, &p->strings[i]);
	for (int64_t i = 0; i < p->nstrings; i++)
		emit_string(s, &p->strings[i]);
	for (int64_t i = 0; i < p->nstrings; i++)
		for (int j = 0; j < jars_wanted(s, &p->strings[i]); j++)
			emit_battery(s, &p->strings[i], j);
	for (int64_t i = 0; i < p->nstrings; i++)
		if (first_of(s, i, false))
			emit_sensor(s, &p->sites[p->strings[i].site]);
}

/* Battery, string or site; false when the battery was not asked for. */
static bool subject(const struct simulation *s, const struct happening *h, char *dst,
	struct str *out)
{
	if (!h->string) {
		*out = str_of(s->plant->sites[h->site].code);
	} else if (h->jar < 0) {
		*out = str_of(h->string->code);
	} else {
		*out = jar_code(h->string, h->jar, dst);
		return h->jar < jars_wanted(s, h->string);
	}
	return true;
}

/* One id for a happening's beginning and its end. */
static struct str identity(
	const char *prefix, const struct happening *h, struct str who, char *dst)
{
	uint64_t id = rng_key(rng_key(hash_bytes(who.s, who.len), (uint64_t)h->type),
		(uint64_t)h->start);
	snprintf(dst, CODE_SIZE, "%s-%016llx", prefix, (unsigned long long)id);
	return str_of(dst);
}

static void emit_event(struct simulation *s, const struct happening *h, struct str who)
{
	char id[CODE_SIZE];
	struct rec_event rec = {.event_id = identity("EV", h, who, id),
		.ts = h->start,
		.end_ts = h->end_ts,
		.scheduled_ts = TIME_NIL,
		.subject = who,
		.type = (int)h->type,
		.status = (int)h->status,
		.value = h->value,
		.note = h->note[0] ? str_of(h->note) : STR_NIL};
	flow_emit(s->flow, KIND_event, &rec);
}

static void emit_capacity(
	struct simulation *s, const struct happening *h, struct str who)
{
	double pct = 100 * h->value / s->model.capacity_ah;
	double eol = s->model.eol_pct;
	struct rec_capacity_test rec = {.ts = h->ts,
		.subject = who,
		.type = str_of("full_discharge"),
		.rate_a = (float)h->a,
		.duration_min = (float)h->b,
		.cutoff_v = (float)(s->model.cutoff_v *
				    (h->jar < 0 ? h->string->series.n : 1)),
		.ambient_c = (float)h->c,
		.measured_capacity_ah = (float)h->value,
		.pct_of_rated = (float)pct,
		.result = pct < eol                     ? test_result_fail
			  : pct < eol + (100 - eol) / 2 ? test_result_marginal
							: test_result_pass};
	flow_emit(s->flow, KIND_capacity_test, &rec);
}

static void emit_impedance(
	struct simulation *s, const struct happening *h, struct str who)
{
	const struct battery_nature *n = &h->string->blocks[h->jar].nature;
	double corrected =
		h->value * (1 + s->sensors.resistance_noise / 2 *
					   rng_normal(h->string->jars[h->jar].key,
						   (uint64_t)h->ts));
	struct rec_impedance rec = {.ts = h->ts,
		.battery = who,
		.resistance_mohm =
			(float)(corrected * (1 + s->model.r0_per_k * (h->c - 25))),
		.temperature_c = (float)(round(10 * h->c) / 10),
		.corrected_mohm = (float)corrected,
		.baseline_pct = (float)(100 * corrected / n->r0_new_mohm),
		.instrument = str_of("AC ohmic tester")};
	flow_emit(s->flow, KIND_impedance, &rec);
}

static void emit_window(struct simulation *s, const struct happening *h, struct str who)
{
	char id[CODE_SIZE];
	struct rec_maintenance_window rec = {.id = identity("MW", h, who, id),
		.subject = who,
		.from_ts = h->start,
		.until_ts = h->end_ts,
		.title = str_of("capacity test and recharge")};
	flow_emit(s->flow, KIND_maintenance_window, &rec);
}

void emit_happenings(struct simulation *s)
{
	for (size_t i = 0; i < s->plant->nhappenings; i++) {
		const struct happening *h = &s->plant->happenings[i];
		char code[CODE_SIZE];
		struct str who;
		if (!subject(s, h, code, &who))
			continue;
		switch (h->what) {
		case HAPPENS_EVENT:
			emit_event(s, h, who);
			break;
		case HAPPENS_CAPACITY:
			emit_capacity(s, h, who);
			break;
		case HAPPENS_IMPEDANCE:
			emit_impedance(s, h, who);
			break;
		case HAPPENS_REPLACEMENT:
			emit_battery(s, h->string, h->jar);
			break;
		case HAPPENS_WINDOW:
			emit_window(s, h, who);
			break;
		}
	}
	s->plant->nhappenings = 0;
}

static void emit_jar_truth(struct simulation *s, const struct plant_string *string,
	int i, double days, enum cause_names cause)
{
	char code[CODE_SIZE];
	const struct battery_block *b = &string->blocks[i];
	int64_t now = s->plant->now;
	bool known = isfinite(days);
	struct rec_truth rec = {.ts = now,
		.battery = jar_code(string, i, code),
		.unit = string->jars[i].unit,
		.soc_pct = (float)(100 * fmax(0, b->soc)),
		.soh_pct = (float)(100 * b->capacity_ah / s->model.capacity_ah),
		.capacity_ah = (float)b->capacity_ah,
		.resistance_mohm = (float)b->r0_mohm,
		.core_temperature_c = (float)b->temperature_c,
		.current_a = (float)string->series.current_a,
		.gassing_a = (float)b->gassing_a,
		.rul_days = known ? days : NAN,
		/* of a life already over the end is not known here */
		.end_of_life_ts = known && days > 0
					  ? now + (int64_t)(days * (double)DAY_MS)
					  : TIME_NIL,
		.censored = !known,
		.cause = known ? (int)cause : cause_none,
		.rate_class = (int)string->jars[i].rate_class};
	flow_emit(s->flow, KIND_truth, &rec);
}

int emit_truth(struct simulation *s)
{
	for (int64_t i = 0; i < s->plant->nstrings; i++) {
		struct plant_string *string = &s->plant->strings[i];
		double days[SERIES_MAX];
		enum cause_names causes[SERIES_MAX];
		if (plant_life(s->plant, string, days, causes) < 0)
			return -1;
		for (int j = 0; j < jars_wanted(s, string); j++)
			emit_jar_truth(s, string, j, days[j], causes[j]);
	}
	return 0;
}
