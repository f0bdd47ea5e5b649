/* The windows of a fleet: order of arrival, gaps, strings, rooms, replacements. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "record/codec.h"
#include "window/windows.h"

#define T0 (INT64_C(496008) * HOUR_MS) /* a midnight */
#define J1 "DC-CNX-01-UPS-01-S1-J01"
#define J2 "DC-CNX-01-UPS-01-S1-J02"
#define S1 "DC-CNX-01-UPS-01-S1"

enum { ROWS_MAX = 4096, ARRIVALS_MAX = 50000 };

struct rows {
	int n;
	struct rec_feature v[ROWS_MAX];
	uint64_t sum; /* of hashes of the rows' bytes, whatever their order */
};
static struct rows rows;

static uint64_t row_hash(const struct rec_feature *f)
{
	struct buf one = {0};
	struct err err;
	assert_int_equal(
		record_encode_native(kind_info(KIND_feature), f, &one, &err), 0);
	uint64_t hash = hash_bytes(one.data, one.len);
	buf_release(&one);
	return hash;
}

static void collect(void *arg, const struct rec_feature *f)
{
	struct rows *r = arg;
	assert_true(r->n < ROWS_MAX);
	r->v[r->n] = *f;
	r->v[r->n++].battery = str_of(str_is(f->battery, J1) ? J1 : J2);
	r->sum += row_hash(f);
}

static struct windows *begin(const char *windows, int64_t lateness_ms)
{
	struct windows_config c = {.every_h = 1,
		.lateness_ms = lateness_ms,
		.max_gap_ms = 2 * HOUR_MS,
		.emit = collect,
		.arg = &rows};
	rows.n = 0;
	rows.sum = 0;
	assert_int_equal(windows_parse(&c, windows, NULL), 0);
	struct windows *f = windows_new(&c);
	assert_non_null(f);
	return f;
}

static struct rec_telemetry telemetry(const char *battery, int64_t ts, float voltage_v)
{
	return (struct rec_telemetry){
		ts, str_of(battery), voltage_v, 0.1f, 25.0f, 4.0f, mode_float, 0};
}

static enum windows_verdict add(struct windows *f, struct rec_telemetry t)
{
	return windows_add(f, KIND_telemetry, &t);
}

static void minutes(struct windows *f, const char *battery, int from, int to, float v)
{
	for (int i = from; i < to; i++)
		assert_int_equal(add(f, telemetry(battery, T0 + i * MINUTE_MS, v)),
			WINDOWS_USED);
}

static void check(float got, double want)
{
	if (!(fabs((double)got - want) < 1e-4))
		fail_msg("got %g, want %g", (double)got, want);
}

/* Any windows: at most 12 KiB of timeline; five minutes of one sample a second but
 * where hours and a month of days are kept at once. */
static void state_is_bounded(void **state)
{
	static const struct {
		int hours, days;
		unsigned ring;
	} v[] = {{1, 0, RING_MAX}, {24, 0, RING_MAX}, {24, 6, RING_MAX},
		{1, 29, RING_MAX}, {24, 29, RING_LEAST}};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++) {
		struct timeline_config c = {.hours = v[i].hours, .days = v[i].days};
		printf("%d hours and %d days: %zu bytes, %u samples\n", v[i].hours,
			v[i].days, timeline_size(&c), timeline_ring(&c));
		assert_true(timeline_size(&c) <= TIMELINE_BYTES_MAX);
		assert_true(timeline_ring(&c) >= v[i].ring);
	}
	assert_true(RING_MAX * SECOND_MS > 5 * MINUTE_MS);
	struct windows *f = begin("1,24,168,720", 5 * MINUTE_MS);
	assert_true(windows_battery_bytes(f) <= 12 * 1024);
	windows_free(f);
}

static void an_hour(void **state)
{
	struct windows *f = begin("1,24", 5 * MINUTE_MS);
	minutes(f, J1, 0, 66, 13.6f);
	assert_int_equal(rows.n, 0); /* 01:05 is the newest: 01:00 may still be late */
	minutes(f, J1, 66, 67, 13.6f);
	assert_int_equal(rows.n, 2);
	const struct rec_feature *r = &rows.v[0];
	assert_true(r->ts == T0 + HOUR_MS && r->window_h == 1);
	assert_true(str_is(r->battery, J1));
	assert_int_equal(r->count, 60);
	check(r->coverage, 1);
	assert_int_equal(r->gap_count, 0);
	check(r->v_mean_v, 13.6);
	check(r->v_std_v, 0);
	check(r->arrhenius_hours, 1);
	check(r->ah_in, 0.1);
	check(r->ah_out, 0);
	check(r->conductance_s, 250);
	check(r->r_baseline_pct, 100);
	assert_true(isnan(r->v_imbalance_v)); /* there is no other jar */
	assert_true(isnan(r->t_rise_k));
	assert_true(isnan(r->equivalent_cycles)); /* no model, no rating */
	assert_true(isnan(r->minutes_below_float));
	assert_true(isnan(r->age_days));
	assert_int_equal(rows.v[1].window_h, 24);
	check(rows.v[1].coverage, 1 / 24.0);
	windows_end(f);
	assert_int_equal(rows.n, 2); /* 02:00 was not reached */
	windows_free(f);
}

/* 23:59 with a minute's interval reaches midnight: the day is complete. */
static void the_end_of_the_stream(void **state)
{
	struct windows *f = begin("1,24", 5 * MINUTE_MS);
	minutes(f, J1, 0, 1440, 13.6f);
	windows_end(f);
	assert_int_equal(rows.n, 48);
	assert_true(rows.v[47].ts == T0 + DAY_MS && rows.v[47].window_h == 24);
	assert_int_equal(rows.v[47].count, 1440);
	check(rows.v[47].coverage, 1);
	check(rows.v[47].ah_in, 2.4);
	windows_free(f);
}

static struct rec_telemetry noisy(gsl_rng *rng, const char *battery, int64_t ts)
{
	struct rec_telemetry t =
		telemetry(battery, ts, (float)(13 + gsl_rng_uniform(rng)));
	t.temperature_c = (float)(20 + 20 * gsl_rng_uniform(rng));
	t.current_a = (float)(60 * (gsl_rng_uniform(rng) - 0.5));
	t.resistance_mohm = (float)(4 + gsl_rng_uniform(rng));
	return t;
}

/* A world of two jars, their string and room, in the order of its times. */
struct world {
	int n;
	struct {
		int kind;
		int64_t ts;
		union rec_any rec;
	} v[ARRIVALS_MAX];
};
static struct world world;

static void put(int kind, int64_t ts, union rec_any rec)
{
	assert_true(world.n < ARRIVALS_MAX);
	world.v[world.n].kind = kind;
	world.v[world.n].ts = ts;
	world.v[world.n++].rec = rec;
}

static void make_world(gsl_rng *rng, int steps, int64_t step_ms)
{
	world.n = 0;
	for (int i = 0; i < steps; i++) {
		int64_t ts = T0 + i * step_ms +
			     (int64_t)gsl_rng_uniform_int(rng, (unsigned long)step_ms);
		put(KIND_string_telemetry, ts,
			(union rec_any){
				.string_telemetry = {.ts = ts,
					.string = str_of(S1),
					.current_a = i % 40 < 5 ? -50 : 2,
					.float_current_a = 0.05f + i % 7 * 0.01f,
					.mode = i % 40 < 5 ? mode_discharge
							   : mode_float,
					.ripple_voltage_rms_v = 0.1f,
					.thd_pct = NAN}});
		put(KIND_environment, ts,
			(union rec_any){.environment = {.ts = ts,
						.sensor = str_of("DC-CNX-01-ENV01"),
						.temperature_c = (float)(20 + i % 9)}});
		for (int jar = 0; jar < 2; jar++) {
			union rec_any any = {
				.telemetry = noisy(rng, jar ? J2 : J1, ts)};
			if (i % 3) {
				any.telemetry.current_a = NAN;
				any.telemetry.mode = ENUM_NIL;
			}
			put(KIND_telemetry, ts, any);
		}
	}
}

struct arrival {
	int64_t key;
	int i;
};

static int by_key(const void *a, const void *b)
{
	const struct arrival *x = a, *y = b;
	return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : x->i - y->i;
}

/* An order of arrival in which nothing comes later than the lateness behind a newer
 * record, and some of it twice. Returns how many arrive. */
static int shuffle(gsl_rng *rng, struct arrival *order, int twice, int64_t lateness_ms)
{
	int n = 0;
	for (int i = 0; i < world.n + twice; i++) {
		int from = i < world.n ? i
				       : (int)gsl_rng_uniform_int(
						 rng, (unsigned long)world.n);
		order[n].i = from;
		order[n++].key = world.v[from].ts + (int64_t)gsl_rng_uniform_int(rng,
							    (unsigned long)lateness_ms);
	}
	qsort(order, (size_t)n, sizeof(*order), by_key);
	return n;
}

/* Any order of arrival within the lateness, with duplicates: the same bytes. */
static void any_order(const char *windows, int steps, int64_t step_ms,
	int64_t lateness_ms, int rounds)
{
	static struct arrival order[ARRIVALS_MAX + ARRIVALS_MAX / 10];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	uint64_t first = 0;
	int first_rows = 0;
	gsl_rng_set(rng, (unsigned long)step_ms);
	make_world(rng, steps, step_ms);
	for (int round = 0; round < rounds; round++) {
		struct windows *f = begin(windows, lateness_ms);
		int n = round ? shuffle(rng, order, world.n / 10, lateness_ms)
			      : shuffle(rng, order, 0, 1);
		int used = 0, duplicates = 0;
		for (int i = 0; i < n; i++) {
			enum windows_verdict verdict = windows_add(
				f, world.v[order[i].i].kind, &world.v[order[i].i].rec);
			used += verdict == WINDOWS_USED;
			duplicates += verdict == WINDOWS_DUPLICATE;
		}
		assert_int_equal(used, world.n);
		assert_int_equal(duplicates, n - world.n);
		assert_int_equal(windows_early(f), 0);
		windows_end(f);
		windows_free(f);
		if (round == 0) {
			first = rows.sum;
			first_rows = rows.n;
		}
		assert_true(rows.n > 10);
		assert_int_equal(rows.n, first_rows);
		assert_true(rows.sum == first);
	}
	gsl_rng_free(rng);
}

static void order_of_arrival(void **state)
{
	any_order("1,6", 1500, 20 * SECOND_MS, 5 * MINUTE_MS, 12);
}

/* As many samples as the ring can hold: one a second over five minutes. */
static void order_of_seconds(void **state)
{
	any_order("1,24", 3 * 3600, SECOND_MS, 5 * MINUTE_MS - SECOND_MS, 4);
}

/* Days, a lateness of several samples, and panes that close while older come. */
static void order_over_weeks(void **state)
{
	any_order("1,24,168,720", 33 * 96, 15 * MINUTE_MS, 50 * MINUTE_MS, 4);
}

/* The rows of midnight are the same whether the hours' are given out or not. */
static void daily_rows_are_the_hourly_ones(void **state)
{
	uint64_t sum[2] = {0};
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	make_world(rng, 10 * 96, 15 * MINUTE_MS);
	for (int daily = 0; daily < 2; daily++) {
		struct windows_config c = {.windows_h = {1, 24, 168},
			.every_h = daily ? 24 : 1,
			.lateness_ms = 5 * MINUTE_MS,
			.max_gap_ms = 2 * HOUR_MS,
			.emit = collect,
			.arg = &rows};
		struct windows *f = windows_new(&c);
		assert_non_null(f);
		rows.n = 0;
		for (int i = 0; i < world.n; i++)
			windows_add(f, world.v[i].kind, &world.v[i].rec);
		windows_free(f);
		for (int i = 0; i < rows.n; i++)
			if (rows.v[i].ts % DAY_MS == 0)
				sum[daily] += row_hash(&rows.v[i]);
		assert_true(daily ? rows.n > 20 && rows.n < 60 : rows.n > 400);
	}
	assert_true(sum[0] == sum[1]);
	gsl_rng_free(rng);
}

static void late_and_double(void **state)
{
	struct windows *f = begin("1", 5 * MINUTE_MS);
	minutes(f, J1, 0, 61, 13.6f);
	/* exactly at the lateness is in time; a millisecond more is not */
	assert_int_equal(
		add(f, telemetry(J1, T0 + 55 * MINUTE_MS, 13.6f)), WINDOWS_DUPLICATE);
	assert_int_equal(
		add(f, telemetry(J1, T0 + 55 * MINUTE_MS - 1, 13.6f)), WINDOWS_LATE);
	assert_int_equal(
		add(f, telemetry(J1, T0 + 55 * MINUTE_MS + 1, 13.6f)), WINDOWS_USED);
	assert_int_equal(
		add(f, telemetry(J1, T0 + 58 * MINUTE_MS, 13.5f)), WINDOWS_CONFLICT);
	assert_int_equal(
		add(f, telemetry(J1, T0 + 58 * MINUTE_MS, 13.9f)), WINDOWS_CONFLICT);
	minutes(f, J1, 61, 70, 13.6f);
	assert_int_equal(rows.n, 1);
	assert_int_equal(rows.v[0].count, 61);
	check(rows.v[0].v_min_v, 13.5); /* of two, the smaller, whichever came first */
	check(rows.v[0].v_max_v, 13.6);
	for (int i = 0; i <= WINDOWS_NO_MEMORY; i++)
		assert_true(!windows_reason((enum windows_verdict)i) ==
			    (i == WINDOWS_USED));
	windows_free(f);
}

/* 20 samples a second: the ring is full long before the lateness, and still exact. */
static void faster_than_the_ring(void **state)
{
	struct windows *f = begin("1,168", 5 * MINUTE_MS);
	for (int i = 0; i < 80000; i++)
		assert_int_equal(
			add(f, telemetry(J1, T0 + i * 50, 13.6f)), WINDOWS_USED);
	assert_int_equal(windows_early(f), 80000 - RING_MAX);
	assert_int_equal(add(f, telemetry(J1, T0 + 79600 * 50, 13.6f)), WINDOWS_LATE);
	assert_int_equal(
		add(f, telemetry(J1, T0 + 79990 * 50, 13.6f)), WINDOWS_DUPLICATE);
	assert_int_equal(rows.n, 1);
	assert_int_equal(rows.v[0].count, 72000);
	check(rows.v[0].coverage, 1);
	windows_free(f);
}

/* One sample a second: the lateness is whole, to its last millisecond. */
static void as_fast_as_the_ring(void **state)
{
	static const char *const windows[] = {"1,24", "2,24,168", "168,720"};
	for (int w = 0; w < 3; w++) {
		struct windows *f = begin(windows[w], 5 * MINUTE_MS);
		for (int i = 0; i < 4000; i++)
			assert_int_equal(add(f, telemetry(J1, T0 + i * SECOND_MS, 13)),
				WINDOWS_USED);
		int64_t last = T0 + 3999 * SECOND_MS - 5 * MINUTE_MS;
		assert_int_equal(add(f, telemetry(J1, last, 13)), WINDOWS_DUPLICATE);
		assert_int_equal(add(f, telemetry(J1, last - 1, 13)), WINDOWS_LATE);
		assert_int_equal(windows_early(f), 0);
		windows_free(f);
	}
}

static void a_gap_is_a_gap(void **state)
{
	struct windows *f = begin("1,24", 5 * MINUTE_MS);
	minutes(f, J1, 0, 30, 13.6f);
	minutes(f, J1, 50, 120, 13.6f);
	minutes(f, J1, 600, 680, 13.6f);
	windows_end(f);
	/* hours 1, 2, 11 of one hour; of 24 hours each hour from 1 to 11 */
	int hours = 0, days = 0;
	for (int i = 0; i < rows.n; i++) {
		hours += rows.v[i].window_h == 1;
		days += rows.v[i].window_h == 24;
	}
	assert_int_equal(hours, 3);
	assert_int_equal(days, 11);
	/* 29 + 10 intervals hold; the 21 min between do not */
	check(rows.v[0].coverage, 39 / 60.0);
	assert_int_equal(rows.v[0].gap_count, 1);
	assert_int_equal(rows.v[0].count, 40);
	check(rows.v[rows.n - 1].coverage, (39 + 59 + 60) / 1440.0);
	assert_int_equal(rows.v[rows.n - 1].gap_count, 2);
	check(rows.v[rows.n - 1].ah_in, 0.1 * (39 + 59 + 60) / 60.0);
	windows_free(f);
}

static void model_and_book(struct windows *f)
{
	struct rec_battery_model m = {.name = str_of("HX12-120"),
		.capacity_ah = 120,
		.float_min_v = 13.5f,
		.float_max_v = 13.8f};
	struct rec_battery b = {.code = str_of(J1),
		.model = str_of("HX12-120"),
		.unit = 0,
		.installed = T0 - 100 * DAY_MS,
		.initial_resistance_mohm = 3.2f};
	assert_int_equal(windows_add(f, KIND_battery_model, &m), WINDOWS_USED);
	assert_int_equal(windows_add(f, KIND_battery, &b), WINDOWS_USED);
}

/* Voltage and current on one row, temperature on the next, one of each a minute. */
static struct rec_telemetry in_turns(int half_minute, double current_a)
{
	struct rec_telemetry t =
		telemetry(J1, T0 + half_minute * 30 * SECOND_MS, 13.6f);
	t.resistance_mohm = NAN;
	if (half_minute % 2) {
		t.voltage_v = t.current_a = NAN;
		t.mode = ENUM_NIL;
		t.temperature_c = 32;
	} else {
		t.temperature_c = NAN;
		t.current_a = (float)current_a;
		t.mode = current_a < 0 ? mode_discharge : mode_float;
	}
	return t;
}

static void quantities_in_turns(void **state)
{
	struct windows *f = begin("1,3", 0);
	model_and_book(f);
	for (int i = 0; i < 360; i++) {
		struct rec_telemetry t = in_turns(i, i < 120 ? -12 : 6);
		if (i >= 240 && i % 2)
			continue; /* the thermometer is silent */
		assert_int_equal(add(f, t), WINDOWS_USED);
	}
	windows_end(f);
	const struct rec_feature *r = &rows.v[rows.n - 1];
	assert_int_equal(r->window_h, 3);
	assert_int_equal(r->count, 300);
	check(r->coverage, 1);
	check(r->ah_out, 12);
	check(r->ah_in, 12);
	assert_int_equal(r->discharge_events, 1);
	check(r->i_mean_a, 0); /* of the samples, not of what they leave standing */
	check(r->hours_above_30c, 3 - 0.5 / 60);
	windows_free(f);
}

/* What stands ends: with a doubt, with an empty sample, and after max_gap. */
static void nothing_stands_forever(void **state)
{
	struct windows *f = begin("1,6", 0);
	for (int i = 0; i < 360; i++) {
		struct rec_telemetry t = telemetry(J1, T0 + i * MINUTE_MS, 13.6f);
		int minute = i % 60;
		if (i / 60 == 1 && minute >= 20 && minute < 30) {
			t.temperature_c = 85; /* ten minutes of doubt */
			t.quality = BIT(quality_temperature_range);
		} else if (i / 60 == 2 && minute == 20) {
			t.voltage_v = t.current_a = t.temperature_c =
				t.resistance_mohm = NAN;
		} else {
			t.temperature_c = i / 60 == 2 && minute > 20 ? NAN : 32;
		}
		if (i >= 180)
			t.temperature_c = NAN;
		if (i == 180)
			t.temperature_c = 32; /* the last there is: two hours */
		add(f, t);
	}
	windows_end(f);
	check(rows.v[0].hours_above_30c, 1);
	check(rows.v[2].hours_above_30c, 50 / 60.0);
	check(rows.v[2].coverage, 1);
	check(rows.v[4].hours_above_30c, 20 / 60.0);
	check(rows.v[4].coverage, 59 / 60.0);
	check(rows.v[6].hours_above_30c, 1);
	assert_true(isnan(rows.v[8].hours_above_30c)); /* not measured in that hour */
	const struct rec_feature *r = &rows.v[rows.n - 1];
	double last = (double)r->hours_above_30c - (1 + 50 / 60.0 + 20 / 60.0);
	assert_true(last > 2 - 3 / 60.0 && last <= 2 + 1 / 60.0);
	windows_free(f);
}

/* Years of silence do not give years of rows, nor take years: each of these samples is
 * a month to a century after the last. */
static void a_long_silence(void **state)
{
	struct windows *f = begin("1,24,720", 5 * MINUTE_MS);
	minutes(f, J1, 0, 60, 13.6f);
	add(f, telemetry(J1, T0 + 4999999 * MINUTE_MS, 13.6f)); /* doubted */
	minutes(f, J1, 5000000, 5000100, 13.6f);
	/* an hour; days that end in the next 23 hours and this; months; then the new */
	assert_int_equal(rows.n, 1 + 24 + 30 + 2);
	for (int i = 0; i < rows.n - 2; i++)
		assert_int_equal(rows.v[i].count, 60);
	assert_int_equal(rows.v[rows.n - 3].window_h, 720);
	assert_true(rows.v[rows.n - 3].ts == T0 + 30 * DAY_MS);
	windows_free(f);

	f = begin("24,720", 0);
	int64_t ts = TIME_MIN;
	for (int i = 0; ts < TIME_MAX - 100 * 365 * DAY_MS; i++) {
		rows.n = 0;
		if (add(f, telemetry(J1, ts, 13.6f)) == WINDOWS_CLOCK)
			assert_int_equal(
				add(f, telemetry(J1, ts, 13.6f)), WINDOWS_USED);
		assert_true(rows.n <= 24 + 30);
		ts += (31 + 36500 * (i % 50 == 7)) * DAY_MS;
	}
	windows_free(f);
}

static void hourly_samples(void **state)
{
	struct windows *f = begin("1,24", 5 * MINUTE_MS);
	for (int i = 0; i < 48; i++)
		add(f, telemetry(J1, T0 + i * HOUR_MS, 13.6f));
	windows_end(f);
	const struct rec_feature *r = &rows.v[rows.n - 1];
	assert_true(r->ts == T0 + 2 * DAY_MS);
	assert_int_equal(r->count, 24);
	check(r->coverage, 1);
	assert_int_equal(r->gap_count, 0);
	windows_free(f);
}

static void doubtful_samples(void **state)
{
	struct windows *f = begin("1", 0);
	for (int i = 0; i < 61; i++) {
		struct rec_telemetry t = telemetry(J1, T0 + i * MINUTE_MS, 13.6f);
		if (i % 4 == 1) {
			t.voltage_v = 99;
			t.quality = BIT(quality_voltage_range);
		} else if (i % 4 == 2) {
			t.voltage_v = t.temperature_c = t.resistance_mohm = 1;
			t.quality = BIT(quality_sentinel);
		}
		assert_int_equal(add(f, t), WINDOWS_USED);
	}
	windows_end(f);
	assert_int_equal(rows.n, 1);
	assert_int_equal(rows.v[0].count, 45);
	check(rows.v[0].coverage, 0.75);
	check(rows.v[0].v_max_v, 13.6);
	check(rows.v[0].t_mean_c, 25);
	windows_free(f);
}

/* 60 A for half an hour from full: 30 Ah, a quarter of 120 Ah, across an hour's end. */
static void a_discharge(void **state)
{
	struct windows *f = begin("1,2", 5 * MINUTE_MS);
	model_and_book(f);
	for (int i = 0; i < 120; i++) {
		bool on = i >= 45 && i < 75;
		struct rec_telemetry t =
			telemetry(J1, T0 + i * MINUTE_MS, on ? 12.0f : 13.4f);
		t.current_a = on ? -60.0f : 0.1f;
		t.mode = on ? mode_discharge : mode_float;
		add(f, t);
	}
	windows_end(f);
	const struct rec_feature *r = &rows.v[rows.n - 1];
	assert_int_equal(r->window_h, 2);
	check(r->ah_out, 30);
	check(r->equivalent_cycles, 0.25);
	check(r->deepest_dod_pct, 25);
	assert_int_equal(r->discharge_events, 1);
	assert_int_equal(r->surge_events, 1);
	check(r->minutes_below_float, 90);
	check(r->minutes_above_float, 0);
	check(r->r_baseline_pct, 125);
	check(r->age_days, 100 + 2 / 24.0);
	check(r->i_abs_max_a, 60);
	check(rows.v[0].deepest_dod_pct, 12.5);
	windows_free(f);
}

static void string_and_room(void **state)
{
	struct windows *f = begin("1", 5 * MINUTE_MS);
	for (int i = 0; i < 60; i++) {
		int64_t ts = T0 + i * MINUTE_MS;
		struct rec_environment e = {.ts = ts,
			.sensor = str_of("DC-CNX-01-ENV01"),
			.temperature_c = 22};
		struct rec_string_telemetry s = {.ts = ts,
			.string = str_of(S1),
			.current_a = -6,
			.mode = mode_discharge,
			.ripple_voltage_rms_v = 0.5f,
			.thd_pct = NAN};
		assert_int_equal(windows_add(f, KIND_environment, &e), WINDOWS_USED);
		assert_int_equal(
			windows_add(f, KIND_string_telemetry, &s), WINDOWS_USED);
		assert_int_equal(
			windows_add(f, KIND_string_telemetry, &s), WINDOWS_DUPLICATE);
		struct rec_telemetry t = telemetry(J1, ts, 13.6f);
		t.current_a = NAN;
		t.mode = ENUM_NIL;
		assert_int_equal(add(f, t), WINDOWS_USED);
		assert_int_equal(add(f, telemetry(J2, ts, 13.4f)), WINDOWS_USED);
	}
	windows_end(f);
	assert_int_equal(rows.n, 2);
	check(rows.v[0].v_imbalance_v, 0.1);
	check(rows.v[1].v_imbalance_v, -0.1);
	check(rows.v[0].t_rise_k, 3);
	check(rows.v[0].ripple_mean_v, 0.5);
	assert_true(isnan(rows.v[0].thd_mean_pct));
	check(rows.v[0].ah_out, 6);
	assert_int_equal(rows.v[0].discharge_events, 1);
	check(rows.v[1].ah_in, 0.1);
	windows_free(f);
}

/* Jars sampled far less often than their string still find its current of their time.
 */
static void a_busy_string(void **state)
{
	struct windows *f = begin("1", 5 * MINUTE_MS);
	for (int i = 0; i < 120; i++) {
		int64_t ts = T0 + i * MINUTE_MS;
		struct rec_string_telemetry s = {.ts = ts,
			.string = str_of(S1),
			.current_a = i % 30 == 0 ? -6 : 7,
			.mode = mode_float};
		assert_int_equal(
			windows_add(f, KIND_string_telemetry, &s), WINDOWS_USED);
		struct rec_telemetry t = telemetry(J1, ts, 13.6f);
		t.current_a = NAN;
		t.mode = ENUM_NIL;
		if (i % 30 == 0)
			assert_int_equal(add(f, t), WINDOWS_USED);
	}
	windows_end(f);
	assert_int_equal(rows.n, 2);
	check(rows.v[0].i_mean_a, -6);
	check(rows.v[0].ah_out, 6);
	check(rows.v[1].i_mean_a, -6);
	windows_free(f);
}

/* What was never measured is missing, not nothing. */
static void never_measured(void **state)
{
	struct windows *f = begin("1", 0);
	model_and_book(f);
	for (int i = 0; i <= 60; i++) {
		struct rec_telemetry t = telemetry(J1, T0 + i * MINUTE_MS, 13.4f);
		t.current_a = t.temperature_c = NAN;
		t.resistance_mohm = 0;
		t.mode = i ? mode_unknown : ENUM_NIL;
		assert_int_equal(add(f, t), WINDOWS_USED);
	}
	windows_end(f);
	assert_int_equal(rows.n, 1);
	const struct rec_feature *r = &rows.v[0];
	check(r->v_mean_v, 13.4);
	assert_int_equal(r->discharge_events, INT_NIL);
	assert_int_equal(r->surge_events, INT_NIL);
	const float missing[] = {r->minutes_below_float, r->minutes_above_float,
		r->i_mean_a, r->ah_out, r->ah_in, r->equivalent_cycles,
		r->deepest_dod_pct, r->t_mean_c, r->hours_above_30c, r->arrhenius_hours,
		r->r_latest_mohm, r->r_baseline_pct, r->conductance_s, r->v_imbalance_v,
		r->t_rise_k, r->ripple_mean_v, r->thd_mean_pct};
	for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++)
		assert_true(isnan(missing[i]));
	windows_free(f);
}

/* The books may come after the first samples, and name a string the code does not. */
static void another_string(void **state)
{
	struct windows *f = begin("1", 5 * MINUTE_MS);
	struct rec_string_telemetry s = {
		.ts = T0 + 30 * MINUTE_MS, .string = str_of("X-S9"), .current_a = 1};
	minutes(f, "LAB-1", 0, 10, 13.4f);
	minutes(f, "LAB-2", 0, 10, 13.6f);
	static const char *const codes[] = {"LAB-1", "LAB-2"};
	for (int i = 0; i < 2; i++) {
		struct rec_battery b = {.code = str_of(codes[i]),
			.string = str_of("X-S9"),
			.unit = INT_NIL,
			.installed = TIME_NIL};
		assert_int_equal(windows_add(f, KIND_battery, &b), WINDOWS_USED);
	}
	for (int i = 10; i < 60; i++) {
		minutes(f, "LAB-1", i, i + 1, 13.4f);
		minutes(f, "LAB-2", i, i + 1, 13.6f);
	}
	assert_int_equal(windows_add(f, KIND_string_telemetry, &s), WINDOWS_USED);
	windows_end(f);
	assert_int_equal(rows.n, 2);
	check(rows.v[0].v_imbalance_v, -0.1);
	check(rows.v[1].v_imbalance_v, 0.1);
	windows_free(f);
}

static void a_replacement(void **state)
{
	struct windows *f = begin("1,24", 5 * MINUTE_MS);
	model_and_book(f);
	minutes(f, J1, 0, 120, 13.6f);
	assert_int_equal(rows.n, 2);
	struct rec_event e = {.event_id = str_of("r1"),
		.ts = T0 + 120 * MINUTE_MS,
		.end_ts = TIME_NIL,
		.subject = str_of(J1),
		.type = event_type_replacement,
		.status = event_status_completed};
	assert_int_equal(windows_add(f, KIND_event, &e), WINDOWS_USED);
	assert_int_equal(rows.n, 4); /* what was complete, as the old unit's */
	assert_int_equal(rows.v[3].unit, 0);
	check(rows.v[3].age_days, 100 + 2 / 24.0);
	assert_int_equal(
		add(f, telemetry(J1, T0 + 119 * MINUTE_MS, 13.6f)), WINDOWS_UNIT);
	minutes(f, J1, 120, 180, 13.7f);
	windows_end(f);
	const struct rec_feature *r = &rows.v[rows.n - 1];
	assert_int_equal(r->unit, 1);
	assert_int_equal(r->window_h, 24);
	assert_int_equal(r->count, 60);
	check(r->r_baseline_pct, 100); /* its own first week, not the old book */
	windows_free(f);
}

static void a_clock_ahead(void **state)
{
	struct windows *f = begin("1", 5 * MINUTE_MS);
	minutes(f, J1, 0, 10, 13.6f);
	minutes(f, J2, 0, 10, 13.6f);
	struct rec_telemetry t = telemetry(J2, T0 + DAY_MS, 13.6f);
	for (int i = 0; i < 5; i++, t.ts += MINUTE_MS)
		assert_int_equal(add(f, t), WINDOWS_CLOCK);
	minutes(f, J1, 10, 20, 13.6f);
	minutes(f, J2, 15, 20, 13.6f); /* its clock was put right */
	/* the whole stream goes on a day later: the second source convinces */
	assert_int_equal(add(f, telemetry(J1, T0 + DAY_MS, 13.6f)), WINDOWS_CLOCK);
	assert_int_equal(add(f, telemetry(J2, T0 + DAY_MS, 13.6f)), WINDOWS_USED);
	assert_int_equal(add(f, telemetry(J1, T0 + DAY_MS, 13.6f)), WINDOWS_USED);
	windows_free(f);
}

/* A wrong date of the only source harms itself alone; a pause costs one sample. */
static void a_wrong_date(void **state)
{
	struct windows *f = begin("1", 5 * MINUTE_MS);
	minutes(f, J1, 0, 10, 13.6f);
	assert_int_equal(add(f, telemetry(J1, TIME_MAX, 13.6f)), WINDOWS_CLOCK);
	assert_int_equal(add(f, telemetry(J1, TIME_MIN, 13.6f)), WINDOWS_LATE);
	minutes(f, J1, 10, 20, 13.6f);
	minutes(f, J1, 20 + 23 * 60, 30 + 23 * 60, 13.6f);
	int64_t later = T0 + 40 * DAY_MS;
	assert_int_equal(add(f, telemetry(J1, later, 13.6f)), WINDOWS_CLOCK);
	assert_int_equal(add(f, telemetry(J1, later + MINUTE_MS, 13.6f)), WINDOWS_USED);
	assert_int_equal(add(f, telemetry(J1, later, 13.6f)), WINDOWS_USED);
	/* a week apart from the first on: one is doubted, the usual step is then known
	 */
	struct windows *weekly = begin("24", 5 * MINUTE_MS);
	for (int i = 0; i < 20; i++)
		assert_int_equal(add(weekly, telemetry(J1, T0 + i * 7 * DAY_MS, 13.6f)),
			i == 1 ? WINDOWS_CLOCK : WINDOWS_USED);
	windows_free(weekly);
	/* a date ahead, now and then, is none the truer for the one before */
	for (int i = 1; i < 5; i++) {
		int64_t now = later + (2 + i) * MINUTE_MS;
		assert_int_equal(add(f, telemetry(J1, now + i * 300 * DAY_MS, 13.6f)),
			WINDOWS_CLOCK);
		assert_int_equal(add(f, telemetry(J1, now, 13.6f)), WINDOWS_USED);
	}
	/* the end of time has no row after it */
	add(f, telemetry(J1, TIME_MAX, 13.6f));
	assert_int_equal(add(f, telemetry(J1, TIME_MAX, 13.6f)), WINDOWS_USED);
	windows_end(f);
	assert_true(rows.n > 2);
	for (int i = 0; i < rows.n; i++)
		assert_true(rows.v[i].ts <= TIME_MAX);
	windows_free(f);
}

/* 30 days of hours: the 7-day window against a plain sum over the same samples. */
static void weeks(void **state)
{
	enum { N = 31 * 24 * 12 };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct windows *f = begin("1,24,168,720", 5 * MINUTE_MS);
	static double v[N];
	for (int i = 0; i < N; i++) {
		struct rec_telemetry t = noisy(rng, J1, T0 + i * 5 * MINUTE_MS);
		v[i] = round((double)t.voltage_v * 1e5) / 1e5;
		assert_int_equal(add(f, t), WINDOWS_USED);
		t = telemetry(J2, t.ts, 13.5f);
		assert_int_equal(add(f, t), WINDOWS_USED);
	}
	windows_end(f);
	for (int w = 168; w <= 720; w += 720 - 168) {
		double sum = 0, sq = 0;
		int n = w * 12, found = 0;
		for (int i = N - n; i < N; i++)
			sum += v[i];
		for (int i = N - n; i < N; i++)
			sq += (v[i] - sum / n) * (v[i] - sum / n);
		for (int i = 0; i < rows.n; i++) {
			const struct rec_feature *r = &rows.v[i];
			if (r->window_h != w || r->ts != T0 + 31 * DAY_MS ||
				!str_is(r->battery, J1))
				continue;
			found++;
			assert_int_equal(r->count, n);
			check(r->coverage, 1);
			assert_true(fabs((double)r->v_mean_v - sum / n) < 2e-6);
			assert_true(
				fabs((double)r->v_std_v - sqrt(sq / (n - 1))) < 1e-6);
			check(r->v_imbalance_v, (sum / n - 13.5) / 2);
		}
		assert_int_equal(found, 1);
	}
	windows_free(f);
	gsl_rng_free(rng);
}

static int ignored;

static void ignore(void *arg, const struct rec_feature *f)
{
	assert_true(f->count > 0 && f->coverage >= 0 && f->coverage <= 1);
	ignored++;
}

static float any_number(gsl_rng *rng)
{
	static const float odd[] = {NAN, 0, -1, 3e38f, -3e38f, 1e-40f, 100, 1e5f};
	return gsl_rng_uniform_int(rng, 3) ? (float)(20 * gsl_rng_uniform(rng))
					   : odd[gsl_rng_uniform_int(rng, 8)];
}

static int64_t any_time(gsl_rng *rng, int i)
{
	static const int64_t odd[] = {
		TIME_MIN, TIME_MAX, 0, -1, -HOUR_MS, T0 + 40 * DAY_MS};
	return gsl_rng_uniform_int(rng, 500)
		       ? T0 + i * (int64_t)3000 +
				 (int64_t)gsl_rng_uniform_int(rng, 600000)
		       : odd[gsl_rng_uniform_int(rng, 6)];
}

static const char *const CODES[] = {
	J1, J2, S1, "DC-CNX-01", "X", "", "-", "A-S1-J1", "DC-CNX-01-ENV01", "J1"};

static struct str any_code(gsl_rng *rng)
{
	return str_of(CODES[gsl_rng_uniform_int(rng, 10)]);
}

/* Master records and replacements. Returns the kind. */
static int any_book(gsl_rng *rng, int64_t ts, union rec_any *any)
{
	struct str code = any_code(rng), other = any_code(rng);
	float x = any_number(rng);
	int n = (int)gsl_rng_uniform_int(rng, 4) - 1;
	switch (gsl_rng_uniform_int(rng, 5)) {
	case 0:
		any->battery = (struct rec_battery){.code = code,
			.string = other,
			.model = other,
			.unit = n < 0 ? INT_NIL : n,
			.installed = ts,
			.initial_resistance_mohm = x};
		return KIND_battery;
	case 1:
		any->event = (struct rec_event){.event_id = code,
			.ts = ts,
			.end_ts = TIME_NIL,
			.subject = other,
			.type = event_type_replacement,
			.status = event_status_completed};
		return KIND_event;
	case 2:
		any->battery_model = (struct rec_battery_model){
			.name = code, .capacity_ah = x, .float_min_v = any_number(rng)};
		return KIND_battery_model;
	case 3:
		any->sensor = (struct rec_sensor){
			.code = code, .site = n < 0 ? STR_NIL : other};
		return KIND_sensor;
	default:
		any->string = (struct rec_string){
			.code = code, .system = other, .batteries = n};
		return KIND_string;
	}
}

static int any_measurement(gsl_rng *rng, int64_t ts, union rec_any *any)
{
	float x = any_number(rng), y = any_number(rng);
	int n = (int)gsl_rng_uniform_int(rng, 8) - 1;
	switch (n) {
	case 2:
		any->string_telemetry = (struct rec_string_telemetry){.ts = ts,
			.string = any_code(rng),
			.current_a = x,
			.thd_pct = y,
			.ripple_voltage_rms_v = x,
			.float_current_a = y};
		return KIND_string_telemetry;
	case 3:
		any->environment = (struct rec_environment){
			.ts = ts, .sensor = any_code(rng), .temperature_c = x};
		return KIND_environment;
	case 6:
		any->capacity_test = (struct rec_capacity_test){
			.ts = ts, .subject = any_code(rng), .pct_of_rated = x};
		return KIND_capacity_test;
	default:
		any->telemetry = (struct rec_telemetry){ts, any_code(rng), x, y, y,
			any_number(rng), n, n ? 0 : (int32_t)gsl_rng_get(rng)};
		return KIND_telemetry;
	}
}

/* Any record after any other, with any numbers and times: no crash, no absurd row. */
static void nothing_breaks_it(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct windows_config c = {.every_h = 1,
		.lateness_ms = 5 * MINUTE_MS,
		.max_gap_ms = 2 * HOUR_MS,
		.emit = ignore};
	assert_int_equal(windows_parse(&c, "1,24,168,720", NULL), 0);
	for (unsigned long seed = 1; seed <= 5; seed++) {
		struct windows *f = windows_new(&c);
		gsl_rng_set(rng, seed);
		for (int i = 0; i < 20000; i++) {
			union rec_any any;
			int64_t ts = any_time(rng, i);
			int kind = gsl_rng_uniform_int(rng, 60)
					   ? any_measurement(rng, ts, &any)
					   : any_book(rng, ts, &any);
			assert_true(windows_add(f, kind, &any) != WINDOWS_NO_MEMORY);
		}
		windows_end(f);
		windows_free(f);
	}
	assert_true(ignored > 100);
	gsl_rng_free(rng);
}

static void windows_by_name(void **state)
{
	struct windows_config c = {0};
	struct err err = {0};
	assert_int_equal(windows_parse(&c, "1,24,168,720", &err), 0);
	assert_int_equal(c.windows_h[3], 720);
	static const char *const wrong[] = {"", "0", "25", "1,", ",1", "1,1", "169",
		"-1", "1 ,2", "1,2,3,4,5", "one", "99999999999999999999"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(windows_parse(&c, wrong[i], &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(state_is_bounded),
		cmocka_unit_test(an_hour),
		cmocka_unit_test(the_end_of_the_stream),
		cmocka_unit_test(order_of_arrival),
		cmocka_unit_test(order_of_seconds),
		cmocka_unit_test(order_over_weeks),
		cmocka_unit_test(daily_rows_are_the_hourly_ones),
		cmocka_unit_test(late_and_double),
		cmocka_unit_test(faster_than_the_ring),
		cmocka_unit_test(as_fast_as_the_ring),
		cmocka_unit_test(a_gap_is_a_gap),
		cmocka_unit_test(quantities_in_turns),
		cmocka_unit_test(nothing_stands_forever),
		cmocka_unit_test(a_long_silence),
		cmocka_unit_test(hourly_samples),
		cmocka_unit_test(doubtful_samples),
		cmocka_unit_test(a_discharge),
		cmocka_unit_test(string_and_room),
		cmocka_unit_test(a_busy_string),
		cmocka_unit_test(never_measured),
		cmocka_unit_test(another_string),
		cmocka_unit_test(a_replacement),
		cmocka_unit_test(a_clock_ahead),
		cmocka_unit_test(a_wrong_date),
		cmocka_unit_test(weeks),
		cmocka_unit_test(nothing_breaks_it),
		cmocka_unit_test(windows_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
