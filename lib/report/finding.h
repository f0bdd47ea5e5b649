/* What checks find: counts, and the first offenders. */
#ifndef REPORT_FINDING_H
#define REPORT_FINDING_H

#include "report/quality.h"

/* Counts a finding; keeps where (line 0: the file as a whole) and what of the first. */
void finding(struct quality *q, enum check_id id, const char *file, int64_t line,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* Raises the verdict of a check to v; it is never lowered. */
void finding_raise(struct quality *q, enum check_id id, enum verdict v);
/* Says in numbers what a check came to. */
void finding_sum(struct quality *q, enum check_id id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* By the share of what was checked: up to 'normal' passes, up to 'tolerable' warns,
 * more fails. */
void finding_by_share(
	struct quality *q, enum check_id id, double normal, double tolerable);

#endif
