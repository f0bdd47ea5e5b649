#include "rules/rule_test.h"

#include "base/parse.h"
#include "record/text.h"
#include "rules/engine.h"
#include "rules/rule_value.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	SERIES_MAX = 32, /* lines of records of a test */
	VALUES_MAX = 12, /* fields of one */
	EXPECT_MAX = 64,
	SAMPLES_MAX = 1000000,
	TITLE_MAX = 100,
};
/* Unless a test says when: in no season of note. */
#define START_MS INT64_C(1780272000000) /* 2026-06-01T00:00:00Z */

/* No series is longer between two records. */
#define SPAN_MS (3660 * DAY_MS)

/* "36*20,40*5": a value and how often, one after the other; one alone goes on. */
struct values {
	const struct field_info *field;
	struct str rest, value;
	int64_t left;
	bool constant;
};

/* A line of records. */
struct series {
	const struct kind_info *kind;
	const struct field_info *subject, *ts; /* ts NULL: a master record */
	struct str code;
	struct values values[VALUES_MAX];
	int nvalues;
	int64_t every_ms, at_ms, n, i;
};

struct expected {
	int64_t at_ms;
	int rule;
	struct str subject;
	int state, severity;
	int line;
	bool never, came;
	char id[CODE_MAX + 1]; /* of the alert that came */
};

struct test {
	const struct rule_set *rules;
	const char *model, *file;
	char name[TITLE_MAX + 1];
	int line;
	int64_t start;
	struct series series[SERIES_MAX];
	int nseries;
	struct expected expected[EXPECT_MAX];
	int nexpected;
	char why[400]; /* the first thing that was not as expected; "" none */
	union rec_any rec;
	struct err *err;
	int now; /* line now read */
};

static int fail(struct test *t, const char *reason, struct str word)
{
	err_set(t->err, ERR_USAGE, "%s '%.*s'", reason, STR_ARG(word));
	return err_prefix(t->err, "%s:%d", t->file, t->now);
}

/* The next word of a line. */
static bool next_word(struct str *s, struct str *word)
{
	while (s->len && (*s->s == ' ' || *s->s == '\t')) {
		s->s++;
		s->len--;
	}
	*word = *s;
	word->len = 0;
	while (s->len && *s->s != ' ' && *s->s != '\t') {
		s->s++;
		s->len--;
		word->len++;
	}
	return word->len > 0;
}

/* Takes up the next value of the series; false at its end. */
static bool step(struct values *v)
{
	struct str part;
	if (v->left > 0 || v->constant) {
		v->left--;
		return true;
	}
	if (!next_part(&v->rest, ',', &part))
		return false;
	const char *star = part.len ? memchr(part.s, '*', part.len) : NULL;
	v->value = star ? (struct str){part.s, (uint32_t)(star - part.s)} : part;
	v->left = 0;
	if (star) {
		struct str count = {star + 1, part.len - v->value.len - 1};
		if (parse_i64(count, 1, SAMPLES_MAX, &v->left) < 0)
			return false;
		v->left--;
	}
	return true;
}

/* How many values there are; -1: one is not like VALUE or VALUE*N. */
static int64_t length_of(struct values v)
{
	int64_t n = 0;
	while (v.rest.s && n <= SAMPLES_MAX) {
		if (!step(&v))
			return -1;
		n += v.left + 1;
		v.left = 0;
	}
	return n > SAMPLES_MAX ? -1 : n;
}

/* FIELD=VALUES, every=DURATION or at=DURATION. */
static int add_word(struct test *t, struct series *s, struct str word)
{
	const char *eq = memchr(word.s, '=', word.len);
	struct str name = {word.s, eq ? (uint32_t)(eq - word.s) : word.len};
	struct str value = eq ? (struct str){eq + 1, word.len - name.len - 1} : STR_NIL;
	if (!eq || value.len == 0)
		return fail(t, "not like FIELD=VALUES:", word);
	bool every = str_is(name, "every");
	if (every || str_is(name, "at")) {
		int64_t *to = every ? &s->every_ms : &s->at_ms;
		if (parse_duration_ms(value, to) < 0 || *to > SPAN_MS)
			return fail(t, "not a duration:", value);
		return 0;
	}
	int f = field_index(s->kind, name);
	if (f < 0 || s->nvalues == VALUES_MAX)
		return fail(t, f < 0 ? "the kind has no field" : "too many fields at",
			name);
	struct values *v = &s->values[s->nvalues++];
	*v = (struct values){.field = &s->kind->fields[f], .rest = value};
	int64_t n = length_of(*v);
	if (n < 0)
		return fail(t, "not like VALUE*N,VALUE*N:", value);
	v->constant = n == 1;
	if (v->constant) {
		v->constant = false;
		step(v);
		v->constant = true;
	}
	s->n = n > s->n ? n : s->n;
	return 0;
}

static int add_series(struct test *t, const struct kind_info *k, struct str rest)
{
	struct str word;
	if (t->nseries == SERIES_MAX)
		return fail(t, "too many lines of records at", str_of(k->name));
	struct series *s = &t->series[t->nseries++];
	*s = (struct series){.kind = k, .every_ms = MINUTE_MS, .n = 1};
	int ts = field_index(k, str_of("ts")),
	    named = field_index(k, str_of("subject"));
	s->ts = ts >= 0 ? &k->fields[ts] : NULL;
	s->subject = named >= 0 ? &k->fields[named] : s->ts ? kind_subject(k) : NULL;
	/* A master record is about what its first code names. */
	for (int i = 0; i < k->nfields && !s->subject; i++)
		if (k->fields[i].type == T_CODE)
			s->subject = &k->fields[i];
	if (!s->subject || !next_word(&rest, &s->code) || s->code.len > CODE_MAX)
		return fail(t, "a code must follow", str_of(k->name));
	while (next_word(&rest, &word))
		if (add_word(t, s, word) < 0)
			return -1;
	return 0;
}

static int find_rule(struct test *t, struct str name)
{
	char text[RULE_NAME_MAX + 1];
	int i = str_copy(text, sizeof(text), name) ? rule_find(t->rules, text) : -1;
	if (i < 0)
		fail(t, "no such rule:", name);
	return i;
}

/* expect AT RULE SUBJECT STATE SEVERITY */
static int add_expected(struct test *t, struct str rest, bool never)
{
	const struct kind_info *k = kind_info(KIND_alert);
	struct str at = STR_NIL, rule, state, severity;
	if (t->nexpected == EXPECT_MAX)
		return fail(t, "too many expectations at", rest);
	struct expected *x = &t->expected[t->nexpected++];
	*x = (struct expected){.line = t->now, .never = never};
	if (!never && (!next_word(&rest, &at) || parse_duration_ms(at, &x->at_ms) < 0))
		return fail(t, "not a duration:", at);
	if (!next_word(&rest, &rule))
		return fail(t, "a rule must follow", at);
	if ((x->rule = find_rule(t, rule)) < 0)
		return -1;
	if (never)
		return 0;
	if (!next_word(&rest, &x->subject) || !next_word(&rest, &state) ||
		!next_word(&rest, &severity))
		return fail(t, "not like AT RULE SUBJECT STATE SEVERITY:", rule);
	x->state = name_value(k->fields[F_alert_state].names, state);
	x->severity = name_value(k->fields[F_alert_severity].names, severity);
	if (x->state < 0 || x->severity < 0)
		return fail(t,
			"no such state or severity:", x->state < 0 ? state : severity);
	return 0;
}

static void complain(struct test *t, const char *what, int64_t at, int rule,
	struct str subject, int state, int severity)
{
	const struct kind_info *k = kind_info(KIND_alert);
	if (t->why[0])
		return;
	snprintf(t->why, sizeof(t->why), "%s: %lldm%02llds %s %.*s %s %s", what,
		(long long)(at / MINUTE_MS), (long long)(at % MINUTE_MS / SECOND_MS),
		t->rules->rules[rule].name, STR_ARG(subject),
		k->fields[F_alert_state].names->words[state],
		k->fields[F_alert_severity].names->words[severity]);
}

static bool fits(
	const struct test *t, const struct expected *x, const struct rec_alert *a)
{
	return !x->never && str_is(a->rule, t->rules->rules[x->rule].name) &&
	       x->state == a->state && x->severity == a->severity &&
	       str_eq(x->subject, a->subject);
}

/* The rule of the alert, where the test speaks of it; else -1. */
static int spoken_of(const struct test *t, const struct rec_alert *a)
{
	for (int i = 0; i < t->nexpected; i++)
		if (str_is(a->rule, t->rules->rules[t->expected[i].rule].name))
			return t->expected[i].rule;
	return -1;
}

/* A rule that the test speaks of may say what is expected of it, and nothing else. */
static void hear(void *user, int kind, const void *rec)
{
	struct test *t = user;
	const struct rec_alert *a = rec;
	bool again = false;
	int rule = kind == KIND_alert ? spoken_of(t, a) : -1;
	for (int i = 0; rule >= 0 && i < t->nexpected; i++) {
		struct expected *x = &t->expected[i];
		if (!fits(t, x, a))
			continue;
		again |= x->came && str_is(a->alert_id, x->id);
		if (a->ts - t->start == x->at_ms) {
			x->came = true;
			str_copy(x->id, sizeof(x->id), a->alert_id);
			return;
		}
	}
	/* Told again as part of its incident, it is the same. */
	if (rule >= 0 && !again)
		complain(t, "not expected", a->ts - t->start, rule, a->subject,
			a->state, a->severity);
}

/* Sets the fields of the next record of the series. */
static int fill(struct test *t, struct series *s)
{
	record_clear(s->kind, &t->rec);
	char *rec = (char *)&t->rec;
	*(struct str *)(void *)(rec + s->subject->offset) = s->code;
	if (s->ts)
		*(int64_t *)(void *)(rec + s->ts->offset) =
			t->start + s->at_ms + s->i * s->every_ms;
	for (int i = 0; i < s->nvalues; i++) {
		struct values *v = &s->values[i];
		if (!step(v) || str_is(v->value, "-"))
			continue;
		const char *wrong = text_parse_field(v->field, v->value, rec);
		if (!wrong)
			continue;
		err_set(t->err, ERR_USAGE, "%s '%.*s': %s", v->field->name,
			STR_ARG(v->value), wrong);
		return err_prefix(t->err, "%s:%d: test %s", t->file, t->line, t->name);
	}
	return 0;
}

/* The series whose next record is the earliest; masters go first. NULL at the end. */
static struct series *earliest(struct test *t)
{
	struct series *first = NULL;
	int64_t least = 0;
	for (int i = 0; i < t->nseries; i++) {
		struct series *s = &t->series[i];
		int64_t at = s->ts ? s->at_ms + s->i * s->every_ms : INT64_MIN;
		if (s->i < s->n && (!first || at < least)) {
			first = s;
			least = at;
		}
	}
	return first;
}

static int feed_all(struct test *t, struct engine *e)
{
	for (struct series *s; (s = earliest(t)); s->i++)
		if (fill(t, s) < 0 ||
			(engine_wants(e, s->kind->kind) &&
				engine_feed(e, s->kind->kind, &t->rec, t->err) < 0))
			return -1;
	engine_end(e);
	return 0;
}

/* Returns 1 when it failed, 0, or -1. */
static int run(struct test *t, rule_test_told *told, void *user)
{
	struct engine_options o = {.model = t->model, .emit = hear};
	struct engine *e = t->name[0] ? engine_new(t->rules, &o, t->err) : NULL;
	if (!t->name[0])
		return 0;
	if (!e)
		return -1;
	engine_begin(e, "", t);
	int r = feed_all(t, e);
	engine_free(e);
	for (int i = 0; i < t->nexpected; i++) {
		const struct expected *x = &t->expected[i];
		if (!x->never && !x->came)
			complain(t, "did not come", x->at_ms, x->rule, x->subject,
				x->state, x->severity);
	}
	if (r < 0)
		return -1;
	told(user, t->name, t->why[0] ? t->why : NULL);
	return t->why[0] != '\0';
}

static int begin(struct test *t, struct str name)
{
	while (name.len && (*name.s == ' ' || *name.s == '\t')) {
		name.s++;
		name.len--;
	}
	t->nseries = t->nexpected = 0;
	t->why[0] = '\0';
	t->line = t->now;
	t->start = START_MS;
	if (name.len == 0 || !str_copy(t->name, sizeof(t->name), name))
		return fail(t, "a test needs a name of at most 100 bytes:", name);
	return 0;
}

static int take_line(
	struct test *t, struct str line, int *failed, rule_test_told *told, void *user)
{
	struct str word, rest = line;
	if (!next_word(&rest, &word) || *word.s == '#')
		return 0;
	if (str_is(word, "test")) {
		int r = run(t, told, user);
		*failed += r > 0;
		return r < 0 ? -1 : begin(t, rest);
	}
	if (!t->name[0])
		return fail(t, "before the first 'test':", word);
	if (str_is(word, "expect"))
		return add_expected(t, rest, false);
	if (str_is(word, "never"))
		return add_expected(t, rest, true);
	if (str_is(word, "start")) {
		if (!next_word(&rest, &word) || time_parse_iso(word, 0, &t->start) < 0)
			return fail(t, "not a time:", word);
		return 0;
	}
	const struct kind_info *k = kind_by_name(word);
	if (!k || kind_is_frame(k->kind))
		return fail(t, "neither test, start, expect, never nor a kind:", word);
	return add_series(t, k, rest);
}

int rule_tests_run(const struct rule_set *rules, const char *model, const char *text,
	size_t n, const char *name, rule_test_told *told, void *user, struct err *err)
{
	struct err own = {0};
	struct test *t = calloc(1, sizeof(*t));
	int failed = 0, r = 0;
	if (!t)
		return err_nomem(err);
	t->rules = rules;
	t->model = model;
	t->file = name;
	t->err = err ? err : &own;
	for (const char *p = text, *end = text + n; r == 0 && p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		struct str line = {p, (uint32_t)((nl ? nl : end) - p)};
		t->now++;
		r = take_line(t, line, &failed, told, user);
		p = nl ? nl + 1 : end;
	}
	if (r == 0 && (r = run(t, told, user)) > 0)
		failed++;
	free(t);
	return r < 0 ? -1 : failed;
}
