#include "db/url.h"
#include "db/db.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static bool is_uri(const char *url)
{
	return starts(url, "postgresql://") || starts(url, "postgres://");
}

int db_url_kind(const char *url, enum db_kind *kind, const char **rest, struct err *err)
{
	if (starts(url, "sqlite:")) {
		*kind = DB_SQLITE;
		*rest = url + strlen("sqlite:");
		if (**rest == '\0')
			return err_set(err, ERR_USAGE,
				"'sqlite:' needs a path: sqlite:floatline.db");
		return 0;
	}
	*kind = DB_POSTGRES;
	*rest = url;
	if (is_uri(url) || strchr(url, '='))
		return 0;
	/* Shown: without '=' and '://' there is no place for a password. */
	return err_set(err, ERR_USAGE,
		"'%s' is no database: use sqlite:PATH, postgresql://… or a libpq "
		"connection string",
		url);
}

static void add_part(struct buf *b, const char *before, const char *text)
{
	if (text && *text) {
		buf_puts(b, before);
		buf_puts(b, text);
	}
}

static const char *part(const PQconninfoOption *o, const char *keyword)
{
	for (; o->keyword; o++)
		if (strcmp(o->keyword, keyword) == 0)
			return o->val;
	return NULL;
}

static void show_parts(const PQconninfoOption *o, struct buf *b)
{
	const char *host = part(o, "host"), *service = part(o, "service");
	bool socket = host && *host == '/';
	buf_puts(b, "postgresql://");
	if (part(o, "user"))
		buf_printf(b, "%s@", part(o, "user"));
	add_part(b, "", socket ? NULL : host);
	add_part(b, ":", part(o, "port"));
	add_part(b, "/", part(o, "dbname"));
	add_part(b, "?host=", socket ? host : NULL);
	add_part(b, socket ? "&service=" : "?service=", service);
}

int db_url_show(const char *url, char *dst, size_t size, struct err *err)
{
	if (starts(url, "sqlite:")) {
		snprintf(dst, size, "%s", url);
		return 0;
	}
	PQconninfoOption *o = PQconninfoParse(url, NULL);
	if (!o)
		return err_set(err, ERR_USAGE,
			"cannot read the PostgreSQL connection string: see libpq's "
			"rules, special characters as %%XX in a URI");
	struct buf b = {0};
	show_parts(o, &b);
	PQconninfoFree(o);
	buf_putc(&b, '\0');
	bool failed = b.failed;
	if (!failed)
		snprintf(dst, size, "%s", (char *)b.data);
	buf_release(&b);
	return failed ? err_nomem(err) : 0;
}

static void blank(char *from, char *to)
{
	memset(from, 'x', (size_t)(to - from));
}

/* The value of 'password = …' in a key=value string, quoted or not. */
static void scrub_value(char *p)
{
	p += strspn(p, " ");
	if (*p != '=')
		return;
	p++;
	p += strspn(p, " ");
	bool quoted = *p == '\'';
	if (quoted)
		p++;
	for (; *p && *p != (quoted ? '\'' : ' '); p++) {
		if (*p == '\\' && p[1])
			*p++ = 'x';
		*p = 'x';
	}
}

void db_url_scrub(char *url)
{
	if (!is_uri(url)) {
		for (char *p = url; (p = strstr(p, "password")); p += 8)
			scrub_value(p + 8);
		return;
	}
	char *host = strstr(url, "://") + 3;
	char *at = host + strcspn(host, "/?@");
	if (*at == '@') {
		char *colon = memchr(host, ':', (size_t)(at - host));
		if (colon)
			blank(colon + 1, at);
	}
	char *query = strchr(at, '?');
	if (!query)
		return;
	for (char *p = query; (p = strstr(p, "password=")); p++)
		blank(p + 9, p + 9 + strcspn(p + 9, "&"));
}

char *db_url_take(const char *url, int argc, char **argv)
{
	const char *env = getenv(DB_ENVIRONMENT);
	if (!url)
		url = env && *env ? env : DB_DEFAULT;
	char *copy = strdup(url);
	for (int i = 1; copy && i < argc; i++)
		if (url >= argv[i] && url <= argv[i] + strlen(argv[i]))
			db_url_scrub(argv[i] + (url - argv[i]));
	return copy;
}
