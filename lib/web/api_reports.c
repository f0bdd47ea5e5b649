/* Reports, as pages: of a month of the fleet, of the quality of a dataset. */
#include "report/monthly.h"
#include "report/quality.h"
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

#include <stdlib.h>

enum { MONTHS_LISTED = 36 };

const struct param MONTHLY_PARAMS[] = {RUN_PARAM,
	{"month", PARAM_TEXT, "as 2026-01; the newest unless given", false, 7, 7, NULL,
		NULL},
	{0}};

static void put_month(struct buf *b, const char *kind, int64_t month)
{
	struct civil c;
	char text[24], url[80];
	time_to_civil(month, &c);
	snprintf(text, sizeof(text), "%04d-%02d", c.year, c.month);
	snprintf(url, sizeof(url), API_BASE "/reports/monthly?month=%s", text);
	emit_open(b, '{');
	emit_name(b, "kind");
	emit_text(b, kind);
	emit_name(b, "month");
	emit_text(b, text);
	emit_name(b, "url");
	emit_text(b, url);
	emit_close(b, '}');
}

static int take_first(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_time(cells[0]);
	return 0;
}

/* Months with a state of a battery in them, the newest first. */
static int put_months(struct call *c, int64_t *total, struct err *err)
{
	int64_t month, first = TIME_NIL;
	const char *run = call_value(c, "run");
	if (monthly_last(c->db, run, &month, err) < 0 ||
		db_select(c->db,
			DB_QUERY("SELECT min((SELECT min(p.ts) FROM twin_state p WHERE "
				 "p.run = b.run AND p.battery = b.id)) FROM battery b "
				 "JOIN run r ON r.id = b.run WHERE r.name = $1",
				run),
			take_first, &first, err) < 0)
		return -1;
	for (int i = 0; month != TIME_NIL && i < MONTHS_LISTED; i++) {
		put_month(c->out, "monthly", month);
		++*total;
		if (month <= first)
			break;
		month = time_month(month, -1);
	}
	return 0;
}

int api_reports(struct call *c, struct err *err)
{
	int64_t total = 0;
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	if (put_months(c, &total, err) < 0)
		return -1;
	if (c->service->dataset) {
		emit_open(c->out, '{');
		emit_name(c->out, "kind");
		emit_text(c->out, "quality");
		emit_name(c->out, "month");
		emit_text(c->out, NULL);
		emit_name(c->out, "url");
		emit_text(c->out, API_BASE "/reports/quality");
		emit_close(c->out, '}');
		total++;
	}
	emit_close(c->out, ']');
	emit_name(c->out, "total");
	emit_int(c->out, total);
	emit_close(c->out, '}');
	return 200;
}

int api_report_monthly(struct call *c, struct err *err)
{
	const char *month = call_value(c, "month");
	struct monthly m = {.run = call_value(c, "run"),
		.sites = call_sites(c),
		.prices = c->service->prices};
	if (month && month_parse(month, &m.month) < 0)
		return err_set(
			err, ERR_DATA, "parameter 'month' is a month as 2026-01");
	if (!month && monthly_last(c->db, m.run, &m.month, err) < 0)
		return -1;
	int r = m.month == TIME_NIL ? 0 : monthly_write(c->db, &m, c->out, err);
	if (r == 0)
		return http_refuse(
			c->res, 404, "no state of a battery is known in that month");
	c->res->type = "text/html; charset=utf-8";
	return r < 0 ? -1 : 200;
}

int api_report_quality(struct call *c, struct err *err)
{
	if (!c->service->dataset)
		return http_refuse(c->res, 404, "there is no dataset to report on");
	struct quality *q = malloc(sizeof(*q));
	struct err why = {0};
	if (!q)
		return err_nomem(err);
	if (quality_check(q, c->service->dataset, &why) < 0) {
		free(q);
		str_copy(c->res->log, sizeof(c->res->log), str_of(why.msg));
		return http_refuse(c->res, 503, "the dataset cannot be read");
	}
	quality_html(q, c->out);
	free(q);
	c->res->type = "text/html; charset=utf-8";
	return 200;
}
