/*
 * The live feed: a thread that reads a sub: or pull: endpoint into a hub for as long as
 * the program runs. A publisher that goes is waited for; where the endpoint has a
 * snapshot=, it is asked for the state anew when it comes back. Simulations may come
 * over the same endpoint: each feed says whose run it is.
 */
#ifndef WEB_FEED_H
#define WEB_FEED_H

#include "web/hub.h"

struct feed_options {
	const char *endpoint; /* as of -i; sockets only */
	struct hub *hub;
	/* Called from the thread after something was published. */
	void (*wake)(void *ctx);
	void *ctx;
	/* What the operator should read; from the thread. */
	void (*log)(const char *text);
};

struct feed;

/* ERR_USAGE: no such endpoint. ERR_IO: it cannot be opened, or no thread. */
struct feed *feed_start(const struct feed_options *o, struct err *err);
/* Ends the thread. Accepts NULL. */
void feed_stop(struct feed *f);

#endif
