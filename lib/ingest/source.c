#include "ingest/source.h"

#include "battery/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

void limits_of_model(const struct battery_model *m, struct limits *out)
{
	*out = (struct limits){
		.voltage_hard_min_v = (float)m->voltage_hard_min_v,
		.voltage_hard_max_v = (float)m->voltage_hard_max_v,
		.voltage_plausible_min_v = (float)m->voltage_plausible_min_v,
		.voltage_plausible_max_v = (float)m->voltage_plausible_max_v,
		.temperature_min_c = (float)m->temperature_min_c,
		.temperature_max_c = (float)m->temperature_max_c,
		.resistance_min_mohm = (float)m->resistance_min_mohm,
		.resistance_max_mohm = (float)m->resistance_max_mohm,
		.current_max_a = (float)m->current_max_a,
	};
}

static int load_limits(struct source *s, struct err *err)
{
	const char *name = s->env->model ? s->env->model : s->m.model;
	if (!*name || s->model)
		return 0;
	s->model = malloc(sizeof(*s->model));
	if (!s->model)
		return err_nomem(err);
	if (battery_model_named(name, s->model, err) < 0)
		return -1;
	limits_of_model(s->model, &s->limits);
	return 0;
}

bool source_master(const struct source *s, size_t i, struct rec_battery_model *model,
	struct rec_battery *battery)
{
	const struct identities *who = &s->convert.who;
	if (!s->model || s->m.id_table >= 0 || i >= who->codes.n ||
		s->m.kind == KIND_string_telemetry || s->m.kind == KIND_environment)
		return false;
	battery_model_record(s->model, model);
	record_clear(kind_info(KIND_battery), battery);
	battery->code = str_of(who->by_code[i]->code);
	battery->model = model->name;
	return true;
}

static void meet(void *arg, struct identity *who)
{
	struct source *s = arg;
	if (s->env->meet)
		s->env->meet(s->env->arg, who);
	else if (s->model)
		who->limits = s->limits;
}

static int choose_mapping(struct source *s, const char *mapping,
	const struct row *header, struct err *err)
{
	if (s->mapped)
		return 0;
	int r = mapping ? mapping_named(&s->m, mapping, err)
			: mapping_detect(
				  &s->m, header->field, header->n, s->text.name, err);
	if (r < 0)
		return -1;
	if (s->env->zone) {
		if (!str_copy(s->m.clock.zone, sizeof(s->m.clock.zone),
			    str_of(s->env->zone)))
			return err_set(
				err, ERR_USAGE, "zone '%s' is too long", s->env->zone);
	}
	s->mapped = true;
	return load_limits(s, err);
}

/* The folder of a path, for the map files beside it. */
static void folder(const char *path, char *dst, size_t size)
{
	const char *slash = strrchr(path, '/');
	if (slash)
		snprintf(dst, size, "%.*s", (int)(slash - path + 1), path);
	else
		snprintf(dst, size, ".");
}

static int keep_header(struct source *s, struct err *err)
{
	const struct row *row = &s->rows.row;
	s->ncolumns = row->n;
	s->nignored = 0;
	for (int i = 0; i < row->n; i++) {
		if (row->field[i].len >= MAP_NAME_SIZE)
			return err_set(err, ERR_DATA,
				"'%s': column %d has a name longer than %d bytes; is "
				"this a CSV?",
				s->text.name, i + 1, MAP_NAME_SIZE - 1);
		if (row->field[i].len)
			memcpy(s->names[i], row->field[i].s, row->field[i].len);
		s->header[i] = (struct str){s->names[i], row->field[i].len};
		s->nignored += mapping_column(&s->m, s->header[i]) == 0;
	}
	return 0;
}

/* NDJSON objects need not have every key: the columns are those of the mapping. */
static void add_column(struct source *s, const char *name)
{
	if (!*name || s->ncolumns == ROW_FIELDS_MAX)
		return;
	for (int i = 0; i < s->ncolumns; i++)
		if (str_is(s->header[i], name))
			return;
	snprintf(s->names[s->ncolumns], MAP_NAME_SIZE, "%s", name);
	s->header[s->ncolumns] = str_of(s->names[s->ncolumns]);
	s->ncolumns++;
}

static void complete_columns(struct source *s)
{
	add_column(s, s->m.time_column);
	add_column(s, s->m.id_column);
	add_column(s, s->m.key_column);
	for (int i = 0; i < s->m.ntargets; i++)
		add_column(s, s->m.targets[i].column);
	for (int i = 0; i < s->m.nignored; i++)
		add_column(s, s->m.ignored[i]);
	s->rows.names = s->header;
	s->rows.nnames = s->ncolumns;
}

/* Is the text NDJSON? Its first byte that is not blank says so. */
static bool looks_json(const struct rows *r)
{
	const char *p = r->lines.buf + r->lines.start,
		   *end = r->lines.buf + r->lines.end;
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p < end && *p == '{';
}

/* Binary files have control bytes early on; text has none but tabs and line ends. */
static int check_text(const struct source *s, struct str line, struct err *err)
{
	for (uint32_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.s[i];
		if ((c < ' ' && c != '\t' && c != '\r') || c == 0x7f)
			return err_set(err, ERR_DATA,
				"'%s' is no text: byte %u of its first line is 0x%02x",
				s->text.name, i + 1, c);
	}
	return 0;
}

/* Reads the header and binds the columns. 1, 0 when there is none yet, -1. */
static int begin(struct source *s, const char *mapping, struct err *err)
{
	char dir[4096];
	struct str line;
	size_t total;
	int n = lines_peek(&s->rows.lines, 0, &line, &total, err);
	if (n <= 0)
		return n;
	if (check_text(s, line, err) < 0)
		return -1;
	s->rows.ndjson = s->m.ndjson || looks_json(&s->rows);
	s->rows.delimiter = s->m.delimiter ? s->m.delimiter : ',';
	n = s->rows.ndjson ? rows_peek_keys(&s->rows, err) : rows_next(&s->rows, err);
	if (n <= 0)
		return n;
	if (s->rows.row.defect)
		return err_set(err, ERR_DATA, "'%s' line %lld is no header: %s",
			s->text.name, (long long)s->rows.row.line, s->rows.row.defect);
	if (choose_mapping(s, mapping, &s->rows.row, err) < 0 ||
		keep_header(s, err) < 0)
		return -1;
	if (s->rows.ndjson)
		complete_columns(s);
	else if (s->m.ndjson)
		return err_set(err, ERR_USAGE,
			"'%s' is no NDJSON, as mapping '%s' says", s->text.name,
			s->m.name);
	folder(s->path, dir, sizeof(dir));
	s->convert.meet = meet;
	s->convert.arg = s;
	return convert_open(&s->convert, &s->m, s->header, s->ncolumns, s->text.name,
		       s->env->fleet ? s->env->fleet : dir, s->env->battery, err) < 0
		       ? -1
		       : 1;
}

struct source *source_open(const char *path, const char *mapping,
	const struct ingest_env *env, struct err *err)
{
	struct source *s = calloc(1, sizeof(*s));
	if (!s) {
		err_nomem(err);
		return NULL;
	}
	s->env = env;
	snprintf(s->path, sizeof(s->path), "%s", path);
	order_init(&s->order, env->clock_fault_ms);
	int r = text_open(&s->text, s->path, err);
	if (r == 0) {
		s->text.idle = env->idle;
		s->text.idle_arg = env->arg;
		r = rows_open(&s->rows, &s->text, ',', err);
		s->rows.lines.partial = !env->follow;
	}
	if (r == 0 && mapping)
		r = choose_mapping(s, mapping, NULL, err);
	if (r == 0 && begin(s, mapping, err) < 0)
		r = -1;
	if (r == 0)
		return s;
	source_free(s);
	return NULL;
}

static void reject(struct source *s, int64_t line, const char *reason, struct str text)
{
	s->nrejected++;
	s->env->reject(s->env->arg, s->m.kind, s->path, line, reason, text);
}

static bool ordered(const struct source *s)
{
	return (s->m.kind == KIND_telemetry || s->m.kind == KIND_string_telemetry ||
		       s->m.kind == KIND_environment) &&
	       !s->m.partial;
}

static void mark(const struct source *s, union rec_any *rec, int32_t quality)
{
	if (s->m.kind == KIND_telemetry)
		rec->telemetry.quality |= quality;
	else if (s->m.kind == KIND_string_telemetry)
		rec->string_telemetry.quality |= quality;
}

static void reject_fault(struct source *s, const struct held *h)
{
	char reason[160];
	int64_t others =
		h->who == s->order.front_who ? s->order.second : s->order.front;
	snprintf(reason, sizeof(reason),
		"clock fault: %.1f h ahead of the other sources",
		(double)(h->ts - others) / (double)HOUR_MS);
	reject(s, h->line, reason, (struct str){h->original, h->text});
}

/* Hands out what was held and is decided. 1, or 0 when there is nothing. */
static int next_ready(struct source *s, union rec_any *rec)
{
	int32_t quality = 0;
	struct held *h;
	if (s->taken)
		order_done(&s->order, s->taken);
	s->taken = NULL;
	while ((h = order_ready(&s->order, &quality))) {
		if (!h->fault)
			break;
		reject_fault(s, h);
		order_done(&s->order, h);
	}
	if (!h)
		return 0;
	memcpy(rec, &h->rec, s->m.info->size);
	mark(s, rec, quality);
	s->taken = h;
	s->who = h->who;
	s->ts = h->ts;
	s->nemitted++;
	return 1;
}

static int emit(struct source *s, struct identity *who, int64_t ts)
{
	s->ts = ts;
	s->who = who;
	s->nemitted++;
	return 1;
}

static bool usable(struct source *s, const struct row *row)
{
	char reason[REASON_SIZE];
	if (row->defect) {
		reject(s, row->line, row->defect, row->original);
		return false;
	}
	if (row->n != s->ncolumns) {
		snprintf(reason, sizeof(reason), "%d columns where the header has %d",
			row->n, s->ncolumns);
		reject(s, row->line, reason, row->original);
		return false;
	}
	return true;
}

/* The header of a reopened file: it must be the same. 2, or -1. */
static int check_again(struct source *s, struct err *err)
{
	const struct row *row = &s->rows.row;
	bool same = row->n == s->ncolumns && !row->defect;
	for (int i = 0; i < row->n && same; i++)
		same = str_eq(row->field[i], s->header[i]);
	s->skip_header = false;
	if (same)
		return 2;
	return err_set(
		err, ERR_DATA, "'%s' has another header now: start again", s->path);
}

/* One row of the file. 1 a record, 0 nothing more (or for now), 2 look again, -1. */
static int next_row(struct source *s, union rec_any *rec, struct err *err)
{
	struct converted out;
	const struct row *row = &s->rows.row;
	int r = rows_next(&s->rows, err);
	if (r > 0 && s->skip_header)
		return check_again(s, err);
	if (r <= 0) {
		s->ended = s->text.end && s->rows.lines.partial;
		return r;
	}
	int64_t number = s->nrows++;
	if (!usable(s, row))
		return 2;
	r = convert_row(&s->convert, row, number, rec, &out, err);
	if (r < 0)
		return -1;
	if (r == 0) {
		reject(s, row->line, out.reason, row->original);
		return 2;
	}
	s->key = out.key;
	if (!ordered(s) || !out.who)
		return emit(s, out.who, out.ts);
	int32_t quality = 0;
	r = order_row(&s->order, out.who, out.ts, rec, s->m.info->size, row->line,
		row->original, &quality, err);
	if (r <= 0)
		return r < 0 ? -1 : 2;
	mark(s, rec, quality);
	if (!s->order.ready)
		return emit(s, out.who, out.ts);
	s->pending = true; /* behind those that are decided now */
	memcpy(&s->pending_rec, rec, s->m.info->size);
	s->pending_who = out.who;
	return 2;
}

int source_next(struct source *s, union rec_any *rec, struct err *err)
{
	if (!s->convert.m) {
		int r = begin(s, NULL, err);
		s->ended = r == 0 && s->text.end && s->rows.lines.partial;
		if (r <= 0)
			return r;
	}
	for (;;) {
		if ((s->order.ready || s->taken) && next_ready(s, rec))
			return 1;
		if (s->pending) {
			s->pending = false;
			memcpy(rec, &s->pending_rec, s->m.info->size);
			return emit(s, s->pending_who, record_ts(s->m.info, rec));
		}
		int r = s->ended ? 0 : next_row(s, rec, err);
		if (r == 1 || r < 0)
			return r;
		if (r == 0 && s->ended && s->order.waiting) {
			order_finish(&s->order);
			continue;
		}
		if (r == 0)
			return 0;
	}
}

/* Rejects a last line that has no newline. */
static void reject_rest(struct source *s)
{
	struct lines *l = &s->rows.lines;
	struct str rest = {l->buf + l->start, (uint32_t)(l->end - l->start)};
	if (rest.len == 0 || !l->buf)
		return;
	s->nrows++;
	reject(s, l->line, "line was not finished", rest);
	l->start = l->end;
}

int source_reopen(struct source *s, char *why, size_t size, struct err *err)
{
	struct stat now, then;
	off_t at = lseek(s->text.fd, 0, SEEK_CUR);
	if (s->text.live || fstat(s->text.fd, &then) < 0 || stat(s->path, &now) < 0)
		return 0; /* moved away: its successor is not there yet */
	bool other = now.st_ino != then.st_ino || now.st_dev != then.st_dev;
	if (!other && now.st_size >= at)
		return 0;
	snprintf(why, size, "'%s' was %s: reading it from its beginning", s->path,
		other ? "replaced" : "cut short");
	bool ndjson = s->rows.ndjson;
	reject_rest(s);
	rows_close(&s->rows);
	text_close(&s->text);
	if (text_open(&s->text, s->path, err) < 0 ||
		rows_open(&s->rows, &s->text, ',', err) < 0)
		return -1;
	s->text.idle = s->env->idle;
	s->text.idle_arg = s->env->arg;
	s->rows.lines.partial = false;
	s->rows.ndjson = ndjson;
	s->rows.delimiter = s->m.delimiter ? s->m.delimiter : ',';
	s->rows.names = s->header;
	s->rows.nnames = s->ncolumns;
	s->skip_header = s->convert.m && !s->rows.ndjson;
	return 1;
}

void source_finish(struct source *s)
{
	if (!s->rows.lines.partial)
		reject_rest(s);
	s->ended = true;
}

void source_free(struct source *s)
{
	if (!s)
		return;
	if (s->taken)
		order_done(&s->order, s->taken);
	order_release(&s->order);
	convert_close(&s->convert);
	rows_close(&s->rows);
	text_close(&s->text);
	free(s->model);
	free(s);
}
