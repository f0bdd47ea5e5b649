/* store: records into a database, SQLite or PostgreSQL. */
#include "base/diag.h"
#include "base/now.h"
#include "base/timefmt.h"
#include "db/db.h"
#include "db/migrate.h"
#include "db/retain.h"
#include "db/url.h"
#include "stream/flow.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Live rows wait at most LIVE_MS. Under load a commit takes what has come within
 * BULK_MS or fills memory to BULK_BYTES: rows of a battery are then written together.
 */
enum { LIVE_MS = 200, BULK_MS = 1000, BULK_ROWS = 250000, BULK_BYTES = 40 << 20 };

struct options {
	const char *db;
	int64_t to;
	struct retention keep;
	char *url; /* our own copy of db: the one in argv is scrubbed */
	const char *migrations;
};

static const struct opt_usage USAGE = {"store", "[options] [COMMAND]",
	"stores records in a database: SQLite or PostgreSQL",
	"  twin <x.fl | store --db sqlite:fleet.db\n"
	"  store status --db postgresql://host/fleet\n"
	"\n"
	"Commands, instead of reading a stream:\n"
	"  migrate     bring the tables to this version, or --to another\n"
	"  rollback    take the newest migration back, or all above --to\n"
	"  status      list the migrations; exit status 1 when not up to date\n"
	"  purge RUN   delete every row of a run\n"
	"  retain      delete what is older than the --keep options say\n"};

struct store {
	struct flow *f;
	struct db *db;
	bool pass;       /* there is an output */
	bool dry;        /* the input had nothing more since the last commit */
	int64_t since;   /* when the oldest row that waits came */
	int64_t commits; /* for the metrics */
	/* consumed since the last commit; what an output has as well is not among them
	 */
	int64_t waiting[KIND_MAX + 1];
};

/* What waited is stored, or will never be: then the ledger says so. */
static void settle(struct store *s, bool stored)
{
	for (int k = 0; !stored && k <= KIND_MAX; k++)
		if (s->waiting[k])
			flow_lost(s->f, k, s->waiting[k]);
	memset(s->waiting, 0, sizeof(s->waiting));
}

static void commit(struct store *s)
{
	struct err err = {0};
	if (db_pending_rows(s->db) == 0 || flow_failed(s->f))
		return;
	size_t lost = db_pending_rows(s->db);
	if (db_commit(s->db, &err) < 0) {
		err_prefix(&err,
			"%lld rows are committed, the next %zu are not; store the "
			"stream "
			"again to complete them",
			(long long)db_committed_rows(s->db), lost);
		flow_fail(s->f, &err);
	}
	settle(s, err.class == 0);
	s->commits += err.class == 0;
}

static void take(struct store *s, const struct record *rec)
{
	union rec_any any;
	struct err err = {0};
	if (!db_stores(rec->kind)) {
		if (s->pass)
			flow_pass(s->f, rec);
		else
			flow_drop(s->f, rec);
		return;
	}
	if (!flow_decode(s->f, rec, &any))
		return;
	if (db_pending_rows(s->db) == 0)
		s->since = now_coarse_ms();
	if (db_put(s->db, rec->kind, &any, &err) < 0) {
		if (err.class == ERR_DATA) {
			flow_reject(s->f, rec, "%s", err.msg);
		} else {
			flow_drop(s->f, rec);
			flow_fail(s->f, &err);
		}
		return;
	}
	if (s->pass)
		flow_pass(s->f, rec);
	else {
		flow_consumed(s->f, rec);
		s->waiting[rec->kind]++;
	}
}

/* Milliseconds until the rows that wait must be committed; 0: now. */
static int64_t left(const struct store *s)
{
	size_t rows = db_pending_rows(s->db);
	if (rows == 0)
		return LIVE_MS;
	if (rows >= BULK_ROWS || db_pending_bytes(s->db) >= BULK_BYTES)
		return 0;
	int64_t at = s->since + (s->dry ? LIVE_MS : BULK_MS) - now_coarse_ms();
	return at > 0 ? at : 0;
}

static void run(struct store *s)
{
	struct record rec;
	int r;
	while ((r = flow_next_wait(s->f, &rec, s->dry ? left(s) : 0)) > 0) {
		if (r == 1)
			take(s, &rec);
		else
			s->dry = true;
		if (left(s) == 0) {
			commit(s);
			s->dry = false;
		}
	}
	commit(s);
	settle(s, false); /* nothing waits, but for a failure before */
}

static int store_stream(
	const struct options *o, const struct flow_options *fo, struct err *err)
{
	struct store s = {.pass = fo->outputs.n > 0};
	s.db = db_open(o->url, DB_CREATE, err);
	if (!s.db || db_ready(s.db, o->migrations, err) < 0) {
		db_close(s.db);
		return diag_err(err);
	}
	s.f = flow_open(fo, FLOW_SINK, "store", NULL, err);
	if (!s.f) {
		db_close(s.db);
		return diag_err(err);
	}
	if (db_set_run(s.db, flow_run(s.f), err) < 0)
		flow_fail(s.f, err);
	else
		run(&s);
	flow_metric(s.f, "floatline_store_rows_total", (double)db_committed_rows(s.db));
	flow_metric(s.f, "floatline_store_commits_total", (double)s.commits);
	db_close(s.db);
	return flow_close(s.f);
}

static void print_state(void *ctx, int number, const char *name, enum migration_state s)
{
	static const char *const WORDS[] = {"pending", "applied", "changed", "unknown"};
	printf("%04d %-24s %s\n", number, name, WORDS[s]);
	if (s != MIGRATION_APPLIED)
		*(bool *)ctx = true;
}

static int print_status(struct db *db, const char *dir, struct err *err)
{
	bool behind = false;
	if (db_status(db, dir, print_state, &behind, err) < 0)
		return diag_err(err);
	return behind ? ERR_DATA : 0;
}

static int retain(struct db *db, const struct options *o, struct err *err)
{
	int64_t rows;
	if (db_ready(db, o->migrations, err) < 0 ||
		db_retain(db, &o->keep, &rows, err) < 0)
		return -1;
	diag("'%s': %lld rows were old enough to go", db_name(db), (long long)rows);
	return 0;
}

static int command(const struct options *o, char **operands, int n, struct err *err)
{
	const char *c = operands[0];
	bool migrate = strcmp(c, "migrate") == 0, rollback = strcmp(c, "rollback") == 0,
	     status = strcmp(c, "status") == 0, purge = strcmp(c, "purge") == 0,
	     retains = strcmp(c, "retain") == 0;
	if (!migrate && !rollback && !status && !purge && !retains)
		err_set(err, ERR_USAGE, "no command '%s', see --help", c);
	else if (n != (purge ? 2 : 1))
		err_set(err, ERR_USAGE, "%s takes %s", c,
			purge ? "one run" : "no operand");
	if (err->class)
		return diag_err(err);
	struct db *db = db_open(o->url, migrate ? DB_CREATE : 0, err);
	int done = 0, r = 0, result = 0;
	if (!db)
		return diag_err(err);
	if (status)
		result = print_status(db, o->migrations, err);
	else if (purge)
		r = db_purge(db, operands[1], err);
	else if (retains)
		r = retain(db, o, err);
	else if (migrate)
		r = db_migrate(db, o->migrations, (int)o->to, &done, err);
	else
		r = db_rollback(db, o->migrations, (int)o->to, &done, err);
	if (r == 0 && (migrate || rollback))
		diag("'%s': %d migration%s %s", db_name(db), done, done == 1 ? "" : "s",
			migrate ? "applied" : "taken back");
	db_close(db);
	return r < 0 ? diag_err(err) : result;
}

int main(int argc, char **argv)
{
	char dir[4096];
	struct options o = {.to = -1,
		.migrations = dir,
		.keep = {.raw_ms = 90 * DAY_MS, .quarter_ms = 730 * DAY_MS}};
	struct flow_options fo;
	struct err err = {0};
	int first;
	struct opt own[] = {
		{0, "db", "URL",
			"database; $" DB_ENVIRONMENT " or " DB_DEFAULT " unless given",
			OPT_STR, &o.db, 0, 0},
		{0, "to", "N", "migrate, rollback: to this migration", OPT_INT, &o.to,
			0, 9999},
		{0, "keep-raw", "DURATION",
			"retain: samples, 90d unless given, 0s for ever", OPT_MS,
			&o.keep.raw_ms, 0, 0},
		{0, "keep-15min", "DURATION",
			"retain: roll-ups of 15 minutes, 730d unless given", OPT_MS,
			&o.keep.quarter_ms, 0, 0},
		{0, "keep-hour", "DURATION",
			"retain: roll-ups of an hour, for ever unless given", OPT_MS,
			&o.keep.hour_ms, 0, 0},
		{0, "keep-strings", "DURATION",
			"retain: samples of strings, for ever unless given", OPT_MS,
			&o.keep.strings_ms, 0, 0},
		{0, "keep-rooms", "DURATION",
			"retain: samples of rooms, for ever unless given", OPT_MS,
			&o.keep.rooms_ms, 0, 0},
		{0, "keep-states", "DURATION",
			"retain: twin states, features, predictions, for ever unless "
			"given",
			OPT_MS, &o.keep.states_ms, 0, 0},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SINK), argc, argv, &first, &err);
	if (r < 0)
		return diag_err(&err);
	if (r == OPT_EXIT)
		return 0;
	/* A file-size limit is an error to report, not a signal to die of. */
	signal(SIGXFSZ, SIG_IGN);
	int status;
	o.url = db_url_take(o.db, argc, argv);
	if (!o.url || migrations_dir(dir, sizeof(dir), &err) < 0)
		status = diag_err(&err);
	else if (first < argc)
		status = command(&o, argv + first, argc - first, &err);
	else
		status = store_stream(&o, &fo, &err);
	free(o.url);
	return status;
}
