/*
 * Errors. A library function that can fail takes a 'struct err *' as its last
 * argument, returns -1 (or NULL) and fills it in; it never exits and never
 * prints. The classes equal the exit statuses of the programs, so that main()
 * can return what the library found:
 *
 *	1 ERR_DATA   input beyond tolerance, a failed job
 *	2 ERR_USAGE  wrong usage or configuration
 *	3 ERR_IO     a file, peer or database failed
 *
 * Messages are lower case, without a full stop, say what, where and what to do,
 * and put the subject in single quotes: cannot open 'x.csv': no such file.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdarg.h>

enum err_class { ERR_NONE = 0, ERR_DATA = 1, ERR_USAGE = 2, ERR_IO = 3 };

struct err {
	enum err_class class;
	char msg[1024];
};

/* Fills e (which may be NULL) and returns -1, so that 'return err_set(…)' works. */
int err_set(struct err *e, enum err_class class, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set with class ERR_IO, and ": strerror(errno)" appended. */
int err_errno(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Puts "text: " before the message e already holds (context added on the way up).
 * Returns -1. */
int err_prefix(struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Fills e with "out of memory" (ERR_IO) and returns -1. */
int err_nomem(struct err *e);

#endif
