#include "web/token.h"
#include "base/timefmt.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define B64 sodium_base64_VARIANT_URLSAFE_NO_PADDING

/* {"alg":"HS256","typ":"JWT"} */
static const char HEADER[] = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";
static const char AUDIENCE[] = "floatline";
enum { HEADER_LEN = sizeof(HEADER) - 1, MAC_TEXT = 43, PAYLOAD_MAX = 256 };

int token_key_make(struct token_key *key, struct err *err)
{
	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "the system gives no random numbers");
	randombytes_buf(key->bytes, sizeof(key->bytes));
	return 0;
}

static void mac_text(
	const struct token_key *key, const char *text, size_t n, char out[MAC_TEXT + 1])
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	crypto_auth_hmacsha256(mac, (const unsigned char *)text, n, key->bytes);
	sodium_bin2base64(out, MAC_TEXT + 1, mac, sizeof(mac), B64);
}

void access_token_make(const struct token_key *key, const struct claims *c,
	char token[ACCESS_TOKEN_SIZE])
{
	char payload[PAYLOAD_MAX], mac[MAC_TEXT + 1];
	int n = snprintf(payload, sizeof(payload),
		"{\"aud\":\"%s\",\"sub\":\"%lld\",\"sid\":%lld,\"iat\":%lld,\"exp\":%"
		"lld}",
		AUDIENCE, (long long)c->user, (long long)c->session,
		(long long)(c->issued / SECOND_MS),
		(long long)(c->expires / SECOND_MS));
	memcpy(token, HEADER, HEADER_LEN);
	sodium_bin2base64(token + HEADER_LEN, ACCESS_TOKEN_SIZE - HEADER_LEN,
		(const unsigned char *)payload, (size_t)n, B64);
	size_t len = strlen(token);
	mac_text(key, token, len, mac);
	snprintf(token + len, ACCESS_TOKEN_SIZE - len, ".%s", mac);
}

/* The payload is ours: its mac was right. Still nothing is taken on trust. */
static bool read_payload(const char *json, size_t n, struct claims *out)
{
	json_t *o = json_loadb(json, n, JSON_REJECT_DUPLICATES, NULL);
	const char *aud = NULL, *sub = NULL;
	json_int_t sid = 0, iat = 0, exp = 0;
	bool ok = o &&
		  json_unpack(o, "{s:s,s:s,s:I,s:I,s:I}", "aud", &aud, "sub", &sub,
			  "sid", &sid, "iat", &iat, "exp", &exp) == 0 &&
		  strcmp(aud, AUDIENCE) == 0;
	if (ok)
		*out = (struct claims){
			strtoll(sub, NULL, 10), sid, iat * SECOND_MS, exp * SECOND_MS};
	json_decref(o);
	return ok;
}

static bool mac_is_right(const struct token_key *key, const char *token,
	size_t signed_n, const char *mac)
{
	char want[MAC_TEXT + 1];
	mac_text(key, token, signed_n, want);
	return sodium_memcmp(want, mac, MAC_TEXT) == 0;
}

enum token_state access_token_read(
	const struct token_key *key, struct str token, int64_t now, struct claims *out)
{
	unsigned char payload[PAYLOAD_MAX];
	size_t n;
	if (token.len >= ACCESS_TOKEN_SIZE || token.len <= HEADER_LEN + 1 + MAC_TEXT ||
		memcmp(token.s, HEADER, HEADER_LEN) != 0)
		return TOKEN_BAD;
	size_t signed_n = token.len - 1 - MAC_TEXT;
	if (token.s[signed_n] != '.' ||
		!mac_is_right(key, token.s, signed_n, token.s + signed_n + 1))
		return TOKEN_BAD;
	if (sodium_base642bin(payload, sizeof(payload), token.s + HEADER_LEN,
		    signed_n - HEADER_LEN, NULL, &n, NULL, B64) != 0 ||
		!read_payload((const char *)payload, n, out) ||
		out->issued > now + MINUTE_MS)
		return TOKEN_BAD;
	return out->expires > now ? TOKEN_GOOD : TOKEN_EXPIRED;
}

int refresh_token_make(
	char token[REFRESH_TOKEN_SIZE], char hash[TOKEN_HASH_SIZE], struct err *err)
{
	unsigned char bytes[32];
	if (sodium_init() < 0)
		return err_set(err, ERR_IO, "the system gives no random numbers");
	randombytes_buf(bytes, sizeof(bytes));
	sodium_bin2base64(token, REFRESH_TOKEN_SIZE, bytes, sizeof(bytes), B64);
	refresh_token_hash(str_of(token), hash);
	return 0;
}

void refresh_token_hash(struct str token, char hash[TOKEN_HASH_SIZE])
{
	unsigned char bytes[32];
	crypto_generichash(bytes, sizeof(bytes), (const unsigned char *)token.s,
		token.len, NULL, 0);
	sodium_bin2base64(hash, TOKEN_HASH_SIZE, bytes, sizeof(bytes), B64);
}
