#include "engine.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { RING = 3 };

struct worker {
	struct engine *engine;
	struct part *part;
	pthread_t thread;
	int64_t done; /* plans; under the lock */
	struct yield yields[RING];
};

struct engine {
	int n, threads;
	int64_t started, taken; /* plans; 'started' under the lock */
	pthread_mutex_t lock;
	pthread_cond_t go, ready; /* a plan is there; one is done */
	atomic_bool stop;
	struct plan plans[RING];
	struct worker workers[JOBS_MAX];
};

static void compute(struct worker *w, int64_t plan)
{
	struct engine *e = w->engine;
	part_compute(
		w->part, &e->plans[plan % RING], &w->yields[plan % RING], &e->stop);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct engine *e = w->engine;

	pthread_mutex_lock(&e->lock);
	for (;;) {
		while (w->done == e->started && !atomic_load(&e->stop))
			pthread_cond_wait(&e->go, &e->lock);
		if (atomic_load(&e->stop))
			break;
		pthread_mutex_unlock(&e->lock);
		compute(w, w->done);
		pthread_mutex_lock(&e->lock);
		w->done++;
		pthread_cond_signal(&e->ready);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

/* Signals are the caller's: a worker gets none. */
static int start_threads(struct engine *e, struct err *err)
{
	sigset_t all, before;
	int r = 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < e->n && !r; i++) {
		r = pthread_create(&e->workers[i].thread, NULL, work, &e->workers[i]);
		e->threads += !r;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? err_set(err, ERR_IO, "cannot start a thread: %s", strerror(r)) : 0;
}

struct engine *engine_open(struct part *parts, int n, struct err *err)
{
	struct engine *e = calloc(1, sizeof(*e));
	if (!e) {
		err_nomem(err);
		return NULL;
	}
	e->n = n;
	pthread_mutex_init(&e->lock, NULL);
	pthread_cond_init(&e->go, NULL);
	pthread_cond_init(&e->ready, NULL);
	for (int i = 0; i < n; i++) {
		e->workers[i].engine = e;
		e->workers[i].part = &parts[i];
	}
	if (n > 1 && start_threads(e, err) < 0) {
		engine_close(e);
		return NULL;
	}
	return e;
}

void engine_close(struct engine *e)
{
	if (!e)
		return;
	pthread_mutex_lock(&e->lock);
	atomic_store(&e->stop, true);
	pthread_cond_broadcast(&e->go);
	pthread_mutex_unlock(&e->lock);
	for (int i = 0; i < e->threads; i++)
		pthread_join(e->workers[i].thread, NULL);
	for (int i = 0; i < e->n; i++)
		for (int k = 0; k < RING; k++)
			yield_release(&e->workers[i].yields[k]);
	pthread_cond_destroy(&e->ready);
	pthread_cond_destroy(&e->go);
	pthread_mutex_destroy(&e->lock);
	free(e);
}

struct plan *engine_plan(struct engine *e)
{
	return &e->plans[e->started % RING];
}

void engine_start(struct engine *e)
{
	pthread_mutex_lock(&e->lock);
	e->started++;
	pthread_cond_broadcast(&e->go);
	pthread_mutex_unlock(&e->lock);
}

bool engine_full(const struct engine *e)
{
	return e->started - e->taken == RING;
}

bool engine_idle(const struct engine *e)
{
	return e->started == e->taken;
}

const struct plan *engine_await(struct engine *e, const struct yield **yields)
{
	pthread_mutex_lock(&e->lock);
	for (int i = 0; i < e->threads; i++)
		while (e->workers[i].done <= e->taken)
			pthread_cond_wait(&e->ready, &e->lock);
	pthread_mutex_unlock(&e->lock);
	if (!e->threads)
		compute(&e->workers[0], e->taken);
	for (int i = 0; i < e->n; i++)
		yields[i] = &e->workers[i].yields[e->taken % RING];
	return &e->plans[e->taken % RING];
}

void engine_release(struct engine *e)
{
	e->plans[e->taken % RING].n = 0;
	e->taken++;
}
