#include "db/rollup.h"

struct definition {
	int kind;
	const char *name;
	const char *key; /* after run */
	enum table_rule rule;
	bool series;
};

/* Written in this order within a commit. */
static const struct definition DEFINITIONS[] = {
	{KIND_site, "site", "code", RULE_REPLACE, false},
	{KIND_battery_model, "battery_model", "name", RULE_REPLACE, false},
	{KIND_system, "battery_system", "code", RULE_REPLACE, false},
	{KIND_string, "string", "code", RULE_REPLACE, false},
	{KIND_battery, "battery", "code", RULE_REPLACE, false},
	{KIND_sensor, "sensor", "code", RULE_REPLACE, false},
	{KIND_telemetry, "telemetry", "battery ts", RULE_REPLACE, true},
	{KIND_string_telemetry, "string_telemetry", "string ts", RULE_REPLACE, true},
	{KIND_environment, "environment", "sensor ts", RULE_REPLACE, true},
	{KIND_truth, "truth", "battery ts unit", RULE_REPLACE, true},
	{KIND_feature, "feature", "battery ts window_h unit", RULE_REPLACE, true},
	{KIND_twin_state, "twin_state", "battery ts unit", RULE_REPLACE, true},
	{KIND_rul, "rul_prediction", "battery ts source unit", RULE_REPLACE, true},
	{KIND_event, "event", "event_id", RULE_REPLACE, false},
	{KIND_capacity_test, "capacity_test", "subject ts", RULE_REPLACE, false},
	{KIND_impedance, "impedance_measurement", "battery ts", RULE_REPLACE, false},
	{KIND_maintenance_window, "maintenance_window", "id", RULE_REPLACE, false},
	{KIND_work_order, "work_order", "id", RULE_REPLACE, false},
	{KIND_alert, "alert", "alert_id", RULE_LATEST, false},
	{KIND_incident, "incident", "incident_id", RULE_LATEST, false},
	{KIND_alert_action, "alert_action", "subject_id ts action actor", RULE_KEEP,
		false},
	{KIND_status, "status", "subject ts", RULE_REPLACE, false},
	/* The newest row of each, so that how the fleet is now is one row a battery,
	 * however long its history. */
	{KIND_telemetry, "telemetry_latest", "battery", RULE_LATEST, false},
	{KIND_twin_state, "twin_state_latest", "battery", RULE_LATEST, false},
	{KIND_rul, "rul_latest", "battery source", RULE_LATEST, false},
	{KIND_status, "status_latest", "subject", RULE_LATEST, false},
};
enum { DEFINITION_COUNT = sizeof(DEFINITIONS) / sizeof(DEFINITIONS[0]) };

static const struct {
	const char *field, *table;
} ENTITIES[ENTITY_COUNT] = {
	[ENTITY_RUN] = {"run", "run"},
	[ENTITY_SITE] = {"site", "site"},
	[ENTITY_SYSTEM] = {"system", "battery_system"},
	[ENTITY_STRING] = {"string", "string"},
	[ENTITY_BATTERY] = {"battery", "battery"},
	[ENTITY_SENSOR] = {"sensor", "sensor"},
};

const char *entity_table(enum entity e)
{
	return ENTITIES[e].table;
}

int table_count(void)
{
	return DEFINITION_COUNT + ROLLUPS;
}

int table_of_kind(int kind)
{
	for (int i = 0; i < DEFINITION_COUNT; i++)
		if (DEFINITIONS[i].kind == kind)
			return i;
	return -1;
}

/* What is not listed is text. */
static const enum column_type TYPES[T_COUNT] = {[T_TIME] = COL_LONG,
	[T_LONG] = COL_LONG,
	[T_INT] = COL_INT,
	[T_BITS] = COL_INT,
	[T_F32] = COL_F32,
	[T_F64] = COL_F64,
	[T_BOOL] = COL_BOOL,
	[T_ENUM] = COL_WORD};

static struct column field_column(const struct field_info *f)
{
	struct column c = {.name = f->name,
		.type = TYPES[f->type],
		.field = f,
		.entity = ENTITY_NONE};
	for (int e = ENTITY_SITE; f->type == T_CODE && e < ENTITY_COUNT; e++) {
		if (strcmp(f->name, ENTITIES[e].field) == 0) {
			c.entity = (enum entity)e;
			c.type = COL_INT;
		}
	}
	return c;
}

static int add_key(struct table *t, struct str name, struct err *err)
{
	int i = field_index(t->kind, name);
	if (i < 0 || t->nkeys == KEYS_MAX)
		return err_set(err, ERR_DATA, "table '%s' has no key column '%.*s'",
			t->name, STR_ARG(name));
	t->columns[i + 1].key = true;
	t->keys[t->nkeys++] = i + 1;
	return 0;
}

/* The later definition of the same kind, -1 none. */
static int latest_of(int i)
{
	for (int k = i + 1; k < DEFINITION_COUNT; k++)
		if (DEFINITIONS[k].kind == DEFINITIONS[i].kind)
			return k;
	return -1;
}

int table_of_rollup(enum rollup_level level)
{
	return DEFINITION_COUNT + (int)level;
}

int table_make(int i, struct table *t, struct err *err)
{
	if (i >= DEFINITION_COUNT) {
		rollup_table((enum rollup_level)(i - DEFINITION_COUNT), t);
		return 0;
	}
	const struct definition *d = &DEFINITIONS[i];
	const struct kind_info *k = kind_info(d->kind);
	if (!k)
		return err_set(
			err, ERR_DATA, "no kind %d for table '%s'", d->kind, d->name);
	*t = (struct table){.name = d->name,
		.kind = k,
		.rule = d->rule,
		.series = d->series,
		.ncolumns = k->nfields + 1,
		.nkeys = 1,
		.latest = latest_of(i)};
	t->columns[0] = RUN_COLUMN;
	for (int f = 0; f < k->nfields; f++)
		t->columns[f + 1] = field_column(&k->fields[f]);
	t->ts = field_index(k, str_of("ts")) + 1;
	if (t->ts == 0)
		t->ts = -1;
	for (const char *p = d->key; *p;) {
		size_t n = strcspn(p, " ");
		if (add_key(t, (struct str){p, (uint32_t)n}, err) < 0)
			return -1;
		p += n + (p[n] == ' ');
	}
	return 0;
}
