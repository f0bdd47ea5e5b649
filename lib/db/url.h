/* Database URLs: which back end, and how to show one without its password. */
#ifndef DB_URL_H
#define DB_URL_H

#include "base/buf.h"
#include "base/err.h"

enum db_kind { DB_SQLITE, DB_POSTGRES };

/* Tells the back end. *rest is the path (SQLite) or the whole connection string.
 * ERR_USAGE when url is neither. */
int db_url_kind(
	const char *url, enum db_kind *kind, const char **rest, struct err *err);

/*
 * Writes the URL as it may be shown: a password, wherever libpq accepts one, is left
 * out. Returns 0, or -1 with ERR_USAGE when libpq cannot read it (the message does not
 * repeat it).
 */
int db_url_show(const char *url, char *dst, size_t size, struct err *err);

/*
 * Overwrites the password in url with 'x', in place and without changing its length:
 * for argv, which other users can see.
 */
void db_url_scrub(char *url);

/*
 * Our own copy of a URL that stands in argv, where it is scrubbed: what is there is for
 * all to see. Without one (NULL) it is that of the environment (DB_ENVIRONMENT), or
 * DB_DEFAULT. The caller frees it. NULL when out of memory.
 */
char *db_url_take(const char *url, int argc, char **argv);

#endif
