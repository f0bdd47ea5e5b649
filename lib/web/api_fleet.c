/* Sites, systems, strings, batteries: what there is and how it is now. */
#include "web/api.h"
#include "web/emit.h"

/* Lists of one site's, system's or string's parts. */
const struct param PAGE_PARAMS[] = {RUN_PARAM, SKIP_PARAM, LIMIT_PARAM, {0}};
const struct param LOCATIONS_PARAMS[] = {RUN_PARAM,
	{"include_stats", PARAM_BOOL, "with how their batteries are", false, 0, 0, NULL,
		"true"},
	SKIP_PARAM, LIMIT_PARAM, {0}};
const struct param RUN_PARAMS[] = {RUN_PARAM, {0}};

static int see(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(bool *)ctx = true;
	return 0;
}

int call_exists(struct call *c, const char *table, struct err *err)
{
	char sql[128];
	bool there = false;
	const char *run = call_value(c, "run");
	snprintf(sql, sizeof(sql),
		"SELECT 1 FROM %s x JOIN run r ON r.id = x.run WHERE r.name = $1 AND "
		"x.code = $2",
		table);
	if (db_select(c->db, DB_QUERY(sql, run ? run : "", c->id), see, &there, err) <
		0)
		return -1;
	return there ? 200 : http_refuse(c->res, 404, "no '%s'", c->id);
}

/* How a site's batteries are, counted from battery_now. */
#define SITE_COUNTS                                                                    \
	"count(n.battery), sum(CASE WHEN n.status = 'critical' OR n.status = "         \
	"'failed' "                                                                    \
	"THEN 1 ELSE 0 END), sum(CASE WHEN n.status = 'warning' THEN 1 ELSE 0 END), "  \
	"avg(n.soh_pct), min(n.rul_days), max(n.ts)"
#define SITE_COLUMNS                                                                   \
	"s.code, s.name, s.region, s.city, s.latitude, s.longitude, s.timezone, "      \
	"s.commissioned, s.active"

static const struct column SITE[] = {{"id", CELL_TEXT}, {"name", CELL_TEXT},
	{"region", CELL_TEXT}, {"city", CELL_TEXT}, {"latitude", CELL_REAL},
	{"longitude", CELL_REAL}, {"timezone", CELL_TEXT}, {"commissioned", CELL_TIME},
	{"active", CELL_BOOL}, {"batteries", CELL_INT}, {"critical", CELL_INT},
	{"warning", CELL_INT}, {"mean_soh_pct", CELL_REAL},
	{"least_rul_days", CELL_REAL}, {"last_state", CELL_TIME},
	{"open_alerts", CELL_INT}, {"total", CELL_TOTAL}, {0}};

#define SITE_ALERTS                                                                    \
	"(SELECT count(*) FROM alert a WHERE a.run = s.run AND a.state = 'firing' "    \
	"AND "                                                                         \
	"(a.subject = s.code OR a.subject LIKE s.code || '-%'))"
#define SITE_FROM                                                                      \
	" FROM site s JOIN run r ON r.id = s.run LEFT JOIN battery_now n ON "          \
	"n.site_id = s.id WHERE r.name = $1 "
#define SITE_GROUP                                                                     \
	" GROUP BY s.id, s.run, s.code, s.name, s.region, s.city, s.latitude, "        \
	"s.longitude, s.timezone, s.commissioned, s.active"

/* What the sites are, alone. */
static int bare_locations(struct call *c, struct err *err)
{
	static const struct column BARE[] = {{"id", CELL_TEXT}, {"name", CELL_TEXT},
		{"region", CELL_TEXT}, {"city", CELL_TEXT}, {"latitude", CELL_REAL},
		{"longitude", CELL_REAL}, {"timezone", CELL_TEXT},
		{"commissioned", CELL_TIME}, {"active", CELL_BOOL},
		{"total", CELL_TOTAL}, {0}};
	return emit_list(c,
		DB_QUERY("SELECT " SITE_COLUMNS ", count(*) OVER () FROM site s JOIN "
			 "run r ON r.id = s.run WHERE r.name = $1 AND " SEES(
				 "s.code", "$2") " ORDER BY s.code LIMIT $3 OFFSET $4",
			call_value(c, "run"), call_sites(c), call_value(c, "limit"),
			call_value(c, "skip")),
		BARE, err);
}

int api_locations(struct call *c, struct err *err)
{
	if (!call_int(c, "include_stats"))
		return bare_locations(c, err);
	return emit_list(c,
		DB_QUERY("SELECT " SITE_COLUMNS ", " SITE_COUNTS ", " SITE_ALERTS
			 ", count(*) OVER ()" SITE_FROM "AND " SEES("s.code", "$2")
				 SITE_GROUP " ORDER BY s.code LIMIT $3 OFFSET $4",
			call_value(c, "run"), call_sites(c), call_value(c, "limit"),
			call_value(c, "skip")),
		SITE, err);
}

int api_location(struct call *c, struct err *err)
{
	return emit_one(c,
		DB_QUERY("SELECT " SITE_COLUMNS ", " SITE_COUNTS ", " SITE_ALERTS
			 ", 1" SITE_FROM "AND s.code = $2" SITE_GROUP,
			call_value(c, "run"), c->id),
		SITE, err);
}

static const struct column SYSTEM[] = {{"id", CELL_TEXT}, {"type", CELL_TEXT},
	{"manufacturer", CELL_TEXT}, {"model", CELL_TEXT}, {"rated_kva", CELL_REAL},
	{"installed", CELL_TIME}, {"design_load_a", CELL_REAL},
	{"required_autonomy_min", CELL_REAL}, {"strings", CELL_INT}, {0}};
#define SYSTEM_SELECT                                                                  \
	"SELECT y.code, y.type, y.manufacturer, y.model, y.rated_kva, y.installed, "   \
	"y.design_load_a, y.required_autonomy_min, (SELECT count(*) FROM string t "    \
	"WHERE t.system = y.id) FROM battery_system y JOIN run r ON r.id = y.run "     \
	"JOIN "                                                                        \
	"site s ON s.id = y.site WHERE r.name = $1 AND "

int api_location_systems(struct call *c, struct err *err)
{
	int status = call_exists(c, "site", err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY(SYSTEM_SELECT "s.code = $2 ORDER BY y.code LIMIT $3 OFFSET $4",
			call_value(c, "run"), c->id, call_value(c, "limit"),
			call_value(c, "skip")),
		SYSTEM, err);
}

int api_system(struct call *c, struct err *err)
{
	return emit_one(c,
		DB_QUERY(SYSTEM_SELECT "y.code = $2", call_value(c, "run"), c->id),
		SYSTEM, err);
}

static const struct column BATTERY[] = {{"id", CELL_TEXT}, {"location", CELL_TEXT},
	{"system", CELL_TEXT}, {"string", CELL_TEXT}, {"position", CELL_INT},
	{"unit", CELL_INT}, {"model", CELL_TEXT}, {"serial", CELL_TEXT},
	{"installed", CELL_TIME}, {"warranty_until", CELL_TIME}, {"status", CELL_TEXT},
	{"reasons", CELL_JSON}, {"open_alerts", CELL_INT}, {"sampled", CELL_TIME},
	{"voltage_v", CELL_REAL}, {"current_a", CELL_REAL},
	{"temperature_c", CELL_REAL}, {"resistance_mohm", CELL_REAL},
	{"mode", CELL_TEXT}, {"estimated", CELL_TIME}, {"soc_pct", CELL_REAL},
	{"soh_pct", CELL_REAL}, {"soh_std_pct", CELL_REAL}, {"autonomy_min", CELL_REAL},
	{"rul_days", CELL_REAL}, {"rul_lower_days", CELL_REAL},
	{"rul_upper_days", CELL_REAL}, {"rul_source", CELL_TEXT},
	{"p_fail_90d", CELL_REAL}, {"factors", CELL_JSON}, {"replace_by", CELL_TIME},
	{"total", CELL_TOTAL}, {0}};
#define BATTERY_COLUMNS                                                                \
	"n.battery, n.site, n.system, n.string, n.position, n.unit, n.model, "         \
	"n.serial, "                                                                   \
	"n.installed, n.warranty_until, n.status, n.reasons, n.open_alerts, "          \
	"n.sampled, "                                                                  \
	"n.voltage_v, n.current_a, n.temperature_c, n.resistance_mohm, n.mode, n.ts, " \
	"n.soc_pct, n.soh_pct, n.soh_std_pct, n.autonomy_min, n.rul_days, "            \
	"n.lower_days, n.upper_days, n.rul_source, n.p_fail_90d, n.factors, "          \
	"n.replace_by"
#define BATTERY_FROM " FROM battery_now n WHERE n.run = $1 "

const struct param BATTERIES_PARAMS[] = {RUN_PARAM,
	{"location_id", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL},
	{"status", PARAM_WORD, "of this status only", false, 0, 0,
		"healthy|watch|warning|critical|failed|unknown", NULL},
	{"has_alerts", PARAM_BOOL, "with open alerts only, or without", false, 0, 0,
		NULL, NULL},
	{"search", PARAM_TEXT, "part of the code", false, 1, 64, NULL, NULL},
	{"sort", PARAM_WORD, "order", false, 0, 0, "id|rul|soh|autonomy|temperature",
		"id"},
	SKIP_PARAM, LIMIT_PARAM, {0}};

/* What one cannot say with a parameter: ORDER BY. Unknown values last. */
static const char *order_of(const char *sort)
{
	static const char *const ORDERS[][2] = {{"rul", "n.rul_days"},
		{"soh", "n.soh_pct"}, {"autonomy", "n.autonomy_min"},
		{"temperature", "-n.temperature_c"}};
	for (size_t i = 0; i < sizeof(ORDERS) / sizeof(*ORDERS); i++)
		if (strcmp(sort, ORDERS[i][0]) == 0)
			return ORDERS[i][1];
	return "n.battery";
}

static const char BATTERIES_SQL[] =
	"SELECT " BATTERY_COLUMNS ", count(*) OVER ()" BATTERY_FROM "AND " SEES(
		"n.site", "$2") " AND (CAST($3 AS text) IS NULL OR n.site = $3) AND "
				"(CAST($4 AS text) IS NULL OR "
				"coalesce(n.status, 'unknown') = $4) AND (CAST($5 AS "
				"text) IS NULL OR "
				"(CASE WHEN n.open_alerts > 0 THEN '1' ELSE '0' END) = "
				"$5) AND (CAST($6 AS text) IS NULL OR lower(n.battery) "
				"LIKE '%' || "
				"lower($6) || '%') ORDER BY ";

static int batteries(struct call *c, const char *site, struct err *err)
{
	char sql[4096];
	const char *by = order_of(call_value(c, "sort"));
	snprintf(sql, sizeof(sql), "%s%s IS NULL, %s, n.battery LIMIT $7 OFFSET $8",
		BATTERIES_SQL, by, by);
	return emit_list(c,
		DB_QUERY(sql, call_value(c, "run"), call_sites(c), site,
			call_value(c, "status"), call_value(c, "has_alerts"),
			call_value(c, "search"), call_value(c, "limit"),
			call_value(c, "skip")),
		BATTERY, err);
}

int api_batteries(struct call *c, struct err *err)
{
	return batteries(c, call_value(c, "location_id"), err);
}

int api_location_batteries(struct call *c, struct err *err)
{
	int status = call_exists(c, "site", err);
	return status == 200 ? batteries(c, c->id, err) : status;
}

int api_battery(struct call *c, struct err *err)
{
	return emit_one(c,
		DB_QUERY("SELECT " BATTERY_COLUMNS ", 1" BATTERY_FROM
			 "AND n.battery = $2",
			call_value(c, "run"), c->id),
		BATTERY, err);
}

/* A string: its jars side by side. */
int api_string(struct call *c, struct err *err)
{
	int status = call_exists(c, "string", err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY("SELECT " BATTERY_COLUMNS ", count(*) OVER ()" BATTERY_FROM
			 "AND n.string = $2 ORDER BY n.position, n.battery",
			call_value(c, "run"), c->id),
		BATTERY, err);
}

static const struct column SUMMARY[] = {{"locations", CELL_INT},
	{"batteries", CELL_INT}, {"healthy", CELL_INT}, {"watch", CELL_INT},
	{"warning", CELL_INT}, {"critical", CELL_INT}, {"unknown", CELL_INT},
	{"mean_soh_pct", CELL_REAL}, {"least_autonomy_min", CELL_REAL},
	{"recharging", CELL_INT}, {"due_90d", CELL_INT}, {"open_alerts", CELL_INT},
	{"as_of", CELL_TIME}, {0}};

/*
 * After a test or an outage a battery carries nothing for some hours, as is known and
 * will pass: it is counted, and the least autonomy is that of the others. One that is
 * discharged and not recharged is among these.
 */
static const char SUMMARY_SQL[] =
	"SELECT count(DISTINCT n.site), count(*), "
	"sum(CASE WHEN n.status = 'healthy' THEN 1 ELSE 0 END), "
	"sum(CASE WHEN n.status = 'watch' THEN 1 ELSE 0 END), "
	"sum(CASE WHEN n.status = 'warning' THEN 1 ELSE 0 END), "
	"sum(CASE WHEN n.status IN ('critical', 'failed') THEN 1 ELSE 0 END), "
	"sum(CASE WHEN coalesce(n.status, 'unknown') = 'unknown' THEN 1 ELSE 0 END), "
	"avg(n.soh_pct), "
	"min(CASE WHEN n.mode = 'boost' THEN NULL ELSE n.autonomy_min END), "
	"sum(CASE WHEN n.mode = 'boost' THEN 1 ELSE 0 END), "
	"sum(CASE WHEN n.rul_days < 90 THEN 1 ELSE 0 END), "
	"sum(n.open_alerts), max(n.ts) "
	"FROM battery_now n WHERE n.run = $1 AND " SEES("n.site", "$2");

int api_fleet_summary(struct call *c, struct err *err)
{
	return emit_one(c, DB_QUERY(SUMMARY_SQL, call_value(c, "run"), call_sites(c)),
		SUMMARY, err);
}
