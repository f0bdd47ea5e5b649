/*
 * Intervals that keep their promise: split-conformal calibration on batteries the model
 * has not seen, on the log-time scale.
 *
 * Rows of one battery are not exchangeable with each other, batteries are. So each of
 * the K batteries carries the same weight 1/(K+1), shared alike among all its rows, and
 * the remaining 1/(K+1) lies at infinity: hierarchical conformal prediction (Lee,
 * Barber, Willett 2023, "Distribution-free inference with hierarchical data"), which
 * covers a new row of a new battery with at least the nominal probability.
 *
 * Censored rows: the residual log(c) - margin is only a lower bound. For the lower
 * quantile it stands as it is, which errs to the safe side; the upper quantile is of
 * the weighted Kaplan-Meier estimate, which equals the plain one when nothing is
 * censored.
 *
 * Near its end a battery's log time is far less certain than in mid-life, and so is
 * that of a battery of which the twin knows little yet. So residuals are first divided
 * by a spread, exp(slope · (margin − log 1000)) · (width / 0.6)^wide, width being that
 * of the twin's own bounds on the log scale. The two exponents are fitted to a part of
 * the batteries only (locally weighted conformal prediction; Lei, G'Sell, Rinaldo,
 * Tibshirani, Wasserman 2018, "Distribution-free predictive inference for regression",
 * §5.2).
 *
 * How much is known of a battery decides how good an estimate of it is, and a fleet
 * under watch for a year knows more than one of today. So there are tables of their own
 * for batteries whose capacity has been measured, for those where it has not, and for
 * those the twin is silent about; and where there are batteries enough a table has rows
 * by predicted life (90 days, a year, three), so that a battery near its end gets an
 * interval made of such batteries (Mondrian conformal prediction; Vovk, Gammerman,
 * Shafer 2005, "Algorithmic Learning in a Random World", §4.5). In a cell of these a
 * battery weighs by the share of its rows that lie there: a short visit is little of
 * what will be foretold.
 */
#ifndef LEARN_CALIBRATE_H
#define LEARN_CALIBRATE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CALIB_BINS_MAX = 8,
	/* What batteries must weigh to have a row of the table. What lies at infinity
	 * makes its intervals hold up to 2/(K+1) more than asked: with 40, 5 %. */
	CALIB_BIN_BATTERIES = 40,
};

/* What is known of a battery; each kind may have its table. */
enum calib_kind {
	CALIB_TESTED,   /* its capacity was measured */
	CALIB_UNTESTED, /* it was not, but the twin speaks */
	CALIB_SILENT,   /* the twin does not */
	CALIB_KINDS,
	CALIB_ALL = CALIB_KINDS,
	CALIB_FUSED = CALIB_SILENT /* kinds of fused estimates: not without the twin */
};

struct calib_row {
	double margin;   /* predicted log time */
	double log_time; /* true log time; of censoring when censored */
	bool censored;
	uint32_t battery;
	double width; /* of the twin's bounds, ln; 0 or NaN unknown */
	enum calib_kind kind;
};

/* How the spread of log time depends on what is known: exponents. */
struct calib_spread {
	double slope; /* of e^(margin), with the margin in log 1000 days */
	double wide;  /* of the width */
};

struct calib_bin {
	double margin_below; /* the row serves margins < this; the last: infinite */
	double lower, upper; /* offsets of log time to the margin, over the spread */
	double sigma;        /* standard deviation of the same */
	double sudden;       /* share of deaths that nothing announces */
	size_t batteries, rows;
	bool extrapolated; /* upper is beyond what was seen: from sigma */
};

struct calibration {
	double level; /* 0.9 */
	struct calib_spread spread;
	int n;
	struct calib_bin bin[CALIB_BINS_MAX];
};

/*
 * Calibrates for the given level and spread on those of n rows that are of a kind, or
 * all. A battery's rows of all kinds share its weight. Returns 0; -1 with ERR_DATA when
 * they weigh less than ceil(2 / (1 - level)) - 1 batteries.
 */
int calibrate(const struct calib_row *rows, size_t n, enum calib_kind kind,
	double level, struct calib_spread spread, struct calibration *out,
	struct err *err);

/* The spread that makes the residuals of n rows most alike, by maximum likelihood of
 * Laplace ones (so that a few sudden deaths do not decide it): slope within -0.5 to
 * 0.25, wide within 0 to 1.25; of uncensored rows; zeros without. */
struct calib_spread calibration_spread(const struct calib_row *rows, size_t n);

/* The bounds of log time for a margin and a width of the twin's (0 or NaN unknown). */
void calibration_interval(const struct calibration *c, double margin, double width,
	double *lower, double *upper);

/*
 * P(time <= days) for a margin and width. Log time is normal about the margin, except
 * for the share of sudden deaths, which come at any time before it alike. Both are
 * fitted by maximum likelihood with right-censoring, each battery with the same weight;
 * the share is at least half a battery of those seen.
 */
double calibration_p_fail(
	const struct calibration *c, double margin, double width, double days);

#endif
