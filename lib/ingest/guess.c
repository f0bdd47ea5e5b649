#include "ingest/guess.h"

#include "base/parse.h"
#include "ingest/guess_columns.h"
#include "ingest/cell.h"
#include "ingest/identity.h"
#include "ingest/rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct guess {
	const char *path;
	char delimiter;
	int ncolumns, rows;
	struct guess_column c[GUESS_COLUMNS];
	struct ids words[GUESS_COLUMNS];
	char (*cells)[50][GUESS_CELL]; /* the first texts of each column */
	int role[ROLES];               /* column, -1 none */
};

/* The delimiter that splits the first lines most evenly. */
static char find_delimiter(const char *p, size_t n)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	char best = ',';
	int most = 0;
	for (size_t d = 0; d < sizeof(candidates); d++) {
		int first = -1, count = 0, even = 0, lines = 0;
		bool quoted = false;
		for (size_t i = 0; i < n && lines < 20; i++) {
			quoted ^= p[i] == '"';
			count += p[i] == candidates[d] && !quoted;
			if (p[i] != '\n' || quoted)
				continue;
			if (first < 0)
				first = count;
			even += count == first;
			lines++;
			count = 0;
		}
		if (first > 0 && even * 10 >= lines * 8 && first > most) {
			most = first;
			best = candidates[d];
		}
	}
	return best;
}

static int take_header(struct guess *g, const struct row *row, struct err *err)
{
	double v;
	int numbers = 0;
	if (row->defect)
		return err_set(err, ERR_DATA, "'%s' line %lld is no header: %s",
			g->path, (long long)row->line, row->defect);
	g->ncolumns = row->n < GUESS_COLUMNS ? row->n : GUESS_COLUMNS;
	for (int i = 0; i < g->ncolumns; i++) {
		if (!str_copy(g->c[i].name, MAP_NAME_SIZE, row->field[i]))
			return err_set(err, ERR_DATA,
				"'%s' is no CSV with a header: column %d has a name "
				"longer than "
				"%d bytes",
				g->path, i + 1, MAP_NAME_SIZE - 1);
		for (const char *p = g->c[i].name; *p; p++)
			if ((unsigned char)*p < ' ')
				return err_set(
					err, ERR_DATA, "'%s' is no text", g->path);
		if (strlen(g->c[i].name) != row->field[i].len)
			return err_set(err, ERR_DATA, "'%s' is no text", g->path);
		numbers += parse_f64(row->field[i], &v) == 0;
		g->c[i].min = INFINITY;
		g->c[i].max = -INFINITY;
	}
	if (numbers * 2 > g->ncolumns)
		return err_set(err, ERR_DATA,
			"'%s' has no header: put a line with column names first",
			g->path);
	return 0;
}

static void take_cell(struct guess *g, int i, struct str s)
{
	struct guess_column *c = &g->c[i];
	double v;
	c->v[g->rows] = NAN;
	if (s.len == 0)
		return;
	if (c->filled < 50)
		str_copy(g->cells[i][c->filled], GUESS_CELL, s);
	if (c->filled++ == 0)
		str_copy(c->first, sizeof(c->first), s);
	if (g->words[i].n < GUESS_WORDS)
		ids_intern(&g->words[i], s);
	c->distinct = (int)g->words[i].n;
	if (parse_f64(s, &v) < 0)
		return;
	c->numeric++;
	c->v[g->rows] = v;
	c->min = v < c->min ? v : c->min;
	c->max = v > c->max ? v : c->max;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* What every text of the column is. */
static void judge_words(struct guess *g, int i)
{
	const struct name_set *modes =
		kind_info(KIND_telemetry)->fields[F_telemetry_mode].names;
	struct guess_column *c = &g->c[i];
	c->codes = c->modes = c->filled > 0;
	for (size_t k = 0; k < g->words[i].n; k++) {
		struct str word = {g->words[i].names[k], g->words[i].lens[k]};
		c->codes = c->codes && code_valid(word);
		c->modes = c->modes && name_value_any_case(modes, word) >= 0;
	}
}

static void summarise(struct guess *g, int i)
{
	double v[GUESS_ROWS];
	int k = 0;
	for (int r = 0; r < g->rows; r++)
		if (!isnan(g->c[i].v[r]))
			v[k++] = g->c[i].v[r];
	qsort(v, (size_t)k, sizeof(*v), by_size);
	judge_words(g, i);
	g->c[i].median = k ? v[k / 2] : NAN;
	guess_time(&g->c[i], g->cells[i], g->c[i].filled < 50 ? g->c[i].filled : 50);
}

static int read_rows(struct guess *g, struct rows *r, struct err *err)
{
	struct str line;
	size_t total;
	int n = lines_peek(&r->lines, 0, &line, &total, err);
	if (n > 0) {
		g->delimiter = find_delimiter(
			r->lines.buf + r->lines.start, r->lines.end - r->lines.start);
		r->delimiter = g->delimiter;
		n = rows_next(r, err);
	}
	if (n == 0)
		return err_set(err, ERR_DATA, "'%s' is empty", g->path);
	if (n < 0 || take_header(g, &r->row, err) < 0)
		return -1;
	int columns = r->row.n;
	while (g->rows < GUESS_ROWS && (n = rows_next(r, err)) > 0) {
		if (r->row.defect || r->row.n != columns)
			continue;
		for (int i = 0; i < g->ncolumns; i++)
			take_cell(g, i, r->row.field[i]);
		g->rows++;
	}
	return n < 0 ? -1 : 0;
}

static int read_file(struct guess *g, struct err *err)
{
	struct text text;
	struct rows *r = malloc(sizeof(*r));
	int n = -1;
	if (!r)
		return err_nomem(err);
	if (text_open(&text, g->path, err) == 0) {
		if (rows_open(r, &text, ',', err) == 0)
			n = read_rows(g, r, err);
		rows_close(r);
		text_close(&text);
	}
	free(r);
	for (int i = 0; n == 0 && i < g->ncolumns; i++)
		summarise(g, i);
	return n;
}

/* Gives each role to the column that fits it best. */
static void assign(struct guess *g)
{
	for (int role = R_TIME; role < ROLES; role++) {
		int best = 0;
		g->role[role] = -1;
		for (int i = 0; i < g->ncolumns; i++) {
			int fit = g->c[i].role ? 0
					       : guess_fit(&g->c[i], (enum role)role,
							 g->rows);
			if (fit > best) {
				best = fit;
				g->role[role] = i;
			}
		}
		if (g->role[role] < 0)
			continue;
		struct guess_column *c = &g->c[g->role[role]];
		guess_fit(c, (enum role)role, g->rows);
		c->role = (enum role)role;
	}
}

/* Samples of strings, not of batteries? */
static bool of_strings(const struct guess *g)
{
	int i = g->role[R_IDENTITY];
	return i >= 0 && g->role[R_TEMPERATURE] < 0 && g->role[R_RESISTANCE] < 0 &&
	       strncasecmp(g->c[i].name, "string", 6) == 0;
}

static void print_source(const struct guess *g, struct buf *b)
{
	int t = g->role[R_TIME];
	if (g->role[R_VOLTAGE] < 0 && g->role[R_CURRENT] < 0)
		buf_puts(b,
			"# doubt: neither voltage nor current: is this telemetry?\n");
	buf_printf(b, "[source]\nkind = %s\nformat = csv\n",
		of_strings(g) ? "string_telemetry" : "telemetry");
	if (g->delimiter == '\t')
		buf_puts(b, "delimiter = tab\n");
	else if (g->delimiter == ';')
		buf_puts(b, "delimiter = semicolon\n");
	else if (g->delimiter != ',')
		buf_printf(b, "delimiter = %c\n", g->delimiter);
	if (t < 0) {
		buf_puts(b,
			"# doubt: no column is a time; one row a minute from a start "
			"that is only "
			"a convention\ntime_format = row*60s\n"
			"start = 2000-01-01T00:00:00Z\n");
		return;
	}
	const struct guess_column *c = &g->c[t];
	buf_printf(b, "time = %s\n", c->name);
	if (c->other_format)
		buf_printf(b, "# doubt: '%s' would read these times as well\n",
			c->other_format);
	buf_printf(b, "time_format = %s\n", c->time_format);
	if (*c->time_format != 'e')
		buf_printf(b, "# doubt: the file does not say its zone (first: %s)\n",
			c->first);
	buf_puts(b, "zone = UTC\n");
}

static void print_identity(const struct guess *g, struct buf *b)
{
	int i = g->role[R_IDENTITY];
	buf_puts(b, "\n[identity]\n");
	if (i >= 0)
		buf_printf(b,
			"# %d different in the first %d rows (first: %s); add a map if "
			"they are "
			"not codes\ncolumn = %s\n",
			g->c[i].distinct, g->rows, g->c[i].first, g->c[i].name);
	else
		buf_puts(b, "# doubt: no column holds codes of batteries; every row is "
			    "about "
			    "this one\n"
			    "constant = UNKNOWN-LAB-01-S1-J01\n");
	buf_puts(b, "# model = hx12-120 would check physical limits\n");
}

static void print_sign(struct guess *g, struct buf *b)
{
	int v = g->role[R_VOLTAGE], i = g->role[R_CURRENT], steps = 0;
	double r = v < 0 ? 0 : guess_sign(g->c[v].v, g->c[i].v, g->rows, &steps);
	double drift = v < 0 ? 0 : guess_drift(g->c[v].v, g->c[i].v, g->rows);
	if (steps >= 3 && fabs(r) >= 0.2) {
		buf_printf(b,
			"# voltage %s when this rises (correlation %.2f over %d "
			"steps), so "
			"%s is positive\n",
			r > 0 ? "rises" : "falls", r, steps,
			r > 0 ? "charging" : "discharging");
	} else if (v >= 0 && fabs(drift) > 0.03 * g->c[v].median) {
		r = drift;
		buf_printf(b,
			"# doubt: voltage %s by %.2f while this flows, so %s seems "
			"positive\n",
			r > 0 ? "rises" : "falls", fabs(r),
			r > 0 ? "charging" : "discharging");
	} else {
		r = 1;
		buf_puts(b, "# doubt: the sign of the current is not clear (it must be "
			    "positive "
			    "when charging)\n");
	}
	if (r < 0)
		g->c[i].factor = -g->c[i].factor;
}

static void print_columns(struct guess *g, struct buf *b)
{
	static const struct {
		enum role role;
		const char *field;
	} fields[] = {{R_VOLTAGE, "voltage_v"}, {R_CURRENT, "current_a"},
		{R_TEMPERATURE, "temperature_c"}, {R_RESISTANCE, "resistance_mohm"},
		{R_MODE, "mode"}};
	buf_puts(b, "\n[columns]\n");
	for (size_t f = 0; f < sizeof(fields) / sizeof(*fields); f++) {
		int i = g->role[fields[f].role];
		if (i < 0) {
			if (fields[f].role != R_MODE && !of_strings(g))
				buf_printf(b, "# doubt: no column seems to be %s\n",
					fields[f].field);
			continue;
		}
		struct guess_column *c = &g->c[i];
		if (c->numeric)
			buf_printf(b, "# values %.6g to %.6g, half below %.6g\n",
				c->min, c->max, c->median);
		if (c->unit_doubt)
			buf_printf(b, "# doubt: %s\n", c->unit_doubt);
		if (fields[f].role == R_CURRENT)
			print_sign(g, b);
		buf_printf(b, "%s = %s", c->name, fields[f].field);
		if (c->factor != 1)
			buf_printf(b, " * %.10g", c->factor);
		if (c->offset != 0)
			buf_printf(b, " + %.10g", c->offset);
		buf_putc(b, '\n');
	}
}

static void print_carry(const struct guess *g, struct buf *b)
{
	int i = g->role[R_TEMPERATURE];
	if (i >= 0 && g->c[i].filled * 10 < g->rows * 9)
		buf_printf(b,
			"\n[carry]\n# %d of %d rows have none: it comes on rows of its "
			"own\n"
			"%s = 15m\n",
			g->rows - g->c[i].filled, g->rows, g->c[i].name);
}

static bool measured(const struct guess_column *c)
{
	return c->role >= R_VOLTAGE && c->role <= R_RESISTANCE;
}

/* Values that sensors and loggers write for "none", where they are extremes. */
static void print_sentinels(const struct guess *g, struct buf *b)
{
	static const double known[] = {65535, 655.35, 6553.5, 32767, -999, -9999, 9999};
	bool begun = false;
	for (int i = 0; i < g->ncolumns; i++) {
		const struct guess_column *c = &g->c[i];
		for (size_t k = 0; k < sizeof(known) / sizeof(*known); k++) {
			if (!measured(c) || (c->min != known[k] && c->max != known[k]))
				continue;
			buf_printf(b, "%s%s = %.10g\n", begun ? "" : "\n[sentinels]\n",
				c->name, known[k]);
			begun = true;
			break;
		}
	}
}

static void print_ignored(const struct guess *g, struct buf *b)
{
	bool begun = false;
	for (int i = 0; i < g->ncolumns; i++) {
		const struct guess_column *c = &g->c[i];
		if (c->role != R_NONE)
			continue;
		buf_printf(b, "%s%s = not recognised (first: %.30s)\n",
			begun ? "" : "\n[ignore]\n", *c->name ? c->name : "(unnamed)",
			c->first);
		begun = true;
	}
}

/* INI cannot hold every name. */
static int check_names(const struct guess *g, struct err *err)
{
	for (int i = 0; i < g->ncolumns; i++)
		if (strpbrk(g->c[i].name, "=:") ||
			(*g->c[i].name && strchr("[;#", *g->c[i].name)))
			return err_set(err, ERR_DATA,
				"'%s': column '%s' has a sign (= : [ ; #) a mapping "
				"cannot hold: "
				"rename it in the file",
				g->path, g->c[i].name);
	return 0;
}

int guess_mapping(const char *path, struct buf *out, struct err *err)
{
	struct guess *g = calloc(1, sizeof(*g));
	if (!g)
		return err_nomem(err);
	g->path = path;
	g->cells = calloc(GUESS_COLUMNS, sizeof(*g->cells));
	int r = g->cells ? read_file(g, err) : err_nomem(err);
	if (r == 0)
		r = check_names(g, err);
	if (r == 0) {
		assign(g);
		const char *base = strrchr(path, '/');
		buf_printf(out,
			"# Guessed from the first %d rows of %s. Read the doubts.\n",
			g->rows, base ? base + 1 : path);
		print_source(g, out);
		print_identity(g, out);
		print_columns(g, out);
		print_carry(g, out);
		print_sentinels(g, out);
		print_ignored(g, out);
		r = out->failed ? err_nomem(err) : 0;
	}
	for (int i = 0; i < GUESS_COLUMNS; i++)
		ids_release(&g->words[i]);
	free(g->cells);
	free(g);
	return r;
}
