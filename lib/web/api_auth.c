/* /auth: log in and out, and who one is. */
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

#include <stdio.h>

/* __Host-: only from this host, only over https, for the whole of it (RFC 6265bis). */
static const char COOKIE[] = "__Host-floatline", PLAIN_COOKIE[] = "floatline";

static void set_cookie(struct call *c, const char *token, int64_t age_s)
{
	bool secure = c->service->secure_cookies;
	snprintf(c->res->set_cookie, sizeof(c->res->set_cookie),
		"%s=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%lld%s",
		secure ? COOKIE : PLAIN_COOKIE, token, (long long)age_s,
		secure ? "; Secure" : "");
}

void emit_account(struct buf *b, const struct account *a)
{
	emit_open(b, '{');
	emit_name(b, "id");
	emit_int(b, a->id);
	emit_name(b, "username");
	emit_text(b, a->username);
	emit_name(b, "full_name");
	emit_text(b, *a->full_name ? a->full_name : NULL);
	emit_name(b, "email");
	emit_text(b, *a->email ? a->email : NULL);
	emit_name(b, "role");
	emit_text(b, role_word(a->role));
	emit_name(b, "sites");
	emit_text(b, *a->sites ? a->sites : NULL);
	emit_name(b, "active");
	emit_bool(b, a->active);
	emit_name(b, "last_login");
	emit_time(b, a->last_login);
	emit_close(b, '}');
}

/* The refresh token goes into a cookie that no script can read; into the body only for
 * a client without cookies, which says so. */
static int grant(struct call *c, const struct session *s, bool in_body)
{
	char token[ACCESS_TOKEN_SIZE];
	struct claims claims = {s->account.id, s->id, c->now, c->now + ACCESS_MS};
	access_token_make(&c->service->key, &claims, token);
	emit_open(c->out, '{');
	emit_name(c->out, "access_token");
	emit_text(c->out, token);
	emit_name(c->out, "token_type");
	emit_text(c->out, "bearer");
	emit_name(c->out, "expires_in");
	emit_int(c->out, ACCESS_MS / SECOND_MS);
	if (in_body) {
		emit_name(c->out, "refresh_token");
		emit_text(c->out, s->refresh_token);
	} else {
		set_cookie(c, s->refresh_token, REFRESH_MS / SECOND_MS);
	}
	emit_name(c->out, "user");
	emit_account(c->out, &s->account);
	emit_close(c->out, '}');
	return 200;
}

static int too_many(struct call *c, int64_t wait_ms)
{
	c->res->retry_after_s = (int)((wait_ms + 999) / 1000);
	return http_refuse(c->res, 429, "too many attempts: try again in %d s",
		c->res->retry_after_s);
}

const struct param LOGIN_PARAMS[] = {{"username", PARAM_TEXT, "name of the user", true,
					     1, USERNAME_MAX - 1, NULL, NULL},
	{"password", PARAM_TEXT, "password", true, 1, PASSWORD_MAX, NULL, NULL},
	{"token_in", PARAM_WORD,
		"where the refresh token goes: the cookie, or the answer's body", false,
		0, 0, "cookie|body", "cookie"},
	{0}};

struct attempt {
	struct call *c;
	const struct session *s;
	int result;
};

static int write_attempt(struct db *db, void *ctx, struct err *err)
{
	const struct attempt *a = ctx;
	bool refused = a->result == LOGIN_REFUSED;
	if (refused && session_refused(db, a->s, a->c->now, err) < 0)
		return -1;
	return call_audit(a->c, call_value(a->c, "username"),
		a->result == LOGIN_OK ? "login" : "login.refused", NULL, err);
}

int api_login(struct call *c, struct err *err)
{
	struct session s;
	int64_t wait = limit_take(c->service->limit, c->req->address, c->now);
	if (wait > 0)
		return too_many(c, wait);
	int r = session_login(c->db, call_value(c, "username"),
		call_value(c, "password"), c->req->address, c->now, &s, err);
	struct attempt a = {c, &s, r};
	if (r < 0 || db_transaction(c->db, write_attempt, &a, err) < 0)
		return -1;
	if (r == LOGIN_LOCKED)
		return too_many(c, s.account.locked_until - c->now);
	if (r == LOGIN_REFUSED)
		return http_refuse(c->res, 401, "wrong name or password");
	return grant(c, &s, strcmp(call_value(c, "token_in"), "body") == 0);
}

const struct param REFRESH_PARAMS[] = {
	{"refresh_token", PARAM_TEXT, "of a client without cookies", false, 1,
		REFRESH_TOKEN_SIZE - 1, NULL, NULL},
	{0}};

/* A page of another origin can send the cookie's owner here, but not read the answer;
 * it is refused all the same (ASVS 5.0, 3.5). */
static bool foreign_origin(const struct request *r)
{
	const char *host = strstr(r->origin, "://");
	return *r->origin && (!host || strcmp(host + 3, r->host) != 0);
}

int api_refresh(struct call *c, struct err *err)
{
	struct session s;
	char cookie[HEADER_MAX];
	const char *token = call_value(c, "refresh_token");
	bool in_body = token != NULL;
	if (!in_body && foreign_origin(c->req))
		return http_refuse(c->res, 403, "not from another origin");
	if (!in_body &&
		http_cookie(c->req, c->service->secure_cookies ? COOKIE : PLAIN_COOKIE,
			cookie, sizeof(cookie)))
		token = cookie;
	if (!token)
		return http_refuse(c->res, 401, "no refresh token");
	int r = session_refresh(c->db, str_of(token), c->now, &s, err);
	if (r < 0)
		return -1;
	if (r == 0) {
		set_cookie(c, "", 0);
		return http_refuse(c->res, 401, "the refresh token is not valid");
	}
	return grant(c, &s, in_body);
}

static int end_session(struct call *c, void *ctx, struct err *err)
{
	return session_end(c->db, c->session, c->now, err) < 0 ? -1 : 1;
}

int api_logout(struct call *c, struct err *err)
{
	if (call_change(c, "logout", NULL, NULL, end_session, NULL, err) < 0)
		return -1;
	set_cookie(c, "", 0);
	return 204;
}

const struct param PASSWORD_PARAMS[] = {
	{"current", PARAM_TEXT, "the password until now", true, 1, PASSWORD_MAX, NULL,
		NULL},
	{"password", PARAM_TEXT, "the new one", true, 1, PASSWORD_MAX, NULL, NULL},
	{0}};

static int set_password(struct call *c, void *hash, struct err *err)
{
	int r = account_set_password(c->db, &c->account, hash, c->session, c->now, err);
	return r < 0 ? -1 : 1;
}

int api_change_password(struct call *c, struct err *err)
{
	char hash[PASSWORD_HASH_SIZE];
	int64_t wait = limit_take(c->service->limit, c->req->address, c->now);
	if (wait > 0)
		return too_many(c, wait);
	int known = account_has_password(
		c->db, c->account.id, call_value(c, "current"), err);
	if (known < 0)
		return -1;
	if (known == 0)
		return call_audit(c, c->account.username, "password.refused",
			       c->account.username, err) < 0
			       ? -1
			       : http_refuse(c->res, 403,
					 "the current password is another");
	return account_hash(&c->account, call_value(c, "password"), hash, err) < 0 ||
			       call_change(c, "password", c->account.username, NULL,
				       set_password, hash, err) < 0
		       ? -1
		       : 204;
}

int api_me(struct call *c, struct err *err)
{
	emit_account(c->out, &c->account);
	return 200;
}
