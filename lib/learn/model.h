/*
 * What a trained model is, beside its trees: the features it wants, the ranges it
 * knows, the table that turns a margin into an interval, and how it was made and
 * judged. In a model directory this is model.json, and the trees are booster.ubj.
 */
#ifndef LEARN_MODEL_H
#define LEARN_MODEL_H

#include "base/buf.h"
#include "learn/booster.h"
#include "learn/calibrate.h"
#include "learn/features.h"
#include "learn/histogram.h"
#include "learn/metrics.h"
#include "learn/split.h"
#include "learn/weibull.h"
#include "learn/weights.h"

enum {
	MODEL_FORMAT = 5,
	MODEL_UNIT_MAX = 15,
	MODEL_JSON_MAX = 1 << 20,      /* bytes of model.json */
	MODEL_BOOSTER_MAX = 256 << 20, /* bytes of booster.ubj */
};

struct model_feature {
	char name[CODE_MAX + 1], unit[MODEL_UNIT_MAX + 1];
	double min, max;            /* seen in training */
	double present;             /* share of the training rows that have it */
	struct histogram reference; /* of the training rows that have it */
};

/* How it was made and judged: written for people, not needed to predict. */
struct model_report {
	enum split_by split;
	uint64_t seed;
	size_t rows[PART_COUNT], batteries[PART_COUNT], groups[PART_COUNT];
	size_t ends_seen; /* training batteries seen to their end of life */
	int64_t from_ts, to_ts, every_ms;
	int feature_version, truth_version; /* of the stream's schemas */
	struct booster_params params;
	struct booster_fit fit;
	int trials;                     /* of the search for hyperparameters */
	struct metrics model, baseline; /* on the test part */
	struct weibull weibull;         /* of the baseline; shape NaN: a constant */
	double skill;                   /* 1 - mae of the model / mae of the baseline */
};

struct model {
	char id[CODE_MAX + 1]; /* "aft-" and a hash of all the rest of model.json */
	int window_h;
	double floor_days; /* shorter lives are not told apart */
	/* No upper bound goes beyond the longest remaining life in training: of n like
	 * batteries a new one outlives all with probability 1/(n+1). Infinite where the
	 * longest was still alive. */
	double longest_days;
	/* It learned from: how much its histograms can tell. Strings: 0 unknown. */
	size_t train_batteries, train_strings;
	int nfeatures;
	struct model_feature feature[FIELDS_MAX];
	/* The trees say by how much the log of life differs from where they begin: the
	 * life in the feature 'start', where it is known, else start_days. */
	int start; /* a feature in days; -1: they begin at start_days always */
	double start_days;
	int bound[2]; /* features: the twin's bounds of life, days; -1 none */
	int tested;   /* feature: what a test of its capacity measured; -1 none */
	/* Of each kind of rows; that of all where there were too few of it. */
	struct calibration calibration[CALIB_KINDS];
	struct weights weights; /* of its estimates, beside the twin's */
	/* Of what these weights make of the two; n 0 where the twin was not in training
	 * or too seldom. */
	struct calibration fused[CALIB_FUSED];
	uint64_t booster_hash, booster_size;
};

/* Appends model.json. Returns 0, or -1. */
int model_write_json(const struct model *m, const struct model_report *r,
	struct buf *out, struct err *err);

/*
 * Reads model.json; the report in it is not read back. Returns 0, or -1 with ERR_DATA
 * naming the key: not JSON, a key missing, of another type or out of its bounds.
 */
int model_read_json(const char *p, size_t len, struct model *m, struct err *err);

/* The model's features as this build knows them. Returns 0, or -1 with ERR_DATA naming
 * a feature it does not know, or knows in another unit. */
int model_features(const struct model *m, struct feature_set *s, struct err *err);

/* Where the trees begin on a row of the model's features: to be added to what they say
 * for the log of life in days. */
double model_start(const struct model *m, const float *x);

/*
 * How far apart the twin's bounds are on a row, ln; NaN unknown. The upper one is taken
 * for two months later: near the end bounds of days are off by weeks, and a ratio of
 * two of them says little. Over log(upper / lower) that makes the intervals of two
 * simulated fleets narrower by half and more where the end is within 90 days.
 */
double model_width(const struct model *m, const float *x);

/* What is known of the battery of a row: which table serves it. */
enum calib_kind model_kind(const struct model *m, const float *x);

/* Sets start, bound and tested by the names of the features. */
void model_find_features(struct model *m);

/* True when a stream with that feature schema supplies all features of m; else -1 with
 * ERR_DATA naming the first it lacks. */
int model_supplied(const struct model *m, const struct schema *stream, struct err *err);

/*
 * Writes the model to directory dir, with report.html unless html is NULL: into a new
 * directory beside it, fsynced, renamed over. A directory there before is replaced only
 * if it is a model or empty. Returns 0, or -1 (ERR_IO, ERR_USAGE).
 */
int model_save(const char *dir, const struct model *m, const struct model_report *r,
	const struct buf *booster, const struct buf *html, struct err *err);
/* Fails early where model_save would: something else stands at dir, or its parent is
 * not a directory. */
int model_check_target(const char *dir, struct err *err);

/* Appends the bytes of DIR/model.json. Returns 0, or -1. */
int model_read_text(const char *dir, struct buf *json, struct err *err);
/* Copies the model directory 'from' to the new directory 'to', synced; what it is, is
 * not looked at. Returns 0, or -1 (ERR_IO, ERR_DATA: a file too large). */
int model_copy(const char *from, const char *to, struct err *err);
/* Removes the files of a model, and their directory if nothing else is in it. */
void model_remove(const char *dir);

/* Loads a model directory, checking the trees' hash before they are parsed. Returns a
 * booster and fills m, or NULL (ERR_IO, ERR_DATA). */
struct booster *model_load(const char *dir, struct model *m, struct err *err);

#endif
