/* Master data, written at the end: by then it is known who was replaced. */
#include "export/parts.h"

#include "base/code.h"

#include <math.h>
#include <stdlib.h>

const char *export_word(int kind, int field, int value)
{
	const struct name_set *s = kind_info(kind)->fields[field].names;
	return value >= 0 && value < s->n ? s->words[value] : NULL;
}

static void name_unit(struct position *p, struct str code, int unit)
{
	p->unit = unit;
	export_key(p->key, LAYOUT_BATTERY, code, unit);
}

struct position *export_position(struct export *d, struct str code)
{
	struct ids *codes = &d->batteries.codes;
	size_t before = codes->n;
	uint32_t i = ids_intern(codes, code);
	if (i == IDS_NONE)
		return NULL;
	if (codes->n > d->cap_positions) {
		size_t cap = 2 * codes->n + 16;
		struct position *v = realloc(d->positions, cap * sizeof(*v));
		if (!v)
			return NULL;
		d->positions = v;
		d->cap_positions = cap;
	}
	struct position *p = &d->positions[i];
	if (codes->n > before) {
		*p = (struct position){.truth.ts = TIME_NIL,
			.twin.ts = TIME_NIL,
			.rul_days = NAN,
			.rul_source = ENUM_NIL};
		name_unit(p, code, 0);
	}
	return p;
}

int export_battery(struct export *d, const void *rec, struct err *err)
{
	const struct rec_battery *b = rec;
	struct position *p = export_position(d, b->code);
	if (!p || book_add(&d->batteries, KIND_battery, b->code, rec, err) < 0)
		return err_nomem(err);
	int unit = b->unit == INT_NIL ? 0 : b->unit;
	if (unit != p->unit) {
		name_unit(p, b->code, unit);
		p->truth.ts = p->twin.ts = TIME_NIL;
	}
	return 0;
}

/* A key cell: empty where there is nothing to name. */
static void write_key(struct out *o, enum layout_id file, struct str code)
{
	char key[EXPORT_KEY_SIZE];
	if (code.s && code.len)
		out_text(o, export_key(key, file, code, 0));
	else
		out_skip(o, 1);
}

static void write_site(
	struct export *d, struct out *o, struct str code, const void *rec)
{
	const struct rec_site *r = rec;
	write_key(o, LAYOUT_LOCATION, code);
	out_str(o, code);
	if (!r)
		return;
	out_str(o, r->name);
	out_str(o, r->region);
	out_str(o, r->city);
	out_f64(o, r->latitude);
	out_f64(o, r->longitude);
	out_str(o, r->timezone);
	out_date(o, &d->clock, r->commissioned);
	out_bool(o, r->active);
}

static void write_model(
	struct export *d, struct out *o, struct str code, const void *rec)
{
	const struct rec_battery_model *r = rec;
	write_key(o, LAYOUT_MODEL, code);
	out_str(o, code);
	if (!r)
		return;
	out_str(o, r->manufacturer);
	out_str(o, r->chemistry);
	const float numbers[] = {r->nominal_voltage_v, r->capacity_ah, r->float_min_v,
		r->float_max_v, r->boost_min_v, r->boost_max_v, r->max_charge_a,
		r->temp_warning_c, r->temp_critical_c, r->expected_life_years};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		out_f32(o, numbers[i]);
	out_str(o, r->datasheet);
}

static void write_system(
	struct export *d, struct out *o, struct str code, const void *rec)
{
	const struct rec_system *r = rec;
	write_key(o, LAYOUT_SYSTEM, code);
	write_key(o, LAYOUT_LOCATION, r ? r->site : code_site(code));
	out_str(o, code);
	if (!r)
		return;
	out_text(o, export_word(KIND_system, F_system_type, r->type));
	out_skip(o, 1);
	out_str(o, r->manufacturer);
	out_str(o, r->model);
	out_f32(o, r->rated_kva);
	out_date(o, &d->clock, r->installed);
	out_bool(o, 1);
}

static void write_string(
	struct export *d, struct out *o, struct str code, const void *rec)
{
	const struct rec_string *r = rec;
	write_key(o, LAYOUT_STRING, code);
	write_key(o, LAYOUT_SYSTEM, r ? r->system : code_system(code));
	out_str(o, code);
	if (!r)
		return;
	out_int(o, r->position == INT_NIL ? LONG_NIL : r->position);
	out_int(o, r->batteries == INT_NIL ? LONG_NIL : r->batteries);
	out_f32(o, r->nominal_voltage_v);
	out_date(o, &d->clock, r->installed);
	out_date(o, &d->clock, r->last_capacity_test);
	out_bool(o, 1);
}

static void write_sensor(
	struct export *d, struct out *o, struct str code, const void *rec)
{
	const struct rec_sensor *r = rec;
	write_key(o, LAYOUT_SENSOR, code);
	write_key(o, LAYOUT_LOCATION, r ? r->site : code_site(code));
	out_str(o, code);
	if (!r)
		return;
	out_str(o, r->type);
	out_str(o, r->zone);
	out_bool(o, 1);
}

typedef void row_writer(
	struct export *d, struct out *o, struct str code, const void *rec);

static int write_book(struct export *d, const struct book *b, enum layout_id file,
	row_writer *write, struct err *err)
{
	struct out *o = &d->out[file];
	for (uint32_t i = 0; i < b->codes.n; i++) {
		write(d, o, str_of(ids_name(&b->codes, i)), book_latest(b, i));
		if (out_row(o, err) < 0)
			return -1;
	}
	return 0;
}

/* One unit of a position: the cells up to its serial number and position. */
static void begin_unit(struct out *o, struct str code, int unit,
	const struct rec_battery *r, struct str serial)
{
	char key[EXPORT_KEY_SIZE];
	out_text(o, export_key(key, LAYOUT_BATTERY, code, unit));
	write_key(o, LAYOUT_STRING, r ? r->string : code_string(code));
	write_key(o, LAYOUT_MODEL, r ? r->model : STR_NIL);
	out_str(o, code);
	out_str(o, serial);
	out_int(o, r && r->position != INT_NIL ? r->position : LONG_NIL);
}

/* 'known': the unit before this one has a serial number, so it can be named. */
static void end_unit(struct export *d, struct out *o, struct str code, int unit,
	bool known, const char *status, int64_t replaced)
{
	char key[EXPORT_KEY_SIZE];
	out_text(o, status);
	if (unit > 0 && known)
		out_text(o, export_key(key, LAYOUT_BATTERY, code, unit - 1));
	else
		out_skip(o, 1);
	out_date(o, &d->clock, replaced);
}

enum { PREDECESSORS_MAX = 100 };

/* Units before the first that was reported: known by having been replaced, the last of
 * them by its serial number as well. */
static int write_predecessors(struct export *d, struct out *o, struct str code,
	const struct rec_battery *first, struct err *err)
{
	int n = first->unit == INT_NIL ? 0 : first->unit;
	for (int unit = n > PREDECESSORS_MAX ? n - PREDECESSORS_MAX : 0; unit < n;
		unit++) {
		bool last = unit == n - 1;
		begin_unit(
			o, code, unit, first, last ? first->replacement_of : STR_NIL);
		out_skip(o, 5);
		end_unit(d, o, code, unit, false, "replaced",
			last ? first->replaced : TIME_NIL);
		if (out_row(o, err) < 0)
			return -1;
	}
	return 0;
}

static int write_unit(struct export *d, struct out *o, struct str code,
	const struct rec_battery *r, const struct rec_battery *next, struct err *err)
{
	int unit = r->unit == INT_NIL ? 0 : r->unit;
	begin_unit(o, code, unit, r, r->serial);
	out_date(o, &d->clock, r->manufactured);
	out_date(o, &d->clock, r->installed);
	out_date(o, &d->clock, r->warranty_until);
	out_f32(o, r->initial_capacity_ah);
	out_f32(o, r->initial_resistance_mohm);
	end_unit(d, o, code, unit, r->replacement_of.s != NULL,
		next ? "replaced"
		     : export_word(KIND_battery, F_battery_status, r->status),
		next ? next->replaced : r->replaced);
	return out_row(o, err);
}

/* The records of each position in the order they came, as lists of numbers. */
struct histories {
	uint32_t *head; /* by number of the code; IDS_NONE: only named by its samples */
	uint32_t *next; /* by number of the record */
};

static int list_histories(const struct book *b, struct histories *h, struct err *err)
{
	h->head = malloc((b->codes.n + 1) * sizeof(*h->head));
	h->next = malloc((b->records.n + 1) * sizeof(*h->next));
	if (!h->head || !h->next)
		return err_nomem(err);
	for (size_t i = 0; i < b->codes.n; i++)
		h->head[i] = IDS_NONE;
	for (size_t i = b->records.n; i-- > 0;) {
		const struct rec_battery *r = b->records.v[i].rec;
		uint32_t code = ids_find(&b->codes, r->code);
		h->next[i] = h->head[code];
		h->head[code] = (uint32_t)i;
	}
	return 0;
}

/* What was last reported of each unit of a position. */
static int write_position(
	struct export *d, const struct histories *h, uint32_t number, struct err *err)
{
	const struct book *b = &d->batteries;
	struct out *o = &d->out[LAYOUT_BATTERY];
	struct str code = str_of(ids_name(&b->codes, number));
	uint32_t i = h->head[number];
	if (i == IDS_NONE) {
		begin_unit(o, code, 0, NULL, STR_NIL);
		return out_row(o, err);
	}
	int r = write_predecessors(d, o, code, b->records.v[i].rec, err);
	for (; r == 0 && i != IDS_NONE; i = h->next[i]) {
		const struct rec_battery *rec = b->records.v[i].rec, *next = NULL;
		if (h->next[i] != IDS_NONE)
			next = b->records.v[h->next[i]].rec;
		if (!next || rec->unit != next->unit)
			r = write_unit(d, o, code, rec, next, err);
	}
	return r;
}

static int write_batteries(struct export *d, struct err *err)
{
	struct histories h = {0};
	int r = list_histories(&d->batteries, &h, err);
	for (uint32_t i = 0; r == 0 && i < d->batteries.codes.n; i++)
		r = write_position(d, &h, i, err);
	free(h.head);
	free(h.next);
	return r;
}

static int name_parent(struct ids *parents, struct str code, struct err *err)
{
	if (!code.s || ids_intern(parents, code) != IDS_NONE)
		return 0;
	return err_nomem(err);
}

/* Whatever a code names must have a row: the string of a battery that was only sampled,
 * and what is above it. */
static int name_parents(struct export *d, struct err *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < d->batteries.codes.n; i++) {
		const struct rec_battery *b = book_latest(&d->batteries, i);
		struct str code = str_of(ids_name(&d->batteries.codes, i));
		r = name_parent(
			&d->strings.codes, b ? b->string : code_string(code), err);
		if (r == 0 && b)
			r = name_parent(&d->models.codes, b->model, err);
	}
	for (uint32_t i = 0; r == 0 && i < d->strings.codes.n; i++) {
		const struct rec_string *s = book_latest(&d->strings, i);
		struct str code = str_of(ids_name(&d->strings.codes, i));
		r = name_parent(
			&d->systems.codes, s ? s->system : code_system(code), err);
	}
	for (uint32_t i = 0; r == 0 && i < d->systems.codes.n; i++) {
		const struct rec_system *s = book_latest(&d->systems, i);
		struct str code = str_of(ids_name(&d->systems.codes, i));
		r = name_parent(&d->sites.codes, s ? s->site : code_site(code), err);
	}
	for (uint32_t i = 0; r == 0 && i < d->sensors.codes.n; i++) {
		const struct rec_sensor *s = book_latest(&d->sensors, i);
		struct str code = str_of(ids_name(&d->sensors.codes, i));
		r = name_parent(&d->sites.codes, s ? s->site : code_site(code), err);
	}
	return r;
}

int export_masters(struct export *d, struct err *err)
{
	if (name_parents(d, err) < 0 || write_batteries(d, err) < 0 ||
		write_book(d, &d->strings, LAYOUT_STRING, write_string, err) < 0 ||
		write_book(d, &d->systems, LAYOUT_SYSTEM, write_system, err) < 0 ||
		write_book(d, &d->models, LAYOUT_MODEL, write_model, err) < 0 ||
		write_book(d, &d->sensors, LAYOUT_SENSOR, write_sensor, err) < 0)
		return -1;
	return write_book(d, &d->sites, LAYOUT_LOCATION, write_site, err);
}
