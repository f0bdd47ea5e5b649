/*
 * The record kinds as C: for each kind NAME of schemas/records.def
 *
 *	KIND_NAME			its number on the wire
 *	struct rec_NAME			its fields
 *	F_NAME_FIELD			index of a field in its table
 *	NFIELDS_NAME			how many there are
 *
 * and for each set of words SET, the constants SET_WORD: MODE are spelled mode_float,
 * mode_boost … for enumerations (their value) and for bit sets (the bit's index;
 * use BIT(quality_stuck)).
 *
 * Missing values: float NaN, TIME_NIL, INT_NIL, LONG_NIL, ENUM_NIL, BOOL_NIL, BITS_NIL,
 * a str with s == NULL, a list with n == -1. BITS_NIL has only the sign bit set, so
 *that testing any bit of a missing set gives false.
 *
 * Strings and lists in a struct filled by the decoder point into the record's bytes:
 *they are valid until the next record is read. Copy what must live longer.
 */
#ifndef RECORD_KINDS_H
#define RECORD_KINDS_H

#include "base/str.h"
#include "base/timefmt.h"

#define INT_NIL INT32_MIN
#define LONG_NIL INT64_MIN
#define ENUM_NIL (-1)
#define BOOL_NIL (-1)
#define BITS_NIL INT32_MIN
#define BIT(index) (1 << (index))

/* Bounds of the format: a reader refuses what is larger before it allocates. */
enum {
	CODE_MAX = 64,        /* bytes of a CODE */
	TEXT_MAX = 4096,      /* bytes of a TEXT */
	LIST_MAX = 32,        /* entries of a PAIRS, STRS or CHAIN */
	COUNTS_MAX = 128,     /* entries of a COUNTS */
	FIELDS_MAX = 96,      /* fields of a kind */
	NAMES_MAX = 31,       /* words of an enumeration or bit set */
	RECORD_MAX = 1 << 20, /* bytes of a record */
	DEPTH_MAX = 8,        /* nesting of arrays and maps */
	KIND_MAX = 127,       /* largest kind number */
};

struct pairs {
	int32_t n;
	struct {
		struct str name;
		float value;
	} v[LIST_MAX];
};
struct strs {
	int32_t n;
	struct str v[LIST_MAX];
};
struct counts {
	int32_t n;
	struct {
		int32_t kind;
		int64_t count;
	} v[COUNTS_MAX];
};
struct chain {
	int32_t n;
	struct {
		struct str program, version, arguments;
	} v[LIST_MAX];
};

typedef int64_t c_TIME;
typedef int32_t c_INT;
typedef int64_t c_LONG;
typedef float c_F32;
typedef double c_F64;
typedef int32_t c_ENUM;
typedef int32_t c_BITS;
typedef int32_t c_BOOL;
typedef struct str c_CODE;
typedef struct str c_TEXT;
typedef struct pairs c_PAIRS;
typedef struct strs c_STRS;
typedef struct counts c_COUNTS;
typedef struct chain c_CHAIN;

/* clang-format off */
#define NAMES(set) enum set##_names {
#define NAME(set, word) set##_##word,
#define END_NAMES(set) set##_count };
#define KIND(number, name, version, doc)
#define FIELD(kind, name, type, unit, set, need, doc)
#define END_KIND(name)
#include "records.def"
#undef NAMES
#undef NAME
#undef END_NAMES
#undef KIND
#undef FIELD
#undef END_KIND

#define NAMES(set)
#define NAME(set, word)
#define END_NAMES(set)
#define KIND(number, name, version, doc) struct rec_##name {
#define FIELD(kind, name, type, unit, set, need, doc) c_##type name;
#define END_KIND(name) };
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND

#define KIND(number, name, version, doc) enum f_##name {
#define FIELD(kind, name, type, unit, set, need, doc) F_##kind##_##name,
#define END_KIND(name) NFIELDS_##name };
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND
/* clang-format on */

enum kind {
	KIND_schema = 0,
#define KIND(number, name, version, doc) KIND_##name = number,
#define FIELD(kind, name, type, unit, set, need, doc)
#define END_KIND(name)
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND
#undef NAMES
#undef NAME
#undef END_NAMES
};

/* Room for the struct of any kind. */
union rec_any {
#define NAMES(set)
#define NAME(set, word)
#define END_NAMES(set)
#define KIND(number, name, version, doc) struct rec_##name name;
#define FIELD(kind, name, type, unit, set, need, doc)
#define END_KIND(name)
#include "records.def"
#undef KIND
#undef FIELD
#undef END_KIND
#undef NAMES
#undef NAME
#undef END_NAMES
};

#endif
