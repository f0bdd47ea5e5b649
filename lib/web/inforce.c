#include "web/inforce.h"

#include "record/text.h"
#include "web/cell.h"

/* A pipeline that was away for longer has not heard of replacements and resolutions. */
enum { AWAY_MS = 7 * DAY_MS };

struct sink {
	const struct kind_info *kind;
	record_fn *fn;
	void *ctx;
};

static int set_field(const struct field_info *f, const char *cell, void *rec,
	const struct kind_info *k, struct err *err)
{
	if (f->type == T_TIME) {
		*(int64_t *)((uint8_t *)rec + f->offset) = cell_time(cell);
		return 0;
	}
	const char *wrong = cell ? text_parse_field(f, str_of(cell), rec) : NULL;
	return wrong ? err_set(err, ERR_DATA, "the database's %s.%s %s", k->name,
			       f->name, wrong)
		     : 0;
}

static int take_row(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct sink *s = ctx;
	union rec_any rec;
	record_clear(s->kind, &rec);
	for (size_t i = 0; i < n && i < (size_t)s->kind->nfields; i++)
		if (set_field(&s->kind->fields[i], cells[i], &rec, s->kind, err) < 0)
			return -1;
	return s->fn(s->ctx, s->kind->kind, &rec, s->kind->size, err);
}

int rows_as_records(struct db *db, int kind, const struct db_query *q, record_fn *fn,
	void *ctx, struct err *err)
{
	struct sink s = {kind_info(kind), fn, ctx};
	return db_select(db, q, take_row, &s, err);
}

/* What a decision is about: an alert, or an incident. An incident that was closed may
 * open anew under its id, for new alerts: these nobody has closed. */
#define OF_ALERT                                                                       \
	"EXISTS (SELECT 1 FROM alert a WHERE a.run = k.run AND a.alert_id = "          \
	"k.subject_id"
#define OF_INCIDENT                                                                    \
	"EXISTS (SELECT 1 FROM incident i WHERE i.run = k.run AND i.incident_id = "    \
	"k.subject_id"
static const char ACTIONS[] =
	"SELECT k.ts, k.subject_id, k.action, k.actor, k.until_ts, k.note FROM "
	"alert_action k JOIN run r ON r.id = k.run WHERE r.name = '' AND ((k.action = "
	"'shelve' AND k.until_ts > CAST($1 AS bigint)) OR (k.action <> 'shelve' "
	"AND " OF_ALERT " AND a.state <> 'resolved')) OR (k.action = 'assign' "
	"AND " OF_INCIDENT " AND i.state <> 'resolved')) OR (k.action = 'resolve' AND "
	"k.ts > CAST($2 AS bigint) AND (" OF_ALERT ") OR " OF_INCIDENT
	" AND i.state = 'resolved')))) ORDER BY k.ts";
static const char WINDOWS[] =
	"SELECT w.id, w.subject, w.from_ts, w.until_ts, w.title FROM "
	"maintenance_window w JOIN run r ON r.id = w.run WHERE r.name = '' AND "
	"w.until_ts > CAST($1 AS bigint) ORDER BY w.id";
static const char REPLACEMENTS[] =
	"SELECT e.event_id, e.ts, e.end_ts, e.scheduled_ts, e.subject, e.type, "
	"e.status, e.value, e.actor, e.note FROM event e JOIN run r ON r.id = e.run "
	"WHERE r.name = '' AND e.type = 'replacement' AND e.ts > CAST($1 AS bigint) "
	"AND e.actor IS NOT NULL ORDER BY e.ts";

int inforce_each(struct db *db, int64_t now, record_fn *fn, void *ctx, struct err *err)
{
	struct number at = number(now), week_ago = number(now - AWAY_MS);
	if (rows_as_records(db, KIND_maintenance_window, DB_QUERY(WINDOWS, at.text), fn,
		    ctx, err) < 0 ||
		rows_as_records(db, KIND_event, DB_QUERY(REPLACEMENTS, week_ago.text),
			fn, ctx, err) < 0)
		return -1;
	return rows_as_records(db, KIND_alert_action,
		DB_QUERY(ACTIONS, at.text, week_ago.text), fn, ctx, err);
}
