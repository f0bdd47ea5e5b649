/*
 * A load of WebSocket clients for scripts/bench:
 *
 *	ws ADDRESS PORT N SECONDS ROOM…	N connections, each in the fleet's room and in
 *					one of the sites ROOM, in turn; the token is
 *read from stdin
 *
 * Prints 'connections messages p50 p95 p99 max conflated': the milliseconds from a
 * sample's time to the client, of all samples after the first two seconds of each
 * connection. A live run's sample bears the time at which it is taken. It speaks just
 * enough of RFC 6455 to read what the server sends, so that it is the server that is
 * measured.
 */
#include "base/buf.h"
#include "base/now.h"
#include "base/timefmt.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WARM_MS = 2000, BUCKETS = 20000, TOKEN_SIZE = 1024, READ_SIZE = 1 << 18 };

struct client {
	int fd; /* -1: closed */
	int64_t since;
	bool upgraded;
	struct buf in;
};

static long histogram[BUCKETS], samples, messages, conflated;

static void drop(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	buf_release(&c->in);
}

/* A text message in one frame, masked by zeros. */
static void say(struct client *c, const char *text)
{
	size_t n = strlen(text);
	unsigned char head[8] = {0x81, 0x80};
	struct buf b = {0};
	if (n < 126) {
		head[1] |= (unsigned char)n;
		buf_append(&b, head, 2);
	} else {
		head[1] |= 126;
		head[2] = (unsigned char)(n >> 8);
		head[3] = (unsigned char)n;
		buf_append(&b, head, 4);
	}
	buf_append(&b, "\0\0\0", 4);
	buf_puts(&b, text);
	if (write(c->fd, b.data, b.len) != (ssize_t)b.len)
		drop(c);
	buf_release(&b);
}

static void open_client(struct client *c, const char *address, int port,
	const char *token, const char *room)
{
	char text[TOKEN_SIZE + 256];
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	inet_pton(AF_INET, address, &to.sin_addr);
	c->since = now_wall_ms();
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		drop(c);
		return;
	}
	int n = snprintf(text, sizeof(text),
		"GET /api/v1/ws HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\n"
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
		address, port);
	if (write(c->fd, text, (size_t)n) != n)
		drop(c);
	while (c->fd >= 0 && !c->upgraded) {
		ssize_t got = read(c->fd, text, sizeof(text));
		if (got <= 0)
			drop(c);
		else
			c->upgraded = memmem(text, (size_t)got, "\r\n\r\n", 4) != NULL;
	}
	if (c->fd < 0)
		return;
	snprintf(text, sizeof(text),
		"{\"type\":\"auth\",\"token\":\"%s\",\"batch\":true}", token);
	say(c, text);
	say(c, "{\"type\":\"subscribe_fleet\"}");
	snprintf(text, sizeof(text),
		"{\"type\":\"subscribe_location\",\"location\":\"%s\"}", room);
	say(c, text);
}

/* One message: its type, battery and time. */
static void note(const struct client *c, const char *p, size_t n, int64_t now)
{
	static const char SAMPLE[] = "{\"type\":\"telemetry_update\"";
	static const char CONFLATED[] = "{\"type\":\"conflated\"";
	int64_t ts;
	messages++;
	if (n > sizeof(CONFLATED) && memcmp(p, CONFLATED, sizeof(CONFLATED) - 1) == 0)
		conflated++;
	if (n < sizeof(SAMPLE) || memcmp(p, SAMPLE, sizeof(SAMPLE) - 1) != 0 ||
		now - c->since < WARM_MS)
		return;
	const char *battery = memmem(p, n < 100 ? n : 100, "\"battery\":", 10);
	const char *at = battery ? memmem(p, n, "\"ts\":\"", 6) : NULL;
	if (!at)
		return;
	const char *end = memchr(at + 6, '"', n - (size_t)(at + 6 - p));
	struct str text = {at + 6, end ? (uint32_t)(end - at - 6) : 0};
	if (time_parse_iso(text, 0, &ts) < 0)
		return;
	int64_t late = now - ts;
	histogram[late < 0 ? 0 : late >= BUCKETS ? BUCKETS - 1 : late]++;
	samples++;
}

/* A frame's text: a message, or an array of them. Each begins with its type, and no
 * text of theirs holds an unescaped quote. Of a snapshot nothing is asked: it is not
 * late. */
static void note_all(const struct client *c, const char *p, size_t n, int64_t now)
{
	static const char BEGIN[] = "{\"type\":",
			  SNAPSHOT[] = "{\"type\":\"subscribed\"";
	const char *end = p + n, *at = memmem(p, n, BEGIN, sizeof(BEGIN) - 1);
	if (n > sizeof(SNAPSHOT) && memcmp(p, SNAPSHOT, sizeof(SNAPSHOT) - 1) == 0)
		return;
	while (at) {
		const char *next = memmem(
			at + 1, (size_t)(end - at - 1), BEGIN, sizeof(BEGIN) - 1);
		note(c, at, (size_t)((next ? next : end) - at), now);
		at = next;
	}
}

/* The length of the frame at p and of its head; 0 when it is not all there. */
static size_t frame(const unsigned char *p, size_t n, size_t *head)
{
	if (n < 2)
		return 0;
	size_t len = p[1] & 0x7f;
	*head = len < 126 ? 2 : len == 126 ? 4 : 10;
	if (n < *head)
		return 0;
	if (len >= 126) {
		len = 0;
		for (size_t i = 2; i < *head; i++)
			len = len << 8 | p[i];
	}
	return n < *head + len ? 0 : *head + len;
}

static void receive(struct client *c)
{
	size_t at = 0, head, len;
	if (buf_reserve(&c->in, READ_SIZE) < 0)
		exit(1);
	ssize_t n = read(c->fd, c->in.data + c->in.len, READ_SIZE);
	int64_t now = now_wall_ms();
	if (n <= 0) {
		drop(c);
		return;
	}
	c->in.len += (size_t)n;
	for (; (len = frame(c->in.data + at, c->in.len - at, &head)) > 0; at += len)
		note_all(c, (const char *)c->in.data + at + head, len - head, now);
	buf_consume(&c->in, at);
}

static long at_quantile(double q)
{
	long n = 0;
	for (int i = 0; i < BUCKETS; i++)
		if ((n += histogram[i]) >= q * (double)samples)
			return i;
	return BUCKETS;
}

int main(int argc, char **argv)
{
	char token[TOKEN_SIZE];
	if (argc < 6 || !fgets(token, sizeof(token), stdin))
		return 2;
	token[strcspn(token, "\n")] = '\0';
	int port = (int)strtol(argv[2], NULL, 10), n = (int)strtol(argv[3], NULL, 10);
	int64_t end = now_wall_ms() + strtol(argv[4], NULL, 10) * 1000;
	struct client *clients = calloc((size_t)n, sizeof(*clients));
	struct pollfd *polls = calloc((size_t)n, sizeof(*polls));
	int open_now = 0, begun = 0;
	if (!clients || !polls)
		return 1;
	while (now_wall_ms() < end) {
		if (begun < n) {
			open_client(&clients[begun], argv[1], port, token,
				argv[5 + begun % (argc - 5)]);
			begun++;
		}
		for (int i = 0; i < begun; i++)
			polls[i] = (struct pollfd){clients[i].fd, POLLIN, 0};
		poll(polls, (nfds_t)begun, begun < n ? 0 : 100);
		for (int i = 0; i < begun; i++)
			if (polls[i].revents)
				receive(&clients[i]);
	}
	for (int i = 0; i < begun; i++) {
		open_now += clients[i].fd >= 0;
		drop(&clients[i]);
	}
	printf("%d %ld %ld %ld %ld %ld %ld\n", open_now, messages, at_quantile(0.5),
		at_quantile(0.95), at_quantile(0.99), at_quantile(1), conflated);
	free(clients);
	free(polls);
	return 0;
}
