/*
 * Passwords: argon2id by libsodium, with the least cost OWASP's ASVS 5.0 names
 * (appendix C: t = 2, m = 19 MiB, p = 1). A hash takes some 20 ms and 19 MiB: whoever
 * calls bounds how many run at once.
 */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H

#include "base/err.h"

#include <stdbool.h>

enum { PASSWORD_HASH_SIZE = 128, PASSWORD_MIN = 8, PASSWORD_MAX = 256 };

/*
 * May this be a password (ASVS 5.0, 6.2: 8 characters or more, not one of the common
 * ones, not the user's own name; no rules of composition)? 0, or -1 with ERR_DATA
 * saying why not.
 */
int password_acceptable(const char *password, const char *username, struct err *err);

/* The hash as a string that holds its own parameters. ERR_IO when out of memory. */
int password_hash(const char *password, char hash[PASSWORD_HASH_SIZE], struct err *err);

/*
 * Does the password belong to the hash? With hash NULL (no such user) it takes the same
 * time and says no.
 */
bool password_matches(const char *hash, const char *password);

#endif
