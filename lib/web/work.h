/*
 * The queue of requests and the workers that answer them. Exchanges belong to the
 * queue's user: handed over with work_put, handed back by work_take.
 */
#ifndef WEB_WORK_H
#define WEB_WORK_H

#include "web/bodies.h"
#include "web/http.h"
#include "web/session.h"

/* A question about a WebSocket instead of a request: whose token is it, is it still? */
struct entrance {
	char token[ACCESS_TOKEN_SIZE]; /* ""; the claims are asked about */
	struct claims claims;
	struct account account;
	enum { ENTRANCE_OPEN, ENTRANCE_SHUT, ENTRANCE_UNKNOWN } state;
};

struct exchange {
	struct entrance *entrance; /* NULL: a request */
	struct request req;
	struct response res;
	void *socket; /* whose it is; NULL: gone */
	struct needs needs;
	struct body_share *share; /* of its large body; NULL: it is not, or gone */
	int64_t begun_ms;         /* of the monotonic clock, when its head was there */
	size_t sent;              /* bytes of the body */
	bool done;
	struct exchange *next; /* in a queue */
};

struct exchange *exchange_new(void); /* NULL when out of memory */
void exchange_free(struct exchange *x);

struct work;

struct work_options {
	int workers, queue;
	/* What a worker thread keeps: made at its first need by 'open', given back to
	 * 'close'. */
	void *(*open)(void *ctx);
	void (*close)(void *own);
	/* Answers; returns false when 'own' is broken and must be made anew. */
	bool (*answer)(void *ctx, void *own, struct exchange *x);
	/* Called by a worker after each answer: there is something to take. */
	void (*wake)(void *ctx);
	void *ctx;
};

/* NULL when threads or memory are out. */
struct work *work_new(const struct work_options *o);
/* Ends the workers when they have finished what they are at. What waits stays. */
void work_stop(struct work *w);
/* Stops, and frees what waits to be answered or taken. Accepts NULL. */
void work_free(struct work *w);
/* Returns false when the queue is full: x is still the caller's. */
bool work_put(struct work *w, struct exchange *x);
/* The next that was answered, or NULL. */
struct exchange *work_take(struct work *w);

#endif
