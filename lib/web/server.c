#include "web/server.h"
#include "base/now.h"
#include "db/db.h"
#include "report/style.h"
#include "web/work.h"

#include <libwebsockets.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum {
	HEAD_MAX = 4096,
	CHUNK = 16384,
	REFUSAL_MAX = 256,     /* of a WebSocket */
	BODIES_MAX = 64 << 20, /* bytes of large bodies, until they are answered */
	BODIES_OF_NETWORK_MAX = BODIES_MAX / 4,
	IDLE_S = 60,
	SLOW_S = 20,
	PING_S = 30, /* a WebSocket that is silent for so long is asked */
	GONE_S = 60, /* and given up after so long */
};

struct server {
	struct server_options o;
	struct lws_context *context;
	struct lws_vhost *vhost;
	struct lws_protocols protocols[2];
	struct work *work;
	struct sockets *sockets;
	atomic_bool stop, news;
	struct bodies *bodies; /* the large ones */
	/* The style of reports, by its hash: they are pages with a style of their own.
	 */
	char report_style[64];
};

/* What libwebsockets keeps for us with each connection. */
struct connection {
	struct exchange *x; /* being received, answered or sent */
	bool asked;         /* with the workers */
	struct socket *ws;  /* it is a WebSocket */
};

static void *open_db(void *ctx)
{
	struct server *s = ctx;
	struct err err = {0};
	struct db *db = db_open(s->o.db_url, 0, &err);
	if (!db || db_limit(db, s->o.query_ms, &err) < 0) {
		s->o.log(err.msg);
		db_close(db);
		return NULL;
	}
	return db;
}

static void close_db(void *db)
{
	db_close(db);
}

static bool answer(void *ctx, void *db, struct exchange *x)
{
	struct server *s = ctx;
	if (x->entrance)
		return sockets_admit(s->o.service, db, now_wall_ms(), x->entrance);
	api_serve(s->o.service, db, &x->req, now_wall_ms(), &x->res);
	if (*x->res.log)
		s->o.log(x->res.log);
	return db && x->res.status != 503;
}

static void wake(void *ctx)
{
	lws_cancel_service(((struct server *)ctx)->context);
}

static bool read_method(struct lws *wsi, struct request *r)
{
	static const enum lws_token_indexes TOKENS[METHOD_COUNT] = {WSI_TOKEN_GET_URI,
		WSI_TOKEN_POST_URI, WSI_TOKEN_PATCH_URI, WSI_TOKEN_DELETE_URI};
	for (int m = 0; m < METHOD_COUNT; m++)
		if (lws_hdr_total_length(wsi, TOKENS[m]) > 0) {
			r->method = (enum method)m;
			return lws_hdr_copy(wsi, r->path, sizeof(r->path), TOKENS[m]) >=
			       0;
		}
	return false;
}

static int read_query(struct lws *wsi, struct request *r, struct err *err)
{
	char fragment[1024];
	for (int i = 0;; i++) {
		int n = lws_hdr_copy_fragment(
			wsi, fragment, sizeof(fragment), WSI_TOKEN_HTTP_URI_ARGS, i);
		if (n == -1)
			return 0;
		if (n < -1)
			return err_set(err, ERR_DATA, "the query is too long");
		if (n > 0 &&
			http_add_query(r, (struct str){fragment, (uint32_t)n}, err) < 0)
			return -1;
	}
}

static long body_length(struct lws *wsi)
{
	char text[24];
	header_copy(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text));
	return *text ? strtol(text, NULL, 10) : 0;
}

/* Bodies that only devices send are counted: many at once are refused. */
static int check_large(struct server *s, struct exchange *x, size_t n)
{
	x->share = bodies_join(s->bodies, x->req.address);
	if (!x->share)
		return http_refuse(&x->res, 503, "out of memory");
	enum body_room room = bodies_room(x->share, n);
	if (room == BODY_FITS)
		return 0;
	x->res.retry_after_s = 1;
	if (room == BODY_ALL_FULL)
		return http_refuse(&x->res, 503, "too busy; try again");
	return http_refuse(&x->res, 429, "too many samples from your network at once");
}

static int check_length(struct server *s, struct lws *wsi, struct exchange *x)
{
	long n = body_length(wsi);
	x->needs = api_needs(s->o.service, &x->req);
	if (n < 0)
		return http_refuse(&x->res, 400, "Content-Length is below 0");
	if ((size_t)n > x->needs.body_max)
		return http_refuse(&x->res, 413, "the body is longer than %zu bytes",
			x->needs.body_max);
	return x->needs.body_max > BODY_MAX ? check_large(s, x, (size_t)n) : 0;
}

/* What was asked is no longer needed. */
static void release_body(struct exchange *x)
{
	if (x->share)
		bodies_leave(x->share, x->req.body.len);
	x->share = NULL;
	buf_release(&x->req.body);
}

/* The request's head into x. Returns 0, or the status of a refusal. */
static int read_head(struct server *s, struct lws *wsi, struct exchange *x)
{
	struct request *r = &x->req;
	struct err err = {0};
	lws_get_peer_simple(wsi, r->address, sizeof(r->address));
	header_copy(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, r->authorization,
		sizeof(r->authorization));
	header_copy(wsi, WSI_TOKEN_HTTP_COOKIE, r->cookie, sizeof(r->cookie));
	header_copy(wsi, WSI_TOKEN_HTTP_CONTENT_TYPE, r->content_type,
		sizeof(r->content_type));
	header_copy(wsi, WSI_TOKEN_ORIGIN, r->origin, sizeof(r->origin));
	header_copy(wsi, WSI_TOKEN_HOST, r->host, sizeof(r->host));
	header_copy(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, r->if_none_match,
		sizeof(r->if_none_match));
	header_copy(wsi, WSI_TOKEN_HTTP_ACCEPT_ENCODING, r->accept_encoding,
		sizeof(r->accept_encoding));
	if (!read_method(wsi, r))
		return http_refuse(&x->res, 405, "not this method");
	if (read_query(wsi, r, &err) < 0)
		return http_refuse(&x->res, 422, "%s", err.msg);
	return check_length(s, wsi, x);
}

static int answer_now(struct lws *wsi, struct exchange *x)
{
	x->done = true;
	lws_callback_on_writable(wsi);
	return 0;
}

static int ask(struct server *s, struct lws *wsi, struct connection *c)
{
	struct exchange *x = c->x;
	if (x->needs.alone) {
		api_serve(s->o.service, NULL, &x->req, now_wall_ms(), &x->res);
		return answer_now(wsi, x);
	}
	c->asked = true;
	if (work_put(s->work, x))
		return 0;
	c->asked = false;
	x->res.retry_after_s = 1;
	http_refuse(&x->res, 503, "too busy; try again");
	return answer_now(wsi, x);
}

/* All else is the page's. */
static bool is_api(const char *path)
{
	return strncmp(path, API_BASE "/", sizeof(API_BASE)) == 0;
}

static int on_request(struct server *s, struct lws *wsi, struct connection *c)
{
	c->asked = false;
	c->x = exchange_new();
	if (!c->x)
		return -1;
	c->x->socket = wsi;
	c->x->begun_ms = now_steady_ms();
	if (read_head(s, wsi, c->x) != 0)
		return answer_now(wsi, c->x);
	if (!is_api(c->x->req.path)) {
		assets_serve(s->o.assets, &c->x->req, &c->x->res);
		return answer_now(wsi, c->x);
	}
	if (body_length(wsi) > 0)
		return 0;
	return ask(s, wsi, c);
}

static int on_body(struct server *s, struct connection *c, const void *in, size_t n)
{
	/* What comes unannounced, when the workers have it already, is not read. */
	if (!c->x || c->asked || c->x->done)
		return 0;
	struct buf *b = &c->x->req.body;
	bool late = s->o.body_ms && now_steady_ms() - c->x->begun_ms > s->o.body_ms;
	if (late || b->len + n > c->x->needs.body_max || buf_reserve(b, n) < 0 ||
		(c->x->share && !bodies_take(c->x->share, n)))
		return -1;
	buf_append(b, in, n);
	return 0;
}

static int on_body_end(struct server *s, struct lws *wsi, struct connection *c)
{
	if (!c->x || c->x->done || c->asked)
		return 0;
	return ask(s, wsi, c);
}

struct head {
	struct lws *wsi;
	unsigned char *p, *end;
	bool full;
};

static void put_header(struct head *h, const char *name, const char *value)
{
	h->full |= lws_add_http_header_by_name(h->wsi, (const unsigned char *)name,
			   (const unsigned char *)value, (int)strlen(value), &h->p,
			   h->end) != 0;
}

/* On everything we send: nothing is guessed, framed, leaked or scripted from
 * elsewhere (ASVS 5.0, 3.4). */
static void put_security(struct head *h, const struct server *s)
{
	char policy[512];
	snprintf(policy, sizeof(policy),
		"default-src 'none'; script-src 'self'; style-src 'self' '%s'; img-src "
		"'self' data:; font-src 'self'; connect-src 'self'; media-src 'self'; "
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		s->report_style);
	put_header(h, "x-content-type-options:", "nosniff");
	put_header(h, "referrer-policy:", "no-referrer");
	put_header(h, "cross-origin-opener-policy:", "same-origin");
	put_header(h, "cross-origin-resource-policy:", "same-origin");
	put_header(h, "content-security-policy:", policy);
	if (s->o.cert)
		put_header(h, "strict-transport-security:", "max-age=63072000");
}

static void put_answer_headers(struct head *h, const struct response *r)
{
	char seconds[16];
	put_header(h, "content-type:", r->type ? r->type : "application/json");
	put_header(h, "cache-control:", r->cache ? r->cache : "no-store");
	if (r->etag)
		put_header(h, "etag:", r->etag);
	if (r->encoding)
		put_header(h, "content-encoding:", r->encoding);
	if (r->varies)
		put_header(h, "vary:", "Accept-Encoding");
	if (*r->set_cookie)
		put_header(h, "set-cookie:", r->set_cookie);
	if (r->status == 401)
		put_header(h, "www-authenticate:", "Bearer");
	if (r->retry_after_s > 0) {
		snprintf(seconds, sizeof(seconds), "%d", r->retry_after_s);
		put_header(h, "retry-after:", seconds);
	}
}

static int send_head(struct server *s, struct lws *wsi, const struct response *r)
{
	unsigned char buf[LWS_PRE + HEAD_MAX], *start = buf + LWS_PRE;
	struct head h = {wsi, start, buf + sizeof(buf) - 1, false};
	if (lws_add_http_header_status(wsi, (unsigned)r->status, &h.p, h.end))
		return -1;
	put_security(&h, s);
	put_answer_headers(&h, r);
	if (h.full ||
		lws_add_http_header_content_length(wsi, r->body.len, &h.p, h.end) ||
		lws_finalize_write_http_header(wsi, start, &h.p, h.end))
		return -1;
	return 0;
}

static int finish(struct server *s, struct lws *wsi, struct connection *c)
{
	release_body(c->x);
	exchange_free(c->x);
	c->x = NULL;
	return lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* A piece of the body; the connection is ours again when all is sent. */
static int send_body(struct server *s, struct lws *wsi, struct connection *c)
{
	unsigned char buf[LWS_PRE + CHUNK];
	struct exchange *x = c->x;
	size_t left = x->res.body.len - x->sent, n = left < CHUNK ? left : CHUNK;
	memcpy(buf + LWS_PRE, x->res.body.data + x->sent, n);
	if (lws_write(wsi, buf + LWS_PRE, n,
		    n == left ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)n)
		return -1;
	x->sent += n;
	if (n == left)
		return finish(s, wsi, c);
	lws_callback_on_writable(wsi);
	return 0;
}

static int on_writable(struct server *s, struct lws *wsi, struct connection *c)
{
	if (!c->x || !c->x->done)
		return 0;
	if (c->x->sent > 0)
		return send_body(s, wsi, c);
	if (send_head(s, wsi, &c->x->res) < 0)
		return -1;
	if (c->x->res.body.len == 0)
		return finish(s, wsi, c);
	return send_body(s, wsi, c);
}

/* An exchange that is with the workers is freed when it comes back. */
static void on_closed(struct connection *c)
{
	struct exchange *x = c->x;
	c->x = NULL;
	if (x && c->asked && !x->done) {
		x->socket = NULL;
	} else if (x) {
		release_body(x);
		exchange_free(x);
	}
}

/* After these somebody's session may have ended, or what they may see have changed. */
static bool changes_sessions(const struct request *r)
{
	static const char *const PATHS[] = {API_BASE "/auth/logout",
		API_BASE "/auth/change-password", API_BASE "/auth/users"};
	for (size_t i = 0; i < sizeof(PATHS) / sizeof(*PATHS); i++)
		if (r->method != METHOD_GET &&
			strncmp(r->path, PATHS[i], strlen(PATHS[i])) == 0)
			return true;
	return false;
}

static void take_answers(struct server *s)
{
	struct exchange *x;
	while ((x = work_take(s->work))) {
		if (x->entrance) {
			sockets_admitted(s->sockets, x);
			continue;
		}
		release_body(x);
		if (changes_sessions(&x->req))
			sockets_recheck(s->sockets);
		if (!x->socket) {
			exchange_free(x);
			continue;
		}
		x->done = true;
		lws_callback_on_writable(x->socket);
	}
}

/* A refusal is written at once: it is short, and nothing else waits on the socket. */
static int on_upgrade(struct server *s, struct lws *wsi)
{
	unsigned char text[LWS_PRE + REFUSAL_MAX];
	struct response res = {0};
	if (sockets_filter(s->sockets, wsi, &res) == 0)
		return 0;
	size_t n = res.body.len;
	bool fits = !res.body.failed && n <= REFUSAL_MAX;
	if (fits)
		memcpy(text + LWS_PRE, res.body.data, n);
	int r = fits && send_head(s, wsi, &res) == 0 &&
				lws_write(wsi, text + LWS_PRE, n,
					LWS_WRITE_HTTP_FINAL) == (int)n
			? 1
			: -1;
	buf_release(&res.body);
	return r;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user,
	void *in, size_t len)
{
	struct server *s = lws_context_user(lws_get_context(wsi));
	struct connection *c = user;
	/* Most of the many reasons are not for us. */
	int why = (int)reason;
	switch (why) {
	case LWS_CALLBACK_HTTP:
		return on_request(s, wsi, c);
	case LWS_CALLBACK_HTTP_BODY:
		return on_body(s, c, in, len);
	case LWS_CALLBACK_HTTP_BODY_COMPLETION:
		return on_body_end(s, wsi, c);
	case LWS_CALLBACK_HTTP_WRITEABLE:
		return on_writable(s, wsi, c);
	case LWS_CALLBACK_CLOSED_HTTP:
		if (c)
			on_closed(c);
		return 0;
	case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
		if (s && s->work)
			take_answers(s);
		if (s && s->sockets && atomic_exchange(&s->news, false))
			sockets_wake(s->sockets);
		return 0;
	case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
		return on_upgrade(s, wsi);
	case LWS_CALLBACK_ESTABLISHED:
	case LWS_CALLBACK_RECEIVE:
	case LWS_CALLBACK_SERVER_WRITEABLE:
	case LWS_CALLBACK_TIMER:
	case LWS_CALLBACK_CLOSED:
		return sockets_event(
			s->sockets, wsi, c ? &c->ws : NULL, reason, in, len);
	default:
		return 0;
	}
}

static int listen_on(struct server *s, struct err *err)
{
	static const lws_retry_bo_t IDLE = {
		.secs_since_valid_ping = PING_S, .secs_since_valid_hangup = GONE_S};
	struct lws_context_creation_info info = {0};
	s->protocols[0] = (struct lws_protocols){.name = "http",
		.callback = on_event,
		.per_session_data_size = sizeof(struct connection)};
	info.port = s->o.port;
	info.iface = s->o.address;
	info.protocols = s->protocols;
	info.user = s;
	info.gid = (gid_t)-1;
	info.uid = (uid_t)-1;
	info.options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
	info.keepalive_timeout = IDLE_S;
	info.timeout_secs = SLOW_S;
	info.retry_and_idle_policy = &IDLE;
	info.server_string = "floatline";
	if (s->o.cert) {
		info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
		info.ssl_cert_filepath = s->o.cert;
		info.ssl_private_key_filepath = s->o.key;
		info.alpn = "http/1.1";
	}
	s->context = lws_create_context(&info);
	s->vhost = s->context ? lws_create_vhost(s->context, &info) : NULL;
	if (!s->vhost)
		return err_set(err, ERR_IO,
			"cannot listen on '%s' port %d: is it in use, the address this "
			"machine's%s?",
			s->o.address, s->o.port,
			s->o.cert ? ", the certificate and its key readable" : "");
	return 0;
}

/* "sha256-…", as a content security policy names a text. */
static void name_style(struct server *s)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(
		sizeof(hash), sodium_base64_VARIANT_ORIGINAL)];
	crypto_hash_sha256(
		hash, (const unsigned char *)REPORT_STYLE, strlen(REPORT_STYLE));
	sodium_bin2base64(
		text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	snprintf(s->report_style, sizeof(s->report_style), "sha256-%s", text);
}

struct server *server_new(const struct server_options *o, struct err *err)
{
	struct server *s = calloc(1, sizeof(*s));
	if (!s) {
		err_nomem(err);
		return NULL;
	}
	s->o = *o;
	name_style(s);
	lws_set_log_level(0, NULL);
	s->bodies = bodies_new(BODIES_MAX, BODIES_OF_NETWORK_MAX);
	if (!s->bodies)
		err_nomem(err);
	else if (listen_on(s, err) == 0) {
		struct work_options w = {SERVER_WORKERS, SERVER_QUEUE, open_db,
			close_db, answer, wake, s};
		s->work = work_new(&w);
		if (s->work)
			s->sockets = sockets_new(&o->sockets, o->hub, s->work);
		if (s->sockets)
			return s;
		err_set(err, ERR_IO, "cannot start threads");
	}
	server_free(s);
	return NULL;
}

int server_port(const struct server *s)
{
	return lws_get_vhost_listen_port(s->vhost);
}

int server_run(struct server *s, struct err *err)
{
	while (!atomic_load(&s->stop))
		if (lws_service(s->context, 0) < 0)
			return err_set(err, ERR_IO, "the sockets cannot be served");
	return 0;
}

void server_stop(struct server *s)
{
	atomic_store(&s->stop, true);
	lws_cancel_service(s->context);
}

void server_wake(struct server *s)
{
	/* One cancel a time: the next news are found by the same look. */
	if (!atomic_exchange(&s->news, true))
		lws_cancel_service(s->context);
}

void server_free(struct server *s)
{
	if (!s)
		return;
	/* The sockets go while the exchanges they point to are still there, and the
	 * workers, who wake the sockets, before. */
	if (s->work)
		work_stop(s->work);
	if (s->context)
		lws_context_destroy(s->context);
	sockets_free(s->sockets);
	work_free(s->work);
	bodies_free(s->bodies);
	free(s);
}
