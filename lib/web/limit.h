/*
 * How often an address may try to log in: a bucket of tokens for each, in a table of
 * fixed size; the IPv6 addresses of one network (/64) count as one. When the table is
 * full the oldest entry goes: whoever has that many addresses is slowed by the lock of
 * the account instead.
 */
#ifndef WEB_LIMIT_H
#define WEB_LIMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limit;

/* 'burst' tries at once, then one each 'every_ms', for up to 'size' addresses. Any
 * thread may use it. NULL when out of memory. */
struct limit *limit_new(int size, int burst, int64_t every_ms);
void limit_free(struct limit *l);

/* Whom an address is counted with: the IPv6 addresses of a network are one. */
enum { NETWORK_SIZE = 64 };
void limit_network(const char *address, char network[NETWORK_SIZE]);

/* Takes a try. Returns 0, or the ms after which there is one again. */
int64_t limit_take(struct limit *l, const char *address, int64_t now);

#endif
