#include "web/bodies.h"
#include "web/limit.h"

#include <stdlib.h>
#include <string.h>

struct body_share {
	struct bodies *all;
	struct body_share *next;
	char network[NETWORK_SIZE];
	size_t bytes;
	int members; /* bodies; with the last the share goes */
};

struct bodies {
	size_t most, most_each, bytes;
	struct body_share *first;
};

struct bodies *bodies_new(size_t most, size_t most_each)
{
	struct bodies *b = calloc(1, sizeof(*b));
	if (b)
		*b = (struct bodies){.most = most, .most_each = most_each};
	return b;
}

void bodies_free(struct bodies *b)
{
	while (b && b->first) {
		struct body_share *s = b->first;
		b->first = s->next;
		free(s);
	}
	free(b);
}

struct body_share *bodies_join(struct bodies *b, const char *address)
{
	char network[NETWORK_SIZE];
	limit_network(address, network);
	struct body_share *s = b->first;
	while (s && strcmp(s->network, network) != 0)
		s = s->next;
	if (!s) {
		s = calloc(1, sizeof(*s));
		if (!s)
			return NULL;
		s->all = b;
		memcpy(s->network, network, sizeof(network));
		s->next = b->first;
		b->first = s;
	}
	s->members++;
	return s;
}

enum body_room bodies_room(const struct body_share *s, size_t n)
{
	if (n > s->all->most - s->all->bytes)
		return BODY_ALL_FULL;
	return n > s->all->most_each - s->bytes ? BODY_NETWORK_FULL : BODY_FITS;
}

bool bodies_take(struct body_share *s, size_t n)
{
	if (bodies_room(s, n) != BODY_FITS)
		return false;
	s->bytes += n;
	s->all->bytes += n;
	return true;
}

void bodies_leave(struct body_share *s, size_t n)
{
	struct body_share **at = &s->all->first;
	s->bytes -= n;
	s->all->bytes -= n;
	if (--s->members > 0)
		return;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	free(s);
}
