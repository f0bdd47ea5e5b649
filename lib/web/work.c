#include "web/work.h"

#include <pthread.h>
#include <stdlib.h>

struct queue {
	struct exchange *first, **last;
	int n;
};

struct work {
	struct work_options o;
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct queue asked, answered;
	bool stop;
	int nthreads;
	pthread_t threads[];
};

struct exchange *exchange_new(void)
{
	return calloc(1, sizeof(struct exchange));
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	free(x->entrance);
	buf_release(&x->req.body);
	buf_release(&x->res.body);
	free(x);
}

static void push(struct queue *q, struct exchange *x)
{
	if (!q->first)
		q->last = &q->first;
	x->next = NULL;
	*q->last = x;
	q->last = &x->next;
	q->n++;
}

static struct exchange *pop(struct queue *q)
{
	struct exchange *x = q->first;
	if (x) {
		q->first = x->next;
		q->n--;
	}
	return x;
}

/* The next question, or NULL when the work is over. */
static struct exchange *await(struct work *w)
{
	struct exchange *x = NULL;
	pthread_mutex_lock(&w->lock);
	while (!w->stop && !(x = pop(&w->asked)))
		pthread_cond_wait(&w->some, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return x;
}

static void *run(void *arg)
{
	struct work *w = arg;
	struct exchange *x;
	void *own = NULL;
	while ((x = await(w))) {
		if (!own)
			own = w->o.open(w->o.ctx);
		if (!w->o.answer(w->o.ctx, own, x)) {
			w->o.close(own);
			own = NULL;
		}
		pthread_mutex_lock(&w->lock);
		push(&w->answered, x);
		pthread_mutex_unlock(&w->lock);
		w->o.wake(w->o.ctx);
	}
	w->o.close(own);
	return NULL;
}

struct work *work_new(const struct work_options *o)
{
	struct work *w = calloc(1, sizeof(*w) + (size_t)o->workers * sizeof(pthread_t));
	if (!w)
		return NULL;
	w->o = *o;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->some, NULL);
	while (w->nthreads < o->workers &&
		pthread_create(&w->threads[w->nthreads], NULL, run, w) == 0)
		w->nthreads++;
	if (w->nthreads == o->workers)
		return w;
	work_free(w);
	return NULL;
}

void work_stop(struct work *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_broadcast(&w->some);
	pthread_mutex_unlock(&w->lock);
	for (; w->nthreads > 0; w->nthreads--)
		pthread_join(w->threads[w->nthreads - 1], NULL);
}

void work_free(struct work *w)
{
	struct exchange *x;
	if (!w)
		return;
	work_stop(w);
	while ((x = pop(&w->asked)) || (x = pop(&w->answered)))
		exchange_free(x);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->some);
	free(w);
}

bool work_put(struct work *w, struct exchange *x)
{
	pthread_mutex_lock(&w->lock);
	bool room = w->asked.n < w->o.queue;
	if (room) {
		push(&w->asked, x);
		pthread_cond_signal(&w->some);
	}
	pthread_mutex_unlock(&w->lock);
	return room;
}

struct exchange *work_take(struct work *w)
{
	pthread_mutex_lock(&w->lock);
	struct exchange *x = pop(&w->answered);
	pthread_mutex_unlock(&w->lock);
	return x;
}
