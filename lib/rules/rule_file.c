/*
 * The rule file: sections are collected key by key with their lines (keys may come in
 * any order and depend on each other), and compiled when the section ends.
 */
#include "rules/rule_value.h"

#include "base/ids.h"
#include "base/parse.h"

#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_MAX (1 << 20)
#define QUALITY_UNUSABLE                                                               \
	(BIT(quality_sentinel) | BIT(quality_stuck) | BIT(quality_stale) |             \
		BIT(quality_duplicate) | BIT(quality_time_backwards))

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
	KEY_when,
	KEY_unless,
	KEY_status,
	KEY_source,
	KEY_ignore_quality,
	KEY_group,
	KEY_otherwise,
	KEY_urgent,
	KEY_message,
	KEY_enabled,
	KEY_COUNT
};
static const char *const KEYS[KEY_COUNT] = {"kind", "field", "condition", "warning",
	"critical", "clear", "clear_critical", "for", "keep", "hold_off", "when",
	"unless", "status", "source", "ignore_quality", "group", "otherwise", "urgent",
	"message", "enabled"};

struct draft {
	char name[RULE_NAME_MAX + 1];
	int line;
	char value[KEY_COUNT][RULE_TEXT_MAX + 1];
	int at[KEY_COUNT]; /* line; 0: not given */
};

struct loader {
	struct rule_set *set;
	const char *name, *p, *end;
	int line;
	int header;        /* line of the section header last read, 0 none */
	bool continuation; /* the line now read continues the last value */
	bool open;         /* 'draft' holds a section */
	bool failed;
	struct draft draft;
	char unless[RULES_MAX][RULE_TEXT_MAX + 1];
	int unless_at[RULES_MAX];
	struct err *err;
};

static const char *const CONDITIONS[] = {
	"above", "below", "abs_above", "outside", "is", "has"};

static struct str given(const struct draft *d, enum key k)
{
	return d->at[k] ? str_of(d->value[k]) : STR_NIL;
}

static int fail_at(struct loader *l, int line)
{
	l->failed = true;
	return err_prefix(l->err, "%s:%d", l->name, line);
}

/* Where the reason is already in l->err. */
static int fail_key(struct loader *l, enum key k)
{
	struct draft *d = &l->draft;
	err_prefix(l->err, "[%s] %s", d->name, KEYS[k]);
	return fail_at(l, d->at[k] ? d->at[k] : d->line);
}

static int complain(struct loader *l, enum key k, const char *reason)
{
	err_set(l->err, ERR_USAGE, "%s", reason);
	return fail_key(l, k);
}

static int name_of(struct str s, const char *const *words, int n)
{
	for (int i = 0; i < n; i++)
		if (str_is(s, words[i]))
			return i;
	return -1;
}

static uint32_t field_quality(const struct field_info *f)
{
	if (strstr(f->name, "voltage_v") == f->name)
		return BIT(quality_voltage_range);
	if (strstr(f->name, "temperature") == f->name)
		return BIT(quality_temperature_range);
	if (strstr(f->name, "resistance") == f->name)
		return BIT(quality_resistance_range);
	if (strstr(f->name, "current") == f->name)
		return BIT(quality_current_range);
	return 0;
}

static int compile_field(struct loader *l, struct rule *r)
{
	struct draft *d = &l->draft;
	struct str kind = given(d, KEY_kind), field = given(d, KEY_field);
	if (!kind.s || !(r->kind = kind_by_name(kind)))
		return complain(l, KEY_kind,
			kind.s ? "no such kind, see floatline-records(5)"
			       : "is missing");
	r->subject = kind_subject(r->kind);
	if (!r->subject || field_index(r->kind, str_of("ts")) < 0)
		return complain(l, KEY_kind, "has no time or subject to keep state by");
	r->subject_type = field_subject_type(r->subject);
	int i = field.s ? field_index(r->kind, field) : -1;
	r->signal = field.s ? signal_find(r->kind->kind, field) : NULL;
	if (i >= 0 && field_is_numeric(&r->kind->fields[i])) {
		r->field = &r->kind->fields[i];
	} else if (!r->signal) {
		err_set(l->err, ERR_USAGE,
			!field.s ? "is missing"
				 : "kind %s has no numeric field or signal '%.*s'",
			r->kind->name, STR_ARG(field));
		return fail_key(l, KEY_field);
	}
	bool own = r->field && strcmp(r->field->name, "quality") == 0;
	r->ignore_quality = own ? 0
				: QUALITY_UNUSABLE | (r->field ? field_quality(r->field)
							       : r->signal->quality);
	r->source = own                                ? alert_source_quality
		    : r->kind->kind == KIND_twin_state ? alert_source_twin
		    : r->kind->kind == KIND_rul        ? alert_source_ml
						       : alert_source_rule;
	return 0;
}

static int compile_condition(struct loader *l, struct rule *r)
{
	struct str s = given(&l->draft, KEY_condition);
	int c = s.s ? name_of(s, CONDITIONS, 6) : -1;
	if (c < 0)
		return complain(l, KEY_condition,
			s.s ? "must be above, below, abs_above, outside, is or has"
			    : "is missing");
	r->condition = (enum condition)c;
	if (c == COND_IS && !(r->field && r->field->type == T_ENUM))
		return complain(l, KEY_condition, "'is' needs an enumeration");
	if (c == COND_HAS && !(r->field && r->field->type == T_BITS))
		return complain(l, KEY_condition, "'has' needs a bit set");
	if (c < COND_IS && r->field &&
		(r->field->type == T_ENUM || r->field->type == T_BITS))
		return complain(
			l, KEY_condition, "the field has words: use 'is' or 'has'");
	return 0;
}

/* Clears at the threshold itself unless told otherwise. */
static void default_clear(struct rule_level *v)
{
	v->clear_lo = v->lo;
	v->clear_hi = v->hi;
}

static bool same_base(const struct limit *a, const struct limit *b)
{
	return a->base == b->base && a->field == b->field;
}

/* The wrong side: an alert that clears beyond its own threshold would chatter. */
static bool clear_is_sane(const struct rule_level *v)
{
	if (v->hi.base && same_base(&v->hi, &v->clear_hi) &&
		v->clear_hi.add > v->hi.add)
		return false;
	return !(v->lo.base && same_base(&v->lo, &v->clear_lo) &&
		 v->clear_lo.add < v->lo.add);
}

static int compile_clear(struct loader *l, struct rule *r, enum key k, enum level level)
{
	struct rule_level *v = &r->level[level];
	if (r->condition >= COND_IS)
		return complain(l, k, "'is' and 'has' clear by themselves");
	if (limits_parse(given(&l->draft, k), r->condition, &v->clear_lo, &v->clear_hi,
		    l->err) < 0)
		return fail_key(l, k);
	if (!clear_is_sane(v))
		return complain(l, k, "lies beyond the threshold it clears");
	return 0;
}

/* Without a clearing threshold of its own, critical clears with warning's gap. */
static void derive_clear(struct rule *r)
{
	struct rule_level *w = &r->level[LEVEL_WARNING], *c = &r->level[LEVEL_CRITICAL];
	if (!w->used || r->condition >= COND_IS)
		return;
	if (same_base(&w->hi, &w->clear_hi))
		c->clear_hi.add += w->clear_hi.add - w->hi.add;
	if (same_base(&w->lo, &w->clear_lo))
		c->clear_lo.add += w->clear_lo.add - w->lo.add;
}

/* Critical must lie beyond warning, where the file alone can tell. */
static bool levels_in_order(const struct rule *r)
{
	const struct rule_level *w = &r->level[LEVEL_WARNING],
				*c = &r->level[LEVEL_CRITICAL];
	if (!w->used || !c->used || r->condition >= COND_IS)
		return true;
	if (w->hi.base && same_base(&w->hi, &c->hi) && c->hi.add < w->hi.add)
		return false;
	return !(w->lo.base && same_base(&w->lo, &c->lo) && c->lo.add > w->lo.add);
}

static int compile_level(struct loader *l, struct rule *r, enum key k, enum level level)
{
	struct rule_level *v = &r->level[level];
	struct str s = given(&l->draft, k);
	if (!s.s)
		return 0;
	v->used = true;
	int status = r->condition >= COND_IS
			     ? words_parse(s, r->field->names, &v->words, l->err)
			     : limits_parse(s, r->condition, &v->lo, &v->hi, l->err);
	if (status < 0)
		return fail_key(l, k);
	default_clear(v);
	return 0;
}

static int compile_levels(struct loader *l, struct rule *r)
{
	struct draft *d = &l->draft;
	if (compile_level(l, r, KEY_warning, LEVEL_WARNING) < 0 ||
		compile_level(l, r, KEY_critical, LEVEL_CRITICAL) < 0)
		return -1;
	bool w = r->level[LEVEL_WARNING].used, c = r->level[LEVEL_CRITICAL].used;
	if (!w && !c)
		return complain(l, KEY_warning, "is missing, and so is critical");
	if (!levels_in_order(r))
		return complain(l, KEY_critical, "is reached before warning");
	if (d->at[KEY_clear] &&
		compile_clear(l, r, KEY_clear, w ? LEVEL_WARNING : LEVEL_CRITICAL) < 0)
		return -1;
	if (d->at[KEY_clear_critical])
		return c ? compile_clear(l, r, KEY_clear_critical, LEVEL_CRITICAL)
			 : complain(l, KEY_clear_critical, "without critical");
	derive_clear(r);
	return 0;
}

static int compile_duration(struct loader *l, enum key k, int64_t *out)
{
	struct str s = given(&l->draft, k);
	*out = 0;
	if (s.s && parse_duration_ms(s, out) < 0)
		return complain(l, k, "is not a duration like 30s, 5m, 72h or 7d");
	return 0;
}

static int compile_words(struct loader *l, struct rule *r)
{
	struct str s = given(&l->draft, KEY_status);
	const struct kind_info *st = kind_info(KIND_status),
			       *al = kind_info(KIND_alert);
	r->status = -1;
	if (s.s && (r->status = name_value(st->fields[F_status_status].names, s)) < 0)
		return complain(l, KEY_status,
			"must be healthy, watch, warning, critical, failed or unknown");
	s = given(&l->draft, KEY_source);
	if (s.s && (r->source = name_value(al->fields[F_alert_source].names, s)) < 0)
		return complain(l, KEY_source, "must be rule, ml, twin or quality");
	s = given(&l->draft, KEY_ignore_quality);
	const struct kind_info *t = kind_info(KIND_telemetry);
	if (s.s && !str_is(s, "none") &&
		words_parse(s, t->fields[F_telemetry_quality].names, &r->ignore_quality,
			l->err) < 0)
		return fail_key(l, KEY_ignore_quality);
	if (str_is(s, "none"))
		r->ignore_quality = 0;
	s = given(&l->draft, KEY_when);
	if (s.s && when_parse(s, r->kind, r->when, &r->nwhen, l->err) < 0)
		return fail_key(l, KEY_when);
	s = given(&l->draft, KEY_otherwise);
	r->otherwise_clear = str_is(s, "clear");
	if (s.s && !r->otherwise_clear && !str_is(s, "missing"))
		return complain(l, KEY_otherwise, "must be clear or missing");
	if (r->nwhen && r->signal && strcmp(r->signal->name, "silence_s") == 0)
		return complain(l, KEY_when, "silence has no record to constrain");
	return 0;
}

/* A word in braces that means nothing is a slip of the pen. */
static int check_template(struct loader *l, struct str s)
{
	static const char *const tokens[] = {
		"subject", "value", "threshold", "field", "unit", "rule", "severity"};
	struct str part;
	next_part(&s, '{', &part);
	while (next_part(&s, '{', &part)) {
		const char *close = part.len ? memchr(part.s, '}', part.len) : NULL;
		struct str token = {
			part.s, close ? (uint32_t)(close - part.s) : part.len};
		if (close && name_of(token, tokens, 7) >= 0)
			continue;
		err_set(l->err, ERR_USAGE,
			"'{%.*s' is not {subject}, {value}, {threshold}, {field}, "
			"{unit}, "
			"{rule} or {severity}",
			STR_ARG(token));
		return fail_key(l, KEY_message);
	}
	return 0;
}

static int compile_message(struct loader *l, struct rule *r)
{
	struct str s = given(&l->draft, KEY_message);
	if (!s.s || s.len == 0)
		return complain(l, KEY_message, "is missing");
	str_copy(r->message, sizeof(r->message), s);
	return check_template(l, s);
}

/* yes or no; 'otherwise' where it is not given. */
static int compile_flag(struct loader *l, enum key k, bool otherwise, bool *out)
{
	struct str s = given(&l->draft, k);
	*out = s.s ? str_is(s, "yes") : otherwise;
	if (s.s && !*out && !str_is(s, "no"))
		return complain(l, k, "must be yes or no");
	return 0;
}

static int compile(struct loader *l)
{
	struct rule_set *set = l->set;
	struct draft *d = &l->draft;
	bool enabled;
	struct rule *r = &set->rules[set->n];
	l->open = false;
	memset(r, 0, sizeof(*r));
	memcpy(r->name, d->name, sizeof(r->name));
	r->line = d->line;
	if (compile_field(l, r) < 0 || compile_condition(l, r) < 0 ||
		compile_levels(l, r) < 0 || compile_words(l, r) < 0 ||
		compile_duration(l, KEY_for, &r->for_ms) < 0 ||
		compile_duration(l, KEY_keep, &r->keep_ms) < 0 ||
		compile_duration(l, KEY_hold_off, &r->hold_off_ms) < 0 ||
		compile_flag(l, KEY_group, true, &r->group) < 0 ||
		compile_flag(l, KEY_urgent, false, &r->urgent) < 0 ||
		compile_flag(l, KEY_enabled, true, &enabled) < 0 ||
		compile_message(l, r) < 0)
		return -1;
	if (!enabled)
		return 0;
	str_copy(l->unless[set->n], sizeof(l->unless[0]), given(d, KEY_unless));
	l->unless_at[set->n] = d->at[KEY_unless];
	set->n++;
	return 0;
}

static int begin(struct loader *l, const char *section)
{
	struct draft *d = &l->draft;
	size_t n = strlen(section);
	memset(d, 0, sizeof(*d));
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

/* Called by inih for each key; 1 goes on, 0 is an error (which l->err explains). */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct loader *l = user;
	struct draft *d = &l->draft;
	if (l->failed)
		return 0;
	if (l->open && strcmp(section, d->name) != 0 && compile(l) < 0)
		return 0;
	if (!l->open && begin(l, section) < 0)
		return 0;
	int k = name_of(str_of(name), KEYS, KEY_COUNT);
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

static int add_unless(struct loader *l, struct rule *r, struct str name)
{
	char text[RULE_NAME_MAX + 1];
	int i = str_copy(text, sizeof(text), name) ? rule_find(l->set, text) : -1;
	if (i < 0)
		return err_set(
			l->err, ERR_USAGE, "no enabled rule '%.*s'", STR_ARG(name));
	if (!can_explain(&l->set->rules[i], r))
		return err_set(l->err, ERR_USAGE,
			"'%s' must be another rule, of the same subject or of the "
			"string "
			"of a battery",
			text);
	if (r->nunless == RULE_UNLESS_MAX)
		return err_set(
			l->err, ERR_USAGE, "more than %d rules", RULE_UNLESS_MAX);
	r->unless[r->nunless++] = i;
	return 0;
}

/* Names of 'unless' may point forward, so they are resolved at the end. */
static int resolve_unless(struct loader *l)
{
	struct str name;
	for (int i = 0; i < l->set->n; i++) {
		struct rule *r = &l->set->rules[i];
		struct str list = l->unless_at[i] ? str_of(l->unless[i]) : STR_NIL;
		while (next_part(&list, ',', &name)) {
			if (add_unless(l, r, name) == 0)
				continue;
			err_prefix(l->err, "[%s] unless", r->name);
			return fail_at(l, l->unless_at[i]);
		}
	}
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
	return resolve_unless(l);
}

int rule_set_parse(struct rule_set *set, const char *text, size_t n, const char *name,
	struct err *err)
{
	struct err own = {0};
	struct loader *l = calloc(1, sizeof(*l));
	if (!l)
		return err_nomem(err);
	set->n = 0;
	set->hash = hash_bytes(text, n);
	l->set = set;
	l->name = name;
	l->p = text;
	l->end = text + n;
	l->err = err ? err : &own;
	int status = load(l);
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
