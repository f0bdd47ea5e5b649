/*
 * Logins. A session begins with a password, lives as long as its refresh tokens are
 * used in time, and ends by log-out, by a change of password, by the account's end, or
 * when a refresh token comes a second time: then it was stolen, or its thief was faster
 * (RFC 6819, 5.2.2.3; ASVS 5.0, 10.4.5).
 */
#ifndef WEB_SESSION_H
#define WEB_SESSION_H

#include "base/timefmt.h"
#include "web/account.h"
#include "web/token.h"

#define ACCESS_MS (30 * MINUTE_MS)
#define REFRESH_MS (7 * DAY_MS)
#define SESSION_MS (90 * DAY_MS) /* a session ends then even if it is used */

struct session {
	int64_t id;
	struct account account;
	char refresh_token[REFRESH_TOKEN_SIZE]; /* to be given to the client, once */
	int64_t failures;                       /* in a row, before a login */
};

enum login_result {
	LOGIN_OK,
	LOGIN_REFUSED, /* name, password, or not active: never said which */
	LOGIN_LOCKED,  /* too many failures: s->account.locked_until says until when */
};

/*
 * Tries a password. After the fifth failure in a row the account waits, a second at
 * first, doubled by each further failure up to 15 minutes: guessing is slow, and no one
 * can shut somebody out for long. An unknown name takes as long as a wrong password.
 * 'address' is the client's, for the record. Returns an enum login_result, or -1
 * ERR_IO. What is LOGIN_REFUSED has then to be counted by session_refused.
 */
int session_login(struct db *db, const char *username, const char *password,
	const char *address, int64_t now, struct session *s, struct err *err);
/*
 * Counts a refusal, in one transaction with the caller's record of it: with a commit of
 * its own, names that exist would take longer than those that do not. ERR_IO.
 */
int session_refused(
	struct db *db, const struct session *s, int64_t now, struct err *err);

/*
 * Takes a refresh token and gives the next. 1 done; 0 refused: unknown, expired, or
 * used before, which ends the session; -1 ERR_IO.
 */
int session_refresh(struct db *db, struct str token, int64_t now, struct session *s,
	struct err *err);

/* Is the session of an access token still alive, and whose is it? 1, 0, or -1 ERR_IO.
 */
int session_check(struct db *db, const struct claims *c, int64_t now, struct account *a,
	struct err *err);

int session_end(struct db *db, int64_t id, int64_t now, struct err *err);
/* Ends every session of a user but 'keep' (0: none). */
int session_end_all(
	struct db *db, int64_t user, int64_t keep, int64_t now, struct err *err);
/* Forgets sessions that ended or expired before 'before', and their tokens. */
int session_forget(struct db *db, int64_t before, struct err *err);

#endif
