#include "ingest/convert.h"

#include "base/parse.h"
#include "ingest/cell.h"

#include <math.h>
#include <stdio.h>

static const struct map_sentinels *sentinels_for(
	const struct mapping *m, const char *column)
{
	const struct map_sentinels *any = NULL;
	for (int i = 0; i < m->nsentinels; i++) {
		if (strcmp(m->sentinels[i].column, column) == 0)
			return &m->sentinels[i];
		if (strcmp(m->sentinels[i].column, "*") == 0)
			any = &m->sentinels[i];
	}
	return any;
}

static int find_column(const struct str *header, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (str_is(header[i], name))
			return i;
	return -1;
}

static int need_column(const struct str *header, int n, const char *name, int *out,
	const char *source, const struct mapping *m, struct err *err)
{
	*out = *name ? find_column(header, n, name) : -1;
	if (*name && *out < 0)
		return err_set(err, ERR_USAGE,
			"'%s' has no column '%s', which mapping '%s' needs; try "
			"'ingest --guess %s'",
			source, name, m->name, source);
	return 0;
}

static int check_header(const struct mapping *m, const struct str *header, int n,
	const char *source, struct err *err)
{
	for (int i = 0; i < n; i++) {
		if (mapping_column(m, header[i]) < 0)
			return err_set(err, ERR_USAGE,
				"'%s': column '%.*s' is not in mapping '%s': map it "
				"under "
				"[columns], or name it under [ignore]",
				source, header[i].len ? (int)header[i].len : 9,
				header[i].len ? header[i].s : "(unnamed)", m->name);
	}
	return 0;
}

static int bind_columns(struct convert *c, const struct str *header, int n,
	const char *source, struct err *err)
{
	const struct mapping *m = c->m;
	if (need_column(header, n, m->time_column, &c->time_column, source, m, err) <
			0 ||
		need_column(header, n, m->key_column, &c->key_column, source, m, err) <
			0)
		return -1;
	if (!c->constant &&
		need_column(header, n, m->id_column, &c->id_column, source, m, err) < 0)
		return -1;
	for (int i = 0; i < m->ntargets; i++) {
		struct binding *b = &c->bindings[c->nbindings++];
		const struct map_target *t = &m->targets[i];
		*b = (struct binding){.target = t, .carry = -1};
		if (need_column(header, n, t->column, &b->column, source, m, err) < 0)
			return -1;
		b->field = &m->info->fields[t->field];
		b->sentinels = sentinels_for(m, t->column);
		if (t->carry_ms > 0 && c->ncarries < MAP_CARRY_MAX)
			b->carry = c->ncarries++;
		for (int k = 0; k < i; k++)
			b->again |= m->targets[k].field == t->field;
	}
	return 0;
}

static int set_constants(struct convert *c, struct err *err)
{
	const struct mapping *m = c->m;
	char why[REASON_SIZE];
	record_clear(m->info, &c->blank);
	for (int i = 0; i < m->nconstants; i++) {
		struct binding b = {.field = &m->info->fields[m->constants[i].field],
			.target = &(struct map_target){.factor = 1,
				.table = -1,
				.field = m->constants[i].field}};
		if (cell_set(c, &b, str_of(m->constants[i].text), &c->blank, NULL,
			    why) < 0)
			return err_set(err, ERR_USAGE, "mapping '%s' [constants]: %s",
				m->name, why);
	}
	return 0;
}

/* Matches a name against a glob with one {} (and *); copies what {} stands for. */
static bool glob_part(const char *glob, const char *name, char *part, size_t size)
{
	for (; *glob && *glob != '*' && *glob != '{'; glob++, name++)
		if (*glob != *name)
			return false;
	if (!*glob)
		return *name == '\0';
	bool keep = *glob == '{';
	glob += keep ? 2 : 1;
	for (size_t n = keep; n <= strlen(name); n++) {
		char rest[2] = {0};
		if (!glob_part(glob, name + n, keep ? rest : part, keep ? 1 : size))
			continue;
		if (keep)
			return str_copy(part, size, (struct str){name, (uint32_t)n});
		return true;
	}
	return false;
}

/* The code the file's name gives, by the mapping's pattern. */
static int code_of_file(
	const struct mapping *m, const char *source, char *code, struct err *err)
{
	const char *base = strrchr(source, '/');
	char part[CODE_MAX + 1], text[3 * CODE_MAX];
	base = base ? base + 1 : source;
	if (!glob_part(m->id_file, base, part, sizeof(part)))
		return err_set(err, ERR_USAGE,
			"'%s' is not named like '%s', so it does not say whose data it "
			"is: "
			"say --battery CODE",
			source, m->id_file);
	const char *hole = strstr(m->id_code, "{}");
	snprintf(text, sizeof(text), "%.*s%s%s", (int)(hole - m->id_code), m->id_code,
		part, hole + 2);
	if (!code_valid(str_of(text)))
		return err_set(
			err, ERR_USAGE, "'%s' is no code: say --battery CODE", text);
	str_copy(code, CODE_MAX + 1, str_of(text));
	return 0;
}

static struct identity *meet(struct convert *c, struct str raw, struct str code)
{
	size_t before = c->who.codes.n;
	struct identity *p = identities_add(&c->who, raw, code);
	if (p && c->who.codes.n > before && c->meet)
		c->meet(c->arg, p);
	return p;
}

static int set_identity(
	struct convert *c, const char *source, const char *constant, struct err *err)
{
	const struct mapping *m = c->m;
	char code[CODE_MAX + 1] = "";
	if (constant && *constant)
		str_copy(code, sizeof(code), str_of(constant));
	else if (*m->id_constant)
		str_copy(code, sizeof(code), str_of(m->id_constant));
	else if (*m->id_file && code_of_file(m, source, code, err) < 0)
		return -1;
	if (!*code) {
		if (c->id_field < 0 || *m->id_column || m->partial)
			return 0;
		for (int i = 0; i < m->ntargets; i++)
			if (m->targets[i].field == c->id_field)
				return 0;
		return err_set(err, ERR_USAGE,
			"mapping '%s' does not say whose data '%s' is: say --battery "
			"CODE",
			m->name, source);
	}
	if (!code_valid(str_of(code)))
		return err_set(err, ERR_USAGE,
			"'%s' is no code: 1 to %d printable characters, no blanks",
			code, CODE_MAX);
	c->constant = meet(c, str_of(code), str_of(code));
	return c->constant ? 0 : err_nomem(err);
}

int convert_open(struct convert *c, const struct mapping *m, const struct str *header,
	int ncolumns, const char *source, const char *dir, const char *constant,
	struct err *err)
{
	void (*meet_first)(void *, struct identity *) = c->meet;
	void *arg = c->arg;
	memset(c, 0, sizeof(*c));
	c->m = m;
	c->meet = meet_first;
	c->arg = arg;
	c->ncolumns = ncolumns;
	c->time_column = c->id_column = c->key_column = -1;
	c->ts_field = field_index(m->info, str_of("ts"));
	c->id_field = identity_field(m->info);
	c->quality_field = field_index(m->info, str_of("quality"));
	for (int i = 0; i < m->ntables; i++)
		if (id_table_load(&c->tables[i], dir, &m->tables[i], err) < 0)
			return -1;
	if (check_header(m, header, ncolumns, source, err) < 0 ||
		clock_open(&c->clock, &m->clock, err) < 0 ||
		set_identity(c, source, constant, err) < 0 ||
		bind_columns(c, header, ncolumns, source, err) < 0)
		return -1;
	if (buf_reserve(&c->text, 8 * TEXT_MAX) < 0)
		return err_nomem(err);
	return set_constants(c, err);
}

static int32_t outside(float v, float min, float max, int bit)
{
	return v < min || v > max ? BIT(bit) : 0;
}

static int32_t voltage_bits(const struct limits *l, float v)
{
	int32_t hard = outside(
		v, l->voltage_hard_min_v, l->voltage_hard_max_v, quality_voltage_range);
	return hard ? hard
		    : outside(v, l->voltage_plausible_min_v, l->voltage_plausible_max_v,
			      quality_voltage_implausible);
}

int32_t limits_check_current(const struct limits *l, float current_a)
{
	return outside(fabsf(current_a), 0, l->current_max_a, quality_current_range);
}

static int32_t check_telemetry(const struct limits *l, const struct rec_telemetry *t)
{
	return voltage_bits(l, t->voltage_v) |
	       outside(t->temperature_c, l->temperature_min_c, l->temperature_max_c,
		       quality_temperature_range) |
	       outside(t->resistance_mohm, l->resistance_min_mohm,
		       l->resistance_max_mohm, quality_resistance_range) |
	       limits_check_current(l, t->current_a);
}

static int32_t check_limits(int kind, const struct limits *l, const union rec_any *rec)
{
	if (kind == KIND_telemetry)
		return check_telemetry(l, &rec->telemetry);
	return voltage_bits(l, rec->string_telemetry.voltage_v) |
	       limits_check_current(l, rec->string_telemetry.current_a);
}

static float *float_at(const struct binding *b, union rec_any *rec)
{
	return (float *)(void *)((char *)rec + b->field->offset);
}

/* Fills in the last known values that are young enough. True: one was used. */
static bool carry(
	struct convert *c, struct identity *who, int64_t ts, union rec_any *rec)
{
	bool used = false;
	for (int i = 0; i < c->nbindings; i++) {
		const struct binding *b = &c->bindings[i];
		if (b->carry < 0 || b->field->type != T_F32)
			continue;
		struct carried *k = &who->carried[b->carry];
		float *v = float_at(b, rec);
		if (!isnan(*v)) {
			if (k->ts == TIME_NIL || ts >= k->ts)
				*k = (struct carried){ts, *v};
		} else if (k->ts != TIME_NIL && ts >= k->ts &&
			   ts - k->ts <= b->target->carry_ms) {
			*v = k->value;
			used = true;
		}
	}
	return used;
}

/* Who the row is about. 1, 0 with a reason, -1 when out of memory. */
static int identify(struct convert *c, const struct row *row, struct converted *out)
{
	const struct mapping *m = c->m;
	if (c->constant || c->id_column < 0) {
		out->who = c->constant;
		return 1;
	}
	struct str raw = row->field[c->id_column], code = raw;
	if (raw.s && (out->who = identities_find(&c->who, raw)))
		return 1;
	if (m->id_table >= 0 && raw.s)
		code = id_table_get(&c->tables[m->id_table], raw);
	if (!code.s) {
		snprintf(out->reason, sizeof(out->reason),
			"unknown %s '%.80s': not in '%s'", m->id_column,
			raw.len ? cell_text(raw, (char[81]){0}, 81) : "",
			m->id_table >= 0 ? m->tables[m->id_table].file : "the row");
		return 0;
	}
	if (!code_valid(code)) {
		snprintf(out->reason, sizeof(out->reason), "'%.80s' in '%s' is no code",
			cell_text(code, (char[81]){0}, 81), m->id_column);
		return 0;
	}
	out->who = meet(c, raw, code);
	if (!out->who && c->who.raw.n >= IDENTITIES_MAX) {
		snprintf(out->reason, sizeof(out->reason),
			"more than %d identities: is '%s' one?", IDENTITIES_MAX,
			m->id_column);
		return 0;
	}
	return out->who ? 1 : -1;
}

static int read_time(struct convert *c, const struct row *row, int64_t number,
	union rec_any *rec, struct converted *out)
{
	struct str s = c->time_column >= 0 ? row->field[c->time_column] : STR_NIL;
	if (c->ts_field < 0 ||
		(c->time_column < 0 && c->clock.spec.format != CLOCK_ROW))
		return 1;
	int64_t *ts = (int64_t *)(void *)((char *)rec +
					  c->m->info->fields[c->ts_field].offset);
	if (clock_read(&c->clock, s, number, ts) < 0) {
		snprintf(out->reason, sizeof(out->reason),
			"column '%s' is no time: '%.80s'", c->m->time_column,
			cell_text(s, (char[81]){0}, 81));
		return 0;
	}
	out->ts = *ts;
	return 1;
}

/* A field that must be there and is not. */
static int check_needed(
	const struct convert *c, const union rec_any *rec, struct converted *out)
{
	const struct kind_info *k = c->m->info;
	for (int i = 0; i < k->nfields; i++) {
		const struct field_info *f = &k->fields[i];
		if (!f->need || !cell_missing(f, rec))
			continue;
		snprintf(
			out->reason, sizeof(out->reason), "no value for '%s'", f->name);
		return 0;
	}
	return 1;
}

/* Reads the mapped cells. 1 or 0; counts the measurements and sentinels seen. */
static int read_cells(struct convert *c, const struct row *row, union rec_any *rec,
	struct converted *out, int *seen, int32_t *quality)
{
	for (int i = 0; i < c->nbindings; i++) {
		const struct binding *b = &c->bindings[i];
		struct str s = row->field[b->column];
		if (s.len == 0)
			continue;
		int r = cell_set(c, b, s, rec, quality, out->reason);
		if (r < 0)
			return 0;
		*seen += r;
	}
	return 1;
}

int convert_row(struct convert *c, const struct row *row, int64_t number,
	union rec_any *rec, struct converted *out, struct err *err)
{
	const struct kind_info *info = c->m->info;
	int32_t quality = 0;
	int seen = 0;
	out->who = NULL;
	out->ts = TIME_NIL;
	out->key = c->key_column >= 0 ? row->field[c->key_column] : STR_NIL;
	memcpy(rec, &c->blank, info->size);
	buf_clear(&c->text);
	int r = identify(c, row, out);
	if (r > 0)
		r = read_time(c, row, number, rec, out);
	if (r > 0)
		r = read_cells(c, row, rec, out, &seen, &quality);
	if (c->text.failed || r < 0)
		return err_nomem(err);
	if (r == 0)
		return 0;
	if (out->who && c->id_field >= 0)
		*(struct str *)(void *)((char *)rec +
					info->fields[c->id_field].offset) =
			str_of(out->who->code);
	if (c->ts_field >= 0)
		out->ts = record_ts(info, rec);
	if (c->quality_field >= 0 && !c->m->partial) {
		if (seen == 0) {
			snprintf(out->reason, sizeof(out->reason),
				"no value in any mapped column");
			return 0;
		}
		if (c->ncarries && out->who && carry(c, out->who, out->ts, rec))
			quality |= BIT(quality_interpolated);
		if (out->who)
			quality |= check_limits(c->m->kind, &out->who->limits, rec);
		*(int32_t *)(void *)((char *)rec +
				     info->fields[c->quality_field].offset) = quality;
	}
	return c->m->partial ? 1 : check_needed(c, rec, out);
}

void convert_close(struct convert *c)
{
	for (int i = 0; i < MAP_TABLES_MAX; i++)
		id_table_release(&c->tables[i]);
	identities_release(&c->who);
	clock_close(&c->clock);
	buf_release(&c->text);
	c->nbindings = 0;
}
