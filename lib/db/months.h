/*
 * Partitions by month. The months of 2000 to 2099 have one each, made when a row needs
 * it; what lies before and after has one together, so that a broken clock cannot make
 * partitions without end.
 */
#ifndef DB_MONTHS_H
#define DB_MONTHS_H

#include "base/timefmt.h"

enum { MONTH_FIRST_YEAR = 2000, MONTH_LAST_YEAR = 2099, MONTHS = 1200 };

/*
 * The month of ts: 0 for January 2000, or -1 outside. [*from, *to) is its time, or that
 * of all before or after.
 */
int month_of(int64_t ts, int64_t *from, int64_t *to);
/* Writes the partition's name, "telemetry_p2026_08". */
void month_partition(const char *table, int month, char *dst, size_t size);

#endif
