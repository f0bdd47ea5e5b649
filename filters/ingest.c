/*
 * ingest: foreign files to records. Reads CSV, CSV.gz, NDJSON and dataset directories
 * by a mapping; what cannot be used is rejected with its reason, what is doubtful is
 * flagged, nothing is repaired or lost.
 */
#include "base/diag.h"
#include "base/now.h"
#include "ingest/classic.h"
#include "ingest/guess.h"
#include "stream/flow.h"

#include <stdio.h>
#include <sys/stat.h>

struct options {
	const char *mapping, *battery, *model, *zone, *fleet;
	int64_t clock_fault_ms;
	bool follow, guess;
};

struct run {
	const struct options *o;
	const struct flow_options *fo;
	struct flow *flow;
	struct ingest_env env;
	int64_t emitted;
	bool empty; /* a file had not even a header */
};

enum { POLL_MS = 200 };

static void on_reject(void *arg, int kind, const char *source, int64_t line,
	const char *reason, struct str original)
{
	struct run *r = arg;
	flow_reject_row(r->flow, kind, source, line, reason, original);
}

static void on_idle(void *arg)
{
	flow_flush(((struct run *)arg)->flow);
}

static bool go_on(const struct run *r)
{
	return !flow_failed(r->flow) &&
	       (r->fo->count <= 0 || r->emitted < r->fo->count);
}

static void emit(struct run *r, int kind, const void *rec)
{
	flow_emit(r->flow, kind, rec);
	r->emitted++;
}

static void tell(const struct run *r, const char *name, const char *role, int64_t rows,
	int64_t emitted, int64_t rejected, int64_t ignored, int columns)
{
	char tail[80] = "", metric[200];
	if (columns)
		snprintf(tail, sizeof(tail), "; %d column%s ignored by the mapping",
			columns, columns > 1 ? "s" : "");
	if (!r->fo->quiet)
		diag("%s: %lld rows = %lld used + %lld rejected + %lld ignored (%s)%s",
			name, (long long)rows, (long long)emitted, (long long)rejected,
			(long long)ignored, role, tail);
	snprintf(metric, sizeof(metric),
		"floatline_ingest_rows_ignored_total{file=\"%.100s\"}", name);
	flow_metric(r->flow, metric, (double)ignored);
}

/* At the end of a file that grows: waits, or stops after a signal. */
static void wait_for_more(struct run *r, struct source *s)
{
	char why[512];
	struct err err = {0};
	int changed = source_reopen(s, why, sizeof(why), &err);
	if (changed < 0)
		flow_fail(r->flow, &err);
	if (changed > 0)
		diag("%s", why);
	if (changed != 0)
		return;
	flow_flush(r->flow);
	flow_sleep_until(r->flow, now_wall_ms() + POLL_MS);
}

/* Batteries that are new in this file, where a model was named for them. */
static void emit_masters(struct run *r, const struct source *s, size_t *told)
{
	struct rec_battery_model model;
	struct rec_battery battery;
	for (; source_master(s, *told, &model, &battery) && go_on(r); ++*told) {
		if (*told == 0)
			emit(r, KIND_battery_model, &model);
		emit(r, KIND_battery, &battery);
	}
}

static void read_source(struct run *r, struct source *s)
{
	size_t told = 0;
	union rec_any rec;
	struct err err = {0};
	bool stopped = false;
	while (go_on(r)) {
		if (!stopped && flow_interrupted(r->flow)) {
			source_finish(s);
			stopped = true;
		}
		int n = source_next(s, &rec, &err);
		if (n > 0) {
			if (told < s->convert.who.codes.n)
				emit_masters(r, s, &told);
			emit(r, s->m.kind, &rec);
		} else if (n < 0) {
			flow_fail(r->flow, &err);
		} else if (s->ended) {
			break;
		} else if (r->o->follow && !flow_interrupted(r->flow)) {
			wait_for_more(r, s);
		}
	}
}

static void run_file(struct run *r, const char *path)
{
	struct err err = {0};
	struct source *s = source_open(path, r->o->mapping, &r->env, &err);
	if (!s) {
		flow_fail(r->flow, &err);
		return;
	}
	read_source(r, s);
	if (s->ended && !s->convert.m) {
		diag("'%s' is empty: not even a header", s->text.name);
		r->empty = true;
	} else if (s->convert.m) {
		tell(r, s->text.name, s->m.name, s->nrows, s->nemitted, s->nrejected, 0,
			s->nignored);
	}
	source_free(s);
}

static void run_directory(struct run *r, const char *dir)
{
	struct err err = {0};
	const void *rec;
	const struct classic_file *file;
	int kind, n = 1;
	struct classic *c = classic_open(dir, &r->env, &err);
	while (c && go_on(r) && !flow_interrupted(r->flow) &&
		(n = classic_next(c, &kind, &rec, &err)) > 0)
		emit(r, kind, rec);
	if (c && n == 0)
		n = classic_count_ignored(c, &err);
	if (!c || n < 0)
		flow_fail(r->flow, &err);
	for (int i = 0; c && (file = classic_file(c, i)); i++)
		tell(r, file->name, file->role, file->rows, file->emitted,
			file->rejected, file->ignored, file->columns_ignored);
	classic_free(c);
}

static bool is_directory(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Why this directory cannot be read; NULL: it can. */
static const char *unfit(const struct options *o, const char *dir)
{
	if (o->follow)
		return "--follow takes a file, not a directory";
	if (o->mapping || o->battery || o->model || o->fleet)
		return "a dataset directory brings its own mapping, batteries and "
		       "models: leave "
		       "--mapping, --battery, --model and --fleet away";
	return classic_is(dir) ? NULL
			       : "no dataset in the classic layout (no battery.csv)";
}

static void run_operand(struct run *r, const char *path)
{
	struct err err;
	const char *why;
	if (!is_directory(path)) {
		run_file(r, path);
	} else if ((why = unfit(r->o, path))) {
		err_set(&err, ERR_USAGE, "cannot read '%s': %s", path, why);
		flow_fail(r->flow, &err);
	} else {
		run_directory(r, path);
	}
}

/* What changes results, for the origin record: no paths. */
static void identity(const struct options *o, char *dst, size_t size)
{
	const struct {
		const char *name, *value;
	} given[] = {{"mapping", o->mapping}, {"battery", o->battery},
		{"model", o->model}, {"zone", o->zone}};
	size_t n = 0;
	dst[0] = '\0';
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		if (!given[i].value)
			continue;
		const char *base = strrchr(given[i].value, '/');
		bool path = base && strcmp(given[i].name, "mapping") == 0;
		n += (size_t)snprintf(dst + n, size - n, "%s--%s %.100s", n ? " " : "",
			given[i].name, path ? base + 1 : given[i].value);
	}
}

static int run(const struct options *o, const struct flow_options *fo, char **paths)
{
	char text[600];
	char stdin_name[] = "-", *only_stdin[] = {stdin_name, NULL};
	struct err err = {0};
	identity(o, text, sizeof(text));
	struct run r = {.o = o, .fo = fo};
	r.flow = flow_open(fo, FLOW_SOURCE, "ingest", text, &err);
	if (!r.flow)
		return diag_err(&err);
	r.env = (struct ingest_env){.battery = o->battery,
		.zone = o->zone,
		.model = o->model,
		.fleet = o->fleet,
		.clock_fault_ms = o->clock_fault_ms,
		.follow = o->follow,
		.reject = on_reject,
		.idle = on_idle,
		.arg = &r};
	if (!*paths)
		paths = only_stdin;
	while (*paths && go_on(&r) && !flow_interrupted(r.flow))
		run_operand(&r, *paths++);
	int status = flow_close(r.flow);
	return status ? status : r.empty;
}

static int print_guess(char **paths)
{
	struct err err = {0};
	struct buf out = {0};
	if (!paths[0] || paths[1]) {
		err_set(&err, ERR_USAGE, "--guess takes one file");
		return diag_err(&err);
	}
	int r = guess_mapping(paths[0], &out, &err);
	if (r == 0 && (fwrite(out.data, 1, out.len, stdout) != out.len ||
			      fflush(stdout) != 0))
		r = err_errno(&err, "cannot write");
	buf_release(&out);
	return r < 0 ? diag_err(&err) : 0;
}

static const struct opt_usage USAGE = {
	"ingest",
	"[options] [FILE | DIRECTORY | - ...]",
	"foreign files to records, by a mapping of their columns",
	"  ingest classic-90d | featurize | store\n"
	"  ingest --guess log.csv >log.ini; ingest --mapping log.ini log.csv\n"
	"  ingest --mapping bboxx --reject bad.ndjson telemetry_*.csv | twin",
};

int main(int argc, char **argv)
{
	struct options o = {.clock_fault_ms = HOUR_MS};
	struct flow_options fo;
	struct err err = {0};
	int first;
	struct opt own[] = {
		{'m', "mapping", "NAME", "mapping: a file, or a bundled name", OPT_STR,
			&o.mapping, 0, 0},
		{'g', "guess", NULL, "print a mapping for an unknown CSV file",
			OPT_BOOL, &o.guess, 0, 0},
		{'f', "follow", NULL, "go on as the file grows, until a signal",
			OPT_BOOL, &o.follow, 0, 0},
		{'b', "battery", "CODE", "every row is about this battery", OPT_STR,
			&o.battery, 0, 0},
		{0, "model", "NAME", "battery model whose physical limits hold",
			OPT_STR, &o.model, 0, 0},
		{0, "zone", "ZONE", "time zone of times without one", OPT_STR, &o.zone,
			0, 0},
		{0, "fleet", "DIR", "folder of the fleet files (battery.csv ...)",
			OPT_STR, &o.fleet, 0, 0},
		{0, "clock-fault", "DURATION",
			"a jump this far ahead of all others is a clock fault", OPT_MS,
			&o.clock_fault_ms, 0, 0},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SOURCE), argc, argv, &first, &err);
	if (r < 0)
		return diag_err(&err);
	if (r == OPT_EXIT)
		return 0;
	if (o.follow && argc - first != 1) {
		err_set(&err, ERR_USAGE, "--follow takes one file");
		return diag_err(&err);
	}
	int status = o.guess ? print_guess(argv + first) : run(&o, &fo, argv + first);
	return status;
}
