/*
 * Text to numbers, with bounds and without surprises: the whole string must be
 * consumed, white space is not skipped, the locale plays no part.
 * Each returns 0, or -1 leaving *out untouched.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/str.h"

int parse_i64(struct str s, int64_t min, int64_t max, int64_t *out);
/* Decimal or exponent notation; "nan", "inf" and hexadecimal are refused. */
int parse_f64(struct str s, double *out);
/* "250ms", "30s", "15m", "1h", "90d", "2w", "1y" (365 d); a bare number is seconds.
 * Result in ms. */
int parse_duration_ms(struct str s, int64_t *out);

#endif
