/* The plant as master records. */
#include "part.h"

#include <math.h>
#include <stdio.h>

static struct str system_code(
	const struct part *p, const struct plant_string *string, char *dst)
{
	snprintf(dst, CODE_SIZE, "%.40s-%.15s", p->plant->sites[string->site].code,
		p->world->fleet.systems[string->system]);
	return str_of(dst);
}

static void tell_site(
	const struct part *p, const struct plant_site *site, struct spool *o)
{
	const struct region *r = site->plan->region;
	struct rec_site rec = {.code = str_of(site->code),
		.name = str_of(site->plan->name),
		.region = str_of(r->name),
		.city = str_of(site->plan->city),
		.latitude = site->plan->latitude,
		.longitude = site->plan->longitude,
		.timezone = str_of(p->world->fleet.timezone),
		.commissioned = site->commissioned,
		.temp_offset_c = 0,
		.humidity_offset_pct = 0,
		.outages_per_year = (float)(r->outages_per_year + r->dips_per_year),
		.active = 1};
	spool_put(o, KIND_site, &rec);
}

static void tell_system(
	const struct part *p, const struct plant_string *string, struct spool *o)
{
	char code[CODE_SIZE];
	const struct plant_site *site = &p->plant->sites[string->site];
	bool ups = strncmp(p->world->fleet.systems[string->system], "UPS", 3) == 0;
	struct rec_system rec = {.code = system_code(p, string, code),
		.site = str_of(site->code),
		.type = ups ? system_type_UPS : system_type_RECTIFIER,
		.rated_kva = NAN,
		.installed = site->commissioned,
		.design_load_a = (float)plant_design_load_a(p->plant, string->system),
		.required_autonomy_min = (float)p->plant->required_autonomy_min};
	spool_put(o, KIND_system, &rec);
}

static void tell_string(
	const struct part *p, const struct plant_string *string, struct spool *o)
{
	char code[CODE_SIZE];
	struct rec_string rec = {.code = str_of(string->code),
		.system = system_code(p, string, code),
		.position = string->position,
		.batteries = jars_wanted(p->plant, string),
		.nominal_voltage_v =
			(float)(p->world->model.nominal_voltage_v * string->series.n),
		.installed = string->installed,
		.last_capacity_test = string->last_capacity_test};
	spool_put(o, KIND_string, &rec);
}

void tell_battery(
	const struct part *p, const struct plant_string *string, int i, struct spool *o)
{
	char code[CODE_SIZE];
	const struct plant_jar *j = &string->jars[i];
	const struct battery_nature *n = &string->blocks[i].nature;
	struct rec_battery rec = {.code = jar_code(string, i, code),
		.string = str_of(string->code),
		.model = str_of(p->world->model.name),
		.serial = str_of(j->serial),
		.position = i + 1,
		.manufactured = j->manufactured,
		.installed = j->installed,
		.warranty_until = j->installed + 2 * 365 * DAY_MS,
		.initial_capacity_ah =
			(float)(n->soh_new_pct / 100 * p->world->model.capacity_ah),
		.initial_resistance_mohm = (float)n->r0_new_mohm,
		.status = battery_status_active,
		.replacement_of = j->unit ? str_of(j->predecessor) : STR_NIL,
		.replaced = j->unit ? j->installed : TIME_NIL,
		.unit = j->unit};
	spool_put(o, KIND_battery, &rec);
}

static void tell_sensor(const struct plant_site *site, struct spool *o)
{
	char code[CODE_SIZE];
	struct rec_sensor rec = {.code = sensor_code(site, code),
		.site = str_of(site->code),
		.type = str_of("combined"),
		.zone = str_of("battery room")};
	spool_put(o, KIND_sensor, &rec);
}

void tell_model(const struct world *w, struct spool *o)
{
	struct rec_battery_model model;
	battery_model_record(&w->model, &model);
	spool_put(o, KIND_battery_model, &model);
}

void tell_masters(const struct part *p, int64_t i, enum masters what, struct spool *o)
{
	const struct plant_string *string = &p->plant->strings[i];
	const struct plant_site *site = &p->plant->sites[string->site];

	switch (what) {
	case MASTER_SITES:
		if (first_of(p, i, false))
			tell_site(p, site, o);
		break;
	case MASTER_SYSTEMS:
		if (first_of(p, i, true))
			tell_system(p, string, o);
		break;
	case MASTER_STRINGS:
		tell_string(p, string, o);
		break;
	case MASTER_BATTERIES:
		for (int j = 0; j < jars_wanted(p->plant, string); j++)
			tell_battery(p, string, j, o);
		break;
	case MASTER_SENSORS:
		if (first_of(p, i, false))
			tell_sensor(site, o);
		break;
	case MASTERS:
		break;
	}
}
