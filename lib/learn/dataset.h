/*
 * The training matrix: feature rows joined with what became of the battery.
 *
 * Per (battery, unit) a feature row is labelled by the truth record nearest in time,
 * not more than a day away, before or after; the remaining life is moved by the
 * distance, so the label belongs to the row's own time. Rows that find no truth are
 * dropped at the end and counted. So are windows less than half covered, and of the
 * rows past the end of life all but the first, which the others only repeat.
 *
 * The twin's word is taken into the rows that follow it, but not for one battery in ten
 * (by a hash of its code), and of one more in ten only the estimate: so the trees know
 * what to do without a twin, and where its states do not come along.
 *
 * Memory is bounded: at most one row per battery and 'every', and when max_rows are
 * reached 'every' doubles and each battery keeps the first row of each new, longer
 * period. So what is kept depends on the stream alone. Not thread-safe.
 */
#ifndef LEARN_DATASET_H
#define LEARN_DATASET_H

#include "base/err.h"
#include "base/ids.h"
#include "learn/features.h"

struct dataset_row {
	int64_t ts;
	double rul_days;  /* at ts; for a censored row: at least so long */
	int64_t gap_ms;   /* to the truth record it comes from; -1 no label yet */
	uint32_t battery; /* id in 'batteries' */
	int32_t unit;
	float age_days; /* NaN unknown */
	bool censored;
};

struct dataset_battery; /* the join's state */

struct dataset {
	struct feature_set features;
	float *x; /* n rows of features.n */
	struct dataset_row *rows;
	size_t n, cap, max_rows;
	int64_t every_ms;
	struct ids batteries;
	struct dataset_battery *state;
	size_t cap_state;
	/* counted */
	uint64_t features_seen, truths_seen, thinned, unlabelled, no_room, uncovered,
		past_end;
};

/* max_rows >= 1, every_ms >= 1. */
void dataset_init(struct dataset *d, size_t max_rows, int64_t every_ms);
/* Each returns 0, or -1 when out of memory. */
int dataset_feature(struct dataset *d, const struct rec_feature *r, struct err *err);
int dataset_truth(struct dataset *d, const struct rec_truth *r, struct err *err);
/* r->source is twin: a word for the rows of the next TWIN_WORD_MS. */
int dataset_twin(struct dataset *d, const struct rec_rul *r, struct err *err);
int dataset_state(struct dataset *d, const struct rec_twin_state *r, struct err *err);
/* After the last record: drops rows without a label and batteries without rows (ids are
 * given anew). Returns 0, or -1. */
int dataset_finish(struct dataset *d, struct err *err);
static inline float *dataset_x(const struct dataset *d, size_t row)
{
	return d->x + row * (size_t)d->features.n;
}
void dataset_release(struct dataset *d);

#endif
