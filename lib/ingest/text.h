/*
 * Bytes in: a file, a gzip file, a pipe or memory, decompressed where the first two
 * bytes say so (RFC 1952; concatenated members are one file). Memory is two fixed
 * buffers whatever the input is. Not thread-safe.
 */
#ifndef INGEST_TEXT_H
#define INGEST_TEXT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <zlib.h>

struct text {
	const char *name; /* for messages; "<stdin>" for "-" */
	int fd;           /* -1: memory */
	bool live;        /* not a regular file: reading may block */
	bool sniffed, gzip, member_open;
	bool end; /* end of the file (a followed file may yet grow) */
	uint8_t *in;
	size_t in_pos, in_len;
	z_stream z;
	/* Called before a read that would block, so that output can be flushed. Where
	 * it is set, such a read waits 0.2 s at most. */
	void (*idle)(void *arg);
	void *idle_arg;
};

/* Opens path ("-" is stdin). Returns 0, or -1 with ERR_IO naming it. */
int text_open(struct text *t, const char *path, struct err *err);
/* Reads from n bytes at p, which must outlive t. Returns 0, or -1 out of memory. */
int text_memory(
	struct text *t, const char *name, const void *p, size_t n, struct err *err);
/*
 * Reads up to n bytes. Returns how many; 0 at the end ('end' is set) or when there is
 * nothing for now or a signal came ('end' is not set); -1 with ERR_IO (read error) or
 * ERR_DATA (damaged or truncated gzip file; what came before has been handed out).
 */
ssize_t text_read(struct text *t, void *dst, size_t n, struct err *err);
void text_close(struct text *t);

#endif
