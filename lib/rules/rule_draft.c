/* From the text of a section to a rule. */
#include "rules/rule_draft.h"

#include "base/parse.h"
#include "rules/rule_value.h"

#define QUALITY_UNUSABLE                                                               \
	(BIT(quality_sentinel) | BIT(quality_stuck) | BIT(quality_stale) |             \
		BIT(quality_duplicate) | BIT(quality_time_backwards))

const char *const RULE_KEYS[KEY_COUNT] = {"kind", "field", "condition", "warning",
	"critical", "clear", "clear_critical", "for", "keep", "hold_off",
	"after_planned", "when", "unless", "status", "source", "ignore_quality",
	"group", "effect_of", "aftermath", "incident", "otherwise", "urgent",
	"distrust", "label", "message", "enabled", "overrides", "site", "season"};

bool key_varies(enum key k)
{
	return k == KEY_warning || k == KEY_critical || k == KEY_clear ||
	       k == KEY_clear_critical || k == KEY_for || k == KEY_keep ||
	       k == KEY_enabled;
}

int draft_fail(struct draft *d, int line)
{
	return err_prefix(d->err, "%s:%d", d->file, line);
}

static const char *const CONDITIONS[] = {
	"above", "below", "abs_above", "outside", "is", "has"};

static struct str given(const struct draft *d, enum key k)
{
	return d->at[k] ? str_of(d->value[k]) : STR_NIL;
}

/* Where the reason is already in d->err. */
static int fail_key(struct draft *d, enum key k)
{
	err_prefix(d->err, "[%s] %s", d->name, RULE_KEYS[k]);
	return draft_fail(d, d->at[k] ? d->at[k] : d->line);
}

int draft_complain(struct draft *d, enum key k, const char *reason)
{
	err_set(d->err, ERR_USAGE, "%s", reason);
	return fail_key(d, k);
}

int word_index(struct str s, const char *const *words, int n)
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

static int compile_field(struct draft *d, struct rule *r)
{
	struct str kind = given(d, KEY_kind), field = given(d, KEY_field);
	if (!kind.s || !(r->kind = kind_by_name(kind)))
		return draft_complain(d, KEY_kind,
			kind.s ? "no such kind, see floatline-records(5)"
			       : "is missing");
	r->subject = kind_subject(r->kind);
	if (!r->subject || field_index(r->kind, str_of("ts")) < 0)
		return draft_complain(
			d, KEY_kind, "has no time or subject to keep state by");
	r->subject_type = field_subject_type(r->subject);
	int i = field.s ? field_index(r->kind, field) : -1;
	r->signal = field.s ? signal_find(r->kind->kind, field) : NULL;
	if (i >= 0 && field_is_numeric(&r->kind->fields[i])) {
		r->field = &r->kind->fields[i];
	} else if (!r->signal) {
		err_set(d->err, ERR_USAGE,
			!field.s ? "is missing"
				 : "kind %s has no numeric field or signal '%.*s'",
			r->kind->name, STR_ARG(field));
		return fail_key(d, KEY_field);
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

static int compile_condition(struct draft *d, struct rule *r)
{
	struct str s = given(d, KEY_condition);
	int c = s.s ? word_index(s, CONDITIONS, 6) : -1;
	if (c < 0)
		return draft_complain(d, KEY_condition,
			s.s ? "must be above, below, abs_above, outside, is or has"
			    : "is missing");
	r->condition = (enum condition)c;
	if (c == COND_IS && !(r->field && r->field->type == T_ENUM))
		return draft_complain(d, KEY_condition, "'is' needs an enumeration");
	if (c == COND_HAS && !(r->field && r->field->type == T_BITS))
		return draft_complain(d, KEY_condition, "'has' needs a bit set");
	if (c < COND_IS && r->field &&
		(r->field->type == T_ENUM || r->field->type == T_BITS))
		return draft_complain(
			d, KEY_condition, "the field has words: use 'is' or 'has'");
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

static int compile_clear(struct draft *d, struct rule *r, enum key k, enum level level)
{
	struct rule_level *v = &r->level[level];
	if (r->condition >= COND_IS)
		return draft_complain(d, k, "'is' and 'has' clear by themselves");
	if (limits_parse(
		    given(d, k), r->condition, &v->clear_lo, &v->clear_hi, d->err) < 0)
		return fail_key(d, k);
	if (!clear_is_sane(v))
		return draft_complain(d, k, "lies beyond the threshold it clears");
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

static int compile_level(struct draft *d, struct rule *r, enum key k, enum level level)
{
	struct rule_level *v = &r->level[level];
	struct str s = given(d, k);
	if (!s.s)
		return 0;
	v->used = true;
	int status = r->condition >= COND_IS
			     ? words_parse(s, r->field->names, &v->words, d->err)
			     : limits_parse(s, r->condition, &v->lo, &v->hi, d->err);
	if (status < 0)
		return fail_key(d, k);
	default_clear(v);
	return 0;
}

static int compile_levels(struct draft *d, struct rule *r)
{
	if (compile_level(d, r, KEY_warning, LEVEL_WARNING) < 0 ||
		compile_level(d, r, KEY_critical, LEVEL_CRITICAL) < 0)
		return -1;
	bool w = r->level[LEVEL_WARNING].used, c = r->level[LEVEL_CRITICAL].used;
	if (!w && !c)
		return draft_complain(d, KEY_warning, "is missing, and so is critical");
	if (!levels_in_order(r))
		return draft_complain(d, KEY_critical, "is reached before warning");
	if (d->at[KEY_clear] &&
		compile_clear(d, r, KEY_clear, w ? LEVEL_WARNING : LEVEL_CRITICAL) < 0)
		return -1;
	if (d->at[KEY_clear_critical])
		return c ? compile_clear(d, r, KEY_clear_critical, LEVEL_CRITICAL)
			 : draft_complain(d, KEY_clear_critical, "without critical");
	derive_clear(r);
	return 0;
}

static int compile_duration(struct draft *d, enum key k, int64_t *out)
{
	struct str s = given(d, k);
	*out = 0;
	if (s.s && parse_duration_ms(s, out) < 0)
		return draft_complain(
			d, k, "is not a duration like 30s, 5m, 72h or 7d");
	return 0;
}

static int compile_words(struct draft *d, struct rule *r)
{
	struct str s = given(d, KEY_status);
	const struct kind_info *st = kind_info(KIND_status),
			       *al = kind_info(KIND_alert);
	r->status = -1;
	if (s.s && (r->status = name_value(st->fields[F_status_status].names, s)) < 0)
		return draft_complain(d, KEY_status,
			"must be healthy, watch, warning, critical, failed or unknown");
	s = given(d, KEY_source);
	if (s.s && (r->source = name_value(al->fields[F_alert_source].names, s)) < 0)
		return draft_complain(
			d, KEY_source, "must be rule, ml, twin or quality");
	s = given(d, KEY_ignore_quality);
	const struct kind_info *t = kind_info(KIND_telemetry);
	if (s.s && !str_is(s, "none") &&
		words_parse(s, t->fields[F_telemetry_quality].names, &r->ignore_quality,
			d->err) < 0)
		return fail_key(d, KEY_ignore_quality);
	if (str_is(s, "none"))
		r->ignore_quality = 0;
	s = given(d, KEY_when);
	if (s.s && when_parse(s, r->kind, r->when, &r->nwhen, d->err) < 0)
		return fail_key(d, KEY_when);
	s = given(d, KEY_otherwise);
	r->otherwise_clear = str_is(s, "clear");
	if (s.s && !r->otherwise_clear && !str_is(s, "missing"))
		return draft_complain(d, KEY_otherwise, "must be clear or missing");
	if (d->at[KEY_distrust] && r->subject_type != SUBJECT_STRING)
		return draft_complain(d, KEY_distrust, "is for rules of a string");
	if (r->nwhen && r->signal && signal_is_timed(r->signal))
		return draft_complain(
			d, KEY_when, "as time passes there is no record to constrain");
	return 0;
}

/* A word in braces that means nothing is a slip of the pen. */
static int check_template(struct draft *d, struct str s)
{
	static const char *const tokens[] = {
		"subject", "value", "threshold", "field", "unit", "rule", "severity"};
	struct str part;
	next_part(&s, '{', &part);
	while (next_part(&s, '{', &part)) {
		const char *close = part.len ? memchr(part.s, '}', part.len) : NULL;
		struct str token = {
			part.s, close ? (uint32_t)(close - part.s) : part.len};
		if (close && word_index(token, tokens, 7) >= 0)
			continue;
		err_set(d->err, ERR_USAGE,
			"'{%.*s' is not {subject}, {value}, {threshold}, {field}, "
			"{unit}, "
			"{rule} or {severity}",
			STR_ARG(token));
		return fail_key(d, KEY_message);
	}
	return 0;
}

static int compile_message(struct draft *d, struct rule *r)
{
	struct str s = given(d, KEY_message);
	if (!s.s || s.len == 0)
		return draft_complain(d, KEY_message, "is missing");
	str_copy(r->message, sizeof(r->message), s);
	return check_template(d, s);
}

/* "autonomy" for autonomy_min: the unit stands behind the number anyway. */
static int compile_label(struct draft *d, struct rule *r)
{
	static const char *const units[] = {"v", "a", "c", "k", "w", "s", "h", "d",
		"ah", "ma", "ms", "min", "days", "mohm", "pct"};
	struct str s = given(d, KEY_label);
	if (s.s && (s.len == 0 || s.len > RULE_LABEL_MAX))
		return draft_complain(d, KEY_label, "must have 1 to 60 bytes");
	if (!s.s)
		s = str_of(r->field ? r->field->name : r->signal->name);
	str_copy(r->label, sizeof(r->label), s);
	if (d->at[KEY_label])
		return 0;
	char *last = strrchr(r->label, '_');
	const char *unit = r->field ? r->field->unit : r->signal->unit;
	if (last && *unit &&
		word_index(str_of(last + 1), units,
			(int)(sizeof(units) / sizeof(*units))) >= 0)
		*last = '\0';
	for (char *c = r->label; *c; c++)
		if (*c == '_')
			*c = ' ';
	return 0;
}

/* "jar temperature high" for jar-temperature-high, unless it says better. */
static int compile_incident(struct draft *d, struct rule *r)
{
	struct str s = given(d, KEY_incident);
	if (s.s && (s.len == 0 || s.len > RULE_LABEL_MAX))
		return draft_complain(d, KEY_incident, "must have 1 to 60 bytes");
	str_copy(r->incident, sizeof(r->incident), s.s ? s : str_of(r->name));
	for (char *c = r->incident; *c && !s.s; c++)
		if (*c == '-')
			*c = ' ';
	return 0;
}

/* yes or no; 'otherwise' where it is not given. */
static int compile_flag(struct draft *d, enum key k, bool otherwise, bool *out)
{
	struct str s = given(d, k);
	*out = s.s ? str_is(s, "yes") : otherwise;
	if (s.s && !*out && !str_is(s, "no"))
		return draft_complain(d, k, "must be yes or no");
	return 0;
}

int rule_compile(struct draft *d, struct rule *r, bool *enabled)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->name, d->name, sizeof(r->name));
	r->line = d->line;
	if (compile_field(d, r) < 0 || compile_condition(d, r) < 0 ||
		compile_levels(d, r) < 0 || compile_words(d, r) < 0 ||
		compile_duration(d, KEY_for, &r->for_ms) < 0 ||
		compile_duration(d, KEY_keep, &r->keep_ms) < 0 ||
		compile_duration(d, KEY_hold_off, &r->hold_off_ms) < 0 ||
		compile_duration(d, KEY_after_planned, &r->after_planned_ms) < 0 ||
		compile_duration(d, KEY_aftermath, &r->aftermath_ms) < 0 ||
		compile_label(d, r) < 0 || compile_incident(d, r) < 0 ||
		compile_flag(d, KEY_group, true, &r->group) < 0 ||
		compile_flag(d, KEY_urgent, false, &r->urgent) < 0 ||
		compile_flag(d, KEY_distrust, false, &r->distrust) < 0 ||
		compile_flag(d, KEY_enabled, true, enabled) < 0)
		return -1;
	return compile_message(d, r);
}
