/*
 * Brings what people and devices tell the bridge into the live pipeline, over a PUSH
 * endpoint that its first program reads: decisions about alerts and incidents,
 * maintenance windows, replacements, samples. A decision is in the database before; so
 * one that finds no pipeline, or one that does not keep up, is not lost: when a reader
 * comes (again) or has room, those still in force are told anew.
 *
 * courier_send may be called from any thread; it never waits for the reader.
 */
#ifndef WEB_COURIER_H
#define WEB_COURIER_H

#include "base/err.h"
#include "record/kinds.h"

#include <stdbool.h>

struct courier;

struct courier_options {
	const char *endpoint; /* "push:ipc:///run/floatline/in" */
	const char *db_url;
	/* What the operator should read; may be called from any thread. */
	void (*log)(const char *text);
};

/* NULL with err: ERR_USAGE no push endpoint; ERR_IO. Starts a thread. */
struct courier *courier_start(const struct courier_options *o, struct err *err);
/* Accepts NULL. */
void courier_stop(struct courier *c);

/*
 * Hands n records of one kind (structs rec_KIND, 'size' bytes each) to the pipeline,
 * all or none. Returns 0; -1 with ERR_IO: nobody reads, or not fast enough; ERR_DATA:
 * one that cannot be a record, 'bad' (may be NULL) says which. c may be NULL: ERR_IO.
 */
int courier_send(struct courier *c, int kind, const void *records, size_t n,
	size_t size, size_t *bad, struct err *err);

#endif
