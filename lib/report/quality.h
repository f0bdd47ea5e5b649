/*
 * Is a dataset directory believable? Reads every file of the classic layout as
 * untrusted text and holds it against the layout (export/layout.h) and against what a
 * string of lead-acid blocks on float can do. Each check says what it looked at, what
 * it found, and where the first of it is.
 *
 * Memory is a little per battery, string and transaction; samples are streamed.
 */
#ifndef REPORT_QUALITY_H
#define REPORT_QUALITY_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum verdict {
	VERDICT_PASS,
	VERDICT_OPEN, /* nothing in the data to judge it by */
	VERDICT_WARN,
	VERDICT_FAIL
};

enum check_id {
	CHECK_FILES,
	CHECK_COLUMNS,
	CHECK_ROWS,
	CHECK_CELLS,
	CHECK_RANGES,
	CHECK_REFERENCES,
	CHECK_FLEET,
	CHECK_DATES,
	CHECK_ORDER,
	CHECK_GAPS,
	CHECK_SIGN,
	CHECK_FLOAT_VOLTAGE,
	CHECK_FLOAT_CURRENT,
	CHECK_FLOAT_SPREAD,
	CHECK_STRING_SUM,
	CHECK_VOLTAGE_SOC,
	CHECK_CHARGE,
	CHECK_SOH,
	CHECK_RESISTANCE,
	CHECK_TEMPERATURE,
	CHECK_TESTS,
	CHECK_REPLACEMENTS,
	CHECK_PREDICTIONS,
	CHECKS
};

enum { OFFENDERS_MAX = 5 };

struct check {
	enum verdict verdict;
	int64_t checked, found;
	char summary[400]; /* what was found, in numbers */
	struct offender {
		char file[96];
		int64_t line; /* 0: the file as a whole */
		char what[200];
	} first[OFFENDERS_MAX];
	int noffenders; /* kept of those found */
};

struct quality {
	char dir[4096];
	struct check checks[CHECKS];
	int64_t rows; /* of all files */
};

/* The name of a check in JSON and text, and what it asks. */
const char *check_name(enum check_id id);
const char *check_title(enum check_id id);
const char *verdict_name(enum verdict v);

/*
 * Checks the dataset in 'dir'. Returns 0 whatever is wrong with it; -1 with ERR_IO (no
 * such directory, out of memory) or ERR_USAGE (nothing of the layout is in it).
 */
int quality_check(struct quality *q, const char *dir, struct err *err);
/* The worst of the checks; VERDICT_PASS where some could not be judged. */
enum verdict quality_verdict(const struct quality *q);
/* The report, for people, for browsers and for programs; all end in a newline. */
void quality_text(const struct quality *q, struct buf *out);
void quality_html(const struct quality *q, struct buf *out);
void quality_json(const struct quality *q, struct buf *out);

#endif
