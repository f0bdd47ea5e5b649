/* Alerts. */
#include "web/api.h"
#include "web/cell.h"
#include "web/decide.h"
#include "web/emit.h"

static const struct column ALERT[] = {{"id", CELL_TEXT}, {"incident_id", CELL_TEXT},
	{"ts", CELL_TIME}, {"subject", CELL_TEXT}, {"rule", CELL_TEXT},
	{"severity", CELL_TEXT}, {"state", CELL_TEXT}, {"source", CELL_TEXT},
	{"value", CELL_REAL}, {"threshold", CELL_REAL}, {"message", CELL_TEXT},
	{"since", CELL_TIME}, {"resolved", CELL_TIME}, {"acknowledged_by", CELL_TEXT},
	{"acknowledged_at", CELL_TIME}, {"acknowledge_note", CELL_TEXT},
	{"assigned_to", CELL_TEXT}, {"shelved_by", CELL_TEXT},
	{"shelved_until", CELL_TIME}, {"shelve_reason", CELL_TEXT},
	{"resolved_by", CELL_TEXT}, {"resolve_note", CELL_TEXT}, {"total", CELL_TOTAL},
	{0}};
#define ALERT_DECIDED(what, action) DECIDED(what, action, "a.run", "a.alert_id")
#define ALERT_COLUMNS                                                                  \
	"a.alert_id, a.incident_id, a.ts, a.subject, a.rule, a.severity, a.state, "    \
	"a.source, a.value, a.threshold, a.message, a.since_ts, "                      \
	"a.resolved_ts, " ALERT_DECIDED("actor", "acknowledge") ", " ALERT_DECIDED(    \
		"ts", "acknowledge") ", " ALERT_DECIDED("note",                        \
		"acknowledge") ", " ALERT_DECIDED("note",                              \
		"assign") ", " ALERT_DECIDED("actor",                                  \
		"shelve") ", " ALERT_DECIDED("until_ts",                               \
		"shelve") ", " ALERT_DECIDED("note",                                   \
		"shelve") ", " ALERT_DECIDED("actor",                                  \
		"resolve") ", " ALERT_DECIDED("note", "resolve")
const struct param ALERTS_PARAMS[] = {RUN_PARAM,
	{"location", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL},
	{"subject", PARAM_TEXT, "of this battery, string, system or site only", false,
		1, 127, NULL, NULL},
	{"severity", PARAM_WORD, "of this severity only", false, 0, 0,
		"info|warning|critical", NULL},
	{"type", PARAM_TEXT, "of this rule only", false, 1, 64, NULL, NULL},
	{"active_only", PARAM_BOOL, "only those that are firing", false, 0, 0, NULL,
		"false"},
	{"acknowledged", PARAM_BOOL, "that somebody takes care of, or nobody", false, 0,
		0, NULL, NULL},
	{"start_date", PARAM_TIME, "from", false, 0, 0, NULL, NULL},
	{"end_date", PARAM_TIME, "until, not itself", false, 0, 0, NULL, NULL},
	SKIP_PARAM, LIMIT_PARAM, {0}};

int api_alerts(struct call *c, struct err *err)
{
	return emit_list(c,
		DB_QUERY("SELECT " ALERT_COLUMNS ", count(*) OVER () FROM alert a JOIN "
			 "run r ON r.id = a.run WHERE r.name = $1 AND " ABOUT_SEEN("a",
				 "$2") " AND (CAST($3 AS text) IS NULL OR a.subject = "
				       "$3 OR "
				       "a.subject LIKE "
				       "$3 || '-%') AND (CAST($4 AS text) IS NULL OR "
				       "a.subject = $4) "
				       "AND "
				       "(CAST($5 AS text) IS NULL OR a.severity = $5) "
				       "AND (CAST($6 AS text) IS "
				       "NULL OR "
				       "a.rule = $6) AND ($7 = '0' OR a.state = "
				       "'firing') AND "
				       "(CAST($8 AS text) IS NULL OR a.ts >= CAST($8 "
				       "AS bigint)) AND "
				       "(CAST($9 AS text) IS "
				       "NULL OR a.ts < CAST($9 AS bigint)) AND "
				       "(CAST($10 "
				       "AS text) IS NULL OR $10 = CASE WHEN EXISTS "
				       "(SELECT 1 FROM alert_action k WHERE k.run = "
				       "a.run AND k.subject_id = a.alert_id AND "
				       "k.action = 'acknowledge') THEN '1' ELSE '0' "
				       "END) ORDER BY a.ts DESC, a.alert_id LIMIT $11 "
				       "OFFSET $12",
			call_value(c, "run"), call_sites(c), call_value(c, "location"),
			call_value(c, "subject"), call_value(c, "severity"),
			call_value(c, "type"), call_value(c, "active_only"),
			call_value(c, "start_date"), call_value(c, "end_date"),
			call_value(c, "acknowledged"), call_value(c, "limit"),
			call_value(c, "skip")),
		ALERT, err);
}

int alert_of(struct call *c, const char *run, struct err *err)
{
	return emit_one(c,
		DB_QUERY("SELECT " ALERT_COLUMNS
			 ", 1 FROM alert a JOIN run r ON r.id = a.run WHERE r.name = "
			 "$1 AND a.alert_id = $2 AND " ABOUT_SEEN("a", "$3"),
			run, c->id, call_sites(c)),
		ALERT, err);
}

int api_alert(struct call *c, struct err *err)
{
	return alert_of(c, call_value(c, "run"), err);
}

int alerts_of_incident(struct call *c, const char *run, struct err *err)
{
	return emit_array(c,
		DB_QUERY("SELECT " ALERT_COLUMNS
			 ", 1 FROM alert a JOIN run r ON r.id = a.run WHERE r.name = "
			 "$1 AND a.incident_id = $2 ORDER BY a.since_ts, a.alert_id",
			run, c->id),
		ALERT, err);
}

const struct param ALERT_STATS_PARAMS[] = {RUN_PARAM,
	{"days", PARAM_INT, "of the last so many days", false, 1, 3660, NULL, "30"},
	{0}};

/* One list of counts: what is counted is the query's, as columns. */
static int counts(struct call *c, const char *name, const char *sql,
	const struct column *columns, const struct number *from, struct err *err)
{
	emit_name(c->out, name);
	return emit_array(c,
		DB_QUERY(sql, call_value(c, "run"), call_sites(c), from->text), columns,
		err);
}

#define STATS_FROM                                                                     \
	" FROM alert a JOIN run r ON r.id = a.run WHERE r.name = $1 AND " ABOUT_SEEN(  \
		"a", "$2") " AND "
#define STATS_SINCE "a.since_ts >= CAST($3 AS bigint)"
#define OF_SEVERITY(word) "sum(CASE WHEN a.severity = '" word "' THEN 1 ELSE 0 END)"
#define SEVERITIES                                                                     \
	OF_SEVERITY("info") ", " OF_SEVERITY("warning") ", " OF_SEVERITY("critical")

/* How long it took from an alert's beginning to somebody's decision, minutes. */
#define MEAN_MINUTES(action)                                                           \
	"avg((" ALERT_DECIDED("ts", action) " - a.since_ts) / 60000.0)"

static int now_open(struct call *c, struct err *err)
{
	static const struct column NOW[] = {{"info", CELL_INT}, {"warning", CELL_INT},
		{"critical", CELL_INT}, {"mean_acknowledge_min", CELL_REAL},
		{"mean_resolve_min", CELL_REAL}, {0}};
	emit_name(c->out, "open");
	return emit_one(c,
		DB_QUERY("SELECT " SEVERITIES
			 ", " MEAN_MINUTES("acknowledge") ", " MEAN_MINUTES("resolve")
				 STATS_FROM "a.state = 'firing'",
			call_value(c, "run"), call_sites(c)),
		NOW, err);
}

int api_alert_stats(struct call *c, struct err *err)
{
	static const struct column DAY[] = {{"date", CELL_TIME}, {"info", CELL_INT},
		{"warning", CELL_INT}, {"critical", CELL_INT}, {0}};
	static const struct column RULE[] = {
		{"rule", CELL_TEXT}, {"count", CELL_INT}, {0}};
	static const struct column SITE[] = {
		{"site", CELL_TEXT}, {"count", CELL_INT}, {0}};
	struct number from = number(c->now - call_int(c, "days") * DAY_MS);
	emit_open(c->out, '{');
	emit_name(c->out, "days");
	emit_int(c->out, call_int(c, "days"));
	if (counts(c, "by_day",
		    "SELECT a.since_ts / 86400000 * 86400000, " SEVERITIES STATS_FROM
			    STATS_SINCE " GROUP BY 1 ORDER BY 1",
		    DAY, &from, err) < 0 ||
		counts(c, "by_rule",
			"SELECT a.rule, count(*)" STATS_FROM STATS_SINCE
			" GROUP BY a.rule ORDER BY 2 DESC, 1",
			RULE, &from, err) < 0 ||
		counts(c, "by_site",
			"SELECT s.code, count(*) FROM alert a JOIN run r ON r.id = "
			"a.run JOIN site s ON s.run = a.run AND (a.subject = s.code OR "
			"a.subject LIKE s.code || '-%') WHERE r.name = $1 AND " SEES(
				"s.code", "$2") " AND " STATS_SINCE
						" GROUP BY s.code ORDER BY 2 DESC, 1",
			SITE, &from, err) < 0 ||
		now_open(c, err) < 0)
		return -1;
	emit_close(c->out, '}');
	return 200;
}
