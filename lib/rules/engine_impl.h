/* Inside of the alert engine. Private to lib/rules. */
#ifndef RULES_ENGINE_IMPL_H
#define RULES_ENGINE_IMPL_H

#include "base/grow.h"
#include "battery/model.h"
#include "rules/engine.h"
#include "rules/life.h"
#include "rules/watermark.h"
#include "site/roster.h"

/* Jars, and strings or systems, that make an incident: 3 and 2. */
enum { GROUP_RECENT = 2, PARTS_LEAST = 2, ID_SIZE = 17 };
enum { OUTAGES_KEPT = 8 };
#define GROUP_WINDOW_MS (5 * MINUTE_MS)
#define ROOM_FRESH_MS HOUR_MS
#define STRING_FRESH_MS (15 * MINUTE_MS)
#define RUL_FRESH_MS (7 * DAY_MS)
#define IMBALANCE_BASE_MS (30 * DAY_MS)

struct model_info {
	struct battery_model file;    /* charge set-point, temperature laws */
	struct rec_battery_model rec; /* numbers a rule may refer to; texts are nil */
};

/* What is known of health, and what was said of it last. */
struct health {
	float soh_pct, soh_std_pct, rul_days, rul_upper_days;
	int64_t rul_first_ts, rul_ts; /* first and latest estimate of rul_days */
	bool soh_unsure, rul_unsure;
	int8_t soh_rank, rul_rank; /* with hysteresis, see health.c */
	int8_t status;             /* enum health, as last emitted */
	/* The reasons last emitted: a hash of their kinds, and their numbers. */
	uint64_t said;
	float said_soh_pct, said_rul_days;
};

struct battery_state {
	uint32_t string;       /* it is counted under, IDS_NONE none */
	int64_t seen;          /* latest sample */
	float interval_ms;     /* usual time between samples, 0 unknown */
	int32_t model;         /* -1: look it up */
	float resistance_mohm; /* hourly mean at 25 degC */
	int64_t resistance_ts;
	int64_t rul_seen[rul_source_count];
	float rul_ref, rul_now; /* a day ago or more, and the latest */
	int64_t rul_ref_ts, rul_now_ts;
	int rul_source;          /* of these two */
	int64_t imbalance_since; /* the first day's */
	float imbalance_base_v;  /* mean of the first days */
	int32_t imbalance_n;     /* values it is of */
	struct health health;
};

struct string_state {
	int64_t seen;
	float interval_ms;
	int32_t jars;          /* batteries of it heard of */
	uint32_t member;       /* one of its batteries, for the model; IDS_NONE */
	uint32_t system, site; /* their numbers */
	uint32_t next_of_site; /* string, IDS_NONE the last */
	uint32_t causes;       /* number of the first, 0 none */
	int64_t disturbed;     /* latest sample off float: discharge, boost, equalize */
	int64_t planned;       /* start of planned work, TIME_NIL none */
	int64_t planned_last;  /* latest sample off float of it, and after it */
	float temperature_c;   /* running mean over its jars */
	float jar_mean_v;      /* of its latest sample; NaN */
	float hot_k;           /* its warmest jar over the room, of the last minutes */
	int64_t hot_ts;
	float float_a, float_base_a;   /* at 25 degC, of an hour and of days */
	int64_t float_ts, float_since; /* latest, first */
	int32_t ranks[health_count];   /* its batteries, by rank of their status */
	struct health health;
};

struct site_state {
	float temperature_c; /* running mean over its sensors; NaN unknown */
	float felt_c;        /* what a jar has taken on of it */
	int64_t ts;
	int32_t sensors;
	int64_t outages[OUTAGES_KEPT]; /* when they began; the oldest is replaced */
	uint8_t n_outages;             /* in all, up to that many */
	uint32_t first_string;         /* IDS_NONE none */
	uint32_t causes;               /* number of the first, 0 none */
};

enum scope { SCOPE_STRING, SCOPE_SYSTEM, SCOPE_SITE, SCOPES };
/* Number id of its scope. */
struct place {
	enum scope scope;
	uint32_t id;
};

/* What made an alert change. */
struct finding {
	int64_t ts;
	double value, threshold;
	const char
		*why; /* an alert ends for another reason than its value; else NULL */
};

/* Jars of one string that raised one alert, on their way to an incident. */
struct recent {
	uint32_t battery[GROUP_RECENT];
	uint8_t n;
};
struct incident {
	char id[ID_SIZE];
	bool told, untold; /* known to others; more has joined since */
	struct place place;
	uint32_t parent; /* number of the larger one, 0 none */
	int rule, severity;
	int count, open; /* alerts, those of its parts among them */
	int causes;      /* that may still claim for it */
	int64_t opened, first, last, changed;
};
/* An alert of a rule that others are effects of. */
struct cause {
	int rule; /* -1: unused */
	enum subject_type type;
	uint32_t subject;
	struct place place;
	int64_t start, ended; /* ended TIME_NIL: firing */
	uint32_t incident;    /* number, 0: it has no effects yet */
	uint32_t next;        /* number of the next at this place, or unused */
};

struct mute {
	char id[CODE_MAX + 1];
	char subject[CODE_MAX + 1];
	int64_t from, until;
};

/* An alert to come is shelved. */
struct shelf {
	char id[ID_SIZE];
	int64_t until;
};
enum { SHELVES_MAX = 256 };

/* Whom a rule is held against. */
struct subject {
	enum subject_type type;
	uint32_t id;              /* among its type */
	uint32_t battery, string; /* IDS_NONE where it has, or is, none */
	struct str code;
};

/* The rules of one kind, and what the dispatch needs to know of the kind. */
struct kind_rules {
	const struct kind_info *info;
	const struct field_info *subject, *quality; /* quality NULL: none */
	enum subject_type subject_type;
	uint8_t rule[RULES_MAX];
	int n;
};

/* Limits of a rule as numbers, for the model they were last asked for. */
struct resolved {
	const struct model_info *model; /* NULL: none */
	struct level_limits limits[LEVEL_COUNT];
};

struct engine {
	const struct rule_set *rules;
	struct engine_options o;
	char run[CODE_MAX + 1];
	void *user; /* of o.emit */
	struct roster roster;
	struct kind_rules kinds[KIND_MAX + 1];
	struct kind_rules quiet;          /* rules on silence */
	int slot[RULES_MAX];              /* of a rule among those of its type */
	int rules_of_type[SUBJECT_TYPES]; /* how many */
	uint8_t by_type[SUBJECT_TYPES][RULES_MAX]; /* rule of a slot */
	struct life *lives[SUBJECT_TYPES]; /* [subject × rules_of_type + slot] */
	size_t cap_lives[SUBJECT_TYPES];   /* subjects */
	struct battery_state *batteries;
	size_t n_batteries, cap_batteries;
	struct string_state *strings;
	size_t n_strings, cap_strings;
	struct recent *recent; /* [string × battery rules + slot] */
	size_t cap_recent;
	uint32_t *open_of[SCOPES]; /* [place × rules + rule]: its incident, 0 none */
	size_t cap_open_of[SCOPES];
	struct ids others, sites, systems, sensors, models;
	uint32_t *system_site, *system_causes;
	size_t cap_system_site, cap_system_causes;
	int64_t *other_seen;
	size_t cap_other_seen;
	uint32_t *sensor_site;
	size_t cap_sensors;
	struct site_state *site_states;
	size_t cap_sites;
	struct model_info *model_infos; /* 0: the default */
	size_t cap_models;
	struct incident *incidents;
	size_t n_incidents, cap_incidents; /* slots: one that is over is used again */
	int64_t incidents_opened;
	int untold; /* incidents with news, the last of untold_ts */
	int64_t untold_ts;
	struct cause *causes;
	size_t n_causes, cap_causes;
	uint32_t free_causes; /* number of the first, 0 none */
	bool is_cause[RULES_MAX];
	struct mute *mutes;
	size_t n_mutes, cap_mutes;
	struct shelf shelves[SHELVES_MAX];
	int n_shelves;
	unsigned next_shelf;
	struct watermark mark;
	int64_t scanned; /* watermark of the last look for silence */
	struct rule_count counts[RULES_MAX];
	struct resolved
		resolved[RULES_MAX + VARIANTS_MAX]; /* of rules, then variants */
	int64_t day; /* since 1970, and what it is called: 100 · month + day */
	int day_name;
};

/* engine.c: the rules are these now; what is as long as there are rules is not touched.
 */
void engine_index(struct engine *e, const struct rule_set *rules);

/* subject.c: the state of who is who. Each returns IDS_NONE or -1 out of memory. */
uint32_t engine_battery(struct engine *e, struct str code);
/* Counts the battery under the string the roster has for it. */
int engine_enlist(struct engine *e, uint32_t battery);
uint32_t engine_string(struct engine *e, struct str code);
uint32_t engine_other(struct engine *e, struct str code);
uint32_t engine_site(struct engine *e, struct str code);
uint32_t engine_system(struct engine *e, struct str code);
uint32_t engine_sensor(struct engine *e, struct str code);
/* How many there are of a type. */
size_t engine_subjects(const struct engine *e, enum subject_type t);
/* Number of the model of that name, -1 out of memory. */
int engine_model_number(struct engine *e, const char *name);
int subject_of(struct engine *e, const struct kind_rules *k, const void *rec,
	struct subject *out);
struct subject subject_battery(const struct engine *e, uint32_t battery);
struct subject subject_other(const struct engine *e, uint32_t id);
/* Number id of that type. */
struct subject subject_at(const struct engine *e, enum subject_type t, uint32_t id);
struct subject subject_string(const struct engine *e, uint32_t string);
const struct model_info *engine_model(struct engine *e, uint32_t battery);
/* The site of a sensor: told by its record, else its code without the last part. */
uint32_t engine_sensor_site(struct engine *e, struct str code);
int engine_learn_sensor(struct engine *e, const struct rec_sensor *rec);
int engine_learn_model(struct engine *e, const struct rec_battery_model *rec);
void battery_forget(struct engine *e, uint32_t battery);

/* observe.c: what samples tell beyond the rules. */
int observe(struct engine *e, const struct subject *s, int kind, const void *rec,
	int64_t ts);

/* What its values alone say against a sample: quality bits. */
int doubts_of_jar(struct engine *e, uint32_t battery, const struct rec_telemetry *t);
int doubts_of_string(
	struct engine *e, uint32_t string, const struct rec_string_telemetry *t);
bool is_sentinel(double v);

/* derive.c */
double temperature_rise(
	const struct engine *e, const struct subject *s, const struct rec_telemetry *t);
double jar_mean(const struct engine *e, const struct subject *s,
	const struct rec_string_telemetry *t);
double signal_value(struct engine *e, const struct signal *g, const struct subject *s,
	const void *rec, int64_t ts);
/* rul_days where it is of the best source heard within a week, else NaN. */
double day_imbalance(const struct rec_feature *f);
double best_rul(
	const struct engine *e, const struct subject *s, const struct rec_rul *r);

/* evaluate.c */
void evaluate(struct engine *e, int rule, const struct subject *s, const void *rec,
	const struct kind_rules *k, int64_t ts);
struct life *life_of(struct engine *e, int rule, const struct subject *s);
/* Reports a change, and what follows from it for incidents and status. */
void tell(struct engine *e, int rule, const struct subject *s, struct life *l,
	enum life_change change, const struct finding *f);
/* Ends an alert for a reason of its own ("by somebody"), if it is open. */
void close_alert(struct engine *e, int rule, const struct subject *s, int64_t ts,
	const char *why);
/* Ends every alert of the subject, because it is no more. */
void retire(struct engine *e, const struct subject *s, int64_t ts);

/* announce.c */
void alert_id(const struct engine *e, int rule, struct str subject, int64_t start,
	char id[ID_SIZE]);
void announce(struct engine *e, int rule, const struct subject *s, const struct life *l,
	enum life_change change, const struct finding *f);

/* place.c */
/* Where the subject is; false where nobody knows. */
bool place_of(struct engine *e, const struct subject *s, struct place *out);
/* The place itself, its system, its site; how many. */
int places_around(const struct engine *e, struct place p, struct place out[SCOPES]);
bool place_within(const struct engine *e, struct place p, struct place whole);
/* Its strings one by one; IDS_NONE at the end. */
uint32_t place_first_string(const struct engine *e, struct place p);
uint32_t place_next_string(const struct engine *e, struct place p, uint32_t string);
const char *place_name(const struct engine *e, struct place p);

/* incident.c: numbers are from 1, and valid while an alert or cause belongs to it */
struct incident *incident_at(const struct engine *e, uint32_t number);
const char *incident_id(const struct engine *e, uint32_t number);
/* Where the number of the rule's open incident at the place stands. */
uint32_t *incident_of(const struct engine *e, int rule, struct place p);
/* A new one, untold: its number, 0 out of memory (all then stays as it is). */
uint32_t incident_open(
	struct engine *e, int rule, struct place place, int64_t first, int64_t ts);
/* Its first alerts have joined: others may know of it. */
void incident_opened(struct engine *e, uint32_t number);
/* An alert joins, at ts. */
void incident_join(struct engine *e, uint32_t number, struct life *l, int64_t ts);
/* One becomes part of a larger one; told, where the larger one is known. */
void incident_adopt(struct engine *e, uint32_t parent, uint32_t child);
void incident_shifted(struct engine *e, const struct life *l, int64_t ts);
void incident_left(struct engine *e, struct life *l, int64_t ts);
void incident_tell(struct engine *e, uint32_t number);
/* Tells what has joined since, once time has gone on to ts; TIME_NIL: at once. */
void incidents_tell(struct engine *e, int64_t ts);

/* group.c */
void group_fired(struct engine *e, int rule, const struct subject *s, struct life *l,
	int64_t ts);
/* Alerts of the rule in the place that fired just before their cause did: whether there
 * are any; and their move into its incident. */
bool group_has_late(struct engine *e, int rule, struct place p, int64_t ts);
void group_gather(
	struct engine *e, int rule, struct place p, uint32_t number, int64_t ts);

/* cause.c */
/* Whether a known cause takes the alert; it has then joined the cause's incident. */
bool cause_claims(struct engine *e, int rule, const struct subject *s, struct life *l,
	struct place p, int64_t ts);
void cause_fired(struct engine *e, int rule, const struct subject *s, struct life *l,
	struct place p, int64_t ts);
/* The rule is no more. */
void cause_forget(struct engine *e, int rule);
void cause_over(struct engine *e, int rule, const struct subject *s, int64_t ts);

/* mute.c: maintenance windows */
int mute_learn(struct engine *e, const struct rec_maintenance_window *w);
/* A scenario runs, or has run, on its subject: the same, where that is wanted. */
int mute_scenario(struct engine *e, const struct rec_event *v);
bool muted(const struct engine *e, struct str subject, int64_t ts);

/* planned.c: tests and equalizing charges */
void planned_learn(struct engine *e, const struct rec_event *v);
void planned_note(struct string_state *g, int mode, int64_t ts);
/* Whether the rule waits for the string to be back on float. */
bool planned_holds(const struct engine *e, const struct rule *r,
	const struct subject *s, int64_t ts);

/* action.c */
/* Returns 0, or -1 with ERR_DATA: no decision. */
int act(struct engine *e, const struct rec_alert_action *a, struct err *err);
/* Of an alert that was shelved before it came; TIME_NIL: it was not. */
int64_t shelved_until(const struct engine *e, const char *id);

/* health.c: the order of enum health, healthy first */
int health_rank(int status);
void health_init(struct health *h);
/* As health_init, but for what was said of the one before. */
void health_restart(struct health *h);
/* Of all batteries of the string, after what is thought of its measurements changed. */
void health_of_batteries(struct engine *e, uint32_t string, int64_t ts);
void health_update(struct engine *e, const struct subject *s, int64_t ts);

#endif
