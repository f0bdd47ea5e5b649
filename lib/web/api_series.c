/* What was measured, estimated and predicted of one battery, over time. */
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

enum { POINTS_MOST = 5000 };

#define SPAN_PARAMS                                                                    \
	RUN_PARAM,                                                                     \
		{"start", PARAM_TIME, "from; a day before the end unless given",       \
			false, 0, 0, NULL, NULL},                                      \
	{                                                                              \
		"end", PARAM_TIME, "until, not itself; after the newest unless given", \
			false, 0, 0, NULL, NULL                                        \
	}

const struct param CHART_PARAMS[] = {SPAN_PARAMS,
	{"points", PARAM_INT,
		"most points: samples are joined in steps, each with the least, "
		"greatest and "
		"last of its values",
		false, 1, POINTS_MOST, NULL, "600"},
	{0}};
const struct param SERIES_PARAMS[] = {SPAN_PARAMS, SKIP_PARAM, LIMIT_PARAM, {0}};

static int take_int(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_time(cells[0]);
	return 0;
}

struct span {
	struct number battery, start, end;
	int64_t from_ms, to_ms;
};

/*
 * The battery's number and the time asked for. 200; 404 no such battery; -1. 'newest'
 * is SQL for the last time there is of battery $1.
 */
static int find_span(
	struct call *c, const char *newest, struct span *s, struct err *err)
{
	int64_t id = TIME_NIL, last = TIME_NIL;
	const char *start = call_value(c, "start"), *end = call_value(c, "end");
	if (db_select(c->db,
		    DB_QUERY("SELECT b.id FROM battery b JOIN run r ON r.id = b.run "
			     "WHERE r.name = $1 AND b.code = $2",
			    call_value(c, "run"), c->id),
		    take_int, &id, err) < 0)
		return -1;
	if (id == TIME_NIL)
		return http_refuse(c->res, 404, "no '%s'", c->id);
	s->battery = number(id);
	if (!end && db_select(c->db, DB_QUERY(newest, s->battery.text), take_int, &last,
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

/* max(ts) of a series of a battery: by its run as well, which the key begins with. */
#define NEWEST(table)                                                                  \
	"SELECT max(ts) FROM " table                                                   \
	" WHERE run = (SELECT run FROM battery WHERE id = "                            \
	"$1) AND battery = $1"

static const struct column CHART[] = {{"ts", CELL_TIME}, {"count", CELL_INT},
	{"voltage_v", CELL_REAL}, {"voltage_min_v", CELL_REAL},
	{"voltage_max_v", CELL_REAL}, {"current_a", CELL_REAL},
	{"current_min_a", CELL_REAL}, {"current_max_a", CELL_REAL},
	{"temperature_c", CELL_REAL}, {"temperature_min_c", CELL_REAL},
	{"temperature_max_c", CELL_REAL}, {"resistance_mohm", CELL_REAL},
	{"mode", CELL_TEXT}, {0}};

/*
 * Steps of equal length, each with what its chart pixel needs: a spike of one sample is
 * still its least or greatest, a step without samples is not there at all.
 */
int api_battery_telemetry(struct call *c, struct err *err)
{
	struct span s;
	int status = find_span(c, NEWEST("telemetry"), &s, err);
	if (status != 200)
		return status;
	int64_t points = call_int(c, "points");
	int64_t step = (s.to_ms - s.from_ms + points - 1) / points;
	return emit_list(c,
		DB_QUERY(
			"SELECT t.ts, g.n, t.voltage_v, g.v0, g.v1, t.current_a, g.i0, "
			"g.i1, t.temperature_c, g.t0, g.t1, t.resistance_mohm, t.mode "
			"FROM (SELECT max(ts) AS ts, count(*) AS n, min(voltage_v) AS "
			"v0, max(voltage_v) AS v1, min(current_a) AS i0, "
			"max(current_a) AS i1, min(temperature_c) AS t0, "
			"max(temperature_c) AS t1 FROM telemetry WHERE run = (SELECT "
			"run FROM battery WHERE id = $1) AND battery = $1 AND ts >= "
			"CAST($2 AS bigint) AND ts < CAST($3 AS bigint) GROUP BY (ts - "
			"CAST($2 AS bigint)) / CAST($4 AS bigint)) g JOIN telemetry t "
			"ON t.run = (SELECT run FROM battery WHERE id = $1) AND "
			"t.battery = $1 AND t.ts = g.ts ORDER BY t.ts",
			s.battery.text, s.start.text, s.end.text, number(step).text),
		CHART, err);
}

#define OF_SPAN                                                                        \
	" WHERE run = (SELECT run FROM battery WHERE id = $1) AND battery = $1 AND "   \
	"ts "                                                                          \
	">= $2 AND ts < $3"
#define PAGED " ORDER BY ts LIMIT $4 OFFSET $5"

static int series(struct call *c, const char *newest, const char *sql,
	const struct column *columns, struct err *err)
{
	struct span s;
	int status = find_span(c, newest, &s, err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY(sql, s.battery.text, s.start.text, s.end.text,
			call_value(c, "limit"), call_value(c, "skip")),
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
		"autonomy_load_a, count(*) OVER () FROM twin_state" OF_SPAN PAGED,
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
		"count(*) OVER () FROM rul_prediction" OF_SPAN
		" ORDER BY ts, source LIMIT $4 OFFSET $5",
		RUL, err);
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

/* Of the battery, and of what it is part of: an outage is the system's or the site's.
 */
int api_battery_events(struct call *c, struct err *err)
{
	int status = call_exists(c, "battery", err);
	if (status != 200)
		return status;
	return emit_list(c,
		DB_QUERY(
			"SELECT e.event_id, e.ts, e.end_ts, e.subject, e.type, "
			"e.status, e.value, e.note, count(*) OVER () FROM event e JOIN "
			"run r ON r.id = e.run WHERE r.name = $1 AND ($2 = e.subject "
			"OR $2 LIKE e.subject || '-%') AND (CAST($3 AS text) IS NULL "
			"OR "
			"coalesce(e.end_ts, e.ts) >= CAST($3 AS bigint)) AND (CAST($4 "
			"AS text) IS "
			"NULL OR e.ts < CAST($4 AS bigint)) ORDER BY e.ts DESC, "
			"e.event_id LIMIT $5 OFFSET $6",
			call_value(c, "run"), c->id, call_value(c, "start"),
			call_value(c, "end"), call_value(c, "limit"),
			call_value(c, "skip")),
		EVENT, err);
}
