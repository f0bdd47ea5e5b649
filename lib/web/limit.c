#include "web/limit.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>

struct bucket {
	char address[NETWORK_SIZE];
	double tries; /* at 'at' */
	int64_t at;
};

struct limit {
	pthread_mutex_t lock;
	double burst;
	int64_t every_ms;
	int size, n;
	struct bucket v[];
};

struct limit *limit_new(int size, int burst, int64_t every_ms)
{
	struct limit *l = calloc(1, sizeof(*l) + (size_t)size * sizeof(*l->v));
	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	l->burst = burst;
	l->every_ms = every_ms;
	l->size = size;
	return l;
}

void limit_free(struct limit *l)
{
	if (!l)
		return;
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* The address's bucket; a new one is full. */
static struct bucket *find(struct limit *l, const char *address, int64_t now)
{
	int oldest = 0;
	for (int i = 0; i < l->n; i++) {
		if (strcmp(l->v[i].address, address) == 0)
			return &l->v[i];
		if (l->v[i].at < l->v[oldest].at)
			oldest = i;
	}
	struct bucket *b = &l->v[l->n < l->size ? l->n++ : oldest];
	str_copy(b->address, sizeof(b->address), str_of(address));
	b->tries = l->burst;
	b->at = now;
	return b;
}

/* Whoever has one IPv6 address has the 2^64 of its network. */
void limit_network(const char *address, char network[NETWORK_SIZE])
{
	struct in6_addr a;
	if (inet_pton(AF_INET6, address, &a) == 1 && !IN6_IS_ADDR_V4MAPPED(&a)) {
		memset(a.s6_addr + 8, 0, 8);
		inet_ntop(AF_INET6, &a, network, NETWORK_SIZE);
	} else {
		str_copy(network, NETWORK_SIZE, str_of(address));
	}
}

int64_t limit_take(struct limit *l, const char *address, int64_t now)
{
	int64_t wait = 0;
	char network[NETWORK_SIZE];
	limit_network(address, network);
	pthread_mutex_lock(&l->lock);
	struct bucket *b = find(l, network, now);
	double gained = now > b->at ? (double)(now - b->at) / (double)l->every_ms : 0;
	b->tries = b->tries + gained < l->burst ? b->tries + gained : l->burst;
	b->at = now;
	if (b->tries >= 1)
		b->tries -= 1;
	else
		wait = (int64_t)((1 - b->tries) * (double)l->every_ms) + 1;
	pthread_mutex_unlock(&l->lock);
	return wait;
}
