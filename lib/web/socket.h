/*
 * The WebSockets of a server: who may open one, who it is, which rooms it is in, and
 * when it must go. All of it runs in the thread that serves the sockets; the database
 *is asked by the workers (work.h), about
 *
 *	a token, when a client presents one: first of all, and before it expires;
 *	a session, every ten seconds and whenever it may have ended.
 *
 * Nothing queues up for a client: a message is made when its socket takes it (hub.h),
 * and no question of its is read before the last one is answered.
 */
#ifndef WEB_SOCKET_H
#define WEB_SOCKET_H

#include "web/hub.h"
#include "web/route.h"
#include "web/work.h"

#include <libwebsockets.h>

#define SOCKET_PATH API_BASE "/ws"

enum { ORIGINS_MAX = 16 };

struct sockets_options {
	int most, most_per_account;
	int most_unknown; /* of one address that have not said who they are */
	const char *origins[ORIGINS_MAX]; /* allowed beside the server's own host */
	int norigins;
};

struct socket;
struct sockets;

/* NULL when out of memory. hub and work are the caller's and outlive it. */
struct sockets *sockets_new(
	const struct sockets_options *o, struct hub *hub, struct work *work);
/* When all connections are gone. */
void sockets_free(struct sockets *s);

/* A header of wsi's request into dst: "" when it is not there or does not fit. */
void header_copy(struct lws *wsi, enum lws_token_indexes token, char *dst, size_t size);

/* May this request become a WebSocket? Returns 0, or the status of the refusal. */
int sockets_filter(struct sockets *s, struct lws *wsi, struct response *res);

/*
 * What libwebsockets says of a connection that is a WebSocket; *slot is the
 * connection's. Returns what its callback shall.
 */
int sockets_event(struct sockets *s, struct lws *wsi, struct socket **slot,
	enum lws_callback_reasons reason, void *in, size_t len);

/* A worker's part: fills x->entrance. Returns false when db is broken. */
bool sockets_admit(
	const struct service *service, struct db *db, int64_t now, struct entrance *e);
/* What the workers have answered; x is then free. */
void sockets_admitted(struct sockets *s, struct exchange *x);
/* Somebody's session may have ended, or what they may see have changed. */
void sockets_recheck(struct sockets *s);
/* The hub has news. */
void sockets_wake(struct sockets *s);

#endif
