/*
 * Faults of sensors: gaps, stuck values and offsets. They come at rates a year, last a
 * log-normal time, and are a pure function of the sensor and of time, so that sampling,
 * chunks and neighbours do not change them. They touch what is measured and nothing
 * else.
 */
#ifndef SITE_FAULT_H
#define SITE_FAULT_H

#include <stdint.h>

enum fault_sort { FAULT_NONE, FAULT_GAP, FAULT_STUCK, FAULT_OFFSET };

/* Of one class of sensors. Rates a year; lengths are medians, sigma of the logarithm.
 */
struct fault_rates {
	double gap_per_year, stuck_per_year, offset_per_year;
	double gap_median_h, stuck_median_h, offset_median_h, sigma;
};

struct fault {
	enum fault_sort sort;
	int channel;         /* which of the sensor's readings; a gap is of all */
	double size;         /* OFFSET: in standard offsets of that reading */
	int64_t from, until; /* when */
};

/* A fault lasts no longer than this. */
#define FAULT_LONGEST_MS (INT64_C(16) * 86400000)

/* The fault of the sensor at ts; sort FAULT_NONE when it is well. channels > 0. */
struct fault fault_at(
	const struct fault_rates *r, uint64_t key, int channels, int64_t ts);

#endif
