/*
 * Random records of any kind, for property tests. The generator is seeded by the test,
 * so that a failure can be repeated.
 */
#ifndef TESTS_RANDOM_RECORD_H
#define TESTS_RANDOM_RECORD_H

#include "record/schema.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct dice {
	uint64_t state;
	char text[64 * 1024]; /* the strings of one record */
	size_t used;
};

/* splitmix64 (Steele, Lea, Flood 2014) */
static inline uint64_t dice_u64(struct dice *d)
{
	uint64_t z = d->state += 0x9e3779b97f4a7c15u;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static inline uint32_t dice_below(struct dice *d, uint32_t n)
{
	return (uint32_t)(dice_u64(d) % n);
}

/* n pieces drawn from the first 'choice' ones; the last two are control characters. */
static inline struct str dice_pieces(struct dice *d, uint32_t n, uint32_t choice)
{
	static const char *const pieces[] = {"a", "Z", "0", "-", "_", ".", " ", "\"",
		"\\", ",", ";", "=", "[]", "\xc3\xa9", "\xe0\xb8\x81",
		"\xf0\x9f\x94\x8b", "\t", "\n"};
	struct str s = {d->text + d->used, 0};
	for (uint32_t i = 0; i < n; i++) {
		const char *p = pieces[dice_below(d, choice)];
		size_t k = strlen(p);
		if (d->used + k > sizeof(d->text))
			break;
		memcpy(d->text + d->used, p, k);
		d->used += k;
		s.len += (uint32_t)k;
	}
	return s;
}

/* A code: never empty, no control characters. */
static inline struct str dice_string(struct dice *d, uint32_t max)
{
	return dice_pieces(d, 1 + dice_below(d, max / 4), 16);
}

static inline struct str dice_text(struct dice *d, uint32_t max)
{
	return dice_pieces(d, dice_below(d, max / 4), 18);
}

static inline float dice_float(struct dice *d)
{
	switch (dice_below(d, 5)) {
	case 0:
		return (float)((double)dice_below(d, 40000) / 1000 - 20);
	case 1:
		return 0.0F;
	case 2:
		return (float)dice_u64(d);
	case 3:
		return -0.0F;
	default:
		for (;;) {
			uint32_t u = (uint32_t)dice_u64(d);
			float f;
			memcpy(&f, &u, 4);
			if (isfinite(f))
				return f;
		}
	}
}

static inline int64_t dice_i64(struct dice *d, int64_t min, int64_t max)
{
	uint64_t span = (uint64_t)max - (uint64_t)min;
	uint64_t v = dice_u64(d) >> dice_below(d, 64); /* all magnitudes */
	return (int64_t)((uint64_t)min + (span == UINT64_MAX ? v : v % (span + 1)));
}

static inline void dice_lists(struct dice *d, const struct field_info *f, void *at)
{
	int32_t n = (int32_t)dice_below(d, 5);
	*(int32_t *)at = n;
	for (int32_t i = 0; i < n; i++) {
		if (f->type == T_PAIRS) {
			((struct pairs *)at)->v[i].name = dice_text(d, 40);
			((struct pairs *)at)->v[i].value = dice_float(d);
		} else if (f->type == T_STRS) {
			((struct strs *)at)->v[i] = dice_text(d, 40);
		} else if (f->type == T_COUNTS) {
			((struct counts *)at)->v[i].kind =
				(int32_t)dice_below(d, KIND_MAX);
			((struct counts *)at)->v[i].count = dice_i64(d, 0, INT64_MAX);
		} else {
			((struct chain *)at)->v[i].program = dice_string(d, 40);
			((struct chain *)at)->v[i].version = dice_string(d, 40);
			((struct chain *)at)->v[i].arguments = dice_string(d, 200);
		}
	}
}

static inline void dice_field(struct dice *d, const struct field_info *f, void *rec)
{
	void *at = (char *)rec + f->offset;
	field_clear(f, rec);
	if (!f->need && dice_below(d, 4) == 0)
		return;
	switch (f->type) {
	case T_TIME:
		*(int64_t *)at = dice_i64(d, TIME_MIN, TIME_MAX);
		break;
	case T_LONG:
		*(int64_t *)at = dice_i64(d, INT64_MIN + 1, INT64_MAX);
		break;
	case T_INT:
		*(int32_t *)at = (int32_t)dice_i64(d, INT32_MIN + 1, INT32_MAX);
		break;
	case T_F32:
		*(float *)at = dice_float(d);
		break;
	case T_F64:
		*(double *)at = (double)dice_float(d) * 1.000000001;
		break;
	case T_ENUM:
		*(int32_t *)at = (int32_t)dice_below(d, (uint32_t)f->names->n);
		break;
	case T_BITS:
		*(int32_t *)at = (int32_t)dice_below(d, 1u << f->names->n);
		break;
	case T_BOOL:
		*(int32_t *)at = (int32_t)dice_below(d, 2);
		break;
	case T_CODE:
		*(struct str *)at = dice_string(d, CODE_MAX);
		break;
	case T_TEXT:
		*(struct str *)at = f->need ? dice_string(d, 600) : dice_text(d, 600);
		break;
	case T_PAIRS:
	case T_STRS:
	case T_COUNTS:
	case T_CHAIN:
		dice_lists(d, f, at);
		break;
	case T_ANY:
	case T_COUNT:
		abort();
	}
}

/* Fills the struct of kind k. Its strings live until the next call. */
static inline void dice_record(struct dice *d, const struct kind_info *k, void *rec)
{
	d->used = 0;
	for (int i = 0; i < k->nfields; i++)
		dice_field(d, &k->fields[i], rec);
}

#endif
