/*
 * What the clocks of this machine say now. The wall clock tells the time of day and can
 * be set, forwards and backwards; the steady one tells only how long something took,
 * and never goes back. Results come from the time in the records (base/timefmt.h): only
 * what is live, and what waits, looks here. Safe in any thread.
 */
#ifndef BASE_NOW_H
#define BASE_NOW_H

#include <pthread.h>
#include <stdint.h>

/* ms since the Unix epoch, UTC. */
int64_t now_wall_ms(void);

/* Since some moment before this program began, and the same for all programs. */
int64_t now_steady_ms(void);
int64_t now_steady_ns(void);

/* As now_steady_ms(), but cheap enough to ask for each record: up to 10 ms behind. */
int64_t now_coarse_ms(void);

/*
 * A condition whose waits the setting of the wall clock neither shortens nor lengthens,
 * and a wait of at most ms on it (made by now_cond_init()) with the mutex held. It may
 * wake early, as any condition may.
 */
void now_cond_init(pthread_cond_t *c);
void now_cond_wait(pthread_cond_t *c, pthread_mutex_t *held, int64_t ms);

#endif
