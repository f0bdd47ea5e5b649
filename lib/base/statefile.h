/*
 * State that outlives a run: a file in a directory, replaced whole or not at all. It is
 * written under a temporary name, synced, renamed, and the directory synced, so that a
 * crash at any moment leaves the old state or the new one. A checksum ends it.
 */
#ifndef BASE_STATEFILE_H
#define BASE_STATEFILE_H

#include "base/buf.h"
#include "base/err.h"

/* Writes the contents of b as DIR/NAME; makes DIR if it is missing. Returns 0, or -1
 * with ERR_IO. */
int statefile_write(
	const char *dir, const char *name, const struct buf *b, struct err *err);

/* Appends the contents of DIR/NAME to b. Returns 1, 0 when there is no such file, or -1
 * with ERR_IO: it cannot be read, or is damaged. */
int statefile_read(const char *dir, const char *name, struct buf *b, struct err *err);

/* Makes the names in a folder last through a crash: what was made, renamed or removed
 * there. Returns 0, or -1 with ERR_IO. */
int sync_folder(const char *dir, struct err *err);

#endif
