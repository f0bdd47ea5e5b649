/* What twin does with a whole record instead of passing it on. */
#ifndef TWIN_MODES_H
#define TWIN_MODES_H

#include "base/buf.h"
#include "stream/flow.h"

/* --fit FILE: identifies a model, prints how well, writes it. Exit status. */
int twin_fit(const struct flow_options *fo, const char *model, const char *file);
/* --fit-fade FILE: the same of how batteries fade, from capacity tests of some. */
int twin_fit_fade(const struct flow_options *fo, const char *model, const char *file);
/* --evaluate: measures the twin on the discharges of the record, its SOC started wrong
 * by start_error (0..1); with 'points' prints the samples. Exit status. */
int twin_evaluate(const struct flow_options *fo, const char *model, double start_error,
	bool points);
/* Writes b, a model, to the file. 0, or -1 with err; so too when b has failed. */
int modes_write(const struct buf *b, const char *file, struct err *err);
/* Writes out what was printed: status, or 3 with a message when that failed. */
int modes_flush_report(int status);

#endif
