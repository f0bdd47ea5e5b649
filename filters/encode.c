/*
 * encode: NDJSON or CSV to records.
 */
#include "base/diag.h"
#include "record/json.h"
#include "record/text.h"
#include "stream/flow.h"
#include "stream/signals.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, LINE_MAX_BYTES = RECORD_MAX };

struct options {
	bool csv;
	const char *kind, *run;
};

struct encoder {
	const struct options *o;
	struct flow *flow;
	const struct kind_info *kind; /* CSV */
	const char *source;
	int64_t line;
	struct buf text; /* NDJSON: the line so far; CSV: the cells of the row so far */
	bool too_long;
	/* CSV */
	int ncolumns; /* -1 before the header */
	int columns[FIELDS_MAX];
	int cell;
	struct str cells[FIELDS_MAX];
	size_t offsets[FIELDS_MAX];
	union rec_any any;
};

static const struct opt_usage USAGE = {"encode", "[options] [file ...]",
	"make records from NDJSON or CSV",
	"  decode <in.fl | jq -c 'select(.voltage_v > 13)' | encode >out.fl\n"
	"  encode --csv --kind telemetry table.csv >out.fl\n"};

static void reject(struct encoder *e, int kind, const char *reason, struct str original)
{
	flow_reject_row(e->flow, kind, e->source, e->line, reason, original);
}

/* ---- NDJSON ---- */

static void encode_object(struct encoder *e, json_t *object, struct str line)
{
	struct err err = {0};
	const char *name = json_string_value(json_object_get(object, "kind"));
	const struct kind_info *k = name ? kind_by_name(str_of(name)) : NULL;
	if (!k || kind_is_frame(k->kind))
		reject(e, 0, name ? "unknown kind" : "no member 'kind'", line);
	else if (json_record(k, object, &e->any, &err) < 0)
		reject(e, k->kind, err.msg, line);
	else
		flow_emit_row(e->flow, k->kind, &e->any, e->source, e->line, line);
}

static void encode_line(struct encoder *e)
{
	json_error_t why;
	struct str line = {(const char *)e->text.data, (uint32_t)e->text.len};
	e->line++;
	if (e->too_long) {
		reject(e, 0, "line longer than 1 MiB", line);
	} else if (line.len && strspn((const char *)e->text.data, " \t\r") < line.len) {
		json_t *v = json_loadb(line.s, line.len, JSON_REJECT_DUPLICATES, &why);
		if (json_is_object(v))
			encode_object(e, v, line);
		else
			reject(e, 0, v ? "not a JSON object" : why.text, line);
		json_decref(v);
	}
	buf_clear(&e->text);
	e->too_long = false;
}

static void take_ndjson(struct encoder *e, const char *p, size_t n)
{
	while (n && !flow_interrupted(e->flow)) {
		const char *nl = memchr(p, '\n', n);
		size_t k = nl ? (size_t)(nl - p) : n;
		size_t room = LINE_MAX_BYTES - e->text.len;
		e->too_long |= k > room;
		buf_append(&e->text, p, k < room ? k : room);
		if (!nl)
			return;
		buf_putc(&e->text, '\0'); /* strspn above must end */
		e->text.len--;
		encode_line(e);
		p += k + 1;
		n -= k + 1;
	}
}

/* ---- CSV ---- */

static void on_cell(void *text, size_t n, void *context)
{
	struct encoder *e = context;
	bool given = text !=
		     NULL; /* CSV_EMPTY_IS_NULL: unquoted empty is missing, "" is not */
	if (e->cell < FIELDS_MAX) {
		e->offsets[e->cell] = given ? e->text.len : SIZE_MAX;
		e->cells[e->cell].len = (uint32_t)n;
		buf_append(&e->text, text, n);
	}
	e->cell++;
}

static void read_header(struct encoder *e)
{
	struct err err = {0};
	e->ncolumns = e->cell;
	for (int i = 0; i < e->ncolumns && i < FIELDS_MAX; i++) {
		e->columns[i] = field_index(e->kind, e->cells[i]);
		if (e->columns[i] < 0) {
			err_set(&err, ERR_DATA,
				"%s: line 1: kind '%s' has no field '%.*s'", e->source,
				e->kind->name, STR_ARG(e->cells[i]));
			flow_fail(e->flow, &err);
		}
	}
	if (e->ncolumns > FIELDS_MAX) {
		err_set(&err, ERR_DATA, "%s: line 1: too many columns", e->source);
		flow_fail(e->flow, &err);
	}
}

static void encode_row(struct encoder *e)
{
	char reason[200];
	struct str row = {(const char *)e->text.data, (uint32_t)e->text.len};
	record_clear(e->kind, &e->any);
	if (e->cell != e->ncolumns) {
		snprintf(reason, sizeof(reason), "%d cells where the header has %d",
			e->cell, e->ncolumns);
		reject(e, e->kind->kind, reason, row);
		return;
	}
	for (int i = 0; i < e->ncolumns; i++) {
		const struct field_info *f = &e->kind->fields[e->columns[i]];
		const char *why = e->cells[i].s
					  ? text_parse_field(f, e->cells[i], &e->any)
					  : NULL;
		if (why) {
			snprintf(reason, sizeof(reason), "field '%s' is %s", f->name,
				why);
			reject(e, e->kind->kind, reason, row);
			return;
		}
	}
	flow_emit_row(e->flow, e->kind->kind, &e->any, e->source, e->line, row);
}

static void on_row(int end, void *context)
{
	struct encoder *e = context;
	e->line++;
	for (int i = 0; i < e->cell && i < FIELDS_MAX; i++) {
		bool given = e->offsets[i] != SIZE_MAX;
		e->cells[i].s =
			given ? (const char *)e->text.data + e->offsets[i] : NULL;
	}
	if (e->ncolumns < 0)
		read_header(e);
	else if (!flow_interrupted(e->flow))
		encode_row(e);
	buf_clear(&e->text);
	e->cell = 0;
}

/* ---- reading ---- */

struct source {
	int fd;
	struct csv_parser csv;
};

static int feed(
	struct encoder *e, struct source *s, const char *p, size_t n, struct err *err)
{
	if (!e->o->csv) {
		take_ndjson(e, p, n);
		return 0;
	}
	if (csv_parse(&s->csv, p, n, on_cell, on_row, e) == n &&
		e->text.len <= LINE_MAX_BYTES)
		return 0;
	return err_set(err, ERR_DATA, "%s: line %lld: not CSV, or a row over 1 MiB",
		e->source, (long long)e->line + 1);
}

static void finish(struct encoder *e, struct source *s)
{
	if (e->o->csv)
		csv_fini(&s->csv, on_cell, on_row, e);
	else if (e->text.len)
		take_ndjson(e, "\n", 1);
}

static int pump(struct encoder *e, struct source *s, struct err *err)
{
	char chunk[CHUNK];
	while (!flow_interrupted(e->flow)) {
		if (signals_wait(s->fd, 0) == 0) {
			flow_flush(e->flow);
			if (signals_wait(s->fd, -1) != 1)
				continue;
		}
		ssize_t n = read(s->fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "cannot read '%s'", e->source);
		if (n == 0) {
			finish(e, s);
			return 0;
		}
		if (feed(e, s, chunk, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

static int encode_file(struct encoder *e, const char *path, struct err *err)
{
	bool std = strcmp(path, "-") == 0;
	struct source s = {.fd = std ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
	e->source = std ? "<stdin>" : path;
	e->line = 0;
	e->ncolumns = -1;
	if (s.fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (csv_init(&s.csv, CSV_STRICT | CSV_STRICT_FINI | CSV_EMPTY_IS_NULL) != 0)
		return err_nomem(err);
	int r = pump(e, &s, err);
	csv_free(&s.csv);
	if (!std)
		close(s.fd);
	return r;
}

static int check(const struct options *o, struct encoder *e, struct err *err)
{
	if (o->csv != (o->kind != NULL))
		return err_set(err, ERR_USAGE, "--csv and --kind go together");
	if (o->kind && (!(e->kind = kind_by_name(str_of(o->kind))) ||
			       kind_is_frame(e->kind->kind)))
		return err_set(err, ERR_USAGE,
			"unknown kind '%s', see floatline-records(5)", o->kind);
	if (o->run && (strlen(o->run) > CODE_MAX || !*o->run))
		return err_set(err, ERR_USAGE, "--run: 1 to %d characters", CODE_MAX);
	return 0;
}

int main(int argc, char **argv)
{
	char dash[] = "-", *standard[] = {dash, NULL};
	struct options o = {0};
	struct flow_options fo;
	struct err err = {0};
	int first;
	const struct opt own[] = {
		{'c', "csv", NULL, "input is CSV with a header line; needs --kind",
			OPT_BOOL, &o.csv, 0, 0},
		{'k', "kind", "KIND", "CSV: the kind of all its rows", OPT_STR, &o.kind,
			0, 0},
		{0, "run", "ID", "run id of the stream (default: production)", OPT_STR,
			&o.run, 0, 0},
		{0},
	};
	struct encoder e = {.o = &o};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SOURCE), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r < 0 || check(&o, &e, &err) < 0)
		return diag_err(&err);
	e.flow = flow_open(&fo, FLOW_SOURCE, "encode", NULL, &err);
	if (!e.flow)
		return diag_err(&err);
	if (o.run)
		flow_set_run(e.flow, o.run);
	for (char **p = first < argc ? argv + first : standard; *p; p++)
		if (encode_file(&e, *p, &err) < 0) {
			flow_fail(e.flow, &err);
			break;
		}
	int status = flow_close(e.flow);
	buf_release(&e.text);
	return status;
}
