/* Rows to records: factors, signs, sentinels, carried values, limits, order in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/convert.h"
#include "ingest/guess_columns.h"
#include "ingest/order.h"

static struct mapping m;
static struct convert c;
static union rec_any rec;
static struct converted out;

static void open_with(const char *text, const char *header)
{
	struct str columns[16];
	struct err err = {0};
	int n = 0;
	for (const char *p = header; *p; p += strcspn(p, ","), p += *p == ',')
		columns[n++] = (struct str){p, (uint32_t)strcspn(p, ",")};
	if (mapping_parse(&m, "t.ini", text, &err) < 0)
		fail_msg("%s", err.msg);
	c.meet = NULL;
	if (convert_open(&c, &m, columns, n, "f.csv", ".", NULL, &err) < 0)
		fail_msg("%s", err.msg);
}

static int row(const char *line)
{
	struct str fields[16];
	struct row r = {.field = fields};
	struct err err = {0};
	for (const char *p = line;; p += strcspn(p, ",") + 1) {
		fields[r.n++] = (struct str){p, (uint32_t)strcspn(p, ",")};
		if (!p[strcspn(p, ",")])
			break;
	}
	return convert_row(&c, &r, 0, &rec, &out, &err);
}

static void scales_and_signs(void **state)
{
	open_with("[source]\nkind = telemetry\ntime = t\ntime_format = epoch_s\n"
		  "[identity]\nconstant = A-J1\n[columns]\nmv = voltage_v * 0.001\n"
		  "out = current_a * -1\nf = temperature_c - 32 / 1.8\n",
		"t,mv,out,f");
	assert_int_equal(row("10,13500,2.5,212"), 1);
	assert_int_equal(rec.telemetry.ts, 10000);
	assert_true(str_is(rec.telemetry.battery, "A-J1"));
	assert_true(fabsf(rec.telemetry.voltage_v - 13.5F) < 1e-6F);
	assert_true(fabsf(rec.telemetry.current_a + 2.5F) < 1e-6F);
	assert_true(fabsf(rec.telemetry.temperature_c - 100) < 1e-4F);
	assert_true(isnan(rec.telemetry.resistance_mohm));
	assert_int_equal(rec.telemetry.mode, ENUM_NIL);
	assert_int_equal(rec.telemetry.quality, 0);
	assert_int_equal(row("10,NaN,1,"), 1);
	assert_true(isnan(rec.telemetry.voltage_v));
	assert_int_equal(row("10,,,"), 0);
	assert_non_null(strstr(out.reason, "no value"));
	assert_int_equal(row("10,x,1,1"), 0);
	assert_non_null(strstr(out.reason, "'mv'"));
	assert_int_equal(row("10,1e60,1,1"), 0);
	assert_int_equal(row("ten,1,1,1"), 0);
	convert_close(&c);
}

static void sentinels_are_no_values(void **state)
{
	open_with("[source]\nkind = telemetry\ntime = t\ntime_format = epoch_s\n"
		  "[identity]\nconstant = A\n[columns]\nv = voltage_v\ni = current_a\n"
		  "[sentinels]\n* = 65535 -1\ni = 655.35\n",
		"t,v,i");
	assert_int_equal(row("1,65535,-1"), 1);
	assert_true(isnan(rec.telemetry.voltage_v));
	assert_true(rec.telemetry.current_a == -1);
	assert_int_equal(rec.telemetry.quality, BIT(quality_sentinel));
	assert_int_equal(row("1,-1,655.35"), 1); /* both gone, and kept to be seen */
	assert_true(isnan(rec.telemetry.current_a));
	assert_int_equal(rec.telemetry.quality, BIT(quality_sentinel));
	convert_close(&c);
}

static void carries_within_the_stated_age(void **state)
{
	open_with("[source]\nkind = telemetry\ntime = t\ntime_format = epoch_s\n"
		  "[identity]\ncolumn = b\n[columns]\nv = voltage_v\n"
		  "c = temperature_c\n[carry]\nc = 60s\n",
		"t,b,v,c");
	assert_int_equal(row("0,A,,25"), 1);
	assert_int_equal(rec.telemetry.quality, 0);
	assert_int_equal(row("60,A,12,"), 1);
	assert_true(rec.telemetry.temperature_c == 25);
	assert_int_equal(rec.telemetry.quality, BIT(quality_interpolated));
	assert_int_equal(row("61,A,12,"), 1); /* one second too old */
	assert_true(isnan(rec.telemetry.temperature_c));
	assert_int_equal(rec.telemetry.quality, 0);
	assert_int_equal(row("30,B,12,"), 1); /* another battery's is not its own */
	assert_true(isnan(rec.telemetry.temperature_c));
	assert_int_equal(row("-5,A,12,"), 1); /* nor does it reach back */
	assert_true(isnan(rec.telemetry.temperature_c));
	assert_int_equal(row("50,A,,"), 0); /* a carried value alone is no sample */
	convert_close(&c);
}

static void limit(void *arg, struct identity *who)
{
	who->limits = (struct limits){8, 16, 10.5F, 15, -20, 80, 0.5F, 100, 360};
}

static void flags_what_is_beyond_limits(void **state)
{
	static const struct {
		const char *line;
		int32_t bits;
	} known[] = {
		{"1,12,25,3,10", 0},
		{"1,7.9,25,3,0", BIT(quality_voltage_range)},
		{"1,9,25,3,0", BIT(quality_voltage_implausible)},
		{"1,16.1,25,3,0", BIT(quality_voltage_range)},
		{"1,15.5,25,3,0", BIT(quality_voltage_implausible)},
		{"1,12,81,3,0", BIT(quality_temperature_range)},
		{"1,12,25,0.4,0", BIT(quality_resistance_range)},
		{"1,12,25,3,-361", BIT(quality_current_range)},
		{"1,,-21,,400",
			BIT(quality_temperature_range) | BIT(quality_current_range)},
	};
	open_with(
		"[source]\nkind = telemetry\ntime = t\ntime_format = epoch_s\n"
		"[identity]\ncolumn = t\n[columns]\nv = voltage_v\nc = temperature_c\n"
		"r = resistance_mohm\ni = current_a\n",
		"t,v,c,r,i");
	c.meet = limit;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		assert_int_equal(row(known[i].line), 1);
		assert_int_equal(rec.telemetry.quality, known[i].bits);
	}
	assert_int_equal(row("1,7.9,25,3,0"), 1);
	assert_true(rec.telemetry.voltage_v == 7.9F); /* flagged, not repaired */
	convert_close(&c);
}

static void joins_words_and_later_columns_win(void **state)
{
	open_with(
		"[source]\nkind = event\n[columns]\nid = event_id\nsite = subject\n"
		"battery = subject\nplanned = ts\ndone = ts\nkind = type\nwhy = note\n"
		"words = note\norder = note\n[words]\ntype.look = inspection\n",
		"id,site,battery,planned,done,kind,why,words,order");
	assert_int_equal(row("e1,S,B,2026-01-01,2026-01-02,look,a,,c"), 1);
	assert_true(str_is(rec.event.subject, "B"));
	assert_int_equal(rec.event.type, event_type_inspection);
	assert_true(str_is(rec.event.note, "a; c"));
	assert_int_equal(rec.event.ts % DAY_MS, 0);
	int64_t done = rec.event.ts;
	assert_int_equal(row("e1,S,B,2026-01-01,,Torque_Check,a,,c"), 1);
	assert_int_equal(rec.event.type, event_type_torque_check);
	assert_int_equal(row("e1,S,,2026-01-01,,inspection,,b,"), 1);
	assert_true(str_is(rec.event.subject, "S"));
	assert_int_equal(rec.event.ts, done - DAY_MS);
	assert_true(str_is(rec.event.note, "b"));
	assert_int_equal(row("e1,,,2026-01-01,,look,,,"), 0);
	assert_non_null(strstr(out.reason, "subject"));
	assert_int_equal(row("e1,S,,2026-01-01,,dance,,,"), 0);
	assert_non_null(strstr(out.reason, "dance"));
	convert_close(&c);
}

static void refuses_headers_it_does_not_know(void **state)
{
	static const struct {
		const char *header, *word;
	} bad[] = {{"t,v,extra", "'extra'"}, {"t", "'v'"}, {"v", "'t'"},
		{"t,v,", "(unnamed)"}};
	struct err err = {0};
	assert_int_equal(mapping_parse(&m, "t.ini",
				 "[source]\nkind = telemetry\ntime = t\n[identity]\n"
				 "constant = A\n[columns]\nv = voltage_v\n",
				 &err),
		0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct str columns[4];
		int n = 0;
		for (const char *p = bad[i].header;; p += columns[n - 1].len + 1) {
			columns[n++] = (struct str){p, (uint32_t)strcspn(p, ",")};
			if (!p[columns[n - 1].len])
				break;
		}
		c.meet = NULL;
		assert_int_equal(
			convert_open(&c, &m, columns, n, "f.csv", ".", NULL, &err), -1);
		assert_int_equal(err.class, ERR_USAGE);
		if (!strstr(err.msg, bad[i].word))
			fail_msg("'%s' does not name %s", err.msg, bad[i].word);
		convert_close(&c);
	}
}

static void the_file_name_says_who(void **state)
{
	struct err err = {0};
	struct str columns[] = {str_of("t"), str_of("v")};
	assert_int_equal(mapping_parse(&m, "t.ini",
				 "[source]\nkind = telemetry\ntime = t\n[identity]\n"
				 "file = log_{}_*.csv\ncode = X-{}-J1\n[columns]\n"
				 "v = voltage_v\n",
				 &err),
		0);
	c.meet = NULL;
	assert_int_equal(
		convert_open(&c, &m, columns, 2, "d/log_77_a.csv", ".", NULL, &err), 0);
	assert_string_equal(c.constant->code, "X-77-J1");
	convert_close(&c);
	assert_int_equal(
		convert_open(&c, &m, columns, 2, "x.csv", ".", NULL, &err), -1);
	assert_non_null(strstr(err.msg, "--battery"));
	convert_close(&c);
	assert_int_equal(
		convert_open(&c, &m, columns, 2, "x.csv", ".", "Y-J1", &err), 0);
	assert_string_equal(c.constant->code, "Y-J1");
	convert_close(&c);
	assert_int_equal(
		convert_open(&c, &m, columns, 2, "x.csv", ".", "a b", &err), -1);
	convert_close(&c);
}

/* ---- order in time ---- */

static struct order order;
static struct identities who;
static char log_text[4096];

static void note(const char *what, const char *code, int64_t minute, int32_t quality)
{
	size_t n = strlen(log_text);
	snprintf(log_text + n, sizeof(log_text) - n, "%s%s%s%s%s%d", n ? " " : "", what,
		code, quality & BIT(quality_duplicate) ? "=" : "",
		quality & BIT(quality_time_backwards) ? "<" : "", (int)minute);
}

static void drain(void)
{
	int32_t q = 0;
	struct held *h;
	while ((h = order_ready(&order, &q))) {
		note(h->fault ? "!" : "", h->who->code, h->ts / MINUTE_MS, q);
		order_done(&order, h);
		q = 0;
	}
}

static void see(const char *code, int minute)
{
	struct identity *p = identities_find(&who, str_of(code));
	struct rec_telemetry t = {.ts = minute * MINUTE_MS};
	struct err err = {0};
	int32_t q = 0;
	if (!p)
		p = identities_add(&who, str_of(code), str_of(code));
	int r = order_row(&order, p, t.ts, &t, sizeof(t), 1, STR_NIL, &q, &err);
	assert_true(r >= 0);
	drain();
	if (r > 0)
		note("", code, minute, q);
}

static void begin(void)
{
	order_init(&order, HOUR_MS);
	log_text[0] = '\0';
}

static void end(const char *want)
{
	order_finish(&order);
	drain();
	order_release(&order);
	identities_release(&who);
	assert_string_equal(log_text, want);
}

static void duplicates_and_steps_back_are_flagged(void **state)
{
	begin();
	see("A", 1);
	see("A", 1);
	see("A", 3);
	see("A", 2);
	see("A", 1);
	see("A", 500); /* alone: nothing to compare with */
	end("A1 A=1 A3 A<2 A=<1 A500");
}

static void a_gap_in_the_whole_recording_is_believed(void **state)
{
	begin();
	for (int i = 0; i < 2; i++) {
		see("A", i);
		see("B", i);
	}
	see("A", 300); /* held until B is there, too */
	see("B", 300);
	see("A", 301);
	see("B", 301);
	end("A0 B0 A1 B1 A300 B300 A301 B301");
}

static void a_clock_a_day_ahead_is_a_fault(void **state)
{
	begin();
	see("A", 0);
	see("B", 0);
	see("A", 1441);
	see("B", 1);
	see("A", 1442);
	see("B", 2);
	see("A", 3); /* set right */
	see("B", 3);
	end("A0 B0 B1 B2 !A1441 !A1442 A3 B3");
}

static void a_wrong_clock_to_the_end_is_a_fault(void **state)
{
	begin();
	see("A", 0);
	see("B", 0);
	for (int i = 1; i < 4; i++) {
		see("A", 1440 + i);
		see("B", i);
	}
	end("A0 B0 B1 B2 B3 !A1441 !A1442 !A1443");
}

static void running_on_alone_is_no_fault(void **state)
{
	begin();
	see("A", 0);
	see("B", 0);
	for (int i = 30; i <= 120; i += 30)
		see("A", i);
	see("A", 400); /* a gap of its own, and nobody to say otherwise */
	see("A", 401);
	end("A0 B0 A30 A60 A90 A120 A400 A401");
}

static void files_of_one_battery_after_another_pass(void **state)
{
	begin();
	for (int i = 0; i < 3; i++)
		see("A", i * 50);
	for (int i = 0; i < 5; i++)
		see("B", i * 50);
	end("A0 A50 A100 B0 B50 B100 B150 B200");
}

static void waiting_rows_are_bounded(void **state)
{
	begin();
	see("A", 0);
	see("B", 0);
	for (int i = 0; i < 1000; i++) {
		struct rec_telemetry t = {.ts = (1440 + i) * MINUTE_MS};
		struct err err = {0};
		int32_t q = 0, h = 0;
		struct identity *p = identities_find(&who, str_of("A"));
		order_row(&order, p, t.ts, &t, sizeof(t), 1, STR_NIL, &q, &err);
		assert_true(order.nwaiting <= HOLD_EACH);
		for (struct held *r; (r = order_ready(&order, &h));)
			order_done(&order, r);
	}
	order_release(&order);
	identities_release(&who);
}

static void steps_of_the_current_tell_its_sign(void **state)
{
	double v[200], i[200];
	int steps;
	for (int k = 0; k < 200; k++) { /* V = OCV + I R, 10 mohm; noise on both */
		i[k] = (k / 20 % 2 ? 10 : 0) + 0.01 * (k % 3);
		v[k] = 12.5 - 0.0005 * k + 0.01 * i[k] + 0.001 * (k % 2);
	}
	assert_true(guess_sign(v, i, 200, &steps) > 0.9);
	assert_true(steps >= 8);
	for (int k = 0; k < 200; k++)
		i[k] = -i[k];
	assert_true(guess_sign(v, i, 200, &steps) < -0.9);
	for (int k = 0; k < 200; k++) {
		i[k] = 5;
		v[k] = 12 - 0.01 * k;
	}
	assert_true(guess_drift(v, i, 200) < -1); /* discharged by a positive current */
}

/* A column of that name with values between; what it is taken for. */
static double fits(const char *name, enum role role, double low, double high)
{
	static struct guess_column g;
	memset(&g, 0, sizeof(g));
	str_copy(g.name, sizeof(g.name), str_of(name));
	g.filled = g.numeric = 100;
	g.min = low;
	g.max = high;
	g.median = (low + high) / 2;
	return guess_fit(&g, role, 100) ? g.factor * g.median + g.offset : -1e9;
}

static void units_are_told_by_name_and_size(void **state)
{
	assert_true(fits("Voltage", R_VOLTAGE, 11, 13) == 12);
	assert_true(fabs(fits("U_mV", R_VOLTAGE, 11000, 13000) - 12) < 1e-9);
	assert_true(fabs(fits("volt", R_VOLTAGE, 11000, 13000) - 12) < 1e-9);
	assert_true(fits("ripple_voltage", R_VOLTAGE, 1, 3) < -1e8);
	assert_true(fits("Current", R_CURRENT, -10, 20) == 5);
	assert_true(fabs(fits("I (mA)", R_CURRENT, -100, 200) - 0.05) < 1e-9);
	assert_true(fabs(fits("amps", R_CURRENT, -10000, 20000) - 5) < 1e-9);
	assert_true(fits("Temperature", R_TEMPERATURE, 20, 30) == 25);
	assert_true(fabs(fits("temp_degF", R_TEMPERATURE, 76, 78) - 25) < 1e-9);
	assert_true(fabs(fits("temp", R_TEMPERATURE, 297, 299.3) - 25) < 1e-9);
	assert_true(fits("ambient_temp", R_TEMPERATURE, 20, 30) < -1e8);
	assert_true(fits("resistance_mohm", R_RESISTANCE, 2, 4) == 3);
	assert_true(fits("Resistance", R_RESISTANCE, 0.002, 0.004) == 3);
	assert_true(fits("note", R_VOLTAGE, 11, 13) < -1e8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(scales_and_signs),
		cmocka_unit_test(sentinels_are_no_values),
		cmocka_unit_test(carries_within_the_stated_age),
		cmocka_unit_test(flags_what_is_beyond_limits),
		cmocka_unit_test(joins_words_and_later_columns_win),
		cmocka_unit_test(refuses_headers_it_does_not_know),
		cmocka_unit_test(the_file_name_says_who),
		cmocka_unit_test(duplicates_and_steps_back_are_flagged),
		cmocka_unit_test(a_gap_in_the_whole_recording_is_believed),
		cmocka_unit_test(a_clock_a_day_ahead_is_a_fault),
		cmocka_unit_test(a_wrong_clock_to_the_end_is_a_fault),
		cmocka_unit_test(running_on_alone_is_no_fault),
		cmocka_unit_test(files_of_one_battery_after_another_pass),
		cmocka_unit_test(waiting_rows_are_bounded),
		cmocka_unit_test(units_are_told_by_name_and_size),
		cmocka_unit_test(steps_of_the_current_tell_its_sign)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
