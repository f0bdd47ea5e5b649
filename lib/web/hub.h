/*
 * The hub: what the live feed says, for many who listen. It keeps, for each run (a
 * simulation's, or "" for production), the last value of each battery, the open alerts
 * and incidents, and the last updates in two rings of fixed length: what concerns
 * people now (alerts, incidents, actions, changes of status) in a lane of its own, the
 * bulk of measurements in the other. All updates have numbers, one after the other.
 *
 * A member is somebody who listens. It keeps how far it has read and nothing else:
 * there are no queues. One that keeps up gets every update of its rooms in order. One
 * that does not is given, of each battery, the last value only, until it has caught up:
 * its updates are conflated, in bounded memory, whatever it does; the lane of alerts
 * goes first then. A site's visibility is decided by account_sees alone.
 *
 * Feeds write and members read from different threads; the hub locks itself. A member
 * belongs to one thread.
 */
#ifndef WEB_HUB_H
#define WEB_HUB_H

#include "stream/flow.h"
#include "web/account.h"
#include "web/ws_message.h"

enum {
	RUNS_MAX = 8, /* production, five simulations, and two that have just ended */
	ROOMS_MAX = 32,
};

struct hub_options {
	size_t bulk, urgent; /* updates in the rings, > 0 */
	int64_t conflate_ms; /* so long may one be behind and get everything */
};

struct hub;

/* NULL when out of memory. */
struct hub *hub_new(const struct hub_options *o);
void hub_free(struct hub *h);
/* Names this hub's numbers: another one's mean nothing here. */
const char *hub_id(const struct hub *h);
/* The number of the last update. */
uint64_t hub_seq(struct hub *h);

/*
 * Takes a record in. Kinds that no client hears of are ignored. Returns 0, or -1 with
 * ERR_DATA (malformed) or ERR_IO (out of memory): the record is then left out.
 */
int hub_take(struct hub *h, const char *run, const struct record *rec, struct err *err);
/* Publishes the sites' means when a second has passed. now is monotonic, in ms. */
void hub_tick(struct hub *h, int64_t now);
/* Forgets a run and everything of it; its rooms are closed. */
void hub_forget(struct hub *h, const char *run);

struct member;

/* NULL when out of memory. Must be freed before the hub. */
struct member *member_new(struct hub *h);
void member_free(struct member *m);
/* Who it is, and may see. Rooms that it may see no more are left. */
void member_set_account(struct member *m, const struct account *a);

/*
 * Enters or leaves a room and appends the answer (a message) to reply. A room entered
 * with last_seq >= 0 continues there if the rings still hold what came since; else the
 * answer has the room's state, and with a last_seq a "missed" message follows. Returns
 * 0, or -1 with ERR_DATA: no such site for this account, or too many rooms.
 */
int member_subscribe(struct member *m, const struct ws_message *w, int64_t last_seq,
	struct buf *reply, struct err *err);

/* Whether member_next may have something; cheap. */
bool member_has_news(const struct member *m);
/* Appends the next message to out. Returns false when there is none: it has caught up.
 * now is monotonic, in ms. */
bool member_next(struct member *m, int64_t now, struct buf *out);
/* It has had its turn, and there is more: its socket, or we, are slow. */
void member_behind(struct member *m, int64_t now);

#endif
