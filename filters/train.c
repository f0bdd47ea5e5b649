/*
 * train: features and what became of the batteries, to a model directory.
 */
#include "base/diag.h"
#include "base/now.h"
#include "learn/registry.h"
#include "learn/trainer.h"
#include "stream/flow.h"

#include <math.h>
#include <stdio.h>

struct options {
	const char *out, *registry, *split;
	int64_t window_h, every_ms, max_rows, rounds, depth, trials, seed;
	double eta, level;
};

static const struct opt_usage USAGE = {.program = "train",
	.synopsis = "{--out DIR | --register DIR} [options]",
	.summary = "train a remaining-life model on feature and truth records",
	.notes = "  simulate --truth --batteries 300 | featurize | train --out model\n"
		 "\nThe evaluation goes to stderr; records are written only where -o "
		 "says so.\n"};

/* Reads the stream into the dataset. */
static void collect(struct flow *f, const struct options *o, struct dataset *d,
	struct model_report *r)
{
	struct record rec;
	struct err err = {0};
	while (flow_next(f, &rec) > 0) {
		int bad = 0;
		if (rec.kind == KIND_feature) {
			struct rec_feature row;
			if (!flow_decode(f, &rec, &row))
				continue;
			r->feature_version = rec.schema->version;
			if (row.window_h == o->window_h)
				bad = dataset_feature(d, &row, &err);
		} else if (rec.kind == KIND_truth) {
			struct rec_truth truth;
			if (!flow_decode(f, &rec, &truth))
				continue;
			r->truth_version = rec.schema->version;
			bad = dataset_truth(d, &truth, &err);
		} else if (rec.kind == KIND_rul) {
			struct rec_rul word;
			if (!flow_decode(f, &rec, &word))
				continue;
			if (word.source == rul_source_twin)
				bad = dataset_twin(d, &word, &err);
		} else if (rec.kind == KIND_twin_state) {
			struct rec_twin_state state;
			if (!flow_decode(f, &rec, &state))
				continue;
			bad = dataset_state(d, &state, &err);
		}
		flow_pass(f, &rec);
		if (bad < 0)
			flow_fail(f, &err);
	}
}

static void say_metrics(const char *name, const struct metrics *m)
{
	diag("%s: MAE %.1f d, RMSE %.1f d, median relative error %.1f %%, concordance "
	     "%.3f",
		name, m->mae, m->rmse, 100 * m->median_relative_error, m->concordance);
}

static void say(
	const struct options *o, const struct model *m, const struct model_report *r)
{
	for (int p = 0; p < PART_COUNT; p++)
		diag("%s: %zu rows of %zu batteries in %zu groups",
			split_part_name((enum split_part)p), r->rows[p],
			r->batteries[p], r->groups[p]);
	diag("%d features, %d trees of depth %d, error scale %.2f, %zu ends of life "
	     "seen",
		m->nfeatures, r->fit.rounds, r->params.depth, r->params.scale,
		r->ends_seen);
	say_metrics("test", &r->model);
	say_metrics("test, age-only Weibull", &r->baseline);
	if (isfinite(r->skill))
		diag("test: skill against age alone %.2f; %.0f %% intervals hold %.1f "
		     "± "
		     "%.1f %% of %zu batteries, mean width %.2f of the range",
			r->skill, 100 * m->calibration[CALIB_TESTED].level,
			100 * r->model.picp, 100 * r->model.picp_error,
			r->model.batteries, r->model.pinaw);
	else
		diag("test: no battery there was seen to its end, so no figures");
	diag(o->out ? "wrote %s to '%s'" : "registered %s in '%s', as staging", m->id,
		o->out ? o->out : o->registry);
}

static void say_rows(const struct options *o, const struct dataset *d)
{
	diag("%llu feature rows, %llu truth records; of %lld h %zu kept: %llu thinned, "
	     "%llu "
	     "half empty, %llu without truth within a day, %llu past the end, %llu "
	     "without "
	     "room",
		(unsigned long long)d->features_seen,
		(unsigned long long)d->truths_seen, (long long)o->window_h, d->n,
		(unsigned long long)d->thinned, (unsigned long long)d->uncovered,
		(unsigned long long)d->unlabelled, (unsigned long long)d->past_end,
		(unsigned long long)d->no_room);
}

/* Into the registry, as staging. */
static int enter(const struct options *o, const struct model *m,
	const struct model_report *r, const struct buf *trees, const struct buf *html,
	struct err *err)
{
	char id[CODE_MAX + 1];
	struct registry *to = registry_open(o->registry, true, err);
	int s = to ? model_save(registry_incoming(to), m, r, trees, html, err) : -1;
	if (s == 0)
		s = registry_adopt(to, id, err);
	registry_close(to);
	return s;
}

struct clocks {
	int64_t trials, folds; /* when they began */
};

/* How the search goes, and how long it will take if all trials take alike. */
static void say_trial(void *arg, int done, int of, double error, double best)
{
	struct clocks *c = arg;
	c->folds = now_steady_ms();
	double s = (double)(c->folds - c->trials) / 1e3;
	diag("trial %d of %d: error of log time on validation %.3f, best %.3f; %.0f s "
	     "to "
	     "go",
		done, of, error, best, s / done * (of - done));
}

static void say_fold(void *arg, int done, int of)
{
	const struct clocks *c = arg;
	double s = (double)(now_steady_ms() - c->folds) / 1e3;
	diag("fold %d of %d foretold by the others; %.0f s to go", done, of,
		s / done * (of - done + 1));
}

static int fit(const struct options *o, enum split_by by, struct dataset *d,
	struct model_report *r, bool quiet, bool told, struct err *err)
{
	struct buf trees = {0}, html = {0};
	struct clocks clock = {now_steady_ms(), now_steady_ms()};
	struct trainer_options t = {.split = by,
		.seed = (uint64_t)o->seed,
		.window_h = (int)o->window_h,
		.rounds = (int)o->rounds,
		.patience = 30,
		.depth = (int)o->depth,
		.eta = o->eta,
		.level = o->level,
		.trials = (int)o->trials,
		.html = &html};
	struct model m;
	if (dataset_finish(d, err) < 0)
		return -1;
	if (told) {
		t.progress = say_trial;
		t.folds = say_fold;
		t.arg = &clock;
	}
	if (!quiet)
		say_rows(o, d);
	int s = trainer_fit(d, &t, &m, r, &trees, err);
	if (s == 0)
		s = o->out ? model_save(o->out, &m, r, &trees, &html, err)
			   : enter(o, &m, r, &trees, &html, err);
	if (s == 0 && !quiet)
		say(o, &m, r);
	buf_release(&trees);
	buf_release(&html);
	return s;
}

static int check(const struct options *o, enum split_by *by, int left, struct err *err)
{
	if (left > 0)
		return err_set(err, ERR_USAGE, "no operands are taken, see --help");
	if (!o->out == !o->registry)
		return err_set(err, ERR_USAGE,
			"one of --out DIR and --register DIR is needed, see --help");
	if (o->every_ms <= 0)
		return err_set(err, ERR_USAGE, "--every must be longer than nothing");
	if (split_by_name(o->split, by, err) < 0)
		return -1;
	if (o->out)
		return model_check_target(o->out, err);
	/* Fails early where the registry could not be written. */
	struct registry *r = registry_open(o->registry, true, err);
	registry_close(r);
	return r ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options o = {.split = "battery",
		.window_h = 24,
		.every_ms = DAY_MS,
		.max_rows = 200000,
		.rounds = 300,
		.depth = 4,
		.trials = 8,
		.seed = 1,
		.eta = 0.08,
		.level = 0.9};
	struct flow_options fo = {0};
	struct err err = {0};
	struct model_report report = {0};
	struct dataset d;
	enum split_by by;
	int first;
	struct opt own[] = {
		{0, "out", "DIR", "model directory to write", OPT_STR, &o.out, 0, 0},
		{0, "register", "DIR", "enter the model in this registry, as staging",
			OPT_STR, &o.registry, 0, 0},
		{0, "window", "HOURS", "use features of this window (24)", OPT_INT,
			&o.window_h, 1, 8784},
		{0, "split", "GROUP", "hold out by battery, string or site (battery)",
			OPT_STR, &o.split, 0, 0},
		{0, "every", "DURATION", "at most one row a battery in this time (1d)",
			OPT_MS, &o.every_ms, 0, 0},
		{0, "max-rows", "N", "rows kept; beyond it --every doubles (200000)",
			OPT_INT, &o.max_rows, 1, 10000000},
		{0, "rounds", "N", "trees at most (300)", OPT_INT, &o.rounds, 1, 5000},
		{0, "depth", "N", "depth of a tree (4)", OPT_INT, &o.depth, 1, 12},
		{0, "trials", "N", "hyperparameters to try: these, then drawn ones (8)",
			OPT_INT, &o.trials, 1, 1000},
		{0, "eta", "RATE", "learning rate (0.08)", OPT_F64, &o.eta, 0.001, 1},
		{0, "level", "SHARE", "what the intervals shall hold (0.9)", OPT_F64,
			&o.level, 0.5, 0.99},
		{0, "seed", "N", "seed of split, search and boosting (1)", OPT_INT,
			&o.seed, 0, 2147483647},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SINK), argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r < 0 || check(&o, &by, argc - first, &err) < 0)
		return diag_err(&err);
	struct flow *f = flow_open(&fo, FLOW_SINK, "train", "", &err);
	if (!f)
		return diag_err(&err);
	dataset_init(&d, (size_t)o.max_rows, o.every_ms);
	collect(f, &o, &d, &report);
	bool interrupted = flow_interrupted(f);
	int status = flow_close(f);
	/* A model of half a stream would look like any other: none is written. */
	if (status == 0 && interrupted)
		status = diag_err(
			&(struct err){ERR_DATA, "interrupted: no model written"});
	if (status == 0 && fit(&o, by, &d, &report, fo.quiet, fo.progress, &err) < 0)
		status = diag_err(&err);
	dataset_release(&d);
	return status;
}
