/*
 * A pipeline of processes that this one started, without a shell: each reads what the
 * one before writes. None of them outlives us, however we end: the kernel kills them.
 *
 * The kernel does so when the thread that started them ends, so it must live as long.
 */
#ifndef WEB_PIPELINE_H
#define WEB_PIPELINE_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PIPELINE_MAX = 8, PIPELINE_ARGS = 24 };

struct pipeline {
	pid_t pid[PIPELINE_MAX]; /* 0: has ended */
	int n;
};

/* What to start, word by word. */
struct pipeline_plan {
	char text[8192];
	size_t used;
	char *argv[PIPELINE_MAX][PIPELINE_ARGS + 1];
	char *secret[PIPELINE_MAX]; /* "NAME=VALUE", or NULL */
	int nargs[PIPELINE_MAX], n;
	const char *log; /* the file where all of them complain */
	bool full;       /* something did not fit */
};

/* Adds a program by its path, behind those there are. */
void plan_program(struct pipeline_plan *plan, const char *folder, const char *name);
/* Adds an argument of the last one. */
void plan_word(struct pipeline_plan *plan, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets a variable of the environment, NAME=VALUE, of the last one alone: where other
 * users cannot see it, as they can its arguments. One is enough. */
void plan_secret(struct pipeline_plan *plan, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Starts all or none. ERR_IO. */
int pipeline_start(
	struct pipeline *p, const struct pipeline_plan *plan, struct err *err);
/* The number of the one that has ended of itself, not because the one behind it had
 * gone; -1 while none has. */
int pipeline_ended(struct pipeline *p);
/* Ends all at once but the last, which may finish what it has got within grace_ms. */
void pipeline_stop(struct pipeline *p, int grace_ms);

#endif
