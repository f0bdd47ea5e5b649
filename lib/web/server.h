/*
 * The HTTP server (libwebsockets). One thread serves the sockets; a few workers, each
 * with a connection to the database, answer requests from a queue of bounded length:
 * a slow query delays no socket, and a flood is refused with 503 instead of stored.
 */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "web/asset.h"
#include "web/route.h"
#include "web/socket.h"

enum { SERVER_WORKERS = 2, SERVER_QUEUE = 256 };

struct server_options {
	const char *address;    /* to listen on: an address of this machine */
	int port;               /* 0: any free one */
	const char *cert, *key; /* PEM files for https; both NULL: http */
	const char *db_url;
	/* No reading takes longer, or it is answered with 503; and no body, however it
	 * drips, or it is cut off. 0: any time. */
	int64_t query_ms, body_ms;
	const struct service *service;
	const struct assets *assets; /* the page; NULL: none */
	struct hub *hub;             /* what WebSockets tell; outlives the server */
	struct sockets_options sockets;
	/* What the operator should read; may be called from any thread. */
	void (*log)(const char *text);
};

struct server;

/* Opens the socket and starts the workers. ERR_IO: address, files, threads. */
struct server *server_new(const struct server_options *o, struct err *err);
int server_port(const struct server *s);
/* Serves until server_stop. ERR_IO. */
int server_run(struct server *s, struct err *err);
/* From any thread, but not from a signal handler. */
void server_stop(struct server *s);
/* The hub has news. From any thread. */
void server_wake(struct server *s);
/* Requests under way are answered by nobody. Accepts NULL. */
void server_free(struct server *s);

#endif
