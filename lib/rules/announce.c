/* Alert records: ids and words. */
#include "rules/engine_impl.h"

#include "base/parse.h"

#include <math.h>
#include <stdio.h>

void alert_id(const struct engine *e, int rule, struct str subject, int64_t start,
	char id[ID_SIZE])
{
	char key[CODE_MAX * 2 + RULE_NAME_MAX + 32];
	int n = snprintf(key, sizeof(key), "%s|%s|%.*s|%lld", e->run,
		e->rules->rules[rule].name, STR_ARG(subject), (long long)start);
	snprintf(
		id, ID_SIZE, "%016llx", (unsigned long long)hash_bytes(key, (size_t)n));
}

struct text {
	char s[TEXT_MAX];
	size_t len;
};

static void put(struct text *t, struct str s)
{
	size_t room = sizeof(t->s) - 1 - t->len;
	size_t n = s.len < room ? s.len : room;
	memcpy(t->s + t->len, s.s ? s.s : "", n);
	t->len += n;
	t->s[t->len] = '\0';
}

static void number_text(char dst[32], int digits, double v)
{
	if (digits == 4 && fabs(v) >= 1000 && fabs(v) < 1e9)
		snprintf(dst, 32, "%.0f", v);
	else
		snprintf(dst, 32, "%.*g", digits, v);
}

/* Four digits, or as many as it takes to tell it from the threshold: never "85 %, below
 * 85 %". */
static void put_number(struct text *t, double v, double other)
{
	char own[32] = "?", its[32];
	for (int digits = 4; digits <= 7 && !isnan(v); digits++) {
		number_text(own, digits, v);
		number_text(its, digits, other);
		if (v == other || strcmp(own, its) != 0)
			break;
	}
	put(t, str_of(own));
}

/* A number, or the words of an enumeration or bit set. */
static void put_value(struct text *t, const struct rule *r, double v, double threshold)
{
	const struct name_set *words = r->condition >= COND_IS ? r->field->names : NULL;
	if (!words || isnan(v))
		return put_number(t, v, threshold);
	if (r->condition == COND_IS)
		return put(
			t, str_of(v >= 0 && v < words->n ? words->words[(int)v] : "?"));
	const char *comma = "";
	for (int i = 0; i < words->n; i++) {
		if (!((int64_t)v >> i & 1))
			continue;
		put(t, str_of(comma));
		put(t, str_of(words->words[i]));
		comma = ", ";
	}
	if (!*comma)
		put(t, str_of("none"));
}

/* Most values were float32: 11.4 is meant, not 11.399999618530273. */
static double seven_digits(double v)
{
	char s[32];
	if (!isnan(v))
		snprintf(s, sizeof(s), "%.7g", v);
	return isnan(v) || parse_f64(str_of(s), &v) < 0 ? NAN : v;
}

static const char *severity_word(int severity)
{
	return kind_info(KIND_alert)->fields[F_alert_severity].names->words[severity];
}

static struct str field_name(const struct rule *r)
{
	return str_of(r->field ? r->field->name : r->signal->name);
}

static struct str unit_name(const struct rule *r)
{
	return str_of(r->field ? r->field->unit : r->signal->unit);
}

static void put_token(struct text *t, struct str token, const struct rule *r,
	const struct subject *s, int severity, const struct finding *f)
{
	if (str_is(token, "subject"))
		put(t, s->code);
	else if (str_is(token, "value"))
		put_value(t, r, f->value, f->threshold);
	else if (str_is(token, "threshold"))
		put_number(t, f->threshold, NAN);
	else if (str_is(token, "field"))
		put(t, field_name(r));
	else if (str_is(token, "unit"))
		put(t, unit_name(r));
	else if (str_is(token, "rule"))
		put(t, str_of(r->name));
	else if (str_is(token, "severity"))
		put(t, str_of(severity_word(severity)));
}

static void put_template(struct text *t, const struct rule *r, const struct subject *s,
	int severity, const struct finding *f)
{
	const char *p = r->message;
	while (*p) {
		const char *open = strchr(p, '{');
		const char *close = open ? strchr(open, '}') : NULL;
		if (!close)
			return put(t, str_of(p));
		put(t, (struct str){p, (uint32_t)(open - p)});
		struct str token = {open + 1, (uint32_t)(close - open - 1)};
		put_token(t, token, r, s, severity, f);
		p = close + 1;
	}
}

/* A resolved alert says what the value is now, not what it was. */
static void put_resolved(struct text *t, const struct rule *r, const struct subject *s,
	const struct finding *f)
{
	put(t, s->code);
	put(t, str_of(": resolved, "));
	put(t, str_of(r->label));
	put(t, str_of(" is "));
	put_value(t, r, f->value, f->threshold);
	put(t, str_of(*unit_name(r).s ? " " : ""));
	put(t, unit_name(r));
}

static int state_of(enum life_change change, const struct life *l)
{
	if (change == LIFE_STARTED)
		return alert_state_pending;
	if (change == LIFE_RESOLVED || change == LIFE_LAPSED)
		return alert_state_resolved;
	return l->phase == LIFE_SUPPRESSED || l->claimed ? alert_state_suppressed
							 : alert_state_firing;
}

/* A pending alert has the severity it would fire with now. */
static int severity_of(const struct life *l, enum life_change change)
{
	bool pending = change == LIFE_STARTED || change == LIFE_LAPSED;
	bool critical = pending ? l->on[LEVEL_CRITICAL] : l->level == LEVEL_CRITICAL;
	return critical ? severity_critical : severity_warning;
}

void announce(struct engine *e, int rule, const struct subject *s, const struct life *l,
	enum life_change change, const struct finding *f)
{
	const struct rule *r = &e->rules->rules[rule];
	if ((change == LIFE_STARTED || change == LIFE_LAPSED) && !e->o.pending)
		return;
	char id[ID_SIZE];
	struct text text = {.len = 0};
	int state = state_of(change, l), severity = severity_of(l, change);
	bool over = state == alert_state_resolved;
	alert_id(e, rule, s->code, l->start, id);
	if (f->why) {
		put(&text, s->code);
		put(&text, str_of(": "));
		put(&text, str_of(f->why));
	} else if (over)
		put_resolved(&text, r, s, f);
	else
		put_template(&text, r, s, severity, f);
	struct rec_alert a = {
		.alert_id = str_of(id),
		.incident_id = str_of(incident_id(e, l->incident)),
		.ts = f->ts,
		.subject = s->code,
		.rule = str_of(r->name),
		.severity = severity,
		.state = state,
		.source = r->source,
		.value = seven_digits(f->value),
		.threshold = seven_digits(f->threshold),
		.message = str_of(text.s),
		.since_ts = l->start,
		.resolved_ts = over ? f->ts : TIME_NIL,
	};
	e->o.emit(e->user, KIND_alert, &a);
}
