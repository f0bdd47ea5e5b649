/*
 * report: pages for people. --quality DIR checks a dataset directory in the classic
 * layout and says what in it cannot be believed; --month writes the monthly report of a
 * fleet from the database.
 */
#include "base/diag.h"
#include "base/opt.h"
#include "base/timefmt.h"
#include "db/db.h"
#include "db/migrate.h"
#include "db/url.h"
#include "report/monthly.h"
#include "report/quality.h"

#include <stdio.h>
#include <stdlib.h>

struct options {
	const char *quality, *output;
	const char *month, *run, *db, *prices;
	char *url; /* our own copy of db: the one in argv is scrubbed */
	bool json, html;
};

static const struct opt_usage USAGE = {"report",
	"--quality DIR | --month YYYY-MM [options]",
	"whether a dataset can be believed; how a fleet was in a month",
	"  report --quality classic-90d || echo 'not to be trusted'\n"
	"  report --quality classic-90d --json | jq '.checks[] | "
	"select(.verdict == \"fail\")'\n"
	"  report --month 2026-01 --db sqlite:fleet.db -o january.html\n"};

static int write_out(const struct options *o, const struct buf *text, struct err *err)
{
	const char *name = o->output ? o->output : "<stdout>";
	FILE *f = o->output ? fopen(o->output, "we") : stdout;
	if (!f)
		return err_errno(err, "cannot create '%s'", name);
	bool bad = fwrite(text->data, 1, text->len, f) != text->len || fflush(f) != 0;
	int r = bad ? err_errno(err, "cannot write '%s'", name) : 0;
	if (o->output && fclose(f) != 0 && r == 0)
		r = err_errno(err, "cannot write '%s'", name);
	return r;
}

static int read_month(const struct options *o, struct monthly *m, struct err *err)
{
	*m = (struct monthly){.run = o->run};
	if (month_parse(o->month, &m->month) < 0)
		return err_set(err, ERR_USAGE,
			"--month takes a month as 2026-01, not '%s'", o->month);
	return o->prices ? prices_load(o->prices, &m->prices, err) : 0;
}

static int write_month(const struct options *o, struct buf *page, struct err *err)
{
	char dir[4096];
	struct monthly m;
	if (read_month(o, &m, err) < 0 || migrations_dir(dir, sizeof(dir), err) < 0)
		return -1;
	struct db *db = db_open(o->url, 0, err);
	int r = db ? db_ready(db, dir, err) : -1;
	if (r == 0)
		r = monthly_write(db, &m, page, err);
	if (r == 0)
		err_set(err, ERR_DATA, "'%s' knows no battery's state in %s",
			db_name(db), o->month);
	db_close(db);
	return r > 0 ? 0 : -1;
}

static int month(const struct options *o)
{
	struct err err = {0};
	struct buf page = {0};
	int r = write_month(o, &page, &err);
	if (r == 0)
		r = write_out(o, &page, &err);
	buf_release(&page);
	return r < 0 ? diag_err(&err) : 0;
}

static int report(const struct options *o)
{
	struct err err = {0};
	struct buf text = {0};
	struct quality *q = malloc(sizeof(*q));
	int r = q ? quality_check(q, o->quality, &err) : err_nomem(&err);
	if (r == 0) {
		(o->json          ? quality_json
			: o->html ? quality_html
				  : quality_text)(q, &text);
		r = text.failed ? err_nomem(&err) : write_out(o, &text, &err);
	}
	bool bad = r == 0 && quality_verdict(q) == VERDICT_FAIL;
	buf_release(&text);
	free(q);
	if (r < 0)
		return diag_err(&err);
	return bad ? ERR_DATA : 0;
}

int main(int argc, char **argv)
{
	struct options o = {.run = ""};
	struct err err = {0};
	int first;
	const struct opt own[] = {{0, "quality", "DIR", "check this dataset directory",
					  OPT_STR, &o.quality, 0, 0},
		{0, "json", NULL, "quality: as JSON", OPT_BOOL, &o.json, 0, 0},
		{0, "html", NULL, "quality: as a page", OPT_BOOL, &o.html, 0, 0},
		{0, "month", "YYYY-MM", "the monthly report, a page", OPT_STR, &o.month,
			0, 0},
		{0, "db", "URL",
			"month: database; $" DB_ENVIRONMENT " or " DB_DEFAULT
			" unless given",
			OPT_STR, &o.db, 0, 0},
		{0, "run", "NAME", "month: of this run; production unless given",
			OPT_STR, &o.run, 0, 0},
		{0, "prices", "FILE", "month: what replacing costs, INI", OPT_STR,
			&o.prices, 0, 0},
		{'o', "output", "FILE", "write here (default: standard output)",
			OPT_STR, &o.output, 0, 0},
		{0}};
	int r = opt_parse(&USAGE, own, NULL, argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "unexpected operand '%s'", argv[first]);
	if (r == 0 && !o.quality == !o.month)
		r = err_set(&err, ERR_USAGE,
			"say which dataset or which month: --quality DIR or --month "
			"YYYY-MM");
	if (r < 0)
		return diag_err(&err);
	o.url = db_url_take(o.db, argc, argv);
	if (!o.url)
		return diag_err(&err);
	int status = o.month ? month(&o) : report(&o);
	free(o.url);
	return status;
}
