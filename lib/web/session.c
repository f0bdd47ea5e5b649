#include "web/session.h"
#include "web/cell.h"
#include "web/password.h"

enum { FREE_FAILURES = 5, DOUBLINGS_MAX = 20 };
static const int64_t LOCK_MAX_MS = 15 * MINUTE_MS;
static const int64_t KEPT_MS = 30 * DAY_MS; /* what has ended, for the curious */

struct secret {
	char hash[PASSWORD_HASH_SIZE];
	int64_t failed;
	bool found;
};

static int take_secret(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct secret *s = ctx;
	str_copy(s->hash, sizeof(s->hash), str_of(cell_text(cells[0])));
	s->failed = cell_int(cells[1]);
	s->found = true;
	return 0;
}

static int take_id(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_int(cells[0]);
	return 0;
}

/* The wait after the n-th failure in a row. */
static int64_t lock_ms(int64_t n)
{
	if (n < FREE_FAILURES)
		return 0;
	int64_t doublings = n - FREE_FAILURES;
	int64_t ms = SECOND_MS
		     << (doublings < DOUBLINGS_MAX ? doublings : DOUBLINGS_MAX);
	return ms < LOCK_MAX_MS ? ms : LOCK_MAX_MS;
}

/* Counted in the database itself: guesses made side by side all count. An unknown name
 * has no row to count in, and is looked for all the same. */
int session_refused(
	struct db *db, const struct session *s, int64_t now, struct err *err)
{
	int64_t wait = lock_ms(s->failures + 1);
	struct number until = number(now + wait);
	return db_write(db,
		DB_QUERY("UPDATE app_user SET failed_logins = failed_logins + 1, "
			 "locked_until = $1 WHERE id = $2",
			wait ? until.text : NULL, number(s->account.id).text),
		NULL, err);
}

struct step {
	struct session *s;
	const char *address;
	int64_t now;
};

static int add_token(struct db *db, struct session *s, int64_t now, struct err *err)
{
	char hash[TOKEN_HASH_SIZE];
	if (refresh_token_make(s->refresh_token, hash, err) < 0)
		return -1;
	return db_write(db,
		DB_QUERY("INSERT INTO refresh_token (hash, session, expires) VALUES "
			 "($1, $2, $3)",
			hash, number(s->id).text, number(now + REFRESH_MS).text),
		NULL, err);
}

static int begin(struct db *db, void *ctx, struct err *err)
{
	const struct step *t = ctx;
	struct session *s = t->s;
	struct number now = number(t->now), user = number(s->account.id);
	if (db_write(db,
		    DB_QUERY("UPDATE app_user SET failed_logins = 0, locked_until = "
			     "NULL, last_login = $1 WHERE id = $2",
			    now.text, user.text),
		    NULL, err) < 0 ||
		db_select(db,
			DB_QUERY("INSERT INTO refresh_session (app_user, started, "
				 "expires, address) VALUES ($1, $2, $3, $4) "
				 "RETURNING id",
				user.text, now.text, number(t->now + SESSION_MS).text,
				t->address),
			take_id, &s->id, err) < 0 ||
		session_forget(db, t->now - KEPT_MS, err) < 0)
		return -1;
	return add_token(db, s, t->now, err);
}

int session_login(struct db *db, const char *username, const char *password,
	const char *address, int64_t now, struct session *s, struct err *err)
{
	struct secret secret = {.found = false};
	*s = (struct session){0};
	if (account_by_name(db, username, &s->account, err) < 0 ||
		db_select(db,
			DB_QUERY("SELECT password_hash, failed_logins FROM app_user "
				 "WHERE username = $1",
				username),
			take_secret, &secret, err) < 0)
		return -1;
	if (secret.found && s->account.locked_until > now)
		return LOGIN_LOCKED;
	s->failures = secret.failed;
	if (!password_matches(secret.found ? secret.hash : NULL, password) ||
		!s->account.active)
		return LOGIN_REFUSED;
	struct step t = {s, address, now};
	return db_transaction(db, begin, &t, err) < 0 ? -1 : LOGIN_OK;
}

struct refresh {
	struct session *s;
	char hash[TOKEN_HASH_SIZE];
	int64_t now;
	int64_t token_expires, session_expires, user;
	bool found, used, ended, granted;
};

static int take_token(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct refresh *r = ctx;
	r->found = true;
	r->s->id = cell_int(cells[0]);
	r->token_expires = cell_int(cells[1]);
	r->used = cells[2] != NULL;
	r->session_expires = cell_int(cells[3]);
	r->ended = cells[4] != NULL;
	r->user = cell_int(cells[5]);
	return 0;
}

/*
 * The token is marked as used by a statement that only one of two can win: they may
 * come at the same moment.
 */
static int rotate(struct db *db, void *ctx, struct err *err)
{
	struct refresh *r = ctx;
	int64_t won = 0;
	if (db_select(db,
		    DB_QUERY("SELECT s.id, t.expires, t.used, s.expires, s.ended, "
			     "s.app_user FROM refresh_token t JOIN refresh_session s "
			     "ON s.id = t.session WHERE t.hash = $1",
			    r->hash),
		    take_token, r, err) < 0)
		return -1;
	if (!r->found || r->ended || r->session_expires <= r->now ||
		(!r->used && r->token_expires <= r->now))
		return 0;
	if (!r->used &&
		db_write(db,
			DB_QUERY("UPDATE refresh_token SET used = $1 WHERE hash = $2 "
				 "AND used IS NULL",
				number(r->now).text, r->hash),
			&won, err) < 0)
		return -1;
	if (won == 0)
		return session_end(db, r->s->id, r->now, err);
	int known = account_by_id(db, r->user, &r->s->account, err);
	if (known < 0)
		return -1;
	if (known == 0 || !r->s->account.active)
		return session_end(db, r->s->id, r->now, err);
	r->granted = true;
	return add_token(db, r->s, r->now, err);
}

int session_refresh(struct db *db, struct str token, int64_t now, struct session *s,
	struct err *err)
{
	struct refresh r = {.s = s, .now = now};
	*s = (struct session){0};
	if (token.len >= REFRESH_TOKEN_SIZE)
		return 0;
	refresh_token_hash(token, r.hash);
	if (db_transaction(db, rotate, &r, err) < 0)
		return -1;
	return r.granted;
}

int session_check(struct db *db, const struct claims *c, int64_t now, struct account *a,
	struct err *err)
{
	int64_t user = 0;
	if (db_select(db,
		    DB_QUERY("SELECT app_user FROM refresh_session WHERE id = $1 AND "
			     "ended IS NULL AND expires > $2",
			    number(c->session).text, number(now).text),
		    take_id, &user, err) < 0)
		return -1;
	if (user == 0 || user != c->user)
		return 0;
	int known = account_by_id(db, user, a, err);
	return known > 0 ? a->active : known;
}

int session_end(struct db *db, int64_t id, int64_t now, struct err *err)
{
	return db_write(db,
		DB_QUERY("UPDATE refresh_session SET ended = $1 WHERE id = $2 AND "
			 "ended IS NULL",
			number(now).text, number(id).text),
		NULL, err);
}

int session_end_all(
	struct db *db, int64_t user, int64_t keep, int64_t now, struct err *err)
{
	return db_write(db,
		DB_QUERY("UPDATE refresh_session SET ended = $1 WHERE app_user = $2 "
			 "AND id <> $3 AND ended IS NULL",
			number(now).text, number(user).text, number(keep).text),
		NULL, err);
}

int session_forget(struct db *db, int64_t before, struct err *err)
{
	return db_write(db,
		DB_QUERY("DELETE FROM refresh_session WHERE expires < $1 OR ended < $1",
			number(before).text),
		NULL, err);
}
