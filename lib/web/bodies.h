/*
 * How much of the large bodies, which only devices send, is in memory: of all, and of
 * each network (limit.h). Both have a bound, so that many at once leave room for
 * whoever logs in or decides something, and those of one network for the others'. A
 * body counts from its first byte until its request is answered. For one thread.
 */
#ifndef WEB_BODIES_H
#define WEB_BODIES_H

#include <stdbool.h>
#include <stddef.h>

struct bodies;
/* What the bodies of one network have taken. */
struct body_share;

enum body_room {
	BODY_FITS,
	BODY_NETWORK_FULL, /* its network has too many */
	BODY_ALL_FULL
};

/* At most 'most' bytes of all and most_each of a network. NULL when out of memory. */
struct bodies *bodies_new(size_t most, size_t most_each);
/* With all shares. Accepts NULL. */
void bodies_free(struct bodies *b);

/* A body from that address is to come. Returns the share of its network, to be left
 * once with bodies_leave(), or NULL when out of memory. */
struct body_share *bodies_join(struct bodies *b, const char *address);
/* Whether n more bytes have room now. */
enum body_room bodies_room(const struct body_share *s, size_t n);
/* They have come. False, and nothing is taken: they have no room. */
bool bodies_take(struct body_share *s, size_t n);
/* The body, of which n bytes were taken, is no longer in memory. */
void bodies_leave(struct body_share *s, size_t n);

#endif
