/* What the parts of bridge share. */
#ifndef BRIDGE_H
#define BRIDGE_H

#include "base/opt.h"
#include "db/db.h"

#include <stdbool.h>

struct bridge_options {
	const char *db;
	char *url; /* our own copy of db: the one in argv is scrubbed */
	const char *migrations;
	const char *listen, *cert, *key, *www;
	const char *models;      /* the registry, or NULL */
	const char *simulations; /* the folder for them, or NULL */
	const char *fleet;       /* whose fleet they are of, or NULL */
	const char *into;        /* push: endpoint of the pipeline, or NULL */
	const char *dataset, *prices;
	bool plain_cookies;
	struct strlist feeds, origins;
	int64_t sockets, account_sockets, unknown_sockets, query_ms, body_ms;
	const char *role, *sites, *full_name, *email;
};

/* bridge user COMMAND [NAME]: returns an exit status. */
int users_command(const struct bridge_options *o, char **operands, int n);

#endif
