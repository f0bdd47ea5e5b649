/*
 * Devices: what posts samples over HTTP, each with a token of its own. A token is shown
 * once; the database has its hash alone.
 */
#ifndef WEB_DEVICE_H
#define WEB_DEVICE_H

#include "web/account.h"
#include "web/token.h"

/*
 * Adds a device; sites (codes with commas between, or NULL: all) are what it may post
 * of. The token goes to 'token'. 1; 0: the name is taken; -1 ERR_IO.
 */
int device_add(struct db *db, const char *name, const char *sites, int64_t now,
	char token[REFRESH_TOKEN_SIZE], struct err *err);

/*
 * Whose token is it? Sets a's name, its sites and the role ROLE_VIEWER (it is
 * somebody), and notes that it was seen. 1, 0: nobody's, or -1 ERR_IO.
 */
int device_check(struct db *db, struct str token, int64_t now, struct account *a,
	struct err *err);

#endif
