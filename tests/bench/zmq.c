/*
 * ZeroMQ for scripts/bench:
 *
 *	zmq bare COUNT SIZE	PUSH to PULL over ipc in one process; prints messages/s
 *	zmq count ADDRESS	subscribes to everything, counts records to the end of
 *				the feed; prints 'messages seconds mean-size'
 */
#include "base/now.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static double now_s(void)
{
	return (double)now_steady_ns() / 1e9;
}

struct job {
	void *context;
	const char *address;
	long count;
	size_t size;
};

static void *push(void *arg)
{
	const struct job *j = arg;
	char *body = calloc(1, j->size);
	void *s = zmq_socket(j->context, ZMQ_PUSH);
	if (!body || !s || zmq_connect(s, j->address) != 0)
		exit(1);
	for (long i = 0; i < j->count; i++)
		if (zmq_send(s, body, j->size, 0) < 0)
			exit(1);
	zmq_close(s);
	free(body);
	return NULL;
}

static int bare(long count, size_t size)
{
	char address[64];
	pthread_t thread;
	zmq_msg_t m;
	snprintf(address, sizeof(address), "ipc:///tmp/floatline-bench-%ld",
		(long)time(NULL));
	struct job j = {zmq_ctx_new(), address, count, size};
	void *s = zmq_socket(j.context, ZMQ_PULL);
	if (!s || zmq_bind(s, address) != 0)
		return 1;
	double start = now_s();
	pthread_create(&thread, NULL, push, &j);
	zmq_msg_init(&m);
	for (long i = 0; i < count; i++)
		if (zmq_msg_recv(&m, s, 0) < 0)
			return 1;
	printf("%.0f\n", (double)count / (now_s() - start));
	zmq_msg_close(&m);
	pthread_join(thread, NULL);
	zmq_close(s);
	zmq_ctx_term(j.context);
	return 0;
}

/* Receives one message of several parts; the topic's start in topic, bytes in *size. */
static int receive(void *s, char topic[8], size_t *size)
{
	zmq_msg_t m;
	int part = 0, more;
	zmq_msg_init(&m);
	do {
		if (zmq_msg_recv(&m, s, 0) < 0)
			return -1;
		size_t n = zmq_msg_size(&m);
		if (part++ == 0) {
			memset(topic, 0, 8);
			memcpy(topic, zmq_msg_data(&m), n < 7 ? n : 7);
		}
		*size += n;
		more = zmq_msg_more(&m);
	} while (more);
	zmq_msg_close(&m);
	return 0;
}

static int count_feed(const char *address)
{
	void *context = zmq_ctx_new();
	void *s = zmq_socket(context, ZMQ_SUB);
	int hwm = 0;
	long n = 0;
	size_t size = 0;
	double start = 0;
	char topic[8];
	zmq_setsockopt(s, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(s, ZMQ_SUBSCRIBE, "", 0);
	zmq_setsockopt(s, ZMQ_SUBSCRIBE, "schema/", 7); /* by this the feed counts us */
	if (zmq_connect(s, address) != 0)
		return 1;
	while (receive(s, topic, &size) == 0 && strncmp(topic, "end/", 4) != 0)
		if (n++ == 0)
			start = now_s();
	printf("%ld %.3f %.0f\n", n, now_s() - start,
		(double)size / (double)(n ? n : 1));
	zmq_close(s);
	zmq_ctx_term(context);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "bare") == 0)
		return bare(strtol(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	if (argc == 3 && strcmp(argv[1], "count") == 0)
		return count_feed(argv[2]);
	fprintf(stderr, "usage: zmq bare COUNT SIZE | zmq count ADDRESS\n");
	return 2;
}
