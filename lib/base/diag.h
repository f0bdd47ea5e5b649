/*
 * Diagnostics of a program: one line each on stderr, "program: message".
 * The name is glibc's program_invocation_short_name. Only filters/ and lib/stream/flow
 * call these.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include "base/err.h"

#include <stddef.h>

void diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Prints e and returns its exit status: return diag_err(&e). */
int diag_err(const struct err *e);

/*
 * The path of a file that comes with floatline ("schemas/rules/default.ini"), into dst.
 * Looked for under $FLOATLINE_SHARE, then in the build or installed tree the program
 * runs from, then in the installed share directory. Returns 0, or -1 with ERR_IO naming
 * the file.
 */
int share_path(const char *name, char *dst, size_t size, struct err *err);

#endif
