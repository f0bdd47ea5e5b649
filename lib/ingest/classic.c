#include "ingest/classic.h"

#include "battery/model.h"
#include "ingest/cell.h"
#include "ingest/keep.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What is known of a string: its last sample, and what waits to be joined to it. */
struct string_state {
	struct limits limits; /* of its batteries in series */
	int64_t ts, calc_ts;  /* TIME_NIL: none */
	float current_a, power_w, thd_pct;
	int mode;
	bool calc_used;
};

struct series {
	struct source *source; /* NULL: no such file */
	union rec_any rec;
	int64_t ts;
	bool full, ended;
};
enum { STRING, STRING_CALC, ENVIRONMENT, JAR, SERIES };

struct model_limits {
	struct limits limits;
	bool known;
};

/* The results of a transaction, by its key. */
struct results {
	struct ids keys;
	struct keep recs; /* number = number of the key */
};

struct classic {
	const char *dir;
	const struct ingest_env *outer;
	struct ingest_env env;
	struct keep masters, events;
	size_t next_master, next_event;
	struct series series[SERIES];
	struct series *last; /* the one whose record is out */
	struct ids strings, models, batteries;
	struct string_state *states; /* by number in 'strings' */
	size_t cap_states;
	struct model_limits *limits;    /* by number in 'models' */
	uint32_t *model_of, *string_of; /* by number in 'batteries' */
	size_t cap_limits, cap_model_of, cap_string_of;
	int64_t join_ms;
	struct classic_file files[CLASSIC_FILES_MAX];
	int nfiles;
};

static const char FOREIGN[] = "ignored: a foreign result, no measurement";

/* The path of NAME.csv or NAME.csv.gz in dir, for *out. False: neither is there. */
static bool find_file(const char *dir, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%.3900s/%s.csv", dir, name);
	if (access(out, F_OK) == 0)
		return true;
	snprintf(out, size, "%.3900s/%s.csv.gz", dir, name);
	return access(out, F_OK) == 0;
}

bool classic_is(const char *dir)
{
	char path[4096];
	return find_file(dir, "battery", path, sizeof(path)) ||
	       find_file(dir, "telemetry_jar_raw", path, sizeof(path));
}

static void reject(void *arg, int kind, const char *source, int64_t line,
	const char *reason, struct str original)
{
	struct classic *c = arg;
	c->outer->reject(c->outer->arg, kind, source, line, reason, original);
}

/* Grows *v to hold n items. */
static int grow(void **v, size_t *cap, size_t n, size_t size)
{
	if (n <= *cap)
		return 0;
	size_t want = n + n / 2 + 16;
	void *p = realloc(*v, want * size);
	if (!p)
		return -1;
	memset((char *)p + *cap * size, 0, (want - *cap) * size);
	*v = p;
	*cap = want;
	return 0;
}

/* The number of a string, with a state of its own. IDS_NONE: out of memory. */
static uint32_t string_number(struct classic *c, struct str code)
{
	size_t before = c->strings.n;
	uint32_t i = ids_intern(&c->strings, code);
	if (i == IDS_NONE || grow((void **)&c->states, &c->cap_states, c->strings.n,
				     sizeof(*c->states)) < 0)
		return IDS_NONE;
	if (c->strings.n > before)
		c->states[i] = (struct string_state){.limits = LIMITS_NONE,
			.ts = TIME_NIL,
			.calc_ts = TIME_NIL,
			.current_a = NAN,
			.mode = ENUM_NIL};
	return i;
}

/* An identity of the jar, string or sensor files is seen first. */
static void meet(void *arg, struct identity *who)
{
	struct classic *c = arg;
	struct str code = str_of(who->code);
	uint32_t b = ids_find(&c->batteries, code);
	who->group = ids_find(&c->strings, code);
	if (who->group != IDS_NONE)
		who->limits = c->states[who->group].limits;
	if (b == IDS_NONE)
		return;
	who->group = c->string_of[b];
	uint32_t m = c->model_of[b];
	if (m != IDS_NONE && c->limits[m].known)
		who->limits = c->limits[m].limits;
}

static struct classic_file *add_file(
	struct classic *c, const char *path, const char *role)
{
	if (c->nfiles == CLASSIC_FILES_MAX)
		return NULL;
	struct classic_file *f = &c->files[c->nfiles++];
	const char *base = strrchr(path, '/');
	*f = (struct classic_file){.role = role};
	snprintf(f->name, sizeof(f->name), "%s", base ? base + 1 : path);
	return f;
}

/* Opens the file NAME by its bundled mapping. 1; 0 when there is none; -1. */
static int open_file(struct classic *c, const char *name, const char *role,
	struct source **out, struct err *err)
{
	char path[4096], mapping[96];
	*out = NULL;
	if (!find_file(c->dir, name, path, sizeof(path)))
		return 0;
	snprintf(mapping, sizeof(mapping), "classic/%s", name);
	*out = source_open(path, mapping, &c->env, err);
	if (!*out)
		return -1;
	return add_file(c, path, role) ? 1 : err_set(err, ERR_DATA, "too many files");
}

static struct classic_file *file_of(struct classic *c, const struct source *s)
{
	const char *base = strrchr(s->path, '/');
	for (int i = 0; i < c->nfiles; i++)
		if (strcmp(c->files[i].name, base ? base + 1 : s->path) == 0)
			return &c->files[i];
	return NULL;
}

static void account(struct classic *c, const struct source *s)
{
	struct classic_file *f = file_of(c, s);
	if (!f)
		return;
	f->rows = s->nrows;
	f->emitted = s->nemitted;
	f->rejected = s->nrejected;
	f->columns_ignored = s->nignored;
}

/* ---- master data ---- */

/* Fills in the limits of a model the model files know. */
static int learn_model(struct classic *c, struct rec_battery_model *r, struct err *err)
{
	char name[CODE_MAX + 1];
	struct err unknown = {0};
	str_copy(name, sizeof(name), r->name);
	uint32_t i = ids_intern(&c->models, r->name);
	if (i == IDS_NONE || grow((void **)&c->limits, &c->cap_limits, c->models.n,
				     sizeof(*c->limits)) < 0)
		return err_nomem(err);
	struct battery_model *m = malloc(sizeof(*m));
	if (!m)
		return err_nomem(err);
	if (battery_model_named(name, m, &unknown) == 0) {
		const struct kind_info *info = kind_info(KIND_battery_model);
		struct rec_battery_model full;
		battery_model_record(m, &full);
		limits_of_model(m, &c->limits[i].limits);
		c->limits[i].known = true;
		for (int f = 0; f < info->nfields; f++)
			if (info->fields[f].type == T_F32 &&
				cell_missing(&info->fields[f],
					(const union rec_any *)(const void *)r))
				memcpy((char *)r + info->fields[f].offset,
					(const char *)&full + info->fields[f].offset,
					sizeof(float));
	}
	free(m);
	return 0;
}

static int learn_battery(
	struct classic *c, const struct rec_battery *r, struct err *err)
{
	uint32_t i = ids_intern(&c->batteries, r->code);
	if (i == IDS_NONE ||
		grow((void **)&c->model_of, &c->cap_model_of, c->batteries.n,
			sizeof(*c->model_of)) < 0 ||
		grow((void **)&c->string_of, &c->cap_string_of, c->batteries.n,
			sizeof(*c->string_of)) < 0)
		return err_nomem(err);
	c->model_of[i] = r->model.s ? ids_find(&c->models, r->model) : IDS_NONE;
	c->string_of[i] = r->string.s ? string_number(c, r->string) : IDS_NONE;
	return 0;
}

static int learn(struct classic *c, int kind, union rec_any *rec, struct err *err)
{
	if (kind == KIND_battery_model)
		return learn_model(c, &rec->battery_model, err);
	if (kind == KIND_battery)
		return learn_battery(c, &rec->battery, err);
	if (kind == KIND_string && string_number(c, rec->string.code) == IDS_NONE)
		return err_nomem(err);
	return 0;
}

/* Limits of a string: those of its batteries, in series. */
static void limit_string(struct classic *c, const struct rec_battery *b)
{
	uint32_t i = ids_find(&c->batteries, b->code);
	uint32_t m = c->model_of[i], s = c->string_of[i];
	if (m == IDS_NONE || s == IDS_NONE || !c->limits[m].known)
		return;
	struct limits *l = &c->states[s].limits;
	const struct limits *one = &c->limits[m].limits;
	bool first = isnan(l->voltage_hard_max_v);
	l->voltage_hard_min_v =
		(first ? 0 : l->voltage_hard_min_v) + one->voltage_hard_min_v;
	l->voltage_hard_max_v =
		(first ? 0 : l->voltage_hard_max_v) + one->voltage_hard_max_v;
	l->voltage_plausible_min_v =
		(first ? 0 : l->voltage_plausible_min_v) + one->voltage_plausible_min_v;
	l->voltage_plausible_max_v =
		(first ? 0 : l->voltage_plausible_max_v) + one->voltage_plausible_max_v;
	l->current_max_a = one->current_max_a;
}

static int read_masters(struct classic *c, struct err *err)
{
	static const char *const names[] = {"location", "battery_model",
		"battery_system", "string", "battery", "environmental_sensor"};
	union rec_any rec;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct source *s;
		int r = open_file(c, names[i], "master data", &s, err);
		while (r > 0 && (r = source_next(s, &rec, err)) > 0)
			if (learn(c, s->m.kind, &rec, err) < 0 ||
				!keep_add(&c->masters, s->m.info, &rec, err))
				r = -1;
		if (s)
			account(c, s);
		source_free(s);
		if (r < 0)
			return -1;
	}
	for (size_t i = 0; i < c->masters.n; i++)
		if (c->masters.v[i].kind == KIND_battery)
			limit_string(c, c->masters.v[i].rec);
	return 0;
}

/* ---- transactions ---- */

static int read_results(
	struct classic *c, const char *name, struct results *out, struct err *err)
{
	union rec_any rec;
	struct source *s;
	int r = open_file(c, name, "joined", &s, err);
	while (r > 0 && (r = source_next(s, &rec, err)) > 0) {
		size_t before = out->keys.n;
		if (ids_intern(&out->keys, s->key) == IDS_NONE)
			r = err_nomem(err);
		else if (out->keys.n > before &&
			 !keep_add(&out->recs, s->m.info, &rec, err))
			r = -1;
	}
	if (s)
		account(c, s);
	source_free(s);
	return r;
}

/* Takes from 'add' what 'rec' lacks. Both are of kind info; texts are not joined. */
static void complete(const struct kind_info *info, union rec_any *rec, const void *add)
{
	for (int i = 0; i < info->nfields; i++) {
		const struct field_info *f = &info->fields[i];
		size_t size = f->type == T_F32 || f->type == T_ENUM ? 4 : 8;
		if (f->type < T_BITS && cell_missing(f, rec))
			memcpy((char *)rec + f->offset, (const char *)add + f->offset,
				f->type == T_INT ? 4 : size);
	}
}

static int read_transactions(
	struct classic *c, const char *name, const char *calc, struct err *err)
{
	union rec_any rec;
	struct source *s;
	struct results results = {0};
	int r = calc ? read_results(c, calc, &results, err) : 0;
	if (r == 0)
		r = open_file(c, name, "transactions", &s, err);
	else
		s = NULL;
	while (r > 0 && (r = source_next(s, &rec, err)) > 0) {
		uint32_t k = s->key.s ? ids_find(&results.keys, s->key) : IDS_NONE;
		if (k != IDS_NONE)
			complete(s->m.info, &rec, results.recs.v[k].rec);
		if (!keep_add(&c->events, s->m.info, &rec, err))
			r = -1;
	}
	if (s)
		account(c, s);
	source_free(s);
	ids_release(&results.keys);
	keep_release(&results.recs);
	return r;
}

/* ---- time series ---- */

static int open_series(struct classic *c, struct err *err)
{
	static const struct {
		const char *name, *role;
	} files[SERIES] = {{"telemetry_string_raw", "samples of strings"},
		{"telemetry_string_calc", "joined to the samples of strings"},
		{"telemetry_env", "samples of rooms"},
		{"telemetry_jar_raw", "samples of batteries"}};
	for (int i = 0; i < SERIES; i++)
		if (open_file(c, files[i].name, files[i].role, &c->series[i].source,
			    err) < 0)
			return -1;
	for (int i = 0; i < SERIES; i++)
		c->series[i].ended = !c->series[i].source;
	if (c->series[JAR].ended)
		return err_set(err, ERR_IO,
			"'%s' has no telemetry_jar_raw.csv or .csv.gz: not a dataset "
			"in the classic layout",
			c->dir);
	c->join_ms = c->series[JAR].source->m.join_ms;
	return 0;
}

/* Makes sure there is a record at hand. 1, 0 at the end, -1. */
static int fill(struct series *s, struct err *err)
{
	if (s->full || s->ended)
		return s->full;
	int r = source_next(s->source, &s->rec, err);
	s->full = r > 0;
	s->ended = r == 0;
	s->ts = s->source->ts;
	return r;
}

static void unmatched(struct classic *c, uint32_t string)
{
	char reason[160];
	struct string_state *st = &c->states[string];
	if (st->calc_ts == TIME_NIL || st->calc_used)
		return;
	struct series *s = &c->series[STRING_CALC];
	char text[TIME_TEXT_SIZE];
	snprintf(reason, sizeof(reason), "no sample of %.64s at %s to join this to",
		ids_name(&c->strings, string), time_format(st->calc_ts, text));
	s->source->nrejected++;
	s->source->nemitted--;
	reject(c, KIND_string_telemetry, s->source->path, 0, reason, STR_NIL);
	st->calc_ts = TIME_NIL;
}

/* Reads the calculated columns of strings up to time ts into the strings' states. */
static int advance_calc(struct classic *c, int64_t ts, struct err *err)
{
	struct series *s = &c->series[STRING_CALC];
	int r;
	while ((r = fill(s, err)) > 0 && s->ts <= ts) {
		struct identity *who = s->source->who;
		s->full = false;
		if (!who || who->group == IDS_NONE)
			continue;
		unmatched(c, who->group);
		struct string_state *st = &c->states[who->group];
		st->calc_ts = s->ts;
		st->calc_used = false;
		st->power_w = s->rec.string_telemetry.power_w;
		st->thd_pct = s->rec.string_telemetry.thd_pct;
	}
	return r < 0 ? -1 : 0;
}

static int join_string(struct classic *c, struct series *s, struct err *err)
{
	struct rec_string_telemetry *t = &s->rec.string_telemetry;
	if (!c->series[STRING_CALC].ended && advance_calc(c, s->ts, err) < 0)
		return -1;
	uint32_t i = s->source->who->group;
	if (i == IDS_NONE)
		return 0;
	struct string_state *st = &c->states[i];
	if (st->calc_ts == t->ts) {
		t->power_w = st->power_w;
		t->thd_pct = st->thd_pct;
		st->calc_used = true;
	}
	if (st->ts == TIME_NIL || t->ts >= st->ts) {
		st->ts = t->ts;
		st->current_a = t->current_a;
		st->mode = t->mode;
	}
	return 0;
}

static void join_jar(const struct classic *c, struct series *s)
{
	struct rec_telemetry *t = &s->rec.telemetry;
	const struct identity *who = s->source->who;
	if (who->group == IDS_NONE)
		return;
	const struct string_state *st = &c->states[who->group];
	if (st->ts == TIME_NIL || t->ts < st->ts || t->ts - st->ts > c->join_ms)
		return;
	t->current_a = st->current_a;
	t->mode = st->mode;
	if (t->ts != st->ts)
		t->quality |= BIT(quality_interpolated);
	t->quality |= limits_check_current(&who->limits, t->current_a);
}

/* The series whose record comes next, NULL at the end; *r is -1 on failure. */
static struct series *earliest(struct classic *c, int *r, struct err *err)
{
	static const int order[] = {STRING, ENVIRONMENT, JAR};
	struct series *best = NULL;
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++) {
		struct series *s = &c->series[order[i]];
		if ((*r = fill(s, err)) < 0)
			return NULL;
		if (s->full && (!best || s->ts < best->ts))
			best = s;
	}
	return best;
}

static int finish(struct classic *c, struct err *err)
{
	if (!c->series[STRING_CALC].ended && advance_calc(c, TIME_MAX, err) < 0)
		return -1;
	for (uint32_t i = 0; i < c->strings.n; i++)
		unmatched(c, i);
	return 0;
}

int classic_next(struct classic *c, int *kind, const void **rec, struct err *err)
{
	int r;
	if (c->next_master < c->masters.n) {
		const struct kept *k = &c->masters.v[c->next_master++];
		*kind = k->kind;
		*rec = k->rec;
		return 1;
	}
	if (c->last)
		c->last->full = false;
	c->last = NULL;
	struct series *s = earliest(c, &r, err);
	if (r < 0)
		return -1;
	if (c->next_event < c->events.n &&
		(!s || c->events.v[c->next_event].ts <= s->ts)) {
		const struct kept *k = &c->events.v[c->next_event++];
		*kind = k->kind;
		*rec = k->rec;
		return 1;
	}
	if (!s)
		return finish(c, err);
	if (s == &c->series[STRING] && join_string(c, s, err) < 0)
		return -1;
	if (s == &c->series[JAR])
		join_jar(c, s);
	c->last = s;
	*kind = s->source->m.kind;
	*rec = &s->rec;
	return 1;
}

struct classic *classic_open(
	const char *dir, const struct ingest_env *env, struct err *err)
{
	struct classic *c = calloc(1, sizeof(*c));
	if (!c) {
		err_nomem(err);
		return NULL;
	}
	c->dir = dir;
	c->outer = env;
	c->env = *env;
	c->env.reject = reject;
	c->env.meet = meet;
	c->env.idle = NULL;
	c->env.battery = c->env.fleet = c->env.model = NULL;
	c->env.arg = c;
	if (read_masters(c, err) == 0 &&
		read_transactions(c, "maintenance_event", NULL, err) == 0 &&
		read_transactions(c, "capacity_test_raw", "capacity_test_calc", err) ==
			0 &&
		read_transactions(c, "impedance_measurement_raw",
			"impedance_measurement_calc", err) == 0 &&
		open_series(c, err) == 0) {
		keep_sort(&c->events);
		return c;
	}
	classic_free(c);
	return NULL;
}

static bool known(const struct classic *c, const char *name)
{
	for (int i = 0; i < c->nfiles; i++)
		if (strcmp(c->files[i].name, name) == 0)
			return true;
	return false;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);
	return n >= k && strcmp(s + n - k, end) == 0;
}

static int count_rows(const char *path, int64_t *n, struct err *err)
{
	struct text text;
	struct rows *rows = malloc(sizeof(*rows));
	int r = rows ? text_open(&text, path, err) : err_nomem(err);
	if (r == 0) {
		r = rows_open(rows, &text, ',', err);
		*n = -1; /* the header */
		while (r == 0 && (r = rows_next(rows, err)) > 0) {
			r = 0;
			++*n;
		}
		*n = *n < 0 ? 0 : *n;
		rows_close(rows);
		text_close(&text);
	}
	free(rows);
	return r;
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int classic_count_ignored(struct classic *c, struct err *err)
{
	struct dirent **list;
	char path[4096];
	int r = 0, n = scandir(c->dir, &list, visible, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		snprintf(path, sizeof(path), "%.3800s/%.255s", c->dir, name);
		if (r == 0 && !known(c, name)) {
			struct classic_file *f = add_file(c, path, FOREIGN);
			if (f &&
				(ends_with(name, ".csv") || ends_with(name, ".csv.gz")))
				r = count_rows(path, &f->ignored, err);
			if (f)
				f->rows = f->ignored;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return r;
}

const struct classic_file *classic_file(struct classic *c, int i)
{
	for (int k = 0; k < SERIES; k++)
		if (c->series[k].source)
			account(c, c->series[k].source);
	return i < c->nfiles ? &c->files[i] : NULL;
}

void classic_free(struct classic *c)
{
	if (!c)
		return;
	for (int i = 0; i < SERIES; i++)
		source_free(c->series[i].source);
	keep_release(&c->masters);
	keep_release(&c->events);
	ids_release(&c->strings);
	ids_release(&c->models);
	ids_release(&c->batteries);
	free(c->states);
	free(c->limits);
	free(c->model_of);
	free(c->string_of);
	free(c);
}
