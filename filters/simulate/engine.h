/*
 * The engine: parts of the run and the threads that compute them. One thread, the
 * caller's, says what is to be done (plans) and takes what came of it (yields), both in
 * order; each worker does the plans one after the other for the part it owns.
 *
 * Plans and yields sit in a ring of a few slots. A worker may not run ahead of the
 * ring, and the caller does not plan while it is stuck in a write: that bounds memory.
 * With one part there is no thread, and the part is computed when its yield is asked
 * for.
 *
 * While nothing is under way (engine_idle), the parts belong to the caller.
 */
#ifndef SIMULATE_ENGINE_H
#define SIMULATE_ENGINE_H

#include "part.h"

enum { JOBS_MAX = 64 };

struct engine;

/* 'parts' must outlive the engine. Returns NULL with err: no memory, no thread. */
struct engine *engine_open(struct part *parts, int n, struct err *err);
/* Stops the threads, wherever they are, and waits for them. Accepts NULL. */
void engine_close(struct engine *e);

/* The plan to be filled next. engine_full must be false. */
struct plan *engine_plan(struct engine *e);
/* Hands that plan to the workers. */
void engine_start(struct engine *e);
/* Every slot is taken: the oldest must be taken out first. */
bool engine_full(const struct engine *e);
/* Nothing is under way or waits to be taken. */
bool engine_idle(const struct engine *e);
/* Waits for the oldest plan. Its yields, one a part, are in yields[]; they and the plan
 * are the caller's until engine_release. */
const struct plan *engine_await(struct engine *e, const struct yield **yields);
void engine_release(struct engine *e);

#endif
