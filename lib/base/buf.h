/*
 * A growable byte buffer. Errors are sticky: when memory runs out, 'failed' is set,
 * further appends do nothing, and the owner checks once at the end.
 * Zero-initialised is empty and valid; buf_release frees the contents.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/str.h"

struct buf {
	uint8_t *data;
	size_t len, cap;
	bool failed;
};

/* Makes room for n more bytes. Returns 0, or -1 when out of memory ('failed' is set).
 */
int buf_reserve(struct buf *b, size_t n);
void buf_append(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Drops the first n bytes (n <= len). */
void buf_consume(struct buf *b, size_t n);
/* Empties it, keeps the memory and clears 'failed'. */
void buf_clear(struct buf *b);
void buf_release(struct buf *b);

#endif
