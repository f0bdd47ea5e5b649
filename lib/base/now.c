#include "base/now.h"

#include <time.h>

enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };

static struct timespec read_clock(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return t;
}

static int64_t in_ms(struct timespec t)
{
	return (int64_t)t.tv_sec * MS_PER_S + t.tv_nsec / NS_PER_MS;
}

int64_t now_wall_ms(void)
{
	return in_ms(read_clock(CLOCK_REALTIME));
}

int64_t now_steady_ms(void)
{
	return in_ms(read_clock(CLOCK_MONOTONIC));
}

int64_t now_steady_ns(void)
{
	struct timespec t = read_clock(CLOCK_MONOTONIC);
	return (int64_t)t.tv_sec * MS_PER_S * NS_PER_MS + t.tv_nsec;
}

int64_t now_coarse_ms(void)
{
	return in_ms(read_clock(CLOCK_MONOTONIC_COARSE));
}

void now_cond_init(pthread_cond_t *c)
{
	pthread_condattr_t steady;
	pthread_condattr_init(&steady);
	pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
	pthread_cond_init(c, &steady);
	pthread_condattr_destroy(&steady);
}

void now_cond_wait(pthread_cond_t *c, pthread_mutex_t *held, int64_t ms)
{
	int64_t until = now_steady_ns() + ms * NS_PER_MS;
	int64_t second = (int64_t)MS_PER_S * NS_PER_MS;
	pthread_cond_timedwait(c, held,
		&(struct timespec){
			.tv_sec = until / second, .tv_nsec = until % second});
}
