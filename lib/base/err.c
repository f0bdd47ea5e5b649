#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static void set(
	struct err *e, enum err_class class, const char *fmt, va_list ap)
{
	e->class = class;
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
}

int err_set(struct err *e, enum err_class class, const char *fmt, ...)
{
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		set(e, class, fmt, ap);
		va_end(ap);
	}
	return -1;
}

int err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	if (e) {
		va_list ap;
		va_start(ap, fmt);
		set(e, ERR_IO, fmt, ap);
		va_end(ap);
		size_t n = strlen(e->msg);
		snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", strerror(saved));
	}
	errno = saved;
	return -1;
}

int err_prefix(struct err *e, const char *fmt, ...)
{
	if (e) {
		char old[sizeof(e->msg)];
		memcpy(old, e->msg, sizeof(old));
		va_list ap;
		va_start(ap, fmt);
		set(e, e->class, fmt, ap);
		va_end(ap);
		size_t n = strlen(e->msg);
		snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", old);
	}
	return -1;
}

int err_nomem(struct err *e)
{
	return err_set(e, ERR_IO, "out of memory");
}
