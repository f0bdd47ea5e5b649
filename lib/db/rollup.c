#include "db/rollup.h"

#include "base/timefmt.h"
#include "db/internal.h"
#include "db/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Beyond this no value is a measurement; it keeps the sum of a day within 63 bits. */
static const double VALUE_MOST = 1e7;

enum {
	AT_RUN,
	AT_TS,
	AT_BATTERY,
	AT_LAST,
	AT_COUNT,
	AT_MODE,
	AT_VALUES,
	/* of each value, from there */
	OF_N = 0,
	OF_MIN,
	OF_MAX,
	OF_SUM,
	OF_LAST,
	OF_COUNT,
	VALUES = 4,
	NO_MODE = -1,
};

static const struct {
	enum f_telemetry field;
	const char *names[OF_COUNT];
} VALUE[VALUES] = {
	{F_telemetry_voltage_v, {"voltage_n", "voltage_min_v", "voltage_max_v",
					"voltage_sum", "voltage_v"}},
	{F_telemetry_current_a, {"current_n", "current_min_a", "current_max_a",
					"current_sum", "current_a"}},
	{F_telemetry_temperature_c,
		{"temperature_n", "temperature_min_c", "temperature_max_c",
			"temperature_sum", "temperature_c"}},
	{F_telemetry_resistance_mohm,
		{"resistance_n", "resistance_min_mohm", "resistance_max_mohm",
			"resistance_sum", "resistance_mohm"}},
};

static const struct {
	const char *name;
	int64_t ms;
} LEVEL[ROLLUPS] = {{"telemetry_15min", 15 * MINUTE_MS}, {"telemetry_hour", HOUR_MS},
	{"telemetry_day", DAY_MS}};

int64_t rollup_ms(enum rollup_level level)
{
	return LEVEL[level].ms;
}

const char *rollup_name(enum rollup_level level)
{
	return LEVEL[level].name;
}

static void add_column(struct table *t, const char *name, enum column_type type,
	enum column_merge merge)
{
	t->columns[t->ncolumns++] = (struct column){
		.name = name, .type = type, .entity = ENTITY_NONE, .merge = merge};
}

void rollup_table(enum rollup_level level, struct table *t)
{
	static const struct {
		enum column_type type;
		enum column_merge merge;
	} OF[OF_COUNT] = {{COL_INT, MERGE_SUM}, {COL_F32, MERGE_LEAST},
		{COL_F32, MERGE_GREATEST}, {COL_LONG, MERGE_SUM},
		{COL_F32, MERGE_LATER}};
	*t = (struct table){.name = LEVEL[level].name,
		.kind = kind_info(KIND_telemetry),
		.rule = RULE_MERGE,
		.ncolumns = 1,
		.nkeys = 3,
		.keys = {AT_RUN, AT_BATTERY, AT_TS},
		.ts = AT_TS,
		.latest = -1,
		.columns = {RUN_COLUMN}};
	add_column(t, "ts", COL_LONG, MERGE_LATER);
	add_column(t, "battery", COL_INT, MERGE_LATER);
	add_column(t, "last_ts", COL_LONG, MERGE_GREATEST);
	add_column(t, "count", COL_INT, MERGE_SUM);
	add_column(t, "mode", COL_WORD, MERGE_LATER);
	t->columns[AT_TS].key = t->columns[AT_BATTERY].key = true;
	t->columns[AT_MODE].field = &t->kind->fields[F_telemetry_mode];
	for (int v = 0; v < VALUES; v++)
		for (int k = 0; k < OF_COUNT; k++)
			add_column(t, VALUE[v].names[k], OF[k].type, OF[k].merge);
}

void rollup_init(struct rollup *r, struct batch *batches)
{
	*r = (struct rollup){.batch = &batches[table_of_rollup(ROLLUP_QUARTER)]};
}

void rollup_release(struct rollup *r)
{
	free(r->mark);
}

struct sample {
	int64_t run, battery, ts;
	float v[VALUES]; /* NaN: missing */
	int64_t parts[VALUES];
	int64_t mode; /* NO_MODE: missing */
};

static int64_t parts_of(float v)
{
	double x = fmin(fmax(float_as_written(v), -VALUE_MOST), VALUE_MOST);
	return llround(x * ROLLUP_PARTS);
}

static void set_value(struct sample *s, int k, float v)
{
	s->v[k] = v;
	s->parts[k] = isnan(v) ? 0 : parts_of(v);
}

static void open_row(struct row *r, const struct sample *s, int64_t start)
{
	cell_set(r, AT_RUN, (union cell){.i = s->run});
	cell_set(r, AT_TS, (union cell){.i = start});
	cell_set(r, AT_BATTERY, (union cell){.i = s->battery});
	cell_set(r, AT_COUNT, (union cell){.i = 0});
	for (int v = 0; v < VALUES; v++) {
		int at = AT_VALUES + v * OF_COUNT;
		cell_set(r, at + OF_N, (union cell){.i = 0});
		cell_set(r, at + OF_SUM, (union cell){.i = 0});
	}
}

/* A row takes a sample later than those before. */
static void row_take(struct row *r, const struct sample *s)
{
	cell_set(r, AT_LAST, (union cell){.i = s->ts});
	r->cells[AT_COUNT].i++;
	if (s->mode != NO_MODE)
		cell_set(r, AT_MODE, (union cell){.i = s->mode});
	for (int k = 0; k < VALUES; k++) {
		int at = AT_VALUES + k * OF_COUNT;
		union cell v = {.d = (double)s->v[k]};
		if (isnan(s->v[k]))
			continue;
		if (r->cells[at + OF_N].i++ == 0 || v.d < r->cells[at + OF_MIN].d)
			cell_set(r, at + OF_MIN, v);
		if (r->cells[at + OF_N].i == 1 || v.d > r->cells[at + OF_MAX].d)
			cell_set(r, at + OF_MAX, v);
		r->cells[at + OF_SUM].i += s->parts[k];
		cell_set(r, at + OF_LAST, v);
	}
}

/* Samples come by battery, then time: the row of a step is the newest or a new one. */
static int take(struct rollup *r, const struct sample *s, struct err *err)
{
	for (int l = 0; l < ROLLUPS; l++) {
		struct batch *b = &r->batch[l];
		int64_t start = time_whole(s->ts, LEVEL[l].ms) * LEVEL[l].ms;
		struct row *row;
		if (b->n > 0 && r->battery[l] == s->battery && r->start[l] == start) {
			row = batch_row(b, b->n - 1);
		} else {
			row = batch_blank(b);
			if (!row)
				return err_nomem(err);
			open_row(row, s, start);
			r->battery[l] = s->battery;
			r->start[l] = start;
		}
		row_take(row, s);
	}
	return 0;
}

static struct sample sample_of(const struct row *r)
{
	struct sample s = {.run = r->cells[0].i,
		.battery = r->cells[F_telemetry_battery + 1].i,
		.ts = r->cells[F_telemetry_ts + 1].i,
		.mode = NO_MODE};
	for (int k = 0; k < VALUES; k++) {
		int c = (int)VALUE[k].field + 1;
		set_value(&s, k, cell_null(r, c) ? NAN : (float)r->cells[c].d);
	}
	if (!cell_null(r, F_telemetry_mode + 1))
		s.mode = r->cells[F_telemetry_mode + 1].i;
	return s;
}

static const struct row *row_at(const struct batch *b, size_t i)
{
	return batch_row(b, b->order[i]);
}

static int64_t battery_at(const struct batch *b, size_t i)
{
	return row_at(b, i)->cells[F_telemetry_battery + 1].i;
}

static int64_t ts_at(const struct batch *b, size_t i)
{
	return row_at(b, i)->cells[F_telemetry_ts + 1].i;
}

static int add_mark(struct rollup *r, int64_t battery, struct err *err)
{
	if (r->nmarks == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 256;
		struct watermark *p = realloc(r->mark, cap * sizeof(*p));
		if (!p)
			return err_nomem(err);
		r->mark = p;
		r->cap = cap;
	}
	r->mark[r->nmarks++] = (struct watermark){battery, INT64_MIN};
	return 0;
}

static int compare_marks(const void *x, const void *y)
{
	const struct watermark *a = x, *b = y;
	return (a->battery > b->battery) - (a->battery < b->battery);
}

static int take_mark(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct rollup *r = ctx;
	struct watermark key = {strtoll(cells[0], NULL, 10), 0};
	struct watermark *m =
		bsearch(&key, r->mark, r->nmarks, sizeof(key), compare_marks);
	if (m)
		m->ts = strtoll(cells[1], NULL, 10);
	return 0;
}

/* The newest sample there was of each battery of the batch. */
static int read_marks(
	struct rollup *r, struct db *db, const struct batch *b, struct err *err)
{
	struct buf sql = {0};
	r->nmarks = 0;
	buf_printf(&sql,
		"SELECT battery, ts FROM telemetry_latest WHERE run = %" PRId64
		" AND battery IN (",
		row_at(b, 0)->cells[0].i);
	for (size_t i = 0; i < b->norder; i++) {
		int64_t battery = battery_at(b, i);
		if (i > 0 && battery == battery_at(b, i - 1))
			continue;
		if (add_mark(r, battery, err) < 0) {
			buf_release(&sql);
			return -1;
		}
		buf_printf(&sql, "%s%" PRId64, i ? "," : "", battery);
	}
	buf_puts(&sql, ")");
	buf_putc(&sql, '\0');
	int ok = sql.failed ? err_nomem(err)
			    : db_select(db, DB_QUERY_PLAIN((char *)sql.data), take_mark,
				      r, err);
	buf_release(&sql);
	return ok;
}

static int64_t mark_of(const struct rollup *r, int64_t battery)
{
	struct watermark key = {battery, 0};
	const struct watermark *m =
		bsearch(&key, r->mark, r->nmarks, sizeof(key), compare_marks);
	return m ? m->ts : INT64_MIN;
}

static int64_t count_new(const struct rollup *r, const struct batch *b)
{
	int64_t n = 0;
	for (size_t i = 0, m = 0; i < b->norder; i++) {
		while (r->mark[m].battery != battery_at(b, i))
			m++;
		n += ts_at(b, i) > r->mark[m].ts;
	}
	return n;
}

struct day {
	struct rollup *rollup;
	int64_t run, battery, from;
};

/* Cells: ts, the values, the mode. */
static int take_stored(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct day *d = ctx;
	struct sample s = {.run = d->run,
		.battery = d->battery,
		.ts = strtoll(cells[0], NULL, 10),
		.mode = NO_MODE};
	for (int k = 0; k < VALUES; k++)
		set_value(&s, k, cells[1 + k] ? strtof(cells[1 + k], NULL) : NAN);
	if (cells[1 + VALUES])
		s.mode = name_value(
			kind_info(KIND_telemetry)->fields[F_telemetry_mode].names,
			str_of(cells[1 + VALUES]));
	return take(d->rollup, &s, err);
}

/* The roll-ups of a battery's day go, and come anew from its samples. */
static int make_anew(struct db *db, struct day *d, struct err *err)
{
	char sql[512], span[160];
	snprintf(span, sizeof(span),
		"WHERE run = %" PRId64 " AND battery = %" PRId64 " AND ts >= %" PRId64
		" AND ts < %" PRId64,
		d->run, d->battery, d->from, d->from + DAY_MS);
	for (int l = 0; l < ROLLUPS; l++) {
		snprintf(sql, sizeof(sql), "DELETE FROM %s %s", LEVEL[l].name, span);
		if (db_write(db, DB_QUERY_PLAIN(sql), NULL, err) < 0)
			return -1;
	}
	snprintf(sql, sizeof(sql),
		"SELECT ts, voltage_v, current_a, temperature_c, resistance_mohm, mode "
		"FROM telemetry %s ORDER BY ts",
		span);
	return db_select(db, DB_QUERY_PLAIN(sql), take_stored, d, err);
}

static int take_time(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cells[0] ? strtoll(cells[0], NULL, 10) : INT64_MIN;
	return 0;
}

/* Are all samples of that time still there? 1, 0, or -1. */
static int is_kept(
	struct rollup *r, struct db *db, int64_t run, int64_t ts, struct err *err)
{
	char sql[128];
	if (!r->asked) {
		r->raw_from = INT64_MIN;
		snprintf(sql, sizeof(sql),
			"SELECT before_ts FROM retention WHERE run = %" PRId64
			" AND tier = 'telemetry'",
			run);
		if (db_select(db, DB_QUERY_PLAIN(sql), take_time, &r->raw_from, err) <
			0)
			return -1;
		r->asked = true;
	}
	return ts >= r->raw_from;
}

/* The rows from i on that are of one battery and day. */
static size_t day_end(const struct batch *b, size_t i)
{
	int64_t battery = battery_at(b, i), day = time_whole(ts_at(b, i), DAY_MS);
	while (i < b->norder && battery_at(b, i) == battery &&
		time_whole(ts_at(b, i), DAY_MS) == day)
		i++;
	return i;
}

/* Rows from i to end, of one battery and day. 'old': some were there and have changed,
 * or are late. */
static int take_day(struct rollup *r, struct db *db, const struct batch *b, size_t i,
	size_t end, bool old, struct err *err)
{
	int64_t mark = mark_of(r, battery_at(b, i));
	struct day d = {r, row_at(b, i)->cells[0].i, battery_at(b, i),
		time_whole(ts_at(b, i), DAY_MS) * DAY_MS};
	int anew = old && ts_at(b, i) <= mark ? is_kept(r, db, d.run, d.from, err) : 0;
	if (anew)
		return anew < 0 ? -1 : make_anew(db, &d, err);
	for (; i < end; i++) {
		struct sample s = sample_of(row_at(b, i));
		if (s.ts > mark && take(r, &s, err) < 0)
			return -1;
	}
	return 0;
}

static int write_levels(struct rollup *r, struct db *db, struct err *err)
{
	int ok = 0;
	for (int l = 0; l < ROLLUPS; l++) {
		struct batch *b = &r->batch[l];
		int64_t changed;
		if (ok == 0 && b->n > 0 &&
			(batch_sort(b, err) < 0 ||
				db->backend->write(db->conn,
					table_of_rollup((enum rollup_level)l), b,
					&changed, err) < 0))
			ok = -1;
		batch_clear(b);
	}
	return ok;
}

int rollup_write(struct rollup *r, struct db *db, const struct batch *b,
	int64_t changed, struct err *err)
{
	r->asked = false;
	if (changed == 0)
		return 0;
	if (db->backend->exec(db->conn, db->backend->rollup_lock, err) < 0 ||
		read_marks(r, db, b, err) < 0)
		return -1;
	bool old = changed > count_new(r, b);
	int ok = 0;
	for (size_t i = 0; ok == 0 && i < b->norder;) {
		size_t end = day_end(b, i);
		ok = take_day(r, db, b, i, end, old, err);
		i = end;
	}
	for (int l = 0; ok < 0 && l < ROLLUPS; l++)
		batch_clear(&r->batch[l]);
	return ok < 0 ? -1 : write_levels(r, db, err);
}
