/*
 * Users, in the table app_user: who they are, what they may see, whether they are
 * locked out. Times are ms since 1970.
 */
#ifndef WEB_ACCOUNT_H
#define WEB_ACCOUNT_H

#include "db/query.h"
#include "web/password.h"

#include <stdbool.h>

enum { USERNAME_MAX = 64, SITES_MAX = 1024 };

/* What one may do: each role may do what those before it may. */
enum role { ROLE_NONE, ROLE_VIEWER, ROLE_ENGINEER, ROLE_ADMIN, ROLE_COUNT };

const char *role_word(enum role role);
/* Returns ROLE_NONE when it is no role. */
enum role role_of(const char *word);

struct account {
	int64_t id;
	char username[USERNAME_MAX];
	char full_name[128], email[128];
	enum role role;
	char sites[SITES_MAX]; /* codes with commas between; "" is all */
	bool active;
	int64_t locked_until, last_login, created; /* TIME_NIL: not, never */
};

/* May this account see the site? */
bool account_sees(const struct account *a, const char *site);

/*
 * Is it fit to be stored? ERR_DATA says what is wrong: a name of other characters than
 * letters, digits, '.', '_', '-' and '@', no role, a list of sites that is none.
 */
int account_check(const struct account *a, struct err *err);
/* Are these codes with one comma between? ERR_DATA. */
int sites_check(const char *sites, struct err *err);

/*
 * The hash of a password that the account is to have, some 20 ms of work: so before the
 * transaction that stores it, which keeps other writers waiting. ERR_DATA: it is not
 * fit; ERR_IO.
 */
int account_hash(const struct account *a, const char *password,
	char hash[PASSWORD_HASH_SIZE], struct err *err);
/*
 * Adds an account; a->id and a->created are set. hash: account_hash(). ERR_DATA: the
 * name is taken, the account is not fit.
 */
int account_add(struct db *db, struct account *a, const char *hash, int64_t now,
	struct err *err);
/* Stores name, email, role, sites and active of a->id. A deactivated one's sessions
 * end.
 */
int account_update(
	struct db *db, const struct account *a, int64_t now, struct err *err);
/* Sets a new password, by its account_hash(); every session of the account but 'keep'
 * (0: none) ends. */
int account_set_password(struct db *db, const struct account *a, const char *hash,
	int64_t keep, int64_t now, struct err *err);
/* Is this the password of the account? 1, 0, or -1 ERR_IO. */
int account_has_password(
	struct db *db, int64_t id, const char *password, struct err *err);
int account_delete(struct db *db, int64_t id, struct err *err);

/* Reads one by id or by name. 1 found, 0 none, -1 ERR_IO. */
int account_by_id(struct db *db, int64_t id, struct account *a, struct err *err);
int account_by_name(
	struct db *db, const char *name, struct account *a, struct err *err);

/* Calls fn for each, by name. fn must not use the database. */
typedef int account_fn(void *ctx, const struct account *a, struct err *err);
int account_each(struct db *db, account_fn *fn, void *ctx, struct err *err);

#endif
