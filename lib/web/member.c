#include "web/emit.h"
#include "web/hub_internal.h"

#include <stdlib.h>

enum room_kind { ROOM_FLEET, ROOM_LOCATION, ROOM_BATTERY };

enum { TELL_MS = 5000 }; /* between two words about what was left out */

struct room {
	enum room_kind kind;
	char code[CODE_MAX + 1];
	char run[CODE_MAX + 1];
	uint64_t run_id;  /* 0: the run is not there yet */
	uint32_t subject; /* IDS_NONE: nothing was heard of it yet */
	uint64_t from;    /* updates up to this one are not for it */
	uint64_t told; /* of its bulk updates so many are told, or said to be left out
			*/
	/* Conflating: by battery, the last number sent; of new ones the first is
	 * sent_from; whose turn it is. */
	uint64_t *sent, sent_from;
	size_t nsent, turn;
};

/* How far it has read a run. */
struct place {
	uint64_t run_id; /* 0: does not read it */
	uint64_t bulk, urgent;
	bool conflating;
	int64_t told_at; /* ms */
};

struct member {
	struct hub *hub;
	struct account account;
	struct room rooms[ROOMS_MAX];
	int nrooms;
	struct place places[RUNS_MAX]; /* by the hub's runs */
	uint64_t shape;                /* of the hub, as the rooms are */
	uint64_t looked;               /* the hub's number when it had read all */
	uint64_t missed_from, missed_to;
	int64_t behind_since; /* 0: is not */
	bool closed_room;     /* one was closed: to be said */
};

struct member *member_new(struct hub *h)
{
	struct member *m = calloc(1, sizeof(*m));
	if (m)
		m->hub = h;
	return m;
}

static void drop_room(struct member *m, int i)
{
	free(m->rooms[i].sent);
	m->rooms[i] = m->rooms[--m->nrooms];
	m->shape = 0; /* its place may not be needed any more */
}

void member_free(struct member *m)
{
	if (!m)
		return;
	while (m->nrooms > 0)
		drop_room(m, 0);
	free(m);
}

static bool may_see(const struct member *m, const char *code)
{
	char site[CODE_MAX + 1];
	str_copy(site, sizeof(site), code_site(str_of(code)));
	return account_sees(&m->account, site);
}

void member_set_account(struct member *m, const struct account *a)
{
	m->account = *a;
	for (int i = m->nrooms - 1; i >= 0; i--)
		if (m->rooms[i].kind != ROOM_FLEET && !may_see(m, m->rooms[i].code)) {
			drop_room(m, i);
			m->closed_room = true;
		}
}

static struct run *run_of(const struct member *m, const struct room *r)
{
	for (int i = 0; r->run_id && i < RUNS_MAX; i++)
		if (m->hub->runs[i].id == r->run_id)
			return &m->hub->runs[i];
	return NULL;
}

static struct place *place_of(struct member *m, const struct run *r)
{
	return &m->places[r - m->hub->runs];
}

/* Whether a subject's site is for this account; what has none is for those who see all.
 */
static bool sees_subject(const struct member *m, const struct run *r, uint32_t subject)
{
	if (m->account.sites[0] == '\0')
		return true;
	if (subject == IDS_NONE)
		return false;
	return account_sees(
		&m->account, ids_name(&r->codes, r->subjects[subject].site));
}

static bool in_room(const struct member *m, const struct room *room,
	const struct run *r, const struct update *u)
{
	if (u->seq <= room->from || room->run_id != r->id)
		return false;
	if (room->kind == ROOM_FLEET)
		return (u->urgent || u->payload->type == UPDATE_SITE) &&
		       sees_subject(m, r, u->subject);
	if (u->payload->type == UPDATE_SITE || u->subject == IDS_NONE ||
		room->subject == IDS_NONE)
		return false;
	if (room->kind == ROOM_LOCATION)
		return r->subjects[u->subject].site == room->subject;
	return u->subject == room->subject ||
	       (u->urgent && u->subject == r->subjects[room->subject].string);
}

static bool is_wanted(
	const struct member *m, const struct run *r, const struct update *u)
{
	for (int i = 0; i < m->nrooms; i++)
		if (in_room(m, &m->rooms[i], r, u))
			return true;
	return false;
}

/* The first update after seq, as an index of the ring (ring->pushed: none). */
static uint64_t find_after(const struct ring *r, uint64_t seq)
{
	uint64_t lo = r->pushed > r->size ? r->pushed - r->size : 0, hi = r->pushed;
	while (lo < hi) {
		uint64_t mid = lo + (hi - lo) / 2;
		if (r->v[mid % r->size].seq > seq)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

/* The next update for this member after *seq, which is moved on to just before it.
 * NULL: none. */
static const struct update *peek(const struct member *m, const struct run *r,
	const struct ring *ring, uint64_t *seq)
{
	for (uint64_t i = find_after(ring, *seq); i < ring->pushed; i++) {
		const struct update *u = &ring->v[i % ring->size];
		if (is_wanted(m, r, u)) {
			*seq = u->seq - 1;
			return u;
		}
	}
	*seq = m->hub->seq;
	return NULL;
}

/* How many bulk updates the room has had. */
static uint64_t room_total(const struct room *room, const struct run *r)
{
	if (room->kind == ROOM_FLEET)
		return r->means;
	if (room->subject == IDS_NONE)
		return 0;
	const struct subject *s = &r->subjects[room->subject];
	if (room->kind == ROOM_BATTERY)
		return s->updates;
	return s->is_site ? s->is_site->updates : 0;
}

/* The batteries (fleet: subjects) a room may have bulk updates of. */
static size_t room_size(const struct room *room, const struct run *r)
{
	if (room->kind == ROOM_FLEET)
		return r->codes.n;
	if (room->subject == IDS_NONE)
		return 0;
	if (room->kind == ROOM_BATTERY)
		return 1;
	const struct site *s = r->subjects[room->subject].is_site;
	return s ? s->n : 0;
}

/* The slots of the room's battery i. */
static int room_slots(const struct room *room, const struct run *r, size_t i,
	const struct slot **slots)
{
	const struct subject *s;
	if (room->kind == ROOM_FLEET) {
		s = &r->subjects[i];
		*slots = s->is_site ? &s->is_site->mean : NULL;
		return s->is_site != NULL;
	}
	s = &r->subjects[room->subject];
	if (room->kind == ROOM_LOCATION)
		s = &r->subjects[s->is_site->members[i]];
	*slots = s->slots;
	return SLOT_COUNT;
}

/* The oldest value of the room's battery i that is newer than 'seq'. */
static const struct slot *next_slot(
	const struct room *room, const struct run *r, size_t i, uint64_t seq)
{
	const struct slot *slots, *best = NULL;
	int n = room_slots(room, r, i, &slots);
	for (int k = 0; k < n; k++)
		if (slots[k].seq > seq && (!best || slots[k].seq < best->seq))
			best = &slots[k];
	return best;
}

static uint64_t resume(const struct member *m)
{
	uint64_t seq = m->hub->seq;
	for (int i = 0; i < RUNS_MAX; i++) {
		const struct place *p = &m->places[i];
		if (!p->run_id)
			continue;
		seq = p->bulk < seq ? p->bulk : seq;
		seq = p->urgent < seq ? p->urgent : seq;
	}
	return seq;
}

/* Rooms of runs that have come, gone, or now know their subject. */
static void refresh(struct member *m)
{
	m->shape = m->hub->shape;
	for (int i = m->nrooms - 1; i >= 0; i--) {
		struct room *room = &m->rooms[i];
		if (room->run_id && !run_of(m, room)) {
			drop_room(m, i);
			m->closed_room = true;
			continue;
		}
		struct run *r = hub_run(m->hub, room->run);
		if (!r)
			continue;
		room->run_id = r->id;
		if (room->kind != ROOM_FLEET && room->subject == IDS_NONE)
			room->subject = ids_find(&r->codes, str_of(room->code));
		struct place *p = place_of(m, r);
		if (p->run_id != r->id)
			*p = (struct place){r->id, room->from, room->from, false, 0};
	}
	for (int i = 0; i < RUNS_MAX; i++) {
		bool used = false;
		for (int k = 0; k < m->nrooms; k++)
			used |= m->rooms[k].run_id == m->places[i].run_id;
		if (!used)
			m->places[i] = (struct place){0};
	}
}

static void start_conflating(struct member *m, struct place *p)
{
	p->conflating = true;
	p->told_at = 0;
	for (int i = 0; i < m->nrooms; i++) {
		struct room *room = &m->rooms[i];
		if (room->run_id != p->run_id)
			continue;
		free(room->sent);
		room->sent = NULL;
		room->nsent = room->turn = 0;
		room->sent_from = room->from > p->bulk ? room->from : p->bulk;
	}
}

/* Room to remember what was sent. Without memory a room waits. */
static bool grow_sent(struct room *room, size_t n)
{
	if (room->nsent >= n)
		return true;
	uint64_t *v = realloc(room->sent, n * sizeof(*v));
	if (!v)
		return false;
	for (size_t i = room->nsent; i < n; i++)
		v[i] = room->sent_from;
	room->sent = v;
	room->nsent = n;
	return true;
}

/* A battery's own room has nothing more to tell where its site's is entered. */
static bool is_within(
	const struct member *m, const struct room *room, const struct run *r)
{
	for (int i = 0; i < m->nrooms && room->kind == ROOM_BATTERY; i++)
		if (m->rooms[i].kind == ROOM_LOCATION &&
			m->rooms[i].run_id == room->run_id &&
			room->subject != IDS_NONE &&
			m->rooms[i].subject == r->subjects[room->subject].site)
			return true;
	return false;
}

/* The next last value of a room; each battery has its turn. */
static const struct slot *conflated(
	const struct member *m, struct room *room, const struct run *r)
{
	size_t n = room_size(room, r);
	if (is_within(m, room, r) || !grow_sent(room, n))
		return NULL;
	for (size_t k = 0; k < n; k++, room->turn++) {
		size_t i = room->turn % n;
		const struct slot *s = next_slot(room, r, i, room->sent[i]);
		if (s && room->kind == ROOM_FLEET && !sees_subject(m, r, (uint32_t)i))
			s = NULL;
		if (s) {
			room->sent[i] = s->seq;
			room->told++;
			room->turn++;
			return s;
		}
	}
	return NULL;
}

/* Bulk updates of the room that are neither told nor about to be. */
static uint64_t left_out(struct room *room, const struct run *r)
{
	uint64_t waiting = 0, total = room_total(room, r);
	for (size_t i = 0; i < room->nsent; i++) {
		const struct slot *slots;
		int n = room_slots(room, r, i, &slots);
		for (int k = 0; k < n; k++)
			waiting += slots[k].seq > room->sent[i];
	}
	uint64_t known = room->told + waiting;
	if (total <= known)
		return 0;
	room->told += total - known;
	return total - known;
}

/* Whether what is left out of the room is known and nowhere else counted. */
static bool counts(const struct member *m, const struct room *room, const struct run *r)
{
	return !is_within(m, room, r) &&
	       (room->kind != ROOM_FLEET || m->account.sites[0] == '\0');
}

/* Says what was left out since the last time it was said. */
static bool tell_left_out(struct member *m, const struct run *r, struct place *p,
	int64_t now, struct buf *out)
{
	uint64_t n = 0;
	p->told_at = now;
	for (int i = 0; i < m->nrooms; i++)
		if (m->rooms[i].run_id == r->id && counts(m, &m->rooms[i], r))
			n += left_out(&m->rooms[i], r);
	if (n)
		buf_printf(out,
			"{\"type\":\"conflated\",\"seq\":%llu,\"dropped\":%llu}",
			(unsigned long long)resume(m), (unsigned long long)n);
	return n > 0;
}

static void stop_conflating(struct member *m, struct place *p)
{
	p->conflating = false;
	p->bulk = m->hub->seq;
	for (int i = 0; i < m->nrooms; i++) {
		free(m->rooms[i].sent);
		m->rooms[i].sent = NULL;
		m->rooms[i].nsent = 0;
	}
}

static bool next_conflated(struct member *m, const struct run *r, struct place *p,
	int64_t now, struct buf *out)
{
	if (p->told_at && now - p->told_at >= TELL_MS &&
		tell_left_out(m, r, p, now, out))
		return true;
	p->told_at = p->told_at ? p->told_at : now;
	for (int i = 0; i < m->nrooms; i++) {
		struct room *room = &m->rooms[i];
		const struct slot *s =
			room->run_id == r->id ? conflated(m, room, r) : NULL;
		if (s) {
			render_message(out, resume(m), s->payload);
			return true;
		}
	}
	bool told = tell_left_out(m, r, p, now, out);
	stop_conflating(m, p);
	return told;
}

static void count_told(struct member *m, const struct run *r, const struct update *u)
{
	for (int i = 0; i < m->nrooms; i++)
		if (in_room(m, &m->rooms[i], r, u))
			m->rooms[i].told++;
}

/* The next of a run: what a lane has, if the other has nothing older. */
struct pick {
	struct run *run;
	struct place *place;
	const struct update *update;
};

static bool fell_behind(const struct member *m, int64_t now)
{
	return m->behind_since && now - m->behind_since > m->hub->o.conflate_ms;
}

static struct pick pick_of(struct member *m, struct run *r, int64_t now)
{
	struct place *p = place_of(m, r);
	struct pick none = {r, p, NULL};
	if (p->run_id != r->id)
		return none;
	if (p->urgent < r->urgent.lost) {
		m->missed_from = p->urgent + 1;
		m->missed_to = p->urgent = r->urgent.lost;
	}
	const struct update *u = peek(m, r, &r->urgent, &p->urgent);
	if (!p->conflating && (p->bulk < r->bulk.lost || fell_behind(m, now)))
		start_conflating(m, p);
	const struct update *b = p->conflating ? NULL : peek(m, r, &r->bulk, &p->bulk);
	return (struct pick){r, p, u && (!b || u->seq < b->seq) ? u : b};
}

static void take_pick(struct member *m, const struct pick *p, struct buf *out)
{
	const struct update *u = p->update;
	if (u->urgent)
		p->place->urgent = u->seq;
	else {
		p->place->bulk = u->seq;
		count_told(m, p->run, u);
	}
	render_message(out, resume(m), u->payload);
}

static bool next_update(struct member *m, int64_t now, struct buf *out)
{
	struct pick best = {0};
	for (int i = 0; i < RUNS_MAX; i++) {
		struct run *r = &m->hub->runs[i];
		if (!r->id || m->places[i].run_id != r->id)
			continue;
		struct pick p = pick_of(m, r, now);
		if (p.update && (!best.update || p.update->seq < best.update->seq))
			best = p;
	}
	if (m->missed_to)
		return false;
	if (best.update) {
		take_pick(m, &best, out);
		return true;
	}
	for (int i = 0; i < RUNS_MAX; i++)
		if (m->places[i].conflating &&
			next_conflated(m, &m->hub->runs[i], &m->places[i], now, out))
			return true;
	return false;
}

static bool next_notice(struct member *m, struct buf *out)
{
	if (m->closed_room) {
		buf_puts(out,
			"{\"type\":\"error\",\"detail\":\"a room has been closed: "
			"its run is over, or not for you any more\"}");
		m->closed_room = false;
		return true;
	}
	if (m->missed_to) {
		buf_printf(out,
			"{\"type\":\"missed\",\"from_seq\":%llu,\"to_seq\":%llu}",
			(unsigned long long)m->missed_from,
			(unsigned long long)m->missed_to);
		m->missed_to = 0;
		return true;
	}
	return false;
}

bool member_has_news(const struct member *m)
{
	return m->closed_room || m->missed_to || m->looked != m->hub->seq;
}

bool member_next(struct member *m, int64_t now, struct buf *out)
{
	pthread_mutex_lock(&m->hub->lock);
	if (m->shape != m->hub->shape)
		refresh(m);
	bool some =
		next_notice(m, out) || next_update(m, now, out) || next_notice(m, out);
	if (!some) {
		m->looked = m->hub->seq;
		m->behind_since = 0;
	}
	pthread_mutex_unlock(&m->hub->lock);
	return some;
}

void member_behind(struct member *m, int64_t now)
{
	if (!m->behind_since)
		m->behind_since = now ? now : 1;
}

/* --- entering and leaving --- */

static enum room_kind kind_of(enum ws_type t)
{
	if (t == WS_SUBSCRIBE_FLEET || t == WS_UNSUBSCRIBE_FLEET)
		return ROOM_FLEET;
	if (t == WS_SUBSCRIBE_LOCATION || t == WS_UNSUBSCRIBE_LOCATION)
		return ROOM_LOCATION;
	return ROOM_BATTERY;
}

static int find_room(const struct member *m, const struct ws_message *w)
{
	for (int i = 0; i < m->nrooms; i++)
		if (m->rooms[i].kind == kind_of(w->type) &&
			strcmp(m->rooms[i].code, w->code) == 0 &&
			strcmp(m->rooms[i].run, w->run) == 0)
			return i;
	return -1;
}

static void put_slot(struct buf *b, uint64_t seq, const struct slot *s)
{
	if (!s->payload)
		return;
	if (b->data[b->len - 1] != '[')
		buf_putc(b, ',');
	render_message(b, seq, s->payload);
}

static void put_open(struct buf *b, const struct member *m, const struct room *room,
	const struct run *r, const struct open_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		struct update u = {
			UINT64_MAX, set->v[i].subject, true, set->v[i].payload};
		struct slot s = {UINT64_MAX, u.payload};
		if (in_room(m, room, r, &u))
			put_slot(b, resume(m), &s);
	}
}

/* The fleet's room tells of the batteries that are not well. */
static void put_unwell(struct buf *b, const struct member *m, const struct run *r)
{
	for (uint32_t i = 0; i < r->codes.n; i++) {
		const struct subject *s = &r->subjects[i];
		if (s->status != ENUM_NIL && s->status != health_healthy &&
			sees_subject(m, r, i))
			put_slot(b, resume(m), &s->slots[SLOT_STATE]);
	}
}

static void put_snapshot(struct buf *b, const struct member *m, const struct room *room,
	const struct run *r)
{
	size_t n = room_size(room, r);
	put_open(b, m, room, r, &r->incidents);
	put_open(b, m, room, r, &r->alerts);
	if (room->kind == ROOM_FLEET)
		put_unwell(b, m, r);
	for (size_t i = 0; i < n; i++) {
		const struct slot *slots;
		int k = room_slots(room, r, i, &slots);
		if (room->kind == ROOM_FLEET && k && !sees_subject(m, r, (uint32_t)i))
			continue;
		for (int s = 0; s < k; s++)
			put_slot(b, resume(m), &slots[s]);
	}
}

static void put_room(
	struct member *m, const struct room *room, const char *type, struct buf *b)
{
	static const char *const WORDS[] = {"fleet", "location/", "battery/"};
	char name[CODE_MAX + 16];
	snprintf(name, sizeof(name), "%s%s", WORDS[room->kind], room->code);
	buf_printf(b, "{\"type\":\"%s\",\"seq\":%llu,\"room\":", type,
		(unsigned long long)resume(m));
	emit_text(b, name);
	emit_name(b, "run");
	emit_text(b, room->run);
}

/* Whether the rings still hold all after seq. */
static bool is_held(const struct run *r, uint64_t seq)
{
	return seq >= r->bulk.lost && seq >= r->urgent.lost;
}

/* Goes on reading after seq: the other rooms have had what comes until now. */
static void rewind_to(
	struct member *m, struct room *room, const struct run *r, uint64_t seq)
{
	struct place *p = place_of(m, r);
	for (int i = 0; i < m->nrooms; i++) {
		struct room *o = &m->rooms[i];
		uint64_t read = p->bulk < p->urgent ? p->bulk : p->urgent;
		if (o != room && o->run_id == r->id && o->from < read)
			o->from = read;
	}
	p->bulk = p->bulk < seq ? p->bulk : seq;
	p->urgent = p->urgent < seq ? p->urgent : seq;
	room->from = seq;
	for (uint64_t i = find_after(&r->bulk, seq); i < r->bulk.pushed; i++)
		room->told -= in_room(m, room, r, &r->bulk.v[i % r->bulk.size]);
}

static void enter(struct member *m, struct room *room, int64_t last_seq, struct buf *b)
{
	uint64_t now = m->hub->seq;
	struct run *r = hub_run(m->hub, room->run);
	room->from = now;
	refresh(m);
	bool replay = r && last_seq >= 0 && (uint64_t)last_seq <= now &&
		      is_held(r, (uint64_t)last_seq);
	if (r)
		room->told = room_total(room, r);
	if (replay)
		rewind_to(m, room, r, (uint64_t)last_seq);
	else if (last_seq >= 0) {
		m->missed_from = (uint64_t)last_seq < now ? (uint64_t)last_seq + 1 : 0;
		m->missed_to = now ? now : 1;
	}
	put_room(m, room, "subscribed", b);
	emit_name(b, "replay");
	emit_bool(b, replay);
	emit_name(b, "snapshot");
	emit_open(b, '[');
	if (r && !replay)
		put_snapshot(b, m, room, r);
	emit_close(b, ']');
	emit_close(b, '}');
}

static int join(struct member *m, const struct ws_message *w, int64_t last_seq,
	struct buf *reply, struct err *err)
{
	refresh(m); /* or rooms would move under our feet */
	int i = find_room(m, w);
	if (kind_of(w->type) != ROOM_FLEET && !may_see(m, w->code))
		return err_set(err, ERR_DATA, "no '%s'", w->code);
	if (i < 0 && m->nrooms == ROOMS_MAX)
		return err_set(err, ERR_DATA, "more than %d rooms", ROOMS_MAX);
	if (i < 0)
		i = m->nrooms++;
	struct room *room = &m->rooms[i];
	free(room->sent);
	*room = (struct room){.kind = kind_of(w->type), .subject = IDS_NONE};
	str_copy(room->code, sizeof(room->code), str_of(w->code));
	str_copy(room->run, sizeof(room->run), str_of(w->run));
	enter(m, room, last_seq, reply);
	return 0;
}

static void leave(struct member *m, const struct ws_message *w, struct buf *reply)
{
	int i = find_room(m, w);
	struct room none = {.kind = kind_of(w->type)};
	str_copy(none.code, sizeof(none.code), str_of(w->code));
	str_copy(none.run, sizeof(none.run), str_of(w->run));
	if (i >= 0)
		drop_room(m, i);
	put_room(m, &none, "unsubscribed", reply);
	emit_close(reply, '}');
}

int member_subscribe(struct member *m, const struct ws_message *w, int64_t last_seq,
	struct buf *reply, struct err *err)
{
	int r = 0;
	pthread_mutex_lock(&m->hub->lock);
	if (w->type == WS_SUBSCRIBE_FLEET || w->type == WS_SUBSCRIBE_LOCATION ||
		w->type == WS_SUBSCRIBE_BATTERY)
		r = join(m, w, last_seq, reply, err);
	else
		leave(m, w, reply);
	pthread_mutex_unlock(&m->hub->lock);
	return r;
}
