/* What is new to somebody who was here before. */
#include "web/cell.h"
#include "web/emit.h"

#include "web/api.h"

static int take_visit(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_time(cells[0]);
	return 0;
}

static int list(struct call *c, const char *name, const char *sql,
	const struct column *columns, const char *since, struct err *err)
{
	emit_name(c->out, name);
	return emit_array(c, DB_QUERY(sql, call_value(c, "run"), call_sites(c), since),
		columns, err);
}

struct count {
	int64_t begun, ended;
};

static int take_counts(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct count *k = ctx;
	k->begun = cell_int(cells[0]);
	k->ended = cell_int(cells[1]);
	return 0;
}

static int alerts(struct call *c, const char *since, struct err *err)
{
	struct count k = {0};
	if (db_select(c->db,
		    DB_QUERY("SELECT sum(CASE WHEN a.since_ts >= CAST($3 AS bigint) "
			     "THEN 1 ELSE 0 END), sum(CASE WHEN a.resolved_ts >= "
			     "CAST($3 AS bigint) THEN 1 ELSE 0 END) FROM alert a JOIN "
			     "run r ON r.id = a.run WHERE r.name = $1 AND " ABOUT_SEEN(
				     "a", "$2"),
			    call_value(c, "run"), call_sites(c), since),
		    take_counts, &k, err) < 0)
		return -1;
	emit_name(c->out, "alerts_new");
	emit_int(c->out, k.begun);
	emit_name(c->out, "alerts_resolved");
	emit_int(c->out, k.ended);
	return 0;
}

int api_my_changes(struct call *c, struct err *err)
{
	static const struct column INCIDENT[] = {{"id", CELL_TEXT},
		{"title", CELL_TEXT}, {"cause", CELL_TEXT}, {"ts", CELL_TIME}, {0}};
	static const struct column STATUS[] = {
		{"battery", CELL_TEXT}, {"status", CELL_TEXT}, {"ts", CELL_TIME}, {0}};
	static const struct column REPLACED[] = {
		{"battery", CELL_TEXT}, {"ts", CELL_TIME}, {0}};
	int64_t visit = TIME_NIL;
	if (db_select(c->db,
		    DB_QUERY("SELECT last_visit FROM app_user WHERE id = CAST($1 AS "
			     "integer)",
			    number(c->account.id).text),
		    take_visit, &visit, err) < 0)
		return -1;
	struct number since = number(visit == TIME_NIL ? c->now : visit);
	emit_open(c->out, '{');
	emit_name(c->out, "since");
	emit_time(c->out, visit);
	if (alerts(c, since.text, err) < 0 ||
		list(c, "incidents_new",
			"SELECT i.incident_id, i.title, i.cause, i.first_ts FROM "
			"incident i "
			"JOIN "
			"run r ON r.id = i.run WHERE r.name = $1 AND " ABOUT_SEEN(
				"i", "$2") " AND i.first_ts >= CAST($3 AS bigint) "
					   "ORDER BY i.first_ts DESC LIMIT 100",
			INCIDENT, since.text, err) < 0 ||
		list(c, "statuses",
			"SELECT n.subject, n.status, n.ts FROM status_latest n JOIN "
			"run "
			"r ON r.id = n.run WHERE r.name = $1 AND " ABOUT_SEEN(
				"n", "$2") " AND n.ts >= CAST($3 AS bigint) AND EXISTS "
					   "(SELECT 1 FROM battery b WHERE b.run = "
					   "n.run AND b.code = n.subject) ORDER BY "
					   "n.ts DESC, n.subject LIMIT 100",
			STATUS, since.text, err) < 0 ||
		list(c, "replacements",
			"SELECT e.subject, e.ts FROM event e JOIN run r ON r.id = "
			"e.run "
			"WHERE r.name = $1 AND " ABOUT_SEEN(
				"e", "$2") " AND e.type = 'replacement' AND e.ts >= "
					   "CAST($3 AS bigint) ORDER BY e.ts DESC "
					   "LIMIT 100",
			REPLACED, since.text, err) < 0)
		return -1;
	emit_close(c->out, '}');
	return 200;
}

int api_my_visit(struct call *c, struct err *err)
{
	return db_write(c->db,
		       DB_QUERY("UPDATE app_user SET last_visit = CAST($1 AS bigint) "
				"WHERE id = CAST($2 AS integer)",
			       number(c->now).text, number(c->account.id).text),
		       NULL, err) < 0
		       ? -1
		       : 204;
}
