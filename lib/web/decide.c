#include "web/decide.h"

#include "base/code.h"
#include "web/cell.h"
#include "web/courier.h"
#include "web/inforce.h"

int decide(struct call *c, const struct decision *d, struct err *err)
{
	return db_write(c->db,
		DB_QUERY("INSERT INTO alert_action (run, ts, subject_id, action, "
			 "actor, "
			 "until_ts, note) VALUES (" PRODUCTION
			 ", CAST($1 AS bigint), $2, $3, $4, CAST($5 AS bigint), $6) ON "
			 "CONFLICT DO NOTHING",
			number(c->now).text, d->id, d->action, c->account.username,
			d->until, d->note),
		NULL, err);
}

static int send_record(
	void *ctx, int kind, const void *record, size_t size, struct err *err)
{
	return courier_send(ctx, kind, record, 1, size, NULL, err);
}

void tell_rows(struct call *c, int kind, const struct db_query *q)
{
	struct err err = {0};
	if (c->service->courier &&
		rows_as_records(
			c->db, kind, q, send_record, c->service->courier, &err) < 0 &&
		err.class != ERR_IO)
		str_copy(c->res->log, sizeof(c->res->log), str_of(err.msg));
}

void tell_decisions(struct call *c, const char *id)
{
	tell_rows(c, KIND_alert_action,
		DB_QUERY("SELECT ts, subject_id, action, actor, until_ts, note FROM "
			 "alert_action WHERE run = " PRODUCTION
			 " AND subject_id = $1 AND ts = CAST($2 AS bigint) AND actor = "
			 "$3",
			id, number(c->now).text, c->account.username));
}

static int see(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(bool *)ctx = true;
	return 0;
}

#define IS_CODE_OF(table)                                                              \
	"SELECT 1 FROM " table " WHERE run = " PRODUCTION " AND code = $1"

int check_subject(struct call *c, const char *subject, struct err *err)
{
	char site[128];
	bool there = false;
	str_copy(site, sizeof(site), code_site(str_of(subject)));
	if (account_sees(&c->account, site) &&
		db_select(c->db,
			DB_QUERY(
				IS_CODE_OF("battery") " UNION ALL " IS_CODE_OF("string") " UNION ALL " IS_CODE_OF(
					"battery_system") " UNION ALL " IS_CODE_OF("sit"
										   "e"),
				subject),
			see, &there, err) < 0)
		return -1;
	return there ? 200
		     : http_refuse(c->res, 422, "parameter 'subject': there is no '%s'",
			       subject);
}
