/*
 * The inside of the hub, shared by hub.c (runs, rings, what the feed says), render.c
 * (records as JSON) and member.c (who listens).
 */
#ifndef WEB_HUB_INTERNAL_H
#define WEB_HUB_INTERNAL_H

#include "base/code.h"
#include "base/ids.h"
#include "web/hub.h"

#include <pthread.h>

enum {
	SUBJECTS_MAX = 1 << 20, /* of a run */
	OPEN_MAX = 16384,       /* alerts, or incidents, that are open at once */
	SITE_MS = 1000,         /* between two means of a site */
};

enum update_type {
	UPDATE_TELEMETRY,
	UPDATE_STATE,
	UPDATE_RUL,
	UPDATE_SITE,
	UPDATE_ALERT,
	UPDATE_INCIDENT,
	UPDATE_ACTION,
};

/* A message without its beginning ({"type":…,"seq":…,), shared by whoever holds it. */
struct payload {
	int refs;
	enum update_type type;
	uint32_t len;
	char text[];
};

struct update {
	uint64_t seq;
	uint32_t subject; /* IDS_NONE: of nothing we know */
	bool urgent;
	struct payload *payload;
};

struct ring {
	struct update *v;
	size_t size;
	uint64_t pushed; /* updates so far; the last 'size' are there */
	uint64_t lost;   /* the number of the last that is not */
};

struct slot {
	uint64_t seq; /* 0: nothing yet */
	struct payload *payload;
};

/* A battery's last values; a rul for each source. */
enum { SLOT_TELEMETRY, SLOT_STATE, SLOT_RUL, SLOT_COUNT = SLOT_RUL + rul_source_count };

struct site {
	uint32_t *members; /* its batteries */
	size_t n, cap;
	uint64_t updates; /* bulk updates of its batteries */
	bool dirty;
	struct slot mean;
};

struct subject {
	uint32_t site, string; /* subjects as well; itself where it has none */
	struct slot slots[SLOT_COUNT];
	uint64_t updates; /* bulk updates */
	float voltage_v, temperature_c;
	int64_t ts;
	float soc_pct, soh_pct, autonomy_min;
	int status;           /* enum health, ENUM_NIL */
	struct buf reasons;   /* JSON */
	struct site *is_site; /* NULL: has no batteries */
	bool is_member;
};

struct open_item {
	uint64_t id; /* its hash */
	uint32_t subject;
	struct payload *payload;
};

struct open_set {
	struct open_item *v;
	size_t n, cap;
};

struct run {
	uint64_t id; /* 0: free */
	char name[CODE_MAX + 1];
	struct ids codes;
	struct subject *subjects;
	size_t cap;
	struct ring bulk, urgent;
	struct open_set alerts, incidents;
	uint64_t means; /* published so far */
	int64_t last_means;
	uint64_t last_seq;
};

struct hub {
	struct hub_options o;
	char id[FEED_ID_SIZE];
	pthread_mutex_t lock;
	_Atomic uint64_t seq;
	uint64_t runs_made;
	uint64_t shape; /* changes when a run or a code comes or goes */
	struct run runs[RUNS_MAX];
	struct buf scratch;
};

/* The run of that name, or NULL. */
struct run *hub_run(struct hub *h, const char *name);

/* render.c: the message's tail, closing brace included, appended to b. */
void render_telemetry(struct buf *b, const char *run, const struct rec_telemetry *t);
void render_state(struct buf *b, const char *run, const char *code, int64_t ts,
	const struct subject *s);
void render_rul(struct buf *b, const char *run, const struct rec_rul *r);
void render_mean(struct buf *b, const char *run, const char *code, int n, float v,
	float t_mean, float t_max, int64_t ts);
void render_alert(struct buf *b, const char *run, const struct rec_alert *a);
void render_incident(struct buf *b, const char *run, const struct rec_incident *i);
void render_action(struct buf *b, const char *run, const struct rec_alert_action *a);
/* The words of a status' reasons as a JSON list. */
void render_reasons(struct buf *b, const struct strs *reasons);
/* A whole message. */
void render_message(struct buf *b, uint64_t seq, const struct payload *p);

#endif
