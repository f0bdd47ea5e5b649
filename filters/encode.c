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
	struct buf raw;   /* the row so far, as it stands in the file */
	int64_t row_line; /* … and the line it begins in */
	bool after_cr;    /* a line end that may go on with a line feed */
	int ncolumns;     /* -1 before the header */
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
		/* Even an empty text needs a place to point to. */
		if (buf_reserve(&e->text, 1) == 0)
			buf_append(&e->text, given ? text : "", n);
	}
	e->cell++;
}

static void bad_header(struct encoder *e, const char *what, struct str name)
{
	struct err err = {0};
	err_set(&err, ERR_DATA, "%s: line %lld: kind '%s' %s '%.*s'", e->source,
		(long long)e->row_line, e->kind->name, what, STR_ARG(name));
	flow_fail(e->flow, &err);
}

static void read_header(struct encoder *e)
{
	bool seen[FIELDS_MAX] = {false};
	struct err err = {0};
	e->ncolumns = e->cell;
	for (int i = 0; i < e->ncolumns && i < FIELDS_MAX; i++) {
		int at = e->columns[i] = field_index(e->kind, e->cells[i]);
		if (at < 0)
			bad_header(e, "has no field", e->cells[i]);
		else if (seen[at])
			bad_header(e, "has two columns", e->cells[i]);
		else
			seen[at] = true;
	}
	if (e->ncolumns > FIELDS_MAX) {
		err_set(&err, ERR_DATA, "%s: line %lld: too many columns", e->source,
			(long long)e->row_line);
		flow_fail(e->flow, &err);
	}
}

/* The row as it stands in the file, without its line end. */
static struct str raw_row(const struct encoder *e)
{
	struct str row = {(const char *)e->raw.data, (uint32_t)e->raw.len};
	while (row.len && (row.s[row.len - 1] == '\n' || row.s[row.len - 1] == '\r'))
		row.len--;
	return row;
}

static void reject_row(struct encoder *e, const char *reason, struct str row)
{
	flow_reject_row(e->flow, e->kind->kind, e->source, e->row_line, reason, row);
}

static void encode_row(struct encoder *e)
{
	char reason[200];
	struct str row = raw_row(e);
	record_clear(e->kind, &e->any);
	if (e->cell != e->ncolumns) {
		snprintf(reason, sizeof(reason), "%d cells where the header has %d",
			e->cell, e->ncolumns);
		reject_row(e, reason, row);
		return;
	}
	for (int i = 0; i < e->ncolumns; i++) {
		const struct field_info *f = &e->kind->fields[e->columns[i]];
		const struct str *cell = &e->cells[i];
		/* The cells are in e->text, which is ours to change. */
		const char *why =
			cell->s ? text_parse_cell(f,
					  (char *)e->text.data + e->offsets[i],
					  cell->len, &e->any)
				: NULL;
		if (why) {
			snprintf(reason, sizeof(reason), "field '%s' is %s", f->name,
				why);
			reject_row(e, reason, row);
			return;
		}
	}
	flow_emit_row(e->flow, e->kind->kind, &e->any, e->source, e->row_line, row);
}

static void on_row(int end, void *context)
{
	struct encoder *e = context;
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
	buf_clear(&e->raw);
	e->cell = 0;
}

/* White space between rows belongs to none. */
static bool row_begun(const struct encoder *e)
{
	for (size_t i = 0; i < e->raw.len; i++)
		if (!memchr(" \t\r\n", e->raw.data[i], 4))
			return true;
	return false;
}

/* To the end of the line, or of what is there; *ended tells which. */
static size_t line_length(const char *p, size_t n, bool *ended)
{
	size_t k = 0;
	while (k < n && p[k] != '\n' && p[k] != '\r')
		k++;
	*ended = k < n;
	return k + *ended;
}

/*
 * The parser gets line by line, so that a row is known by the line it begins in and by
 * its own text. A line ends with a line feed, a carriage return or both.
 */
static int take_csv(struct encoder *e, struct csv_parser *csv, const char *p, size_t n)
{
	while (n) {
		bool ended = false, feed = e->after_cr && *p == '\n';
		size_t k = feed ? 1 : line_length(p, n, &ended);
		if (!row_begun(e)) {
			buf_clear(&e->raw);
			e->row_line = e->line;
		}
		buf_append(&e->raw, p, k);
		if (csv_parse(csv, p, k, on_cell, on_row, e) != k ||
			e->raw.len > LINE_MAX_BYTES || e->raw.failed)
			return -1;
		if (!feed && ended)
			e->line++;
		e->after_cr = p[k - 1] == '\r';
		p += k;
		n -= k;
	}
	return 0;
}

/* ---- reading ---- */

struct source {
	int fd;
	struct csv_parser csv;
};

static int not_csv(struct encoder *e, const char *why, struct err *err)
{
	return err_set(err, ERR_DATA, "%s: line %lld: %s", e->source,
		(long long)e->row_line, why);
}

static int feed(
	struct encoder *e, struct source *s, const char *p, size_t n, struct err *err)
{
	if (!e->o->csv) {
		take_ndjson(e, p, n);
		return 0;
	}
	if (take_csv(e, &s->csv, p, n) == 0)
		return 0;
	return not_csv(e, "not CSV, or a row over 1 MiB", err);
}

static int finish(struct encoder *e, struct source *s, struct err *err)
{
	if (!e->o->csv && e->text.len)
		take_ndjson(e, "\n", 1);
	if (e->o->csv && csv_fini(&s->csv, on_cell, on_row, e) != 0)
		return not_csv(e, "a quoted cell does not end", err);
	return 0;
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
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			return err_errno(err, "cannot read '%s'", e->source);
		if (n == 0)
			return finish(e, s, err);
		if (feed(e, s, chunk, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

static int encode_file(struct encoder *e, const char *path, struct err *err)
{
	bool std = strcmp(path, "-") == 0;
	/* A FIFO without a writer is waited for in pump, where signals are heard. */
	struct source s = {.fd = std ? STDIN_FILENO
				     : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	e->source = std ? "<stdin>" : path;
	e->line = e->o->csv; /* NDJSON counts ended lines, CSV the one at hand */
	e->after_cr = false;
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
	for (char **p = first < argc ? argv + first : standard;
		*p && !flow_interrupted(e.flow); p++)
		if (encode_file(&e, *p, &err) < 0) {
			flow_fail(e.flow, &err);
			break;
		}
	int status = flow_close(e.flow);
	buf_release(&e.text);
	buf_release(&e.raw);
	return status;
}
