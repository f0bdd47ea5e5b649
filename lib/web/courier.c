#include "web/courier.h"

#include "base/now.h"
#include "db/db.h"
#include "stream/outlet.h"
#include "stream/schemas.h"
#include "web/inforce.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { LOOK_EVERY_MS = 500, FORMAT = 1 };

struct courier {
	struct courier_options o;
	struct endpoint endpoint;
	void *zmq;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t wake;
	bool stop;
	struct outlet *outlet; /* NULL: to be opened anew */
	bool greeted;          /* this reader was told what is in force */
	struct schemas schemas;
	const struct schema *told[KIND_MAX + 1]; /* declared on this outlet */
	struct buf out;
};

static int no_reader(struct err *err)
{
	return err_set(err, ERR_IO, "no pipeline takes records now; try again");
}

/* Drops an outlet whose reader has gone: the next one gets a stream of its own. */
static void drop_outlet(struct courier *c)
{
	outlet_close(c->outlet, 0, NULL);
	c->outlet = NULL;
	c->greeted = false;
	memset(c->told, 0, sizeof(c->told));
}

/* A reader is there and takes a message without a wait. */
static bool ready(struct courier *c)
{
	struct err err = {0};
	if (c->outlet && outlet_idle(c->outlet, &err) < 0)
		drop_outlet(c);
	if (!c->outlet)
		c->outlet = outlet_open(&c->endpoint, c->zmq, &err);
	return c->outlet && outlet_ready(c->outlet);
}

static int declare(struct courier *c, int kind, struct err *err)
{
	bool first = true;
	for (int k = 0; k <= KIND_MAX && first; k++)
		first = !c->told[k];
	if (first) {
		struct rec_origin o = {.format = str_of("floatline"),
			.format_version = FORMAT,
			.programs = {.n = 1,
				.v = {{str_of("bridge"), str_of(FL_VERSION),
					str_of("")}}}};
		if (record_encode_native(kind_info(KIND_origin), &o, &c->out, err) < 0)
			return -1;
	}
	const struct schema *s = schemas_native(&c->schemas, kind_info(kind), err);
	if (!s)
		return -1;
	if (c->told[kind] != s)
		buf_append(&c->out, s->wire, s->wire_len);
	c->told[kind] = s;
	return 0;
}

static int send_locked(struct courier *c, int kind, const void *records, size_t n,
	size_t size, size_t *bad, struct err *err)
{
	if (!ready(c)) {
		/* Who posts samples posts them again; a decision is told when there is
		 * room, with all that is in force. */
		c->greeted &= kind == KIND_telemetry;
		return no_reader(err);
	}
	buf_clear(&c->out);
	if (declare(c, kind, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (record_encode_native(kind_info(kind),
			    (const uint8_t *)records + i * size, &c->out, err) < 0) {
			if (bad)
				*bad = i;
			c->told[kind] = NULL; /* it was not sent */
			return -1;
		}
	if (outlet_write(c->outlet, c->out.data, c->out.len, c->told, "", err) == 0)
		return 0;
	drop_outlet(c);
	return no_reader(err);
}

int courier_send(struct courier *c, int kind, const void *records, size_t n,
	size_t size, size_t *bad, struct err *err)
{
	if (!c)
		return no_reader(err);
	pthread_mutex_lock(&c->lock);
	int r = send_locked(c, kind, records, n, size, bad, err);
	pthread_mutex_unlock(&c->lock);
	return r;
}

static int pass_on(
	void *ctx, int kind, const void *record, size_t size, struct err *err)
{
	struct courier *c = ctx;
	return courier_send(c, kind, record, 1, size, NULL, err);
}

/* Tells a new reader what is in force. Said anew when that fails in the middle. */
static void greet(struct courier *c)
{
	struct err err = {0};
	/* Before it is read: what is refused meanwhile makes it false again. */
	pthread_mutex_lock(&c->lock);
	c->greeted = true;
	pthread_mutex_unlock(&c->lock);
	struct db *db = db_open(c->o.db_url, 0, &err);
	int r = db ? inforce_each(db, now_wall_ms(), pass_on, c, &err) : -1;
	db_close(db);
	pthread_mutex_lock(&c->lock);
	c->greeted &= c->outlet && r == 0;
	pthread_mutex_unlock(&c->lock);
	if (r < 0)
		c->o.log(err.msg);
}

static void *look_for_readers(void *arg)
{
	struct courier *c = arg;
	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		bool fresh = ready(c) && !c->greeted;
		pthread_mutex_unlock(&c->lock);
		if (fresh)
			greet(c);
		pthread_mutex_lock(&c->lock);
		if (!c->stop)
			now_cond_wait(&c->wake, &c->lock, LOOK_EVERY_MS);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

struct courier *courier_start(const struct courier_options *o, struct err *err)
{
	struct endpoint e;
	if (endpoint_parse(o->endpoint, false, &e, err) < 0)
		return NULL;
	if (e.role != EP_PUSH) {
		err_set(err, ERR_USAGE, "'%s' is no push: endpoint", o->endpoint);
		return NULL;
	}
	struct courier *c = calloc(1, sizeof(*c));
	if (!c) {
		err_nomem(err);
		return NULL;
	}
	c->o = *o;
	c->endpoint = e;
	pthread_mutex_init(&c->lock, NULL);
	now_cond_init(&c->wake);
	c->zmq = zmq_ctx_new();
	c->outlet = c->zmq ? outlet_open(&e, c->zmq, err) : NULL;
	if (!c->outlet || pthread_create(&c->thread, NULL, look_for_readers, c) != 0) {
		if (c->outlet)
			err_set(err, ERR_IO, "cannot start threads");
		courier_stop(c);
		return NULL;
	}
	c->running = true;
	return c;
}

void courier_stop(struct courier *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	pthread_cond_signal(&c->wake);
	pthread_mutex_unlock(&c->lock);
	if (c->running)
		pthread_join(c->thread, NULL);
	if (c->outlet)
		outlet_abandon(c->outlet);
	outlet_close(c->outlet, 0, NULL);
	if (c->zmq)
		zmq_ctx_term(c->zmq);
	schemas_release(&c->schemas);
	buf_release(&c->out);
	pthread_cond_destroy(&c->wake);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
