#include "web/password.h"
#include "base/str.h"

#include <sodium.h>
#include <string.h>
#include <strings.h>

static const unsigned long long TIME_COST = 2;
static const size_t MEMORY_COST = 19u << 20;

/* The commonest of eight characters or more, in the many published lists of leaked
 * ones: whatever else is tried, these are tried first. */
static const char *const COMMON[] = {"00000000", "11111111", "111111111", "1111111111",
	"11223344", "12121212", "12341234", "12344321", "12345678", "123456789",
	"1234567890", "123123123", "123321123", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx",
	"22222222", "55555555", "66666666", "77777777", "87654321", "88888888",
	"987654321", "99999999", "a1b2c3d4", "aa123456", "aaaaaaaa", "abc12345",
	"abcd1234", "abcdefgh", "access14", "admin123", "administrator", "alexander",
	"asdfasdf", "asdfghjk", "asdfghjkl", "baseball", "basketball", "battery1",
	"changeme", "charlie1", "chocolate", "computer", "corvette", "dashboard",
	"elephant", "engineer", "floatline", "football", "football1", "garfield",
	"hello123", "iloveyou", "iloveyou1", "internet", "jennifer", "letmein1",
	"liverpool", "maverick", "mercedes", "michael1", "michelle", "midnight",
	"monkey123", "mustang1", "p@ssw0rd", "pass1234", "passw0rd", "password",
	"password!", "password1", "password12", "password123", "princess", "princess1",
	"q1w2e3r4", "q1w2e3r4t5", "qazwsxedc", "qwer1234", "qwertyui", "qwertyuiop",
	"qwerty12", "qwerty123", "samantha", "starwars", "steelers", "sunshine",
	"sunshine1", "superman", "thailand", "thailand1", "trustno1", "victoria",
	"welcome1", "welcome123", "whatever", "zaq12wsx", "zxcvbnm1", "zxcvbnm123"};

static size_t characters(const char *s)
{
	size_t n = 0;
	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

int password_acceptable(const char *password, const char *username, struct err *err)
{
	if (characters(password) < PASSWORD_MIN)
		return err_set(err, ERR_DATA,
			"the password is too short: it needs %d characters, 15 are "
			"better",
			PASSWORD_MIN);
	if (strlen(password) > PASSWORD_MAX)
		return err_set(err, ERR_DATA, "the password is longer than %d bytes",
			PASSWORD_MAX);
	if (strcasecmp(password, username) == 0)
		return err_set(err, ERR_DATA, "the password is the user's name");
	for (size_t i = 0; i < sizeof(COMMON) / sizeof(*COMMON); i++)
		if (strcasecmp(password, COMMON[i]) == 0)
			return err_set(err, ERR_DATA,
				"the password is one of the commonest: choose another");
	return 0;
}

int password_hash(const char *password, char hash[PASSWORD_HASH_SIZE], struct err *err)
{
	_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "room for a hash");
	if (sodium_init() < 0 ||
		crypto_pwhash_str_alg(hash, password, strlen(password), TIME_COST,
			MEMORY_COST, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_nomem(err);
	return 0;
}

bool password_matches(const char *hash, const char *password)
{
	/* Of no password: made with the same cost, so that it takes as long. */
	static const char NOBODY[] =
		"$argon2id$v=19$m=19456,t=2,p=1$Zmxvb3RsaW5lIG5vYm9keQ$"
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	if (sodium_init() < 0 || strlen(password) > PASSWORD_MAX)
		return false;
	bool same = crypto_pwhash_str_verify(
			    hash ? hash : NOBODY, password, strlen(password)) == 0;
	return hash && same;
}
