#include "web/socket.h"

#include "base/now.h"
#include "web/emit.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	CHUNK = 16384,  /* bytes of one write */
	BATCH = 32768,  /* bytes of updates in one message, about */
	TURN = 32,      /* messages before others have their turn */
	ASKED_MAX = 16, /* questions with the workers at once */
	AUTH_S = 10,    /* to say who it is */
	RECHECK_S = 10, /* between two looks at its session */
	STALLED_S = 30, /* its socket takes nothing */
	REPLAY_S = 5,   /* so long the last_seq of the beginning holds for rooms */
	CLOSE_S = 5,    /* for the closing handshake */
	SNAPSHOTS = 64 << 20, /* bytes of answers that wait, of all */
};

enum { CLOSE_WHO = 4401, CLOSE_NOT_ALLOWED = 4403, CLOSE_SLOW = 1013 };

enum phase { PHASE_NEW, PHASE_OPEN, PHASE_CLOSING };

struct socket {
	struct sockets *all;
	struct socket *next, *previous;
	struct lws *wsi;
	enum phase phase;
	char network[NETWORK_SIZE]; /* where it comes from */
	bool asked, recheck;        /* with the workers; to be asked about */
	bool batch;                 /* takes updates in arrays */
	bool to_say; /* who it is was asked by the client: to be answered */
	struct exchange *x;
	struct claims claims;
	struct account account; /* id 0: it has not said who it is */
	struct member *member;
	struct buf in;           /* a message coming in */
	struct buf reply;        /* to be sent before any update */
	struct buf out;          /* being sent */
	size_t sent;             /* of it */
	int64_t opened, checked; /* monotonic ms */
	int64_t choked_since;
	int64_t last_seq;
	int close_code;
	const char *close_text;
};

struct sockets {
	struct sockets_options o;
	struct hub *hub;
	struct work *work;
	struct socket *first;
	int n, asked;
	size_t waiting; /* bytes of answers */
};

struct sockets *sockets_new(
	const struct sockets_options *o, struct hub *hub, struct work *work)
{
	struct sockets *s = calloc(1, sizeof(*s));
	if (s)
		*s = (struct sockets){.o = *o, .hub = hub, .work = work};
	return s;
}

void sockets_free(struct sockets *s)
{
	free(s);
}

/* --- who may open one --- */

void header_copy(struct lws *wsi, enum lws_token_indexes token, char *dst, size_t size)
{
	if (lws_hdr_copy(wsi, dst, (int)size, token) < 0)
		dst[0] = '\0';
}

/* The origin's host and port are the server's, as the client calls it. */
static bool is_own_origin(const char *origin, const char *host)
{
	const char *p = strncmp(origin, "http://", 7) == 0    ? origin + 7
			: strncmp(origin, "https://", 8) == 0 ? origin + 8
							      : "";
	return *p && strcmp(p, host) == 0;
}

/* Browsers say whose page it is; other programs need not, they have no user to betray.
 */
static bool origin_allowed(const struct sockets *s, struct lws *wsi)
{
	char origin[256], host[256];
	if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0)
		return true;
	header_copy(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
	header_copy(wsi, WSI_TOKEN_HOST, host, sizeof(host));
	for (int i = 0; i < s->o.norigins; i++)
		if (strcmp(s->o.origins[i], origin) == 0)
			return true;
	return is_own_origin(origin, host);
}

static void find_network(struct lws *wsi, char network[NETWORK_SIZE])
{
	char address[NETWORK_SIZE] = "";
	lws_get_peer_simple(wsi, address, sizeof(address));
	limit_network(address, network);
}

static int unknown_from(const struct sockets *s, const char *network)
{
	int n = 0;
	for (const struct socket *c = s->first; c; c = c->next)
		n += !c->account.id && strcmp(c->network, network) == 0;
	return n;
}

int sockets_filter(struct sockets *s, struct lws *wsi, struct response *res)
{
	char path[64], network[NETWORK_SIZE];
	header_copy(wsi, WSI_TOKEN_GET_URI, path, sizeof(path));
	if (strcmp(path, SOCKET_PATH) != 0)
		return http_refuse(res, 404, "no WebSocket here");
	if (!origin_allowed(s, wsi))
		return http_refuse(res, 403, "this origin is not allowed");
	if (s->n >= s->o.most)
		return http_refuse(res, 503, "too many connections; try again");
	find_network(wsi, network);
	if (unknown_from(s, network) < s->o.most_unknown)
		return 0;
	res->retry_after_s = AUTH_S;
	return http_refuse(
		res, 429, "too many connections that have not said who they are");
}

static int establish(struct sockets *s, struct lws *wsi, struct socket **slot)
{
	struct socket *c = calloc(1, sizeof(*c));
	if (!c || !(c->member = member_new(s->hub))) {
		free(c);
		return -1;
	}
	c->all = s;
	c->wsi = wsi;
	c->opened = c->checked = now_steady_ms();
	find_network(wsi, c->network);
	c->last_seq = LAST_NONE;
	c->next = s->first;
	if (s->first)
		s->first->previous = c;
	s->first = c;
	s->n++;
	*slot = c;
	lws_set_timer_usecs(wsi, LWS_USEC_PER_SEC);
	return 0;
}

static void forget(struct socket **slot)
{
	struct socket *c = *slot;
	if (!c)
		return;
	*(c->previous ? &c->previous->next : &c->all->first) = c->next;
	if (c->next)
		c->next->previous = c->previous;
	if (c->x)
		c->x->socket = NULL;
	c->all->n--;
	c->all->waiting -= c->reply.len;
	member_free(c->member);
	buf_release(&c->in);
	buf_release(&c->reply);
	buf_release(&c->out);
	free(c);
	*slot = NULL;
}

/* --- how it goes --- */

static void shut(struct socket *c, int code, const char *text)
{
	if (c->phase == PHASE_CLOSING)
		return;
	c->phase = PHASE_CLOSING;
	c->close_code = code;
	c->close_text = text;
	lws_callback_on_writable(c->wsi);
	lws_set_timeout(c->wsi, PENDING_TIMEOUT_CLOSE_SEND, CLOSE_S);
}

static int say_goodbye(struct socket *c)
{
	char text[100];
	str_copy(text, sizeof(text), str_of(c->close_text));
	lws_close_reason(c->wsi, (enum lws_close_status)c->close_code,
		(unsigned char *)text, strlen(text));
	return -1;
}

/* --- what it says --- */

/* No more is read before the answer is on its way. */
static void answer(struct socket *c)
{
	c->all->waiting += c->reply.len;
	lws_rx_flow_control(c->wsi, 0);
	lws_callback_on_writable(c->wsi);
}

static void answer_error(struct socket *c, const char *detail)
{
	buf_clear(&c->reply);
	buf_puts(&c->reply, "{\"type\":\"error\",\"detail\":");
	emit_text(&c->reply, detail);
	emit_close(&c->reply, '}');
	answer(c);
}

static void answer_connected(struct socket *c)
{
	struct buf *b = &c->reply;
	buf_clear(b);
	buf_printf(b, "{\"type\":\"connected\",\"seq\":%llu",
		(unsigned long long)hub_seq(c->all->hub));
	emit_name(b, "feed");
	emit_text(b, hub_id(c->all->hub));
	emit_name(b, "user");
	emit_text(b, c->account.username);
	emit_name(b, "expires");
	emit_time(b, c->claims.expires);
	emit_close(b, '}');
	answer(c);
}

/* Gives a question to the workers. Without room for it, it waits. */
static void ask(struct socket *c, const char *token)
{
	struct exchange *x = exchange_new();
	struct entrance *e = x ? calloc(1, sizeof(*e)) : NULL;
	if (!e) {
		exchange_free(x);
		return;
	}
	x->entrance = e;
	x->socket = c;
	e->claims = c->claims;
	str_copy(e->token, sizeof(e->token), str_of(token));
	if (!work_put(c->all->work, x)) {
		exchange_free(x);
		return;
	}
	c->x = x;
	c->asked = true;
	c->recheck = false;
	c->all->asked++;
}

static void on_auth(struct socket *c, const struct ws_message *w)
{
	if (c->phase == PHASE_NEW) {
		c->batch = w->batch;
		bool ours = strcmp(w->feed, hub_id(c->all->hub)) == 0;
		c->last_seq = w->last_seq < 0 ? LAST_NONE
			      : ours          ? w->last_seq
					      : INT64_MAX;
	}
	/* An answer that is on its way is about the token before. */
	if (c->x) {
		c->x->socket = NULL;
		c->x = NULL;
		c->asked = false;
	}
	c->to_say = true;
	ask(c, w->token);
	if (c->asked)
		lws_rx_flow_control(c->wsi, 0);
	else
		answer_error(c, "too busy; try again");
}

static void on_room(struct socket *c, const struct ws_message *w)
{
	struct err err = {0};
	int64_t last = w->last_seq;
	if (last == LAST_UNSAID)
		last = now_steady_ms() - c->opened < REPLAY_S * 1000 ? c->last_seq
								     : LAST_NONE;
	buf_clear(&c->reply);
	if (c->all->waiting > SNAPSHOTS)
		answer_error(c, "too busy; try again");
	else if (member_subscribe(c->member, w, last, &c->reply, &err) < 0)
		answer_error(c, err.msg);
	else if (c->reply.failed)
		answer_error(c, "out of memory; try again");
	else
		answer(c);
}

static void on_message(struct socket *c)
{
	struct ws_message w;
	struct err err = {0};
	if (ws_message_read((const char *)c->in.data, c->in.len, &w, &err) < 0) {
		if (c->phase == PHASE_NEW)
			shut(c, CLOSE_WHO, "the first message is the token");
		else
			answer_error(c, err.msg);
		return;
	}
	if (w.type == WS_AUTH)
		on_auth(c, &w);
	else if (c->phase == PHASE_NEW)
		shut(c, CLOSE_WHO, "the first message is the token");
	else if (w.type == WS_PING) {
		buf_clear(&c->reply);
		buf_puts(&c->reply, "{\"type\":\"pong\"}");
		answer(c);
	} else
		on_room(c, &w);
}

static int on_receive(struct socket *c, const void *in, size_t n)
{
	if (c->phase == PHASE_CLOSING)
		return 0;
	if (lws_frame_is_binary(c->wsi)) {
		shut(c, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "messages are text");
		return 0;
	}
	if (c->in.len + n + lws_remaining_packet_payload(c->wsi) > WS_MESSAGE_MAX) {
		shut(c, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too long");
		return 0;
	}
	buf_append(&c->in, in, n);
	if (c->in.failed)
		return -1;
	if (lws_is_final_fragment(c->wsi) &&
		lws_remaining_packet_payload(c->wsi) == 0) {
		on_message(c);
		buf_clear(&c->in);
	}
	return 0;
}

/* --- what it is told --- */

/* As many updates as a message is to have: a system call for each would be what takes
 * the time when two thousand batteries are sampled at once. */
static bool next_batch(struct socket *c)
{
	struct buf *b = &c->out;
	int64_t now = now_steady_ms();
	buf_putc(b, '[');
	while (b->len < BATCH && member_next(c->member, now, b))
		buf_putc(b, ',');
	if (b->len == 1)
		return false;
	if (b->data[b->len - 1] == ',')
		b->len--;
	buf_putc(b, ']');
	return true;
}

static bool next_updates(struct socket *c)
{
	if (c->phase != PHASE_OPEN)
		return false;
	bool some = c->batch ? next_batch(c)
			     : member_next(c->member, now_steady_ms(), &c->out);
	if (!some)
		buf_clear(&c->out);
	return some && !c->out.failed;
}

/* The next message into c->out. Returns false when there is none. */
static bool next_message(struct socket *c)
{
	buf_clear(&c->out);
	c->sent = 0;
	if (c->reply.len) {
		struct buf empty = c->out;
		c->all->waiting -= c->reply.len;
		c->out = c->reply;
		c->reply = empty;
		lws_rx_flow_control(c->wsi, 1);
		return true;
	}
	return next_updates(c);
}

static int write_piece(struct socket *c)
{
	unsigned char piece[LWS_PRE + CHUNK];
	size_t left = c->out.len - c->sent, n = left < CHUNK ? left : CHUNK;
	int flags = lws_write_ws_flags(LWS_WRITE_TEXT, c->sent == 0, n == left);
	memcpy(piece + LWS_PRE, c->out.data + c->sent, n);
	if (lws_write(c->wsi, piece + LWS_PRE, n, (enum lws_write_protocol)flags) <
		(int)n)
		return -1;
	c->sent += n;
	return 0;
}

/* A big message is nothing to keep the memory of. */
static void trim(struct buf *b)
{
	if (b->cap > CHUNK)
		buf_release(b);
}

static int on_writable(struct socket *c)
{
	if (c->phase == PHASE_CLOSING)
		return say_goodbye(c);
	for (int i = 0; i < TURN; i++) {
		if (lws_send_pipe_choked(c->wsi))
			break;
		if (c->sent == c->out.len) {
			trim(&c->out);
			if (!next_message(c)) {
				c->choked_since = 0;
				return 0;
			}
		}
		if (write_piece(c) < 0)
			return -1;
		c->choked_since = 0;
	}
	int64_t now = now_steady_ms();
	member_behind(c->member, now);
	if (!c->choked_since)
		c->choked_since = now;
	lws_callback_on_writable(c->wsi);
	return 0;
}

void sockets_wake(struct sockets *s)
{
	for (struct socket *c = s->first; c; c = c->next)
		if (c->phase == PHASE_OPEN && member_has_news(c->member))
			lws_callback_on_writable(c->wsi);
}

/* --- whether it may stay --- */

bool sockets_admit(
	const struct service *service, struct db *db, int64_t now, struct entrance *e)
{
	struct err err = {0};
	e->state = ENTRANCE_UNKNOWN;
	if (!db)
		return false;
	if (*e->token && access_token_read(&service->key, str_of(e->token), now,
				 &e->claims) != TOKEN_GOOD) {
		e->state = ENTRANCE_SHUT;
		return true;
	}
	int alive = session_check(db, &e->claims, now, &e->account, &err);
	if (alive >= 0)
		e->state = alive ? ENTRANCE_OPEN : ENTRANCE_SHUT;
	return alive >= 0;
}

static int of_account(const struct sockets *s, int64_t user)
{
	int n = 0;
	for (const struct socket *c = s->first; c; c = c->next)
		n += c->phase == PHASE_OPEN && c->account.id == user;
	return n;
}

/* The database says that it may. */
static void let_in(struct socket *c, const struct entrance *e)
{
	bool fresh = c->phase == PHASE_NEW;
	if (fresh && of_account(c->all, e->account.id) >= c->all->o.most_per_account) {
		shut(c, CLOSE_NOT_ALLOWED, "too many connections of this account");
		return;
	}
	if (!fresh && e->account.id != c->account.id) {
		shut(c, CLOSE_NOT_ALLOWED, "another account needs its own connection");
		return;
	}
	c->phase = PHASE_OPEN;
	c->claims = e->claims;
	c->account = e->account;
	c->checked = now_steady_ms();
	if (fresh)
		c->opened = c->checked;
	member_set_account(c->member, &c->account);
	if (c->to_say)
		answer_connected(c);
	c->to_say = false;
}

static void settle(struct socket *c, const struct entrance *e)
{
	if (e->state == ENTRANCE_OPEN)
		let_in(c, e);
	else if (e->state == ENTRANCE_SHUT)
		shut(c, CLOSE_WHO, "the token is not valid, or no longer");
	else if (c->to_say) {
		c->to_say = false;
		answer_error(c, "the database does not answer; try again");
	} else /* a database that is away shuts nobody out */
		c->checked = now_steady_ms();
}

static void ask_next(struct sockets *s)
{
	for (struct socket *c = s->first; c && s->asked < ASKED_MAX; c = c->next)
		if (c->recheck && !c->asked && c->phase == PHASE_OPEN)
			ask(c, "");
}

void sockets_admitted(struct sockets *s, struct exchange *x)
{
	struct socket *c = x->socket;
	s->asked--;
	if (c) {
		c->x = NULL;
		c->asked = false;
		if (c->phase != PHASE_CLOSING)
			settle(c, x->entrance);
	}
	exchange_free(x);
	ask_next(s);
}

void sockets_recheck(struct sockets *s)
{
	for (struct socket *c = s->first; c; c = c->next)
		c->recheck = true;
	ask_next(s);
}

static int on_timer(struct socket *c)
{
	int64_t now = now_steady_ms();
	lws_set_timer_usecs(c->wsi, LWS_USEC_PER_SEC);
	if (c->phase == PHASE_NEW && now - c->opened > AUTH_S * 1000)
		shut(c, CLOSE_WHO, "no token came");
	if (c->phase != PHASE_OPEN)
		return 0;
	if (now_wall_ms() >= c->claims.expires)
		shut(c, CLOSE_WHO, "the token has expired");
	else if (c->choked_since && now - c->choked_since > STALLED_S * 1000)
		shut(c, CLOSE_SLOW, "too slow");
	else if (now - c->checked > RECHECK_S * 1000) {
		c->recheck = true;
		ask_next(c->all);
	}
	if (member_has_news(c->member))
		lws_callback_on_writable(c->wsi);
	return 0;
}

int sockets_event(struct sockets *s, struct lws *wsi, struct socket **slot,
	enum lws_callback_reasons reason, void *in, size_t len)
{
	int why = (int)reason; /* most of the many reasons are not for us */
	if (why == LWS_CALLBACK_ESTABLISHED)
		return establish(s, wsi, slot);
	if (!*slot)
		return 0;
	switch (why) {
	case LWS_CALLBACK_RECEIVE:
		return on_receive(*slot, in, len);
	case LWS_CALLBACK_SERVER_WRITEABLE:
		return on_writable(*slot);
	case LWS_CALLBACK_TIMER:
		return on_timer(*slot);
	case LWS_CALLBACK_CLOSED:
		forget(slot);
		return 0;
	default:
		return 0;
	}
}
