/*
 * Features: what a window's panes say, in the fields of the feature record.
 */
#ifndef WINDOW_FEATURE_H
#define WINDOW_FEATURE_H

#include "site/roster.h"
#include "window/timeline.h"
#include "window/shared.h"

/* Where the numbers of one window come from. string and room may be NULL. */
struct feature_input {
	const struct timeline *timeline;
	const struct timeline_config *config; /* of the timeline */
	const struct roster_battery *battery;
	const struct means *string_voltage, *ripple, *thd, *float_current, *room;
	const struct tests *own_tests, *string_tests;
	int32_t end_hour; /* hours since the epoch */
	int window_h;
};

/*
 * Fills *f but for its battery and unit. Returns false when the window holds no sample
 * (*f is then undefined).
 */
bool feature_fill(const struct feature_input *in, struct rec_feature *f);
/*
 * After an hour of nothing but discharge, at the end of which a tenth of the rated
 * capacity or more is missing: the difference of the battery's mean voltage to that of
 * its string's jars. NaN after any other. A weak jar shows it first.
 */
float feature_sag(const struct feature_input *in);

#endif
