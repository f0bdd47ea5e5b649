/*
 * Simulations that people start: each a pipeline of processes of its own (simulate,
 * featurize, twin, predict, alert, broadcast, store) with its own run, clock, speed and
 * folder, whose records reach the hub's rooms of that run and the database's rows of
 * that run, and nothing else. A process that ends takes its simulation with it, which
 * then has failed; the end of this program ends them all, and what it left behind is
 * deleted when it is next started.
 *
 * Its fleet is that of a fleet file, or of simulate, with seed SIMULATION_SEED: the
 * same codes, ages and blocks as of a fleet that was made so, as scripts/demo --live
 * does.
 *
 * All calls may come from any thread.
 */
#ifndef WEB_SIMULATION_H
#define WEB_SIMULATION_H

#include "base/code.h"
#include "web/account.h"
#include "web/drill.h"
#include "web/hub.h"

struct db;

enum { SIMULATIONS_MAX = 5, SIMULATION_SEED = 1, SPEED_MAX = 10800, MESSAGE_MAX = 256 };

struct simulations_options {
	const char *dir;    /* for their folders; made if it is not there */
	const char *db_url; /* of the database that store writes to */
	const char *models; /* the model registry, or NULL */
	const char *fleet;  /* the fleet file or CSV of batteries, or NULL */
	struct hub *hub;
	void (*wake)(void *ctx); /* the hub has news */
	void *ctx;
	void (*log)(const char *text);
};

enum simulation_state {
	SIMULATION_STARTING,
	SIMULATION_RUNNING,
	SIMULATION_STOPPING,
	SIMULATION_FAILED,
};

/* What there is to know of one. */
struct simulation {
	int64_t id; /* > 0; 0: none */
	enum simulation_state state;
	char run[32], site[CODE_MAX + 1], scenario[32], started_by[USERNAME_MAX];
	char parameters[512];          /* JSON */
	int64_t speed, started, clock; /* clock: its own; TIME_NIL: not known yet */
	bool live;                     /* its history is made */
	char message[MESSAGE_MAX];     /* why it has failed */
};

struct simulations;

/*
 * Deletes what a former one of the same folder has left, and is ready. ERR_IO: the
 * folder or the database cannot be used, or another program has the folder.
 */
struct simulations *simulations_new(
	const struct simulations_options *o, struct err *err);
/* Ends all of them, and their rows; calls that still come are refused. Accepts NULL. */
void simulations_close(struct simulations *s);
/* After simulations_close, when no call can come any more. Accepts NULL. */
void simulations_free(struct simulations *s);

/*
 * Starts one: site, scenario ("": none), parameters, speed, started and started_by are
 * given in *v, the rest is filled in; the drill's commands are the scenario. Returns
 * 201; 409 when there are SIMULATIONS_MAX; -1 with ERR_IO.
 */
int simulations_start(struct simulations *s, struct db *db, struct simulation *v,
	json_t *const *commands, int ncommands, struct err *err);
/* Ends one, with its rows and its folder. Returns 200, 404 (none such, or it ends
 * already), -1 with ERR_IO: it can be tried again. */
int simulations_stop(
	struct simulations *s, struct db *db, int64_t id, int64_t now, struct err *err);
/* Returns false when there is none. */
bool simulations_get(struct simulations *s, int64_t id, struct simulation *v);
/* All of them, the oldest first; returns how many. */
int simulations_all(struct simulations *s, struct simulation v[SIMULATIONS_MAX]);
/*
 * Sends a command (site/command.h) and gives its answer, the caller's: an object. NULL
 * when there is no such simulation or it does not answer.
 */
json_t *simulations_ask(struct simulations *s, int64_t id, const json_t *command);

#endif
