#include "base/diag.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void diag(const char *fmt, ...)
{
	char line[1200];
	int n = snprintf(line, sizeof(line), "%.64s: ", program_invocation_short_name);
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	/* One write: lines of several programs in one pipeline must not mix. */
	fprintf(stderr, "%s\n", line);
}

int diag_err(const struct err *e)
{
	diag("%s", e->msg);
	return e->class ? (int)e->class : ERR_DATA;
}

static int join(const char *dir, const char *name, char *dst, size_t size)
{
	int n = snprintf(dst, size, "%s/%s", dir, name);
	return n > 0 && (size_t)n < size && access(dst, R_OK) == 0 ? 0 : -1;
}

/*
 * The program's own place tells where its files are, wherever the tree was put: a build
 * tree starts above 'build' (build/bin/NAME, build/VARIANT/bin/NAME), an installed one
 * has share/floatline beside bin and libexec.
 */
static int beside_program(const char *name, char *dst, size_t size)
{
	char exe[4096], share[4096 + 32];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0)
		return -1;
	exe[n] = '\0';
	for (char *p = strrchr(exe, '/'); p; p = strrchr(exe, '/')) {
		*p = '\0';
		snprintf(share, sizeof(share), "%s/share/floatline", exe);
		if (join(share, name, dst, size) == 0)
			return 0;
		char *base = strrchr(exe, '/');
		if (base && strcmp(base, "/build") == 0) {
			*base = '\0';
			return join(exe, name, dst, size);
		}
	}
	return -1;
}

int share_path(const char *name, char *dst, size_t size, struct err *err)
{
	const char *env = getenv("FLOATLINE_SHARE");
	if (env && join(env, name, dst, size) == 0)
		return 0;
	if (beside_program(name, dst, size) == 0)
		return 0;
	if (join(FL_SHAREDIR, name, dst, size) == 0)
		return 0;
	return err_set(err, ERR_IO, "cannot find '%s' in %s; set FLOATLINE_SHARE", name,
		env ? env : FL_SHAREDIR);
}
