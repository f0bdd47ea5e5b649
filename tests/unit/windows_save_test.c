/* The state of the windows: what is read back goes on as if never stopped. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/statefile.h"
#include "record/codec.h"
#include "window/windows.h"

#define T0 (INT64_C(496008) * HOUR_MS)
#define IDENTITY "a test"

enum { MINUTES = 2000, STEP = 6, RECORDS = MINUTES * STEP }; /* STEP a minute */

struct output {
	int rows;
	struct buf bytes;
};

static void collect(void *arg, const struct rec_feature *f)
{
	struct output *o = arg;
	struct err err;
	o->rows++;
	assert_int_equal(
		record_encode_native(kind_info(KIND_feature), f, &o->bytes, &err), 0);
}

static struct windows *begin(struct output *o, const char *windows)
{
	struct windows_config c = {.every_h = 1,
		.lateness_ms = 5 * MINUTE_MS,
		.max_gap_ms = 2 * HOUR_MS,
		.emit = collect,
		.arg = o};
	assert_int_equal(windows_parse(&c, windows, NULL), 0);
	struct windows *w = windows_new(&c);
	assert_non_null(w);
	return w;
}

static void add_jar(struct windows *w, int i, int jar)
{
	static const char *const codes[] = {
		"DC-CNX-01-UPS-01-S1-J01", "DC-CNX-01-UPS-01-S1-J02", "LAB"};
	/* A minute's samples come in twos, the later one first. */
	int64_t ts = T0 + (i ^ 1) * MINUTE_MS;
	struct rec_telemetry t = {ts, str_of(codes[jar]), 13.5f + i % 9 * 0.01f,
		jar ? -0.5f : NAN, 25.0f + jar, 4 + i % 5 * 0.1f,
		jar ? mode_float : ENUM_NIL, 0};
	assert_int_equal(windows_add(w, KIND_telemetry, &t), WINDOWS_USED);
}

/* Record n of a little world. */
static void add(struct windows *w, int n)
{
	int i = n / STEP;
	int64_t ts = T0 + i * MINUTE_MS;
	if (n % STEP < 3) {
		add_jar(w, i, n % STEP);
	} else if (n % STEP == 3) {
		struct rec_string_telemetry s = {.ts = ts,
			.string = str_of("DC-CNX-01-UPS-01-S1"),
			.current_a = i % 50 ? 3 : -80,
			.float_current_a = 0.001f * (i % 40),
			.mode = mode_float,
			.ripple_voltage_rms_v = 0.1f,
			.thd_pct = 3};
		assert_int_equal(
			windows_add(w, KIND_string_telemetry, &s), WINDOWS_USED);
	} else if (n % STEP == 4) {
		struct rec_environment e = {.ts = ts,
			.sensor = str_of("DC-CNX-01-ENV01"),
			.temperature_c = 22 + i % 3};
		assert_int_equal(windows_add(w, KIND_environment, &e), WINDOWS_USED);
	} else if (n == 5) {
		struct rec_battery_model m = {
			.name = str_of("M"), .capacity_ah = 120, .float_min_v = 13.5f};
		struct rec_battery b = {
			.code = str_of("LAB"), .model = str_of("M"), .unit = 3};
		struct rec_system s = {.code = str_of("DC-CNX-01-UPS-01")};
		assert_int_equal(windows_add(w, KIND_battery_model, &m), WINDOWS_USED);
		assert_int_equal(windows_add(w, KIND_battery, &b), WINDOWS_USED);
		assert_int_equal(windows_add(w, KIND_system, &s), WINDOWS_USED);
	} else if (i % 97 == 0) {
		struct rec_capacity_test t = {.ts = ts,
			.subject = str_of(i % 2 ? "DC-CNX-01-UPS-01-S1" : "LAB"),
			.pct_of_rated = 80 + i % 7};
		assert_int_equal(windows_add(w, KIND_capacity_test, &t), WINDOWS_USED);
	}
}

/* The world from record 'from' to 'to', then kept in *state. */
static void run(
	struct output *o, const char *lengths, int from, int to, struct buf *state)
{
	struct err err;
	struct windows *w = begin(o, lengths);
	if (from > 0)
		assert_int_equal(windows_load(w, IDENTITY, state, &err), 0);
	for (int n = from; n < to; n++)
		add(w, n);
	buf_clear(state);
	assert_int_equal(windows_save(w, IDENTITY, state), 0);
	if (to == RECORDS)
		windows_end(w);
	windows_free(w);
}

static void assert_same_bytes(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->data, b->data, a->len);
}

/* Stopped anywhere, any number of times: the same rows, and the same state in the end.
 */
static void goes_on(const char *lengths)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct output whole = {0};
	struct buf want = {0}, state = {0};
	run(&whole, lengths, 0, RECORDS, &want);
	assert_true(whole.rows > 150);
	for (int round = 0; round < 12; round++) {
		struct output parts = {0};
		/* from a few long parts to hundreds of short ones */
		unsigned long longest = RECORDS >> (round % 8);
		for (int from = 0, to; from < RECORDS; from = to) {
			to = from + 1 + (int)gsl_rng_uniform_int(rng, longest);
			to = to < RECORDS ? to : RECORDS;
			run(&parts, lengths, from, to, &state);
		}
		assert_int_equal(parts.rows, whole.rows);
		assert_same_bytes(&parts.bytes, &whole.bytes);
		assert_same_bytes(&state, &want);
		buf_release(&parts.bytes);
	}
	buf_release(&want);
	buf_release(&state);
	buf_release(&whole.bytes);
	gsl_rng_free(rng);
}

static void hours_go_on(void **state)
{
	goes_on("1,24");
}

static void days_go_on(void **state)
{
	goes_on("2,24,168,720");
}

static void what_does_not_fit_is_refused(void **unused)
{
	struct output o = {0};
	struct buf state = {0};
	struct err err;
	struct windows *w = begin(&o, "1,24");
	for (int n = 0; n < 400 * STEP; n++)
		add(w, n);
	assert_int_equal(windows_save(w, IDENTITY, &state), 0);
	windows_free(w);

	w = begin(&o, "1,24");
	assert_int_equal(windows_load(w, "another", &state, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	windows_free(w);
	w = begin(&o, "1,168"); /* another size of timeline */
	assert_int_equal(windows_load(w, IDENTITY, &state, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	windows_free(w);
	/* cut off anywhere, or with something after it */
	size_t len = state.len;
	for (size_t cut = 0; cut < len; cut += cut < 2000 ? 7 : 131) {
		state.len = cut;
		w = begin(&o, "1,24");
		assert_int_equal(windows_load(w, IDENTITY, &state, &err), -1);
		windows_free(w);
	}
	state.len = len;
	buf_putc(&state, 'x');
	w = begin(&o, "1,24");
	assert_int_equal(windows_load(w, IDENTITY, &state, &err), -1);
	assert_int_equal(err.class, ERR_IO);
	windows_free(w);
	buf_release(&state);
	buf_release(&o.bytes);
}

static void a_state_file(void **unused)
{
	char dir[] = "/tmp/statefile-XXXXXX", file[64];
	struct buf out = {0}, in = {0};
	struct err err;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/s", dir);
	assert_int_equal(statefile_read(dir, "s", &in, &err), 0);
	for (int i = 0; i < 3; i++) {
		buf_clear(&in);
		buf_printf(&out, "state %d\n", i);
		assert_int_equal(statefile_write(dir, "s", &out, &err), 0);
		assert_int_equal(statefile_read(dir, "s", &in, &err), 1);
		assert_int_equal(in.len, out.len);
		assert_memory_equal(in.data, out.data, out.len);
	}
	assert_int_equal(truncate(file, 5), 0);
	assert_int_equal(statefile_read(dir, "s", &in, &err), -1);
	assert_int_equal(err.class, ERR_IO);
	assert_int_equal(statefile_write("/dev/null/x", "s", &out, &err), -1);
	assert_int_equal(err.class, ERR_IO);
	unlink(file);
	rmdir(dir);
	buf_release(&in);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_go_on),
		cmocka_unit_test(days_go_on),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(a_state_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
