/*
 * Status of batteries and strings: the worst that its firing alerts, its state of
 * health and its remaining life say. Limits are those of the alerts: SOH 80, 85, 90 %,
 * RUL 90, 180 days; a little hysteresis keeps an estimate that hovers from flapping. A
 * battery of which nothing is estimated and nothing is wrong is 'unknown', not
 * 'healthy'. A string is as its worst battery, or its own alerts, say.
 */
#include "rules/engine_impl.h"

#include <math.h>
#include <stdio.h>

enum {
	RANK_HEALTHY,
	RANK_WATCH,
	RANK_UNKNOWN,
	RANK_WARNING,
	RANK_CRITICAL,
	RANK_FAILED
};

static const int8_t STATUS_OF[] = {health_healthy, health_watch, health_unknown,
	health_warning, health_critical, health_failed};

/* An SOH less certain than this is a reason to watch, not to warn. */
#define SOH_STD_MAX_PCT 8
#define SOH_HYSTERESIS_PCT 0.5
#define SOH_STD_SURE_PCT 7
#define RUL_HYSTERESIS_DAYS 7
/* Nor is a remaining life that may as well be a year, or that is known since today. */
#define RUL_UPPER_MAX_DAYS 365
#define RUL_UPPER_SURE_DAYS 330
#define RUL_SETTLED_MS (2 * DAY_MS)
/* Reasons are told again when their numbers have moved by that much. */
#define SOH_SAY_PCT 1
#define RUL_SAY_SHARE 0.1

int health_rank(int status)
{
	for (int i = 0; i < health_count; i++)
		if (STATUS_OF[i] == status)
			return i;
	return RANK_UNKNOWN;
}

void health_init(struct health *h)
{
	*h = (struct health){.soh_pct = NAN,
		.soh_std_pct = NAN,
		.rul_days = NAN,
		.rul_upper_days = NAN,
		.rul_first_ts = TIME_NIL,
		.rul_ts = TIME_NIL,
		.soh_rank = RANK_UNKNOWN,
		.rul_rank = RANK_UNKNOWN,
		.status = health_unknown,
		.said_soh_pct = NAN,
		.said_rul_days = NAN};
}

void health_restart(struct health *h)
{
	struct health before = *h;
	health_init(h);
	h->status = before.status;
	h->said = before.said;
	h->said_soh_pct = before.said_soh_pct;
	h->said_rul_days = before.said_rul_days;
}

static int rank_by(double v, double critical, double warning, double watch)
{
	return v < critical  ? RANK_CRITICAL
	       : v < warning ? RANK_WARNING
	       : v < watch   ? RANK_WATCH
			     : RANK_HEALTHY;
}

/* Worse at once, better only past the margin. */
static int8_t with_margin(int before, int now, int cautious)
{
	if (before == RANK_UNKNOWN || now >= before)
		return (int8_t)now;
	return (int8_t)(cautious < before ? cautious : before);
}

/* With margins, so that a doubt that hovers does not come and go. */
static void doubt_estimates(struct health *h)
{
	double soh_max = h->soh_unsure ? SOH_STD_SURE_PCT : SOH_STD_MAX_PCT;
	double rul_max = h->rul_unsure ? RUL_UPPER_SURE_DAYS : RUL_UPPER_MAX_DAYS;
	h->soh_unsure = !isnan(h->soh_pct) && !((double)h->soh_std_pct <= soh_max);
	h->rul_unsure = !isnan(h->rul_days) &&
			(!((double)h->rul_upper_days <= rul_max) ||
				h->rul_ts - h->rul_first_ts < RUL_SETTLED_MS);
}

static void rank_rul(struct health *h)
{
	double rul = (double)h->rul_days;
	int now = rank_by(rul, 90, 180, 0);
	int safe = rank_by(rul - RUL_HYSTERESIS_DAYS, 90, 180, 0);
	if (h->rul_unsure) {
		now = now > RANK_WATCH ? RANK_WATCH : now;
		safe = safe > RANK_WATCH ? RANK_WATCH : safe;
	}
	h->rul_rank = with_margin(h->rul_rank, now, safe);
}

static void rank_estimates(struct health *h, double eol_pct)
{
	double soh = (double)h->soh_pct;
	doubt_estimates(h);
	if (h->soh_unsure) {
		h->soh_rank = RANK_WATCH;
	} else if (!isnan(soh)) {
		int now = rank_by(soh, eol_pct, eol_pct + 5, eol_pct + 10);
		int safe = rank_by(
			soh - SOH_HYSTERESIS_PCT, eol_pct, eol_pct + 5, eol_pct + 10);
		h->soh_rank = with_margin(h->soh_rank, now, safe);
	}
	if (!isnan(h->rul_days))
		rank_rul(h);
}

struct reasons {
	struct strs list;
	char text[2][CODE_MAX];
	uint64_t kinds; /* hash of what they are, but for numbers; 0: none */
	float soh_pct, rul_days;
};

static const struct reasons NO_REASONS = {.soh_pct = NAN, .rul_days = NAN};

/* A reason whose words change with a number is known by its kind. */
static void reason_of(struct reasons *r, const char *kind, const char *s)
{
	if (r->list.n == LIST_MAX)
		return;
	r->list.v[r->list.n++] = str_of(s);
	r->kinds = r->kinds * 31 + hash_bytes(kind, strlen(kind));
}

static void reason(struct reasons *r, const char *s)
{
	reason_of(r, s, s);
}

static int rank_of_rule(const struct rule *r, const struct life *l)
{
	if (r->status >= 0)
		return health_rank(r->status);
	return l->level == LEVEL_CRITICAL ? RANK_CRITICAL : RANK_WARNING;
}

static int rank_alerts_of(
	struct engine *e, const struct subject *s, struct reasons *why)
{
	int worst = RANK_HEALTHY;
	for (int i = 0; i < e->rules_of_type[s->type]; i++) {
		int rule = e->by_type[s->type][i];
		const struct life *l = life_of(e, rule, s);
		if (l->phase != LIFE_FIRING)
			continue;
		int rank = rank_of_rule(&e->rules->rules[rule], l);
		worst = rank > worst ? rank : worst;
		reason(why, e->rules->rules[rule].name);
	}
	return worst;
}

/* The worst of its firing alerts, RANK_HEALTHY without any; those of tests, which speak
 * of a battery or string by its code, are its own, too. */
static int rank_alerts(struct engine *e, const struct subject *s, struct reasons *why)
{
	int worst = rank_alerts_of(e, s, why);
	uint32_t id = ids_find(&e->others, s->code);
	if (id == IDS_NONE)
		return worst;
	struct subject other = subject_other(e, id);
	int rank = rank_alerts_of(e, &other, why);
	return rank > worst ? rank : worst;
}

static bool moved(float said, float now, double by)
{
	return !isnan(now) && !(fabs((double)now - (double)said) < by);
}

static bool news(const struct health *h, int rank, const struct reasons *why)
{
	double rul_step = fmax(1, RUL_SAY_SHARE * fabs((double)h->said_rul_days));
	return h->status != STATUS_OF[rank] || h->said != why->kinds ||
	       moved(h->said_soh_pct, why->soh_pct, SOH_SAY_PCT) ||
	       moved(h->said_rul_days, why->rul_days, rul_step);
}

static void say(struct engine *e, const struct subject *s, struct health *h, int rank,
	const struct reasons *why, int64_t ts)
{
	if (!news(h, rank, why))
		return;
	h->status = STATUS_OF[rank];
	h->said = why->kinds;
	h->said_soh_pct = why->soh_pct;
	h->said_rul_days = why->rul_days;
	struct rec_status rec = {.ts = ts,
		.subject = s->code,
		.status = h->status,
		.reasons = why->list};
	e->o.emit(e->user, KIND_status, &rec);
}

static void update_string(struct engine *e, uint32_t string, int64_t ts)
{
	struct string_state *g = &e->strings[string];
	struct subject s = subject_string(e, string);
	struct reasons why = NO_REASONS;
	int rank = rank_alerts(e, &s, &why);
	for (int i = health_count - 1; i >= 0; i--) {
		if (!g->ranks[i])
			continue;
		/* A string with alerts of its own is known well enough. */
		if (i == RANK_UNKNOWN && rank > RANK_HEALTHY)
			continue;
		if (i > RANK_HEALTHY) {
			snprintf(why.text[0], sizeof(why.text[0]),
				g->ranks[i] == 1 ? "%d battery %s" : "%d batteries %s",
				g->ranks[i],
				kind_info(KIND_status)
					->fields[F_status_status]
					.names->words[STATUS_OF[i]]);
			reason(&why, why.text[0]);
		}
		rank = i > rank ? i : rank;
		break;
	}
	say(e, &s, &g->health, rank, &why, ts);
}

static int estimates_rank(const struct health *h)
{
	if (isnan(h->soh_pct))
		return isnan(h->rul_days) ? RANK_UNKNOWN : h->rul_rank;
	return isnan(h->rul_days) || h->soh_rank > h->rul_rank ? h->soh_rank
							       : h->rul_rank;
}

/* Measurements of its string that cannot be are no ground for a good word. */
static bool distrusted(struct engine *e, const struct subject *s, struct reasons *why)
{
	if (s->string == IDS_NONE)
		return false;
	struct subject string = subject_string(e, s->string);
	for (int i = 0; i < e->rules_of_type[SUBJECT_STRING]; i++) {
		int rule = e->by_type[SUBJECT_STRING][i];
		if (!e->rules->rules[rule].distrust ||
			life_of(e, rule, &string)->phase != LIFE_FIRING)
			continue;
		reason(why, e->rules->rules[rule].name);
		return true;
	}
	return false;
}

static void reason_estimates(const struct health *h, struct reasons *why)
{
	if (!isnan(h->soh_pct) && h->soh_rank > RANK_HEALTHY) {
		snprintf(why->text[0], sizeof(why->text[0]),
			h->soh_unsure ? "soh uncertain, %.1f %%" : "soh %.1f %%",
			(double)h->soh_pct);
		reason_of(why, h->soh_unsure ? "soh?" : "soh", why->text[0]);
		why->soh_pct = h->soh_pct;
	}
	if (!isnan(h->rul_days) && h->rul_rank > RANK_HEALTHY) {
		snprintf(why->text[1], sizeof(why->text[1]),
			h->rul_unsure ? "rul uncertain, %.0f d" : "rul %.0f d",
			(double)h->rul_days);
		reason_of(why, h->rul_unsure ? "rul?" : "rul", why->text[1]);
		why->rul_days = h->rul_days;
	}
}

static void update_battery(struct engine *e, const struct subject *s, int64_t ts)
{
	struct health *h = &e->batteries[s->battery].health;
	double eol = (double)engine_model(e, s->battery)->rec.eol_pct;
	struct reasons why = NO_REASONS;
	rank_estimates(h, isnan(eol) ? 80 : eol);
	int rank = rank_alerts(e, s, &why), estimated = estimates_rank(h);
	reason_estimates(h, &why);
	if (estimated > rank && !(estimated == RANK_UNKNOWN && rank > RANK_HEALTHY))
		rank = estimated;
	if (rank < RANK_UNKNOWN && distrusted(e, s, &why))
		rank = RANK_UNKNOWN;
	int before = health_rank(h->status);
	say(e, s, h, rank, &why, ts);
	if (s->string == IDS_NONE || before == rank)
		return;
	e->strings[s->string].ranks[before]--;
	e->strings[s->string].ranks[rank]++;
	update_string(e, s->string, ts);
}

void health_of_batteries(struct engine *e, uint32_t string, int64_t ts)
{
	for (uint32_t b = 0; b < e->n_batteries; b++) {
		struct subject s = subject_battery(e, b);
		if (s.string == string)
			update_battery(e, &s, ts);
	}
}

void health_update(struct engine *e, const struct subject *s, int64_t ts)
{
	if (s->battery != IDS_NONE) {
		struct subject battery = subject_battery(e, s->battery);
		update_battery(e, &battery, ts);
	} else if (s->string != IDS_NONE) {
		update_string(e, s->string, ts);
	}
}
