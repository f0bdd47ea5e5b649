/*
 * The rule file: INI sections become drafts, drafts become rules when the section ends.
 */
#include "rules/rule_draft.h"
#include "rules/rule_value.h"

#include "base/ids.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (1 << 20)

struct loader {
	struct rule_set *set;
	const char *name, *p, *end;
	int line;
	int header;        /* line of the section header last read, 0 none */
	bool continuation; /* the line now read continues the last value */
	bool open;         /* 'draft' holds a section */
	bool failed;
	struct draft draft;
	/* Names of other rules, as they stand. */
	struct names {
		char text[RULE_TEXT_MAX + 1];
		int at; /* line; 0: not given */
	} unless[RULES_MAX], effect_of[RULES_MAX];
	struct draft *drafts[RULES_MAX]; /* of the rules, for what overrides them */
	struct err *err;
};

static int fail_at(struct loader *l, int line)
{
	l->failed = true;
	return err_prefix(l->err, "%s:%d", l->name, line);
}

static int complain(struct loader *l, enum key k, const char *reason)
{
	l->failed = true;
	return draft_complain(&l->draft, k, reason);
}

static void keep_names(struct names *to, const struct draft *d, enum key k)
{
	to->at = d->at[k];
	if (to->at)
		memcpy(to->text, d->value[k], sizeof(to->text));
}

static int season_named(const struct rule_set *set, const char *name)
{
	for (int i = 0; i < set->nseasons; i++)
		if (strcmp(set->seasons[i].name, name) == 0)
			return i;
	return -1;
}

/* The rule's own values, with those that the override gives instead. */
static int merge(struct loader *l, const struct draft *own, int rule, struct draft *out)
{
	*out = *l->drafts[rule];
	memcpy(out->name, own->name, sizeof(out->name));
	out->line = own->line;
	for (int k = 0; k < KEY_COUNT; k++) {
		/* What is wrong now was not before: it is the override's fault. */
		if (out->at[k])
			out->at[k] = own->line;
		if (!own->at[k] || k == KEY_overrides || k == KEY_site ||
			k == KEY_season)
			continue;
		if (!key_varies((enum key)k))
			return complain(l, (enum key)k, "cannot be overridden");
		memcpy(out->value[k], own->value[k], sizeof(out->value[k]));
		out->at[k] = own->at[k];
	}
	return 0;
}

static int add_variant(struct loader *l, const struct variant *v, struct str place)
{
	struct rule_set *set = l->set;
	if (set->nvariants == VARIANTS_MAX) {
		err_set(l->err, ERR_USAGE, "more than %d overrides", VARIANTS_MAX);
		return fail_at(l, l->draft.line);
	}
	struct variant *to = &set->variants[set->nvariants];
	*to = *v;
	if (!str_copy(to->place, sizeof(to->place), place))
		return complain(l, KEY_site, "is longer than a code");
	set->nvariants++;
	set->varied[v->rule] = true;
	return 0;
}

static int compile_override(struct loader *l, struct draft *merged)
{
	struct draft *d = &l->draft;
	struct variant v = {
		.rule = rule_find(l->set, d->value[KEY_overrides]), .season = -1};
	if (v.rule < 0)
		return complain(l, KEY_overrides, "no such rule above");
	if (!d->at[KEY_site] && !d->at[KEY_season])
		return complain(l, KEY_overrides, "needs a site or a season");
	if (d->at[KEY_season] &&
		(v.season = season_named(l->set, d->value[KEY_season])) < 0)
		return complain(l, KEY_season, "is not among the [seasons] above");
	if (merge(l, d, v.rule, merged) < 0)
		return -1;
	if (rule_compile(merged, &v.r, &v.enabled) < 0) {
		l->failed = true;
		return -1;
	}
	struct str place, list = str_of(d->value[KEY_site]);
	while (next_part(&list, ',', &place)) {
		if (d->at[KEY_site] && place.len == 0)
			return complain(l, KEY_site, "has an empty code");
		if (add_variant(l, &v, place) < 0)
			return -1;
	}
	return 0;
}

static int override(struct loader *l)
{
	struct draft *merged = malloc(sizeof(*merged));
	if (!merged) {
		l->failed = true;
		return err_nomem(l->err);
	}
	int r = compile_override(l, merged);
	free(merged);
	return r;
}

static int keep_draft(struct loader *l)
{
	struct draft **to = &l->drafts[l->set->n];
	*to = malloc(sizeof(**to));
	if (!*to) {
		l->failed = true;
		return err_nomem(l->err);
	}
	**to = l->draft;
	return 0;
}

static int compile(struct loader *l)
{
	struct rule_set *set = l->set;
	struct draft *d = &l->draft;
	bool enabled;
	l->open = false;
	if (d->at[KEY_overrides])
		return override(l);
	if (d->at[KEY_site] || d->at[KEY_season])
		return complain(l, d->at[KEY_site] ? KEY_site : KEY_season,
			"is for a section with 'overrides'");
	if (rule_compile(d, &set->rules[set->n], &enabled) < 0) {
		l->failed = true;
		return -1;
	}
	if (!enabled)
		return 0;
	keep_names(&l->unless[set->n], d, KEY_unless);
	keep_names(&l->effect_of[set->n], d, KEY_effect_of);
	if (keep_draft(l) < 0)
		return -1;
	set->n++;
	return 0;
}

static int begin(struct loader *l, const char *section)
{
	struct draft *d = &l->draft;
	size_t n = strlen(section);
	memset(d, 0, sizeof(*d));
	d->file = l->name;
	d->err = l->err;
	d->line = l->header ? l->header : l->line;
	l->header = 0;
	if (n == 0)
		err_set(l->err, ERR_USAGE, "a key before the first [rule]");
	else if (n > RULE_NAME_MAX)
		err_set(l->err, ERR_USAGE, "rule name longer than %d bytes",
			RULE_NAME_MAX);
	else if (rule_find(l->set, section) >= 0)
		err_set(l->err, ERR_USAGE, "rule [%s] is there twice", section);
	else if (l->set->n == RULES_MAX)
		err_set(l->err, ERR_USAGE, "more than %d rules", RULES_MAX);
	else {
		memcpy(d->name, section, n + 1);
		l->open = true;
		return 0;
	}
	return fail_at(l, d->line);
}

/* A line of [seasons]. */
static int add_season(struct loader *l, const char *name, const char *value)
{
	struct rule_set *set = l->set;
	struct season *s = &set->seasons[set->nseasons];
	l->header = 0;
	if (set->nseasons == SEASONS_MAX)
		err_set(l->err, ERR_USAGE, "more than %d seasons", SEASONS_MAX);
	else if (!str_copy(s->name, sizeof(s->name), str_of(name)) ||
		 season_parse(str_of(value), s) < 0)
		err_set(l->err, ERR_USAGE,
			"[seasons] %s: is not like 02-16..05-15 (month-day)", name);
	else if (season_named(set, name) >= 0)
		err_set(l->err, ERR_USAGE, "[seasons] %s: is there twice", name);
	else {
		set->nseasons++;
		return 0;
	}
	return fail_at(l, l->line);
}

/* Called by inih for each key; 1 goes on, 0 is an error (which l->err explains). */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct loader *l = user;
	struct draft *d = &l->draft;
	if (l->failed)
		return 0;
	if (strcmp(section, "seasons") == 0)
		return add_season(l, name, value) == 0;
	if (l->open && strcmp(section, d->name) != 0 && compile(l) < 0)
		return 0;
	if (!l->open && begin(l, section) < 0)
		return 0;
	int k = word_index(str_of(name), RULE_KEYS, KEY_COUNT);
	if (k < 0) {
		err_set(l->err, ERR_USAGE, "[%s] unknown key '%s'", d->name, name);
		return fail_at(l, l->line), 0;
	}
	size_t old = strlen(d->value[k]), n = strlen(value);
	if (d->at[k] && !l->continuation) {
		d->at[k] = l->line;
		return complain(l, (enum key)k, "is there twice"), 0;
	}
	if (old + n + 2 > sizeof(d->value[k]))
		return complain(l, (enum key)k, "is too long"), 0;
	if (old)
		d->value[k][old++] = ' ';
	memcpy(d->value[k] + old, value, n + 1);
	if (!d->at[k])
		d->at[k] = l->line;
	return 1;
}

/* Nothing of a section may be lost silently, not even its absence. */
static int end_section(struct loader *l)
{
	if (l->open)
		return compile(l);
	if (!l->header)
		return 0;
	err_set(l->err, ERR_USAGE, "a [rule] without keys");
	return fail_at(l, l->header);
}

/* fgets for inih, from memory, counting lines. A section ends the one before, even
 * where both have one name. */
static char *read_line(char *dst, int size, void *user)
{
	struct loader *l = user;
	if (l->failed || l->p == l->end)
		return NULL;
	const char *nl = memchr(l->p, '\n', (size_t)(l->end - l->p));
	size_t n = (size_t)((nl ? nl + 1 : l->end) - l->p);
	const char *line = l->p;
	l->p += n;
	l->line++;
	if (memchr(line, '\0', n))
		err_set(l->err, ERR_USAGE, "a NUL byte: not a text file");
	else if (n > RULE_LINE_MAX || n >= (size_t)size)
		err_set(l->err, ERR_USAGE,
			"line longer than %d bytes: continue it on an indented one",
			RULE_LINE_MAX);
	else {
		l->continuation = *line == ' ' || *line == '\t';
		if (*line == '[' && end_section(l) < 0)
			return NULL;
		if (*line == '[')
			l->header = l->line;
		memcpy(dst, line, n);
		dst[n] = '\0';
		return dst;
	}
	fail_at(l, l->line);
	return NULL;
}

/* A rule can be moot by another of the same subject, or of its string. */
static bool can_explain(const struct rule *why, const struct rule *r)
{
	if (why == r)
		return false;
	return why->subject_type == r->subject_type ||
	       (r->subject_type == SUBJECT_BATTERY &&
		       why->subject_type == SUBJECT_STRING);
}

/* The rule of that name, -1 with the reason. */
static int named(struct loader *l, struct str name)
{
	char text[RULE_NAME_MAX + 1];
	int i = str_copy(text, sizeof(text), name) ? rule_find(l->set, text) : -1;
	if (i < 0)
		err_set(l->err, ERR_USAGE, "no enabled rule '%.*s'", STR_ARG(name));
	return i;
}

static int add_unless(struct loader *l, struct rule *r, struct str name)
{
	int i = named(l, name);
	if (i < 0)
		return -1;
	if (!can_explain(&l->set->rules[i], r))
		return err_set(l->err, ERR_USAGE,
			"'%.*s' must be another rule, of the same subject or of the "
			"string "
			"of a battery",
			STR_ARG(name));
	if (r->nunless == RULE_UNLESS_MAX)
		return err_set(
			l->err, ERR_USAGE, "more than %d rules", RULE_UNLESS_MAX);
	r->unless[r->nunless++] = i;
	return 0;
}

static int add_cause(struct loader *l, struct rule *r, struct str name)
{
	int i = named(l, name);
	if (i < 0)
		return -1;
	if (&l->set->rules[i] == r)
		return err_set(l->err, ERR_USAGE, "'%.*s' must be another rule",
			STR_ARG(name));
	if (r->neffect_of == RULE_CAUSES_MAX)
		return err_set(
			l->err, ERR_USAGE, "more than %d rules", RULE_CAUSES_MAX);
	r->effect_of[r->neffect_of++] = i;
	return 0;
}

static int resolve(struct loader *l, struct rule *r, const struct names *names,
	const char *key, int (*add)(struct loader *, struct rule *, struct str))
{
	struct str name, list = names->at ? str_of(names->text) : STR_NIL;
	while (next_part(&list, ',', &name)) {
		if (add(l, r, name) == 0)
			continue;
		err_prefix(l->err, "[%s] %s", r->name, key);
		return fail_at(l, names->at);
	}
	return 0;
}

/* It speaks and is explained as the rule it varies. */
static void inherit(struct variant *v, const struct rule_set *set)
{
	struct rule *r = &v->r;
	const struct rule *of = &set->rules[v->rule];
	memcpy(r->name, of->name, sizeof(r->name));
	memcpy(r->incident, of->incident, sizeof(r->incident));
	memcpy(r->unless, of->unless, sizeof(r->unless));
	memcpy(r->effect_of, of->effect_of, sizeof(r->effect_of));
	r->nunless = of->nunless;
	r->neffect_of = of->neffect_of;
}

/* Names of other rules may point forward, so they are resolved at the end. */
static int resolve_all(struct loader *l)
{
	for (int i = 0; i < l->set->n; i++) {
		struct rule *r = &l->set->rules[i];
		if (resolve(l, r, &l->unless[i], "unless", add_unless) < 0 ||
			resolve(l, r, &l->effect_of[i], "effect_of", add_cause) < 0)
			return -1;
	}
	for (int i = 0; i < l->set->nvariants; i++)
		inherit(&l->set->variants[i], l->set);
	return 0;
}

static int load(struct loader *l)
{
	int bad = ini_parse_stream(read_line, l, on_key, l);
	if (l->failed)
		return -1;
	if (bad != 0) {
		err_set(l->err, ERR_USAGE, "neither [rule], KEY = VALUE nor # comment");
		return fail_at(l, bad);
	}
	if (end_section(l) < 0)
		return -1;
	return resolve_all(l);
}

int rule_set_parse(struct rule_set *set, const char *text, size_t n, const char *name,
	struct err *err)
{
	struct err own = {0};
	struct loader *l = calloc(1, sizeof(*l));
	if (!l)
		return err_nomem(err);
	rule_set_release(set);
	set->text = malloc(n + 1);
	if (!set->text) {
		free(l);
		return err_nomem(err);
	}
	memcpy(set->text, text, n);
	set->text_len = n;
	set->hash = hash_bytes(text, n);
	l->set = set;
	l->name = name;
	l->p = text;
	l->end = text + n;
	l->err = err ? err : &own;
	int status = load(l);
	for (int i = 0; i < RULES_MAX; i++)
		free(l->drafts[i]);
	free(l);
	return status;
}

int rule_set_load(struct rule_set *set, const char *path, struct err *err)
{
	FILE *in = fopen(path, "r");
	struct buf text = {0};
	size_t n = 1;
	if (!in)
		return err_errno(err, "cannot open '%s'", path);
	while (n > 0 && text.len <= FILE_MAX && buf_reserve(&text, 4096) == 0) {
		n = fread(text.data + text.len, 1, 4096, in);
		text.len += n;
	}
	int status = 0;
	if (ferror(in))
		status = err_errno(err, "cannot read '%s'", path);
	else if (text.failed)
		status = err_nomem(err);
	else if (text.len > FILE_MAX)
		status = err_set(err, ERR_IO,
			"'%s' is larger than 1 MiB: not a rule file", path);
	else
		status = rule_set_parse(
			set, (const char *)text.data, text.len, path, err);
	fclose(in);
	buf_release(&text);
	return status;
}
