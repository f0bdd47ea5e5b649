/*
 * ledger: reads the lines that --ledger wrote and checks that nothing was lost. Within
 * a program, in + added = out + rejected + dropped, per kind; along a pipeline, what
 * one program put out is what the next one took in.
 */
#include "base/diag.h"
#include "base/opt.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static const struct opt_usage USAGE = {"ledger", "[FILE ...]",
	"check that no record of a pipeline was lost",
	"  simulate --ledger l.ndjson | featurize --ledger l.ndjson >f.flt\n"
	"  ledger l.ndjson\n"};

static const char *const COLUMNS[] = {
	"in", "added", "out", "rejected", "dropped", "unused"};
enum { IN, ADDED, OUT, REJECTED, DROPPED, UNUSED, NCOLUMNS };

struct entry {
	json_t *line; /* owns everything else */
	const char *program;
	json_t *chain, *kinds;
	char *key, *producer; /* the chain as text, with and without this program */
};

struct book {
	struct entry *v;
	size_t n;
	int faults;
};

static void entry_release(struct entry *e)
{
	json_decref(e->line);
	free(e->key);
	free(e->producer);
}

static void book_release(struct book *b)
{
	for (size_t i = 0; i < b->n; i++)
		entry_release(&b->v[i]);
	free(b->v);
}

/* The first n programs of the chain and the run, as one text to compare. */
static char *chain_key(const struct entry *e, size_t n)
{
	const char *run = json_string_value(json_object_get(e->line, "run"));
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	if (!f)
		return NULL;
	fprintf(f, "%s|", run ? run : "");
	for (size_t i = 0; i < n; i++) {
		const char *p = json_string_value(json_array_get(e->chain, i));
		fprintf(f, "%s|", p ? p : "");
	}
	if (fclose(f) != 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int entry_read(struct entry *e, const char *text, struct err *err)
{
	json_error_t je;
	e->line = json_loads(text, JSON_REJECT_DUPLICATES, &je);
	if (!e->line)
		return err_set(err, ERR_DATA, "not JSON: %s", je.text);
	e->program = json_string_value(json_object_get(e->line, "program"));
	e->chain = json_object_get(e->line, "chain");
	e->kinds = json_object_get(e->line, "kinds");
	size_t n = json_array_size(e->chain);
	if (!e->program || n == 0 || !json_is_object(e->kinds))
		return err_set(err, ERR_DATA,
			"no ledger line: 'program', 'chain' and 'kinds' are needed");
	e->key = chain_key(e, n);
	e->producer = n > 1 ? chain_key(e, n - 1) : NULL;
	return e->key && (n == 1 || e->producer) ? 0 : err_nomem(err);
}

static int book_add(struct book *b, const char *text, struct err *err)
{
	struct entry e = {0};
	struct entry *v = realloc(b->v, (b->n + 1) * sizeof(*v));
	if (!v)
		return err_nomem(err);
	b->v = v;
	if (entry_read(&e, text, err) < 0) {
		entry_release(&e);
		return -1;
	}
	b->v[b->n++] = e;
	return 0;
}

static int read_lines(struct book *b, FILE *f, const char *name, struct err *err)
{
	char *line = NULL;
	size_t size = 0, number = 0;
	int r = 0;
	while (r == 0 && getline(&line, &size, f) >= 0) {
		number++;
		if (line[strspn(line, " \t\r\n")] != '\0')
			r = book_add(b, line, err);
	}
	free(line);
	if (r < 0)
		return err_prefix(err, "%s:%zu", name, number);
	if (ferror(f))
		return err_errno(err, "cannot read '%s'", name);
	return 0;
}

static int read_file(struct book *b, const char *name, struct err *err)
{
	if (strcmp(name, "-") == 0)
		return read_lines(b, stdin, "<stdin>", err);
	FILE *f = fopen(name, "r");
	if (!f)
		return err_errno(err, "cannot open '%s'", name);
	int r = read_lines(b, f, name, err);
	fclose(f);
	return r;
}

static int64_t count(json_t *kinds, const char *kind, int column)
{
	return json_integer_value(
		json_object_get(json_object_get(kinds, kind), COLUMNS[column]));
}

static void fault(struct book *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void fault(struct book *b, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag("%s", text);
	b->faults++;
}

static void check_within(struct book *b, const struct entry *e)
{
	const char *kind;
	json_t *v;
	json_object_foreach(e->kinds, kind, v)
	{
		int64_t c[NCOLUMNS];
		printf("%-12s %-18s", e->program, kind);
		for (int i = 0; i < NCOLUMNS; i++) {
			c[i] = count(e->kinds, kind, i);
			printf(" %11" PRId64, c[i]);
		}
		int64_t lost = c[IN] + c[ADDED] - c[OUT] - c[REJECTED] - c[DROPPED];
		printf("%s\n", lost == 0 ? "" : "  NOT BALANCED");
		if (lost > 0)
			fault(b, "%s: %" PRId64 " %s came in and went nowhere",
				e->program, lost, kind);
		else if (lost < 0)
			fault(b, "%s: %" PRId64 " %s went out and came from nowhere",
				e->program, -lost, kind);
	}
}

/* The lines of the programs that fed one program. */
struct producers {
	const struct entry *v[64];
	size_t n;
};

static int64_t sent(const struct producers *from, const char *kind)
{
	int64_t sum = 0;
	for (size_t i = 0; i < from->n; i++)
		sum += count(from->v[i]->kinds, kind, OUT);
	return sum;
}

static void check_kind(struct book *b, const struct producers *from,
	const struct entry *to, const char *kind)
{
	int64_t out = sent(from, kind), in = count(to->kinds, kind, IN);
	if (out != in)
		fault(b, "%s to %s: %" PRId64 " %s were sent, %" PRId64 " arrived",
			from->v[0]->program, to->program, out, kind, in);
}

static void check_link(
	struct book *b, const struct producers *from, const struct entry *to)
{
	const char *kind;
	json_t *v;
	json_object_foreach(to->kinds, kind, v) check_kind(b, from, to, kind);
	for (size_t i = 0; i < from->n; i++) {
		json_object_foreach(from->v[i]->kinds, kind, v)
		{
			if (!json_object_get(to->kinds, kind) &&
				(i == 0 || !json_object_get(from->v[0]->kinds, kind)))
				check_kind(b, from, to, kind);
		}
	}
}

static size_t lines_with(const struct book *b, const char *key, size_t before)
{
	size_t n = 0;
	for (size_t i = 0; i < before; i++)
		n += strcmp(b->v[i].key, key) == 0;
	return n;
}

/*
 * Who fed line 'at'. A file may hold several runs of one pipeline, one after the other:
 * with as many producers as consumers the k-th fed the k-th; a single producer fed them
 * all (tee); with a multiple of producers each consumer merged that many.
 */
static int find_producers(const struct book *b, size_t at, struct producers *from)
{
	const struct entry *to = &b->v[at];
	size_t have = lines_with(b, to->producer, b->n);
	size_t want = lines_with(b, to->key, b->n);
	size_t each = have == 1 ? 1 : have / want, seen = 0;
	size_t first = have == 1 ? 0 : lines_with(b, to->key, at) * each;
	from->n = 0;
	if (have > 1 && (have % want != 0 || each > 64))
		return -1;
	for (size_t i = 0; i < b->n; i++) {
		if (strcmp(b->v[i].key, to->producer) != 0)
			continue;
		if (seen >= first && seen < first + each)
			from->v[from->n++] = &b->v[i];
		seen++;
	}
	return 0;
}

/* Compares each program with who fed it. Returns how many had no line to compare with.
 */
static size_t check_links(struct book *b)
{
	size_t unchecked = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct producers from;
		if (!b->v[i].producer)
			continue;
		if (find_producers(b, i, &from) < 0)
			fault(b, "%s: its lines and those of its producer do not pair",
				b->v[i].program);
		else if (from.n)
			check_link(b, &from, &b->v[i]);
		else
			unchecked++;
	}
	return unchecked;
}

static int check(struct book *b)
{
	printf("%-12s %-18s", "program", "kind");
	for (int i = 0; i < NCOLUMNS; i++)
		printf(" %11s", COLUMNS[i]);
	printf("\n");
	for (size_t i = 0; i < b->n; i++)
		check_within(b, &b->v[i]);
	size_t unchecked = check_links(b);
	if (unchecked)
		printf("%zu of %zu without a line of their producer\n", unchecked,
			b->n);
	printf("%s\n", b->faults ? "not balanced" : "balanced");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		diag("cannot write to <stdout>: %s", strerror(errno));
		return ERR_IO;
	}
	return b->faults ? ERR_DATA : 0;
}

int main(int argc, char **argv)
{
	const struct opt own[] = {{0}};
	struct book b = {0};
	struct err err = {0};
	int first;
	int r = opt_parse(&USAGE, own, NULL, argc, argv, &first, &err);
	if (r < 0)
		return diag_err(&err);
	if (r == OPT_EXIT)
		return 0;
	r = first == argc ? read_file(&b, "-", &err) : 0;
	for (int i = first; i < argc && r == 0; i++)
		r = read_file(&b, argv[i], &err);
	int status;
	if (r == 0 && b.n == 0)
		r = err_set(&err, ERR_DATA, "no ledger lines to check");
	status = r < 0 ? diag_err(&err) : check(&b);
	book_release(&b);
	return status;
}
