/* The monthly report's drawings: inline SVG, coloured by the page's style. */
#include "report/box.h"
#include "report/monthly_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { WIDTH = 720, LEFT = 110, RIGHT = 20, ROW = 30, HEIGHT = 190, FOOT = 26 };

void html_text(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (strchr("<>&\"'", *p))
			buf_printf(out, "&#%d;", *p);
		else
			buf_putc(out, *p);
	}
}

void html_date(struct buf *out, int64_t ts)
{
	static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c;
	if (ts == TIME_NIL) {
		buf_puts(out, "–");
		return;
	}
	time_to_civil(ts, &c);
	buf_printf(out, "%d %s %d", c.day, MONTHS[c.month - 1], c.year);
}

static void open_svg(struct buf *out, const char *label, int height)
{
	buf_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n",
		WIDTH, height, label);
}

static void text_at(
	struct buf *out, double x, double y, const char *class, const char *text)
{
	buf_printf(out, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
	html_text(out, text);
	buf_puts(out, "</text>\n");
}

static void line_at(
	struct buf *out, double x1, double y1, double x2, double y2, const char *class)
{
	buf_printf(out,
		"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" "
		"class=\"%s\"/>\n",
		x1, y1, x2, y2, class);
}

static void bar_at(
	struct buf *out, double x, double y, double w, double h, const char *class)
{
	buf_printf(out,
		"<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
		"class=\"%s\"/>\n",
		x, y, w, fmax(h, 0), class);
}

/* 1, 2 or 5 times a power of ten: at most 'most' steps to v. */
static double tick_of(double v, int most)
{
	double step = pow(10, floor(log10(fmax(v, 1e-9) / most)));
	const double factors[] = {1, 2, 5, 10};
	for (int i = 0; i < 4; i++)
		if (v / (step * factors[i]) <= most)
			return step * factors[i];
	return step * 10;
}

struct scale {
	double from, to;
};

static double across(const struct scale *s, double v)
{
	return LEFT + (v - s->from) / (s->to - s->from) * (WIDTH - LEFT - RIGHT);
}

static int rising(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;
	return (a > b) - (a < b);
}

/* The values of a site's batteries into v, rising; how many. */
static size_t values_of(const struct figures *f, const char *site, bool life, double *v)
{
	size_t n = 0;
	for (size_t i = 0; i < f->blocks; i++) {
		const struct block *b = &f->block[i];
		double x = life ? b->rul / 365.25 : b->soh;
		if (!isnan(x) && strcmp(b->site, site) == 0)
			v[n++] = x;
	}
	qsort(v, n, sizeof(*v), rising);
	return n;
}

static void draw_box(
	struct buf *out, const struct scale *s, double y, const double *v, size_t n)
{
	struct box b = box_of(v, n);
	line_at(out, across(s, b.low), y, across(s, b.high), y, "whisker");
	bar_at(out, across(s, b.q1), y - 8, across(s, b.q3) - across(s, b.q1), 16,
		"box");
	line_at(out, across(s, b.median), y - 8, across(s, b.median), y + 8, "median");
	for (size_t i = 0; i < n; i++)
		if (box_outlier(&b, v[i]))
			buf_printf(out,
				"<circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.2\" "
				"class=\"outlier\"/>\n",
				across(s, v[i]), y);
}

static struct scale scale_of(const struct figures *f, bool life)
{
	double least = INFINITY, most = -INFINITY;
	for (size_t i = 0; i < f->blocks; i++) {
		double x = life ? f->block[i].rul / 365.25 : f->block[i].soh;
		least = fmin(least, x);
		most = fmax(most, x);
	}
	if (!isfinite(least))
		return (struct scale){0, 1};
	double step = tick_of(fmax(most - (life ? 0 : least), 1), 8);
	return (struct scale){life ? 0 : floor(least / step) * step,
		fmax(ceil(most / step), floor(least / step) + 1) * step};
}

void plot_sites(struct buf *out, const struct figures *f, bool life)
{
	struct scale s = scale_of(f, life);
	int height = (int)f->sites * ROW + FOOT + 6;
	double *v = malloc((f->blocks + 1) * sizeof(*v));
	double step = tick_of(s.to - s.from, 8);
	if (!v) {
		out->failed = true;
		return;
	}
	open_svg(out,
		life ? "Remaining life by site, years" : "State of health by site, %",
		height);
	for (double x = s.from; x <= s.to + step / 2; x += step) {
		char label[32];
		snprintf(label, sizeof(label), "%g%s", x, life ? "" : " %");
		line_at(out, across(&s, x), 4, across(&s, x), height - FOOT, "grid");
		text_at(out, across(&s, x), height - 8, "middle", label);
	}
	if (!life && s.from < 80 && s.to > 80)
		line_at(out, across(&s, 80), 4, across(&s, 80), height - FOOT, "limit");
	for (size_t i = 0; i < f->sites; i++) {
		double y = 4 + ((double)i + 0.5) * ROW;
		size_t n = values_of(f, f->site[i].code, life, v);
		text_at(out, LEFT - 10, y + 4, "end",
			*f->site[i].code ? f->site[i].code : "no site");
		if (n)
			draw_box(out, &s, y, v, n);
	}
	buf_puts(out, "</svg>\n");
	free(v);
}

/* Counts upward from a foot line, with a grid. */
static double height_of(double v, double most)
{
	return v / most * (HEIGHT - FOOT - 14);
}

static void draw_grid(struct buf *out, double most)
{
	double step = fmax(tick_of(most, 5), 1);
	for (double v = 0; v <= most; v += step) {
		char label[32];
		double y = HEIGHT - FOOT - height_of(v, most);
		snprintf(label, sizeof(label), "%g", v);
		line_at(out, 40, y, WIDTH - RIGHT, y, "grid");
		text_at(out, 34, y + 4, "end", label);
	}
}

void plot_quarters(struct buf *out, const struct figures *f, const int64_t *due,
	const int64_t *lower, int64_t first)
{
	double most = 1, w = (double)(WIDTH - RIGHT - 40) / QUARTERS;
	for (int q = 0; q < QUARTERS; q++)
		most = fmax(most, (double)(due[q] > lower[q] ? due[q] : lower[q]));
	open_svg(out, "Replacements due by quarter", HEIGHT);
	draw_grid(out, most);
	for (int q = 0; q < QUARTERS; q++) {
		struct civil c;
		char label[32];
		double x = 40 + q * w, h = height_of((double)due[q], most),
		       hl = height_of((double)lower[q], most);
		time_to_civil(time_month(first, 3 * q), &c);
		snprintf(label, sizeof(label), "Q%d %d", (c.month - 1) / 3 + 1, c.year);
		bar_at(out, x + w * 0.14, HEIGHT - FOOT - hl, w * 0.36, hl, "early");
		bar_at(out, x + w * 0.5, HEIGHT - FOOT - h, w * 0.36, h, "due");
		text_at(out, x + w / 2, HEIGHT - 8, "middle", label);
	}
	buf_puts(out, "</svg>\n");
}

void plot_alarms(struct buf *out, const struct figures *f)
{
	static const char *const CLASSES[SEVERITIES] = {"info", "warning", "critical"};
	int days = (int)((f->end - f->m->month) / DAY_MS);
	double most = 1, w = (double)(WIDTH - RIGHT - 40) / days;
	for (int d = 0; d < days; d++)
		most = fmax(most,
			(double)(f->alerts[d][0] + f->alerts[d][1] + f->alerts[d][2]));
	open_svg(out, "Alerts begun by day", HEIGHT);
	draw_grid(out, most);
	for (int d = 0; d < days; d++) {
		char label[16];
		double y = HEIGHT - FOOT;
		for (int k = SEVERITIES - 1; k >= 0; k--) {
			double h = height_of((double)f->alerts[d][k], most);
			y -= h;
			if (h > 0)
				bar_at(out, 40 + d * w + 1, y, w - 2, h, CLASSES[k]);
		}
		snprintf(label, sizeof(label), "%d", d + 1);
		if (d % 2 == 0)
			text_at(out, 40 + (d + 0.5) * w, HEIGHT - 8, "middle", label);
	}
	buf_puts(out, "</svg>\n");
}
