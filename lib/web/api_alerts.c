/* Alerts. */
#include "web/api.h"
#include "web/emit.h"

static const struct column ALERT[] = {{"id", CELL_TEXT}, {"incident_id", CELL_TEXT},
	{"ts", CELL_TIME}, {"subject", CELL_TEXT}, {"rule", CELL_TEXT},
	{"severity", CELL_TEXT}, {"state", CELL_TEXT}, {"source", CELL_TEXT},
	{"value", CELL_REAL}, {"threshold", CELL_REAL}, {"message", CELL_TEXT},
	{"since", CELL_TIME}, {"resolved", CELL_TIME}, {"acknowledged_by", CELL_TEXT},
	{"total", CELL_TOTAL}, {0}};
#define ALERT_COLUMNS                                                                  \
	"a.alert_id, a.incident_id, a.ts, a.subject, a.rule, a.severity, a.state, "    \
	"a.source, a.value, a.threshold, a.message, a.since_ts, a.resolved_ts, "       \
	"(SELECT max(k.actor) FROM alert_action k WHERE k.run = a.run AND "            \
	"k.subject_id "                                                                \
	"= a.alert_id AND k.action = 'acknowledge')"
/* An alert is about a site or something in one. */
#define ALERT_SITES(p)                                                                 \
	"(CAST(" p                                                                     \
	" AS text) IS NULL OR EXISTS (SELECT 1 FROM site s WHERE s.run = a.run AND "   \
	"(a.subject = s.code OR a.subject LIKE s.code || '-%') AND " SEES(             \
		"s.code", p) "))"

const struct param ALERTS_PARAMS[] = {RUN_PARAM,
	{"location", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL},
	{"subject", PARAM_TEXT, "of this battery, string, system or site only", false,
		1, 127, NULL, NULL},
	{"severity", PARAM_WORD, "of this severity only", false, 0, 0,
		"info|warning|critical", NULL},
	{"type", PARAM_TEXT, "of this rule only", false, 1, 64, NULL, NULL},
	{"active_only", PARAM_BOOL, "only those that are firing", false, 0, 0, NULL,
		"false"},
	{"start_date", PARAM_TIME, "from", false, 0, 0, NULL, NULL},
	{"end_date", PARAM_TIME, "until, not itself", false, 0, 0, NULL, NULL},
	SKIP_PARAM, LIMIT_PARAM, {0}};

int api_alerts(struct call *c, struct err *err)
{
	return emit_list(c,
		DB_QUERY("SELECT " ALERT_COLUMNS ", count(*) OVER () FROM alert a JOIN "
			 "run r ON r.id = a.run WHERE r.name = $1 AND " ALERT_SITES(
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
				       "NULL OR a.ts < CAST($9 AS bigint)) ORDER BY "
				       "a.ts DESC, "
				       "a.alert_id LIMIT $10 OFFSET $11",
			call_value(c, "run"), call_sites(c), call_value(c, "location"),
			call_value(c, "subject"), call_value(c, "severity"),
			call_value(c, "type"), call_value(c, "active_only"),
			call_value(c, "start_date"), call_value(c, "end_date"),
			call_value(c, "limit"), call_value(c, "skip")),
		ALERT, err);
}

int api_alert(struct call *c, struct err *err)
{
	return emit_one(c,
		DB_QUERY("SELECT " ALERT_COLUMNS
			 ", 1 FROM alert a JOIN run r ON r.id = "
			 "a.run WHERE r.name = $1 AND a.alert_id = $2 AND " ALERT_SITES(
				 "$3"),
			call_value(c, "run"), c->id, call_sites(c)),
		ALERT, err);
}
