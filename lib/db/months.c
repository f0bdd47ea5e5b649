#include "db/months.h"

#include <stdio.h>

static int64_t start_of(int month)
{
	return days_from_civil(MONTH_FIRST_YEAR + month / 12, month % 12 + 1, 1) *
	       DAY_MS;
}

int month_of(int64_t ts, int64_t *from, int64_t *to)
{
	if (ts < start_of(0)) {
		*from = INT64_MIN;
		*to = start_of(0);
		return -1;
	}
	if (ts >= start_of(MONTHS)) {
		*from = start_of(MONTHS);
		*to = INT64_MAX;
		return -1;
	}
	struct civil c;
	time_to_civil(ts, &c);
	int month = (c.year - MONTH_FIRST_YEAR) * 12 + c.month - 1;
	*from = start_of(month);
	*to = start_of(month + 1);
	return month;
}

void month_partition(const char *table, int month, char *dst, size_t size)
{
	snprintf(dst, size, "%s_p%04d_%02d", table, MONTH_FIRST_YEAR + month / 12,
		month % 12 + 1);
}
