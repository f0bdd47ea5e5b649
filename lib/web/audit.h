/* The audit log: who changed what, and who was refused, from where. */
#ifndef WEB_AUDIT_H
#define WEB_AUDIT_H

#include "db/query.h"

struct audit {
	int64_t ts;          /* ms since 1970 */
	const char *actor;   /* user name, "-" when nobody is known */
	const char *action;  /* "login", "user.add" … */
	const char *entity;  /* what it was done to, or NULL */
	const char *details; /* JSON or words, or NULL; never a secret */
	const char *address; /* the client's, or NULL: at the terminal */
};

/* Adds a line. ERR_IO. */
int audit_write(struct db *db, const struct audit *a, struct err *err);

#endif
