#include "report/monthly.h"

#include "base/inifile.h"
#include "db/query.h"
#include "report/monthly_parts.h"
#include "report/style.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORST_MOST = 60, YEAR_DAYS = 365 };

int month_parse(const char *text, int64_t *month)
{
	char iso[16];
	if (strlen(text) != 7 || text[4] != '-')
		return -1;
	snprintf(iso, sizeof(iso), "%s-01", text);
	return time_parse_iso(str_of(iso), 0, month);
}

int prices_load(const char *path, struct prices *p, struct err *err)
{
	static const struct inifile_key KEYS[] = {
		{"prices", "currency", INIFILE_TEXT, true,
			offsetof(struct prices, currency), 0, 0,
			sizeof(((struct prices *)0)->currency), 0},
		{"prices", "battery", INIFILE_F64, true,
			offsetof(struct prices, battery), 0, 1e9, 0, 0},
		{"prices", "labour", INIFILE_F64, false,
			offsetof(struct prices, labour), 0, 1e9, 0, 0},
		{"prices", "visit", INIFILE_F64, false, offsetof(struct prices, visit),
			0, 1e9, 0, 0},
		{0}};
	*p = (struct prices){0};
	return inifile_load(path, KEYS, p, err);
}

static int take_time(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cells[0] ? strtoll(cells[0], NULL, 10) : TIME_NIL;
	return 0;
}

int monthly_last(struct db *db, const char *run, int64_t *month, struct err *err)
{
	*month = TIME_NIL;
	if (db_select(db,
		    DB_QUERY("SELECT max(p.ts) FROM twin_state_latest p JOIN run r ON "
			     "r.id = p.run WHERE r.name = $1",
			    run),
		    take_time, month, err) < 0)
		return -1;
	if (*month != TIME_NIL)
		*month = time_month(*month, 0);
	return 0;
}

/* What follows from the figures. */
struct summary {
	int64_t healthy, watch, warning, critical, unknown;
	int64_t due_90, due_year, first; /* first: the first quarter */
	int64_t due[QUARTERS], lower[QUARTERS];
	int64_t from[QUARTERS], until[QUARTERS]; /* of replace_by; TIME_NIL none */
	double soh, soh_before;
	const struct block **order; /* those due within a year, the first first */
	size_t norder;
};

static void count_status(struct summary *s, const char *word)
{
	if (strcmp(word, "healthy") == 0)
		s->healthy++;
	else if (strcmp(word, "watch") == 0)
		s->watch++;
	else if (strcmp(word, "warning") == 0)
		s->warning++;
	else if (strcmp(word, "critical") == 0 || strcmp(word, "failed") == 0)
		s->critical++;
	else
		s->unknown++;
}

/* The quarter of ts; what is overdue counts in the first; -1 beyond the last. */
static int quarter_of(const struct summary *s, int64_t ts)
{
	if (ts >= time_month(s->first, 3 * QUARTERS))
		return -1;
	int q = QUARTERS - 1;
	while (q > 0 && ts < time_month(s->first, 3 * q))
		q--;
	return q;
}

static int64_t lower_due(const struct block *b)
{
	struct block at_least = *b;
	at_least.rul = b->lower;
	return isnan(b->lower) ? block_due(b) : block_due(&at_least);
}

static void count_due(struct summary *s, const struct block *b, int64_t end)
{
	int64_t due = block_due(b);
	if (due == TIME_NIL)
		return;
	s->due_90 += due < end + 90 * DAY_MS;
	int q = quarter_of(s, due), l = quarter_of(s, lower_due(b));
	if (l >= 0)
		s->lower[l]++;
	if (due < end + YEAR_DAYS * DAY_MS)
		s->order[s->norder++] = b;
	if (q < 0)
		return;
	s->due[q]++;
	if (b->replace_by == TIME_NIL)
		return;
	if (s->from[q] == TIME_NIL || b->replace_by < s->from[q])
		s->from[q] = b->replace_by;
	if (s->until[q] == TIME_NIL || b->replace_by > s->until[q])
		s->until[q] = b->replace_by;
}

static int by_due(const void *x, const void *y)
{
	const struct block *a = *(const struct block *const *)x,
			   *b = *(const struct block *const *)y;
	int64_t s = block_due(a), t = block_due(b);
	if (s != t)
		return (s > t) - (s < t);
	return a->soh != b->soh ? (a->soh > b->soh) - (a->soh < b->soh)
				: strcmp(a->code, b->code);
}

static int summarise(const struct figures *f, struct summary *s, struct err *err)
{
	struct civil c;
	double n = 0, m = 0;
	*s = (struct summary){0};
	s->order = calloc(f->blocks + 1, sizeof(*s->order));
	if (!s->order)
		return err_nomem(err);
	time_to_civil(f->end, &c);
	s->first = time_month(f->end, -((c.month - 1) % 3));
	for (int q = 0; q < QUARTERS; q++)
		s->from[q] = s->until[q] = TIME_NIL;
	for (size_t i = 0; i < f->blocks; i++) {
		const struct block *b = &f->block[i];
		count_status(s, b->status);
		count_due(s, b, f->end);
		if (!isnan(b->soh)) {
			s->soh += b->soh;
			n++;
		}
		if (!isnan(b->soh) && !isnan(b->soh_before)) {
			s->soh_before += b->soh - b->soh_before;
			m++;
		}
	}
	s->soh = n > 0 ? s->soh / n : NAN;
	s->soh_before = m > 0 ? s->soh_before / m : NAN;
	for (size_t i = 0; i < s->norder; i++)
		s->due_year++;
	qsort(s->order, s->norder, sizeof(const struct block *), by_due);
	return 0;
}

static void put_month(struct buf *out, int64_t month)
{
	static const char *const NAMES[] = {"January", "February", "March", "April",
		"May", "June", "July", "August", "September", "October", "November",
		"December"};
	struct civil c;
	time_to_civil(month, &c);
	buf_printf(out, "%s %d", NAMES[c.month - 1], c.year);
}

static void put_number(struct buf *out, double v, int digits, const char *unit)
{
	if (isnan(v))
		buf_puts(out, "–");
	else
		buf_printf(out, "%.*f%s", digits, v, unit);
}

static void tile(struct buf *out, const char *class, const char *label)
{
	buf_printf(out, "</b><span>%s</span></div>\n", label);
}

static void open_tile(struct buf *out, const char *class)
{
	buf_printf(out, "<div class=\"tile%s\"><b>", class);
}

static void count_tile(struct buf *out, const char *class, int64_t n, const char *label)
{
	open_tile(out, class);
	buf_printf(out, "%lld", (long long)n);
	tile(out, class, label);
}

static void put_head(struct buf *out, const struct figures *f)
{
	buf_puts(out, "<!doctype html>\n<html lang=\"en\"><head><meta "
		      "charset=\"utf-8\"><meta name=\"viewport\" "
		      "content=\"width=device-width\"><title>Batteries, ");
	put_month(out, f->m->month);
	buf_printf(out,
		"</title><style>%s</style></head><body>\n<header><h1>Batteries, ",
		REPORT_STYLE);
	put_month(out, f->m->month);
	buf_printf(out, "</h1><p class=\"sub\">%zu batteries at %zu site%s", f->blocks,
		f->sites, f->sites == 1 ? "" : "s");
	if (*f->m->run) {
		buf_puts(out, " of the run ");
		html_text(out, f->m->run);
	}
	buf_puts(out, ", as known at the end of the month (UTC)</p></header>\n");
}

static void put_summary(
	struct buf *out, const struct figures *f, const struct summary *s)
{
	buf_puts(out, "<p class=\"lead\">");
	if (s->critical)
		buf_printf(out,
			"<strong>%lld batter%s critical</strong> at the end of the "
			"month. ",
			(long long)s->critical,
			s->critical == 1 ? "y was" : "ies were");
	else
		buf_puts(out, "No battery was critical at the end of the month. ");
	if (s->due_90)
		buf_printf(out,
			"%lld batter%s expected to end within 90 days, %lld within a "
			"year. ",
			(long long)s->due_90, s->due_90 == 1 ? "y is" : "ies are",
			(long long)s->due_year);
	else
		buf_printf(out,
			"None is expected to end within 90 days, %lld within a year. ",
			(long long)s->due_year);
	if (s->norder) {
		buf_puts(out, "The first is ");
		html_text(out, s->order[0]->code);
		buf_puts(out, ", expected until ");
		html_date(out, block_due(s->order[0]));
		buf_puts(out, ". ");
	}
	buf_printf(out, "%lld alert%s began, %.1f a day; %lld batter%s replaced.</p>\n",
		(long long)f->nalerts, f->nalerts == 1 ? "" : "s",
		(double)f->nalerts / ((double)(f->end - f->m->month) / (double)DAY_MS),
		(long long)f->replaced, f->replaced == 1 ? "y was" : "ies were");
}

static void put_tiles(struct buf *out, const struct figures *f, const struct summary *s)
{
	buf_puts(out, "<section><h2>Key figures</h2><div class=\"tiles\">\n");
	count_tile(out, s->critical ? " bad" : "", s->critical, "critical or failed");
	count_tile(out, s->warning ? " care" : "", s->warning, "with a warning");
	count_tile(out, "", s->watch, "to be watched");
	count_tile(out, "", s->healthy, "healthy");
	open_tile(out, "");
	put_number(out, s->soh, 1, " %");
	buf_puts(out, "</b><span>mean state of health");
	if (!isnan(s->soh_before))
		buf_printf(out, ", %+.2f in the month", s->soh_before);
	buf_puts(out, "</span></div>\n");
	count_tile(out, s->due_90 ? " care" : "", s->due_90, "due within 90 days");
	count_tile(out, "", f->nalerts, "alerts begun");
	count_tile(out, f->open ? " care" : "", f->open, "alerts open at the end");
	buf_puts(out, "</div></section>\n");
}

static void put_cost(struct buf *out, const struct prices *p, int64_t n, int64_t visits)
{
	double cost = (double)n * (p->battery + p->labour) + (double)visits * p->visit;
	char digits[32];
	snprintf(digits, sizeof(digits), "%.0f", cost);
	buf_puts(out, "<td>");
	for (size_t i = strlen(digits); i > 0; i--) {
		buf_putc(out, digits[strlen(digits) - i]);
		if (i % 3 == 1 && i > 1)
			buf_putc(out, ',');
	}
	buf_puts(out, "</td>");
}

/* Sites with a battery due in the quarter. */
static int64_t visits_of(const struct figures *f, const struct summary *s, int quarter)
{
	int64_t n = 0;
	const char *last = NULL;
	for (size_t i = 0; i < f->blocks; i++) {
		const struct block *b = &f->block[i];
		int64_t due = block_due(b);
		if (due == TIME_NIL || quarter_of(s, due) != quarter)
			continue;
		n += !last || strcmp(last, b->site) != 0;
		last = b->site;
	}
	return n;
}

static void put_quarter(struct buf *out, const struct figures *f,
	const struct summary *s, int q, int64_t visits)
{
	struct civil c;
	time_to_civil(time_month(s->first, 3 * q), &c);
	buf_printf(out,
		"<tr><td>Q%d %d</td><td>%lld</td><td>%lld</td><td "
		"class=\"l\">",
		(c.month - 1) / 3 + 1, c.year, (long long)s->due[q],
		(long long)s->lower[q]);
	if (s->from[q] == TIME_NIL) {
		buf_puts(out, s->due[q] ? "not foretold" : "");
	} else {
		html_date(out, s->from[q]);
		if (s->until[q] != s->from[q]) {
			buf_puts(out, " to ");
			html_date(out, s->until[q]);
		}
	}
	buf_puts(out, "</td>");
	if (*f->m->prices.currency)
		put_cost(out, &f->m->prices, s->due[q], visits);
	buf_puts(out, "</tr>\n");
}

static void put_quarters(
	struct buf *out, const struct figures *f, const struct summary *s)
{
	bool priced = *f->m->prices.currency;
	int64_t due = 0, lower = 0, visits = 0;
	buf_puts(out, "<section><h2>Replacements due</h2>\n<figure><figcaption><span "
		      "class=\"key early\"></span>at the "
		      "earliest (lower end of the interval)<span class=\"key "
		      "due\"></span>as expected"
		      "</figcaption>\n");
	plot_quarters(out, f, s->due, s->lower, s->first);
	buf_puts(out, "</figure>\n<table><thead><tr><th>quarter</th><th>as "
		      "expected</th><th>at the earliest</th><th class=\"l\">replace "
		      "by</th>");
	if (priced) {
		buf_puts(out, "<th>cost, ");
		html_text(out, f->m->prices.currency);
		buf_puts(out, "</th>");
	}
	buf_puts(out, "</tr></thead><tbody>\n");
	for (int q = 0; q < QUARTERS; q++) {
		int64_t v = visits_of(f, s, q);
		put_quarter(out, f, s, q, v);
		due += s->due[q];
		lower += s->lower[q];
		visits += v;
	}
	buf_printf(out,
		"</tbody><tfoot><tr><td>two years</td><td>%lld</td><td>%lld</td>"
		"<td></td>",
		(long long)due, (long long)lower);
	if (priced)
		put_cost(out, &f->m->prices, due, visits);
	buf_puts(out,
		"</tr></tfoot></table>\n<p class=\"note\">What is overdue counts in "
		"the "
		"first quarter. Replace by: the last dates before the lower end of the "
		"intervals that lie in the cool season, November to February, and in a "
		"maintenance window where such are known.");
	if (priced)
		buf_printf(out,
			" Cost: %.0f a battery, %.0f labour, %.0f a visit to a site in "
			"a quarter.",
			f->m->prices.battery, f->m->prices.labour, f->m->prices.visit);
	buf_puts(out, "</p></section>\n");
}

static void put_worst(struct buf *out, const struct summary *s)
{
	size_t n = s->norder < WORST_MOST ? s->norder : WORST_MOST;
	if (!n)
		return;
	buf_puts(out, "<section><h3>The next to replace</h3>\n<table><thead><tr>"
		      "<th>battery</th><th>state of health</th><th>days left</th>"
		      "<th>interval</th><th>expected end</th><th>replace by</th>"
		      "</tr></thead><tbody>\n");
	for (size_t i = 0; i < n; i++) {
		const struct block *b = s->order[i];
		buf_puts(out, "<tr><td>");
		html_text(out, b->code);
		buf_puts(out, "</td><td>");
		put_number(out, b->soh, 1, " %");
		buf_puts(out, "</td><td>");
		put_number(out, b->rul, 0, "");
		buf_puts(out, "</td><td>");
		put_number(out, b->lower, 0, "");
		buf_puts(out, " – ");
		put_number(out, b->upper, 0, "");
		buf_puts(out, "</td><td>");
		html_date(out, block_due(b));
		buf_puts(out, "</td><td>");
		html_date(out, b->replace_by);
		buf_puts(out, "</td></tr>\n");
	}
	buf_puts(out, "</tbody></table>\n");
	if (s->norder > n)
		buf_printf(out,
			"<p class=\"note\">and %zu more within a year: all are in the "
			"export of the forecast.</p>\n",
			s->norder - n);
	buf_puts(out, "</section>\n");
}

struct site_count {
	int64_t n, critical, due;
	double soh, with_soh;
};

static struct site_count count_site(const struct figures *f, const char *site)
{
	struct site_count k = {0};
	for (size_t i = 0; i < f->blocks; i++) {
		const struct block *b = &f->block[i];
		int64_t due = block_due(b);
		if (strcmp(b->site, site) != 0)
			continue;
		k.n++;
		k.critical += strcmp(b->status, "critical") == 0 ||
			      strcmp(b->status, "failed") == 0;
		k.due += due != TIME_NIL && due < f->end + YEAR_DAYS * DAY_MS;
		if (!isnan(b->soh)) {
			k.soh += b->soh;
			k.with_soh++;
		}
	}
	return k;
}

static void put_sites(struct buf *out, const struct figures *f)
{
	buf_puts(out, "<section><h2>Sites side by side</h2>\n<figure><figcaption>State "
		      "of health</figcaption>\n");
	plot_sites(out, f, false);
	buf_puts(out,
		"</figure>\n<figure><figcaption>Remaining life, years</figcaption>\n");
	plot_sites(out, f, true);
	buf_puts(out,
		"</figure>\n<p class=\"note\">Box: the middle half, with the median; "
		"whiskers reach to the last battery within one and a half times the "
		"box, circles lie beyond.</p>\n<table><thead><tr><th>site</th>"
		"<th>batteries</th><th>mean health</th><th>critical</th><th>due in a "
		"year</th><th>mean temperature</th><th>alerts</th></tr></thead>"
		"<tbody>\n");
	for (size_t i = 0; i < f->sites; i++) {
		const struct site_sum *s = &f->site[i];
		struct site_count k = count_site(f, s->code);
		buf_puts(out, "<tr><td>");
		html_text(out, *s->code ? s->code : "no site");
		buf_printf(out, "</td><td>%lld</td><td>", (long long)k.n);
		put_number(out, k.with_soh > 0 ? k.soh / k.with_soh : NAN, 1, " %");
		buf_printf(out, "</td><td>%lld</td><td>%lld</td><td>",
			(long long)k.critical, (long long)k.due);
		put_number(out, s->temperature, 1, " °C");
		buf_printf(out, "</td><td>%lld</td></tr>\n", (long long)s->alerts);
	}
	buf_puts(out, "</tbody></table></section>\n");
}

static int rising(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

static void put_horizon(struct buf *out, const struct horizon *h)
{
	double sum = 0;
	buf_printf(out, "<tr><td>%d days before</td><td>%zu</td>", h->days, h->n);
	if (h->n == 0) {
		buf_puts(out, "<td>–</td><td>–</td><td>–</td></tr>\n");
		return;
	}
	qsort(h->error, h->n, sizeof(double), rising);
	for (size_t i = 0; i < h->n; i++)
		sum += h->error[i];
	buf_printf(out,
		"<td>%.0f days</td><td>%.0f days</td><td>%zu of %zu</td></tr>\n",
		h->error[h->n / 2], sum / (double)h->n, h->held, h->n);
}

static void put_accuracy(struct buf *out, const struct figures *f)
{
	buf_puts(out, "<section><h2>How right the predictions were</h2>\n");
	if (f->ends == 0) {
		buf_puts(out, "<p>No battery has been replaced so far: there is "
			      "nothing to judge them by.</p></section>\n");
		return;
	}
	buf_printf(out,
		"<p>%lld batter%s been replaced so far. What was predicted of them, "
		"against the day they were replaced:</p>\n"
		"<table><thead><tr><th>predicted</th><th>batteries</th><th>median "
		"error</th><th>mean error</th><th>held by the interval</th></tr>"
		"</thead><tbody>\n",
		(long long)f->ends, f->ends == 1 ? "y has" : "ies have");
	for (int i = 0; i < HORIZONS; i++)
		put_horizon(out, &f->horizon[i]);
	buf_puts(out, "</tbody></table>\n<p class=\"note\">A battery may have been "
		      "replaced before its end, for another reason: then the error "
		      "is less than it seems.</p></section>\n");
}

static void put_alarms(struct buf *out, const struct figures *f)
{
	int64_t others = f->nalerts;
	buf_puts(out, "<section><h2>Alarm load</h2>\n<figure><figcaption><span "
		      "class=\"key critical\"></span>critical"
		      "<span class=\"key warning\"></span>warning"
		      "<span class=\"key info\"></span>info, "
		      "by the day they began</figcaption>\n");
	plot_alarms(out, f);
	buf_puts(out, "</figure>\n<p>");
	if (isnan(f->acknowledge_min))
		buf_puts(out, "Nobody acknowledged an alert of this month");
	else
		buf_printf(out, "Acknowledged after %.0f minutes in the mean",
			f->acknowledge_min);
	if (isnan(f->resolve_min))
		buf_puts(out, "; none of them was over.</p>\n");
	else
		buf_printf(out, "; over after %.1f hours in the mean.</p>\n",
			f->resolve_min / 60);
	if (f->rules) {
		buf_puts(out, "<table><thead><tr><th>rule</th><th>alerts</th>"
			      "<th>share</th></tr></thead><tbody>\n");
		for (size_t i = 0; i < f->rules; i++) {
			buf_puts(out, "<tr><td>");
			html_text(out, f->rule[i].rule);
			buf_printf(out, "</td><td>%lld</td><td>%.0f %%</td></tr>\n",
				(long long)f->rule[i].count,
				100.0 * (double)f->rule[i].count / (double)f->nalerts);
			others -= f->rule[i].count;
		}
		if (others > 0)
			buf_printf(out,
				"<tr><td>other rules</td><td>%lld</td><td>%.0f "
				"%%</td></tr>\n",
				(long long)others,
				100.0 * (double)others / (double)f->nalerts);
		buf_puts(out, "</tbody></table>\n");
	}
	buf_puts(out, "</section>\n");
}

static void put_page(struct buf *out, const struct figures *f, const struct summary *s)
{
	put_head(out, f);
	put_summary(out, f, s);
	put_tiles(out, f, s);
	put_quarters(out, f, s);
	put_worst(out, s);
	put_sites(out, f);
	put_accuracy(out, f);
	put_alarms(out, f);
	buf_puts(out, "</body></html>\n");
}

static bool knows_any(const struct figures *f)
{
	for (size_t i = 0; i < f->blocks; i++)
		if (!isnan(f->block[i].soh) || f->block[i].rul_ts != TIME_NIL)
			return true;
	return false;
}

int monthly_write(
	struct db *db, const struct monthly *m, struct buf *out, struct err *err)
{
	struct figures f;
	struct summary s = {0};
	int r = figures_read(db, m, &f, err);
	if (r == 0 && knows_any(&f)) {
		r = summarise(&f, &s, err);
		if (r == 0)
			put_page(out, &f, &s);
		r = r < 0 ? -1 : out->failed ? err_nomem(err) : 1;
	}
	figures_release(&f);
	free(s.order);
	return r;
}
