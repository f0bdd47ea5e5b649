/* Training on a fleet whose law is known; models on disk; damaged models. */
#include "learn/predictor.h"
#include "learn/trainer.h"

#include "learn_util.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ROWS_EACH = 6 };

/* log life = 8 - 0.06 (T - 25) - 0.02 (R% - 100) + noise of 0.1; seen at ages along it.
 */
static double life(struct rng *r, double t, double res)
{
	return exp(8 - 0.06 * (t - 25) - 0.02 * (res - 100) + 0.1 * rng_normal(r));
}

/* Of the twin's word, on the log scale; 0: it says nothing. */
static double twin_error;

static void say_twin(
	struct dataset *d, int64_t ts, struct str battery, double rul, struct rng *r)
{
	struct rec_rul word;
	record_clear(kind_info(KIND_rul), &word);
	word.ts = ts;
	word.battery = battery;
	word.unit = 0;
	word.source = rul_source_twin;
	word.rul_days = (float)(rul * exp(twin_error * rng_normal(r)));
	word.lower_days = word.rul_days / 1.5f;
	word.upper_days = word.rul_days * 1.5f;
	assert_int_equal(dataset_twin(d, &word, NULL), 0);
}

static void add(struct dataset *d, const char *code, int i, double t, double res,
	double age, double rul, bool censored, struct rng *r)
{
	struct rec_feature f;
	struct rec_truth y;
	record_clear(kind_info(KIND_feature), &f);
	record_clear(kind_info(KIND_truth), &y);
	f.ts = y.ts = (int64_t)i * 30 * DAY_MS;
	f.battery = y.battery = str_of(code);
	f.unit = y.unit = 0;
	f.window_h = 24;
	f.t_mean_c = (float)t;
	f.r_baseline_pct = (float)res;
	f.age_days = (float)age;
	f.v_mean_v = (float)(13.6 + 0.02 * rng_normal(r)); /* says nothing */
	if (i % 3 == 0)
		f.v_mean_v = NAN;
	f.i_mean_a = 0.05f; /* constant: not a feature */
	y.rul_days = rul;
	y.censored = censored;
	if (twin_error > 0)
		say_twin(d, f.ts, f.battery, rul, r);
	assert_int_equal(dataset_feature(d, &f, NULL), 0);
	assert_int_equal(dataset_truth(d, &y, NULL), 0);
}

static void fleet(struct dataset *d, int batteries, double censor_at, uint64_t seed)
{
	struct rng r = {seed};
	dataset_init(d, 100000, DAY_MS);
	for (int b = 0; b < batteries; b++) {
		char code[64];
		double t = 22 + 16 * rng_uniform(&r), res = 100 + 40 * rng_uniform(&r);
		double total = life(&r, t, res), start = 0.8 * rng_uniform(&r) * total;
		snprintf(code, sizeof(code), "DC-S%d-UPS-01-S%d-J%02d", b % 6,
			1 + b / 6 % 4, b / 24);
		for (int i = 0; i < ROWS_EACH && start + 30 * i < total; i++) {
			double rul = total - start - 30 * i;
			bool cut = rul > censor_at;
			add(d, code, i, t, res, start + 30 * i, cut ? censor_at : rul,
				cut, &r);
		}
	}
	assert_int_equal(dataset_finish(d, NULL), 0);
}

static const struct trainer_options OPTIONS = {.split = SPLIT_BATTERY,
	.seed = 1,
	.window_h = 24,
	.rounds = 200,
	.patience = 30,
	.depth = 4,
	.eta = 0.1,
	.level = 0.9,
	.trials = 3};

static void test_learns_a_known_law(void **state)
{
	struct dataset d;
	struct model m;
	struct model_report r = {0};
	struct buf trees = {0};
	struct err err = {0};
	fleet(&d, 600, 1e9, 1);
	if (trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err) < 0)
		fail_msg("%s", err.msg);
	print_message(
		"median relative error %.3f, PICP %.3f ± %.3f, skill %.2f, C %.3f\n",
		r.model.median_relative_error, r.model.picp, r.model.picp_error,
		r.skill, r.model.concordance);
	/* The noise alone gives a median error of 0.67 · 0.1 of the life, more of what
	 * remains of it; without skill it is about 0.4. */
	assert_true(r.model.median_relative_error < 0.2);
	assert_true(r.skill > 0.4);
	assert_true(r.model.concordance > 0.85);
	assert_true(r.model.picp > 0.9 - 3 * sqrt(0.09 / 90 + 0.09 / 120));
	assert_int_equal(r.batteries[PART_TEST], 90);
	/* constant and absent columns are no features; season is not, in 5 months */
	assert_int_equal(m.nfeatures, 4);
	/* the trees are right on the log scale at noise-free points */
	struct booster *b = booster_load(trees.data, trees.len, &err);
	assert_non_null(b);
	/* A second copy of the trees, for the predictor to own. */
	struct predictor *k =
		predictor_new(&m, booster_load(trees.data, trees.len, &err), &err);
	assert_non_null(k);
	struct feature_set s;
	assert_int_equal(model_features(&m, &s, &err), 0);
	double sq = 0;
	int n = 0;
	for (double t = 24; t <= 36; t += 1)
		for (double res = 105; res <= 135; res += 5, n++) {
			double whole = exp(8 - 0.06 * (t - 25) - 0.02 * (res - 100));
			float x[FIELDS_MAX], margin, none = 1;
			struct prediction p;
			for (int i = 0; i < s.n; i++) {
				const char *name = s.v[i].name;
				x[i] = strcmp(name, "t_mean_c") == 0 ? (float)t
				       : strcmp(name, "r_baseline_pct") == 0
					       ? (float)res
				       : strcmp(name, "age_days") == 0
					       ? (float)(0.3 * whole)
					       : 13.6f;
			}
			assert_int_equal(
				booster_margin(b, x, 1, s.n, &margin, &err), 0);
			assert_int_equal(predictor_run(k, x, &none, 1, &p, &err), 0);
			/* SHAP adds up to the margin */
			assert_true(fabs(log(p.e.rul) - (double)margin -
					    model_start(&m, x)) < 1e-4);
			assert_true(p.e.lower <= p.e.rul && p.e.rul <= p.e.upper);
			assert_true(p.e.p_fail_30d <= p.e.p_fail_90d);
			sq += pow(log(p.e.rul) - log(0.7 * whole), 2);
		}
	print_message("RMSE of log life at noise-free points %.3f\n", sqrt(sq / n));
	assert_true(sqrt(sq / n) < 0.2);
	predictor_free(k);
	booster_free(b);
	buf_release(&trees);
	dataset_release(&d);
}

static void test_censoring_is_not_read_as_death(void **state)
{
	struct dataset d;
	struct model m;
	struct model_report r = {0};
	struct buf trees = {0};
	struct err err = {0};
	/* Nobody is watched for more than 700 days; lives last up to 3,000. */
	fleet(&d, 600, 700, 2);
	if (trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err) < 0)
		fail_msg("%s", err.msg);
	struct booster *b = booster_load(trees.data, trees.len, &err);
	struct feature_set s;
	assert_int_equal(model_features(&m, &s, &err), 0);
	float x[FIELDS_MAX], margin;
	for (int i = 0; i < s.n; i++)
		x[i] = strcmp(s.v[i].name, "t_mean_c") == 0         ? 23
		       : strcmp(s.v[i].name, "r_baseline_pct") == 0 ? 101
		       : strcmp(s.v[i].name, "age_days") == 0       ? 100
								    : 13.6f;
	assert_int_equal(booster_margin(b, x, 1, s.n, &margin, &err), 0);
	/* Truth: 3,100 days. A model that took 700 for the end could not say this. */
	assert_true(exp((double)margin + model_start(&m, x)) > 1000);
	booster_free(b);
	buf_release(&trees);
	dataset_release(&d);
}

/* The trees begin at the twin's word, and are explained from there; its worth beside
 * them is found, and without it they go on. */
static void test_begins_at_the_twin(void **state)
{
	struct dataset d;
	struct model m;
	struct model_report r = {0};
	struct buf trees = {0};
	struct err err = {0};
	struct feature_set s;
	twin_error = 0.05;
	fleet(&d, 400, 1e9, 9);
	twin_error = 0;
	if (trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err) < 0)
		fail_msg("%s", err.msg);
	assert_true(m.start >= 0 && m.bound[0] >= 0 && m.bound[1] >= 0);
	assert_string_equal(m.feature[m.start].name, "twin_rul_days");
	assert_true(m.weights.known);
	for (int i = 0; i < CALIB_FUSED; i++)
		assert_true(m.fused[i].n > 0);
	assert_true(r.skill > 0.8);
	struct booster *b = booster_load(trees.data, trees.len, &err);
	struct predictor *k =
		predictor_new(&m, booster_load(trees.data, trees.len, &err), &err);
	assert_int_equal(model_features(&m, &s, &err), 0);
	float x[FIELDS_MAX], margin, none = 1;
	struct prediction p[3];
	const float words[] = {200, 800, NAN};
	for (int i = 0; i < s.n; i++)
		x[i] = strcmp(s.v[i].name, "t_mean_c") == 0         ? 30
		       : strcmp(s.v[i].name, "r_baseline_pct") == 0 ? 120
		       : strcmp(s.v[i].name, "age_days") == 0       ? 800
								    : 13.6f;
	for (int i = 0; i < 3; i++) {
		x[m.start] = words[i];
		x[m.bound[0]] = words[i] / 1.5f;
		x[m.bound[1]] = words[i] * 1.5f;
		assert_int_equal(booster_margin(b, x, 1, s.n, &margin, &err), 0);
		assert_int_equal(predictor_run(k, x, &none, 1, &p[i], &err), 0);
		assert_true(fabs(log(p[i].e.rul) - (double)margin -
				    model_start(&m, x)) < 1e-4);
	}
	assert_true(fabs(log(p[0].e.rul / 200)) < 0.3);
	assert_true(fabs(log(p[1].e.rul / 800)) < 0.3);
	/* 200 days are few in this fleet, and the twin's word is why */
	assert_true(str_is(p[0].factors.v[0].name, "capacity"));
	assert_true(p[0].factors.v[0].value < 0);
	assert_true(isnan(model_width(&m, x)));
	assert_true(p[2].e.rul > 100 && p[2].e.rul < 3000);
	/* without the twin it is less sure, and says so */
	assert_true(p[2].e.upper / p[2].e.lower > 1.3 * p[1].e.upper / p[1].e.lower);
	predictor_free(k);
	booster_free(b);
	buf_release(&trees);
	dataset_release(&d);
}

static void test_deterministic(void **state)
{
	struct buf trees[2] = {{0}, {0}}, json[2] = {{0}, {0}};
	for (int i = 0; i < 2; i++) {
		struct dataset d;
		struct model m;
		struct model_report r = {0};
		fleet(&d, 120, 1e9, 3);
		assert_int_equal(trainer_fit(&d, &OPTIONS, &m, &r, &trees[i], NULL), 0);
		assert_int_equal(model_write_json(&m, &r, &json[i], NULL), 0);
		dataset_release(&d);
	}
	assert_int_equal(trees[0].len, trees[1].len);
	assert_memory_equal(trees[0].data, trees[1].data, trees[0].len);
	assert_int_equal(json[0].len, json[1].len);
	assert_memory_equal(json[0].data, json[1].data, json[0].len);
	for (int i = 0; i < 2; i++) {
		buf_release(&trees[i]);
		buf_release(&json[i]);
	}
}

static int count(const struct buf *text, const char *what)
{
	int n = 0;
	for (size_t i = 0; i + strlen(what) <= text->len; i++)
		n += memcmp(text->data + i, what, strlen(what)) == 0;
	return n;
}

/* What a reader judges by is there, belongs to the model, and is the same each time. */
static void test_report(void **state)
{
	struct buf html[2] = {{0}, {0}};
	for (int i = 0; i < 2; i++) {
		struct dataset d;
		struct model m;
		struct model_report r = {0};
		struct buf trees = {0};
		struct trainer_options o = OPTIONS;
		o.html = &html[i];
		fleet(&d, 240, 1e9, 8);
		assert_int_equal(trainer_fit(&d, &o, &m, &r, &trees, NULL), 0);
		assert_true(count(&html[i], m.id) >= 2);
		buf_release(&trees);
		dataset_release(&d);
	}
	assert_int_equal(html[0].len, html[1].len);
	assert_memory_equal(html[0].data, html[1].data, html[0].len);
	assert_int_equal(count(&html[0], "<svg"), 5);
	assert_int_equal(count(&html[0], "</svg>"), 5);
	assert_int_equal(count(&html[0], "nan"), 0);
	assert_true(count(&html[0], "<circle") > 100);
	assert_int_equal(count(&html[0], ">t_mean_c<"), 1);
	/* the sites of the test part, in the plot of sites */
	assert_true(count(&html[0], ">DC-S") >= 5);
	buf_release(&html[0]);
	buf_release(&html[1]);
}

static void test_refusals(void **state)
{
	struct dataset d;
	struct model m;
	struct model_report r = {0};
	struct buf trees = {0};
	struct err err = {0};
	fleet(&d, 2, 1e9, 4);
	assert_int_equal(trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err), -1);
	assert_int_equal(err.class, ERR_DATA);
	assert_non_null(strstr(err.msg, "2 of at least 54"));
	dataset_release(&d);
	fleet(&d, 100, 0.01, 5); /* all censored */
	assert_int_equal(trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err), -1);
	assert_non_null(strstr(err.msg, "too few ends of life"));
	dataset_release(&d);
	buf_release(&trees);
}

static void write_text(const char *path, const char *p, size_t n)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

static void test_model_directory(void **state)
{
	struct dataset d;
	struct model m, back;
	struct model_report r = {0};
	struct buf trees = {0};
	struct err err = {0};
	char dir[] = "/tmp/learn-test-XXXXXX", path[128], file[160];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/model", dir);
	fleet(&d, 120, 1e9, 6);
	assert_int_equal(trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err), 0);
	/* twice: the second replaces the first */
	for (int i = 0; i < 2; i++)
		if (model_save(path, &m, &r, &trees, &trees, &err) < 0)
			fail_msg("%s", err.msg);
	struct booster *b = model_load(path, &back, &err);
	if (!b)
		fail_msg("%s", err.msg);
	assert_string_equal(back.id, m.id);
	assert_int_equal(back.nfeatures, m.nfeatures);
	assert_true(fabs(back.calibration[0].bin[0].sigma -
			    m.calibration[0].bin[0].sigma) < 1e-6);
	assert_true(
		isinf(back.calibration[0].bin[back.calibration[0].n - 1].margin_below));
	booster_free(b);
	/* nothing is left beside it */
	snprintf(file, sizeof(file), "%s.new-%ld", path, (long)getpid());
	assert_int_equal(access(file, F_OK), -1);
	/* one byte of the trees changed */
	snprintf(file, sizeof(file), "%s/booster.ubj", path);
	trees.data[trees.len / 2] ^= 1;
	write_text(file, (const char *)trees.data, trees.len);
	assert_null(model_load(path, &back, &err));
	assert_int_equal(err.class, ERR_DATA);
	assert_non_null(strstr(err.msg, "damaged"));
	unlink(file);
	assert_null(model_load(path, &back, &err));
	assert_int_equal(err.class, ERR_IO);
	/* a directory that is something else is left alone */
	assert_int_equal(model_save(dir, &m, &r, &trees, NULL, &err), -1);
	assert_int_equal(err.class, ERR_USAGE);
	snprintf(file, sizeof(file), "%s/model.json", path);
	unlink(file);
	snprintf(file, sizeof(file), "%s/report.html", path);
	assert_int_equal(unlink(file), 0);
	rmdir(path);
	assert_int_equal(rmdir(dir), 0);
	buf_release(&trees);
	dataset_release(&d);
}

static void test_damaged_json(void **state)
{
	struct dataset d;
	struct model m;
	struct model_report r = {0};
	struct buf trees = {0}, json = {0};
	struct err err = {0};
	fleet(&d, 120, 1e9, 7);
	assert_int_equal(trainer_fit(&d, &OPTIONS, &m, &r, &trees, &err), 0);
	assert_int_equal(model_write_json(&m, &r, &json, &err), 0);
	buf_putc(&json, '\0'); /* for strstr */
	json.len--;
	const char *text = (const char *)json.data;
	assert_int_equal(model_read_json(text, json.len, &m, &err), 0);
	/* the last byte is a newline, the one before the brace */
	for (size_t n = 0; n < json.len - 1; n++)
		assert_int_equal(model_read_json(text, n, &m, &err), -1);
	static const char *const bad[] = {"[]", "null", "{}", "{\"format\": \"1\"}",
		"{\"format\": 2}", "{\"format\": 3, \"id\": 5}",
		"{\"format\": 3, \"id\": \"x\", \"window_h\": -1}"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(model_read_json(bad[i], strlen(bad[i]), &m, &err), -1);
	/* every value in turn replaced by another type, where the reader needs it */
	static const char *const keys[] = {"\"id\": ", "\"window_h\": ",
		"\"floor_days\": ", "\"bytes\": ", "\"hash\": ", "\"features\": ",
		"\"unit\": ", "\"min\": ", "\"present\": ", "\"level\": ",
		"\"sigma\": ", "\"wide\": ", "\"start\": ", "\"days\": ",
		"\"fusion\": ", "\"calibration\": ", "\"untested\": ",
		"\"twin_silent\": ", "\"table\": ", "\"lower\": ", "\"upper\": "};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		struct buf t = {0};
		const char *at = strstr(text, keys[i]);
		assert_non_null(at);
		at += strlen(keys[i]);
		buf_append(&t, text, (size_t)(at - text));
		buf_puts(&t, "true, \"was\": ");
		buf_puts(&t, at);
		assert_int_equal(
			model_read_json((const char *)t.data, t.len, &m, &err), -1);
		assert_int_equal(err.class, ERR_DATA);
		buf_release(&t);
	}
	buf_release(&json);
	buf_release(&trees);
	dataset_release(&d);
}

static void test_stream_must_supply_the_features(void **state)
{
	struct model m = {.nfeatures = 1};
	struct err err = {0};
	struct schema *s = schema_native(kind_info(KIND_feature), &err);
	strcpy(m.id, "aft-x");
	strcpy(m.feature[0].name, "t_mean_c");
	strcpy(m.feature[0].unit, "degC");
	assert_int_equal(model_supplied(&m, s, &err), 0);
	strcpy(m.feature[0].unit, "K");
	assert_int_equal(model_supplied(&m, s, &err), -1);
	assert_non_null(strstr(err.msg, "'t_mean_c' in 'K'"));
	strcpy(m.feature[0].unit, "degC");
	s->from[F_feature_t_mean_c] = -1;
	assert_int_equal(model_supplied(&m, s, &err), -1);
	assert_non_null(strstr(err.msg, "t_mean_c"));
	struct feature_set f;
	strcpy(m.feature[0].name, "battery"); /* a field, but no feature */
	assert_int_equal(model_features(&m, &f, &err), -1);
	schema_free(s);
}

static void test_range_and_starvation(void **state)
{
	struct model m = {.nfeatures = 2};
	m.feature[0] = (struct model_feature){"a", "", 0, 100, 1, {0}};
	m.feature[1] = (struct model_feature){"b", "", 0, 1, 0.5, {0}};
	const float in[] = {104, 0}, out[] = {106, 0}, gone[] = {NAN, 0.5f},
		    some[] = {50, NAN}, below[] = {-150, 2.4f};
	assert_true(fabs(model_beyond(&m, in) - 0.04) < 1e-9);
	assert_true(fabs(model_beyond(&m, out) - 0.06) < 1e-9);
	assert_true(fabs(model_beyond(&m, below) - 1.5) < 1e-6);
	assert_true(model_beyond(&m, gone) == 0);
	assert_true(model_starved(&m, gone));
	assert_false(model_starved(&m, some));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_learns_a_known_law),
		cmocka_unit_test(test_censoring_is_not_read_as_death),
		cmocka_unit_test(test_begins_at_the_twin),
		cmocka_unit_test(test_deterministic),
		cmocka_unit_test(test_report),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_model_directory),
		cmocka_unit_test(test_damaged_json),
		cmocka_unit_test(test_stream_must_supply_the_features),
		cmocka_unit_test(test_range_and_starvation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
