#include "web/feed.h"

#include "base/now.h"
#include "stream/reader.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	BATCH = 512,     /* records before the members are woken */
	POLL_MS = 100,   /* how soon a stop is noticed */
	WAKE_MS = 20,    /* between two wakings: each costs a write for each member */
	RETRY_MS = 1000, /* after a failure */
	HWM = 100000,    /* messages that wait for us, unless the endpoint says */
};

struct feed {
	struct feed_options o;
	struct endpoint ep;
	void *zmq;
	struct schemas schemas;
	struct reader reader;
	bool open;
	int64_t bad; /* records that could not be used */
	uint64_t woken_seq;
	int64_t woken_at; /* ms */
	atomic_bool stop;
	pthread_t thread;
};

static int open_reader(struct feed *f, struct err *err)
{
	f->zmq = zmq_ctx_new();
	if (!f->zmq)
		return err_set(err, ERR_IO, "cannot make a context of sockets");
	f->open = true;
	return reader_open(&f->reader, &f->ep, 0, f->zmq, &f->schemas, err);
}

static void close_reader(struct feed *f)
{
	if (f->open)
		reader_close(&f->reader);
	if (f->zmq)
		zmq_ctx_term(f->zmq);
	schemas_release(&f->schemas);
	f->schemas = (struct schemas){0};
	f->zmq = NULL;
	f->open = false;
}

static int take_origin(struct feed *f, struct err *err)
{
	struct rec_origin o;
	if (frame_decode(KIND_origin, f->reader.origin, f->reader.origin_len, &o, err) <
		0)
		return -1;
	str_copy(f->reader.channel->run, sizeof(f->reader.channel->run), o.run);
	return 0;
}

/* One bad record is no reason to stop: said once, and counted. */
static void take_record(struct feed *f, const struct record *rec)
{
	struct err err = {0};
	char text[1100];
	if (hub_take(f->o.hub, f->reader.channel->run, rec, &err) == 0)
		return;
	if (f->bad++ == 0) {
		snprintf(text, sizeof(text), "feed '%s': a record is left out: %s",
			f->o.endpoint, err.msg);
		f->o.log(text);
	}
}

/* Reads what is there. Returns 0, or -1 when the feed has to be opened anew. */
static int read_batch(struct feed *f, struct err *err)
{
	struct record rec;
	for (int i = 0; i < BATCH; i++) {
		int k = reader_next(&f->reader, &rec, err);
		if (k == READ_WAIT)
			return 0;
		if (k == READ_EOF)
			return err_set(err, ERR_IO, "'%s' has ended", f->o.endpoint);
		if (k < 0 || (k == READ_ORIGIN && take_origin(f, err) < 0))
			return -1;
		if (k == READ_RECORD)
			take_record(f, &rec);
	}
	return 1;
}

static void wait_for_input(struct feed *f, int64_t ms)
{
	zmq_pollitem_t items[2];
	int n = inlet_poll_items(f->reader.inlet, items);
	zmq_poll(items, n, (long)(ms < POLL_MS ? ms : POLL_MS));
}

/* Wakes the members if there are news and the last time is long enough ago. Returns the
 * ms until it is. */
static int64_t wake_members(struct feed *f, int64_t now)
{
	uint64_t seq = hub_seq(f->o.hub);
	if (seq == f->woken_seq)
		return POLL_MS;
	if (now < f->woken_at + WAKE_MS)
		return f->woken_at + WAKE_MS - now;
	f->o.wake(f->o.ctx);
	f->woken_seq = seq;
	f->woken_at = now;
	return POLL_MS;
}

static void begin_anew(struct feed *f, struct err *err)
{
	struct timespec t = {RETRY_MS / 1000, RETRY_MS % 1000 * 1000000};
	f->o.log(err->msg);
	close_reader(f);
	nanosleep(&t, NULL);
	if (open_reader(f, err) < 0)
		close_reader(f);
}

static void *run(void *arg)
{
	struct feed *f = arg;
	while (!atomic_load(&f->stop)) {
		struct err err = {0};
		int k = f->open ? read_batch(f, &err)
				: err_set(&err, ERR_IO, "'%s' is tried again",
					  f->o.endpoint);
		int64_t now = now_steady_ms();
		hub_tick(f->o.hub, now);
		int64_t ms = wake_members(f, now);
		if (k < 0)
			begin_anew(f, &err);
		else if (k == 0)
			wait_for_input(f, ms);
	}
	return NULL;
}

struct feed *feed_start(const struct feed_options *o, struct err *err)
{
	struct feed *f = calloc(1, sizeof(*f));
	if (!f) {
		err_nomem(err);
		return NULL;
	}
	f->o = *o;
	int r = endpoint_parse(o->endpoint, true, &f->ep, err);
	if (r == 0 && f->ep.role == EP_FILE)
		r = err_set(err, ERR_USAGE,
			"the feed '%s' is no socket, as sub:tcp://host:5556",
			o->endpoint);
	if (!strstr(o->endpoint, "hwm="))
		f->ep.hwm = HWM;
	if (r == 0)
		r = open_reader(f, err);
	if (r == 0 && pthread_create(&f->thread, NULL, run, f) != 0)
		r = err_set(err, ERR_IO, "cannot start threads");
	if (r == 0)
		return f;
	close_reader(f);
	free(f);
	return NULL;
}

void feed_stop(struct feed *f)
{
	if (!f)
		return;
	atomic_store(&f->stop, true);
	pthread_join(f->thread, NULL);
	close_reader(f);
	free(f);
}
