/*
 * Drift: how far the features a model is given have moved away from those it learned
 * from, by the population stability index against its reference histograms,
 *
 *	PSI = sum over the bins of (a - e)·ln(a / e)
 *
 * a the share seen, e the share in training, missing values a bin of their own, half a
 * battery added to each bin so that an empty one is no infinity.
 *
 * Under 0.1 is called no change and over 0.25 a shift (Siddiqi 2006, "Credit Risk
 * Scorecards"), whatever the sample; but by chance alone PSI/(1/n + 1/m) is chi-square
 * of one degree less than there are bins (Yurdakul, Naranjo 2020, "Statistical
 * properties of the population stability index"). So a feature has drifted when its PSI
 * is over 0.25 and over what chance gives in one of a thousand periods, all features
 * together. A battery counts once a period, for its rows say the same thing; and n and
 *m are as many batteries as would say as much were they independent, for those of a
 * string share current, ripple and room: n / (1 + (b - 1)·rho), b batteries a string,
 *rho the share of a feature's variance that lies between strings (design effect; Kish
 *1965, "Survey Sampling", section 5.4), by analysis of variance of the period. A single
 * string cannot tell, and counts as one battery.
 * Features of the calendar (season_…) are not judged: they move by themselves.
 *
 * A period is a fixed span of event time; counts begin anew with each.
 */
#ifndef LEARN_DRIFT_H
#define LEARN_DRIFT_H

#include "learn/model.h"

#define DRIFT_PSI_LEAST 0.25
#define DRIFT_CHANCE 0.001

/* One feature of one period. */
struct drift_figure {
	const char *feature; /* of the model */
	double psi;          /* NaN: no reference, or not judged */
	double limit;
};

struct drift;

/* Of model m, which must outlive it. period_ms > 0. Returns NULL out of memory. */
struct drift *drift_new(const struct model *m, int64_t period_ms, struct err *err);
/* True when ts lies beyond the period counted: judge it, then begin anew. */
bool drift_period_over(const struct drift *d, int64_t ts);
/* Begins the period of ts, with nothing counted. */
void drift_begin(struct drift *d, int64_t ts);
/* Counts a row of a battery, given by its number and its code, if it is the first of
 * the period. Returns 0, or -1 out of memory. */
int drift_count(struct drift *d, uint32_t battery, struct str code, const float *x,
	struct err *err);
/* Batteries counted in the period. */
size_t drift_batteries(const struct drift *d);
/* The end of the period. */
int64_t drift_until(const struct drift *d);
/* The figures of the period so far, into out[m->nfeatures]. */
void drift_judge(const struct drift *d, struct drift_figure *out);
void drift_free(struct drift *d);

static inline bool drifted(const struct drift_figure *f)
{
	return f->psi > f->limit;
}

#endif
