/*
 * decode: records to NDJSON, CSV or an aligned table, or to a dataset directory.
 */
#include "base/diag.h"
#include "base/now.h"
#include "base/parse.h"
#include "record/text.h"
#include "report/publish.h"
#include "stream/flow.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

enum format { NDJSON, CSV, TABLE };
enum {
	OUT_CHUNK = 64 * 1024,
	TABLE_ROWS = 1000,
	COLUMNS_MAX = 2 * FIELDS_MAX, /* our fields and those only the stream has */
	CLOCK_EVERY = 32,             /* records between two looks at the clock */
};

struct options {
	bool ndjson, csv, table, no_header;
	const char *kind, *fields, *dataset;
};

/* The columns of a kind, by name: streams differ in the fields they have of it, and in
 * their order. */
struct columns {
	const struct schema *first; /* the kind's; NULL: none yet */
	int n;
	const char *names[COLUMNS_MAX];
	/* Where they are in the schema at hand. */
	const struct schema *schema;
	int index[COLUMNS_MAX]; /* -1: not there */
	bool wanted[FIELDS_MAX];
};

struct decoder {
	const struct options *o;
	enum format format;
	struct flow *flow;
	const struct kind_info *kind; /* NULL: all, or one this build does not know */
	int64_t kind_number;          /* that one, -1: known by its name */
	bool kind_seen;
	bool others;    /* records go to -o as well: they go on without the text */
	bool text_lost; /* … as they do now */
	bool steady;    /* all inputs are files: the clock must not shape a table */
	int64_t flush_ms, shown_at;
	unsigned tick;
	struct columns columns;
	struct buf out;
	/* TABLE: the rows waiting for their widths, NUL-terminated cells, and the width
	 * of each (uint32_t). */
	struct buf cells, widths, cell;
	int rows;
	uint32_t width[COLUMNS_MAX];
};

static const struct opt_usage USAGE = {"decode", "[options]",
	"print records as NDJSON, CSV or an aligned table; write datasets",
	"  simulate -n 100 | decode --kind telemetry --table\n"
	"  decode --kind alert --fields ts,subject,message <stream.fl\n"};

static void lose_text(struct decoder *d, int why)
{
	struct err err;
	errno = why;
	err_errno(&err, "cannot write '<stdout>'");
	if (d->others) {
		diag("%s; going on without it", err.msg);
		d->text_lost = true;
		return;
	}
	if (why == EPIPE) { /* '| head' ends it as quietly as any filter */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	flow_fail(d->flow, &err);
	d->text_lost = true;
}

/* A failed input is no reason to keep back what has been decoded: the ledger counts it.
 */
static void write_out(struct decoder *d)
{
	size_t done = 0;
	while (done < d->out.len && !d->text_lost) {
		ssize_t n = write(STDOUT_FILENO, d->out.data + done, d->out.len - done);
		if (n > 0) {
			done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) {
			struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
			(void)poll(&p, 1, -1);
		} else if (n == 0 || errno != EINTR) {
			lose_text(d, n == 0 ? ENOSPC : errno);
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

/* Our own fields in their order, then those only this schema has. */
static void all_columns(struct columns *c, const struct schema *s)
{
	for (int i = 0; s->info && i < s->info->nfields; i++)
		c->names[c->n++] = s->info->fields[i].name;
	for (int i = 0; i < s->nfields; i++)
		if (s->fields[i].to < 0)
			c->names[c->n++] = s->fields[i].name;
}

static const char *field_name(const struct schema *s, struct str name)
{
	int ours = s->info ? field_index(s->info, name) : -1;
	int theirs = schema_field(s, name);
	return ours >= 0     ? s->info->fields[ours].name
	       : theirs >= 0 ? s->fields[theirs].name
			     : NULL;
}

/* The columns of the kind s declares: those listed, or all. */
static int choose(
	struct columns *c, const struct schema *s, const char *list, struct err *err)
{
	*c = (struct columns){.first = s};
	if (!list)
		all_columns(c, s);
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");
		const char *name = field_name(s, (struct str){p, (uint32_t)n});
		if (!name)
			return err_set(err, ERR_USAGE, "kind '%s' has no field '%.*s'",
				s->name, (int)n, p);
		if (c->n == COLUMNS_MAX)
			return err_set(
				err, ERR_USAGE, "--fields: more than %d", COLUMNS_MAX);
		c->names[c->n++] = name;
		p += n + (p[n] == ',');
	}
	return 0;
}

static void find_columns(struct columns *c, const struct schema *s)
{
	c->schema = s;
	memset(c->wanted, 0, sizeof(c->wanted));
	for (int i = 0; i < c->n; i++) {
		c->index[i] = schema_field(s, str_of(c->names[i]));
		if (c->index[i] >= 0)
			c->wanted[c->index[i]] = true;
	}
}

static void print_header(struct decoder *d)
{
	const struct columns *c = &d->columns;
	for (int i = 0; i < c->n; i++) {
		buf_puts(&d->out, i ? "," : "");
		size_t from = d->out.len;
		buf_puts(&d->out, c->names[i]);
		text_quote(&d->out, from, false);
	}
	buf_puts(&d->out, "\n");
}

static void flush_table(struct decoder *d)
{
	const struct columns *c = &d->columns;
	const char *cell = (const char *)d->cells.data;
	const uint8_t *width = d->widths.data;
	for (int r = 0; r < d->rows; r++) {
		for (int i = 0; i < c->n; i++) {
			uint32_t w;
			memcpy(&w, width, sizeof(w));
			bool last = i == c->n - 1;
			buf_printf(&d->out, "%s%*s", cell,
				last ? 0 : (int)(d->width[i] - w) + 2, "");
			cell += strlen(cell) + 1;
			width += sizeof(w);
		}
		buf_puts(&d->out, "\n");
		if (d->out.len > OUT_CHUNK)
			write_out(d);
	}
	d->rows = 0;
	buf_clear(&d->cells);
	buf_clear(&d->widths);
}

static void table_cell(struct decoder *d, int column, struct str text)
{
	uint32_t w = text_show(text, &d->cells);
	if (w > d->width[column])
		d->width[column] = w;
	buf_append(&d->widths, &w, sizeof(w));
	buf_putc(&d->cells, '\0');
}

static void start_table(struct decoder *d)
{
	const struct columns *c = &d->columns;
	memset(d->width, 0, sizeof(d->width));
	for (int i = 0; i < c->n && !d->o->no_header; i++)
		table_cell(d, i, str_of(c->names[i]));
	d->rows = !d->o->no_header;
}

static int change_kind(struct decoder *d, const struct schema *s, struct err *err)
{
	const struct schema *before = d->columns.first;
	if (d->format == TABLE)
		flush_table(d);
	if (d->format == CSV && before)
		return err_set(err, ERR_USAGE,
			"CSV has room for one kind, but '%s' follows '%s': choose with "
			"--kind",
			s->name, before->name);
	if (choose(&d->columns, s, d->o->fields, err) < 0)
		return -1;
	if (d->format == CSV && !d->o->no_header)
		print_header(d);
	if (d->format == TABLE)
		start_table(d);
	return 0;
}

/* Makes the columns fit the record's kind and schema. */
static int fit_columns(struct decoder *d, const struct schema *s, struct err *err)
{
	struct columns *c = &d->columns;
	if (c->schema == s)
		return 0;
	bool same = c->first && c->first->kind == s->kind &&
		    strcmp(c->first->name, s->name) == 0;
	if (!same && change_kind(d, s, err) < 0)
		return -1;
	find_columns(c, s);
	return 0;
}

static int print_csv(struct decoder *d, const struct record *rec, struct err *err)
{
	const struct columns *c = &d->columns;
	for (int i = 0; i < c->n; i++) {
		buf_puts(&d->out, i ? "," : "");
		if (c->index[i] >= 0 && text_cell(rec->schema, rec->raw, rec->len,
						c->index[i], true, &d->out, err) < 0)
			return -1;
	}
	buf_puts(&d->out, "\n");
	return 0;
}

static int print_row(struct decoder *d, const struct record *rec, struct err *err)
{
	const struct columns *c = &d->columns;
	for (int i = 0; i < c->n; i++) {
		buf_clear(&d->cell);
		if (c->index[i] >= 0 && text_cell(rec->schema, rec->raw, rec->len,
						c->index[i], false, &d->cell, err) < 0)
			return -1;
		table_cell(d, i,
			(struct str){
				(const char *)d->cell.data, (uint32_t)d->cell.len});
	}
	if (++d->rows > TABLE_ROWS)
		flush_table(d);
	return 0;
}

static int print_json(struct decoder *d, const struct record *rec, struct err *err)
{
	const struct columns *c = &d->columns;
	if (text_json(rec->schema, rec->raw, rec->len, d->o->fields ? c->wanted : NULL,
		    &d->out, err) < 0)
		return -1;
	d->out.len--; /* the brace: fields this stream does not have are missing */
	for (int i = 0; i < c->n; i++)
		if (c->index[i] < 0)
			buf_printf(&d->out, ",\"%s\":null", c->names[i]);
	buf_puts(&d->out, "}\n");
	return 0;
}

static int print(struct decoder *d, const struct record *rec, struct err *err)
{
	if ((d->format != NDJSON || d->o->fields) &&
		fit_columns(d, rec->schema, err) < 0)
		return -1;
	size_t out = d->out.len, cells = d->cells.len, widths = d->widths.len;
	int r = d->format == CSV     ? print_csv(d, rec, err)
		: d->format == TABLE ? print_row(d, rec, err)
				     : print_json(d, rec, err);
	if (r < 0) { /* no half lines */
		d->out.len = out;
		d->cells.len = cells;
		d->widths.len = widths;
	}
	return r;
}

static bool chosen(struct decoder *d, const struct record *rec)
{
	if (!d->o->kind)
		return true;
	bool yes = d->kind               ? rec->kind == d->kind->kind
		   : d->kind_number >= 0 ? rec->kind == d->kind_number
					 : strcmp(rec->schema->name, d->o->kind) == 0;
	d->kind_seen |= yes;
	return yes;
}

static void handle(struct decoder *d, const struct record *rec)
{
	union rec_any any;
	struct err err = {0};
	if (!chosen(d, rec) || !flow_wants(d->flow, rec->kind)) {
		flow_drop(d->flow, rec);
		return;
	}
	/* Known kinds are checked in full before they are shown. */
	if (rec->schema->info && !flow_decode(d->flow, rec, &any))
		return;
	if (d->text_lost || print(d, rec, &err) == 0)
		flow_pass(d->flow, rec);
	else if (err.class == ERR_DATA)
		flow_reject(d->flow, rec, "%s", err.msg);
	else
		flow_fail(d->flow, &err);
}

static void show(struct decoder *d)
{
	if (d->format == TABLE)
		flush_table(d);
	write_out(d);
	d->shown_at = now_coarse_ms();
}

/* Records that are rare among many must not wait for the end of these. */
static void show_in_time(struct decoder *d)
{
	bool by_clock = d->format != TABLE || !d->steady;
	if (d->out.len > OUT_CHUNK)
		write_out(d);
	else if (by_clock && ++d->tick % CLOCK_EVERY == 0 &&
		 now_coarse_ms() - d->shown_at >= d->flush_ms)
		show(d);
}

static void run(struct decoder *d)
{
	struct record rec;
	struct err err;
	int r;
	d->shown_at = now_coarse_ms();
	while ((r = flow_next_wait(d->flow, &rec, 0)) > 0) {
		if (r == 2) { /* nothing more now: show what there is, then wait */
			show(d);
			if (flow_next(d->flow, &rec) <= 0)
				break;
		}
		handle(d, &rec);
		show_in_time(d);
	}
	show(d);
	if (d->o->kind && !d->kind && !d->kind_seen && r == 0) {
		err_set(&err, ERR_USAGE,
			"unknown kind '%s': neither this version nor the stream has it",
			d->o->kind);
		flow_fail(d->flow, &err);
	}
}

static bool regular(const char *path)
{
	struct stat st;
	int r = strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st);
	return r == 0 && S_ISREG(st.st_mode);
}

static void look_at_endpoints(struct decoder *d, const struct flow_options *fo)
{
	d->others = fo->outputs.n > 0;
	d->flush_ms = fo->flush_ms;
	d->steady = fo->inputs.n > 0 || regular("-");
	for (size_t i = 0; i < fo->inputs.n; i++)
		d->steady &= regular(fo->inputs.v[i]);
}

/* A kind this build does not know may be one of the stream. */
static int choose_kind(struct decoder *d, const char *kind, struct err *err)
{
	d->kind_number = -1;
	if (!kind)
		return 0;
	d->kind = parse_i64(str_of(kind), 0, KIND_MAX, &d->kind_number) == 0
			  ? kind_info((int)d->kind_number)
			  : kind_by_name(str_of(kind));
	if (d->kind_number == KIND_schema || (d->kind && kind_is_frame(d->kind->kind)))
		return err_set(err, ERR_USAGE,
			"records of kind '%s' frame the stream and are not shown",
			kind);
	return 0;
}

static int check(const struct options *o, struct decoder *d, struct err *err)
{
	bool text = o->ndjson || o->csv || o->table || o->kind || o->fields;
	if (o->dataset && (text || o->no_header))
		return err_set(err, ERR_USAGE,
			"--dataset writes files of its own: leave --ndjson, --csv, "
			"--table, --kind, --fields and --no-header away");
	if (o->ndjson + o->csv + o->table > 1)
		return err_set(err, ERR_USAGE,
			"--ndjson, --csv and --table exclude each other");
	d->format = o->csv ? CSV : o->table ? TABLE : NDJSON;
	if (choose_kind(d, o->kind, err) < 0)
		return -1;
	if (!o->fields)
		return 0;
	if (!o->kind)
		return err_set(err, ERR_USAGE, "--fields needs --kind");
	if (!d->kind)
		return 0;
	/* A misspelt field must not wait for the first record. */
	struct schema *s = schema_native(d->kind, err);
	int r = s ? choose(&d->columns, s, o->fields, err) : -1;
	schema_free(s);
	d->columns = (struct columns){0};
	return r;
}

/* Adds a record to the dataset; what the layout has no place for is dropped, unless
 * -o wants it. */
static void add_to_dataset(struct flow *flow, struct export *dataset,
	const struct record *rec, bool others)
{
	union rec_any any;
	struct err err = {0};
	int r = 0;
	if (!flow_wants(flow, rec->kind)) {
		flow_drop(flow, rec);
		return;
	}
	if (rec->schema->info && !flow_decode(flow, rec, &any))
		return;
	if (rec->schema->info)
		r = export_add(dataset, rec->kind, &any, &err);
	if (r < 0)
		flow_fail(flow, &err);
	else if (r > 0 || others)
		flow_pass(flow, rec);
	else
		flow_drop(flow, rec);
}

static void publish(struct flow *flow, struct export *dataset, const struct options *o,
	const struct flow_options *fo)
{
	struct err err = {0};
	enum verdict verdict;
	if (!flow_whole(flow))
		err_set(&err, ERR_DATA,
			"the stream was cut off or interrupted: the dataset '%s' was "
			"not "
			"written",
			o->dataset);
	else
		report_publish(dataset, &verdict, &err);
	if (err.class)
		flow_fail(flow, &err);
	else if (!fo->quiet)
		diag("dataset '%s' is written; its data quality report says %s",
			o->dataset, verdict_name(verdict));
}

static int write_dataset(const struct options *o, const struct flow_options *fo)
{
	struct record rec;
	struct err err = {0};
	int r;
	struct flow *flow = NULL;
	if (export_check(o->dataset, &err) == 0)
		flow = flow_open(fo, FLOW_SINK, "decode", NULL, &err);
	if (!flow)
		return diag_err(&err);
	/* Only now: until the flow is open a signal simply ends the program. */
	struct export *dataset = export_open(o->dataset, &err);
	if (!dataset)
		flow_fail(flow, &err);
	while ((r = flow_next(flow, &rec)) > 0)
		add_to_dataset(flow, dataset, &rec, fo->outputs.n > 0);
	if (r == 0 && !flow_failed(flow))
		publish(flow, dataset, o, fo);
	export_free(dataset);
	return flow_close(flow);
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
		{0, "dataset", "DIR", "write a dataset directory instead", OPT_STR,
			&o.dataset, 0, 0},
		{0, "no-header", NULL, "no header line", OPT_BOOL, &o.no_header, 0, 0},
		{0},
	};
	struct decoder d = {.o = &o, .kind_number = -1};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SINK), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "operand '%s' not understood; use -i FILE",
			argv[first]);
	if (r < 0 || check(&o, &d, &err) < 0)
		return diag_err(&err);
	if (o.dataset)
		return write_dataset(&o, &fo);
	d.flow = flow_open(&fo, FLOW_SINK, "decode", NULL, &err);
	if (!d.flow)
		return diag_err(&err);
	look_at_endpoints(&d, &fo);
	run(&d);
	int status = flow_close(d.flow);
	buf_release(&d.out);
	buf_release(&d.cells);
	buf_release(&d.widths);
	buf_release(&d.cell);
	return status == 0 && d.text_lost ? ERR_IO : status;
}
