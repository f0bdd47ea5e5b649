#include "db/retain.h"

#include "base/timefmt.h"
#include "db/internal.h"
#include "db/rollup.h"

#include <stdio.h>
#include <stdlib.h>

/* A table, and what its rows are of: the column of the key, and where these are. */
struct tier {
	const char *table, *key, *owners;
	int64_t keep_ms;
};

/* A battery, string or sensor of a run. */
struct pair {
	int64_t run, owner;
};

struct retain {
	const struct tier *tier;
	struct pair *v;
	size_t n, cap;
};

struct cut {
	const struct tier *tier;
	struct number_text {
		char text[24];
	} run, before, owner;
	int64_t rows;
};

static struct number_text text_of(int64_t v)
{
	struct number_text t;
	snprintf(t.text, sizeof(t.text), "%lld", (long long)v);
	return t;
}

static int take_pair(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct retain *r = ctx;
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		struct pair *v = realloc(r->v, cap * sizeof(*v));
		if (!v)
			return err_nomem(err);
		r->v = v;
		r->cap = cap;
	}
	r->v[r->n++] =
		(struct pair){strtoll(cells[0], NULL, 10), strtoll(cells[1], NULL, 10)};
	return 0;
}

/* Said before the first row goes, so that nothing makes roll-ups anew of what is left
 * of a day. */
static int say_gone(struct db *db, const struct cut *c, struct err *err)
{
	return db_write(db,
		DB_QUERY("INSERT INTO retention (run, tier, before_ts) VALUES "
			 "(CAST($1 AS integer), $2, CAST($3 AS bigint)) ON CONFLICT "
			 "(run, tier) DO UPDATE SET before_ts = excluded.before_ts "
			 "WHERE excluded.before_ts > retention.before_ts",
			c->run.text, c->tier->table, c->before.text),
		NULL, err);
}

static int delete_rows(struct db *db, void *ctx, struct err *err)
{
	char sql[256];
	struct cut *c = ctx;
	int64_t rows = 0;
	snprintf(sql, sizeof(sql),
		"DELETE FROM %s WHERE run = CAST($1 AS integer) AND %s = CAST($2 AS "
		"integer) AND ts < CAST($3 AS bigint)",
		c->tier->table, c->tier->key);
	if (db_write(db, DB_QUERY(sql, c->run.text, c->owner.text, c->before.text),
		    &rows, err) < 0)
		return -1;
	c->rows += rows;
	return 0;
}

static int take_time(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	if (cells[0])
		*(int64_t *)ctx = strtoll(cells[0], NULL, 10);
	return 0;
}

/* One run: before its newest sample less what is kept, whole days. */
static int cut_run(struct db *db, struct retain *r, size_t i, size_t end, int64_t *rows,
	struct err *err)
{
	int64_t newest = TIME_NIL;
	struct cut c = {.tier = r->tier, .run = text_of(r->v[i].run)};
	if (db_select(db,
		    DB_QUERY("SELECT max(ts) FROM telemetry_latest WHERE run = CAST($1 "
			     "AS integer)",
			    c.run.text),
		    take_time, &newest, err) < 0)
		return -1;
	if (newest == TIME_NIL)
		return 0;
	c.before = text_of(time_whole(newest - r->tier->keep_ms, DAY_MS) * DAY_MS);
	if (say_gone(db, &c, err) < 0)
		return -1;
	for (; i < end; i++) {
		c.owner = text_of(r->v[i].owner);
		if (db_transaction(db, delete_rows, &c, err) < 0)
			return -1;
	}
	*rows += c.rows;
	return 0;
}

static int cut_table(struct db *db, struct retain *r, int64_t *rows, struct err *err)
{
	char sql[80];
	r->n = 0;
	snprintf(sql, sizeof(sql), "SELECT run, id FROM %s ORDER BY run, id",
		r->tier->owners);
	if (db_select(db, DB_QUERY_PLAIN(sql), take_pair, r, err) < 0)
		return -1;
	for (size_t i = 0; i < r->n;) {
		size_t end = i;
		while (end < r->n && r->v[end].run == r->v[i].run)
			end++;
		if (cut_run(db, r, i, end, rows, err) < 0)
			return -1;
		i = end;
	}
	return 0;
}

int db_retain(
	struct db *db, const struct retention *keep, int64_t *rows, struct err *err)
{
	const struct tier tiers[] = {{"telemetry", "battery", "battery", keep->raw_ms},
		{rollup_name(ROLLUP_QUARTER), "battery", "battery", keep->quarter_ms},
		{rollup_name(ROLLUP_HOUR), "battery", "battery", keep->hour_ms},
		{"string_telemetry", "string", "string", keep->strings_ms},
		{"environment", "sensor", "sensor", keep->rooms_ms},
		{"twin_state", "battery", "battery", keep->states_ms},
		{"feature", "battery", "battery", keep->states_ms},
		{"rul_prediction", "battery", "battery", keep->states_ms},
		{"truth", "battery", "battery", keep->states_ms}};
	struct retain r = {0};
	int ok = 0;
	*rows = 0;
	for (size_t i = 0; ok == 0 && i < sizeof(tiers) / sizeof(*tiers); i++) {
		r.tier = &tiers[i];
		if (r.tier->keep_ms > 0)
			ok = cut_table(db, &r, rows, err);
	}
	free(r.v);
	return ok;
}
