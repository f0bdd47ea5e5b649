/*
 * Time columns: ISO 8601, epoch seconds or milliseconds, a pattern, or a row or cycle
 * number times an interval from a stated start. Caches the last text, day and zone
 * answer, since consecutive rows nearly always share them.
 */
#ifndef INGEST_CLOCK_H
#define INGEST_CLOCK_H

#include "ingest/zone.h"

enum clock_format {
	CLOCK_ISO,
	CLOCK_EPOCH_S,
	CLOCK_EPOCH_MS,
	CLOCK_PATTERN, /* %Y %y %m %d %H %I %M %S %f %p %b %e, %% and literals */
	CLOCK_ROW,     /* row * INTERVAL: the row's number from 0 */
	CLOCK_COUNT    /* value * INTERVAL: the number in the column */
};

enum { CLOCK_PATTERN_SIZE = 64 };

struct clock_spec {
	enum clock_format format;
	char pattern[CLOCK_PATTERN_SIZE];
	int64_t start, interval_ms; /* ROW, COUNT */
	char zone[ZONE_NAME_SIZE];
};

struct clock {
	struct clock_spec spec;
	struct zone zone;
	char last[32], day[10];
	uint32_t last_len;
	int64_t last_ts, day_ms;
};

/*
 * Reads a format as mappings write it: "iso", "epoch", "epoch_s", "epoch_ms",
 * "row*60s", "value*1d", or a pattern with '%'. Returns 0, or -1 with ERR_USAGE.
 */
int clock_spec_parse(struct clock_spec *c, const char *format, struct err *err);
/* Returns 0, or -1 with ERR_USAGE (unknown zone). */
int clock_open(struct clock *c, const struct clock_spec *spec, struct err *err);
/* Reads a time. Returns 0, or -1 when s is not a time in this format. */
int clock_read(struct clock *c, struct str s, int64_t row, int64_t *out);
/* Reads s by a pattern into local ms. Returns 0 or -1. */
int clock_pattern(const char *pattern, struct str s, int64_t *local_ms);
void clock_close(struct clock *c);

#endif
