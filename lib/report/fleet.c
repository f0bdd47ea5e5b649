#include "report/fleet.h"

#include <math.h>
#include <stdlib.h>

void sums_add(struct sums *s, double v)
{
	if (isnan(v))
		return;
	s->n++;
	s->sum += v;
	s->squares += v * v;
}

double sums_mean(const struct sums *s)
{
	return s->n ? s->sum / (double)s->n : NAN;
}

double sums_sd(const struct sums *s)
{
	double n = (double)s->n;
	return s->n > 1 ? sqrt(fmax(0, (s->squares - s->sum * s->sum / n) / (n - 1)))
			: NAN;
}

void pair_add(struct pair_sums *s, double x, double y)
{
	if (isnan(x) || isnan(y))
		return;
	s->n++;
	s->x += x;
	s->y += y;
	s->xx += x * x;
	s->yy += y * y;
	s->xy += x * y;
}

double pair_correlation(const struct pair_sums *s)
{
	double n = (double)s->n;
	double vx = s->xx - s->x * s->x / n, vy = s->yy - s->y * s->y / n;
	/* what rounding leaves of a constant is no variance */
	if (s->n < 3 || vx <= 1e-9 * s->xx || vy <= 1e-9 * s->yy)
		return NAN;
	return (s->xy - s->x * s->y / n) / sqrt(vx * vy);
}

double series_of(const struct fleet_facts *f, const struct string *s)
{
	return s->model == IDS_NONE
		       ? NAN
		       : round(s->nominal_v / f->models[s->model].nominal_v);
}

/* The array's new item 'number', which is its last; NULL: out of memory. */
static void *add(void **v, size_t *n, uint32_t number, size_t size)
{
	if (number < *n)
		return (char *)*v + number * size;
	size_t want = (size_t)number + 1;
	if ((want & (want - 1)) == 0 || !*v) { /* grows by doubling */
		void *p = realloc(*v, 2 * want * size);
		if (!p)
			return NULL;
		*v = p;
	}
	*n = want;
	return (char *)*v + number * size;
}

static int add_model(struct quality *q, struct fleet_facts *f, struct table *t)
{
	struct model *m =
		add((void **)&f->models, &f->nmodels, REF(t, "model_id"), sizeof(*m));
	if (!m)
		return -1;
	*m = (struct model){.nominal_v = NUMBER(t, "nominal_voltage_v"),
		.capacity_ah = NUMBER(t, "capacity_ah"),
		.float_min_v = NUMBER(t, "float_voltage_min_v"),
		.float_max_v = NUMBER(t, "float_voltage_max_v")};
	if (m->float_min_v > m->float_max_v) {
		finding(q, CHECK_FLEET, t->name, t->line,
			"float voltage from %g V to %g V", m->float_min_v,
			m->float_max_v);
		finding_raise(q, CHECK_FLEET, VERDICT_FAIL);
	}
	return 0;
}

static int add_string(struct fleet_facts *f, struct table *t)
{
	struct string *s = add(
		(void **)&f->strings, &f->nstrings, REF(t, "string_id"), sizeof(*s));
	if (!s)
		return -1;
	*s = (struct string){.line = (uint32_t)t->line,
		.jars = NUMBER(t, "batteries_count"),
		.nominal_v = NUMBER(t, "nominal_voltage_v"),
		.model = IDS_NONE,
		.ts = TIME_NIL,
		.off_float = TIME_NIL,
		.moment.ts = TIME_NIL,
		.voltage_v = NAN,
		.current_a = NAN,
		.mode = -1};
	str_copy(s->code, sizeof(s->code), t->cell[COLUMN(t, "string_code")]);
	return 0;
}

/* Dates of one battery, in the order they must be in. */
static void check_dates(
	struct quality *q, const struct table *t, const struct battery *b)
{
	q->checks[CHECK_DATES].checked++;
	if (b->manufactured != TIME_NIL && b->installed != TIME_NIL &&
		b->manufactured > b->installed)
		finding(q, CHECK_DATES, t->name, t->line,
			"installed before it was made");
	if (b->warranty != TIME_NIL && b->installed != TIME_NIL &&
		b->warranty < b->installed)
		finding(q, CHECK_DATES, t->name, t->line,
			"its warranty ends before it was installed");
	if (b->replaced && b->replaced_at != TIME_NIL && b->installed != TIME_NIL &&
		b->replaced_at < b->installed)
		finding(q, CHECK_DATES, t->name, t->line,
			"replaced before it was installed");
}

static int add_battery(struct quality *q, struct fleet_facts *f, struct table *t)
{
	struct battery *b = add((void **)&f->batteries, &f->nbatteries,
		REF(t, "battery_id"), sizeof(*b));
	if (!b)
		return -1;
	*b = (struct battery){.line = (uint32_t)t->line,
		.string = REF(t, "string_id"),
		.model = REF(t, "model_id"),
		.replaced = str_is(t->cell[COLUMN(t, "status")], "replaced") ||
			    str_is(t->cell[COLUMN(t, "status")], "retired"),
		.successor = t->cell[COLUMN(t, "replacement_of")].len > 0,
		.manufactured = TIME(t, "manufacture_date"),
		.installed = TIME(t, "installed_date"),
		.warranty = TIME(t, "warranty_expiry_date"),
		.replaced_at = TIME(t, "replaced_date"),
		.first = TIME_NIL,
		.last = TIME_NIL,
		.initial_mohm = NUMBER(t, "initial_resistance_mohm"),
		.soh_least = NAN,
		.soh_day = TIME_NIL,
		.soh_reference = NAN,
		.balance.from = TIME_NIL,
		.calc_soc = NAN,
		.calc_ts = TIME_NIL};
	str_copy(b->code, sizeof(b->code), t->cell[COLUMN(t, "battery_code")]);
	check_dates(q, t, b);
	if (b->string == IDS_NONE || b->replaced)
		return 0;
	struct string *s = &f->strings[b->string];
	s->installed++;
	if (s->model == IDS_NONE)
		s->model = b->model;
	if (s->model != b->model) {
		finding(q, CHECK_FLEET, t->name, t->line,
			"another model than the string's first battery: blocks of "
			"different capacity must not share a string");
		finding_raise(q, CHECK_FLEET, VERDICT_WARN);
	}
	return 0;
}

static int add_row(struct quality *q, struct fleet_facts *f, struct table *t)
{
	if (t->key[0] == IDS_NONE || t->repeated) /* every master's key is its first */
		return 0;
	if (t->id == LAYOUT_MODEL)
		return add_model(q, f, t);
	if (t->id == LAYOUT_STRING)
		return add_string(f, t);
	return t->id == LAYOUT_BATTERY ? add_battery(q, f, t) : 0;
}

static int read_file(
	struct quality *q, struct fleet_facts *f, enum layout_id id, struct err *err)
{
	struct table t;
	int r = table_open(&t, q, &f->keys, q->dir, id, err);
	while (r > 0 && (r = table_next(&t, err)) > 0)
		if (add_row(q, f, &t) < 0)
			r = err_nomem(err);
	table_close(&t);
	return r;
}

/* replacement_of may name a later row: held against all keys in a second pass. */
static int check_predecessors(struct quality *q, struct fleet_facts *f, struct err *err)
{
	struct table t;
	struct keys second = {0};
	int r = table_open(&t, NULL, &second, q->dir, LAYOUT_BATTERY, err);
	while (r > 0 && (r = table_next(&t, err)) > 0) {
		struct str of = t.cell[COLUMN(&t, "replacement_of")];
		if (of.len == 0)
			continue;
		q->checks[CHECK_REFERENCES].checked++;
		if (ids_find(&f->keys.of[LAYOUT_BATTERY], of) == IDS_NONE)
			finding(q, CHECK_REFERENCES, t.name, t.line,
				"replacement_of '%.*s' is not in battery",
				(int)(of.len < 60 ? of.len : 60), of.s);
	}
	table_close(&t);
	for (int i = 0; i < LAYOUT_FILES; i++)
		ids_release(&second.of[i]);
	return r;
}

static void check_strings(struct quality *q, const struct fleet_facts *f)
{
	for (size_t i = 0; i < f->nstrings; i++) {
		const struct string *s = &f->strings[i];
		q->checks[CHECK_FLEET].checked++;
		if (isnan(s->jars) || s->jars == (double)s->installed)
			continue;
		finding(q, CHECK_FLEET, "string.csv", s->line,
			"says %g batteries, battery.csv has %u", s->jars, s->installed);
		finding_raise(q, CHECK_FLEET, VERDICT_FAIL);
	}
}

int fleet_read(struct quality *q, struct fleet_facts *f, struct err *err)
{
	for (enum layout_id id = LAYOUT_LOCATION; id <= LAYOUT_SENSOR; id++)
		if (read_file(q, f, id, err) < 0)
			return -1;
	if (check_predecessors(q, f, err) < 0)
		return -1;
	check_strings(q, f);
	f->first_sample = f->last_sample = TIME_NIL;
	return 0;
}

void fleet_release(struct fleet_facts *f)
{
	for (int i = 0; i < LAYOUT_FILES; i++)
		ids_release(&f->keys.of[i]);
	free(f->models);
	free(f->strings);
	free(f->batteries);
}
