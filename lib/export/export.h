/*
 * A dataset directory in the classic layout, written from records: what 'simulate
 * --dataset' and 'decode --dataset' make, and 'ingest DIR' reads back. Samples,
 * features and predictions are written as they come; master data, events and alerts,
 * whose rows stand for their whole life, are kept until the end.
 *
 * Everything goes to a folder of another name beside DIR, "DIR.partial.XXXXXX", which
 * is synced and renamed at the end: DIR is a whole dataset or not there. Memory is a
 * little per battery, event and alert. Not thread-safe.
 */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct export;

/*
 * Whether a dataset can be 'dir', which must not exist or be an empty folder; makes
 * nothing. Returns 0, or -1 with ERR_USAGE (it is there) or ERR_IO.
 */
int export_check(const char *dir, struct err *err);
/*
 * Begins a dataset that will be 'dir', checked as above. Only when signals no longer
 * just end the program: one would leave the unfinished folder behind. Returns NULL with
 * ERR_USAGE or ERR_IO.
 */
struct export *export_open(const char *dir, struct err *err);
/*
 * Adds a record of that kind. States of charge and health come from twin_state records,
 * and where there are none, from truth; a truth or twin_state record before a sample of
 * the same moment gives the sample's own columns. Returns 1; 0 when the layout has no
 * place for it; -1 with ERR_IO or ERR_DATA.
 */
int export_add(struct export *d, int kind, const void *rec, struct err *err);
/*
 * Adds n records of one kind, encoded in our own layout, end to end in the len bytes at
 * p. Returns 0, or -1 as export_add.
 */
int export_run(struct export *d, int kind, int64_t n, const uint8_t *p, size_t len,
	struct err *err);
/* Writes what was kept and closes all files. 0, or -1. */
int export_finish(struct export *d, struct err *err);
/* The folder the finished files are in until export_publish. */
const char *export_folder(const struct export *d);
/* Syncs the folder and gives it its name. 0, or -1 with ERR_IO. */
int export_publish(struct export *d, struct err *err);
/* Removes what was not published. Accepts NULL. */
void export_free(struct export *d);

#endif
