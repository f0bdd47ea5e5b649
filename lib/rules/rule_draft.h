/*
 * A section of a rule file before it is a rule: its values as text, each with its line,
 * since keys may come in any order and depend on each other. Private to lib/rules.
 */
#ifndef RULES_RULE_DRAFT_H
#define RULES_RULE_DRAFT_H

#include "rules/rule.h"

enum key {
	KEY_kind,
	KEY_field,
	KEY_condition,
	KEY_warning,
	KEY_critical,
	KEY_clear,
	KEY_clear_critical,
	KEY_for,
	KEY_keep,
	KEY_hold_off,
	KEY_after_planned,
	KEY_when,
	KEY_unless,
	KEY_status,
	KEY_source,
	KEY_ignore_quality,
	KEY_group,
	KEY_effect_of,
	KEY_aftermath,
	KEY_incident,
	KEY_otherwise,
	KEY_urgent,
	KEY_distrust,
	KEY_label,
	KEY_message,
	KEY_enabled,
	KEY_overrides,
	KEY_site,
	KEY_season,
	KEY_COUNT
};
extern const char *const RULE_KEYS[KEY_COUNT];

struct draft {
	const char *file; /* for messages */
	struct err *err;
	char name[RULE_NAME_MAX + 1];
	int line;
	char value[KEY_COUNT][RULE_TEXT_MAX + 1];
	int at[KEY_COUNT]; /* line; 0: not given */
};

/* Makes the rule of it; 'unless' is left to the caller, who knows the other rules.
 * Returns 0, or -1 with ERR_USAGE naming file, line, rule and key. */
int rule_compile(struct draft *d, struct rule *r, bool *enabled);

/* Whether an override may give the key. */
bool key_varies(enum key k);

/* Fails with the reason, or with the one that is in err already. Each returns -1. */
int draft_complain(struct draft *d, enum key k, const char *reason);
int draft_fail(struct draft *d, int line);

/* Index of s among n words, -1 none. */
int word_index(struct str s, const char *const *words, int n);

#endif
