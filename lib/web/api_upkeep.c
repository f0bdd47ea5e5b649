/* Maintenance: windows, work orders, replacements. */
#include "record/kinds.h"
#include "web/cell.h"
#include "web/decide.h"
#include "web/emit.h"

#include <sodium.h>

/* An id that nobody else makes: a prefix and 64 random bits. */
static void make_id(const char *prefix, char id[32])
{
	unsigned char bytes[8];
	char hex[17];
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2hex(hex, sizeof(hex), bytes, sizeof(bytes));
	snprintf(id, 32, "%s-%s", prefix, hex);
}

static int write_query(struct call *c, void *ctx, struct err *err)
{
	return db_write(c->db, ctx, NULL, err) < 0 ? -1 : 1;
}

static int change(struct call *c, const char *action, const char *entity,
	const char *details, const struct db_query *q, struct err *err)
{
	struct db_query own = *q;
	return call_change(c, action, entity, details, write_query, &own, err);
}

const struct param WINDOWS_PARAMS[] = {RUN_PARAM,
	{"location", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL},
	{"active_only", PARAM_BOOL, "not those that are over", false, 0, 0, NULL,
		"false"},
	SKIP_PARAM, LIMIT_PARAM, {0}};

static const struct column WINDOW[] = {{"id", CELL_TEXT}, {"subject", CELL_TEXT},
	{"from", CELL_TIME}, {"until", CELL_TIME}, {"title", CELL_TEXT},
	{"created_by", CELL_TEXT}, {"total", CELL_TOTAL}, {0}};
#define WINDOW_FIELDS "SELECT w.id, w.subject, w.from_ts, w.until_ts, w.title"
#define WINDOW_COLUMNS WINDOW_FIELDS ", w.created_by"

int api_windows(struct call *c, struct err *err)
{
	return emit_list(c,
		DB_QUERY(WINDOW_COLUMNS
			", count(*) OVER () FROM maintenance_window w JOIN run r ON "
			"r.id = w.run WHERE r.name = $1 AND " ABOUT_SEEN(
				"w", "$2") " AND (CAST($3 AS text) IS NULL OR "
					   "w.subject = $3 OR w.subject LIKE $3 || "
					   "'-%') AND ($4 = '0' OR w.until_ts > "
					   "CAST($5 AS bigint)) ORDER BY w.from_ts "
					   "DESC, w.id LIMIT $6 OFFSET $7",
			call_value(c, "run"), call_sites(c), call_value(c, "location"),
			call_value(c, "active_only"), number(c->now).text,
			call_value(c, "limit"), call_value(c, "skip")),
		WINDOW, err);
}

const struct param NEW_WINDOW_PARAMS[] = {
	{"subject", PARAM_TEXT, "battery, string, system or site", true, 1, 63, NULL,
		NULL},
	{"from", PARAM_TIME, "from", true, 0, 0, NULL, NULL},
	{"until", PARAM_TIME, "until, not itself", true, 0, 0, NULL, NULL},
	{"title", PARAM_TEXT, "why", true, 1, 200, NULL, NULL}, {0}};

int api_window_add(struct call *c, struct err *err)
{
	char id[32];
	const char *subject = call_value(c, "subject"), *from = call_value(c, "from"),
		   *until = call_value(c, "until"), *title = call_value(c, "title");
	if (call_int(c, "from") >= call_int(c, "until"))
		return err_set(err, ERR_DATA, "parameter 'from' is not before 'until'");
	int status = check_subject(c, subject, err);
	if (status != 200)
		return status;
	make_id("MW", id);
	if (change(c, "maintenance_window.add", id, title,
		    DB_QUERY("INSERT INTO maintenance_window (run, id, subject, "
			     "from_ts, until_ts, title, created_by) VALUES "
			     "(" PRODUCTION ", $1, $2, CAST($3 AS bigint), CAST($4 AS "
			     "bigint), $5, $6)",
			    id, subject, from, until, title, c->account.username),
		    err) < 0)
		return -1;
	tell_rows(c, KIND_maintenance_window,
		DB_QUERY(WINDOW_FIELDS " FROM maintenance_window w WHERE w.run "
				       "= " PRODUCTION " AND w.id = $1",
			id));
	status = emit_one(c,
		DB_QUERY(WINDOW_COLUMNS ", 1 FROM maintenance_window w WHERE w.run "
					"= " PRODUCTION " AND w.id = $1",
			id),
		WINDOW, err);
	return status == 200 ? 201 : status;
}

#define STATUS_WORDS "scheduled|in_progress|completed|cancelled"

const struct param WORK_ORDERS_PARAMS[] = {RUN_PARAM,
	{"status", PARAM_WORD, "of this status only", false, 0, 0, STATUS_WORDS, NULL},
	{"location", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL},
	SKIP_PARAM, LIMIT_PARAM, {0}};

static const struct column ORDER[] = {{"id", CELL_TEXT}, {"subject", CELL_TEXT},
	{"title", CELL_TEXT}, {"priority", CELL_INT}, {"status", CELL_TEXT},
	{"due", CELL_TIME}, {"assignee", CELL_TEXT}, {"incident", CELL_TEXT},
	{"created_by", CELL_TEXT}, {"total", CELL_TOTAL}, {0}};
#define ORDER_FIELDS                                                                   \
	"SELECT w.id, w.subject, w.title, w.priority, w.status, w.due, w.assignee, "   \
	"w.incident"
#define ORDER_COLUMNS ORDER_FIELDS ", w.created_by"

int api_work_orders(struct call *c, struct err *err)
{
	return emit_list(c,
		DB_QUERY(ORDER_COLUMNS
			", count(*) OVER () FROM work_order w JOIN run r ON r.id = "
			"w.run WHERE r.name = $1 AND " ABOUT_SEEN(
				"w", "$2") " AND (CAST($3 AS text) IS NULL OR w.status "
					   "= $3) AND (CAST($4 AS text) IS NULL OR "
					   "w.subject = $4 OR w.subject LIKE $4 || "
					   "'-%') ORDER BY w.due IS NULL, w.due, w.id "
					   "LIMIT $5 OFFSET $6",
			call_value(c, "run"), call_sites(c), call_value(c, "status"),
			call_value(c, "location"), call_value(c, "limit"),
			call_value(c, "skip")),
		ORDER, err);
}

#define ORDER_PARAMS                                                                   \
	{"priority", PARAM_INT, "1 is most urgent", false, 1, 9, NULL, NULL},          \
		{"due", PARAM_TIME, "due", false, 0, 0, NULL, NULL},                   \
		{"assignee", PARAM_TEXT, "by whom", false, 1, 127, NULL, NULL},        \
	{                                                                              \
		"incident", PARAM_TEXT, "of this incident", false, 1, 63, NULL, NULL   \
	}

const struct param NEW_WORK_ORDER_PARAMS[] = {
	{"subject", PARAM_TEXT, "battery, string, system or site", true, 1, 63, NULL,
		NULL},
	{"title", PARAM_TEXT, "what", true, 1, 200, NULL, NULL}, ORDER_PARAMS, {0}};
const struct param WORK_ORDER_PARAMS[] = {
	{"status", PARAM_WORD, "how far", false, 0, 0, STATUS_WORDS, NULL},
	{"title", PARAM_TEXT, "what", false, 1, 200, NULL, NULL}, ORDER_PARAMS, {0}};

/* The order of that id, as the caller sees it; told to the pipeline, if it is new. */
static int order_of(struct call *c, const char *id, bool changed, struct err *err)
{
	if (changed)
		tell_rows(c, KIND_work_order,
			DB_QUERY(ORDER_FIELDS
				" FROM work_order w WHERE w.run = " PRODUCTION
				" AND w.id = $1",
				id));
	return emit_one(c,
		DB_QUERY(ORDER_COLUMNS ", 1 FROM work_order w WHERE w.run = " PRODUCTION
				       " AND w.id = $1 AND " ABOUT_SEEN("w", "$2"),
			id, call_sites(c)),
		ORDER, err);
}

int api_work_order_add(struct call *c, struct err *err)
{
	char id[32];
	const char *subject = call_value(c, "subject");
	int status = check_subject(c, subject, err);
	if (status != 200)
		return status;
	make_id("WO", id);
	if (change(c, "work_order.add", id, call_value(c, "title"),
		    DB_QUERY("INSERT INTO work_order (run, id, subject, title, "
			     "priority, status, due, assignee, incident, created_by) "
			     "VALUES (" PRODUCTION ", $1, $2, $3, CAST($4 AS integer), "
			     "'scheduled', CAST($5 AS bigint), $6, $7, $8)",
			    id, subject, call_value(c, "title"),
			    call_value(c, "priority"), call_value(c, "due"),
			    call_value(c, "assignee"), call_value(c, "incident"),
			    c->account.username),
		    err) < 0)
		return -1;
	status = order_of(c, id, true, err);
	return status == 200 ? 201 : status;
}

int api_work_order_change(struct call *c, struct err *err)
{
	int status = order_of(c, c->id, false, err);
	if (status != 200)
		return status;
	buf_clear(c->out);
	if (change(c, "work_order.change", c->id, call_value(c, "status"),
		    DB_QUERY("UPDATE work_order SET status = coalesce($2, status), "
			     "title = coalesce($3, title), priority = coalesce(CAST($4 "
			     "AS integer), priority), due = coalesce(CAST($5 AS "
			     "bigint), due), assignee = coalesce($6, assignee), "
			     "incident = coalesce($7, incident) WHERE run "
			     "= " PRODUCTION " AND id = $1",
			    c->id, call_value(c, "status"), call_value(c, "title"),
			    call_value(c, "priority"), call_value(c, "due"),
			    call_value(c, "assignee"), call_value(c, "incident")),
		    err) < 0)
		return -1;
	return order_of(c, c->id, true, err);
}

const struct param REPLACE_PARAMS[] = {
	{"serial", PARAM_TEXT, "serial number of the new block", false, 1, 60, NULL,
		NULL},
	{"installed", PARAM_TIME, "when; now unless given", false, 0, 0, NULL, NULL},
	{"note", PARAM_TEXT, "why", false, 0, 500, NULL, NULL}, {0}};

struct replacement {
	struct call *c;
	char event[32];
	const char *when;
};

static int write_replacement(struct db *db, void *ctx, struct err *err)
{
	struct replacement *p = ctx;
	struct call *c = p->c;
	if (db_write(db,
		    DB_QUERY("INSERT INTO event (run, event_id, ts, end_ts, subject, "
			     "type, status, actor, note) VALUES (" PRODUCTION
			     ", $1, CAST($2 AS bigint), CAST($2 AS bigint), $3, "
			     "'replacement', 'completed', $4, $5)",
			    p->event, p->when, c->id, c->account.username,
			    call_value(c, "note")),
		    NULL, err) < 0 ||
		db_write(db,
			DB_QUERY("UPDATE battery SET unit = coalesce(unit, 0) + 1, "
				 "replacement_of = serial, serial = $3, installed = "
				 "CAST($2 AS bigint), replaced = CAST($2 AS bigint), "
				 "initial_capacity_ah = NULL, initial_resistance_mohm "
				 "= NULL, warranty_until = NULL WHERE run = "
				 "" PRODUCTION " AND code = $1",
				c->id, p->when, call_value(c, "serial")),
			NULL, err) < 0)
		return -1;
	return call_audit_of(c, "battery.replace", c->id, call_value(c, "serial"), err);
}

static int take_time(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_time(cells[0]);
	return 0;
}

/* Twice within a day is a form sent twice: programs take it so, too. */
static int check_replacement(struct call *c, int64_t when, struct err *err)
{
	int64_t last = TIME_NIL;
	if (when > c->now + MINUTE_MS)
		return err_set(err, ERR_DATA, "parameter 'installed' is ahead");
	if (db_select(c->db,
		    DB_QUERY("SELECT replaced FROM battery WHERE run = " PRODUCTION
			     " AND code = $1",
			    c->id),
		    take_time, &last, err) < 0)
		return -1;
	if (last != TIME_NIL && when < last + DAY_MS)
		return http_refuse(c->res, 409,
			"'%s' was replaced within a day of that, or later", c->id);
	return 200;
}

int api_battery_replace(struct call *c, struct err *err)
{
	int64_t when = call_value(c, "installed") ? call_int(c, "installed") : c->now;
	struct number at = number(when);
	struct replacement p = {.c = c, .when = at.text};
	int status = call_exists(c, "battery", err);
	if (status == 200)
		status = check_replacement(c, when, err);
	if (status != 200)
		return status;
	make_id("EV", p.event);
	if (db_transaction(c->db, write_replacement, &p, err) < 0)
		return -1;
	tell_rows(c, KIND_event,
		DB_QUERY("SELECT event_id, ts, end_ts, scheduled_ts, subject, type, "
			 "status, value, actor, note FROM event WHERE run "
			 "= " PRODUCTION " AND event_id = $1",
			p.event));
	static const struct column ONE[] = {{"event_id", CELL_TEXT},
		{"battery", CELL_TEXT}, {"unit", CELL_INT}, {0}};
	status = emit_one(c,
		DB_QUERY("SELECT $1, code, unit FROM battery WHERE run = " PRODUCTION
			 " AND code = $2",
			p.event, c->id),
		ONE, err);
	return status == 200 ? 201 : status;
}
