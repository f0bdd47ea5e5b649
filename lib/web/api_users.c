/* /auth/users: accounts, for admins. */
#include "web/api.h"
#include "web/cell.h"
#include "web/emit.h"

#include "base/parse.h"

/* The account a path names: 200, 404 or -1. */
static int find(struct call *c, struct account *a, struct err *err)
{
	int64_t id;
	int known = parse_i64(str_of(c->id), 1, INT64_MAX, &id) < 0
			    ? 0
			    : account_by_id(c->db, id, a, err);
	if (known == 0)
		return http_refuse(c->res, 404, "no user '%s'", c->id);
	return known < 0 ? -1 : 200;
}

struct page {
	struct buf *b;
	int64_t skip, limit, n;
};

static int put_user(void *ctx, const struct account *a, struct err *err)
{
	struct page *p = ctx;
	int64_t i = p->n++;
	if (i >= p->skip && i < p->skip + p->limit)
		emit_account(p->b, a);
	return 0;
}

int api_users(struct call *c, struct err *err)
{
	struct page p = {c->out, call_int(c, "skip"), call_int(c, "limit"), 0};
	emit_open(c->out, '{');
	emit_name(c->out, "items");
	emit_open(c->out, '[');
	if (account_each(c->db, put_user, &p, err) < 0)
		return -1;
	emit_close(c->out, ']');
	emit_name(c->out, "total");
	emit_int(c->out, p.n);
	emit_close(c->out, '}');
	return 200;
}

int api_user(struct call *c, struct err *err)
{
	struct account a;
	int status = find(c, &a, err);
	if (status == 200)
		emit_account(c->out, &a);
	return status;
}

const struct param USERS_PARAMS[] = {SKIP_PARAM, LIMIT_PARAM, {0}};

#define ROLE_WORDS "admin|engineer|viewer"

const struct param NEW_USER_PARAMS[] = {
	{"username", PARAM_TEXT, "letters, digits and . _ - @", true, 1,
		USERNAME_MAX - 1, NULL, NULL},
	{"password", PARAM_TEXT, "the first password", true, 1, PASSWORD_MAX, NULL,
		NULL},
	{"role", PARAM_WORD, "what they may do", true, 0, 0, ROLE_WORDS, NULL},
	{"full_name", PARAM_TEXT, "name for people", false, 0, 127, NULL, NULL},
	{"email", PARAM_TEXT, "address", false, 0, 127, NULL, NULL},
	{"sites", PARAM_TEXT,
		"codes of the sites they may see, commas between; all if empty", false,
		0, SITES_MAX - 1, NULL, NULL},
	{0}};

const struct param USER_PARAMS[] = {
	{"role", PARAM_WORD, "what they may do", false, 0, 0, ROLE_WORDS, NULL},
	{"full_name", PARAM_TEXT, "name for people", false, 0, 127, NULL, NULL},
	{"email", PARAM_TEXT, "address", false, 0, 127, NULL, NULL},
	{"sites", PARAM_TEXT,
		"codes of the sites they may see, commas between; all if empty", false,
		0, SITES_MAX - 1, NULL, NULL},
	{"active", PARAM_BOOL, "may they log in", false, 0, 0, NULL, NULL},
	{"password", PARAM_TEXT, "a new password, which ends their sessions", false, 1,
		PASSWORD_MAX, NULL, NULL},
	{0}};

/* Sets what the call gives; the rest stays. */
static void apply(struct call *c, struct account *a)
{
	const char *role = call_value(c, "role"), *name = call_value(c, "full_name"),
		   *email = call_value(c, "email"), *sites = call_value(c, "sites"),
		   *active = call_value(c, "active");
	if (role)
		a->role = role_of(role);
	if (name)
		str_copy(a->full_name, sizeof(a->full_name), str_of(name));
	if (email)
		str_copy(a->email, sizeof(a->email), str_of(email));
	if (sites)
		str_copy(a->sites, sizeof(a->sites), str_of(sites));
	if (active)
		a->active = *active == '1';
}

struct form {
	struct account *a;
	const char *password; /* its hash; NULL: it stays */
};

static int add(struct call *c, void *ctx, struct err *err)
{
	const struct form *f = ctx;
	return account_add(c->db, f->a, f->password, c->now, err) < 0 ? -1 : 1;
}

int api_user_add(struct call *c, struct err *err)
{
	char hash[PASSWORD_HASH_SIZE];
	struct account a = {.active = true}, other;
	struct form f = {&a, hash};
	str_copy(a.username, sizeof(a.username), str_of(call_value(c, "username")));
	apply(c, &a);
	int taken = account_by_name(c->db, a.username, &other, err);
	if (taken > 0)
		return http_refuse(
			c->res, 409, "there is a user '%s' already", a.username);
	if (taken < 0 || account_check(&a, err) < 0 ||
		account_hash(&a, call_value(c, "password"), hash, err) < 0 ||
		call_change(c, "user.add", a.username, NULL, add, &f, err) < 0)
		return -1;
	emit_account(c->out, &a);
	return 201;
}

static int change(struct call *c, void *ctx, struct err *err)
{
	const struct form *f = ctx;
	int64_t keep = f->a->id == c->account.id ? c->session : 0;
	if (account_update(c->db, f->a, c->now, err) < 0 ||
		(f->password && account_set_password(c->db, f->a, f->password, keep,
					c->now, err) < 0))
		return -1;
	return 1;
}

int api_user_change(struct call *c, struct err *err)
{
	char hash[PASSWORD_HASH_SIZE];
	const char *password = call_value(c, "password");
	struct account a;
	struct form f = {&a, password ? hash : NULL};
	int status = find(c, &a, err);
	if (status != 200)
		return status;
	apply(c, &a);
	if (a.id == c->account.id && (!a.active || a.role != ROLE_ADMIN))
		return http_refuse(c->res, 409,
			"not oneself: another admin has to take this role away");
	if (account_check(&a, err) < 0 ||
		(password && account_hash(&a, password, hash, err) < 0))
		return -1;
	if (call_change(c, "user.change", a.username, NULL, change, &f, err) < 0)
		return -1;
	emit_account(c->out, &a);
	return 200;
}

static int delete (struct call *c, void *ctx, struct err *err)
{
	const struct account *a = ctx;
	return account_delete(c->db, a->id, err) < 0 ? -1 : 1;
}

int api_user_delete(struct call *c, struct err *err)
{
	struct account a;
	int status = find(c, &a, err);
	if (status != 200)
		return status;
	if (a.id == c->account.id)
		return http_refuse(c->res, 409, "not oneself");
	return call_change(c, "user.delete", a.username, NULL, delete, &a, err) < 0
		       ? -1
		       : 204;
}
