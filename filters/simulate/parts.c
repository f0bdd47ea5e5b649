/* The strings that are asked for, cut into parts. */
#include "simulate.h"

#include "base/code.h"

#include <stdlib.h>

/* Which strings are asked for. */
static bool wanted(const char *string_code, int64_t site, int64_t string, void *user)
{
	const struct options *o = user;
	if (o->shards && site % o->shards != o->shard - 1)
		return false;
	if (o->string && strcmp(o->string, string_code) != 0)
		return false;
	return !o->site || str_is(code_site(str_of(string_code)), o->site);
}

/* Numbers of the strings that are asked for, among the first 'all'; NULL: no memory. */
static int64_t *list_strings(
	const struct fleet *f, const struct options *o, int64_t all, int64_t *n)
{
	int64_t *list = malloc((size_t)all * sizeof(*list));
	*n = 0;
	for (int64_t i = 0; list && i < all; i++) {
		struct fleet_string s;
		fleet_string(f, i, &s);
		if (wanted(s.code, s.site, i, (void *)(uintptr_t)o))
			list[(*n)++] = i;
	}
	return list;
}

/* Strings list[0..n) in parts of as many strings each as can be. */
static int open_parts(struct simulation *s, const struct options *o, int64_t batteries,
	const int64_t *list, int64_t n, struct err *err)
{
	int64_t parts = o->jobs < n ? o->jobs : n;
	for (int64_t i = 0; i < parts; i++) {
		struct choice c = {.keep = wanted,
			.user = (void *)(uintptr_t)o,
			.from = list[i * n / parts],
			.to = list[(i + 1) * n / parts - 1] + 1};
		s->nparts++;
		if (part_open(&s->parts[i], &s->world, &c, i ? &s->parts[i - 1] : NULL,
			    (uint64_t)o->seed, batteries, o->start - o->backfill_ms,
			    err) < 0)
			return -1;
	}
	return 0;
}

int parts_open(struct simulation *s, const struct options *o, struct err *err)
{
	const struct fleet *f = &s->world.fleet;
	int64_t batteries = o->batteries ? o->batteries : fleet_jars(f);
	if (f->book.nstrings && batteries > fleet_jars(f))
		return err_set(err, ERR_USAGE,
			"'%s' has %lld batteries: none can be cloned", o->fleet,
			(long long)fleet_jars(f));
	int64_t n, *list = list_strings(f, o, fleet_strings(f, batteries), &n);
	int r;

	if (!list)
		return err_nomem(err);
	if (n == 0)
		r = err_set(err, ERR_USAGE,
			"no string of the first %lld batteries is one that --site, "
			"--string and --shard ask for",
			(long long)batteries);
	else
		r = open_parts(s, o, batteries, list, n, err);
	free(list);
	return r;
}
