/*
 * decode: records to NDJSON, CSV or an aligned table.
 */
#include "base/diag.h"
#include "record/text.h"
#include "stream/flow.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

enum format { NDJSON, CSV, TABLE };
enum { OUT_CHUNK = 64 * 1024, TABLE_ROWS = 1000 };

struct options {
	bool ndjson, csv, table, no_header;
	const char *kind, *fields;
};

/* The columns of the schema at hand. */
struct columns {
	const struct schema *schema;
	int n;
	int index[FIELDS_MAX];
	bool wanted[FIELDS_MAX];
};

struct decoder {
	const struct options *o;
	enum format format;
	struct flow *flow;
	const struct kind_info *kind; /* NULL: all */
	int csv_kind;                 /* CSV: the one kind, -1 not yet known */
	struct columns columns;
	struct buf out;
	struct buf cells; /* TABLE: NUL-terminated cells of the rows waiting for their
			     widths */
	int rows;
	uint32_t width[FIELDS_MAX];
};

static const struct opt_usage USAGE = {"decode", "[options]",
	"print records as NDJSON, CSV or an aligned table",
	"  simulate -n 100 | decode --kind telemetry --table\n"
	"  decode --kind alert --fields ts,subject,message <stream.fl\n"};

static void write_out(struct decoder *d)
{
	size_t done = 0;
	while (done < d->out.len && !flow_failed(d->flow)) {
		ssize_t n = write(STDOUT_FILENO, d->out.data + done, d->out.len - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n == 0 || errno != EINTR) {
			struct err err;
			errno = n == 0 ? ENOSPC : errno;
			err_errno(&err, "cannot write '<stdout>'");
			flow_fail(d->flow, &err);
		}
	}
	buf_clear(&d->out);
}

static int schema_field(const struct schema *s, struct str name)
{
	for (int i = 0; i < s->nfields; i++)
		if (str_is(name, s->fields[i].name))
			return i;
	return -1;
}

/* Fields the user named and the schema has; all when none were named. */
static int choose(
	struct columns *c, const struct schema *s, const char *list, struct err *err)
{
	*c = (struct columns){.schema = s};
	for (int i = 0; !list && i < s->nfields; i++)
		c->index[c->n++] = i;
	for (const char *p = list; p && *p && c->n < FIELDS_MAX;) {
		size_t n = strcspn(p, ",");
		int at = schema_field(s, (struct str){p, (uint32_t)n});
		if (at < 0)
			return err_set(err, ERR_USAGE, "kind '%s' has no field '%.*s'",
				s->name, (int)n, p);
		c->index[c->n++] = at;
		p += n + (p[n] == ',');
	}
	for (int i = 0; i < c->n; i++)
		c->wanted[c->index[i]] = true;
	return 0;
}

static void print_header(struct decoder *d)
{
	const struct columns *c = &d->columns;
	if (d->o->no_header)
		return;
	for (int i = 0; i < c->n; i++)
		buf_printf(&d->out, "%s%s", i ? "," : "",
			c->schema->fields[c->index[i]].name);
	buf_puts(&d->out, "\n");
}

static void flush_table(struct decoder *d)
{
	const struct columns *c = &d->columns;
	const char *cell = (const char *)d->cells.data;
	for (int r = 0; r < d->rows; r++) {
		for (int i = 0; i < c->n; i++) {
			bool last = i == c->n - 1;
			buf_printf(&d->out, "%-*s%s", last ? 0 : (int)d->width[i], cell,
				last ? "\n" : "  ");
			cell += strlen(cell) + 1;
		}
		if (d->out.len > OUT_CHUNK)
			write_out(d);
	}
	d->rows = 0;
	buf_clear(&d->cells);
}

static void table_cell(struct decoder *d, int column, size_t from)
{
	uint32_t n = (uint32_t)(d->cells.len - from);
	if (n > d->width[column])
		d->width[column] = n;
	buf_putc(&d->cells, '\0');
}

static void start_table(struct decoder *d)
{
	const struct columns *c = &d->columns;
	memset(d->width, 0, sizeof(d->width));
	for (int i = 0; i < c->n && !d->o->no_header; i++) {
		size_t from = d->cells.len;
		buf_puts(&d->cells, c->schema->fields[c->index[i]].name);
		table_cell(d, i, from);
	}
	d->rows = !d->o->no_header;
}

/* A schema not seen just before: new columns, and what depends on them. */
static int change_schema(struct decoder *d, const struct record *rec, struct err *err)
{
	if (d->format == TABLE)
		flush_table(d);
	if (d->format == CSV && d->csv_kind >= 0 && d->csv_kind != rec->kind)
		return err_set(err, ERR_USAGE,
			"CSV has room for one kind, but '%s' follows '%s': choose with "
			"--kind",
			rec->schema->name, d->columns.schema->name);
	if (choose(&d->columns, rec->schema, d->o->fields, err) < 0)
		return -1;
	if (d->format == CSV && d->csv_kind < 0)
		print_header(d);
	if (d->format == TABLE)
		start_table(d);
	d->csv_kind = rec->kind;
	return 0;
}

static int print_cells(struct decoder *d, const struct record *rec, struct err *err)
{
	const struct columns *c = &d->columns;
	struct buf *to = d->format == CSV ? &d->out : &d->cells;
	for (int i = 0; i < c->n; i++) {
		size_t from = to->len;
		if (d->format == CSV && i)
			buf_putc(to, ',');
		if (text_cell(rec->schema, rec->raw, rec->len, c->index[i],
			    d->format == CSV, to, err) < 0)
			return -1;
		if (d->format == TABLE)
			table_cell(d, i, from);
	}
	if (d->format == CSV)
		buf_puts(to, "\n");
	else if (++d->rows > TABLE_ROWS)
		flush_table(d);
	return 0;
}

static int print(struct decoder *d, const struct record *rec, struct err *err)
{
	if (d->columns.schema != rec->schema && change_schema(d, rec, err) < 0)
		return -1;
	if (d->format != NDJSON)
		return print_cells(d, rec, err);
	if (text_json(rec->schema, rec->raw, rec->len,
		    d->o->fields ? d->columns.wanted : NULL, &d->out, err) < 0)
		return -1;
	buf_puts(&d->out, "\n");
	return 0;
}

static void handle(struct decoder *d, const struct record *rec)
{
	union rec_any any;
	struct err err = {0};
	if (d->kind && rec->kind != d->kind->kind) {
		flow_drop(d->flow, rec);
		return;
	}
	/* Known kinds are checked in full before they are shown. */
	if (rec->schema->info && !flow_decode(d->flow, rec, &any))
		return;
	if (print(d, rec, &err) < 0)
		flow_fail(d->flow, &err);
	else
		flow_pass(d->flow, rec);
}

static void show(struct decoder *d)
{
	if (d->format == TABLE)
		flush_table(d);
	write_out(d);
}

static void run(struct decoder *d)
{
	struct record rec;
	int r;
	while ((r = flow_next_wait(d->flow, &rec, 0)) > 0) {
		if (r == 2) { /* nothing more now: show what there is, then wait */
			show(d);
			if (flow_next(d->flow, &rec) <= 0)
				break;
		}
		handle(d, &rec);
		if (d->out.len > OUT_CHUNK)
			write_out(d);
	}
	show(d);
}

static int check(const struct options *o, struct decoder *d, struct err *err)
{
	if (o->ndjson + o->csv + o->table > 1)
		return err_set(err, ERR_USAGE,
			"--ndjson, --csv and --table exclude each other");
	d->format = o->csv ? CSV : o->table ? TABLE : NDJSON;
	if (o->kind && !(d->kind = kind_by_name(str_of(o->kind))))
		return err_set(err, ERR_USAGE,
			"unknown kind '%s', see floatline-records(5)", o->kind);
	if (!o->fields)
		return 0;
	if (!d->kind)
		return err_set(err, ERR_USAGE, "--fields needs --kind");
	/* A misspelt field must not wait for the first record. */
	struct schema *s = schema_native(d->kind, err);
	int r = s ? choose(&d->columns, s, o->fields, err) : -1;
	schema_free(s);
	d->columns = (struct columns){0};
	return r;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct flow_options fo;
	struct err err = {0};
	int first;
	const struct opt own[] = {
		{'j', "ndjson", NULL, "NDJSON, one object a line (the default)",
			OPT_BOOL, &o.ndjson, 0, 0},
		{'c', "csv", NULL, "CSV with a header line; one kind only", OPT_BOOL,
			&o.csv, 0, 0},
		{'t', "table", NULL, "a table for people", OPT_BOOL, &o.table, 0, 0},
		{'k', "kind", "KIND", "only records of this kind", OPT_STR, &o.kind, 0,
			0},
		{'f', "fields", "FIELD,...",
			"only these fields; CSV and table in this order", OPT_STR,
			&o.fields, 0, 0},
		{0, "no-header", NULL, "no header line", OPT_BOOL, &o.no_header, 0, 0},
		{0},
	};
	struct decoder d = {.o = &o, .csv_kind = -1};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SINK), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "operand '%s' not understood; use -i FILE",
			argv[first]);
	if (r < 0 || check(&o, &d, &err) < 0)
		return diag_err(&err);
	d.flow = flow_open(&fo, FLOW_SINK, "decode", NULL, &err);
	if (!d.flow)
		return diag_err(&err);
	signal(SIGPIPE,
		SIG_DFL); /* text is what decode is for: '| head' ends it quietly */
	run(&d);
	int status = flow_close(d.flow);
	buf_release(&d.out);
	buf_release(&d.cells);
	return status;
}
