/*
 * Tables as CSV, for spreadsheets. A spreadsheet takes a text that begins with =, +, -
 * or @ for a formula, whoever wrote it: such a text gets an apostrophe in front.
 */
#include "record/text.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

/* More rows than this are refused, not cut: nobody would see that they are missing. */
#define EXPORT_MOST 100000
#define TEXT_OF(x) #x
#define ONE_MORE(n) TEXT_OF(n) " + 1"

static void put_text(struct buf *b, const char *cell)
{
	char first = cell[0];
	buf_putc(b, '"');
	if (first && strchr("=+-@\t\r", first))
		buf_putc(b, '\'');
	for (const char *p = cell; *p; p++) {
		if (*p == '"')
			buf_putc(b, '"');
		buf_putc(b, *p);
	}
	buf_putc(b, '"');
}

static void put_cell(struct buf *b, enum cell_type type, const char *cell)
{
	char text[TIME_TEXT_SIZE];
	if (!cell)
		return;
	switch (type) {
	case CELL_TEXT:
	case CELL_JSON:
		put_text(b, cell);
		break;
	case CELL_TIME:
		buf_puts(b, time_format(cell_time(cell), text));
		break;
	case CELL_REAL:
		text_f32(strtof(cell, NULL), b);
		break;
	case CELL_BOOL:
		buf_puts(b, cell_bool(cell) ? "true" : "false");
		break;
	case CELL_INT:
	case CELL_TOTAL:
		buf_puts(b, cell);
		break;
	}
}

struct csv {
	struct buf *out;
	const struct column *columns;
	int64_t rows;
};

static int put_row(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct csv *k = ctx;
	if (++k->rows > EXPORT_MOST)
		return err_set(err, ERR_DATA,
			"these are more than %d rows: ask for a part of them",
			EXPORT_MOST);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_putc(k->out, ',');
		put_cell(k->out, k->columns[i].type, cells[i]);
	}
	buf_puts(k->out, "\r\n");
	return k->out->failed ? err_nomem(err) : 0;
}

static int export(struct call *c, const struct db_query *q,
	const struct column *columns, struct err *err)
{
	struct csv k = {c->out, columns, 0};
	for (int i = 0; columns[i].name; i++)
		buf_printf(c->out, "%s%s", i ? "," : "", columns[i].name);
	buf_puts(c->out, "\r\n");
	if (db_select(c->db, q, put_row, &k, err) < 0)
		return -1;
	c->res->type = "text/csv; charset=utf-8";
	return 200;
}

int api_export_batteries(struct call *c, struct err *err)
{
	static const struct column COLUMNS[] = {{"battery", CELL_TEXT},
		{"site", CELL_TEXT}, {"system", CELL_TEXT}, {"string", CELL_TEXT},
		{"position", CELL_INT}, {"model", CELL_TEXT}, {"serial", CELL_TEXT},
		{"installed", CELL_TIME}, {"warranty_until", CELL_TIME},
		{"status", CELL_TEXT}, {"open_alerts", CELL_INT},
		{"sampled", CELL_TIME}, {"voltage_v", CELL_REAL},
		{"temperature_c", CELL_REAL}, {"resistance_mohm", CELL_REAL},
		{"soc_pct", CELL_REAL}, {"soh_pct", CELL_REAL},
		{"soh_std_pct", CELL_REAL}, {"autonomy_min", CELL_REAL},
		{"rul_days", CELL_REAL}, {"rul_lower_days", CELL_REAL},
		{"rul_upper_days", CELL_REAL}, {"replace_by", CELL_TIME}, {0}};
	return export(c,
		DB_QUERY(
			"SELECT n.battery, n.site, n.system, n.string, n.position, "
			"n.model, n.serial, n.installed, n.warranty_until, n.status, "
			"n.open_alerts, n.sampled, n.voltage_v, n.temperature_c, "
			"n.resistance_mohm, n.soc_pct, n.soh_pct, n.soh_std_pct, "
			"n.autonomy_min, n.rul_days, n.lower_days, n.upper_days, "
			"n.replace_by FROM battery_now n WHERE n.run = $1 AND " SEES(
				"n.site",
				"$2") " ORDER BY n.battery LIMIT " ONE_MORE(EXPORT_MOST),
			call_value(c, "run"), call_sites(c)),
		COLUMNS, err);
}

const struct param EXPORT_PARAMS[] = {RUN_PARAM,
	{"start", PARAM_TIME, "from", false, 0, 0, NULL, NULL},
	{"end", PARAM_TIME, "until, not itself", false, 0, 0, NULL, NULL}, {0}};

int api_export_alerts(struct call *c, struct err *err)
{
	static const struct column COLUMNS[] = {{"id", CELL_TEXT},
		{"incident", CELL_TEXT}, {"since", CELL_TIME}, {"ts", CELL_TIME},
		{"resolved", CELL_TIME}, {"subject", CELL_TEXT}, {"rule", CELL_TEXT},
		{"severity", CELL_TEXT}, {"state", CELL_TEXT}, {"value", CELL_REAL},
		{"threshold", CELL_REAL}, {"message", CELL_TEXT}, {0}};
	return export(c,
		DB_QUERY("SELECT a.alert_id, a.incident_id, a.since_ts, a.ts, "
			 "a.resolved_ts, a.subject, a.rule, a.severity, a.state, "
			 "a.value, a.threshold, a.message FROM alert a JOIN run r ON "
			 "r.id = a.run WHERE r.name = $1 AND (CAST($2 AS text) IS NULL "
			 "OR EXISTS (SELECT 1 FROM site s WHERE s.run = a.run AND "
			 "(a.subject = s.code OR a.subject LIKE s.code || '-%') "
			 "AND " SEES("s.code",
				 "$2") ")) AND (CAST($3 AS text) IS NULL "
				       "OR a.since_ts >= CAST($3 AS "
				       "bigint)) AND (CAST($4 AS text) IS "
				       "NULL OR a.since_ts < CAST($4 AS "
				       "bigint)) ORDER BY a.since_ts, "
				       "a.alert_id LIMIT " ONE_MORE(EXPORT_MOST),
			call_value(c, "run"), call_sites(c), call_value(c, "start"),
			call_value(c, "end")),
		COLUMNS, err);
}

/* The day is that of the expected life; replace_by the last good date before the least.
 */
int api_export_forecast(struct call *c, struct err *err)
{
	static const struct column COLUMNS[] = {{"battery", CELL_TEXT},
		{"site", CELL_TEXT}, {"predicted", CELL_TIME}, {"source", CELL_TEXT},
		{"rul_days", CELL_REAL}, {"lower_days", CELL_REAL},
		{"upper_days", CELL_REAL}, {"p_fail_90d", CELL_REAL},
		{"due", CELL_TIME}, {"replace_by", CELL_TIME}, {0}};
	return export(c,
		DB_QUERY(
			"SELECT n.battery, n.site, n.rul_ts, n.rul_source, "
			"n.rul_days, n.lower_days, n.upper_days, n.p_fail_90d, "
			"n.rul_ts + CAST(n.rul_days * 86400000.0 AS bigint), "
			"n.replace_by FROM battery_now n WHERE n.run = $1 AND " SEES(
				"n.site", "$2") " AND n.rul_days IS NOT NULL ORDER BY "
						"n.rul_days, n.battery LIMIT " ONE_MORE(
							EXPORT_MOST),
			call_value(c, "run"), call_sites(c)),
		COLUMNS, err);
}

const struct param EXPORT_TELEMETRY_PARAMS[] = {RUN_PARAM,
	{"battery", PARAM_TEXT, "its code", true, 1, 127, NULL, NULL},
	{"start", PARAM_TIME, "from", false, 0, 0, NULL, NULL},
	{"end", PARAM_TIME, "until, not itself", false, 0, 0, NULL, NULL}, {0}};

static int see(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(bool *)ctx = true;
	return 0;
}

int api_export_telemetry(struct call *c, struct err *err)
{
	static const struct column COLUMNS[] = {{"ts", CELL_TIME},
		{"voltage_v", CELL_REAL}, {"current_a", CELL_REAL},
		{"temperature_c", CELL_REAL}, {"resistance_mohm", CELL_REAL},
		{"mode", CELL_TEXT}, {"quality", CELL_INT}, {0}};
	const char *battery = call_value(c, "battery");
	bool there = false;
	if (call_sees(c, battery) &&
		db_select(c->db,
			DB_QUERY("SELECT 1 FROM battery b JOIN run r ON r.id = b.run "
				 "WHERE r.name = $1 AND b.code = $2",
				call_value(c, "run"), battery),
			see, &there, err) < 0)
		return -1;
	if (!there)
		return http_refuse(c->res, 404, "no '%s'", battery);
	return export(c,
		DB_QUERY("SELECT t.ts, t.voltage_v, t.current_a, t.temperature_c, "
			 "t.resistance_mohm, t.mode, t.quality FROM battery b JOIN run "
			 "r ON r.id = b.run JOIN telemetry t ON t.run = b.run AND "
			 "t.battery = b.id AND t.ts >= coalesce(CAST($3 AS bigint), "
			 "-62135596800000) AND t.ts < coalesce(CAST($4 AS bigint), "
			 "253402300800000) WHERE r.name = $1 AND b.code = $2 ORDER BY "
			 "t.ts LIMIT " ONE_MORE(EXPORT_MOST),
			call_value(c, "run"), battery, call_value(c, "start"),
			call_value(c, "end")),
		COLUMNS, err);
}
