/* The fleet over months: how it was, when it must be replaced, how sites compare. */
#include "record/text.h"
#include "report/box.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

#include <gsl/gsl_statistics_double.h>
#include <math.h>

enum { MONTHS_MOST = 120, QUARTERS_MOST = MONTHS_MOST / 3 };

/* Where the battery b stands: its site c, if the books say it. */
#define PLACED                                                                         \
	"battery b JOIN run r ON r.id = b.run LEFT JOIN string g ON g.id = b.string "  \
	"LEFT JOIN battery_system y ON y.id = g.system LEFT JOIN site c ON c.id = "    \
	"y.site"

static int take_time(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_time(cells[0]);
	return 0;
}

/* What the months are counted from: the newest state of the fleet, so that a fleet of
 * the past has a past as well; the clock where there is none. */
static int as_of(struct call *c, int64_t *ts, struct err *err)
{
	*ts = TIME_NIL;
	if (db_select(c->db,
		    DB_QUERY("SELECT max(n.ts) FROM battery_now n WHERE n.run = $1 "
			     "AND " SEES("n.site", "$2"),
			    call_value(c, "run"), call_sites(c)),
		    take_time, ts, err) < 0)
		return -1;
	if (*ts == TIME_NIL)
		*ts = c->now;
	return 0;
}

/* Values of one period or site, as they come. */
struct sample {
	double *v;
	size_t n, cap;
};

static int sample_add(struct sample *s, double v, struct err *err)
{
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		double *w = realloc(s->v, cap * sizeof(*w));
		if (!w)
			return err_nomem(err);
		s->v = w;
		s->cap = cap;
	}
	s->v[s->n++] = v;
	return 0;
}

static void emit_real(struct buf *b, const char *name, double v)
{
	emit_name(b, name);
	text_f32((float)v, b);
}

static void emit_count(struct buf *b, const char *name, int64_t v)
{
	emit_name(b, name);
	emit_int(b, v);
}

static void close_list(struct buf *b, int64_t total)
{
	emit_close(b, ']');
	emit_count(b, "total", total);
	emit_close(b, '}');
}

struct month {
	int64_t from;
	struct sample soh; /* rising */
	int64_t batteries, critical, alerts;
};

struct trend {
	int months;
	struct month month[MONTHS_MOST];
};

const struct param TREND_PARAMS[] = {RUN_PARAM,
	{"months", PARAM_INT, "so many, the one of the newest state the last", false, 1,
		MONTHS_MOST, NULL, "12"},
	{0}};

/* "(0, FROM, UNTIL), (1, …" of the months: numbers of ours, nothing a user typed. */
static void put_months(const struct trend *t, struct buf *sql)
{
	buf_puts(sql, "WITH m(i, a, z) AS (VALUES ");
	for (int i = 0; i < t->months; i++)
		buf_printf(sql, "%s(%d, CAST(%lld AS bigint), CAST(%lld AS bigint))",
			i ? ", " : "", i, (long long)t->month[i].from,
			(long long)time_month(t->month[i].from, 1));
	buf_puts(sql, ") ");
}

/* Cells: the month's number, the battery's last SOH in it, its status at the end. */
static int take_state(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct month *m = &((struct trend *)ctx)->month[cell_int(cells[0])];
	const char *status = cell_text(cells[2]);
	m->batteries++;
	m->critical += strcmp(status, "critical") == 0 || strcmp(status, "failed") == 0;
	return sample_add(&m->soh, strtod(cells[1], NULL), err);
}

static int take_alerts(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	((struct trend *)ctx)->month[cell_int(cells[0])].alerts = cell_int(cells[1]);
	return 0;
}

static int ask(struct call *c, struct trend *t, const char *sql, db_row_fn *fn,
	struct err *err)
{
	struct buf text = {0};
	put_months(t, &text);
	buf_puts(&text, sql);
	buf_putc(&text, '\0');
	int r = text.failed ? err_nomem(err)
			    : db_select(c->db,
				      DB_QUERY((char *)text.data, call_value(c, "run"),
					      call_sites(c)),
				      fn, t, err);
	buf_release(&text);
	return r;
}

static int read_trend(struct call *c, struct trend *t, struct err *err)
{
	int64_t now;
	if (as_of(c, &now, err) < 0)
		return -1;
	t->months = (int)call_int(c, "months");
	for (int i = 0; i < t->months; i++)
		t->month[i].from = time_month(now, i + 1 - t->months);
	if (ask(c, t,
		    "SELECT q.i, q.soh, q.status FROM (SELECT m.i AS i, (SELECT "
		    "p.soh_pct FROM twin_state p WHERE p.run = b.run AND p.battery = "
		    "b.id AND p.ts >= m.a AND p.ts < m.z AND p.soh_pct IS NOT NULL "
		    "ORDER BY p.ts DESC LIMIT 1) AS soh, (SELECT t.status FROM status "
		    "t WHERE t.run = b.run AND t.subject = b.code AND t.ts < m.z ORDER "
		    "BY t.ts DESC LIMIT 1) AS status FROM m CROSS JOIN " PLACED
		    " WHERE r.name = $1 AND " SEES(
			    "c.code", "$2") ") q WHERE q.soh IS NOT NULL ORDER BY "
					    "q.i, q.soh",
		    take_state, err) < 0)
		return -1;
	return ask(c, t,
		"SELECT m.i, count(*) FROM m JOIN alert a ON a.since_ts >= m.a AND "
		"a.since_ts < m.z JOIN run r ON r.id = a.run WHERE r.name = $1 AND "
		"(CAST($2 AS text) IS NULL OR EXISTS (SELECT 1 FROM site s WHERE s.run "
		"= a.run AND (a.subject = s.code OR a.subject LIKE s.code || '-%') "
		"AND " SEES("s.code", "$2") ")) GROUP BY m.i",
		take_alerts, err);
}

static void emit_month_name(struct buf *b, int64_t from)
{
	struct civil c;
	char text[24];
	time_to_civil(from, &c);
	snprintf(text, sizeof(text), "%04d-%02d", c.year, c.month);
	emit_name(b, "month");
	emit_text(b, text);
}

static double quantile(const struct sample *s, double f)
{
	return s->n ? gsl_stats_quantile_from_sorted_data(s->v, 1, s->n, f) : NAN;
}

static void emit_month(struct buf *b, const struct month *m)
{
	emit_open(b, '{');
	emit_month_name(b, m->from);
	emit_real(b, "soh_mean_pct",
		m->soh.n ? gsl_stats_mean(m->soh.v, 1, m->soh.n) : NAN);
	emit_real(b, "soh_p10_pct", quantile(&m->soh, 0.1));
	emit_real(b, "soh_p90_pct", quantile(&m->soh, 0.9));
	emit_count(b, "batteries", m->batteries);
	emit_count(b, "critical", m->critical);
	emit_count(b, "alerts", m->alerts);
	emit_close(b, '}');
}

int api_fleet_trend(struct call *c, struct err *err)
{
	struct trend *t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem(err);
	int r = read_trend(c, t, err);
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	for (int i = 0; i < t->months; i++) {
		if (r == 0)
			emit_month(c->out, &t->month[i]);
		free(t->month[i].soh.v);
	}
	close_list(c->out, t->months);
	free(t);
	return r < 0 ? -1 : 200;
}

struct site_due {
	char site[128];
	int64_t due[QUARTERS_MOST];
};

struct forecast {
	int quarters;
	int64_t from[QUARTERS_MOST + 1];
	int64_t due[QUARTERS_MOST], lower[QUARTERS_MOST];
	struct site_due *sites;
	size_t nsites;
};

const struct param FORECAST_PARAMS[] = {RUN_PARAM,
	{"months", PARAM_INT,
		"until so many months from the quarter of the newest prediction on; "
		"what "
		"is overdue counts in that quarter",
		false, 3, MONTHS_MOST, NULL, "24"},
	{0}};

/* The quarter of ts + days, or -1: after the last. */
static int quarter_of(const struct forecast *f, int64_t ts, double days)
{
	double at = (double)ts + days * (double)DAY_MS;
	if (at >= (double)f->from[f->quarters])
		return -1;
	int q = f->quarters - 1;
	while (q > 0 && at < (double)f->from[q])
		q--;
	return q;
}

/* Rows come by site. */
static struct site_due *site_of(struct forecast *f, const char *code, struct err *err)
{
	if (f->nsites && strcmp(f->sites[f->nsites - 1].site, code) == 0)
		return &f->sites[f->nsites - 1];
	struct site_due *s = realloc(f->sites, (f->nsites + 1) * sizeof(*s));
	if (!s) {
		err_nomem(err);
		return NULL;
	}
	f->sites = s;
	s += f->nsites++;
	*s = (struct site_due){0};
	str_copy(s->site, sizeof(s->site), str_of(code));
	return s;
}

/* Cells: site, when it was predicted, days left, at least. */
static int take_due(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct forecast *f = ctx;
	struct site_due *s = site_of(f, cell_text(cells[0]), err);
	if (!s)
		return -1;
	int64_t ts = cell_time(cells[1]);
	int q = quarter_of(f, ts, strtod(cells[2], NULL));
	if (q >= 0) {
		f->due[q]++;
		s->due[q]++;
	}
	q = cells[3] ? quarter_of(f, ts, strtod(cells[3], NULL)) : q;
	if (q >= 0)
		f->lower[q]++;
	return 0;
}

static int read_forecast(struct call *c, struct forecast *f, struct err *err)
{
	int64_t now = TIME_NIL;
	if (db_select(c->db,
		    DB_QUERY("SELECT max(n.rul_ts) FROM battery_now n WHERE n.run = $1 "
			     "AND " SEES("n.site", "$2"),
			    call_value(c, "run"), call_sites(c)),
		    take_time, &now, err) < 0)
		return -1;
	struct civil at;
	time_to_civil(now == TIME_NIL ? c->now : now, &at);
	int64_t first =
		time_month(now == TIME_NIL ? c->now : now, -((at.month - 1) % 3));
	f->quarters = (int)(call_int(c, "months") + 2) / 3;
	for (int q = 0; q <= f->quarters; q++)
		f->from[q] = time_month(first, 3 * q);
	return db_select(c->db,
		DB_QUERY("SELECT n.site, n.rul_ts, n.rul_days, n.lower_days FROM "
			 "battery_now n WHERE n.run = "
			 "$1 AND " SEES("n.site", "$2") " AND n.rul_days IS NOT NULL "
							"ORDER BY n.site",
			call_value(c, "run"), call_sites(c)),
		take_due, f, err);
}

static void emit_quarter(struct buf *b, const struct forecast *f, int q)
{
	struct civil c;
	char text[24];
	time_to_civil(f->from[q], &c);
	snprintf(text, sizeof(text), "%04d-Q%d", c.year, (c.month - 1) / 3 + 1);
	emit_open(b, '{');
	emit_name(b, "quarter");
	emit_text(b, text);
	emit_name(b, "from");
	emit_time(b, f->from[q]);
	emit_name(b, "until");
	emit_time(b, f->from[q + 1]);
	emit_count(b, "due", f->due[q]);
	emit_count(b, "due_by_lower", f->lower[q]);
	emit_name(b, "by_site");
	emit_open(b, '[');
	for (size_t i = 0; i < f->nsites; i++) {
		if (f->sites[i].due[q] == 0)
			continue;
		emit_open(b, '{');
		emit_name(b, "site");
		emit_text(b, *f->sites[i].site ? f->sites[i].site : NULL);
		emit_count(b, "due", f->sites[i].due[q]);
		emit_close(b, '}');
	}
	emit_close(b, ']');
	emit_close(b, '}');
}

int api_fleet_forecast(struct call *c, struct err *err)
{
	struct forecast f = {0};
	int r = read_forecast(c, &f, err);
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	for (int q = 0; r == 0 && q < f.quarters; q++)
		emit_quarter(c->out, &f, q);
	close_list(c->out, f.quarters);
	free(f.sites);
	return r < 0 ? -1 : 200;
}

const struct param COMPARE_PARAMS[] = {RUN_PARAM,
	{"metric", PARAM_WORD, "of what", false, 0, 0,
		"soh|rul|temperature|resistance|voltage|autonomy", "soh"},
	{0}};

static const char *unit_of(const char *metric)
{
	static const char *const UNITS[][2] = {{"soh", "%"}, {"rul", "days"},
		{"temperature", "degC"}, {"resistance", "mOhm"}, {"voltage", "V"},
		{"autonomy", "min"}};
	size_t i = 0;
	while (strcmp(UNITS[i][0], metric) != 0)
		i++;
	return UNITS[i][1];
}

/* The site whose rows are being taken; rows come by site, values rising. */
struct compare {
	struct buf *out;
	char site[128];
	struct sample values;
	struct buf names; /* of the batteries, a zero byte after each */
	int64_t sites;
};

static void emit_outliers(struct compare *k, const struct box *b)
{
	const char *name = (const char *)k->names.data;
	emit_name(k->out, "outliers");
	emit_open(k->out, '[');
	for (size_t i = 0; i < k->values.n; i++, name += strlen(name) + 1) {
		if (!box_outlier(b, k->values.v[i]))
			continue;
		emit_open(k->out, '{');
		emit_name(k->out, "battery");
		emit_text(k->out, name);
		emit_real(k->out, "value", k->values.v[i]);
		emit_close(k->out, '}');
	}
	emit_close(k->out, ']');
}

static void emit_site(struct compare *k)
{
	if (k->values.n == 0)
		return;
	struct box b = box_of(k->values.v, k->values.n);
	emit_open(k->out, '{');
	emit_name(k->out, "site");
	emit_text(k->out, *k->site ? k->site : NULL);
	emit_count(k->out, "n", (int64_t)b.n);
	emit_real(k->out, "min", b.low);
	emit_real(k->out, "q1", b.q1);
	emit_real(k->out, "median", b.median);
	emit_real(k->out, "q3", b.q3);
	emit_real(k->out, "max", b.high);
	emit_real(k->out, "mean", b.mean);
	emit_outliers(k, &b);
	emit_close(k->out, '}');
	k->values.n = 0;
	buf_clear(&k->names);
	k->sites++;
}

static int take_value(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct compare *k = ctx;
	const char *site = cell_text(cells[0]);
	if (strcmp(site, k->site) != 0) {
		emit_site(k);
		str_copy(k->site, sizeof(k->site), str_of(site));
	}
	buf_append(&k->names, cells[1], strlen(cells[1]) + 1);
	if (k->names.failed)
		return err_nomem(err);
	return sample_add(&k->values, strtod(cells[2], NULL), err);
}

#define COMPARED                                                                       \
	"CASE CAST($3 AS text) WHEN 'soh' THEN n.soh_pct WHEN 'rul' THEN n.rul_days "  \
	"WHEN 'temperature' THEN n.temperature_c WHEN 'resistance' THEN "              \
	"n.resistance_mohm WHEN 'voltage' THEN n.voltage_v ELSE n.autonomy_min END"

int api_fleet_compare(struct call *c, struct err *err)
{
	const char *metric = call_value(c, "metric");
	struct compare k = {.out = c->out};
	emit_open(c->out, '{');
	emit_name(c->out, "metric");
	emit_text(c->out, metric);
	emit_name(c->out, "unit");
	emit_text(c->out, unit_of(metric));
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	int r = db_select(c->db,
		DB_QUERY("SELECT q.site, q.battery, q.v FROM (SELECT n.site AS site, "
			 "n.battery AS battery, " COMPARED
			 " AS v FROM battery_now n WHERE n.run = $1 AND " SEES(
				 "n.site", "$2") ") q WHERE q.v IS NOT NULL ORDER BY "
						 "q.site, q.v, q.battery",
			call_value(c, "run"), call_sites(c), metric),
		take_value, &k, err);
	if (r == 0)
		emit_site(&k);
	close_list(c->out, k.sites);
	free(k.values.v);
	buf_release(&k.names);
	return r < 0 ? -1 : 200;
}
