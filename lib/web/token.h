/*
 * Tokens. An access token is a JSON Web Token (RFC 7519) of one fixed form: HMAC with
 * SHA-256 (RFC 7518, HS256) under a key that lives as long as the process, so that
 * there is no secret to keep anywhere; after a restart clients use their refresh token.
 * The header is compared as a whole: a token can not choose its own algorithm. A
 * refresh token is random, of which the database keeps a hash.
 */
#ifndef WEB_TOKEN_H
#define WEB_TOKEN_H

#include "base/err.h"
#include "base/str.h"

enum {
	TOKEN_KEY_SIZE = 32,
	ACCESS_TOKEN_SIZE = 512, /* a longer one is refused unread */
	REFRESH_TOKEN_SIZE = 48,
	TOKEN_HASH_SIZE = 48,
};

struct token_key {
	unsigned char bytes[TOKEN_KEY_SIZE];
};

struct claims {
	int64_t user, session;
	int64_t issued, expires; /* ms; whole seconds in the token */
};

/* A new random key. ERR_IO when the system has no randomness to give. */
int token_key_make(struct token_key *key, struct err *err);

/* Writes the token, terminated. */
void access_token_make(const struct token_key *key, const struct claims *c,
	char token[ACCESS_TOKEN_SIZE]);

enum token_state { TOKEN_GOOD, TOKEN_BAD, TOKEN_EXPIRED };

/*
 * Checks form, mac, audience and times (now in ms; a minute of the issuer's clock ahead
 * of ours is let pass). *out is valid with TOKEN_GOOD only. Any bytes are safe to give.
 */
enum token_state access_token_read(
	const struct token_key *key, struct str token, int64_t now, struct claims *out);

/* A new refresh token, terminated, and the hash under which it is stored. */
int refresh_token_make(
	char token[REFRESH_TOKEN_SIZE], char hash[TOKEN_HASH_SIZE], struct err *err);
/* The hash of what a client presents (BLAKE2b, base64). */
void refresh_token_hash(struct str token, char hash[TOKEN_HASH_SIZE]);

#endif
