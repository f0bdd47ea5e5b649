#include "ingest/mapping.h"

#include "base/parse.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE_SIZE = 190 }; /* inih reads lines of less than 200 bytes whole */

struct reader {
	struct mapping *m;
	struct err *err;
	bool start; /* 'start' was given */
	char carry[MAP_CARRY_MAX][MAP_NAME_SIZE];
	int64_t carry_ms[MAP_CARRY_MAX];
	int ncarry;
};

static int copy(char *dst, size_t size, const char *v, struct err *err)
{
	if (!str_copy(dst, size, str_of(v)))
		return err_set(err, ERR_USAGE, "'%.40s…' is too long", v);
	return 0;
}

int identity_field(const struct kind_info *info)
{
	static const char *const names[] = {
		"battery", "string", "sensor", "subject", "code", "name"};
	bool master = field_index(info, str_of("ts")) < 0;
	for (size_t i = master ? 4 : 0; i < sizeof(names) / sizeof(*names); i++) {
		int f = field_index(info, str_of(names[i]));
		if (f >= 0)
			return f;
	}
	return -1;
}

static int set_kind(struct mapping *m, const char *v, struct err *err)
{
	m->info = kind_by_name(str_of(v));
	if (!m->info || kind_is_frame(m->info->kind))
		return err_set(err, ERR_USAGE,
			"unknown kind '%s' (see floatline-records(5))", v);
	m->kind = m->info->kind;
	return 0;
}

static int set_delimiter(struct mapping *m, const char *v, struct err *err)
{
	if (strcmp(v, "tab") == 0)
		m->delimiter = '\t';
	else if (strcmp(v, "semicolon") == 0)
		m->delimiter = ';';
	else if (strcmp(v, "comma") == 0)
		m->delimiter = ',';
	else if (strlen(v) == 1 && *v != '"')
		m->delimiter = *v;
	else
		return err_set(err, ERR_USAGE,
			"delimiter is one character, or comma, semicolon, tab");
	return 0;
}

static int set_bool(bool *out, const char *v, struct err *err)
{
	if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
		return err_set(err, ERR_USAGE, "'%s' is neither yes nor no", v);
	*out = *v == 'y';
	return 0;
}

static int set_duration(int64_t *out, const char *v, struct err *err)
{
	if (parse_duration_ms(str_of(v), out) < 0)
		return err_set(err, ERR_USAGE, "'%s' is no duration (15m, 90s …)", v);
	return 0;
}

static int source_key(struct reader *r, const char *k, const char *v)
{
	struct mapping *m = r->m;
	if (strcmp(k, "kind") == 0)
		return set_kind(m, v, r->err);
	if (strcmp(k, "delimiter") == 0)
		return set_delimiter(m, v, r->err);
	if (strcmp(k, "time") == 0)
		return copy(m->time_column, sizeof(m->time_column), v, r->err);
	if (strcmp(k, "time_format") == 0)
		return clock_spec_parse(&m->clock, v, r->err);
	if (strcmp(k, "zone") == 0)
		return copy(m->clock.zone, sizeof(m->clock.zone), v, r->err);
	if (strcmp(k, "key") == 0)
		return copy(m->key_column, sizeof(m->key_column), v, r->err);
	if (strcmp(k, "partial") == 0)
		return set_bool(&m->partial, v, r->err);
	if (strcmp(k, "join_max_age") == 0)
		return set_duration(&m->join_ms, v, r->err);
	if (strcmp(k, "format") == 0) {
		m->ndjson = strcmp(v, "ndjson") == 0;
		if (!m->ndjson && strcmp(v, "csv") != 0)
			return err_set(r->err, ERR_USAGE, "format is csv or ndjson");
		return 0;
	}
	if (strcmp(k, "start") == 0) {
		r->start = true;
		if (time_parse_iso(str_of(v), 0, &m->clock.start) < 0)
			return err_set(r->err, ERR_USAGE, "'%s' is no time", v);
		return 0;
	}
	return err_set(r->err, ERR_USAGE, "unknown key '%s' in [source]", k);
}

/* Index of the table of that name, -1 where there is none. */
static int table_index(const struct mapping *m, const char *name)
{
	for (int i = 0; i < m->ntables; i++)
		if (strcmp(m->tables[i].name, name) == 0)
			return i;
	return -1;
}

static int set_table(int *out, const struct mapping *m, const char *v, struct err *err)
{
	*out = table_index(m, v);
	if (*out < 0)
		return err_set(err, ERR_USAGE,
			"no section [map.%s] above this line describes that map", v);
	return 0;
}

static int identity_key(struct reader *r, const char *k, const char *v)
{
	struct mapping *m = r->m;
	if (strcmp(k, "column") == 0)
		return copy(m->id_column, sizeof(m->id_column), v, r->err);
	if (strcmp(k, "constant") == 0)
		return copy(m->id_constant, sizeof(m->id_constant), v, r->err);
	if (strcmp(k, "model") == 0)
		return copy(m->model, sizeof(m->model), v, r->err);
	if (strcmp(k, "map") == 0)
		return set_table(&m->id_table, m, v, r->err);
	if (strcmp(k, "code") == 0)
		return copy(m->id_code, sizeof(m->id_code), v, r->err);
	if (strcmp(k, "file") == 0) {
		if (!strstr(v, "{}"))
			return err_set(r->err, ERR_USAGE,
				"a file pattern needs {} where the identity is");
		return copy(m->id_file, sizeof(m->id_file), v, r->err);
	}
	return err_set(r->err, ERR_USAGE, "unknown key '%s' in [identity]", k);
}

static int map_key(struct reader *r, const char *section, const char *k, const char *v)
{
	struct mapping *m = r->m;
	const char *name = section + strlen("map.");
	int i = table_index(m, name);
	if (i < 0) {
		if (m->ntables == MAP_TABLES_MAX)
			return err_set(
				r->err, ERR_USAGE, "more than %d maps", MAP_TABLES_MAX);
		i = m->ntables++;
		if (copy(m->tables[i].name, sizeof(m->tables[i].name), name, r->err) <
			0)
			return -1;
	}
	struct map_table *t = &m->tables[i];
	if (strcmp(k, "file") == 0)
		return copy(t->file, sizeof(t->file), v, r->err);
	if (strcmp(k, "key") == 0)
		return copy(t->key, sizeof(t->key), v, r->err);
	if (strcmp(k, "value") == 0)
		return copy(t->value, sizeof(t->value), v, r->err);
	return err_set(r->err, ERR_USAGE, "unknown key '%s' in [%s]", k, section);
}

static int need_kind(struct reader *r)
{
	if (r->m->info)
		return 0;
	return err_set(r->err, ERR_USAGE, "[source] kind must come before this line");
}

/* Index of "field" or "field.word" of the kind; *bit for a word of a bit set. */
static int find_field(struct reader *r, const char *text, int *bit)
{
	const struct kind_info *info = r->m->info;
	const char *dot = strchr(text, '.');
	struct str name = {text, (uint32_t)(dot ? (size_t)(dot - text) : strlen(text))};
	int f = field_index(info, name);
	*bit = -1;
	if (f < 0)
		return err_set(r->err, ERR_USAGE, "kind %s has no field '%.*s'",
			info->name, STR_ARG(name));
	const struct field_info *field = &info->fields[f];
	if (field->type > T_TEXT)
		return err_set(r->err, ERR_USAGE, "field '%s' is a list", field->name);
	if (field->type == T_BITS) {
		*bit = dot ? name_value(field->names, str_of(dot + 1)) : -1;
		if (*bit < 0)
			return err_set(r->err, ERR_USAGE,
				"field '%s' is a set: name one of its words, like "
				"%s.%s",
				field->name, field->name, field->names->words[0]);
	} else if (dot) {
		return err_set(
			r->err, ERR_USAGE, "field '%s' has no parts", field->name);
	}
	return f;
}

/* The rest of a target: [via TABLE] [* F] [+ O] [- O]. */
static int target_terms(struct reader *r, struct map_target *t, char *rest)
{
	char *save = NULL;
	for (char *op = strtok_r(rest, " ", &save); op;
		op = strtok_r(NULL, " ", &save)) {
		char *arg = strtok_r(NULL, " ", &save);
		double v;
		if (!arg)
			return err_set(r->err, ERR_USAGE, "'%s' needs a value", op);
		if (strcmp(op, "via") == 0) {
			if (set_table(&t->table, r->m, arg, r->err) < 0)
				return -1;
			continue;
		}
		if (strlen(op) != 1 || !strchr("*/+-", *op))
			return err_set(r->err, ERR_USAGE,
				"'%s' is not one of via * / + -", op);
		if (parse_f64(str_of(arg), &v) < 0 || (*op == '/' && v == 0))
			return err_set(r->err, ERR_USAGE, "'%s' is no number", arg);
		if (*op == '*' || *op == '/') {
			t->factor *= *op == '*' ? v : 1 / v;
			t->offset *= *op == '*' ? v : 1 / v;
		} else {
			t->offset += *op == '+' ? v : -v;
		}
	}
	return 0;
}

static int column_key(struct reader *r, const char *k, const char *v)
{
	struct mapping *m = r->m;
	char text[200];
	if (need_kind(r) < 0 || copy(text, sizeof(text), v, r->err) < 0)
		return -1;
	if (m->ntargets == MAP_TARGETS_MAX)
		return err_set(
			r->err, ERR_USAGE, "more than %d columns", MAP_TARGETS_MAX);
	struct map_target *t = &m->targets[m->ntargets];
	*t = (struct map_target){.factor = 1, .table = -1};
	char *rest = strchr(text, ' ');
	if (rest)
		*rest++ = '\0';
	t->field = find_field(r, text, &t->bit);
	if (t->field < 0 || copy(t->column, sizeof(t->column), k, r->err) < 0)
		return -1;
	m->ntargets++;
	return rest ? target_terms(r, t, rest) : 0;
}

static int list_room(int n, struct err *err)
{
	return n < MAP_LIST_MAX
		       ? 0
		       : err_set(err, ERR_USAGE, "more than %d entries", MAP_LIST_MAX);
}

static int constant_key(struct reader *r, const char *k, const char *v)
{
	struct mapping *m = r->m;
	int bit;
	if (need_kind(r) < 0 || list_room(m->nconstants, r->err) < 0)
		return -1;
	struct map_constant *c = &m->constants[m->nconstants];
	c->field = find_field(r, k, &bit);
	if (c->field < 0)
		return -1;
	if (m->info->fields[c->field].type == T_BITS)
		return err_set(r->err, ERR_USAGE, "'%s' cannot be a constant", k);
	m->nconstants++;
	return copy(c->text, sizeof(c->text), v, r->err);
}

static int word_key(struct reader *r, const char *k, const char *v)
{
	struct mapping *m = r->m;
	char name[MAP_NAME_SIZE];
	if (need_kind(r) < 0 || list_room(m->nwords, r->err) < 0)
		return -1;
	const char *dot = strchr(k, '.');
	if (!dot)
		return err_set(
			r->err, ERR_USAGE, "write FIELD.WORD = word of floatline");
	snprintf(name, sizeof(name), "%.*s", (int)(dot - k), k);
	int f = field_index(m->info, str_of(name));
	if (f < 0 || m->info->fields[f].type != T_ENUM)
		return err_set(
			r->err, ERR_USAGE, "'%s' is no field that has words", name);
	struct map_word *w = &m->words[m->nwords++];
	w->field = f;
	w->value = name_value(m->info->fields[f].names, str_of(v));
	if (w->value < 0)
		return err_set(r->err, ERR_USAGE, "'%s' is no word of '%s'", v, name);
	return copy(w->word, sizeof(w->word), dot + 1, r->err);
}

static int sentinel_key(struct reader *r, const char *k, const char *v)
{
	struct mapping *m = r->m;
	char text[200], *save = NULL;
	if (list_room(m->nsentinels, r->err) < 0 ||
		copy(text, sizeof(text), v, r->err) < 0)
		return -1;
	struct map_sentinels *s = &m->sentinels[m->nsentinels++];
	s->n = 0;
	for (char *t = strtok_r(text, " ,", &save); t;
		t = strtok_r(NULL, " ,", &save)) {
		if (s->n == MAP_SENTINELS_MAX)
			return err_set(r->err, ERR_USAGE, "more than %d sentinels",
				MAP_SENTINELS_MAX);
		if (parse_f64(str_of(t), &s->v[s->n++]) < 0)
			return err_set(r->err, ERR_USAGE, "'%s' is no number", t);
	}
	return copy(s->column, sizeof(s->column), k, r->err);
}

static int carry_key(struct reader *r, const char *k, const char *v)
{
	int64_t *ms = &r->carry_ms[r->ncarry < MAP_CARRY_MAX ? r->ncarry : 0];
	if (r->ncarry == MAP_CARRY_MAX)
		return err_set(r->err, ERR_USAGE, "more than %d carried columns",
			MAP_CARRY_MAX);
	if (copy(r->carry[r->ncarry], MAP_NAME_SIZE, k, r->err) < 0)
		return -1;
	r->ncarry++;
	return set_duration(ms, v, r->err);
}

static int ignore_key(struct reader *r, const char *k)
{
	struct mapping *m = r->m;
	if (list_room(m->nignored, r->err) < 0)
		return -1;
	return copy(m->ignored[m->nignored++], MAP_NAME_SIZE, k, r->err);
}

static int on_key(void *arg, const char *section, const char *k, const char *v)
{
	struct reader *r = arg;
	int n;
	if (strcmp(section, "source") == 0)
		n = source_key(r, k, v);
	else if (strcmp(section, "identity") == 0)
		n = identity_key(r, k, v);
	else if (strncmp(section, "map.", 4) == 0)
		n = map_key(r, section, k, v);
	else if (strcmp(section, "columns") == 0)
		n = column_key(r, k, v);
	else if (strcmp(section, "ignore") == 0)
		n = ignore_key(r, k);
	else if (strcmp(section, "constants") == 0)
		n = constant_key(r, k, v);
	else if (strcmp(section, "words") == 0)
		n = word_key(r, k, v);
	else if (strcmp(section, "sentinels") == 0)
		n = sentinel_key(r, k, v);
	else if (strcmp(section, "carry") == 0)
		n = carry_key(r, k, v);
	else
		n = err_set(r->err, ERR_USAGE, "unknown section [%s]", section);
	if (n < 0)
		r->err = NULL; /* the first error is the one told */
	return n == 0;
}

static int apply_carry(struct reader *r)
{
	for (int i = 0; i < r->ncarry; i++) {
		bool found = false;
		for (int t = 0; t < r->m->ntargets; t++)
			if (strcmp(r->m->targets[t].column, r->carry[i]) == 0) {
				r->m->targets[t].carry_ms = r->carry_ms[i];
				found = true;
			}
		if (!found)
			return err_set(r->err, ERR_USAGE,
				"[carry] names '%s', which [columns] does not map",
				r->carry[i]);
	}
	return 0;
}

static bool gives(const struct mapping *m, int field)
{
	for (int i = 0; i < m->ntargets; i++)
		if (m->targets[i].field == field)
			return true;
	for (int i = 0; i < m->nconstants; i++)
		if (m->constants[i].field == field)
			return true;
	return false;
}

/* What only the whole file can tell. */
static int check(struct reader *r)
{
	struct mapping *m = r->m;
	bool counted = m->clock.format == CLOCK_ROW || m->clock.format == CLOCK_COUNT;
	if (need_kind(r) < 0 || apply_carry(r) < 0)
		return -1;
	int ts = field_index(m->info, str_of("ts"));
	bool timed = *m->time_column || m->clock.format == CLOCK_ROW;
	if (ts >= 0 && !m->partial && !timed && !gives(m, ts))
		return err_set(r->err, ERR_USAGE,
			"[source] time does not say which column is the time");
	if (counted && !r->start)
		return err_set(r->err, ERR_USAGE,
			"[source] start must say when row or value 0 was");
	if (*m->id_file && !strstr(m->id_code, "{}"))
		return err_set(r->err, ERR_USAGE,
			"[identity] code needs a {} for the part of the file name");
	for (int i = 0; i < m->ntables; i++)
		if (!*m->tables[i].file || !*m->tables[i].key || !*m->tables[i].value)
			return err_set(r->err, ERR_USAGE,
				"[map.%s] needs file, key and value",
				m->tables[i].name);
	return 0;
}

/* The number of the first line that is too long to be read whole; 0: none. */
static int long_line(const char *text)
{
	int line = 1;
	for (const char *p = text; *p; line++) {
		size_t n = strcspn(p, "\n");
		if (n > LINE_SIZE)
			return line;
		p += n + (p[n] == '\n');
	}
	return 0;
}

/* Whether line number 'line' is the one the handler complained of: it did, if the text
 * up to there makes it complain. */
static bool complained(struct reader *r, const char *text, int line)
{
	const char *p = text;
	struct err *first = r->err;
	for (int i = 0; i < line; i++)
		p += strcspn(p, "\n") + (p[strcspn(p, "\n")] == '\n');
	char *head = strndup(text, (size_t)(p - text));
	if (!head)
		return true;
	*first = (struct err){0};
	*r->m = (struct mapping){.id_table = -1, .join_ms = -1};
	r->ncarry = 0;
	ini_parse_string(head, on_key, r);
	free(head);
	return *first->msg;
}

int mapping_parse(
	struct mapping *m, const char *name, const char *text, struct err *err)
{
	struct err first = {0};
	struct reader r = {.m = m, .err = &first};
	*m = (struct mapping){.id_table = -1, .join_ms = -1};
	const char *base = strrchr(name, '/');
	int line = long_line(text);
	if (line > 0)
		return err_set(err, ERR_USAGE,
			"mapping '%s' line %d: longer than %d bytes", name, line,
			LINE_SIZE);
	line = ini_parse_string(text, on_key, &r);
	if (line < 0)
		return err_nomem(err);
	r.err = &first;
	if (line > 0 && complained(&r, text, line))
		return err_set(err, ERR_USAGE, "mapping '%s' line %d: %s", name, line,
			first.msg);
	if (line > 0)
		return err_set(err, ERR_USAGE,
			"mapping '%s' line %d: neither [section] nor key = value", name,
			line);
	if (check(&r) < 0)
		return err_set(err, ERR_USAGE, "mapping '%s': %s", name, first.msg);
	snprintf(m->name, sizeof(m->name), "%s", base ? base + 1 : name);
	return 0;
}
