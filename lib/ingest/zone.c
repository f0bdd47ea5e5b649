#include "ingest/zone.h"

#include <stdio.h>
#include <stdlib.h>

enum { TZIF_MAX = 1 << 17, HEADER = 44 };

static int64_t be(const uint8_t *p, int n)
{
	uint64_t v = n == 4 && (p[0] & 0x80) ? UINT64_MAX : 0;
	for (int i = 0; i < n; i++)
		v = v << 8 | p[i];
	return (int64_t)v;
}

/* Counts of a TZif header, in the order of the file. */
enum { ISUT, ISSTD, LEAP, TIMES, TYPES, CHARS, COUNTS };

static int header(const uint8_t *p, size_t n, int64_t c[COUNTS])
{
	if (n < HEADER || memcmp(p, "TZif", 4) != 0)
		return -1;
	for (int i = 0; i < COUNTS; i++)
		c[i] = be(p + 20 + 4 * i, 4);
	for (int i = 0; i < COUNTS; i++)
		if (c[i] < 0 || c[i] > ZONE_TRANSITIONS_MAX)
			return -1;
	return c[TYPES] > 0 ? 0 : -1;
}

static size_t body_size(const int64_t c[COUNTS], int width)
{
	return (size_t)(c[TIMES] * (width + 1) + c[TYPES] * 6 + c[CHARS] +
			c[LEAP] * (width + 4) + c[ISSTD] + c[ISUT]);
}

static int body(struct zone *z, const uint8_t *p, const int64_t c[COUNTS], int width)
{
	const uint8_t *index = p + c[TIMES] * width;
	const uint8_t *types = index + c[TIMES];
	size_t n = (size_t)c[TIMES] + 1;
	z->at = calloc(n, sizeof(*z->at));
	z->offset = calloc(n, sizeof(*z->offset));
	if (!z->at || !z->offset)
		return -1;
	z->first = be(types, 4) * SECOND_MS;
	for (int i = 0; i < c[TIMES]; i++) {
		int64_t at = be(p + i * width, width);
		if (index[i] >= c[TYPES])
			return -1;
		if (at < TIME_MIN / SECOND_MS)
			at = TIME_MIN / SECOND_MS;
		if (at > TIME_MAX / SECOND_MS || (i > 0 && at * 1000 < z->at[i - 1]))
			return -1;
		z->at[i] = at * SECOND_MS;
		z->offset[i] = be(types + index[i] * 6, 4) * SECOND_MS;
	}
	z->n = (int)c[TIMES];
	return 0;
}

int zone_parse(struct zone *z, const uint8_t *p, size_t n, struct err *err)
{
	int64_t c[COUNTS];
	int width = 4;
	size_t skip = 0;
	z->lo = z->hi = 0;
	if (header(p, n, c) < 0)
		goto bad;
	if (p[4] >= '2') { /* version 2 on: a second block with 64-bit times */
		skip = HEADER + body_size(c, 4);
		width = 8;
		if (skip > n || header(p + skip, n - skip, c) < 0)
			goto bad;
	}
	if (n - skip - HEADER < body_size(c, width) ||
		body(z, p + skip + HEADER, c, width) < 0)
		goto bad;
	return 0;
bad:
	zone_release(z);
	return err_set(err, ERR_USAGE, "not a time zone file");
}

static int fixed(struct zone *z, const char *s)
{
	int64_t utc;
	char text[40];
	if (strcmp(s, "UTC") == 0 || strcmp(s, "Z") == 0)
		return 0;
	if (*s != '+' && *s != '-')
		return -1;
	snprintf(text, sizeof(text), "1970-01-02T00:00%.16s", s);
	if (time_parse_iso(str_of(text), 0, &utc) < 0)
		return -1;
	z->first = DAY_MS - utc;
	return 0;
}

static int load_file(struct zone *z, const char *path, struct err *err)
{
	FILE *f = fopen(path, "rbe");
	if (!f)
		return -1;
	uint8_t *data = malloc(TZIF_MAX);
	size_t n = data ? fread(data, 1, TZIF_MAX, f) : 0;
	fclose(f);
	int r = zone_parse(z, data, n, err);
	free(data);
	return r;
}

int zone_load(struct zone *z, const char *name, struct err *err)
{
	char path[128];
	*z = (struct zone){0};
	snprintf(z->name, sizeof(z->name), "%s", name);
	if (fixed(z, name) == 0)
		return 0;
	bool plain = *name && *name != '/' && !strstr(name, "..");
	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%.90s", name);
	if (plain && strlen(name) < sizeof(z->name) && load_file(z, path, err) == 0)
		return 0;
	return err_set(err, ERR_USAGE,
		"unknown time zone '%s': use UTC, an offset like +07:00, or a name "
		"like "
		"Asia/Bangkok (package tzdata)",
		name);
}

int64_t zone_to_utc(struct zone *z, int64_t local)
{
	if (z->n == 0)
		return local - z->first;
	if (local >= z->lo && local < z->hi)
		return local - z->cached;
	/* Segment i lies between transitions i - 1 and i. The first one in which this
	 * local time is before its end is the one; in a gap, the one before. */
	int a = 0, b = z->n;
	while (a < b) {
		int i = (a + b) / 2;
		int64_t before = i ? z->offset[i - 1] : z->first;
		int64_t later = before > z->offset[i] ? before : z->offset[i];
		if (local - later < z->at[i])
			b = i;
		else
			a = i + 1;
	}
	int64_t off = a ? z->offset[a - 1] : z->first;
	z->cached = off;
	z->lo = a ? z->at[a - 1] + DAY_MS * 2 : TIME_MIN;
	z->hi = a < z->n ? z->at[a] - DAY_MS * 2 : TIME_MAX;
	return local - off;
}

void zone_release(struct zone *z)
{
	free(z->at);
	free(z->offset);
	z->at = z->offset = NULL;
	z->n = 0;
}
