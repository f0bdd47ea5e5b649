#include "web/account.h"
#include "base/timefmt.h"
#include "web/cell.h"
#include "web/session.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS                                                                        \
	"id, username, full_name, email, role, sites, active, locked_until, "          \
	"last_login, created"

static const char *const ROLES[ROLE_COUNT] = {"none", "viewer", "engineer", "admin"};

const char *role_word(enum role role)
{
	return ROLES[role];
}

enum role role_of(const char *word)
{
	for (int r = ROLE_VIEWER; r < ROLE_COUNT; r++)
		if (strcmp(word, ROLES[r]) == 0)
			return (enum role)r;
	return ROLE_NONE;
}

bool account_sees(const struct account *a, const char *site)
{
	size_t n = strlen(site);
	if (a->sites[0] == '\0')
		return true;
	for (const char *p = a->sites;; p++) {
		size_t len = strcspn(p, ",");
		if (len == n && memcmp(p, site, n) == 0)
			return true;
		p += len;
		if (*p == '\0')
			return false;
	}
}

static bool all_of(const char *s, const char *others)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(others, *s))
			return false;
	return true;
}

/* Codes with one comma between. */
static bool is_list(const char *s)
{
	return all_of(s, "-,") && *s != ',' && !strstr(s, ",,") &&
	       (*s == '\0' || s[strlen(s) - 1] != ',');
}

int sites_check(const char *sites, struct err *err)
{
	return is_list(sites) ? 0
			      : err_set(err, ERR_DATA,
					"sites are codes with commas between, not '%s'",
					sites);
}

int account_check(const struct account *a, struct err *err)
{
	if (a->username[0] == '\0' || !all_of(a->username, "._-@"))
		return err_set(err, ERR_DATA,
			"'%s' is no user name: letters, digits and . _ - @, at most %d",
			a->username, USERNAME_MAX - 1);
	if (a->role == ROLE_NONE)
		return err_set(err, ERR_DATA, "the role is admin, engineer or viewer");
	return sites_check(a->sites, err);
}

static void from_row(struct account *a, const char *const *cells)
{
	*a = (struct account){.id = cell_int(cells[0]),
		.role = role_of(cell_text(cells[4])),
		.active = cell_bool(cells[6]),
		.locked_until = cell_time(cells[7]),
		.last_login = cell_time(cells[8]),
		.created = cell_time(cells[9])};
	str_copy(a->username, sizeof(a->username), str_of(cell_text(cells[1])));
	str_copy(a->full_name, sizeof(a->full_name), str_of(cell_text(cells[2])));
	str_copy(a->email, sizeof(a->email), str_of(cell_text(cells[3])));
	str_copy(a->sites, sizeof(a->sites), str_of(cell_text(cells[5])));
}

struct found {
	struct account *a;
	int n;
};

static int take_one(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct found *f = ctx;
	from_row(f->a, cells);
	f->n = 1;
	return 0;
}

static int find(
	struct db *db, const struct db_query *q, struct account *a, struct err *err)
{
	struct found f = {a, 0};
	return db_select(db, q, take_one, &f, err) < 0 ? -1 : f.n;
}

int account_by_id(struct db *db, int64_t id, struct account *a, struct err *err)
{
	return find(db,
		DB_QUERY("SELECT " COLUMNS " FROM app_user WHERE id = $1",
			number(id).text),
		a, err);
}

int account_by_name(struct db *db, const char *name, struct account *a, struct err *err)
{
	return find(db,
		DB_QUERY("SELECT " COLUMNS " FROM app_user WHERE username = $1", name),
		a, err);
}

struct each {
	account_fn *fn;
	void *ctx;
};

static int take_each(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct each *e = ctx;
	struct account a;
	from_row(&a, cells);
	return e->fn(e->ctx, &a, err);
}

int account_each(struct db *db, account_fn *fn, void *ctx, struct err *err)
{
	struct each e = {fn, ctx};
	return db_select(db,
		DB_QUERY_PLAIN("SELECT " COLUMNS " FROM app_user ORDER BY username"),
		take_each, &e, err);
}

static const char *or_null(const char *s)
{
	return *s ? s : NULL;
}

int account_hash(const struct account *a, const char *password,
	char hash[PASSWORD_HASH_SIZE], struct err *err)
{
	return password_acceptable(password, a->username, err) < 0
		       ? -1
		       : password_hash(password, hash, err);
}

int account_add(struct db *db, struct account *a, const char *hash, int64_t now,
	struct err *err)
{
	int64_t added = 0;
	if (account_check(a, err) < 0)
		return -1;
	if (db_write(db,
		    DB_QUERY("INSERT INTO app_user (username, full_name, email, role, "
			     "sites, password_hash, active, failed_logins, created) "
			     "VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) "
			     "ON CONFLICT (username) DO NOTHING",
			    a->username, or_null(a->full_name), or_null(a->email),
			    role_word(a->role), or_null(a->sites), hash,
			    a->active ? "1" : "0", number(now).text),
		    &added, err) < 0)
		return -1;
	if (added == 0)
		return err_set(
			err, ERR_DATA, "there is a user '%s' already", a->username);
	return account_by_name(db, a->username, a, err) < 0 ? -1 : 0;
}

struct update {
	const struct account *a;
	int64_t now;
};

static int update(struct db *db, void *ctx, struct err *err)
{
	const struct update *u = ctx;
	const struct account *a = u->a;
	if (db_write(db,
		    DB_QUERY("UPDATE app_user SET full_name = $1, email = $2, role = "
			     "$3, sites = $4, active = $5 WHERE id = $6",
			    or_null(a->full_name), or_null(a->email),
			    role_word(a->role), or_null(a->sites),
			    a->active ? "1" : "0", number(a->id).text),
		    NULL, err) < 0)
		return -1;
	return a->active ? 0 : session_end_all(db, a->id, 0, u->now, err);
}

int account_update(struct db *db, const struct account *a, int64_t now, struct err *err)
{
	if (account_check(a, err) < 0)
		return -1;
	return db_transaction(db, update, &(struct update){a, now}, err);
}

struct change {
	const struct account *a;
	const char *hash;
	int64_t keep, now;
};

static int change_password(struct db *db, void *ctx, struct err *err)
{
	const struct change *c = ctx;
	if (db_write(db,
		    DB_QUERY("UPDATE app_user SET password_hash = $1, failed_logins = "
			     "0, locked_until = NULL WHERE id = $2",
			    c->hash, number(c->a->id).text),
		    NULL, err) < 0)
		return -1;
	return session_end_all(db, c->a->id, c->keep, c->now, err);
}

int account_set_password(struct db *db, const struct account *a, const char *hash,
	int64_t keep, int64_t now, struct err *err)
{
	struct change c = {a, hash, keep, now};
	return db_transaction(db, change_password, &c, err);
}

static int take_hash(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	str_copy(ctx, PASSWORD_HASH_SIZE, str_of(cell_text(cells[0])));
	return 0;
}

int account_has_password(
	struct db *db, int64_t id, const char *password, struct err *err)
{
	char hash[PASSWORD_HASH_SIZE] = "";
	if (db_select(db,
		    DB_QUERY("SELECT password_hash FROM app_user WHERE id = $1",
			    number(id).text),
		    take_hash, hash, err) < 0)
		return -1;
	return password_matches(*hash ? hash : NULL, password);
}

int account_delete(struct db *db, int64_t id, struct err *err)
{
	return db_write(db,
		DB_QUERY("DELETE FROM app_user WHERE id = $1", number(id).text), NULL,
		err);
}
