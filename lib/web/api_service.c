/* The interface about itself: is it well, what can it do, what was done. */
#include "web/api.h"
#include "web/audit.h"
#include "web/cell.h"
#include "web/emit.h"
#include "web/hub.h"
#include "web/meter.h"

int call_audit(struct call *c, const char *actor, const char *action,
	const char *entity, struct err *err)
{
	return audit_write(c->db,
		&(struct audit){c->now, actor, action, entity, NULL, c->req->address},
		err);
}

int call_audit_of(struct call *c, const char *action, const char *entity,
	const char *details, struct err *err)
{
	return audit_write(c->db,
		&(struct audit){c->now, c->account.username, action, entity, details,
			c->req->address},
		err);
}

struct change {
	struct call *c;
	const char *action, *entity, *details;
	change_fn *fn;
	void *ctx;
	int made;
};

static int write_change(struct db *db, void *ctx, struct err *err)
{
	struct change *w = ctx;
	w->made = w->fn(w->c, w->ctx, err);
	if (w->made <= 0)
		return w->made;
	return call_audit_of(w->c, w->action, w->entity, w->details, err);
}

int call_change(struct call *c, const char *action, const char *entity,
	const char *details, change_fn *fn, void *ctx, struct err *err)
{
	struct change w = {c, action, entity, details, fn, ctx, 0};
	return db_transaction(c->db, write_change, &w, err) < 0 ? -1 : w.made;
}

int api_health(struct call *c, struct err *err)
{
	buf_puts(c->out, "{\"status\":\"ok\"}");
	return 200;
}

static int ignore(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	return 0;
}

/* Ready is who can ask the database. */
int api_ready(struct call *c, struct err *err)
{
	if (db_select(c->db, DB_QUERY_PLAIN("SELECT count(*) FROM run"), ignore, NULL,
		    err) < 0)
		return -1;
	buf_puts(c->out, "{\"status\":\"ready\"}");
	return 200;
}

int api_metrics(struct call *c, struct err *err)
{
	c->res->type = "text/plain; version=0.0.4";
	if (c->service->meter)
		meter_write(c->service->meter, c->service->routes, c->out);
	if (c->service->hub)
		buf_printf(c->out,
			"# HELP floatline_bridge_feed_updates_total Updates from the "
			"live feed.\n# TYPE floatline_bridge_feed_updates_total "
			"counter\nfloatline_bridge_feed_updates_total %llu\n",
			(unsigned long long)hub_seq(c->service->hub));
	return 200;
}

int api_openapi(struct call *c, struct err *err)
{
	openapi_write(c->service->routes, c->service->nroutes, c->out);
	return 200;
}

const struct param AUDIT_PARAMS[] = {{"user", PARAM_TEXT, "by this user only", false, 1,
					     USERNAME_MAX - 1, NULL, NULL},
	{"action", PARAM_TEXT, "of this action only", false, 1, 64, NULL, NULL},
	SKIP_PARAM, LIMIT_PARAM, {0}};

int api_audit(struct call *c, struct err *err)
{
	static const struct column AUDIT[] = {{"ts", CELL_TIME},
		{"username", CELL_TEXT}, {"action", CELL_TEXT}, {"entity", CELL_TEXT},
		{"details", CELL_TEXT}, {"address", CELL_TEXT}, {"total", CELL_TOTAL},
		{0}};
	return emit_list(c,
		DB_QUERY("SELECT ts, username, action, entity, details, address, "
			 "count(*) OVER () FROM audit_log WHERE (CAST($1 AS text) IS "
			 "NULL OR username "
			 "= $1) AND (CAST($2 AS text) IS NULL OR action = $2) ORDER BY "
			 "id DESC LIMIT "
			 "$3 OFFSET $4",
			call_value(c, "user"), call_value(c, "action"),
			call_value(c, "limit"), call_value(c, "skip")),
		AUDIT, err);
}
