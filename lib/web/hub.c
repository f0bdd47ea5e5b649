#include "web/hub_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

static struct payload *payload_new(enum update_type type, const struct buf *tail)
{
	struct payload *p = tail->failed ? NULL : malloc(sizeof(*p) + tail->len);
	if (!p)
		return NULL;
	*p = (struct payload){.refs = 0, .type = type, .len = (uint32_t)tail->len};
	memcpy(p->text, tail->data, tail->len);
	return p;
}

static struct payload *hold(struct payload *p)
{
	p->refs++;
	return p;
}

static void let_go(struct payload *p)
{
	if (p && --p->refs == 0)
		free(p);
}

static int ring_init(struct ring *r, size_t size)
{
	*r = (struct ring){.size = size};
	r->v = calloc(size, sizeof(*r->v));
	return r->v ? 0 : -1;
}

static void ring_push(struct ring *r, const struct update *u)
{
	struct update *at = &r->v[r->pushed++ % r->size];
	if (at->payload) {
		r->lost = at->seq;
		let_go(at->payload);
	}
	*at = *u;
	hold(at->payload);
}

static void ring_release(struct ring *r)
{
	for (size_t i = 0; r->v && i < r->size; i++)
		let_go(r->v[i].payload);
	free(r->v);
}

static void open_release(struct open_set *s)
{
	for (size_t i = 0; i < s->n; i++)
		let_go(s->v[i].payload);
	free(s->v);
}

static void run_release(struct run *r)
{
	for (size_t i = 0; i < r->codes.n && i < r->cap; i++) {
		struct subject *s = &r->subjects[i];
		for (int k = 0; k < SLOT_COUNT; k++)
			let_go(s->slots[k].payload);
		buf_release(&s->reasons);
		if (s->is_site) {
			let_go(s->is_site->mean.payload);
			free(s->is_site->members);
			free(s->is_site);
		}
	}
	free(r->subjects);
	ids_release(&r->codes);
	ring_release(&r->bulk);
	ring_release(&r->urgent);
	open_release(&r->alerts);
	open_release(&r->incidents);
	*r = (struct run){0};
}

struct run *hub_run(struct hub *h, const char *name)
{
	for (int i = 0; i < RUNS_MAX; i++)
		if (h->runs[i].id && strcmp(h->runs[i].name, name) == 0)
			return &h->runs[i];
	return NULL;
}

/* A free place for a run, or that of the simulation that has been quiet the longest. */
static struct run *free_run(struct hub *h)
{
	struct run *quiet = NULL;
	for (int i = 0; i < RUNS_MAX; i++) {
		struct run *r = &h->runs[i];
		if (r->id == 0)
			return r;
		if (*r->name && (!quiet || r->last_seq < quiet->last_seq))
			quiet = r;
	}
	run_release(quiet);
	return quiet;
}

static struct run *make_run(struct hub *h, const char *name)
{
	h->shape++;
	struct run *r = free_run(h);
	if (ring_init(&r->bulk, h->o.bulk) < 0 ||
		ring_init(&r->urgent, h->o.urgent) < 0) {
		run_release(r);
		return NULL;
	}
	r->id = ++h->runs_made;
	str_copy(r->name, sizeof(r->name), str_of(name));
	return r;
}

static int add_member(struct run *r, uint32_t site, uint32_t id)
{
	struct subject *at = &r->subjects[site];
	if (!at->is_site && !(at->is_site = calloc(1, sizeof(*at->is_site))))
		return -1;
	struct site *s = at->is_site;
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 32;
		uint32_t *v = realloc(s->members, cap * sizeof(*v));
		if (!v)
			return -1;
		s->members = v;
		s->cap = cap;
	}
	s->members[s->n++] = id;
	r->subjects[id].is_member = true;
	return 0;
}

/* The id of a code, with room for it; IDS_NONE: no memory, or too many. */
static uint32_t intern(struct run *r, struct str code)
{
	uint32_t id = ids_find(&r->codes, code);
	if (id != IDS_NONE || r->codes.n >= SUBJECTS_MAX)
		return id;
	if (r->codes.n >= r->cap) {
		size_t cap = r->cap ? r->cap * 2 : 256;
		struct subject *v = realloc(r->subjects, cap * sizeof(*v));
		if (!v)
			return IDS_NONE;
		memset(v + r->cap, 0, (cap - r->cap) * sizeof(*v));
		r->subjects = v;
		r->cap = cap;
	}
	id = ids_intern(&r->codes, code);
	if (id == IDS_NONE)
		return IDS_NONE;
	r->subjects[id].site = r->subjects[id].string = id;
	r->subjects[id].status = ENUM_NIL;
	r->subjects[id].soc_pct = r->subjects[id].soh_pct = NAN;
	r->subjects[id].autonomy_min = r->subjects[id].voltage_v = NAN;
	r->subjects[id].temperature_c = NAN;
	r->subjects[id].ts = TIME_NIL;
	return id;
}

static uint32_t subject_of(struct run *r, struct str code)
{
	uint32_t id = ids_find(&r->codes, code);
	if (id != IDS_NONE)
		return id;
	id = intern(r, code);
	uint32_t site = intern(r, code_site(code));
	uint32_t string = intern(r, code_string(code));
	if (id == IDS_NONE || site == IDS_NONE || string == IDS_NONE)
		return IDS_NONE;
	r->subjects[id].site = site;
	r->subjects[id].string = string;
	r->subjects[string].site = site;
	return id;
}

/* What is being taken in. */
struct taking {
	struct hub *h;
	struct run *run;
	uint32_t id; /* whom it is about */
	struct subject *subject;
};

static int publish(struct taking *t, enum update_type type, uint32_t subject,
	bool urgent, struct slot *slot)
{
	struct payload *p = payload_new(type, &t->h->scratch);
	if (!p)
		return -1;
	uint64_t seq = t->h->seq + 1;
	struct update u = {seq, subject, urgent, p};
	ring_push(urgent ? &t->run->urgent : &t->run->bulk, &u);
	if (slot) {
		hold(p);
		let_go(slot->payload);
		*slot = (struct slot){seq, p};
	}
	t->run->last_seq = seq;
	t->h->seq = seq;
	return 0;
}

static int publish_bulk(struct taking *t, enum update_type type, int slot)
{
	struct subject *s = t->subject;
	struct subject *site = &t->run->subjects[s->site];
	if (!s->is_member && add_member(t->run, s->site, t->id) < 0)
		return -1;
	if (publish(t, type, t->id, false, &s->slots[slot]) < 0)
		return -1;
	s->updates++;
	site->is_site->updates++;
	site->is_site->dirty |= type == UPDATE_TELEMETRY;
	return 0;
}

static int take_telemetry(struct taking *t, const struct rec_telemetry *r)
{
	t->subject->voltage_v = r->voltage_v;
	t->subject->temperature_c = r->temperature_c;
	t->subject->ts = r->ts;
	render_telemetry(&t->h->scratch, t->run->name, r);
	return publish_bulk(t, UPDATE_TELEMETRY, SLOT_TELEMETRY);
}

static int take_twin(struct taking *t, const struct rec_twin_state *r)
{
	t->subject->soc_pct = r->soc_pct;
	t->subject->soh_pct = r->soh_pct;
	t->subject->autonomy_min = r->autonomy_min;
	render_state(&t->h->scratch, t->run->name, ids_name(&t->run->codes, t->id),
		r->ts, t->subject);
	return publish_bulk(t, UPDATE_STATE, SLOT_STATE);
}

static int take_rul(struct taking *t, const struct rec_rul *r)
{
	if (r->source < 0 || r->source >= rul_source_count)
		return 0;
	render_rul(&t->h->scratch, t->run->name, r);
	return publish_bulk(t, UPDATE_RUL, SLOT_RUL + r->source);
}

static int take_status(struct taking *t, const struct rec_status *r)
{
	t->subject->status = r->status;
	buf_clear(&t->subject->reasons);
	render_reasons(&t->subject->reasons, &r->reasons);
	render_state(&t->h->scratch, t->run->name, ids_name(&t->run->codes, t->id),
		r->ts, t->subject);
	return publish(t, UPDATE_STATE, t->id, true, &t->subject->slots[SLOT_STATE]);
}

static struct open_item *find_open(struct open_set *s, uint64_t id)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].id == id)
			return &s->v[i];
	return NULL;
}

static void close_item(struct open_set *s, struct open_item *i)
{
	let_go(i->payload);
	memmove(i, i + 1, (size_t)(s->v + --s->n - i) * sizeof(*i));
}

/* Keeps the update just published with those that are open; the oldest goes when there
 * are too many. */
static int keep_open(struct open_set *s, uint64_t id, const struct update *u)
{
	struct open_item *old = find_open(s, id);
	if (old)
		close_item(s, old);
	if (s->n == OPEN_MAX)
		close_item(s, s->v);
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 64;
		struct open_item *v = realloc(s->v, cap * sizeof(*v));
		if (!v)
			return -1;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct open_item){id, u->subject, hold(u->payload)};
	return 0;
}

static int publish_open(struct taking *t, enum update_type type, struct open_set *set,
	struct str id, bool open)
{
	uint64_t hash = hash_bytes(id.s, id.len);
	if (publish(t, type, t->id, true, NULL) < 0)
		return -1;
	struct ring *r = &t->run->urgent;
	if (open)
		return keep_open(set, hash, &r->v[(r->pushed - 1) % r->size]);
	struct open_item *i = find_open(set, hash);
	if (i)
		close_item(set, i);
	return 0;
}

static int take_alert(struct taking *t, const struct rec_alert *a)
{
	render_alert(&t->h->scratch, t->run->name, a);
	return publish_open(t, UPDATE_ALERT, &t->run->alerts, a->alert_id,
		a->state != alert_state_resolved);
}

static int take_incident(struct taking *t, const struct rec_incident *i)
{
	render_incident(&t->h->scratch, t->run->name, i);
	return publish_open(t, UPDATE_INCIDENT, &t->run->incidents, i->incident_id,
		i->state != incident_state_resolved);
}

/* Its alert or incident tells whose it is. */
static int take_action(struct taking *t, const struct rec_alert_action *a)
{
	uint64_t hash = hash_bytes(a->subject_id.s, a->subject_id.len);
	struct open_item *i = find_open(&t->run->alerts, hash);
	if (!i)
		i = find_open(&t->run->incidents, hash);
	render_action(&t->h->scratch, t->run->name, a);
	return publish(t, UPDATE_ACTION, i ? i->subject : IDS_NONE, true, NULL);
}

static struct str whom(int kind, const union rec_any *any)
{
	switch (kind) {
	case KIND_telemetry:
		return any->telemetry.battery;
	case KIND_twin_state:
		return any->twin_state.battery;
	case KIND_rul:
		return any->rul.battery;
	case KIND_status:
		return any->status.subject;
	case KIND_alert:
		return any->alert.subject;
	case KIND_incident:
		return any->incident.subject;
	default:
		return STR_NIL;
	}
}

static int take(struct taking *t, int kind, const union rec_any *any)
{
	struct str code = whom(kind, any);
	buf_clear(&t->h->scratch);
	if (kind == KIND_alert_action)
		return take_action(t, &any->alert_action);
	t->id = subject_of(t->run, code);
	if (t->id == IDS_NONE)
		return -1;
	t->subject = &t->run->subjects[t->id];
	switch (kind) {
	case KIND_telemetry:
		return take_telemetry(t, &any->telemetry);
	case KIND_twin_state:
		return take_twin(t, &any->twin_state);
	case KIND_rul:
		return take_rul(t, &any->rul);
	case KIND_status:
		return take_status(t, &any->status);
	case KIND_alert:
		return take_alert(t, &any->alert);
	default:
		return take_incident(t, &any->incident);
	}
}

static bool heard_of(int kind)
{
	return kind == KIND_telemetry || kind == KIND_twin_state || kind == KIND_rul ||
	       kind == KIND_status || kind == KIND_alert || kind == KIND_incident ||
	       kind == KIND_alert_action;
}

int hub_take(struct hub *h, const char *run, const struct record *rec, struct err *err)
{
	union rec_any any;
	if (!heard_of(rec->kind) || !rec->schema->info)
		return 0;
	if (record_decode(rec->schema, rec->raw, rec->len, &any, err) < 0)
		return -1;
	pthread_mutex_lock(&h->lock);
	struct taking t = {.h = h, .run = hub_run(h, run)};
	if (!t.run)
		t.run = make_run(h, run);
	size_t known = t.run ? t.run->codes.n : 0;
	int r = t.run ? take(&t, rec->kind, &any) : -1;
	h->shape += t.run && t.run->codes.n != known;
	pthread_mutex_unlock(&h->lock);
	return r < 0 ? err_nomem(err) : 0;
}

static void publish_mean(struct taking *t)
{
	struct site *s = t->subject->is_site;
	double v = 0, temperature = 0;
	float hottest = NAN;
	int n = 0, nv = 0, nt = 0;
	int64_t ts = TIME_NIL;
	for (size_t i = 0; i < s->n; i++) {
		const struct subject *b = &t->run->subjects[s->members[i]];
		n += b->ts != TIME_NIL;
		ts = b->ts > ts ? b->ts : ts;
		if (!isnan(b->voltage_v)) {
			v += b->voltage_v;
			nv++;
		}
		if (!isnan(b->temperature_c)) {
			temperature += b->temperature_c;
			hottest = fmaxf(hottest, b->temperature_c);
			nt++;
		}
	}
	buf_clear(&t->h->scratch);
	render_mean(&t->h->scratch, t->run->name, ids_name(&t->run->codes, t->id), n,
		nv ? (float)(v / nv) : NAN, nt ? (float)(temperature / nt) : NAN,
		hottest, ts);
	/* Without memory the next second's will do. */
	if (publish(t, UPDATE_SITE, t->id, false, &s->mean) == 0)
		t->run->means++;
	s->dirty = false;
}

void hub_tick(struct hub *h, int64_t now)
{
	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < RUNS_MAX; i++) {
		struct run *r = &h->runs[i];
		if (!r->id || (r->last_means && now - r->last_means < SITE_MS))
			continue;
		r->last_means = now;
		for (uint32_t id = 0; id < r->codes.n; id++) {
			struct taking t = {h, r, id, &r->subjects[id]};
			if (t.subject->is_site && t.subject->is_site->dirty)
				publish_mean(&t);
		}
	}
	pthread_mutex_unlock(&h->lock);
}

void hub_forget(struct hub *h, const char *run)
{
	pthread_mutex_lock(&h->lock);
	struct run *r = hub_run(h, run);
	if (r)
		run_release(r);
	h->shape++;
	h->seq++; /* so that members look */
	pthread_mutex_unlock(&h->lock);
}

struct hub *hub_new(const struct hub_options *o)
{
	uint64_t id = 0;
	struct hub *h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->o = *o;
	pthread_mutex_init(&h->lock, NULL);
	if (getrandom(&id, sizeof(id), 0) != (ssize_t)sizeof(id)) {
		hub_free(h);
		return NULL;
	}
	snprintf(h->id, sizeof(h->id), "%016llx", (unsigned long long)id);
	return h;
}

void hub_free(struct hub *h)
{
	if (!h)
		return;
	for (int i = 0; i < RUNS_MAX; i++)
		run_release(&h->runs[i]);
	buf_release(&h->scratch);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

const char *hub_id(const struct hub *h)
{
	return h->id;
}

uint64_t hub_seq(struct hub *h)
{
	return h->seq;
}
