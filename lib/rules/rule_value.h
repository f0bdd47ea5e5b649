/*
 * The values of a rule file's keys, parsed one by one. Private to lib/rules.
 * Each returns 0, or -1 with ERR_USAGE and the reason alone: the caller adds file and
 * line.
 */
#ifndef RULES_RULE_VALUE_H
#define RULES_RULE_VALUE_H

#include "rules/rule.h"

/* Cuts the next part of s at the separator, blanks trimmed. False at the end. */
bool next_part(struct str *s, char separator, struct str *part);

/* "13.2", "model.float_min_v", "model.float_min_v - 0.14",
 * "system.required_autonomy_min". */
int limit_parse(struct str s, struct limit *out, struct err *err);
/* One limit, or for 'outside' two, "low, high". Those unused stay LIMIT_NONE. */
int limits_parse(struct str s, enum condition c, struct limit *lo, struct limit *hi,
	struct err *err);
/* "word, word" of the set as bits. */
int words_parse(
	struct str s, const struct name_set *set, uint32_t *out, struct err *err);
/* "field = value, field > value": constraints on the fields of kind k. */
int when_parse(struct str s, const struct kind_info *k, struct when *out, int *n,
	struct err *err);

#endif
