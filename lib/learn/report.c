#include "learn/report.h"

#include "base/code.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	PLOT = 360,  /* side of a plot, px */
	MARGIN = 46, /* for its axes */
	DOTS = 2500, /* of a scatter plot, at most */
	BARS_MAX = 40,
};

/* Below a week lives are one class: log axes start there. */
static const double SHORTEST_DAYS = 7, LONGEST_DAYS = 5000;

static void open_plot(struct buf *out, const char *title, int width, int height)
{
	buf_printf(out,
		"<figure><figcaption>%s</figcaption>\n<svg viewBox=\"0 0 %d %d\" "
		"width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"%s\">\n",
		title, width, height, width, height, title);
}

static void close_plot(struct buf *out)
{
	buf_puts(out, "</svg></figure>\n");
}

static void text(
	struct buf *out, double x, double y, const char *anchor, const char *what)
{
	buf_printf(
		out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">", x, y, anchor);
	for (const char *p = what; *p; p++) {
		if (*p == '<' || *p == '>' || *p == '&')
			buf_printf(out, "&#%d;", *p);
		else
			buf_putc(out, *p);
	}
	buf_puts(out, "</text>\n");
}

static void line(
	struct buf *out, double x1, double y1, double x2, double y2, const char *class)
{
	buf_printf(out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
		"class=\"%s\"/>\n",
		x1, y1, x2, y2, class);
}

/* Pixels from the lower left of a plot's field, 0..1 each way. */
static double across(double u)
{
	return MARGIN + u * (PLOT - MARGIN - 10);
}

static double up(double u)
{
	return PLOT - MARGIN - u * (PLOT - MARGIN - 10);
}

static void frame(struct buf *out, const char *x_name, const char *y_name)
{
	line(out, across(0), up(0), across(1), up(0), "axis");
	line(out, across(0), up(0), across(0), up(1), "axis");
	text(out, across(0.5), PLOT - 6, "middle", x_name);
	buf_printf(out,
		"<text transform=\"translate(12 %.1f) rotate(-90)\" "
		"text-anchor=\"middle\">%s</text>\n",
		up(0.5), y_name);
}

static double log_place(double days)
{
	double u = log(fmax(days, SHORTEST_DAYS) / SHORTEST_DAYS) /
		   log(LONGEST_DAYS / SHORTEST_DAYS);
	return fmin(u, 1);
}

static void plot_scatter(struct buf *out, const struct report_rows *t)
{
	static const double ticks[] = {7, 30, 90, 365, 1000, 3000};
	size_t seen = 0, step, k = 0;
	for (size_t i = 0; i < t->n; i++)
		seen += !t->o[i].censored;
	step = seen / DOTS + 1;
	open_plot(out, "Predicted against true remaining life", PLOT, PLOT);
	frame(out, "true, days", "predicted, days");
	for (size_t i = 0; i < sizeof(ticks) / sizeof(*ticks); i++) {
		char label[16];
		double u = log_place(ticks[i]);
		snprintf(label, sizeof(label), "%.0f", ticks[i]);
		text(out, across(u), up(0) + 14, "middle", label);
		text(out, across(0) - 4, up(u) + 4, "end", label);
		line(out, across(u), up(0), across(u), up(1), "grid");
		line(out, across(0), up(u), across(1), up(u), "grid");
	}
	for (size_t i = 0; i < t->n; i++) {
		const struct outcome *o = &t->o[i];
		if (o->censored || k++ % step)
			continue;
		buf_printf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.5\"/>\n",
			across(log_place(o->actual)), up(log_place(o->predicted)));
	}
	line(out, across(0), up(0), across(1), up(1), "ideal");
	close_plot(out);
}

/* Of the rows whose end the model gave the probability q to have come by, the share q
 * should have ended: the diagonal. */
static void plot_calibration(struct buf *out, const struct report_rows *t)
{
	enum { STEPS = 20 };
	size_t below[STEPS + 1] = {0}, n = 0;
	for (size_t i = 0; i < t->n; i++) {
		if (t->o[i].censored)
			continue;
		n++;
		for (int q = 0; q <= STEPS; q++)
			below[q] += t->share[i] <= (double)q / STEPS;
	}
	open_plot(out, "Calibration of the probabilities", PLOT, PLOT);
	frame(out, "probability given", "share that ended by then");
	for (int q = 0; q <= 4; q++) {
		char label[16];
		snprintf(label, sizeof(label), "%.2f", q / 4.0);
		text(out, across(q / 4.0), up(0) + 14, "middle", label);
		text(out, across(0) - 4, up(q / 4.0) + 4, "end", label);
	}
	line(out, across(0), up(0), across(1), up(1), "ideal");
	buf_puts(out, "<polyline class=\"curve\" points=\"");
	for (int q = 0; n && q <= STEPS; q++)
		buf_printf(out, "%.1f,%.1f ", across((double)q / STEPS),
			up((double)below[q] / (double)n));
	buf_puts(out, "\"/>\n");
	close_plot(out);
}

struct bar {
	char name[CODE_MAX + 1];
	double value;
	size_t n; /* rows behind it; 0: not told */
};

static void plot_bars(struct buf *out, const char *title, const char *unit,
	const struct bar *b, int n)
{
	enum { ROW = 18, NAME = 170, WIDTH = 2 * PLOT };
	double most = 0;
	for (int i = 0; i < n; i++)
		most = fmax(most, b[i].value);
	open_plot(out, title, WIDTH, (n + 1) * ROW);
	for (int i = 0; i < n; i++) {
		double y = ROW * (i + 0.8), w = WIDTH - NAME - 150;
		char label[80];
		text(out, NAME - 6, y, "end", b[i].name);
		w *= most > 0 && b[i].value > 0 ? b[i].value / most : 0;
		buf_printf(out,
			"<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\"/>\n",
			NAME, y - 11, w, ROW - 5);
		if (b[i].n)
			snprintf(label, sizeof(label), "%.3g %s, %zu rows", b[i].value,
				unit, b[i].n);
		else
			snprintf(label, sizeof(label), "%.3g %s", b[i].value, unit);
		text(out, NAME + w + 6, y, "start", label);
	}
	close_plot(out);
}

static void add_error(struct bar *b, const struct outcome *o)
{
	b->value += fabs(o->predicted - o->actual);
	b->n++;
}

static void means(struct bar *b, int n)
{
	for (int i = 0; i < n; i++)
		b[i].value = b[i].n ? b[i].value / (double)b[i].n : 0;
}

static void plot_horizons(struct buf *out, const struct report_rows *t)
{
	struct bar b[] = {{"under 90 days", 0, 0}, {"90 to 365 days", 0, 0},
		{"over a year", 0, 0}};
	for (size_t i = 0; i < t->n; i++) {
		const struct outcome *o = &t->o[i];
		if (!o->censored)
			add_error(&b[o->actual < 90 ? 0 : o->actual < 365 ? 1 : 2], o);
	}
	means(b, 3);
	plot_bars(out, "Mean absolute error by what truly remains", "days", b, 3);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct bar *)a)->name, ((const struct bar *)b)->name);
}

static int plot_sites(struct buf *out, const struct report_rows *t, struct err *err)
{
	struct ids sites = {0};
	struct bar b[BARS_MAX] = {{"", 0, 0}};
	int r = 0;
	for (size_t i = 0; r == 0 && i < t->n; i++) {
		const char *code = ids_name(t->batteries, t->o[i].battery);
		uint32_t s = ids_intern(&sites, code_site(str_of(code)));
		if (s == IDS_NONE)
			r = err_nomem(err);
		else if (s < BARS_MAX && !t->o[i].censored)
			add_error(&b[s], &t->o[i]);
	}
	int n = sites.n < BARS_MAX ? (int)sites.n : BARS_MAX;
	for (int i = 0; i < n; i++)
		str_copy(b[i].name, sizeof(b[i].name),
			str_of(ids_name(&sites, (uint32_t)i)));
	means(b, n);
	qsort(b, (size_t)n, sizeof(*b), by_name);
	plot_bars(out, "Mean absolute error by site", "days", b, n);
	ids_release(&sites);
	return r;
}

static int by_value(const void *a, const void *b)
{
	const struct bar *x = a, *y = b;
	if (x->value != y->value)
		return x->value > y->value ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void plot_importance(
	struct buf *out, const struct model *m, const struct report_rows *t)
{
	struct bar b[FIELDS_MAX];
	for (int i = 0; i < m->nfeatures; i++) {
		b[i] = (struct bar){.value = t->importance[i]};
		str_copy(b[i].name, sizeof(b[i].name), str_of(m->feature[i].name));
	}
	qsort(b, (size_t)m->nfeatures, sizeof(*b), by_value);
	plot_bars(out, "Importance: mean magnitude of the SHAP values", "of log time",
		b, m->nfeatures < 20 ? m->nfeatures : 20);
}

static void row(struct buf *out, const char *name, const struct metrics *x)
{
	buf_printf(out,
		"<tr><th>%s</th><td>%.1f</td><td>%.1f</td><td>%.3f</td><td>%.1f "
		"%%</td><td>%.3f</td>",
		name, x->mae, x->rmse, x->r2, 100 * x->median_relative_error,
		x->concordance);
	if (isfinite(x->picp))
		buf_printf(out, "<td>%.1f &plusmn; %.1f %%</td><td>%.3f</td></tr>\n",
			100 * x->picp, 100 * x->picp_error, x->pinaw);
	else
		buf_puts(out, "<td></td><td></td></tr>\n");
}

static void head(struct buf *out, const struct model *m)
{
	buf_printf(out,
		"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<title>%s</title>\n<style>\n"
		"body { font: 14px sans-serif; margin: 2em; max-width: 60em }\n"
		"figure { display: inline-block; margin: 0 1em 1em 0 }\n"
		"figcaption { font-weight: bold }\n"
		"svg text { font-size: 11px }\n"
		"circle { fill: #1f5fa8; fill-opacity: .35 } rect { fill: #1f5fa8 }\n"
		".axis { stroke: #333 } .grid { stroke: #ddd }\n"
		".ideal { stroke: #b00; stroke-dasharray: 4 3 }\n"
		".curve { fill: none; stroke: #1f5fa8; stroke-width: 2 }\n"
		"table { border-collapse: collapse } td, th { border: 1px solid #bbb; "
		"padding: 3px 8px; text-align: right }\n"
		"</style></head><body>\n<h1>Model %s</h1>\n",
		m->id, m->id);
}

static void tables(struct buf *out, const struct model *m, const struct model_report *r)
{
	char from[TIME_TEXT_SIZE], to[TIME_TEXT_SIZE];
	buf_printf(out,
		"<p>Trained on %s to %s, at most a row a battery each %.3g days; split "
		"by %s, seed %llu; %d features, %d trees of depth %d; %zu training "
		"batteries were seen to their end.</p>\n",
		time_format(r->from_ts, from), time_format(r->to_ts, to),
		(double)r->every_ms / (double)DAY_MS, split_name(r->split),
		(unsigned long long)r->seed, m->nfeatures, r->fit.rounds,
		r->params.depth, r->ends_seen);
	buf_puts(out, "<table><tr><th>part</th><th>groups</th><th>batteries</th>"
		      "<th>rows</th></tr>\n");
	for (int p = 0; p < PART_COUNT; p++)
		buf_printf(out,
			"<tr><th>%s</th><td>%zu</td><td>%zu</td><td>%zu</td></tr>\n",
			split_part_name((enum split_part)p), r->groups[p],
			r->batteries[p], r->rows[p]);
	buf_puts(out, "</table>\n<h2>On the test part</h2>\n"
		      "<p>Batteries that had no part in the training.</p>\n"
		      "<table><tr><th></th><th>MAE, d</th><th>RMSE, d</th><th>R&sup2;"
		      "</th><th>median relative error</th><th>concordance</th>"
		      "<th>held by the interval</th><th>its width, of the range</th>"
		      "</tr>\n");
	row(out, "model", &r->model);
	row(out, "age-only Weibull", &r->baseline);
	buf_puts(out, "</table>\n");
	if (isfinite(r->skill))
		buf_printf(out, "<p>Skill against age alone: %.2f.</p>\n", r->skill);
}

int report_html(const struct model *m, const struct model_report *r,
	const struct report_rows *t, struct buf *out, struct err *err)
{
	head(out, m);
	tables(out, m, r);
	plot_scatter(out, t);
	plot_calibration(out, t);
	plot_horizons(out, t);
	if (plot_sites(out, t, err) < 0)
		return -1;
	plot_importance(out, m, t);
	buf_puts(out, "</body></html>\n");
	return out->failed ? err_nomem(err) : 0;
}
