/*
 * What model.json says about a model for people: how it was trained and judged. Not
 * needed to predict, so a key that is missing or of another type is only unknown here:
 * NaN, -1 or "".
 */
#ifndef LEARN_CARD_H
#define LEARN_CARD_H

#include "base/err.h"

#include <stdint.h>

struct card_metrics {
	double mae_days, rmse_days, r2, median_relative_error, concordance;
	double picp, picp_error;
};

struct card {
	char program[64], from[32], to[32], split[16]; /* of the training */
	int64_t trees, depth, ends_seen;
	int64_t rows[4], batteries[4], groups[4]; /* by enum split_part */
	struct card_metrics model, age_only;      /* on batteries held out */
	double skill;                             /* against age alone */
	double level;                             /* of the intervals */
};

/* Reads DIR/model.json. Returns 0, or -1 (ERR_IO; ERR_DATA: no JSON object). */
int card_read(const char *dir, struct card *c, struct err *err);

#endif
