/*
 * The age-only baseline every learned model must beat: a Weibull distribution of
 * lifetimes, fitted by maximum likelihood with right-censoring and left truncation (a
 * battery first seen at age a has survived to a; Klein, Moeschberger 2003, §3.5).
 * Times in days.
 */
#ifndef LEARN_WEIBULL_H
#define LEARN_WEIBULL_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct lifetime {
	double entry; /* age when first seen, >= 0 */
	double exit;  /* age at the end, or when last seen; > entry */
	bool censored;
};

struct weibull {
	double shape, scale_days;
};

/* Returns 0, or -1 with ERR_DATA when no end was seen. Shape is sought in 0.2 to 20. */
int weibull_fit(const struct lifetime *l, size_t n, struct weibull *w, struct err *err);
/* Median remaining life at an age (>= 0). */
double weibull_median_residual(const struct weibull *w, double age);

#endif
