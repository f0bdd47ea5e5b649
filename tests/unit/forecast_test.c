/* When forecasts come, of which unit, and from whom. */
#include "learn/forecast.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 400, OUT_MAX = 64, DRIFT_TEXT = 600 };

#define H(hours) ((int64_t)(hours)*HOUR_MS)

struct out {
	int n, alerts, alert_state;
	char message[DRIFT_TEXT];
	struct {
		char battery[CODE_MAX + 1], model[CODE_MAX + 1];
		int64_t ts;
		int source, unit, flags, factors;
		double rul, weight;
	} v[OUT_MAX];
};

static void collect(void *to, int kind, const void *record)
{
	struct out *o = to;
	const struct rec_rul *r = record;
	if (kind == KIND_alert) {
		const struct rec_alert *a = record;
		o->alerts++;
		o->alert_state = a->state;
		str_copy(o->message, sizeof(o->message), a->message);
		return;
	}
	assert_true(o->n < OUT_MAX);
	str_copy(o->v[o->n].model, sizeof(o->v[0].model), r->model);
	str_copy(o->v[o->n].battery, sizeof(o->v[0].battery), r->battery);
	o->v[o->n].ts = r->ts;
	o->v[o->n].source = r->source;
	o->v[o->n].unit = r->unit;
	o->v[o->n].flags = r->flags;
	o->v[o->n].factors = r->factors.n;
	o->v[o->n].rul = (double)r->rul_days;
	o->v[o->n++].weight = (double)r->weight_ml;
}

/* A model of one feature: life falls with temperature, 2,000 d at 20 degC, 200 d at 40.
 */
static struct booster *small_model(struct model *m)
{
	float x[ROWS], t[ROWS];
	for (int i = 0; i < ROWS; i++) {
		x[i] = 20 + 20.0f * (float)i / ROWS;
		t[i] = (float)(2000 * pow(10, -((double)x[i] - 20) / 20));
	}
	struct booster_data d = {x, t, t, ROWS, 1};
	struct booster_params p = {60, 60, 3, 1, 0.2, 0.3, 600, 1, 0.8};
	struct booster_fit fit;
	*m = (struct model){.id = "aft-test",
		.window_h = 24,
		.floor_days = 7,
		.longest_days = 3000,
		.nfeatures = 1,
		.start = -1,
		.start_days = 1,
		.bound = {-1, -1},
		.tested = -1};
	strcpy(m->feature[0].name, "t_mean_c");
	strcpy(m->feature[0].unit, "degC");
	m->feature[0].min = 20;
	m->feature[0].max = 40;
	m->feature[0].present = 1;
	for (int i = 0; i < CALIB_KINDS; i++)
		m->calibration[i] = (struct calibration){
			0.9, {0, 0}, 1, {{INFINITY, -0.3, 0.3, 0.2, 0, 60, 60, false}}};
	return booster_train(&d, &d, &p, &fit, NULL);
}

static struct forecast *start(struct out *o, bool with_model, size_t block)
{
	const struct forecast_options fo = {
		{FUSION_FIXED, 0.6}, H(1), H(48), block, 24, 0.5, 0};
	struct forecast *f = forecast_new(&fo, collect, o, NULL);
	struct model m;
	*o = (struct out){0};
	if (with_model)
		assert_int_equal(forecast_use(f, 0, &m, small_model(&m), NULL), 0);
	return f;
}

static void feature(struct forecast *f, const char *code, int unit, int64_t ts, float t)
{
	struct rec_feature r;
	record_clear(kind_info(KIND_feature), &r);
	r.ts = ts;
	r.battery = str_of(code);
	r.unit = unit;
	r.window_h = 24;
	r.coverage = 1;
	r.t_mean_c = t;
	assert_int_equal(forecast_feature(f, &r, NULL), 0);
}

static void twin(struct forecast *f, const char *code, int unit, int64_t ts, float rul)
{
	struct rec_rul r;
	record_clear(kind_info(KIND_rul), &r);
	r.ts = ts;
	r.battery = str_of(code);
	r.unit = unit;
	r.source = rul_source_twin;
	r.rul_days = rul;
	assert_int_equal(forecast_twin(f, &r, NULL), 0);
}

static void test_a_block_waits_for_time_not_for_luck(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 100);
	assert_int_equal(forecast_time(f, H(24) + 300000, NULL), 0);
	feature(f, "A", 0, H(24), 25);
	assert_int_equal(forecast_time(f, H(24) + 301000, NULL), 0);
	feature(f, "B", 0, H(24), 35);
	assert_int_equal(o.n, 0);
	assert_int_equal(forecast_time(f, H(24) + 301001, NULL), 0);
	assert_int_equal(o.n, 4);
	assert_string_equal(o.v[0].battery, "A");
	assert_int_equal(o.v[0].source, rul_source_ml);
	assert_int_equal(o.v[1].source, rul_source_fused);
	assert_string_equal(o.v[2].battery, "B");
	/* the law: 1,125 and 356 days */
	assert_true(fabs(log(o.v[0].rul / 1124.7)) < 0.1);
	assert_true(fabs(log(o.v[2].rul / 355.7)) < 0.1);
	assert_int_equal(o.v[0].factors, 1);
	forecast_free(f);
}

static void test_another_window_or_a_full_block_closes_it(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 2);
	feature(f, "A", 0, H(24), 25);
	feature(f, "A", 0, H(25), 25);
	assert_int_equal(o.n, 2);
	feature(f, "B", 0, H(25), 25);
	feature(f, "C", 0, H(25), 25);
	assert_int_equal(o.n, 6);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_int_equal(o.n, 8);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_int_equal(o.n, 8);
	forecast_free(f);
}

static void test_a_new_unit_shares_nothing(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 100);
	twin(f, "A", 0, H(23), 300);
	feature(f, "A", 0, H(24), 25);
	o.n = 0;
	/* replaced: the waiting row is the former unit's, with the former twin */
	feature(f, "A", 1, H(24), 25);
	assert_int_equal(o.n, 2);
	assert_int_equal(o.v[1].unit, 0);
	assert_true(fabs(o.v[1].weight - 0.6) < 1e-6);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_int_equal(o.n, 4);
	assert_int_equal(o.v[3].unit, 1);
	assert_true(o.v[3].weight == 1); /* no word of the twin on this one yet */
	forecast_free(f);
}

static void test_beat_and_staleness(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 1);
	/* nothing from the model yet: the twin, once an hour */
	for (int m = 0; m <= 120; m += 10)
		twin(f, "A", 0, m * MINUTE_MS, 500);
	assert_int_equal(o.n, 3);
	assert_int_equal(o.v[2].flags, BIT(rul_flags_fallback));
	feature(f, "A", 0, H(24), 25);
	feature(f, "A", 0, H(24), 25);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_int_equal(o.n, 5);
	/* fresh features: the twin is only listened to */
	twin(f, "A", 0, H(72), 500);
	assert_int_equal(o.n, 5);
	twin(f, "A", 0, H(73), 500);
	assert_int_equal(o.n, 6);
	assert_int_equal(o.v[5].flags, BIT(rul_flags_fallback));
	forecast_free(f);
}

/* The features of an hour come after it, when the twin may have spoken already. */
static void test_the_twin_does_not_silence_the_model(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 1);
	twin(f, "A", 0, H(24), 1000);
	feature(f, "A", 0, H(24), 25);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_int_equal(o.n, 3);
	assert_int_equal(o.v[1].source, rul_source_ml);
	assert_int_equal(o.v[2].flags, 0);
	forecast_free(f);
}

static void test_an_old_twin_is_not_heard(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 1);
	twin(f, "A", 0, H(1), 100);
	feature(f, "A", 0, H(1 + 49), 25);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_true(o.v[o.n - 1].weight == 1);
	forecast_free(f);
}

static void test_no_one_to_ask(void **state)
{
	struct out o;
	struct forecast *f = start(&o, false, 1);
	feature(f, "A", 0, H(24), 25);
	assert_int_equal(o.n, 1);
	assert_true(isnan(o.v[0].rul));
	assert_int_equal(
		o.v[0].flags, BIT(rul_flags_model_missing) | BIT(rul_flags_starved));
	forecast_free(f);
}

static void test_giving_the_model_up(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 100);
	feature(f, "A", 0, H(24), 25);
	assert_int_equal(forecast_give_up(f, 0, NULL), 0);
	assert_int_equal(o.n, 2);
	assert_null(forecast_model(f, 0));
	twin(f, "A", 0, H(80), 500);
	assert_int_equal(
		o.v[2].flags, BIT(rul_flags_model_missing) | BIT(rul_flags_fallback));
	forecast_free(f);
}

static void test_a_foreign_feature_is_refused(void **state)
{
	struct out o;
	struct forecast *f = start(&o, false, 1);
	struct model m;
	struct err err = {0};
	struct booster *b = small_model(&m);
	strcpy(m.feature[0].name, "moon_phase");
	assert_int_equal(forecast_use(f, 0, &m, b, &err), -1);
	assert_non_null(strstr(err.msg, "moon_phase"));
	assert_null(forecast_model(f, 0));
	forecast_free(f);
}

/* A hash of the code picks the batteries of the second model, by the share asked for.
 */
static void test_two_models(void **state)
{
	enum { N = 2000 };
	struct out o = {0};
	struct err err = {0};
	const struct forecast_options fo = {
		{FUSION_FIXED, 0.6}, H(1), H(48), 1, 24, 0.1, 0};
	struct forecast *f = forecast_new(&fo, collect, &o, NULL);
	struct model m;
	int second = 0;
	struct booster *b = small_model(&m);
	assert_int_equal(forecast_use(f, 0, &m, b, &err), 0);
	b = small_model(&m);
	strcpy(m.id, "aft-new");
	assert_int_equal(forecast_use(f, 1, &m, b, &err), 0);
	for (int i = 0; i < N; i++) {
		char code[32];
		snprintf(code, sizeof(code), "DC-A-UPS-01-S%d-J%02d", i / 24, i % 24);
		o.n = 0;
		feature(f, code, 0, H(24), 25);
		assert_int_equal(forecast_flush(f, NULL), 0);
		assert_int_equal(o.n, 2);
		assert_string_equal(o.v[0].model, o.v[1].model);
		second += strcmp(o.v[0].model, "aft-new") == 0;
	}
	/* five standard deviations of a binomial of 0.1 */
	assert_true(fabs(second - 0.1 * N) < 5 * sqrt(0.09 * N));
	assert_int_equal(forecast_counts(f)->learned[1], second);
	assert_int_equal(forecast_counts(f)->fused, N);
	/* given up: its batteries go to the first */
	assert_int_equal(forecast_give_up(f, 1, NULL), 0);
	for (int i = 0; i < N; i++) {
		char code[32];
		snprintf(code, sizeof(code), "DC-A-UPS-01-S%d-J%02d", i / 24, i % 24);
		o.n = 0;
		feature(f, code, 0, H(48), 25);
		assert_int_equal(forecast_flush(f, NULL), 0);
		assert_string_equal(o.v[0].model, "aft-test");
	}
	forecast_free(f);
}

/* What waits is predicted by the model it came for; a model that is no good changes
 * nothing. */
static void test_another_model_takes_over(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 100);
	struct model m;
	struct err err = {0};
	feature(f, "A", 0, H(24), 25);
	struct booster *b = small_model(&m);
	strcpy(m.id, "aft-new");
	assert_int_equal(forecast_use(f, 0, &m, b, &err), 0);
	assert_int_equal(o.n, 2);
	assert_string_equal(o.v[0].model, "aft-test");
	b = small_model(&m);
	strcpy(m.feature[0].name, "moon_phase");
	assert_int_equal(forecast_use(f, 0, &m, b, &err), -1);
	feature(f, "A", 0, H(25), 25);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_string_equal(o.v[2].model, "aft-new");
	forecast_free(f);
}

/* What the model was found to be worth beside the twin, by what it foretells. */
static void test_weights_of_the_model(void **state)
{
	const struct forecast_options fo = {
		{FUSION_EVIDENCE, 0.6}, H(1), H(48), 1, 24, 0.5, 0};
	for (int known = 0; known < 2; known++) {
		struct out o = {0};
		struct forecast *f = forecast_new(&fo, collect, &o, NULL);
		struct model m;
		struct booster *b = small_model(&m);
		m.weights = (struct weights){
			known, {{.weight = 1}, {.weight = 0.8}, {.weight = 0.3}}};
		assert_int_equal(forecast_use(f, 0, &m, b, NULL), 0);
		twin(f, "A", 0, H(23), 1100);
		twin(f, "B", 0, H(23), 240);
		o.n = 0;
		feature(f, "A", 0, H(24), 25); /* 1,125 days */
		feature(f, "B", 0, H(24), 39); /* 224 */
		assert_int_equal(forecast_flush(f, NULL), 0);
		assert_int_equal(o.n, 4);
		assert_true(fabs(o.v[1].weight - (known ? 0.3 : 0.6)) < 1e-6);
		assert_true(fabs(o.v[3].weight - (known ? 0.8 : 0.6)) < 1e-6);
		assert_true(fabs(o.v[3].rul - o.v[3].weight * o.v[2].rul -
				    (1 - o.v[3].weight) * 240) < 0.01);
		forecast_free(f);
	}
}

/* Without a word of the twin a doubted model is better than none, and says so. */
static void test_fallback_by_degree(void **state)
{
	struct out o;
	struct forecast *f = start(&o, true, 1);
	twin(f, "A", 0, H(23), 300);
	o.n = 0;
	feature(f, "A", 0, H(24), 42); /* a tenth of the span beyond */
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_true(fabs(o.v[1].weight - 0.2) < 1e-6);
	feature(f, "A", 0, H(25), 51); /* more than half */
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_true(o.v[3].weight == 0 && o.v[3].rul == 300);
	assert_int_equal(
		o.v[3].flags, BIT(rul_flags_fallback) | BIT(rul_flags_out_of_range));
	assert_string_equal(o.v[3].model, "");
	feature(f, "B", 0, H(25), 51);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_true(o.v[5].weight == 1);
	assert_int_equal(o.v[5].flags, BIT(rul_flags_out_of_range));
	feature(f, "A", 0, H(26), NAN);
	assert_int_equal(forecast_flush(f, NULL), 0);
	assert_int_equal(
		o.v[7].flags, BIT(rul_flags_fallback) | BIT(rul_flags_starved));
	const struct forecast_counts *c = forecast_counts(f);
	assert_int_equal(c->fallback[FALLBACK_OUT_OF_RANGE], 1);
	assert_int_equal(c->fallback[FALLBACK_STARVED], 1);
	assert_int_equal(c->out_of_range, 3);
	forecast_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_block_waits_for_time_not_for_luck),
		cmocka_unit_test(test_another_window_or_a_full_block_closes_it),
		cmocka_unit_test(test_a_new_unit_shares_nothing),
		cmocka_unit_test(test_beat_and_staleness),
		cmocka_unit_test(test_the_twin_does_not_silence_the_model),
		cmocka_unit_test(test_an_old_twin_is_not_heard),
		cmocka_unit_test(test_no_one_to_ask),
		cmocka_unit_test(test_giving_the_model_up),
		cmocka_unit_test(test_a_foreign_feature_is_refused),
		cmocka_unit_test(test_two_models),
		cmocka_unit_test(test_another_model_takes_over),
		cmocka_unit_test(test_fallback_by_degree),
		cmocka_unit_test(test_weights_of_the_model),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
