/* The monthly report's figures, read from the database. */
#include "report/monthly_parts.h"

#include "db/query.h"
#include "learn/calendar.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const int HORIZON_DAYS[HORIZONS] = {30, 90, 180, 365};

struct text {
	char text[24];
};

static struct text text_of(int64_t v)
{
	struct text t;
	snprintf(t.text, sizeof(t.text), "%lld", (long long)v);
	return t;
}

static double real_of(const char *cell)
{
	return cell ? strtod(cell, NULL) : NAN;
}

static int64_t time_of(const char *cell)
{
	return cell ? strtoll(cell, NULL, 10) : TIME_NIL;
}

static void copy(char *dst, size_t size, const char *cell)
{
	str_copy(dst, size, str_of(cell ? cell : ""));
}

int64_t block_due(const struct block *b)
{
	if (b->rul_ts == TIME_NIL || !(b->rul >= 0))
		return TIME_NIL;
	return b->rul_ts + (int64_t)(fmin(b->rul, 36500) * (double)DAY_MS);
}

/* The last value before a time: a battery's history is contiguous, so that is a step.
 */
#define LAST_SOH(before)                                                               \
	"(SELECT p.soh_pct FROM twin_state p WHERE p.run = b.run AND p.battery = "     \
	"b.id AND p.ts < CAST(" before " AS bigint) AND p.soh_pct IS NOT NULL ORDER "  \
	"BY p.ts DESC LIMIT 1)"
#define PLACED                                                                         \
	"battery b JOIN run r ON r.id = b.run LEFT JOIN string g ON g.id = b.string "  \
	"LEFT JOIN battery_system y ON y.id = g.system LEFT JOIN site c ON c.id = "    \
	"y.site"
#define OF_BATTERY(source)                                                             \
	"(SELECT max(x.ts) FROM rul_prediction x WHERE x.run = b.run AND x.battery = " \
	"b.id AND x.ts < CAST($4 AS bigint) AND x.ts >= CAST($3 AS bigint)" source ")"
#define OF_PREDICTION "x.run = l.run AND x.battery = l.battery AND x.ts = l.ts"

#define BEST_SOURCE                                                                    \
	"(SELECT x.source FROM rul_prediction x WHERE " OF_PREDICTION                  \
	" ORDER BY CASE x.source WHEN 'fused' THEN 0 WHEN 'ml' THEN 1 ELSE 2 END "     \
	"LIMIT 1)"
#define LAST_UNIT                                                                      \
	"(SELECT max(x.unit) FROM rul_prediction x WHERE " OF_PREDICTION               \
	" AND x.source = l.source)"
#define LAST_STATUS                                                                    \
	"(SELECT t.status FROM status t WHERE t.run = b.run AND t.subject = b.code "   \
	"AND t.ts < CAST($4 AS bigint) ORDER BY t.ts DESC LIMIT 1)"

static const char BLOCKS[] = "SELECT b.code, c.code, " LAST_SOH("$4") ", " LAST_SOH(
	"$3") ", " LAST_STATUS ", l.ts, l.rul_days, l.lower_days, l.upper_days, "
	      "l.replace_by FROM " PLACED
	      " LEFT JOIN rul_prediction l ON l.run = b.run AND l.battery = b.id AND "
	      "l.ts = "
	      "coalesce(" OF_BATTERY(" AND x.source = 'fused'") ", " OF_BATTERY(
		      "") ") AND l.source = " BEST_SOURCE " AND l.unit = " LAST_UNIT
			  " WHERE r.name = $1 AND " SEES(
				  "c.code", "$2") " ORDER BY c.code, b.code";

static int take_block(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct figures *f = ctx;
	if ((f->blocks & (f->blocks - 1)) == 0) {
		size_t cap = f->blocks ? 2 * f->blocks : 1;
		struct block *v = realloc(f->block, cap * sizeof(*v));
		if (!v)
			return err_nomem(err);
		f->block = v;
	}
	struct block *b = &f->block[f->blocks++];
	copy(b->code, sizeof(b->code), cells[0]);
	copy(b->site, sizeof(b->site), cells[1]);
	copy(b->status, sizeof(b->status), cells[4]);
	b->soh = real_of(cells[2]);
	b->soh_before = real_of(cells[3]);
	b->rul_ts = time_of(cells[5]);
	b->rul = real_of(cells[6]);
	b->lower = real_of(cells[7]);
	b->upper = real_of(cells[8]);
	b->replace_by = time_of(cells[9]);
	return 0;
}

/* Sites in the order of their batteries. */
static int list_sites(struct figures *f, struct err *err)
{
	f->site = calloc(f->blocks + 1, sizeof(*f->site));
	if (!f->site)
		return err_nomem(err);
	for (size_t i = 0; i < f->blocks; i++) {
		const char *code = f->block[i].site;
		if (f->sites && strcmp(f->site[f->sites - 1].code, code) == 0)
			continue;
		struct site_sum *s = &f->site[f->sites++];
		copy(s->code, sizeof(s->code), code);
		s->temperature = NAN;
	}
	return 0;
}

static struct site_sum *site_of(struct figures *f, const char *code)
{
	for (size_t i = 0; i < f->sites; i++)
		if (strcmp(f->site[i].code, code) == 0)
			return &f->site[i];
	return NULL;
}

static int take_temperature(
	void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct site_sum *s = site_of(ctx, cells[0] ? cells[0] : "");
	if (s)
		s->temperature = real_of(cells[1]);
	return 0;
}

static int severity_of(const char *word)
{
	static const char *const WORDS[SEVERITIES] = {"info", "warning", "critical"};
	int i = SEVERITIES - 1;
	while (i > 0 && strcmp(word, WORDS[i]) != 0)
		i--;
	return i;
}

static void count_rule(struct figures *f, const char *rule)
{
	size_t i = 0;
	while (i < f->rules && strcmp(f->rule[i].rule, rule) != 0)
		i++;
	if (i == RULES_MAX)
		return;
	if (i == f->rules) {
		copy(f->rule[i].rule, sizeof(f->rule[i].rule), rule);
		f->rule[i].count = 0;
		f->rules++;
	}
	f->rule[i].count++;
}

/* Cells: since, severity, rule, subject's site. Rows come by rule, the loudest first.
 */
static int take_alert(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct figures *f = ctx;
	int64_t day = (time_of(cells[0]) - f->m->month) / DAY_MS;
	struct site_sum *s = site_of(f, cells[3] ? cells[3] : "");
	if (day < 0 || day >= MONTH_DAYS)
		return 0;
	f->alerts[day][severity_of(cells[1] ? cells[1] : "")]++;
	f->nalerts++;
	if (s)
		s->alerts++;
	count_rule(f, cells[2] ? cells[2] : "");
	return 0;
}

static int take_counts(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct figures *f = ctx;
	f->open = cells[0] ? strtoll(cells[0], NULL, 10) : 0;
	f->replaced = cells[1] ? strtoll(cells[1], NULL, 10) : 0;
	f->acknowledge_min = real_of(cells[2]);
	f->resolve_min = real_of(cells[3]);
	return 0;
}

static int add_error(struct horizon *h, double error, bool held, struct err *err)
{
	if (h->n == h->cap) {
		size_t cap = h->cap ? 2 * h->cap : 64;
		double *v = realloc(h->error, cap * sizeof(*v));
		if (!v)
			return err_nomem(err);
		h->error = v;
		h->cap = cap;
	}
	h->error[h->n++] = fabs(error);
	h->held += held;
	return 0;
}

struct end {
	struct figures *f;
	int i; /* horizon */
};

/* Cells: when the unit ended, when predicted, days, lower, upper. */
static int take_end(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct end *e = ctx;
	if (!cells[2])
		return 0;
	double left = (double)(time_of(cells[0]) - time_of(cells[1])) / (double)DAY_MS;
	bool held = real_of(cells[3]) <= left && left <= real_of(cells[4]);
	return add_error(&e->f->horizon[e->i], real_of(cells[2]) - left, held, err);
}

static int take_number(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cells[0] ? strtoll(cells[0], NULL, 10) : 0;
	return 0;
}

/*
 * A unit ends when its battery is replaced because it was worn: an event of that type
 * that was done. The prediction is the last one at least so many days before, and not
 * a quarter more.
 */
#define ENDS                                                                           \
	"event e JOIN run r ON r.id = e.run JOIN battery b ON b.run = e.run AND "      \
	"b.code = e.subject LEFT JOIN string g ON g.id = b.string LEFT JOIN "          \
	"battery_system y ON y.id = g.system LEFT JOIN site c ON c.id = y.site WHERE " \
	"r.name = $1 AND e.type = 'replacement' AND e.ts < CAST($3 AS bigint) "        \
	"AND " SEES("c.code", "$2")

static int read_ends(struct db *db, struct figures *f, struct err *err)
{
	struct text end = text_of(f->end);
	if (db_select(db,
		    DB_QUERY("SELECT count(*) FROM " ENDS, f->m->run, f->m->sites,
			    end.text),
		    take_number, &f->ends, err) < 0)
		return -1;
	for (int i = 0; i < HORIZONS; i++) {
		struct end e = {f, i};
		int64_t days = f->horizon[i].days = HORIZON_DAYS[i];
		if (db_select(db,
			    DB_QUERY("SELECT q.ts, l.ts, l.rul_days, l.lower_days, "
				     "l.upper_days FROM (SELECT e.ts AS ts, b.run AS "
				     "run, b.id AS battery, (SELECT max(x.ts) FROM "
				     "rul_prediction x WHERE x.run = b.run AND "
				     "x.battery = b.id AND x.ts <= e.ts - CAST($4 AS "
				     "bigint) AND x.ts > e.ts - CAST($5 AS bigint)) AS "
				     "at FROM " ENDS
				     ") q JOIN rul_prediction l ON l.run = q.run AND "
				     "l.battery = q.battery AND l.ts = q.at AND "
				     "l.source = " BEST_SOURCE,
				    f->m->run, f->m->sites, end.text,
				    text_of(days * DAY_MS).text,
				    text_of(days * DAY_MS * 5 / 4 + DAY_MS).text),
			    take_end, &e, err) < 0)
			return -1;
	}
	return 0;
}

#define SITE_OF_ALERT                                                                  \
	"(SELECT max(s.code) FROM site s WHERE s.run = a.run AND (a.subject = s.code " \
	"OR "                                                                          \
	"a.subject LIKE s.code || '-%'))"

static int read_alerts(struct db *db, struct figures *f, struct err *err)
{
	struct text from = text_of(f->m->month), end = text_of(f->end);
	if (db_select(db,
		    DB_QUERY("SELECT q.since, q.severity, q.rule, q.site FROM (SELECT "
			     "a.since_ts AS since, a.severity AS severity, a.rule AS "
			     "rule, " SITE_OF_ALERT
			     " AS site, count(*) OVER (PARTITION BY a.rule) AS n FROM "
			     "alert a JOIN run r ON r.id = a.run WHERE r.name = $1 AND "
			     "a.since_ts >= CAST($3 AS bigint) AND a.since_ts < "
			     "CAST($4 AS bigint)) q WHERE " SEES(
				     "q.site", "$2") " ORDER BY q.n DESC, q.rule",
			    f->m->run, f->m->sites, from.text, end.text),
		    take_alert, f, err) < 0)
		return -1;
	return db_select(db,
		DB_QUERY("SELECT sum(CASE WHEN q.since < CAST($4 AS bigint) AND "
			 "(q.resolved IS NULL OR q.resolved >= CAST($4 AS bigint)) "
			 "THEN 1 ELSE 0 END), (SELECT count(*) FROM event e JOIN run "
			 "r ON r.id = e.run WHERE r.name = $1 AND e.type = "
			 "'replacement' AND e.ts >= CAST($3 AS bigint) AND e.ts < "
			 "CAST($4 AS bigint) AND (CAST($2 AS text) IS NULL OR EXISTS "
			 "(SELECT 1 FROM site s WHERE s.run = e.run AND e.subject LIKE "
			 "s.code || '-%' AND " SEES("s.code",
				 "$2") "))), avg(CASE WHEN q.since >= CAST($3 AS "
				       "bigint) THEN (q.acknowledged - q.since) / "
				       "60000.0 END), avg(CASE WHEN q.since >= CAST($3 "
				       "AS bigint) THEN (q.resolved - q.since) / "
				       "60000.0 END) FROM (SELECT a.since_ts AS since, "
				       "a.resolved_ts AS resolved, (SELECT min(k.ts) "
				       "FROM alert_action k WHERE k.run = a.run AND "
				       "k.subject_id = a.alert_id AND k.action = "
				       "'acknowledge') AS acknowledged, " SITE_OF_ALERT
				       " AS site FROM alert a JOIN run r ON r.id = "
				       "a.run WHERE r.name = $1 AND a.since_ts < "
				       "CAST($4 AS bigint)) q WHERE " SEES(
					       "q.site", "$2"),
			f->m->run, f->m->sites, from.text, end.text),
		take_counts, f, err);
}

static int take_window(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct rec_maintenance_window w = {.id = str_of(cells[0]),
		.subject = str_of(cells[1] ? cells[1] : ""),
		.from_ts = time_of(cells[2]),
		.until_ts = time_of(cells[3])};
	return calendar_take(ctx, &w, err);
}

/* Where the prediction came without a date (the twin's own), it is found here. */
static int find_dates(struct db *db, struct figures *f, struct err *err)
{
	struct calendar c = {0};
	int r = db_select(db,
		DB_QUERY("SELECT w.id, w.subject, w.from_ts, w.until_ts FROM "
			 "maintenance_window w JOIN run r ON r.id = w.run WHERE r.name "
			 "= $1 ORDER BY w.id",
			f->m->run),
		take_window, &c, err);
	for (size_t i = 0; r == 0 && i < f->blocks; i++) {
		struct block *b = &f->block[i];
		if (b->replace_by == TIME_NIL && b->rul_ts != TIME_NIL)
			b->replace_by =
				replace_by(&c, str_of(b->code), b->rul_ts, b->lower);
	}
	calendar_release(&c);
	return r;
}

int figures_read(
	struct db *db, const struct monthly *m, struct figures *f, struct err *err)
{
	*f = (struct figures){.m = m, .end = time_month(m->month, 1)};
	struct text from = text_of(m->month), end = text_of(f->end);
	if (db_select(db, DB_QUERY(BLOCKS, m->run, m->sites, from.text, end.text),
		    take_block, f, err) < 0 ||
		list_sites(f, err) < 0 || find_dates(db, f, err) < 0)
		return -1;
	if (db_select(db,
		    DB_QUERY("SELECT c.code, CAST(sum(d.temperature_sum) AS double "
			     "precision) / nullif(sum(d.temperature_n), 0) / 1000000 "
			     "FROM " PLACED
			     " JOIN telemetry_day d ON d.run = b.run AND d.battery = "
			     "b.id AND d.ts >= CAST($3 AS bigint) AND d.ts < CAST($4 "
			     "AS bigint) WHERE r.name = $1 AND " SEES(
				     "c.code", "$2") " GROUP BY c.code",
			    m->run, m->sites, from.text, end.text),
		    take_temperature, f, err) < 0)
		return -1;
	return read_alerts(db, f, err) < 0 ? -1 : read_ends(db, f, err);
}

void figures_release(struct figures *f)
{
	free(f->block);
	free(f->site);
	for (int i = 0; i < HORIZONS; i++)
		free(f->horizon[i].error);
}
