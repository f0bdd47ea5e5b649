/* The data-quality report as a page. */
#include "report/monthly_parts.h"
#include "report/quality.h"
#include "report/style.h"

static void put_findings(struct buf *out, const struct check *c)
{
	if (c->noffenders == 0)
		return;
	buf_puts(out, "<ul>");
	for (int i = 0; i < c->noffenders; i++) {
		const struct offender *o = &c->first[i];
		buf_puts(out, "<li>");
		html_text(out, o->file);
		if (o->line > 0)
			buf_printf(out, ":%lld", (long long)o->line);
		buf_puts(out, ": ");
		html_text(out, o->what);
		buf_puts(out, "</li>");
	}
	if (c->found > c->noffenders)
		buf_printf(out, "<li>and %lld more</li>",
			(long long)(c->found - c->noffenders));
	buf_puts(out, "</ul>");
}

static void put_check(struct buf *out, const struct check *c, enum check_id id)
{
	const char *verdict = verdict_name(c->verdict);
	buf_printf(out, "<tr><td class=\"v %s\">%s</td><td class=\"l\"><b>", verdict,
		verdict);
	html_text(out, check_name(id));
	buf_puts(out, "</b><br>");
	html_text(out, check_title(id));
	if (*c->summary) {
		buf_puts(out, "<br>");
		html_text(out, c->summary);
	}
	put_findings(out, c);
	buf_printf(out, "</td><td>%lld</td><td>%lld</td></tr>\n", (long long)c->checked,
		(long long)c->found);
}

void quality_html(const struct quality *q, struct buf *out)
{
	const char *verdict = verdict_name(quality_verdict(q));
	const char *slash = strrchr(q->dir, '/');
	buf_printf(out,
		"<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
		"<meta name=\"viewport\" content=\"width=device-width\"><title>Data "
		"quality</title><style>%s</style></head><body>\n<h1>Data quality: "
		"<span class=\"%s\">%s</span></h1>\n<p class=\"sub\">Dataset ",
		REPORT_STYLE, verdict, verdict);
	html_text(out, slash && slash[1] ? slash + 1 : q->dir);
	buf_printf(out,
		", %lld rows. The worst check is the verdict of the whole.</p>\n"
		"<table class=\"quality\"><thead><tr><th>verdict</th><th "
		"class=\"l\">check</th>"
		"<th>checked</th><th>found</th></tr></thead>"
		"<tbody>\n",
		(long long)q->rows);
	for (enum check_id id = 0; id < CHECKS; id++)
		put_check(out, &q->checks[id], id);
	buf_puts(out, "</tbody></table></body></html>\n");
}
