/* Cells of rows as values, and values as parameters. */
#ifndef WEB_CELL_H
#define WEB_CELL_H

#include "base/timefmt.h"

#include <stdio.h>
#include <stdlib.h>

static inline const char *cell_text(const char *cell)
{
	return cell ? cell : "";
}

static inline int64_t cell_int(const char *cell)
{
	return cell ? strtoll(cell, NULL, 10) : 0;
}

static inline int64_t cell_time(const char *cell)
{
	return cell ? strtoll(cell, NULL, 10) : TIME_NIL;
}

/* PostgreSQL says t and f, SQLite 1 and 0. */
static inline bool cell_bool(const char *cell)
{
	return cell && (*cell == 't' || *cell == '1');
}

struct number {
	char text[24];
};

static inline struct number number(int64_t v)
{
	struct number n;
	snprintf(n.text, sizeof(n.text), "%lld", (long long)v);
	return n;
}

#endif
