/*
 * Time zones: "UTC", a fixed offset ("+07:00"), or an IANA name, read from the system's
 * TZif files (RFC 8536) into a small struct; the process's own zone plays no part.
 * After the last transition of the file the rule in its footer applies where it is a
 * plain offset, else the last offset stays (Debian's files reach to 2037).
 */
#ifndef INGEST_ZONE_H
#define INGEST_ZONE_H

#include "base/err.h"
#include "base/timefmt.h"

enum { ZONE_TRANSITIONS_MAX = 2000, ZONE_NAME_SIZE = 64 };

struct zone {
	char name[ZONE_NAME_SIZE];
	int n;           /* transitions */
	int64_t *at;     /* ms UTC, rising */
	int64_t *offset; /* ms east of UTC, from at[i] on */
	int64_t first;   /* before at[0]; always, where n is 0 */
	/* The last answer: local times in [lo, hi) have this offset. */
	int64_t lo, hi, cached;
};

/* Loads a zone. Returns 0, or -1 with ERR_USAGE (no such zone, malformed file). */
int zone_load(struct zone *z, const char *name, struct err *err);
/* Reads TZif bytes (file format: RFC 8536). Returns 0, or -1. */
int zone_parse(struct zone *z, const uint8_t *p, size_t n, struct err *err);
/*
 * Local time (ms since 1970-01-01T00:00 local) to UTC. A time that happens twice is
 * taken as the first, a time that is skipped as if the clock had not been put forward
 * (PEP 495, fold 0).
 */
int64_t zone_to_utc(struct zone *z, int64_t local_ms);
void zone_release(struct zone *z);

#endif
