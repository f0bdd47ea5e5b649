#include "learn/split.h"

#include "base/code.h"

#include <stdlib.h>

static const char *const BY[] = {"battery", "string", "site"};
static const char *const PARTS[] = {"training", "validation", "calibration", "test"};
static const size_t LEAST[PART_COUNT] = {
	TRAIN_LEAST, VALID_LEAST, CALIB_LEAST, TEST_LEAST};
/* Shares of validation, calibration and test in percent; the rest trains. */
static const size_t SHARE[PART_COUNT] = {0, 10, 20, 15};

struct ranked {
	uint64_t hash;
	uint32_t group;
	const char *name;
};

const char *split_name(enum split_by by)
{
	return BY[by];
}

const char *split_part_name(enum split_part p)
{
	return PARTS[p];
}

int split_by_name(const char *name, enum split_by *by, struct err *err)
{
	for (int i = 0; i <= SPLIT_SITE; i++)
		if (strcmp(name, BY[i]) == 0) {
			*by = (enum split_by)i;
			return 0;
		}
	return err_set(
		err, ERR_USAGE, "--split: '%s' is not battery, string or site", name);
}

static struct str group_code(enum split_by by, const char *battery)
{
	struct str code = str_of(battery);
	return by == SPLIT_BATTERY  ? code
	       : by == SPLIT_STRING ? code_string(code)
				    : code_site(code);
}

static int by_hash(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return strcmp(x->name, y->name);
}

/* FNV-1a alone mixes its last bytes little; codes differ just there. (Finaliser of
 * SplitMix64, Steele, Lea, Flood 2014.) */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static int too_few(const struct split *s, struct err *err)
{
	if (s->by == SPLIT_BATTERY)
		return err_set(err, ERR_DATA,
			"too few batteries for an honest split: %zu of at least %d (%d "
			"to train, %d to validate, %d to calibrate, %d to test)",
			s->groups.n,
			TRAIN_LEAST + VALID_LEAST + CALIB_LEAST + TEST_LEAST,
			TRAIN_LEAST, VALID_LEAST, CALIB_LEAST, TEST_LEAST);
	return err_set(err, ERR_DATA,
		"too few groups for an honest split by %s: %zu of at least 5 (2 to "
		"train, 1 each to validate, to calibrate and to test)",
		BY[s->by], s->groups.n);
}

/* How many groups each part gets. */
static int quotas(struct split *s, struct err *err)
{
	size_t n = s->groups.n, used = 0;
	bool own = s->by == SPLIT_BATTERY;
	for (int p = PART_VALID; p < PART_COUNT; p++) {
		size_t least = own ? LEAST[p] : 1, share = (n * SHARE[p] + 50) / 100;
		s->groups_in[p] = share > least ? share : least;
		used += s->groups_in[p];
	}
	if (n < used + (own ? (size_t)TRAIN_LEAST : 2))
		return too_few(s, err);
	s->groups_in[PART_TRAIN] = n - used;
	return 0;
}

static int assign(struct split *s, uint64_t seed, struct err *err)
{
	struct ranked *r = calloc(s->groups.n, sizeof(*r));
	if (!r)
		return err_nomem(err);
	for (uint32_t g = 0; g < s->groups.n; g++) {
		const char *name = ids_name(&s->groups, g);
		r[g] = (struct ranked){
			mix(hash_bytes(name, strlen(name)) ^ mix(seed)), g, name};
	}
	qsort(r, s->groups.n, sizeof(*r), by_hash);
	size_t at = 0;
	for (int p = 0; p < PART_COUNT; p++)
		for (size_t i = 0; i < s->groups_in[p]; i++)
			s->part_of[r[at++].group] = (uint8_t)p;
	for (uint32_t i = 0; i < s->groups.n; i++)
		s->place_of[r[i].group] = i;
	free(r);
	return 0;
}

/* A part made of whole strings or sites must still hold batteries enough. */
static int check_batteries(const struct split *s, struct err *err)
{
	for (int p = 0; p < PART_COUNT; p++)
		if (s->batteries_in[p] < LEAST[p])
			return err_set(err, ERR_DATA,
				"too few batteries for an honest split by %s: the %s "
				"part "
				"has %zu of at least %zu",
				BY[s->by], PARTS[p], s->batteries_in[p], LEAST[p]);
	return 0;
}

int split_make(struct split *s, const struct ids *batteries, enum split_by by,
	uint64_t seed, struct err *err)
{
	*s = (struct split){.by = by};
	s->group_of = calloc(batteries->n + 1, sizeof(*s->group_of));
	s->part_of = calloc(batteries->n + 1, sizeof(*s->part_of));
	s->place_of = calloc(batteries->n + 1, sizeof(*s->place_of));
	if (!s->group_of || !s->part_of || !s->place_of)
		return err_nomem(err);
	for (uint32_t b = 0; b < batteries->n; b++) {
		s->group_of[b] =
			ids_intern(&s->groups, group_code(by, ids_name(batteries, b)));
		if (s->group_of[b] == IDS_NONE)
			return err_nomem(err);
	}
	if (quotas(s, err) < 0 || assign(s, seed, err) < 0)
		return -1;
	for (uint32_t b = 0; b < batteries->n; b++)
		s->batteries_in[split_part(s, b)]++;
	return check_batteries(s, err);
}

void split_release(struct split *s)
{
	ids_release(&s->groups);
	free(s->group_of);
	free(s->part_of);
	free(s->place_of);
	*s = (struct split){0};
}
