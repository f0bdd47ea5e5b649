/*
 * Alert rules as a rule file states them: a condition on a field of a record kind, or
 * on a signal derived from it, with up to two severities. Parsed once, then only read.
 * The file's language is described in floatline-rules(5).
 */
#ifndef RULES_RULE_H
#define RULES_RULE_H

#include "base/err.h"
#include "record/schema.h"
#include "rules/signal.h"

#include <math.h>

enum {
	RULES_MAX = 128,   /* rules of a file */
	VARIANTS_MAX = 64, /* overrides, one for each site named */
	SEASONS_MAX = 8,
	RULE_WHEN_MAX = 4,   /* constraints of a rule */
	RULE_UNLESS_MAX = 4, /* rules that explain one */
	RULE_CAUSES_MAX = 8, /* rules that one may be an effect of */
	RULE_LABEL_MAX = 60, /* bytes of a label */
	RULE_NAME_MAX = 40,  /* bytes of a rule's name */
	RULE_TEXT_MAX = 400, /* bytes of a value: a message template, mostly */
	RULE_LINE_MAX = 190, /* bytes of a line of the file: what inih can hold */
};

/* The least alert level that makes a record; equals severity_warning, _critical. */
enum level { LEVEL_WARNING, LEVEL_CRITICAL, LEVEL_COUNT };

enum condition {
	COND_ABOVE,
	COND_BELOW,
	COND_ABS_ABOVE,
	COND_OUTSIDE,
	COND_IS,  /* enumeration: one of the words */
	COND_HAS, /* bit set: any of the words */
};

/* What a number of a rule refers to. */
enum limit_base {
	LIMIT_NONE, /* not given */
	LIMIT_NUMBER,
	LIMIT_MODEL,    /* field of the battery_model record + add */
	LIMIT_AUTONOMY, /* required_autonomy_min of the system + add */
	LIMIT_LOAD,     /* design_load_a of the system + add */
};
struct limit {
	enum limit_base base;
	const struct field_info *field; /* LIMIT_MODEL */
	double add;
};

/* One severity: the limits, and where the alert clears again. */
struct rule_level {
	bool used;
	struct limit lo, hi;             /* by condition: one or both are used */
	struct limit clear_lo, clear_hi; /* at or inside these it is clear */
	uint32_t words;                  /* COND_IS, COND_HAS: bits */
};

enum when_op { WHEN_EQ, WHEN_NE, WHEN_LT, WHEN_GT };
struct when {
	const struct field_info *field;
	enum when_op op;
	double number; /* the word's index for ENUM and BITS */
};

/* What kind of thing a rule speaks of; state is kept per (rule, subject). */
enum subject_type { SUBJECT_BATTERY, SUBJECT_STRING, SUBJECT_OTHER, SUBJECT_TYPES };

struct rule {
	char name[RULE_NAME_MAX + 1];
	int line; /* of its section */
	const struct kind_info *kind;
	const struct field_info *subject; /* field that names the subject */
	const struct field_info *field;   /* NULL: a signal */
	const struct signal *signal;
	enum subject_type subject_type;
	enum condition condition;
	struct rule_level level[LEVEL_COUNT];
	int64_t for_ms, keep_ms, hold_off_ms, after_planned_ms;
	struct when when[RULE_WHEN_MAX];
	int nwhen;
	bool otherwise_clear; /* a sample that misses a constraint is clear, not missing
			       */
	bool distrust; /* while it fires, its batteries' estimates are not believed */
	bool urgent;   /* fires in maintenance windows, too */
	uint32_t ignore_quality;     /* samples with any of these bits are missing */
	int unless[RULE_UNLESS_MAX]; /* rules that, firing, make this one moot */
	int nunless;
	bool group; /* may have a common cause: alerts become incidents */
	int effect_of[RULE_CAUSES_MAX]; /* rules whose alerts claim this one's */
	int neffect_of;
	int64_t aftermath_ms;           /* it goes on claiming for so long */
	int status;                     /* enum health while it fires; -1 by severity */
	int source;                     /* enum alert_source */
	char label[RULE_LABEL_MAX + 1]; /* what the number is, for people */
	char incident[RULE_LABEL_MAX + 1]; /* what ails a place, for people */
	char message[RULE_TEXT_MAX + 1];
};

/* A part of the year, both days included; it may go over the new year. */
struct season {
	char name[RULE_NAME_MAX + 1];
	int from, to; /* 100 · month + day */
};

/* A rule as it is at some place, in some season. */
struct variant {
	int rule;
	char place[CODE_MAX + 1]; /* site, system, string or battery; "" any */
	int season;               /* -1 any */
	bool enabled;
	struct rule r;
};

struct rule_set {
	struct rule rules[RULES_MAX];
	int n;
	struct variant variants[VARIANTS_MAX];
	int nvariants;
	bool varied[RULES_MAX]; /* the rule has variants */
	struct season seasons[SEASONS_MAX];
	int nseasons;
	uint64_t hash; /* of the text: names the version of the rules */
	char *text;    /* as it was read, owned */
	size_t text_len;
};

/*
 * Reads the rules in text (n bytes; need not be terminated), name is used in messages.
 * The set is all zero, or was read before. Returns 0, or -1 with ERR_USAGE "NAME:LINE:
 * [rule] what is wrong".
 */
int rule_set_parse(struct rule_set *set, const char *text, size_t n, const char *name,
	struct err *err);
/* Reads the file at path. As rule_set_parse; ERR_IO when it cannot be read or is larger
 * than 1 MiB. */
int rule_set_load(struct rule_set *set, const char *path, struct err *err);
void rule_set_release(struct rule_set *set);
/* Index of the rule, or -1. */
int rule_find(const struct rule_set *set, const char *name);

/*
 * The variant of a rule that holds for the code on that day (100 · month + day), -1:
 * the rule itself. The closest place goes first, then one with a season.
 */
int rule_variant(const struct rule_set *set, int rule, struct str code, int day);
/* "02-16..05-15". Returns 0, or -1: no part of a year. */
int season_parse(struct str s, struct season *out);
/* The code is that of the place, or of something in it. */
bool place_covers(const char *place, struct str code);

/* The field that names what a record of kind k is about, or NULL. */
const struct field_info *kind_subject(const struct kind_info *k);
/* What kind of thing that field names. */
enum subject_type field_subject_type(const struct field_info *subject);
/* True for the types a rule can compare with a number. */
bool field_is_numeric(const struct field_info *f);
static inline double nil_or(int64_t v, int64_t nil)
{
	return v == nil ? NAN : (double)v;
}

/* The field of a decoded record as a number; NaN when missing. */
static inline double field_number(const struct field_info *f, const void *rec)
{
	const void *p = (const char *)rec + f->offset;
	if (f->type == T_F32)
		return *(const float *)p;
	if (f->type == T_F64)
		return *(const double *)p;
	if (f->type == T_LONG)
		return nil_or(*(const int64_t *)p, LONG_NIL);
	if (f->type == T_INT)
		return nil_or(*(const int32_t *)p, INT_NIL);
	if (f->type == T_ENUM)
		return nil_or(*(const int32_t *)p, ENUM_NIL);
	if (f->type == T_BITS)
		return nil_or(*(const int32_t *)p, BITS_NIL);
	if (f->type == T_BOOL)
		return nil_or(*(const int32_t *)p, BOOL_NIL);
	return NAN;
}

#endif
