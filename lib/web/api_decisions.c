/* What people do about alerts and incidents. */
#include "web/cell.h"
#include "web/decide.h"
#include "web/emit.h"

#define NOTE_PARAM                                                                     \
	{                                                                              \
		"note", PARAM_TEXT, "why", false, 0, 500, NULL, NULL                   \
	}

const struct param NOTE_PARAMS[] = {NOTE_PARAM, {0}};
const struct param SHELVE_PARAMS[] = {
	{"until", PARAM_TIME, "it is not to be heard of before then", true, 0, 0, NULL,
		NULL},
	{"reason", PARAM_TEXT, "why", true, 1, 500, NULL, NULL}, {0}};
const struct param ASSIGN_PARAMS[] = {
	{"assignee", PARAM_TEXT, "to whom", true, 1, 127, NULL, NULL}, {0}};

enum { STATE_SIZE = 16 };

static int take_state(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	str_copy(ctx, STATE_SIZE, str_of(cell_text(cells[0])));
	return 0;
}

/* The state of what the path names, which the caller must see: sql with the id and the
 * caller's sites. 200, 404 or -1. */
static int find_state(
	struct call *c, const char *sql, char state[STATE_SIZE], struct err *err)
{
	*state = '\0';
	if (db_select(c->db, DB_QUERY(sql, c->id, call_sites(c)), take_state, state,
		    err) < 0)
		return -1;
	return *state ? 200 : http_refuse(c->res, 404, "no '%s'", c->id);
}

/* The alert that the path names, which must be open. 200, 404, 409 or -1. */
static int find_open(struct call *c, struct err *err)
{
	char state[STATE_SIZE];
	int status = find_state(c,
		"SELECT a.state FROM alert a WHERE a.run = " PRODUCTION
		" AND a.alert_id = $1 AND " ABOUT_SEEN("a", "$2"),
		state, err);
	if (status == 200 && strcmp(state, "resolved") == 0)
		return http_refuse(c->res, 409, "this alert is over");
	return status;
}

struct job {
	struct call *c;
	struct decision d;
};

static int write_decision(struct db *db, void *ctx, struct err *err)
{
	struct job *j = ctx;
	char action[32];
	snprintf(action, sizeof(action), "alert.%s", j->d.action);
	if (decide(j->c, &j->d, err) < 0)
		return -1;
	/* At once in every list; the pipeline says the same when it has heard. */
	if (strcmp(j->d.action, "resolve") == 0 &&
		db_write(db,
			DB_QUERY("UPDATE alert SET state = 'resolved', resolved_ts = "
				 "CAST($1 AS bigint), ts = CAST($1 AS bigint) WHERE "
				 "run = " PRODUCTION " AND alert_id = $2",
				number(j->c->now).text, j->d.id),
			NULL, err) < 0)
		return -1;
	return call_audit_of(j->c, action, j->d.id, j->d.note, err);
}

static int decide_alert(struct call *c, const char *action, const char *until,
	const char *note, struct err *err)
{
	int status = find_open(c, err);
	if (status != 200)
		return status;
	struct job j = {c, {action, c->id, until, note}};
	if (db_transaction(c->db, write_decision, &j, err) < 0)
		return -1;
	tell_decisions(c, c->id);
	return alert_of(c, "", err);
}

int api_alert_acknowledge(struct call *c, struct err *err)
{
	return decide_alert(c, "acknowledge", NULL, call_value(c, "note"), err);
}

int api_alert_resolve(struct call *c, struct err *err)
{
	return decide_alert(c, "resolve", NULL, call_value(c, "note"), err);
}

int api_alert_assign(struct call *c, struct err *err)
{
	return decide_alert(c, "assign", NULL, call_value(c, "assignee"), err);
}

int api_alert_shelve(struct call *c, struct err *err)
{
	if (call_int(c, "until") <= c->now)
		return err_set(err, ERR_DATA, "parameter 'until' is not ahead");
	return decide_alert(
		c, "shelve", call_value(c, "until"), call_value(c, "reason"), err);
}

const struct param INCIDENTS_PARAMS[] = {RUN_PARAM,
	{"location", PARAM_TEXT, "of this site only", false, 1, 127, NULL, NULL},
	{"active_only", PARAM_BOOL, "only those that are open", false, 0, 0, NULL,
		"false"},
	{"top_only", PARAM_BOOL, "not those within another", false, 0, 0, NULL,
		"false"},
	SKIP_PARAM, LIMIT_PARAM, {0}};

static const struct column INCIDENT[] = {{"id", CELL_TEXT}, {"parent_id", CELL_TEXT},
	{"ts", CELL_TIME}, {"subject", CELL_TEXT}, {"cause", CELL_TEXT},
	{"title", CELL_TEXT}, {"severity", CELL_TEXT}, {"state", CELL_TEXT},
	{"alert_count", CELL_INT}, {"first", CELL_TIME}, {"last", CELL_TIME},
	{"assigned_to", CELL_TEXT}, {"root_cause", CELL_TEXT}, {"closed_by", CELL_TEXT},
	{"closed_at", CELL_TIME}, {"note", CELL_TEXT}, {"total", CELL_TOTAL}, {0}};
#define OF_INCIDENT(what, action) DECIDED(what, action, "i.run", "i.incident_id")
#define INCIDENT_COLUMNS                                                               \
	"SELECT i.incident_id, i.parent_id, i.ts, i.subject, i.cause, i.title, "       \
	"i.severity, i.state, i.alert_count, i.first_ts, i.last_ts, " OF_INCIDENT(     \
		"note", "assign") ", (SELECT d.root_cause FROM incident_decision d "   \
				  "WHERE d.run = i.run AND d.incident_id = "           \
				  "i.incident_id), " OF_INCIDENT(                      \
					  "actor", "resolve") ", " OF_INCIDENT("ts",   \
					  "resolve") ", " OF_INCIDENT("note",          \
					  "resolve")
#define INCIDENT_FROM " FROM incident i JOIN run r ON r.id = i.run WHERE r.name = $1 "

int api_incidents(struct call *c, struct err *err)
{
	return emit_list(c,
		DB_QUERY(INCIDENT_COLUMNS
			", count(*) OVER ()" INCIDENT_FROM "AND " ABOUT_SEEN(
				"i", "$2") " AND (CAST($3 AS text) IS NULL OR "
					   "i.subject = $3 OR i.subject LIKE $3 || "
					   "'-%') AND ($4 = '0' OR i.state = 'open') "
					   "AND ($5 = '0' OR i.parent_id IS NULL) "
					   "ORDER BY i.first_ts DESC, i.incident_id "
					   "LIMIT $6 OFFSET $7",
			call_value(c, "run"), call_sites(c), call_value(c, "location"),
			call_value(c, "active_only"), call_value(c, "top_only"),
			call_value(c, "limit"), call_value(c, "skip")),
		INCIDENT, err);
}

static int incident_of(struct call *c, const char *run, struct err *err)
{
	int status = emit_one(c,
		DB_QUERY(INCIDENT_COLUMNS
			", 1" INCIDENT_FROM
			"AND i.incident_id = $2 AND " ABOUT_SEEN("i", "$3"),
			run, c->id, call_sites(c)),
		INCIDENT, err);
	if (status != 200)
		return status;
	c->out->len--; /* the object goes on */
	emit_name(c->out, "alerts");
	if (alerts_of_incident(c, run, err) < 0)
		return -1;
	emit_name(c->out, "children");
	if (emit_array(c,
		    DB_QUERY(INCIDENT_COLUMNS ", 1" INCIDENT_FROM
					      "AND i.parent_id = $2 ORDER BY "
					      "i.first_ts, i.incident_id",
			    run, c->id),
		    INCIDENT, err) < 0)
		return -1;
	emit_close(c->out, '}');
	return 200;
}

int api_incident(struct call *c, struct err *err)
{
	return incident_of(c, call_value(c, "run"), err);
}

const struct param INCIDENT_CHANGE_PARAMS[] = {
	{"assignee", PARAM_TEXT, "to whom", false, 1, 127, NULL, NULL},
	{"root_cause", PARAM_TEXT, "what it really was", false, 1, 500, NULL, NULL},
	{"close", PARAM_BOOL, "it is dealt with", false, 0, 0, NULL, NULL}, NOTE_PARAM,
	{0}};

static int close_incident(struct db *db, struct call *c, struct err *err)
{
	const struct decision d = {"resolve", c->id, NULL, call_value(c, "note")};
	if (decide(c, &d, err) < 0)
		return -1;
	return db_write(db,
		DB_QUERY("UPDATE incident SET state = 'resolved', ts = CAST($1 AS "
			 "bigint) WHERE run = " PRODUCTION " AND incident_id = $2",
			number(c->now).text, c->id),
		NULL, err);
}

static int write_incident(struct db *db, void *ctx, struct err *err)
{
	struct call *c = ctx;
	const char *assignee = call_value(c, "assignee"),
		   *cause = call_value(c, "root_cause");
	const struct decision d = {"assign", c->id, NULL, assignee};
	if (assignee && decide(c, &d, err) < 0)
		return -1;
	if (cause &&
		db_write(db,
			DB_QUERY("INSERT INTO incident_decision (run, "
				 "incident_id, root_cause, decided_by, "
				 "decided_at) VALUES (" PRODUCTION
				 ", $1, $2, $3, CAST($4 AS bigint)) ON CONFLICT "
				 "(run, incident_id) DO UPDATE SET root_cause = "
				 "excluded.root_cause, decided_by = "
				 "excluded.decided_by, decided_at = "
				 "excluded.decided_at",
				c->id, cause, c->account.username, number(c->now).text),
			NULL, err) < 0)
		return -1;
	if (call_int(c, "close") && close_incident(db, c, err) < 0)
		return -1;
	return call_audit_of(c, "incident.change", c->id,
		cause      ? cause
		: assignee ? assignee
			   : call_value(c, "note"),
		err);
}

int api_incident_change(struct call *c, struct err *err)
{
	char state[STATE_SIZE];
	int status = find_state(c,
		"SELECT i.state FROM incident i WHERE i.run = " PRODUCTION
		" AND i.incident_id = $1 AND " ABOUT_SEEN("i", "$2"),
		state, err);
	if (status != 200)
		return status;
	if (db_transaction(c->db, write_incident, c, err) < 0)
		return -1;
	tell_decisions(c, c->id);
	return incident_of(c, "", err);
}
