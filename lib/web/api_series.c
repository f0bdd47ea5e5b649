/* What was measured, estimated and predicted of one battery, over time. */
#include "record/schema.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

enum { STEPS_MOST = 5000 };

#define SPAN_PARAMS                                                                    \
	RUN_PARAM,                                                                     \
		{"start", PARAM_TIME, "from; a day before the end unless given",       \
			false, 0, 0, NULL, NULL},                                      \
	{                                                                              \
		"end", PARAM_TIME, "until, not itself; after the newest unless given", \
			false, 0, 0, NULL, NULL                                        \
	}

#define RESOLUTION_PARAM(doc)                                                          \
	{                                                                              \
		"resolution", PARAM_DURATION, doc, false, 0, 0, NULL, NULL             \
	}

const struct param CHART_PARAMS[] = {SPAN_PARAMS,
	{"limit", PARAM_INT,
		"most steps: in each, samples are joined to the least, greatest and "
		"last of their values",
		false, 1, STEPS_MOST, NULL, "600"},
	RESOLUTION_PARAM("length of a step, as 15m; unless given, as limit wants it"),
	{0}};
const struct param SERIES_PARAMS[] = {SPAN_PARAMS,
	RESOLUTION_PARAM("only the last in each step of this length, as 1h; unless "
			 "given, all"),
	SKIP_PARAM, LIMIT_PARAM, {0}};
const struct param LIFE_PARAMS[] = {SPAN_PARAMS,
	{"limit", PARAM_INT, "most steps: in each, the mean and the least are taken",
		false, 1, STEPS_MOST, NULL, "600"},
	RESOLUTION_PARAM("length of a step, as 1h; unless given, as limit wants it"),
	{"source", PARAM_WORD, "who foretold them", false, 0, 0, "fused|ml|twin",
		"fused"},
	{0}};
const struct param FEATURES_PARAMS[] = {SPAN_PARAMS,
	{"window", PARAM_INT, "of windows of so many hours", false, 1, 720, NULL, "24"},
	SKIP_PARAM, LIMIT_PARAM, {0}};

static int take_int(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_time(cells[0]);
	return 0;
}

struct span {
	struct number subject, start, end;
	int64_t from_ms, to_ms;
};

#define NUMBER_OF(table)                                                               \
	"SELECT x.id FROM " table                                                      \
	" x JOIN run r ON r.id = x.run WHERE r.name = $1 AND x.code = $2"

/*
 * The number of what the path names and the time asked for. 200; 404 no such thing; -1.
 * 'find' is SQL for the number, 'newest' for the last time there is of number $1.
 */
static int find_span(struct call *c, const char *find, const char *newest,
	struct span *s, struct err *err)
{
	int64_t id = TIME_NIL, last = TIME_NIL;
	const char *start = call_value(c, "start"), *end = call_value(c, "end");
	if (db_select(c->db, DB_QUERY(find, call_value(c, "run"), c->id), take_int, &id,
		    err) < 0)
		return -1;
	if (id == TIME_NIL)
		return http_refuse(c->res, 404, "no '%s'", c->id);
	s->subject = number(id);
	if (!end && db_select(c->db, DB_QUERY(newest, s->subject.text), take_int, &last,
			    err) < 0)
		return -1;
	s->to_ms = end ? cell_int(end) : last == TIME_NIL ? c->now : last + 1;
	s->from_ms = start ? cell_int(start) : s->to_ms - DAY_MS;
	if (s->from_ms >= s->to_ms)
		return err_set(err, ERR_DATA, "parameter 'start' is not before 'end'");
	s->start = number(s->from_ms);
	s->end = number(s->to_ms);
	return 200;
}

/* The length of the steps of a chart, in ms, or -1 when they would be too many. */
static int64_t chart_step(const struct call *c, const struct span *s, struct err *err)
{
	int64_t limit = call_int(c, "limit"), step = call_int(c, "resolution");
	int64_t length = s->to_ms - s->from_ms;
	if (step == 0)
		return (length - 1) / limit + 1;
	if ((length - 1) / step >= limit)
		return err_set(err, ERR_DATA,
			"parameter 'resolution' makes %lld steps of this time, more "
			"than 'limit', %lld: make it longer, or the time shorter",
			(long long)((length - 1) / step + 1), (long long)limit);
	return step;
}

/* As find_span, and the length of the chart's steps. */
static int find_chart(struct call *c, const char *find, const char *newest,
	struct span *s, int64_t *step, struct err *err)
{
	int status = find_span(c, find, newest, s, err);
	if (status == 200 && (*step = chart_step(c, s, err)) < 0)
		return -1;
	return status;
}

/* max(ts) of a series of a battery: by its run as well, which the key begins with. */
#define NEWEST(table)                                                                  \
	"SELECT max(ts) FROM " table                                                   \
	" WHERE run = (SELECT run FROM battery WHERE id = "                            \
	"$1) AND battery = $1"

static const struct column CHART[] = {{"ts", CELL_TIME}, {"count", CELL_INT},
	{"voltage_v", CELL_REAL}, {"voltage_min_v", CELL_REAL},
	{"voltage_max_v", CELL_REAL}, {"voltage_mean_v", CELL_REAL},
	{"current_a", CELL_REAL}, {"current_min_a", CELL_REAL},
	{"current_max_a", CELL_REAL}, {"current_mean_a", CELL_REAL},
	{"temperature_c", CELL_REAL}, {"temperature_min_c", CELL_REAL},
	{"temperature_max_c", CELL_REAL}, {"temperature_mean_c", CELL_REAL},
	{"resistance_mohm", CELL_REAL}, {"mode", CELL_TEXT}, {0}};

/* SQL of a chart. @T is the table, $1 … $4 battery, start, end and step. */
#define OF_STEP                                                                        \
	" FROM @T WHERE run = (SELECT run FROM battery WHERE id = $1) AND battery = "  \
	"$1 AND ts >= CAST($2 AS bigint) AND ts < CAST($3 AS bigint) GROUP BY (ts - "  \
	"CAST($2 AS bigint)) / CAST($4 AS bigint)) g JOIN @T t ON t.run = (SELECT "    \
	"run FROM battery WHERE id = $1) AND t.battery = $1 AND t.ts = g.ts ORDER BY " \
	"t.ts"
#define STEP_VALUES                                                                    \
	"g.n, t.voltage_v, g.v0, g.v1, g.v, t.current_a, g.i0, g.i1, g.i, "            \
	"t.temperature_c, g.t0, g.t1, g.t, t.resistance_mohm, t.mode FROM (SELECT "    \
	"max(ts) AS ts, "
#define RAW_OF(value, letter)                                                          \
	", min(" value ") AS " letter "0, max(" value ") AS " letter "1, avg(" value   \
	") AS " letter
#define ROLLED_OF(name, unit, letter)                                                  \
	", min(" name "_min_" unit ") AS " letter "0, max(" name "_max_" unit          \
	") AS " letter "1, CAST(sum(" name                                             \
	"_sum) AS double precision) / nullif(sum(" name "_n), 0) / 1000000 AS " letter

static const char RAW_SQL[] = "SELECT t.ts, " STEP_VALUES "count(*) AS n" RAW_OF(
	"voltage_v", "v") RAW_OF("current_a", "i") RAW_OF("temperature_c", "t") OF_STEP;
static const char ROLLED_SQL[] =
	"SELECT t.last_ts, " STEP_VALUES
	"sum(count) AS n" ROLLED_OF("voltage", "v", "v") ROLLED_OF("current", "a", "i")
		ROLLED_OF("temperature", "c", "t") OF_STEP;

/* A table is read for steps of at least 'least' of its own. */
static const struct tier {
	const char *table;
	int64_t ms, least;
} TIERS[] = {{"telemetry", 1, 1}, {"telemetry_15min", 15 * MINUTE_MS, 2},
	{"telemetry_hour", HOUR_MS, 2}, {"telemetry_day", DAY_MS, 2}};
enum { TIER_COUNT = sizeof(TIERS) / sizeof(*TIERS) };

/* What was taken away because of its age, by tier. */
struct gone {
	int64_t before[TIER_COUNT];
};

static int take_gone(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct gone *g = ctx;
	for (int i = 0; i < TIER_COUNT; i++)
		if (strcmp(cells[0], TIERS[i].table) == 0)
			g->before[i] = cell_time(cells[1]);
	return 0;
}

/* The coarsest tier that is fine enough and, where a length of steps was asked for,
 * makes it, or the finest that still has the start. */
static int choose_tier(struct call *c, const struct span *s, int64_t step,
	const struct tier **tier, struct err *err)
{
	struct gone gone;
	int i = TIER_COUNT - 1;
	for (int k = 0; k < TIER_COUNT; k++)
		gone.before[k] = INT64_MIN;
	if (db_select(c->db,
		    DB_QUERY("SELECT tier, before_ts FROM retention WHERE run = "
			     "(SELECT run FROM battery WHERE id = $1)",
			    s->subject.text),
		    take_gone, &gone, err) < 0)
		return -1;
	bool exact = call_int(c, "resolution") > 0;
	while (i > 0 && (TIERS[i].ms * TIERS[i].least > step ||
				(exact && step % TIERS[i].ms != 0)))
		i--;
	while (i < TIER_COUNT - 1 && s->from_ms < gone.before[i])
		i++;
	*tier = &TIERS[i];
	return 0;
}

static void put_sql(const char *form, const char *table, struct buf *sql)
{
	for (const char *at; (at = strstr(form, "@T")); form = at + 2) {
		buf_append(sql, form, (size_t)(at - form));
		buf_puts(sql, table);
	}
	buf_puts(sql, form);
	buf_putc(sql, '\0');
}

/*
 * Steps of equal length, each with what its chart pixel needs: a spike of one sample is
 * still its least or greatest, a step without samples is not there at all. Wide steps
 * are made of roll-ups; they begin and end with these, and where only these are left of
 * the past, a step is at least as long as theirs.
 */
int api_battery_telemetry(struct call *c, struct err *err)
{
	struct span s;
	int64_t step;
	const struct tier *tier;
	struct buf sql = {0};
	int status = find_chart(
		c, NUMBER_OF("battery"), NEWEST("telemetry_latest"), &s, &step, err);
	if (status != 200)
		return status;
	if (choose_tier(c, &s, step, &tier, err) < 0)
		return -1;
	int64_t from = time_whole(s.from_ms, tier->ms) * tier->ms;
	step = (step + tier->ms - 1) / tier->ms * tier->ms;
	put_sql(tier == TIERS ? RAW_SQL : ROLLED_SQL, tier->table, &sql);
	status = sql.failed ? err_nomem(err)
			    : emit_list(c,
				      DB_QUERY((char *)sql.data, s.subject.text,
					      number(from).text, s.end.text,
					      number(step).text),
				      CHART, err);
	buf_release(&sql);
	return status;
}

#define OF_SPAN                                                                        \
	" WHERE run = (SELECT run FROM battery WHERE id = $1) AND battery = $1 AND "   \
	"ts "                                                                          \
	">= $2 AND ts < $3"
/* The last of each step of $4 ms, by itself for each of 'what'; all when $4 is 0. */
#define THINNED(table, what)                                                           \
	" AND ($4 = '0' OR (" what ", ts) IN (SELECT " what                            \
	", max(ts) FROM " table OF_SPAN " GROUP BY " what                              \
	", (ts - $2) / CASE WHEN $4 = '0' THEN 1 ELSE CAST($4 AS bigint) END))"
#define PAGED " LIMIT $5 OFFSET $6"

static int series(struct call *c, const char *newest, const char *sql,
	const struct column *columns, struct err *err)
{
	struct span s;
	int status = find_span(c, NUMBER_OF("battery"), newest, &s, err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY(sql, s.subject.text, s.start.text, s.end.text,
			number(call_int(c, "resolution")).text, call_value(c, "limit"),
			call_value(c, "skip")),
		columns, err);
}

int api_battery_twin(struct call *c, struct err *err)
{
	static const struct column TWIN[] = {{"ts", CELL_TIME}, {"unit", CELL_INT},
		{"soc_pct", CELL_REAL}, {"soc_std_pct", CELL_REAL},
		{"soh_pct", CELL_REAL}, {"soh_std_pct", CELL_REAL},
		{"capacity_ah", CELL_REAL}, {"capacity_std_ah", CELL_REAL},
		{"r0_mohm", CELL_REAL}, {"r0_std_mohm", CELL_REAL},
		{"voltage_error_v", CELL_REAL}, {"nis", CELL_REAL},
		{"autonomy_min", CELL_REAL}, {"autonomy_lower_min", CELL_REAL},
		{"autonomy_upper_min", CELL_REAL}, {"autonomy_load_a", CELL_REAL},
		{"total", CELL_TOTAL}, {0}};
	return series(c, NEWEST("twin_state"),
		"SELECT ts, unit, soc_pct, soc_std_pct, soh_pct, soh_std_pct, "
		"capacity_ah, capacity_std_ah, r0_mohm, r0_std_mohm, voltage_error_v, "
		"nis, autonomy_min, autonomy_lower_min, autonomy_upper_min, "
		"autonomy_load_a, count(*) OVER () FROM twin_state" OF_SPAN THINNED(
			"twin_state", "unit") " ORDER BY ts" PAGED,
		TWIN, err);
}

int api_battery_rul(struct call *c, struct err *err)
{
	static const struct column RUL[] = {{"ts", CELL_TIME}, {"unit", CELL_INT},
		{"source", CELL_TEXT}, {"rul_days", CELL_REAL},
		{"lower_days", CELL_REAL}, {"upper_days", CELL_REAL},
		{"p_fail_30d", CELL_REAL}, {"p_fail_90d", CELL_REAL},
		{"confidence", CELL_REAL}, {"flags", CELL_INT},
		{"weight_ml", CELL_REAL}, {"model", CELL_TEXT}, {"factors", CELL_JSON},
		{"replace_by", CELL_TIME}, {"total", CELL_TOTAL}, {0}};
	return series(c, NEWEST("rul_prediction"),
		"SELECT ts, unit, source, rul_days, lower_days, upper_days, "
		"p_fail_30d, "
		"p_fail_90d, confidence, flags, weight_ml, model, factors, replace_by, "
		"count(*) OVER () FROM rul_prediction" OF_SPAN THINNED(
			"rul_prediction", "source") " ORDER BY ts, source" PAGED,
		RUL, err);
}

/* Every field of a feature record but whose it is, and the list's total. */
static void feature_columns(struct column *columns, struct buf *sql)
{
	const struct kind_info *k = kind_info(KIND_feature);
	int n = 0;
	buf_puts(sql, "SELECT ");
	for (int i = 0; i < k->nfields; i++) {
		const struct field_info *f = &k->fields[i];
		if (i == F_feature_battery)
			continue;
		columns[n++] = (struct column){f->name, f->type == T_TIME  ? CELL_TIME
							: f->type == T_F32 ? CELL_REAL
									   : CELL_INT};
		buf_printf(sql, "%s, ", f->name);
	}
	columns[n++] = (struct column){"total", CELL_TOTAL};
	columns[n] = (struct column){0};
	buf_puts(sql, "count(*) OVER () FROM feature" OF_SPAN
		      " AND window_h = CAST($6 AS integer) ORDER BY ts, unit LIMIT $4 "
		      "OFFSET $5");
	buf_putc(sql, '\0');
}

int api_battery_features(struct call *c, struct err *err)
{
	struct span s;
	struct column columns[NFIELDS_feature + 2];
	struct buf sql = {0};
	int status = find_span(c, NUMBER_OF("battery"), NEWEST("feature"), &s, err);
	if (status != 200)
		return status;
	feature_columns(columns, &sql);
	status =
		sql.failed
			? err_nomem(err)
			: emit_list(c,
				  DB_QUERY((char *)sql.data, s.subject.text,
					  s.start.text, s.end.text,
					  call_value(c, "limit"), call_value(c, "skip"),
					  call_value(c, "window")),
				  columns, err);
	buf_release(&sql);
	return status;
}

const struct param EVENTS_PARAMS[] = {RUN_PARAM,
	{"start", PARAM_TIME, "what was over before is left out", false, 0, 0, NULL,
		NULL},
	{"end", PARAM_TIME, "what began then or later is left out", false, 0, 0, NULL,
		NULL},
	SKIP_PARAM, LIMIT_PARAM, {0}};

static const struct column EVENT[] = {{"event_id", CELL_TEXT}, {"ts", CELL_TIME},
	{"end_ts", CELL_TIME}, {"subject", CELL_TEXT}, {"type", CELL_TEXT},
	{"status", CELL_TEXT}, {"value", CELL_REAL}, {"note", CELL_TEXT},
	{"total", CELL_TOTAL}, {0}};

#define EVENTS_FROM                                                                    \
	"SELECT e.event_id, e.ts, e.end_ts, e.subject, e.type, e.status, e.value, "    \
	"e.note, count(*) OVER () FROM event e JOIN run r ON r.id = e.run WHERE "      \
	"r.name = $1 AND ($2 = e.subject OR "
#define EVENTS_SPAN                                                                    \
	") AND (CAST($3 AS text) IS NULL OR coalesce(e.end_ts, e.ts) >= CAST($3 AS "   \
	"bigint)) AND (CAST($4 AS text) IS NULL OR e.ts < CAST($4 AS bigint)) ORDER "  \
	"BY e.ts DESC, e.event_id LIMIT $5 OFFSET $6"

static int events(struct call *c, const char *table, const char *sql, struct err *err)
{
	int status = call_exists(c, table, err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY(sql, call_value(c, "run"), c->id, call_value(c, "start"),
			call_value(c, "end"), call_value(c, "limit"),
			call_value(c, "skip")),
		EVENT, err);
}

/* Of the battery, and of what it is part of: an outage is the system's or the site's.
 */
int api_battery_events(struct call *c, struct err *err)
{
	return events(
		c, "battery", EVENTS_FROM "$2 LIKE e.subject || '-%'" EVENTS_SPAN, err);
}

/* Of the site and all that is in it. */
int api_location_events(struct call *c, struct err *err)
{
	return events(
		c, "site", EVENTS_FROM "e.subject LIKE $2 || '-%'" EVENTS_SPAN, err);
}

#define SENSORS_OF                                                                     \
	"sensor x JOIN site s ON s.run = x.run AND s.id = $1 AND (x.site = s.id OR "   \
	"x.code LIKE s.code || '-%')"

static const struct column ENVIRONMENT[] = {{"sensor", CELL_TEXT}, {"ts", CELL_TIME},
	{"temperature_mean_c", CELL_REAL}, {"temperature_min_c", CELL_REAL},
	{"temperature_max_c", CELL_REAL}, {"humidity_pct", CELL_REAL},
	{"hvac", CELL_TEXT}, {"outdoor_temperature_c", CELL_REAL}, {0}};

/* As the telemetry of a battery: steps of equal length, a row a sensor and step. */
int api_location_environment(struct call *c, struct err *err)
{
	struct span s;
	int64_t step;
	int status = find_chart(c, NUMBER_OF("site"),
		"SELECT max((SELECT max(e.ts) FROM environment e WHERE e.run = x.run "
		"AND e.sensor = x.id)) FROM " SENSORS_OF,
		&s, &step, err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY("SELECT g.code, e.ts, g.t, g.t0, g.t1, g.h, e.hvac, "
			 "e.outdoor_temperature_c FROM (SELECT x.code AS code, x.run "
			 "AS run, x.id AS id, max(v.ts) AS ts, avg(v.temperature_c) AS "
			 "t, min(v.temperature_c) AS t0, max(v.temperature_c) AS t1, "
			 "avg(v.humidity_pct) AS h FROM " SENSORS_OF
			 " JOIN environment v ON v.run = x.run AND v.sensor = x.id AND "
			 "v.ts >= CAST($2 AS bigint) AND v.ts < CAST($3 AS bigint) "
			 "GROUP BY x.code, x.run, x.id, (v.ts - CAST($2 AS bigint)) / "
			 "CAST($4 AS bigint)) g JOIN environment e ON e.run = g.run "
			 "AND e.sensor = g.id AND e.ts = g.ts ORDER BY g.code, e.ts",
			s.subject.text, s.start.text, s.end.text, number(step).text),
		ENVIRONMENT, err);
}

/* The batteries a caller may see, with their samples. */
#define SEEN_BATTERIES                                                                 \
	"battery b JOIN run r ON r.id = b.run LEFT JOIN string g ON g.id = b.string "  \
	"LEFT JOIN battery_system y ON y.id = g.system LEFT JOIN site s ON s.id = "    \
	"y.site WHERE r.name = $1 AND " SEES("s.code", "$2")
#define FIRST_AND_LAST                                                                 \
	"min((SELECT min(t.ts) FROM telemetry t WHERE t.run = b.run AND t.battery = "  \
	"b.id)), max((SELECT t.ts FROM telemetry_latest t WHERE t.run = b.run AND "    \
	"t.battery = b.id))"

int api_telemetry_stats(struct call *c, struct err *err)
{
	static const struct column STATS[] = {{"samples", CELL_INT},
		{"batteries", CELL_INT}, {"first", CELL_TIME}, {"last", CELL_TIME},
		{0}};
	return emit_one(c,
		DB_QUERY("SELECT coalesce(sum((SELECT count(*) FROM telemetry t WHERE "
			 "t.run = b.run AND t.battery = b.id)), 0), "
			 "count(*), " FIRST_AND_LAST " FROM " SEEN_BATTERIES,
			call_value(c, "run"), call_sites(c)),
		STATS, err);
}

const struct param DATE_RANGE_PARAMS[] = {RUN_PARAM,
	{"location", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL}, {0}};

int api_telemetry_range(struct call *c, struct err *err)
{
	static const struct column RANGE[] = {
		{"first", CELL_TIME}, {"last", CELL_TIME}, {0}};
	return emit_one(c,
		DB_QUERY("SELECT " FIRST_AND_LAST " FROM " SEEN_BATTERIES
			 " AND (CAST($3 AS text) IS NULL OR s.code = $3)",
			call_value(c, "run"), call_sites(c), call_value(c, "location")),
		RANGE, err);
}

static const struct column LIFE[] = {{"ts", CELL_TIME}, {"batteries", CELL_INT},
	{"rul_mean_days", CELL_REAL}, {"rul_least_days", CELL_REAL},
	{"ageing", CELL_REAL}, {0}};
#define BATTERIES_OF                                                                   \
	"battery_system y JOIN string g ON g.system = y.id JOIN battery b ON "         \
	"b.string = g.id "
/* Of the rows x of these batteries within the span: the number of their step. */
#define WITHIN_SPAN                                                                    \
	"x.run = b.run AND x.battery = b.id AND x.ts >= CAST($2 AS bigint) AND x.ts "  \
	"< CAST($3 AS bigint) "
#define STEP_OF "(x.ts - CAST($2 AS bigint)) / CAST($4 AS bigint)"

/* Steps of equal length, each with what was foretold of how many batteries, and how
 * fast these aged by their temperature: 1 at 25 degC. */
int api_location_life(struct call *c, struct err *err)
{
	struct span s;
	int64_t step;
	int status = find_chart(c, NUMBER_OF("site"),
		"SELECT max(x.ts) FROM " BATTERIES_OF
		"JOIN rul_latest x ON x.run = b.run AND x.battery = b.id WHERE y.site "
		"= $1",
		&s, &step, err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY(
			"WITH a(k, ageing) AS (SELECT " STEP_OF
			", avg(x.arrhenius_hours) FROM " BATTERIES_OF
			"JOIN feature x ON " WITHIN_SPAN
			"AND x.window_h = 1 WHERE y.site = $1 GROUP BY 1), l(k, ts, n, "
			"mean, least) AS (SELECT " STEP_OF
			", max(x.ts), count(DISTINCT x.battery), avg(x.rul_days), "
			"min(x.rul_days) FROM " BATTERIES_OF
			"JOIN rul_prediction x ON " WITHIN_SPAN
			"AND x.source = $5 WHERE y.site = $1 GROUP BY 1) SELECT l.ts, "
			"l.n, l.mean, l.least, a.ageing FROM l LEFT JOIN a ON a.k = "
			"l.k "
			"ORDER BY l.ts",
			s.subject.text, s.start.text, s.end.text, number(step).text,
			call_value(c, "source")),
		LIFE, err);
}
