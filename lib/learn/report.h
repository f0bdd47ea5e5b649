/*
 * report.html of a model directory: what the model is and how well it does on batteries
 * it has not seen, in tables and plots (inline SVG: one file, nothing to fetch) that a
 * reader can judge it by.
 */
#ifndef LEARN_REPORT_H
#define LEARN_REPORT_H

#include "base/ids.h"
#include "learn/model.h"

/* The test part, row by row, and what the trees made of its features. */
struct report_rows {
	const struct outcome *o;
	const double *share; /* of the probability that lies before the true end */
	size_t n;
	const struct ids *batteries;
	double importance[FIELDS_MAX]; /* mean |SHAP| on log time, by feature of m */
};

/* Appends the page. Equal input gives equal bytes. Returns 0, or -1 out of memory. */
int report_html(const struct model *m, const struct model_report *r,
	const struct report_rows *t, struct buf *out, struct err *err);

#endif
